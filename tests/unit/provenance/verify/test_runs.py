"""A session whose viewer came back: one recording of several runs, each under its own manifest, key and nonce."""

import io
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import pytest

from provenance.manifests import fmp4, recording
from provenance.manifests.attest import Attested, Attestor
from provenance.manifests.carriage import Form
from provenance.manifests.errors import RecordingInvalid, SegmentInvalid
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, VP8_FRAMES, FrameCodec
from provenance.manifests.session_manifest import SessionManifest, read_session_manifest
from provenance.services.signer import Pins, Signer
from provenance.verify import video
from provenance.verify.reports import Outcome
from provenance.verify.stream import FrameState, StreamVerifier
from tests.common.live_session import LiveSession, access_units, as_fragment_list, demo_signer, facts
from tests.unit.provenance.manifests.test_recording import opus

REPOSITORY = Path(__file__).resolve().parents[4]
SECOND_START_MS = 9_000
LAST_START_MS = 20_000


def run(session: LiveSession, count: int = 20) -> list[Attested]:
    """Frames from the manifest's own media time on."""
    start_90k = session.facts.media_start_ms * 90
    units = access_units(30, codec=session.codec)
    return [session.attestor.attest(units[i], start_90k + 3000 * i) for i in range(count)]


def encoded(session: LiveSession, frames: list[Attested]) -> bytes:
    return session.init.encoded + b"".join(frame.fragment for frame in frames)


def after(before: LiveSession, start_ms: int, **changes: Any) -> LiveSession:
    return LiveSession(codec=before.codec, facts=facts(
        viewer_nonce=f"nonce-{start_ms}", media_start_ms=start_ms, follows=before.init.label, **changes))


@pytest.fixture(scope="module")
def runs() -> list[tuple[LiveSession, bytes]]:
    first = LiveSession()
    second = after(first, SECOND_START_MS)
    third = after(second, LAST_START_MS)
    return [(session, encoded(session, run(session))) for session in (first, second, third)]


def judged(runs: list[tuple[LiveSession, bytes]], *parts: bytes) -> video.Report:
    return video.verify_fragment_file("file", b"".join(parts), runs[0][0].signer.anchor_pem)


def test_every_run_is_judged_under_its_own_manifest(runs: list[tuple[LiveSession, bytes]]) -> None:
    report = judged(runs, *(part for _, part in runs))
    assert report.outcome is Outcome.VERIFIED, " ".join(report.sentences)
    assert report.facts["frames"]["verified"] == report.facts["frames"]["received"] == 60
    assert [told["manifest"] for told in report.facts["runs"]] == [session.init.label for session, _ in runs]
    assert "The viewer connected 3 times" in " ".join(report.sentences)


@pytest.mark.parametrize("order", [(0, 2), (1, 2), (1, 0), (0, 0), (0, 1, 1), (0, 2, 1)])
def test_a_run_that_is_missing_twice_or_elsewhere_is_seen(
    order: tuple[int, ...], runs: list[tuple[LiveSession, bytes]],
) -> None:
    assert judged(runs, *(runs[i][1] for i in order)).outcome is Outcome.CHANGED


def test_a_run_of_another_session_does_not_fit(runs: list[tuple[LiveSession, bytes]]) -> None:
    stranger = after(runs[0][0], SECOND_START_MS, grant_sha256="00" * 32)
    report = judged(runs, runs[0][1], encoded(stranger, run(stranger)))
    assert report.outcome is Outcome.CHANGED and "of another session" in " ".join(report.sentences)


def test_one_bit_of_a_later_run_counts(runs: list[tuple[LiveSession, bytes]]) -> None:
    changed = bytearray(b"".join(part for _, part in runs))
    changed[-10] ^= 1
    assert judged(runs, bytes(changed)).outcome is Outcome.CHANGED


def manifest_of(session: LiveSession) -> SessionManifest:
    return read_session_manifest(session.init.encoded, session.signer.anchor_pem)


def test_an_old_run_that_is_streamed_again_is_invalid_under_the_new_manifest() -> None:
    old = LiveSession()
    new = after(old, SECOND_START_MS)
    verifier = StreamVerifier(manifest_of(new))
    verdicts = [verifier.check_access_unit(frame.access_unit) for frame in run(old)]
    assert {verdict.state for verdict in verdicts} == {FrameState.INVALID}
    assert verifier.counts.verified == 0


