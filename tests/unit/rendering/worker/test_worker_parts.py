"""Pacing, sound, brain, rate, offers, settings: the small parts of the worker, each by itself."""

import json
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.manifests.attest import Attestor, SessionKey
from provenance.manifests.carriage import Form
from provenance.manifests.frame_codecs import OPUS_PACKETS
from rendering.dialogue.brains.scripted import ScriptedBrain
from rendering.dialogue.tags import parse_tagged_text
from rendering.worker.audio import FADE_SAMPLES, RATE_HZ, OpusEncoder, SoundLine, resample
from rendering.worker.config import WorkerConfigError, from_environment
from rendering.worker.governor import FLOOR_BPS, attestation_form
from rendering.worker.pacing import FramePacer
from rendering.worker.peer import (
    ReceiverReports,
    ResendBudget,
    with_candidates_in_each_section,
    without_mdns_candidates,
)
from rendering.worker.sound_settings import SoundSettings
from tests.common.attested_viewer import spoken
from trustcore.primitives.signing import SigningKey, b64

# --- pacing ---------------------------------------------------------------------------------------


def test_on_time_every_tick_is_handed_out() -> None:
    pacer = FramePacer(30, origin_s=100.0, lead_s=0.03)
    ticks = [pacer.next_tick(100.0 + i / 30 - 0.03) for i in range(90)]
    assert [tick.index for tick in ticks] == list(range(90))
    assert ticks[30].media_time_90k == 90_000 and ticks[30].send_at_s == pytest.approx(101.0)


def test_a_maker_that_fell_behind_skips_and_never_queues() -> None:
    pacer = FramePacer(30, origin_s=0.0, lead_s=0.0)
    pacer.next_tick(0.0)
    late = pacer.next_tick(0.5)
    assert (late.index, late.skipped) == (15, 14)
    assert pacer.next_tick(0.5).index == 16


@given(st.lists(st.floats(-0.5, 2.0), min_size=1, max_size=40), st.integers(5, 60))
def test_whatever_the_clock_does_ticks_only_go_forward(steps: list[float], rate_hz: int) -> None:
    pacer, now_s, last = FramePacer(rate_hz, 0.0, 0.02), 0.0, -1
    for step in steps:
        now_s += step
        tick = pacer.next_tick(now_s)
        assert tick.index > last
        assert tick.index == last + 1 or tick.start_at_s >= now_s - 0.51 / rate_hz
        last = tick.index


def test_a_change_of_rate_keeps_media_time_growing() -> None:
    pacer, now_s, last_90k = FramePacer(30, 0.0, 0.02), 0.0, -1
    for rate_hz in (30, 12, 20, 2, 30, 12, 30):
        pacer.turn_to(rate_hz)
        for _ in range(5):
            tick = pacer.next_tick(now_s)
            assert tick.media_time_90k > last_90k + 900 and tick.send_at_s - now_s < 1.6 / rate_hz + 0.1
            last_90k, now_s = tick.media_time_90k, max(now_s, tick.start_at_s)


# --- sound ----------------------------------------------------------------------------------------


def test_an_utterance_is_heard_where_it_was_laid() -> None:
    line = SoundLine()
    assert line.lay(np.full(480, 7, np.int16), 1.0) == 1.0
    heard = line.read(RATE_HZ - 10, 960)
    assert heard[9] == 0 and heard[10] == 7 and heard[489] == 7 and heard[490] == 0


def test_utterances_follow_each_other() -> None:
    line = SoundLine()
    line.lay(np.ones(RATE_HZ, np.int16), 0.0)
    assert line.lay(np.ones(10, np.int16), 0.5) == 1.0


def test_an_interruption_is_silent_after_five_milliseconds() -> None:
    line = SoundLine()
    line.lay(np.full(RATE_HZ, 1000, np.int16), 0.0)
    assert line.cut(0.5)
    heard = line.read(RATE_HZ // 2, 960)
    assert not heard[FADE_SAMPLES:].any()
    assert not line.cut(0.5 + FADE_SAMPLES / RATE_HZ)


def test_resampling_keeps_length_and_tone() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000)).astype(np.int16)
    out = resample(tone, 16_000)
    assert abs(len(out) - 48_000) < 50
    assert np.abs(np.fft.rfft(out[:48_000])).argmax() == pytest.approx(440, abs=1)


def test_opus_gives_a_packet_for_every_twenty_milliseconds() -> None:
    encoder = OpusEncoder()
    packets = [packet for i in range(50) for packet in encoder.encode(np.zeros(960, np.int16), 960 * i)]
    assert len(packets) == 50 and sum(packet.size for packet in packets) * 8 < 40_000


# --- brain ----------------------------------------------------------------------------------------

