"""What the audit door costs: governed actions per second from four writers, beside the same row change without it.

Run by `make bench NAME=audit`. A PostgreSQL of its own, default durability (fsync on), a running sequencer. One action
is one transaction through Django: lock the row, change it, read it back, event, commit. The baseline changes a column
of the same table that is not governed, in a transaction of its own.
"""

import json
import multiprocessing
import os
import tempfile
import threading
import time
from typing import Any

WRITERS = 4
SECONDS = 4.0


def _setup(state_dir: str) -> None:
    os.environ["TRUSTCORE_STATE_DIR"] = state_dir
    os.environ["DJANGO_SETTINGS_MODULE"] = "trustcore.settings"
    import warnings

    warnings.simplefilter("ignore")
    import django

    django.setup()


def _prepare() -> list[int]:
    from django.core.management import call_command

    from trustcore.accounts.models import ApiKey
    from trustcore.accounts.services import api_keys, people
    from trustcore.audit.actors import Actor

    call_command("migrate", verbosity=0, skip_checks=True)
    setup = Actor.system("benchmark")
    organisation = people.create_organisation(actor=setup, slug="bench", name="Bench")
    user = people.create_user(actor=setup, email="bench@example.org", display_name="Bench")
    for number in range(WRITERS):
        api_keys.create(
            actor=setup, organisation=organisation, created_by=user, name=f"key {number}", scope=["replica.view"]
        )
    return list(ApiKey.objects.order_by("pk").values_list("pk", flat=True))


def _audited_action(key: Any, number: int) -> None:
    from trustcore.audit import recording

    with recording.recording(actor=recording.Actor.system("writer"), action=recording.Action.POLICY_EDITED, obj=key):
        key.name = f"name {number}"
        key.save(update_fields=["name"])


def _plain_action(key: Any, number: int) -> None:
    from django.db import transaction

    from trustcore.primitives.clock import utc_now

    with transaction.atomic():
        key.last_used_at = utc_now()
        key.save(update_fields=["last_used_at"])


def _writer(state_dir: str, row: int, audited: bool, start_at: float, results: Any) -> None:
    _setup(state_dir)
    from trustcore.accounts.models import ApiKey

    key, act, count = ApiKey.objects.get(pk=row), _audited_action if audited else _plain_action, 0
    act(key, -1)  # connection and caches, before the clock starts
    time.sleep(max(0.0, start_at - time.time()))
    began, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < SECONDS:
        act(key, count)
        count += 1
    results.put((count / (time.perf_counter() - began), (time.process_time() - cpu) / count * 1e6))


def _round(state_dir: str, rows: list[int], audited: bool) -> tuple[float, float]:
    """(actions per second of all writers, client CPU microseconds per action)."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    start_at = time.time() + 4.0
    writers = [context.Process(target=_writer, args=(state_dir, row, audited, start_at, results)) for row in rows]
    for writer in writers:
        writer.start()
    figures = [results.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join()
    return sum(rate for rate, _ in figures), sum(cpu for _, cpu in figures) / len(figures)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="trustcore-bench-") as state_dir:
        from pathlib import Path

        from trustcore.initial_state import write_missing

        write_missing(Path(state_dir))
        _setup(state_dir)
        print(json.dumps(_measure(state_dir)))


def _measure(state_dir: str) -> dict[str, Any]:
    from django.db import connections

    from trustcore.audit import selectors
    from trustcore.audit.management.commands.verify_audit import verify
    from trustcore.audit.sequencer import Sequencer, settle

    rows, stop = _prepare(), threading.Event()

    def run() -> None:
        Sequencer().run(stop)
        connections.close_all()

    sequencer = threading.Thread(target=run)
    sequencer.start()
    try:
        unaudited, unaudited_cpu = _round(state_dir, rows, audited=False)
        print(f"unaudited: {unaudited:.0f} actions/s, {unaudited_cpu:.0f} us client CPU each", flush=True)
        audited, audited_cpu = _round(state_dir, rows, audited=True)
        print(f"audited: {audited:.0f} actions/s, {audited_cpu:.0f} us client CPU each", flush=True)
        drained = time.perf_counter()
        settle(60)
        drain_s = time.perf_counter() - drained
    finally:
        stop.set()
        sequencer.join()
    report, size = verify(), selectors.size()
    began = time.perf_counter()
    proofs = [selectors.inclusion_proof(seq).to_text() for seq in range(0, size, max(1, size // 200))]
    proof_ms = (time.perf_counter() - began) / len(proofs) * 1000
    connections.close_all()
    return {
        "actions_per_s_4w": round(audited),
        "unaudited_actions_per_s_4w": round(unaudited),
        "ratio": round(audited / unaudited, 3),
        "client_cpu_us": round(audited_cpu),
        "unaudited_client_cpu_us": round(unaudited_cpu),
        "proof_bytes": max(len(text.encode()) for text in proofs),
        "proof_ms": round(proof_ms, 2),
        "entries": report.size,
        "checkpoints": report.checkpoints,
        "drain_s": round(drain_s, 2),
        "machine": f"{os.cpu_count()} cores, PostgreSQL 18 embedded, fsync on",
    }


if __name__ == "__main__":
    main()