@pytest.mark.parametrize(("at_ms", "why"), [
    (0, "before the session manifest's time"), (8_999, "before the session manifest's time"),
    (9_000, ""), (9_000 + 60_000, ""), (9_000 + 60_034, "after the session key's life"),
])
def test_a_key_lives_from_the_time_its_manifest_begins(at_ms: int, why: str, tmp_path: Path) -> None:
    session = LiveSession(facts=facts(media_start_ms=SECOND_START_MS, validity_s=60))
    frame = session.attestor.attest(access_units(30)[0], at_ms * 90)
    assert why in StreamVerifier(manifest_of(session)).check_access_unit(frame.access_unit).reason
    if shutil.which("node"):
        counter = in_the_browsers_code(session, frame, tmp_path)
        assert counter == ("invalid" if why else "verified")


def in_the_browsers_code(session: LiveSession, frame: Attested, tmp_path: Path) -> str:
    (tmp_path / "init").write_bytes(session.init.encoded)
    (tmp_path / "frame").write_bytes(frame.access_unit)
    folder = (REPOSITORY / "trustcore/static/js/verify").as_uri()
    script = f"""
        import {{ readFileSync }} from "node:fs";
        const {{ readSessionManifest }} = await import("{folder}/manifest.js");
        const {{ FrameVerifier }} = await import("{folder}/frames.js");
        const read = (name) => new Uint8Array(readFileSync("{tmp_path}/" + name));
        const {{ label, codec, mediaStartMs, key }} = await readSessionManifest(read("init"));
        const verifier = new FrameVerifier({{ label, codec, mediaStartMs, ...key }});
        console.log(JSON.stringify(await verifier.check(read("frame"), Date.now())));"""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True, timeout=60)
    return str(json.loads(done.stdout)["counter"])


def test_the_playable_copy_holds_all_runs_and_names_their_manifests(runs: list[tuple[LiveSession, bytes]]) -> None:
    whole = b"".join(part for _, part in runs)
    signer = Signer(runs[0][0].signer, lambda: Pins({}, {}))
    made = signer.sign_recording(whole)
    with av.open(io.BytesIO(made.encoded)) as source:
        times_s = [float(frame.time or 0) for frame in source.decode(video=0)]
    assert len(times_s) == 60 and times_s[20] - times_s[0] == pytest.approx(9.0, abs=0.01)
    report = video.verify_whole_file("file", made.encoded, runs[0][0].signer.anchor_pem)
    assert report.facts["session_manifest"] == runs[0][0].init.label
    assert report.facts["later_manifests"] == [session.init.label for session, _ in runs[1:]]
    assert [(slot.start_ms, slot.end_ms) for slot in made.mark_slots] == [
        (0, 666), (9000, 9666), (20_000, 20_666)]  # only when it was really shown


def test_a_picture_names_the_manifest_that_was_in_force(runs: list[tuple[LiveSession, bytes]]) -> None:
    signer = Signer(runs[0][0].signer, lambda: Pins({}, {}))
    whole = b"".join(part for _, part in runs)
    named = [signer.sign_still(whole, at_ms).session_label for at_ms in (0, 8_000, 9_300, 10**9)]
    labels = [session.init.label for session, _ in runs]
    assert named == [labels[0], labels[0], labels[1], labels[2]]  # at 8 s the last picture still stands


def test_the_signer_takes_no_runs_that_do_not_follow_each_other(runs: list[tuple[LiveSession, bytes]]) -> None:
    signer = Signer(runs[0][0].signer, lambda: Pins({}, {}))
    with pytest.raises(RecordingInvalid, match="one after the other"):
        signer.sign_recording(runs[0][1] + runs[2][1])


def test_the_signer_takes_no_recording_without_its_first_run(runs: list[tuple[LiveSession, bytes]]) -> None:
    signer = Signer(runs[0][0].signer, lambda: Pins({}, {}))
    with pytest.raises(RecordingInvalid, match="which is missing"):
        signer.sign_recording(runs[1][1] + runs[2][1])


def left_out(sent: list[Attested]) -> list[Attested]:
    return [*sent[:12], *sent[13:]]


def doubled(sent: list[Attested]) -> list[Attested]:
    return [*sent[:13], *sent[12:]]


def swapped(sent: list[Attested]) -> list[Attested]:
    return [*sent[:12], sent[13], sent[12], *sent[14:]]


def begun_late(sent: list[Attested]) -> list[Attested]:
    return sent[1:]