PERSONA = {
    "name": "Claims helper",
    "context": "Your claim reached us on Friday. The payment takes five working days.\n"
               "Q: When will I be paid?\nA: <emotion value=\"happy\"/>You will be paid within five working days.",
    "documents": [{"name": "the roof policy", "text": "Storm damage to roofs is covered up to ten lakh rupees."}],
}


def said(question: str) -> str:
    return " ".join(line.text for line in ScriptedBrain(PERSONA, "Asha Baruah").reply(question))


def test_it_says_that_it_is_a_replica_when_asked() -> None:
    for question in ("Are you a real person?", "Is this an AI?", "am I talking to a human"):
        assert "AI replica of Asha Baruah" in said(question)


def test_it_answers_from_what_it_was_given() -> None:
    assert said("Is storm damage covered?") == "Storm damage to roofs is covered up to ten lakh rupees."
    lines = ScriptedBrain(PERSONA, "Asha").reply("When will I get paid?")
    assert lines[0].text == "You will be paid within five working days." and lines[0].emotion == "joy"


def test_it_says_so_when_it_does_not_know() -> None:
    assert "do not know" in said("What is the capital of Peru?")


def test_the_greeting_discloses_whatever_the_persona_says() -> None:
    lines = ScriptedBrain({"greeting": "Good to see you!"}, "Asha Baruah").greeting()
    assert "AI replica of Asha Baruah" in lines[0].text and lines[-1].text == "Good to see you!"


@given(st.text(max_size=300))
def test_the_same_message_gets_the_same_answer_and_never_none(text: str) -> None:
    brain = ScriptedBrain(PERSONA, "Asha")
    assert brain.reply(text) == brain.reply(text) and 0 < len(brain.reply(text)) <= 6


def test_an_emotion_tag_holds_until_the_next_one() -> None:
    lines = parse_tagged_text('Hi. <emotion value="excited"/>Great! Really. <emotion value="neutral"/>Well.')
    assert [line.emotion for line in lines] == [None, "joy", "joy", "neutral"]


def test_an_attestation_in_an_opus_packet_changes_no_sample_and_bytes_behind_it_would() -> None:
    packets = spoken(1)
    attestor = Attestor(SessionKey(), "urn:c2pa:test", codec=OPUS_PACKETS)
    attested = [attestor.attest(packet, 1800 * i, Form.COMPACT).access_unit for i, packet in enumerate(packets)]
    heard = _decoded(packets)
    assert np.array_equal(_decoded(attested), heard)
    assert not np.array_equal(_decoded([packet + b"trailer" * 10 for packet in packets]), heard)


def _decoded(packets: Sequence[bytes]) -> np.ndarray:
    decoder = av.CodecContext.create("libopus", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = RATE_HZ, "mono"
    return np.concatenate([frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(av.Packet(packet))])


# --- rate, resends, offers ------------------------------------------------------------------------


@pytest.mark.parametrize(("target_bps", "form"), [
    (1_500_000, Form.FULL), (300_000, Form.FULL), (299_999, Form.COMPACT), (FLOOR_BPS, Form.COMPACT),
])
def test_below_300_kbit_s_attestations_travel_compact(target_bps: int, form: Form) -> None:
    assert attestation_form(target_bps) is form


def test_packets_are_sent_again_within_a_budget() -> None:
    budget = ResendBudget(80_000, now_s=0.0)
    assert budget.take(100, 0.0) == 10
    assert budget.take(100, 0.0) == 0
    assert budget.take(100, 0.1) == 1
    budget.note_round_trip(0.2)
    assert budget.choose([7, 8], 1.0) == [7, 8] and budget.choose([7, 8, 9], 1.1) == [9]
    assert budget.choose([7], 1.35) == [7]  # it was lost once more
    budget.set_rate(8_000)
    assert [budget.take(100, 10.0), budget.take(100, 10.0)] == [1, 0]


def test_a_share_of_what_was_lost_is_told_once_it_says_something() -> None:
    reports = ReceiverReports()
    assert reports.lost_share(100, 3) is None  # the first: since when is not known
    assert reports.lost_share(110, 8) is None  # too few
    assert reports.lost_share(200, 13) == pytest.approx(0.1)
    assert reports.lost_share(300, 10) == 0.0  # what came late is no more than not lost


def test_the_sound_goes_on_without_a_gap_when_its_rate_changes() -> None:
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
    encoder, packets = OpusEncoder(), []
    for number in range(50):
        if number == 25:
            encoder = OpusEncoder(SoundSettings(24_000, 15), after=encoder)
        packets += encoder.encode(tone[960 * number : 960 * (number + 1)], 960 * number)
    assert len(packets) == 50 and encoder.settings == SoundSettings(24_000, 15)
    decoder = av.CodecContext.create("libopus", "r")
    heard = np.concatenate([frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(packet)])
    assert np.abs(heard[26 * 960 :]).max() < 12_000  # no click
    assert all(np.abs(heard[at : at + 960]).max() > 5_000 for at in range(960 * 5, 960 * 45, 960))


def test_longer_packets_begin_where_the_shorter_ones_end_and_each_holds_one_frame() -> None:
    """Only a packet of one Opus frame is attested. Noise and music are what makes the encoder leave its speech mode."""
    random, changed = np.random.default_rng(1), SoundSettings(24_000, 15, packet_ms=60)
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)
    heard_as = (tone + random.normal(0, 2000, len(tone))).astype(np.int16)
    encoder, packets, at = OpusEncoder(), [], 0
    while at < RATE_HZ:
        packets += encoder.encode(heard_as[at : at + 960], at)
        at += 960
    encoder = OpusEncoder(changed, after=encoder)
    while at + changed.samples <= len(heard_as):
        packets += encoder.encode(heard_as[at : at + changed.samples], at)
        at += changed.samples
    assert len(packets) == 50 + 16 and all(bytes(packet)[0] & 3 == 0 for packet in packets)
    decoder = av.CodecContext.create("libopus", "r")
    heard = np.concatenate([frame.to_ndarray()[0] for packet in packets for frame in decoder.decode(packet)])
    assert all(np.abs(heard[at : at + 960]).max() > 5_000 for at in range(960 * 5, len(heard) - 960, 960))
    bits_per_s = sum(8 * (76 + packet.size) for packet in packets[50:]) / (16 * 0.06)
    assert bits_per_s < 38_000  # with the attestation; of packets of 20 ms it is 54,000


