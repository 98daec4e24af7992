"""Every parser of provenance against damaged and random bytes: the documented error, or a value that stands for exactly
those bytes. Never another exception. A case that once failed is a golden case in `test_parser_faults.py`."""

import copy
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cbor2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance import bundle_checks, bundles
from provenance.approval_evidence import check_approval
from provenance.errors import BundleInvalid
from provenance.manifests import attest, c2pa_files, cose, fmp4, jumbf, sei, session_manifest
from provenance.manifests.carriage import Carried, Form, pack, unpack
from provenance.manifests.errors import (
    CarriageInvalid,
    CoseInvalid,
    FragmentInvalid,
    ManifestInvalid,
    SeiInvalid,
    TrailerInvalid,
)
from provenance.manifests.frame_codecs import VP8_FRAMES
from provenance.marks.errors import MarkKeyUnreadable
from provenance.marks.keys import MarkKey, key_from_file
from provenance.marks.planes import Planes
from provenance.verify import video
from provenance.verify.files import verify_file
from provenance.verify.reports import Outcome
from tests.common.damage import damaged, outcome
from tests.common.live_session import LiveSession, demo_signer
from tests.common.stills import CODECS, signed_still
from tests.unit.consent.test_evidence import evidence
from tests.unit.provenance.test_bundle_attacks import _hostile
from trustcore.primitives.signing import b64, unb64

# The X.509 library warns of odd certificates before it refuses them; a warning is no verdict.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
# A busy machine draws slowly, and a sample of 30 KB is a large draw: neither says anything about a parser.
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
many = settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
some = settings(max_examples=80, deadline=None, suppress_health_check=CHECKS)


@dataclass(frozen=True)
class Samples:
    """Valid bytes of one session to begin from."""

    init: bytes
    units: list[bytes]
    fragments: list[bytes]
    seis: list[bytes]
    coses: list[bytes]


@cache
def samples() -> Samples:
    session = LiveSession()
    frames = session.frames(3)
    seis = [nal for frame in frames for nal in sei.split_annex_b(frame.access_unit) if sei.is_attestation_sei(nal)]
    return Samples(
        session.init.encoded, [frame.access_unit for frame in frames], [frame.fragment for frame in frames], seis,
        [sei.parse_sei(nal).content for nal in seis])


def in_samples(pick: Callable[[Samples], list[bytes]], **how: Any) -> Any:
    return damaged(pick(samples()), **how)


@many
@given(unit=in_samples(lambda s: s.units))
def test_an_access_unit_comes_apart_and_goes_together(unit: bytes) -> None:
    nals = outcome(sei.split_annex_b, unit, SeiInvalid)
    if nals is not None:
        assert sei.split_annex_b(sei.join_annex_b(nals)) == nals
    fragment = outcome(lambda b: attest.rebuild_fragment(b, label="urn:c2pa:x", kid=b"kkkk"), unit, SeiInvalid)
    if fragment is not None:
        assert [kind for kind, _ in fmp4.split_boxes(fragment)] == [b"emsg", b"moof", b"mdat"]


VP8_KEY = b"\x10\x02\x00\x9d\x01\x2a\x40\x00\x40\x00picture"
CARRIED = [Carried(Form.FULL, 7, 21000, b"whole"), Carried(Form.COMPACT, 8, 24000, bytes(range(64)))]


@many
@given(frame=damaged([VP8_FRAMES.carry(VP8_KEY, carried) for carried in CARRIED]))
def test_a_vp8_trailer_has_one_form(frame: bytes) -> None:
    taken = outcome(VP8_FRAMES.take, frame, TrailerInvalid)
    if taken is not None and taken.carried is not None:
        assert VP8_FRAMES.carry(taken.sample, taken.carried) == frame


@many
@given(encoded=damaged([pack(carried) for carried in CARRIED]))
def test_an_attestation_packs_again_to_itself(encoded: bytes) -> None:
    carried = outcome(unpack, encoded, CarriageInvalid)
    assert carried is None or pack(carried) == encoded


@many
@given(nal=in_samples(lambda s: s.seis))
def test_an_attestation_sei_has_one_form(nal: bytes) -> None:
    payload = outcome(sei.parse_sei, nal, SeiInvalid)
    assert payload is None or sei.build_sei(payload) == nal


# One of each kind of CBOR that a library might turn into something else than data.
ODD_CBOR = [bytes.fromhex(text) for text in (
    "c11a514b67b0", "c482213a00989680", "c5821a7fffffff03", "d81e820300", "d82376285b612d", "d8255001", "d90102820101",
    "d81c81d81d00", "d9010044c0000201", "d81900", "c2580100", "fb7ff8000000000000", "f97e00", "9b0fffffffffffffff",
    "bb0fffffffffffffff", "5b0000000100000000", "a1a0f6", "61ff", "c4821b7fffffffffffffff03", "c1fb7ff8000000000000",
)] + [b"\x81" * 4000, b"\xd2" * 4000]


