"""What our own engine sent out cannot consent: the mark in its pictures is found at intake, and
nobody can accept it.
"""

import io
from itertools import islice

import av
import numpy as np
import pytest

from consent.errors import AcceptClosed
from consent.services import identities
from provenance.marks.embed import Embedder
from provenance.marks.keys import MarkKey
from rendering.demo.clips import committed_footage
from tests.common.consenting import agreed, submit
from trustcore.audit.actors import Actor
from trustcore.keys.services import mark_keys

pytestmark = pytest.mark.django_db
FRAMES = 160
MARK_ID = 0x3F00_1122_3344_5566


def sent_out(is_marked):
    """Some seconds of a talking head, as a stream of ours would leave them: marked or not, then H.264."""
    epoch = mark_keys.current()
    source = av.open(io.BytesIO(committed_footage()))
    rate = source.streams.video[0].average_rate
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream, embedder = None, None
        for frame in islice(source.decode(video=0), FRAMES):
            i420 = frame.to_ndarray(format="yuv420p")
            height, width = frame.height, frame.width
            if stream is None:
                stream = container.add_stream("libx264", rate=rate)
                stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
                stream.options = {"crf": "20"}
                embedder = Embedder(MarkKey(epoch.key, epoch.name), MARK_ID, 0, width, height)
            if is_marked:
                y, rest = i420[:height], i420[height:].reshape(2, height // 2, width // 2)
                embedder.embed(y, rest[0], rest[1])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(i420), format="yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def test_a_clip_from_our_own_engine_is_refused_and_an_unmarked_one_is_not_taken_for_it(cast):
    consent = agreed(cast)
    check = submit(consent, sent_out(is_marked=True))
    found = next(result for result in check.results if result["name"] == "own_output")
    assert found["verdict"] == "fail"
    assert "our watermark" in found["measure"]
    assert "made by a replica" in found["to_subject"]
    with pytest.raises(AcceptClosed):
        identities.decide(actor=Actor.user(cast.meera), officer=cast.meera, check=check, decision="accept")
    identities.record_again(check=check)
    clean = submit(consent, sent_out(is_marked=False))
    assert clean.verdicts["own_output"] == "pass"