def test_a_word_begins_after_what_was_read_ahead() -> None:
    line = SoundLine()
    line.read(0, 2880)
    begins_s = line.lay(np.full(960, 5000, np.int16), 0.045)
    assert begins_s == 0.06 and line.read(2880, 960).all()


def test_names_that_need_multicast_dns_are_left_out_of_an_offer() -> None:
    offer = "v=0\r\na=candidate:1 1 udp 1 abcd.local 5 typ host\r\na=candidate:2 1 udp 1 10.0.0.1 5 typ host\r\n" \
            "a=end-of-candidates\r\n"
    assert without_mdns_candidates(offer) == "v=0\r\na=candidate:2 1 udp 1 10.0.0.1 5 typ host\r\n"


def test_the_candidates_of_a_bundle_stand_in_each_section() -> None:
    relayed = "a=candidate:2 1 udp 1 10.0.0.1 5 typ relay\r\n"
    offer = f"v=0\r\nm=video 9\r\n{relayed}a=mid:0\r\nm=audio 9\r\na=mid:1\r\n"
    assert with_candidates_in_each_section(offer) == offer + relayed
    assert with_candidates_in_each_section("v=0\r\nm=video 9\r\n") == "v=0\r\nm=video 9\r\n"


# --- settings -------------------------------------------------------------------------------------


def environment(folder: Path) -> dict[str, str]:
    key = SigningKey.generate()
    (folder / "key").write_text(b64(key.seed_for_storage()))
    (folder / "grants.json").write_text(json.dumps({key.kid: b64(key.verify_key.public_bytes)}))
    return {"TRUSTCORE_CONTROL_URL": "http://localhost:8000/", "TRUSTCORE_WORKER_ID": "w1",
            "TRUSTCORE_WORKER_KEY_FILE": str(folder / "key"), "TRUSTCORE_GRANT_KEYS_FILE": str(folder / "grants.json")}


def test_settings_are_read_once_and_whole(tmp_path: Path) -> None:
    config = from_environment(environment(tmp_path))
    assert config.control_url == "http://localhost:8000" and config.slot_id == "w1-0" and len(config.build_sha256) == 64


@pytest.mark.parametrize(("name", "value"), [
    ("TRUSTCORE_CONTROL_URL", ""), ("TRUSTCORE_WORKER_ID", " "), ("TRUSTCORE_WORKER_KEY_FILE", "/nowhere"),
    ("TRUSTCORE_GRANT_KEYS_FILE", "/nowhere"), ("TRUSTCORE_WORKER_SIZE_PX", "7"),
    ("TRUSTCORE_WORKER_VIDEO_CODEC", "av1"), ("TRUSTCORE_WORKER_FRAMES_PER_S", "fast"),
    ("TRUSTCORE_WORKER_KINDS", "session,mining"), ("TRUSTCORE_WORKER_RENDERER", "abacus"),
    ("TRUSTCORE_WORKER_SPLATS", "3"),
])
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(WorkerConfigError, match=name):
        from_environment(environment(tmp_path) | {name: value})


def test_a_worker_without_pinned_grant_keys_does_not_start(tmp_path: Path) -> None:
    settings = environment(tmp_path)
    (tmp_path / "grants.json").write_text("{}")
    with pytest.raises(WorkerConfigError, match="TRUSTCORE_GRANT_KEYS_FILE"):
        from_environment(settings)