@many
@given(encoded=in_samples(lambda s: s.coses + ODD_CBOR))
def test_cose_has_one_form(encoded: bytes) -> None:
    signed = outcome(cose.parse_sign1, encoded, CoseInvalid)
    if signed is not None:
        headers = {} if signed.kid is None else {cose.HEADER_KID: signed.kid}
        parts = [signed.protected, headers, signed.payload, signed.signature]
        assert cose.canonical_cbor(cbor2.CBORTag(cose.TAG_SIGN1, parts)) == encoded
    value = outcome(lambda b: (cose.parse_canonical(b),), encoded, CoseInvalid)
    if value is not None:
        assert cose.canonical_cbor(value[0]) == encoded
        outcome(cose.parse_cose_key, value[0], CoseInvalid)


@many
@given(encoded=in_samples(lambda s: [*s.fragments, s.init, fmp4.sample_of(sei.split_annex_b(s.units[0]))]))
def test_boxes_fragments_and_samples_add_up(encoded: bytes) -> None:
    boxes = outcome(fmp4.split_boxes, encoded, FragmentInvalid)
    assert boxes is None or b"".join(whole for _, whole in boxes) == encoded
    fragment = outcome(fmp4.parse_fragment, encoded, FragmentInvalid)
    assert fragment is None or fragment.encoded == encoded
    nals = outcome(fmp4.nals_of, encoded, FragmentInvalid)
    assert nals is None or fmp4.sample_of(nals) == encoded


@many
@given(encoded=in_samples(lambda s: [s.init + b"".join(s.fragments)]))
def test_a_recording_comes_apart_and_goes_together(encoded: bytes) -> None:
    def parts(content: bytes) -> bytes:
        init, fragments = fmp4.split_recording(content)
        return init + b"".join(fragments)

    whole = outcome(parts, encoded, FragmentInvalid)
    assert whole is None or whole == encoded


def store_area(init: bytes) -> bytes:
    """The init segment from its manifest store on: damage there is not lost in other boxes."""
    return init[init.index(jumbf.C2PA_UUID) - 8 :]


def tiles(box: jumbf.Superbox, encoded: bytes) -> bytes:
    """The box's bytes, put together from the tree alone."""
    held = [*((part.start, tiles(part, encoded)) for part in box.children),
            *((start - 8, encoded[start - 8 : end]) for _, start, end in box.contents)]
    description_bytes = int.from_bytes(encoded[box.start + 8 : box.start + 12], "big")
    return encoded[box.start : box.start + 8 + description_bytes] + b"".join(part for _, part in sorted(held))


@many
@given(media=in_samples(lambda s: [store_area(s.init)]))
def test_a_manifest_store_is_a_tree_of_its_own_bytes(media: bytes) -> None:
    def read(content: bytes) -> jumbf.Superbox:
        return jumbf.parse_store(content, jumbf.find_store(content))

    store = outcome(read, media, ManifestInvalid)
    if store is None:
        return
    assert tiles(store, media) == media[store.start : store.end]
    manifest = outcome(jumbf.active_manifest, store, ManifestInvalid)  # type: ignore[arg-type]
    if manifest is not None:
        outcome(lambda _: jumbf.claim_sha256(media, manifest), media, ManifestInvalid)
        outcome(lambda _: session_manifest.signer_certificate(media, manifest), media, ManifestInvalid)


KEYS = "c2pa.session-keys"


@many
@given(media=in_samples(lambda s: [store_area(s.init)]))
def test_rewriting_changes_what_was_asked_and_nothing_else(media: bytes) -> None:
    init = store_area(samples().init)
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    strict = jumbf.assertion_cbor(init, manifest, KEYS)
    signature = bytes(64)
    made = outcome(lambda m: jumbf.replace_assertions(m, {KEYS: strict}, lambda _: signature), media, ManifestInvalid)
    if made is not None:
        assert len(made) == len(media)
        again = jumbf.active_manifest(jumbf.parse_store(made, jumbf.find_store(made)))
        assert jumbf.assertion_cbor(made, again, KEYS) == strict
        assert jumbf.replace_assertions(made, {KEYS: strict}, lambda _: signature) == made


@cache
def session_keys() -> tuple[bytes, Any]:
    init = samples().init
    manifest = jumbf.active_manifest(jumbf.parse_store(init, jumbf.find_store(init)))
    return jumbf.assertion_cbor(init, manifest, KEYS), session_manifest.signer_certificate(init, manifest)