CHANGES = (left_out, doubled, swapped, begun_late)


@pytest.mark.parametrize("change", CHANGES)
def test_the_signer_takes_no_run_whose_pictures_are_not_all_there_once(
    change: Callable[[list[Attested]], list[Attested]],
) -> None:
    session = LiveSession()
    with pytest.raises(RecordingInvalid, match="missing, twice there, or in another order"):
        Signer(session.signer, lambda: Pins({}, {})).sign_recording(encoded(session, change(run(session))))


def test_runs_of_two_codecs_make_no_playable_copy(runs: list[tuple[LiveSession, bytes]]) -> None:
    other = replace(runs[0][0], codec=VP8_FRAMES)
    with pytest.raises(RecordingInvalid, match="differ"):
        recording.playable_mp4(runs[0][1] + encoded(other, run(other)))


# --- with sound ----------------------------------------------------------------------------------------------------


@dataclass
class Heard:
    """One run with sound: 20 pictures, and 35 packets between them."""

    session: LiveSession
    pictures: list[Attested]
    sound: list[Attested]

    @property
    def sent(self) -> list[Attested]:
        return in_order([*self.sound, *self.pictures])


def in_order(sent: list[Attested]) -> list[Attested]:
    return sorted(sent, key=lambda one: one.media_time_90k)


def heard(session: LiveSession, first_packet: int) -> Heard:
    start_90k = session.facts.media_start_ms * 90
    attestor = Attestor(session.key, session.init.label, codec=OPUS_PACKETS)
    sound = [attestor.attest(packet, start_90k + 1800 * number, Form.COMPACT)
             for number, packet in enumerate(opus(1.5)[first_packet : first_packet + 35])]
    return Heard(session, run(session), sound)


def two_heard(codec: FrameCodec = H264_FRAMES) -> list[Heard]:
    first = LiveSession(codec=codec)
    return [heard(first, 0), heard(after(first, SECOND_START_MS), 35)]


@pytest.fixture(scope="module")
def with_sound() -> list[Heard]:
    return two_heard()


def heard_file(runs: list[Heard]) -> bytes:
    return b"".join(encoded(one.session, one.sent) for one in runs)


def judged_file(content: bytes) -> video.Report:
    return video.verify_fragment_file("file", content, demo_signer().anchor_pem)


def test_the_sound_of_every_run_is_judged_under_its_own_manifest(with_sound: list[Heard]) -> None:
    report = judged_file(heard_file(with_sound))
    assert report.outcome is Outcome.VERIFIED, " ".join(report.sentences)
    assert (report.facts["frames"]["verified"], report.facts["sound"]["verified"]) == (40, 70)
    assert [(told["frames"], told["sound_packets"]) for told in report.facts["runs"]] == [(20, 35), (20, 35)]


def misplaced(runs: list[Heard]) -> list[Heard]:
    """The sound of the first run stands in the second one, under its very times."""
    first, second = runs
    return [first, replace(second, sound=[
        replace(old, media_time_90k=new.media_time_90k) for old, new in zip(first.sound, second.sound, strict=True)])]


def with_the_times_of_the_second(runs: list[Heard]) -> list[Heard]:
    """As `misplaced`, and its fragments say the times of the second run, so that only the signature can tell."""
    first, second = misplaced(runs)
    return [first, replace(second, sound=[
        replace(one, fragment=retimed(one.fragment, one.media_time_90k)) for one in second.sound])]


def retimed(fragment: bytes, time_90k: int) -> bytes:
    parsed = fmp4.parse_fragment(fragment, fmp4.SOUND)
    sequence, _, is_key = fmp4.fragment_facts(parsed)
    moof = fmp4.moof_box(sequence, time_90k, len(parsed.mdat) - 8, is_key, fmp4.SOUND)
    return parsed.emsg + moof + parsed.mdat


def moved_over(runs: list[Heard]) -> list[Heard]:
    """The first run's last packets stand at the beginning of the second run."""
    first, second = runs
    return [replace(first, sound=first.sound[:25]), replace(second, sound=[
        *(replace(one, media_time_90k=second.sound[0].media_time_90k) for one in first.sound[25:]), *second.sound])]


