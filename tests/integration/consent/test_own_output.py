"""What our own engine sent out cannot consent: the mark in its pictures is found at intake, and
nobody can accept it.
"""

import io
from itertools import islice

import av
import cv2
import numpy as np
import pytest

from consent.errors import AcceptClosed
from consent.services import identities
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from provenance.marks.sound.embed import embed_reference
from provenance.services import own_output
from provenance.services.own_output import Detector
from rendering.demo.clips import committed_footage
from tests.common.consenting import agreed, submit
from tests.common.spoken import slots_from, speech, through_opus
from trustcore.audit.actors import Actor
from trustcore.keys.services import mark_keys

pytestmark = pytest.mark.django_db
FRAMES = 160
NO_SOUND = np.zeros(0, np.int16)
MARK_ID = 0x3F00_1122_3344_5566


def sent_out(is_marked, change=lambda bgr: bgr):
    """Some seconds of a talking head, as a stream of ours would leave them: marked or not, then changed by somebody,
    then H.264.
    """
    epoch = mark_keys.current()
    source = av.open(io.BytesIO(committed_footage()))
    rate = source.streams.video[0].average_rate
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream, embedder = None, None
        for frame in islice(source.decode(video=0), FRAMES):
            i420 = frame.to_ndarray(format="yuv420p")
            height, width = frame.height, frame.width
            embedder = embedder or Embedder(MarkKey(epoch.key, epoch.name), MARK_ID, 0, width, height)
            if is_marked:
                y, rest = i420[:height], i420[height:].reshape(2, height // 2, width // 2)
                embedder.embed(y, rest[0], rest[1])
            picture = np.ascontiguousarray(change(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)))
            if stream is None:
                stream = container.add_stream("libx264", rate=rate)
                stream.height, stream.width, stream.pix_fmt = picture.shape[0], picture.shape[1], "yuv420p"
                stream.options = {"crf": "20"}
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return out.getvalue()


def test_a_clip_from_our_own_engine_is_refused_and_so_is_a_washed_copy(cast):
    consent = agreed(cast)
    check = submit(consent, sent_out(is_marked=True))
    found = next(result for result in check.results if result["name"] == "own_output")
    assert found["verdict"] == "fail"
    assert "our watermark" in found["measure"]
    assert "made by a replica" in found["to_subject"]
    with pytest.raises(AcceptClosed):
        identities.decide(actor=Actor.user(cast.meera), officer=cast.meera, check=check, decision="accept")
    identities.record_again(check=check)
    assert "0x" not in found["measure"] and f"{MARK_ID:016x}" not in found["measure"]
    washed = submit(consent, sent_out(is_marked=False))
    # The same pictures without the mark are what somebody hands in who tries to wash it away: they get the same answer.
    assert washed.verdicts["own_output"] == "fail"


def test_an_unmarked_clip_is_not_taken_for_ours(cast):
    clean = submit(agreed(cast), sent_out(is_marked=False))
    assert clean.verdicts["own_output"] == "pass"


def test_a_cut_and_mirrored_clip_of_ours_is_refused_too(settings, monkeypatch):
    """The detector itself, on pictures as the sandbox hands them over."""
    settings.MARK_SEARCH_S = 600  # this machine may be busy
    monkeypatch.setattr(own_output, "SEARCH_S", 600.0)
    media = sent_out(is_marked=True, change=lambda bgr: bgr[16:-16, 24:-8][:, ::-1])
    with av.open(io.BytesIO(media)) as source:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in islice(source.decode(video=0), 40)])
    found = Detector().detect(media, frames, NO_SOUND, 16_000)
    assert found.traces == ("The pictures carry our watermark.",)
    assert "cropped, scaled and mirrored" in found.looked_for[1]


def test_a_search_that_finds_no_free_place_says_so(settings):
    settings.MARK_SEARCH_S = 90
    mark_keys.current()
    frames = np.random.default_rng(1).integers(0, 255, (1, 128, 128, 3), dtype=np.uint8)
    with own_output._SEARCHING:
        found = Detector().detect(b"", frames, NO_SOUND, 16_000)
    assert found.looked_for == ("a manifest", "our watermark where it lies")


def spoken(seconds=6):
    return speech()[: seconds * 48_000]


def frames_of_a_person():
    return np.random.default_rng(1).integers(0, 255, (2, 128, 128, 3), dtype=np.uint8)


def detected(sound):
    return Detector().detect(b"", frames_of_a_person(), sound, 48_000)


def test_a_clip_with_our_sound_under_other_pictures_is_refused_and_so_is_a_washed_copy(settings):
    settings.MARK_SEARCH_S = 0
    key = MarkKey(mark_keys.current().key)
    assert detected(through_opus(embed_reference(spoken(), slots_from(key, MARK_ID, 3)))).traces == (
        "The sound carries our watermark.",)
    assert detected(through_opus(spoken())).traces == ("The sound carries our watermark.",)


def test_sound_of_nobody_of_ours_is_looked_at_and_passes(settings):
    settings.MARK_SEARCH_S = 0
    mark_keys.current()
    other = embed_reference(spoken(), slots_from(MarkKey(bytes(range(32))), MARK_ID, 3))
    for sound, looked in ((spoken(), True), (through_opus(other), True), (spoken(2), False), (NO_SOUND, False)):
        found = detected(sound)
        assert found.traces == () and ("our watermark in the sound" in found.looked_for) is looked


def test_listening_that_runs_out_of_time_says_so(settings, monkeypatch):
    settings.MARK_SEARCH_S = 0
    mark_keys.current()
    monkeypatch.setattr(own_output, "SEARCH_S", 0.0)
    assert "our watermark in the sound, until time ran out" in detected(spoken(12)).looked_for
