"""Celery only wakes and spreads work; job rows are the truth. The embedded default is the filesystem broker."""

import os
from pathlib import Path

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustcore.settings")
app = Celery("trustcore")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

for _folder in ("data_folder_in", "data_folder_out", "control_folder"):
    if _folder in app.conf.broker_transport_options:
        Path(app.conf.broker_transport_options[_folder]).mkdir(parents=True, exist_ok=True)
