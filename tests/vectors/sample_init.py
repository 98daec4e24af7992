"""Writes the sample that the viewer's page reads to warm up its C2PA reader: the init segment of a session that never
was, signed by an authority that is thrown away. `python -m tests.vectors.sample_init` writes it again after a change of
the manifest's shape, so that the sample takes the reader through the same code as a session's own.
"""

from pathlib import Path

from provenance.manifests.attest import SessionKey
from provenance.manifests.session_manifest import SessionPublicKey, sign_session_manifest
from tests.common.live_session import demo_signer, facts

FILE = Path(__file__).parents[2] / "trustcore" / "static" / "js" / "verify" / "sample_init.mp4"


def encoded() -> bytes:
    key, signer = SessionKey(), demo_signer()
    public = SessionPublicKey(key.cose_key(), key.bind_to_signer(signer.end_entity_der))
    return sign_session_manifest(signer, facts(), public, width=256, height=256).encoded


if __name__ == "__main__":
    FILE.write_bytes(encoded())