@pytest.mark.parametrize(("attack", "verified"), [
    (misplaced, 35), (with_the_times_of_the_second, 35), (moved_over, 60),
])
def test_the_sound_of_one_run_does_not_verify_in_another(
    attack: Callable[[list[Heard]], list[Heard]], verified: int, with_sound: list[Heard],
) -> None:
    changed = heard_file(attack(with_sound))
    report = judged_file(changed)
    assert report.outcome is Outcome.CHANGED
    assert report.facts["frames"]["verified"] == 40 and report.facts["sound"]["verified"] == verified
    assert "another key" in " ".join(report.sentences)
    with pytest.raises(SegmentInvalid, match="another key"):
        Signer(demo_signer(), lambda: Pins({}, {})).sign_recording(changed)


@pytest.mark.parametrize("change", CHANGES)
def test_the_signer_takes_no_run_whose_sound_is_not_all_there_once(
    change: Callable[[list[Attested]], list[Attested]], with_sound: list[Heard],
) -> None:
    first, _ = with_sound
    changed = encoded(first.session, [*first.pictures, *change(first.sound)])
    with pytest.raises(RecordingInvalid, match="missing, twice there, or in another order"):
        Signer(demo_signer(), lambda: Pins({}, {})).sign_recording(changed)


def test_a_run_that_begins_late_in_its_sound_says_which(with_sound: list[Heard]) -> None:
    first, second = with_sound
    report = judged_file(heard_file([first, replace(second, sound=second.sound[5:])]))
    assert report.outcome is Outcome.CHANGED
    assert "begins at packet of sound 6 in connection 2" in " ".join(report.sentences)


def test_a_run_without_sound_is_named(with_sound: list[Heard]) -> None:
    first, second = with_sound
    report = judged_file(heard_file([first, replace(second, sound=[])]))
    assert report.outcome is Outcome.VERIFIED and report.facts["sound"]["verified"] == 35
    assert "Connection 2 holds no sound. Whether there was some, it cannot say." in report.sentences


def decoded(content: bytes) -> tuple[int, list[float]]:
    """(pictures, time of each packet of sound in seconds), every one of which decodes."""
    with av.open(io.BytesIO(content)) as source:
        pictures = sum(1 for _ in source.decode(video=0))
    if b"soun" not in content:
        return pictures, []
    with av.open(io.BytesIO(content)) as source:
        times_s = [float(frame.time or 0) for frame in source.decode(audio=0)]
    return pictures, times_s


@pytest.mark.parametrize("codec", [H264_FRAMES, VP8_FRAMES])
def test_the_signed_copy_holds_the_sound_of_all_runs_at_its_times(codec: FrameCodec) -> None:
    runs = two_heard(codec)
    made = Signer(demo_signer(), lambda: Pins({}, {})).sign_recording(heard_file(runs))
    pictures, times_s = decoded(made.encoded)
    assert (pictures, len(times_s)) == (40, 70)
    assert times_s[35] - times_s[0] == pytest.approx(9.0, abs=0.03)
    report = video.verify_whole_file("file", made.encoded, demo_signer().anchor_pem)
    assert report.outcome is Outcome.VERIFIED, " ".join(report.sentences)
    assert (report.facts["frames"], report.facts["sound_packets"]) == (40, 70)
    assert report.facts["later_manifests"] == [runs[1].session.init.label]
    at_sound = made.encoded.index(opus(1.5)[50]) + 10  # of the second run
    changed = made.encoded[:at_sound] + bytes([made.encoded[at_sound] ^ 1]) + made.encoded[at_sound + 1 :]
    assert video.verify_whole_file("file", changed, demo_signer().anchor_pem).outcome is Outcome.CHANGED


@pytest.mark.parametrize("codec", [H264_FRAMES, VP8_FRAMES])
def test_what_was_sent_in_all_runs_decodes(codec: FrameCodec) -> None:
    runs = two_heard(codec)
    pictures, times_s = decoded(fmp4.with_sound_track(heard_file(runs)))
    assert (pictures, len(times_s)) == (40, 70)
    assert times_s[35] - times_s[0] == pytest.approx(9.0, abs=0.03)
    assert decoded(fmp4.pictures_only(heard_file(runs))) == (40, [])


def test_each_run_keeps_its_init_segment_without_its_sound(with_sound: list[Heard]) -> None:
    """Also where a packet of sound stands first, as it does here."""
    first, second = with_sound
    assert fmp4.track_of(as_fragment_list(encoded(second.session, second.sent))[0]) is fmp4.SOUND
    assert fmp4.pictures_only(heard_file([first, second])) == b"".join(
        encoded(one.session, one.pictures) for one in (first, second))
