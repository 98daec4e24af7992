"""Signed stills, as an export writes them: a PNG and a JPEG whose manifest says that a model made them."""

import io
from functools import cache

import av
import numpy as np
from c2pa import Builder, C2paSigningAlg, Signer

from provenance.manifests import assertions, c2pa_files
from tests.common.live_session import demo_signer

CODECS = {"image/png": ("png", "rgb24"), "image/jpeg": ("mjpeg", "yuvj420p")}

MADE_BY_MODEL = {
    "action": "c2pa.created",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
}


@cache
def plain_still(media_type: str, width: int = 96, height: int = 64) -> bytes:
    """An unsigned picture."""
    name, pixels = CODECS[media_type]
    encoder = av.CodecContext.create(name, "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, pixels, 1
    noise = np.random.default_rng(3).integers(0, 255, (height, width, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="rgb24").reformat(format=pixels)
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@cache
def signed_still(media_type: str) -> bytes:
    """The same picture with a manifest of the demo authority's signer."""
    signer = demo_signer()
    definition = {
        "claim_generator_info": [assertions.GENERATOR], "title": "still", "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [MADE_BY_MODEL]}, "created": True}],
    }
    out = io.BytesIO()
    with Signer.from_callback(signer.sign, C2paSigningAlg.ES256, signer.chain_pem) as handle:
        Builder(definition, c2pa_files.context(signer.anchor_pem)).sign(
            handle, media_type, io.BytesIO(plain_still(media_type)), out)
    return out.getvalue()
