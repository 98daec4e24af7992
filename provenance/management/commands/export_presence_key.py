"""`manage.py export_presence_key --out FILE --for WHOM`: what an auditor may hold, for `python -m provenance.verify
--mark-key`.

It finds our mark and reads nothing: no session, no person. It cannot make a mark. Whoever holds it can still tell when
a mark is gone, so it is a secret, and its export is an event that says for whom.
"""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from provenance.marks.keys import MarkKey
from trustcore.audit import recording
from trustcore.keys.services import mark_keys


class Command(BaseCommand):
    help = "Write the presence key of a watermark epoch to a file that only its owner can read."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--out", type=Path, required=True, help="file to write; it must not exist")
        parser.add_argument("--for", dest="whom", required=True, help="who will hold it; stands in the log")
        parser.add_argument("--epoch", default="", help="which year's key; the current one by default")

    def handle(self, *args: Any, **options: Any) -> None:
        whom = options["whom"].strip()[:120]
        if not whom:
            raise CommandError("Say for whom the key is: --for.")
        epoch = mark_keys.get(options["epoch"]) if options["epoch"] else mark_keys.current()
        with recording.recording(
            actor=recording.Actor.system("operator"), action=recording.Action.KEY_UNWRAPPED,
            obj=recording.ObjectRef("mark_key", epoch.name),
        ) as event:
            event.add(purpose="export of the presence key", holder=whom)
        try:
            descriptor = os.open(options["out"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"The key was not written: {error}") from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(MarkKey(epoch.key, epoch.name).presence_only().to_file())
        self.stdout.write(f"presence key of {epoch.name} is in {options['out']}: it finds a mark and reads nothing")
