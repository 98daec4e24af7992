"""libopus by hand: what a packet holds, what a lost one is replaced by, and what hostile bytes do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rendering.dialogue.hearing.opus import OpusDecoder, samples_of
from tests.common.voice_packets import packets, speech


def decoded(made: list[bytes], how: str, lost_every: int = 10) -> np.ndarray:
    """The sound with each `lost_every`th packet replaced in the way `how`; with "none", nothing was lost."""
    decoder, out = OpusDecoder(), []
    for number, packet in enumerate(made):
        is_lost = how != "none" and number % lost_every == lost_every - 2
        if is_lost:
            continue
        if how != "none" and number and (number - 1) % lost_every == lost_every - 2:
            out.append({"recover": lambda p=packet: decoder.recover(p, 960), "conceal": lambda: decoder.conceal(960),
                        "silence": lambda: np.zeros(320, np.int16)}[how]())
        out.append(decoder.decode(packet, 960)[0])
    return np.concatenate(out).astype(float)


def snr_db(whole: np.ndarray, made: np.ndarray) -> float:
    length = min(len(whole), len(made))
    return float(10 * np.log10(np.sum(whole[:length] ** 2) / np.sum((whole[:length] - made[:length]) ** 2)))


def test_a_lost_packet_is_better_recovered_than_made_up_and_better_made_up_than_left_out() -> None:
    made = packets(speech())
    whole = decoded(made, "none")
    recovered, concealed, silent = (snr_db(whole, decoded(made, how)) for how in ("recover", "conceal", "silence"))
    assert recovered > concealed + 3, (recovered, concealed)
    assert concealed > silent + 0.5, (concealed, silent)


def test_without_fec_in_the_packet_recovering_is_concealing() -> None:
    made = packets(speech(), with_fec=False)
    whole = decoded(made, "none")
    assert abs(snr_db(whole, decoded(made, "recover")) - snr_db(whole, decoded(made, "conceal"))) < 1.0


def test_a_hole_fades_to_silence() -> None:
    decoder = OpusDecoder()
    for packet in packets(speech())[:40]:
        decoder.decode(packet, 960)
    made = decoder.conceal(48_000)
    assert len(made) == 16_000
    assert not made[1_600:].any(), "libopus fades over 100 ms, the rest is silence"


@pytest.mark.parametrize("samples", [480, 960, 1920, 2880])
def test_the_length_of_real_packets_is_read_right(samples: int) -> None:
    made = packets(speech(), samples=samples)
    assert {samples_of(packet) for packet in made} == {samples}


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\xfb\x00", b"\x1b\x3f", b"x" * 1501])
def test_what_is_no_packet_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="Opus packet"):
        samples_of(payload)


@given(st.binary(min_size=1, max_size=400))
def test_whatever_the_bytes_are_the_length_is_bounded(payload: bytes) -> None:
    """libopus is given the bytes themselves; it may refuse them, and then the time is concealed."""
    try:
        samples = samples_of(payload)
    except ValueError:
        return
    decoder = OpusDecoder()
    pcm, _ = decoder.decode(payload, samples)
    assert pcm.dtype == np.int16 and 120 <= samples <= 5760 and len(pcm) <= 1920
    assert len(decoder.recover(payload, 960)) <= 1920
