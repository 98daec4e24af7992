from dataclasses import replace
from datetime import UTC, datetime

import pytest

from provenance.manifests import fmp4
from provenance.manifests.errors import SegmentInvalid
from provenance.manifests.segments import SegmentRoots
from provenance.verify.log_match import LoggedSegment, match_log
from tests.common.live_session import LiveSession


@pytest.fixture(scope="module")
def recorded() -> tuple[bytes, list[bytes], list[LoggedSegment]]:
    session, roots, now = LiveSession(), SegmentRoots(), datetime(2026, 11, 24, tzinfo=UTC)
    frames = session.frames(70)
    closed = [roots.add(f.fragment, f.sequence, f.media_time_90k, now) for f in frames] + [roots.finish()]
    logged = [LoggedSegment(s.first_sequence, s.last_sequence, s.root) for s in closed if s]
    return session.init.encoded, [frame.fragment for frame in frames], logged


def test_a_whole_recording_matches_its_log(recorded: tuple[bytes, list[bytes], list[LoggedSegment]]) -> None:
    init, frames, logged = recorded
    assert len(logged) == 3
    assert match_log(init + b"".join(frames), logged) == 3
    assert match_log(init + b"".join(frames), logged[::-1]) == 3


def test_a_cut_end_is_seen(recorded: tuple[bytes, list[bytes], list[LoggedSegment]]) -> None:
    init, frames, logged = recorded
    with pytest.raises(SegmentInvalid, match="not all in the recording"):
        match_log(init + b"".join(frames[:-1]), logged)


def test_frames_that_were_never_logged_are_seen(recorded: tuple[bytes, list[bytes], list[LoggedSegment]]) -> None:
    init, frames, logged = recorded
    with pytest.raises(SegmentInvalid, match="does not know"):
        match_log(init + b"".join(frames), logged[:-1])


def test_another_root_is_seen(recorded: tuple[bytes, list[bytes], list[LoggedSegment]]) -> None:
    init, frames, logged = recorded
    with pytest.raises(SegmentInvalid, match="differ"):
        match_log(init + b"".join(frames), [replace(logged[0], root="00" * 32), *logged[1:]])


def test_an_empty_recording_of_a_logged_session(recorded: tuple[bytes, list[bytes], list[LoggedSegment]]) -> None:
    with pytest.raises(SegmentInvalid):
        match_log(fmp4.init_segment(64, 64), recorded[2])
