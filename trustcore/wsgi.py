"""The WSGI entry point: `trustcore.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustcore.settings")
application = get_wsgi_application()