@many
@given(encoded=in_samples(lambda _: [session_keys()[0], *ODD_CBOR], most_steps=2))
def test_session_keys_and_facts_are_read_strictly(encoded: bytes) -> None:
    entry = outcome(lambda b: session_manifest._read_key(b, session_keys()[1]), encoded, ManifestInvalid)
    if entry is not None:
        assert entry.expires_at >= entry.created_at
        assert entry.public.public_bytes_raw() in encoded
    facts = outcome(session_manifest._read_facts, encoded, ManifestInvalid)
    assert facts is None or json.loads(json.dumps(facts)) == facts


@some
@given(init=in_samples(lambda s: [s.init]))
def test_a_session_manifest_is_trusted_or_refused(init: bytes) -> None:
    manifest = outcome(
        lambda b: session_manifest.read_session_manifest(b, demo_signer().anchor_pem), init, ManifestInvalid)
    if manifest is not None:  # what C2PA leaves out of its hash may differ, what was said may not
        good = session_manifest.read_session_manifest(samples().init, demo_signer().anchor_pem)
        assert replace(manifest, key=good.key) == good


@pytest.mark.parametrize("media_type", CODECS)
@some
@given(more=damaged([b"seed"]), data=damaged([signed_still(kind) for kind in CODECS]))
def test_a_still_is_trusted_or_refused(media_type: str, more: bytes, data: bytes) -> None:
    for content in (data, signed_still(media_type) + more, more + signed_still(media_type)):
        outcome(lambda b: c2pa_files.read_trusted(b, demo_signer().anchor_pem, media_type), content, ManifestInvalid)


@many
@given(content=damaged([MarkKey(bytes(range(32)), "2026-01").to_file(), b'{"kind":"trustcore-mark-key"}', b"[" * 4000]))
def test_a_mark_key_file_is_read_or_refused(content: bytes) -> None:
    key = outcome(key_from_file, content, MarkKeyUnreadable)
    assert key is None or key_from_file(key.to_file()) == key


@many
@given(content=damaged([_hostile()]))
def test_a_bundle_is_read_or_refused(content: bytes) -> None:
    files = outcome(bundles.read_files, content, BundleInvalid)
    assert files is None or bundles.read_files(bundles._zipped(files)) == files
    assert bundle_checks.report_on("bundle", content, "").outcome is not Outcome.VERIFIED


APPROVAL_BYTES = ("public_key", "authenticatorData", "clientDataJSON", "signature", "rawId")


@cache
def approval() -> dict[str, Any]:
    return evidence()


@many
@given(field=st.sampled_from(APPROVAL_BYTES), content=damaged([b"\x00" * 40, *ODD_CBOR]), data=st.data())
def test_an_approval_is_checked_or_refused(field: str, content: bytes, data: st.DataObject) -> None:
    stored = copy.deepcopy(approval())
    holder = stored if field in stored else stored["assertion"] if field == "rawId" else stored["assertion"]["response"]
    honest = unb64(holder[field])
    holder[field] = b64(data.draw(damaged([honest])) if data.draw(st.booleans()) else content)
    checked = outcome(check_approval, stored, BundleInvalid)  # type: ignore[arg-type]
    assert checked is None or checked.statement_sha256 == approval()["body"]["statement_sha256"]


@cache
def media_files() -> list[bytes]:
    recording = samples().init + b"".join(samples().fragments)
    return [recording, _hostile(), *(signed_still(kind) for kind in CODECS)]


@some
@given(content=damaged(media_files()))
def test_whatever_a_file_holds_the_verifier_gives_a_verdict(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    report = verify_file(path, anchor_pem=demo_signer().anchor_pem)
    assert report.sentences and json.dumps(report.as_json())


@some
@given(content=damaged(media_files()))
def test_pictures_are_decoded_or_refused(content: bytes) -> None:
    def decoded(encoded: bytes) -> list[Planes]:
        return list(islice(video._planes(encoded, video.silent), 4))

    planes = outcome(decoded, content, (av.FFmpegError, IndexError, ValueError))  # what `files.verify_file` words
    assert planes is None or all(one.y.dtype == np.uint8 for one in planes)


def test_the_samples_themselves_are_good() -> None:
    """Otherwise all of the above would be about rubbish."""
    known = samples()
    assert all(sei.parse_sei(nal) for nal in known.seis) and all(cose.parse_sign1(one) for one in known.coses)
    assert all(fmp4.parse_fragment(one) for one in known.fragments)
    assert session_manifest.read_session_manifest(known.init, demo_signer().anchor_pem)
    assert len(bundles.read_files(_hostile())) == 9 and io.BytesIO(store_area(known.init)).read(8)[4:] == b"uuid"
