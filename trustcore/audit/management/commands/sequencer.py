"""`manage.py sequencer`: run the sequencer until told to stop."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from trustcore.audit.sequencer import Sequencer


class Command(BaseCommand):
    help = "Number committed events, build the log's tree and sign its checkpoints. One leader; others wait their turn."
    requires_system_checks = ()  # they import every page, which this command never shows

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="sequence what is committed now, sign, and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(f"{Sequencer().drain()} entries made")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write("sequencer is running")
        Sequencer().run(stop)
