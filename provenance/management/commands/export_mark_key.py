"""`manage.py export_mark_key --out FILE`: a mark key in a file for its owner, for `python -m provenance.verify
--mark-key`.

Whoever holds it can read and forge marks of that year. The export is an event.
"""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from provenance.marks.keys import MarkKey
from trustcore.audit import recording
from trustcore.keys.services import mark_keys


class Command(BaseCommand):
    help = "Write a watermark epoch key to a file that only its owner can read."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--out", type=Path, required=True, help="file to write; it must not exist")
        parser.add_argument("--epoch", default="", help="which year's key; the current one by default")

    def handle(self, *args: Any, **options: Any) -> None:
        epoch = mark_keys.get(options["epoch"]) if options["epoch"] else mark_keys.current()
        obj = recording.ObjectRef("mark_key", epoch.name)
        with recording.recording(
            actor=recording.Actor.system("operator"), action=recording.Action.KEY_UNWRAPPED, obj=obj
        ) as event:
            event.add(purpose="export for offline reading of marks")
        try:
            descriptor = os.open(options["out"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"The key was not written: {error}") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(MarkKey(epoch.key, epoch.name).to_file())
        self.stdout.write(f"mark key of {epoch.name} is in {options['out']}: keep it as you keep any secret")
