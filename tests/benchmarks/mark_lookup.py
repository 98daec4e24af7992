"""From a clip to the session it came from, when a million slot ids exist: `make bench NAME=mark_lookup`.

A PostgreSQL of its own holds them, in tables made like the service's own. The clock runs over reading the payload from
thirty frames of 512x512 (64 slots are tried, however many sessions there are) and finding its row with the query that
the service uses. The baseline is the same with one slot in the table. Of five runs the quickest counts, because a busy
machine only ever adds.
"""

import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import cv2

from provenance.marks.detect import detect
from provenance.marks.planes import planes_of
from tests.common.mark_attacks import KEY, SLOT_ID, marked
from tests.common.moving_frames import talking_frames
from tests.common.picture_changes import Picture

SLOTS = 1_000_000
FRAMES = 30
REPEATS = 5

# Copies of the service's tables with their indexes, but without the guards: a million rows through the write door would
# take an hour, and reading does not mind.
_TABLES = """
CREATE SCHEMA bench;
CREATE TABLE bench.provenance_session_manifest (LIKE public.provenance_session_manifest INCLUDING ALL);
CREATE TABLE bench.provenance_mark_slot (LIKE public.provenance_mark_slot INCLUDING ALL);
SET search_path = bench, public;
INSERT INTO provenance_session_manifest (public_id, claim_sha256, tenant, conversation_id, subject_public_id,
  replica_id, replica_version, consent_id, grant_sha256, lease_id, facts, init_segment, created_at, content_hashes,
  recording_claim_sha256)
VALUES ('bench', '', 'bench', '', '', '', 1, '', '', '', '{}', '', now(), '[]', '')
"""
_OWN_SLOT = """
INSERT INTO provenance_mark_slot (public_id, manifest_id, epoch, start_ms, end_ms, created_at)
SELECT %s, id, 'bench', 0, 8000, now() FROM provenance_session_manifest
"""
_OTHER_SLOTS = """
INSERT INTO provenance_mark_slot (public_id, manifest_id, epoch, start_ms, end_ms, created_at)
SELECT substr(md5(n::text), 1, 16), m.id, 'bench', 0, 8000, now()
FROM generate_series(1, %s) AS n, provenance_session_manifest AS m ON CONFLICT DO NOTHING
"""


def _start_service(state_dir: Path) -> None:
    from trustcore.initial_state import write_missing

    write_missing(state_dir)
    os.environ["TRUSTCORE_STATE_DIR"] = str(state_dir)
    os.environ["DJANGO_SETTINGS_MODULE"] = "trustcore.settings"
    warnings.simplefilter("ignore")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, skip_checks=True)


def _run(statement: str, *values: object) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def _found_s(clip: list[Picture]) -> float:
    """Seconds from frames to the slot's row and manifest."""
    from provenance.models import MarkSlot

    started = time.perf_counter()
    reading = detect((planes_of(frame) for frame in clip), KEY)
    slot = MarkSlot.objects.select_related("manifest").filter(public_id=reading.payload_hex).first()
    spent_s = time.perf_counter() - started
    if slot is None or slot.manifest.public_id != "bench":
        raise RuntimeError("The slot was not found.")
    return spent_s


def figures() -> dict[str, float]:
    """Time with one slot and with a million."""
    clip = marked(list(talking_frames(FRAMES, 512, seed=1)))
    result: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="trustcore-bench-") as state_dir:
        _start_service(Path(state_dir))
        from provenance.models import MarkSlot

        _run(_TABLES)
        for name, statement, value in (("1", _OWN_SLOT, f"{SLOT_ID:016x}"), ("1e6", _OTHER_SLOTS, SLOTS)):
            _run(statement, value)
            _run("ANALYZE provenance_mark_slot")
            result[f"search_s_at_{name}_slots"] = min(_found_s(clip) for _ in range(REPEATS))
            print(f"lookup among {MarkSlot.objects.count()} slots timed", flush=True)
    return result


def main() -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    print(json.dumps({name: round(value, 4) for name, value in figures().items()}))


if __name__ == "__main__":
    main()
