"""Writes frames.json: golden frames, good and spoilt, with the verdict each must get; one suite per codec and form.

Run `python -m tests.vectors.vsi.generate` after a change of the profile; `test_vectors.py` regenerates and compares.
Keys come from fixed seeds, so the bytes are the same every time. The keys sign nothing else.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from provenance.manifests import carriage, cose, fmp4, sei
from provenance.manifests.attest import Attested, Attestor, SessionKey, bmff_hash, cose_bytes, frame_boxes, segment_info
from provenance.manifests.carriage import Carried, Form
from provenance.manifests.frame_codecs import H264_FRAMES, OPUS_PACKETS, TRAILER_MAGIC, VP8_FRAMES, FrameCodec
from tests.common.live_session import bare, with_carried, with_flipped_bit

FILE = Path(__file__).parent / "frames.json"
LABEL = "urn:c2pa:00000000-0000-4000-8000-000000000001"
CREATED_AT_MS = 1_790_000_000_000
VALIDITY_S = 600
EXPIRES_AT_MS = CREATED_AT_MS + VALIDITY_S * 1000
SPS = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")
PPS = bytes.fromhex("68ce3c80")
OTHER = {Form.FULL: Form.COMPACT, Form.COMPACT: Form.FULL}
Unit = tuple[bytes, str]  # a frame, and the counter it must be counted in


def _key(seed: int) -> SessionKey:
    return SessionKey(Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def h264_picture(index: int) -> bytes:
    """A made-up access unit: slices of zeros, ones and counting bytes, so that emulation prevention matters."""
    body = bytes((index * 7 + i * i) % 256 or 1 for i in range(200))
    if index % 10 == 0:
        return sei.join_annex_b([SPS, PPS, bytes([0x65]) + body + b"\x80"])
    return sei.join_annex_b([bytes([0x41]) + body + b"\x00\x00\x03\x01\x80"])


def vp8_picture(index: int) -> bytes:
    """A made-up VP8 frame: a frame tag as RFC 6386 wants it, then bytes."""
    body = bytes((index * 5 + i * i) % 256 for i in range(200))
    if index % 10 == 0:
        return b"\x10\x02\x00\x9d\x01\x2a\x80\x00\x80\x00" + body
    return b"\x11\x02\x00" + body


def opus_packet(index: int) -> bytes:
    """A made-up Opus packet: one frame of 20 ms, then bytes."""
    return b"\x78" + bytes((index * 3 + i * i) % 256 for i in range(80))


PICTURES: dict[FrameCodec, Callable[[int], bytes]] = {
    H264_FRAMES: h264_picture, VP8_FRAMES: vp8_picture, OPUS_PACKETS: opus_packet}


def _with_kid(key: SessionKey, kid: bytes) -> SessionKey:
    key.kid = kid
    return key


def _longer_head(encoded: bytes) -> bytes:
    """The same COSE object with its array head in a longer form than needed."""
    return encoded[:1] + b"\x98\x04" + encoded[2:]


def _changed(content: bytes, at: int) -> bytes:
    copy = bytearray(content)
    copy[at] ^= 1
    return bytes(copy)


def _case(name: str, *units: Unit, now_ms: int | None = None) -> dict[str, Any]:
    return {
        "name": name, "now_ms": now_ms, "units": [base64.b64encode(unit).decode() for unit, _ in units],
        "expect": [counter for _, counter in units],
    }


@dataclass
class Suite:
    """All cases for one codec and one form."""

    codec: FrameCodec
    form: Form

    def __post_init__(self) -> None:
        self.key, self.other = _key(1), _key(2)
        self.good = self.frames(self.key, LABEL, 70)

    @property
    def name(self) -> str:
        return f"{self.codec.name}_{self.form.name.lower()}"

    def frames(self, key: SessionKey, label: str, count: int, form: Form | None = None) -> list[Attested]:
        attestor = Attestor(key, label, codec=self.codec)
        picture = PICTURES[self.codec]
        return [attestor.attest(picture(i), 3000 * i, form or self.form) for i in range(count)]

    def ok(self, index: int) -> Unit:
        return self.good[index].access_unit, "verified"

    def one(self, name: str, unit: bytes, counter: str = "invalid") -> dict[str, Any]:
        """A good frame, then `unit`."""
        return _case(name, self.ok(0), (unit, counter))

    def carried(self, index: int) -> Carried:
        carried = self.codec.take(self.good[index].access_unit).carried
        assert carried is not None
        return carried

    def altered(self, **changes: Any) -> bytes:
        return with_carried(self.good[1], self.codec, **changes)

    def signed_wrong(self, change: dict[str, Any]) -> bytes:
        """The second frame, its attestation properly signed but saying something else."""
        taken = self.codec.take(self.good[1].access_unit)
        assert taken.carried is not None
        moof, mdat = frame_boxes(2, taken.carried.media_time_90k, taken, self.codec.track)
        head_bytes = fmp4.EMSG_HEAD_BYTES + cose_bytes(2, LABEL, self.key.kid)
        info = segment_info(2, bmff_hash(head_bytes, moof, mdat), LABEL)
        for path, value in change.items():
            *names, last = path.split(".")
            target = info
            for name in names:
                target = target[name]
            target[last] = value
        signed = self.key.sign(cose.canonical_cbor(info))
        return self.altered(content=signed if self.form is Form.FULL else signed[-cose.SIGNATURE_BYTES :])

    def raw(self, encoded: bytes) -> bytes:
        """The second frame with these bytes where its attestation stands, whatever they are."""
        frame = bare(self.good[1].access_unit, self.codec)
        if self.codec is VP8_FRAMES:
            return frame + encoded + len(encoded).to_bytes(2, "big") + TRAILER_MAGIC
        if self.codec is OPUS_PACKETS:
            full, rest = divmod(len(encoded), 254)
            return bytes([frame[0] | 3, 0x41]) + b"\xff" * full + bytes([rest]) + frame[1:] + encoded
        message = sei.PROFILE_UUID + encoded
        full, rest = divmod(len(message), 255)
        nal = bytes([sei.NAL_SEI]) + sei.add_emulation_prevention(
            bytes([5]) + b"\xff" * full + bytes([rest]) + message + b"\x80")
        return sei.join_annex_b(sei.insert_sei(sei.split_annex_b(frame), nal))

    def cases(self) -> list[dict[str, Any]]:
        return [*self.sequences(), *self.tampered(), *self.borrowed(), *self.malformed(), *self.own_form()]

    def sequences(self) -> list[dict[str, Any]]:
        """Loss, order and repetition."""
        ok, again = self.ok, self.good
        switched = self.frames(self.key, LABEL, 5, OTHER[self.form])
        return [
            _case("good", *[ok(i) for i in range(5)]),
            _case("good_with_a_gap", ok(0), ok(3), ok(4)),
            _case("forms_switched_on_the_way", ok(0), *[(one.access_unit, "verified") for one in switched[1:3]], ok(3)),
            _case("replayed_in_the_other_form", ok(0), ok(1), (switched[1].access_unit, "replayed")),
            _case("reordered_inside_the_window", ok(0), ok(3), ok(1), ok(2)),
            _case("reordered_at_the_windows_edge", ok(0), ok(69), ok(6)),
            _case("older_than_the_window", ok(0), ok(1), ok(69), (again[5].access_unit, "late")),
            _case("replayed", ok(0), ok(1), (again[1].access_unit, "replayed")),
        ]

    def tampered(self) -> list[dict[str, Any]]:
        """Frames of this session that somebody changed."""
        good, carried, one = self.good, self.carried(1), self.one
        return [
            one("attestation_stripped", bare(good[1].access_unit, self.codec), "unattested"),
            one("one_bit_of_the_picture", with_flipped_bit(good[1], self.codec)),
            one("one_bit_of_the_first_nal_or_tag", self.first_byte_changed()),
            one("one_bit_of_the_signature", self.altered(content=_changed(carried.content, -60))),
            one("frame_number_changed", self.altered(sequence=40)),
            one("media_time_changed", self.altered(media_time_90k=carried.media_time_90k + 1)),
            one("attestation_of_another_frame", with_carried(
                good[2], self.codec, content=carried.content, sequence=carried.sequence)),
            one("attestation_and_time_of_another_frame", self.codec.carry(
                bare(good[2].access_unit, self.codec), carried)),
            one("other_form_byte", self.raw(OTHER[self.form].value + carriage.pack(carried)[1:])),
        ]

    def first_byte_changed(self) -> bytes:
        """One bit of the NAL header or frame tag, behind which the attestation still stands."""
        frame = bytearray(bare(self.good[1].access_unit, self.codec))
        frame[4 if self.codec is H264_FRAMES else 0] ^= 0x20
        return self.codec.carry(bytes(frame), self.carried(1))

    def borrowed(self) -> list[dict[str, Any]]:
        """Properly signed frames, of another key, session or time."""
        foreign = self.frames(self.key, LABEL.replace("0001", "0002"), 3)
        swapped = self.frames(_key(2), LABEL, 3)
        impostor = self.frames(_with_kid(_key(2), self.key.kid), LABEL, 2)
        old = self.frames(_key(2), LABEL.replace("0001", "0003"), 3)
        late = Attestor(self.key, LABEL, 5, self.codec).attest(
            PICTURES[self.codec](0), 90_000 * (VALIDITY_S + 1), self.form)
        return [
            self.one("key_swapped", swapped[1].access_unit),
            self.one("key_swapped_under_the_same_kid", impostor[1].access_unit),
            self.one("other_sessions_manifest", foreign[1].access_unit),
            _case("an_old_session_streamed_again", *[(frame.access_unit, "invalid") for frame in old]),
            self.one("media_time_after_the_keys_life", late.access_unit),
            _case("key_expired_by_the_clock", (self.good[0].access_unit, "invalid"), now_ms=EXPIRES_AT_MS + 1),
            _case("key_alive_by_the_clock", self.ok(0), now_ms=EXPIRES_AT_MS),
            self.one("signed_as_sound" if self.codec is not OPUS_PACKETS else "signed_as_a_picture", self.crossed()),
            self.one("signed_without_exclusion", self.signed_wrong({"bmffHash.exclusions": []})),
            self.one("signed_with_offset_zero", self.signed_wrong({
                "bmffHash.exclusions": [{"xpath": "/emsg", "data": [{"offset": 0, "value": fmp4.SCHEME_URI}]}]})),
            self.one("signed_with_a_name", self.signed_wrong({"bmffHash.name": "frame"})),
            self.one("signed_with_another_number", self.signed_wrong({"sequenceNumber": 3})),
            self.one("signed_with_another_hash", self.signed_wrong({"bmffHash.hash": bytes(32)})),
        ]

    def crossed(self) -> bytes:
        """A picture whose very bytes were signed as sound, or sound whose very bytes were signed as a picture."""
        is_sound = self.codec is OPUS_PACKETS
        picture = vp8_picture(0) if is_sound else PICTURES[self.codec](0)
        other: FrameCodec = VP8_FRAMES if is_sound else OPUS_PACKETS
        signed = Attestor(self.key, LABEL, 2, other).attest(self.codec.take(picture).sample, 3000, self.form)
        carried = other.take(signed.access_unit).carried
        assert carried is not None
        return self.codec.carry(picture, carried)

    def malformed(self) -> list[dict[str, Any]]:
        """Bytes in the place of an attestation, or of a frame."""
        packed = carriage.pack(self.carried(1))
        return [
            self.one("unknown_form", self.raw(b"X" + packed[1:])),
            self.one("attestation_cut_short", self.raw(packed[:-1])),
            self.one("attestation_with_a_byte_more", self.raw(packed + b"\x00")),
            self.one("attestation_without_content", self.raw(packed[: carriage.HEAD_BYTES])),
            self.one("attestation_of_no_bytes", self.raw(b"")),
            self.one("two_attestations", self.twice()),
            *[self.one(name, unit) for name, unit in self.no_frames().items()],
            self.one("empty", b""),
        ]

    def no_frames(self) -> dict[str, bytes]:
        """Bytes that are no frame of this codec, or no frame that could carry an attestation."""
        frame, unit = bare(self.good[1].access_unit, self.codec), self.good[1].access_unit
        if self.codec is H264_FRAMES:
            return {"no_start_code": b"\x41\x00\x01\x02"}
        if self.codec is VP8_FRAMES:
            return {
                "trailer_longer_than_the_frame": b"\x11\x02\x00\xff\xff" + TRAILER_MAGIC,
                "key_frame_without_its_start_code": b"\x10" + frame, "only_a_trailer": unit[len(frame) :],
            }
        return {
            "padding_longer_than_the_packet": b"\x7b\x41\xff\xff\x05\x00\x00",
            "two_frames_with_padding": unit[:1] + b"\x42" + unit[2:],
            "padding_cut_short": unit[:-1], "only_a_head": b"\x7b\x41",
            "padding_in_another_spelling": b"\x7b\x41\xfe" + bytes(300),
        }

    def twice(self) -> bytes:
        unit = self.good[1].access_unit
        if self.codec is OPUS_PACKETS:
            return self.raw(carriage.pack(self.carried(1)) * 2)
        if self.codec is VP8_FRAMES:
            return self.codec.carry(unit, self.carried(1))
        nals = sei.split_annex_b(unit)
        ours = next(nal for nal in nals if sei.is_attestation_sei(nal))
        return sei.join_annex_b([ours, *nals])

    def own_form(self) -> list[dict[str, Any]]:
        """What only the full form can get wrong."""
        if self.form is Form.COMPACT:
            return []
        content = self.carried(1).content
        return [
            self.one("one_bit_of_the_manifest_label", self.altered(
                content=_changed(content, content.index(LABEL.encode()) + 20))),
            self.one("cose_not_canonical", self.altered(content=_longer_head(content))),
            self.one("signed_with_a_merkle", self.signed_wrong({"bmffHash.merkle": []})),
        ]

    def document(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "session": {
                "label": LABEL, "codec": self.codec.name, "is_sound": self.codec is OPUS_PACKETS,
                "public_key": self.key.public.public_bytes_raw().hex(),
                "kid": self.key.kid.hex(), "minimum_sequence": 1, "created_at_ms": CREATED_AT_MS,
                "validity_s": VALIDITY_S,
            },
            "good_fragments": [base64.b64encode(a.fragment).decode() for a in self.good[:2]],
            "cases": self.cases(),
        }


def encoded() -> str:
    suites = [Suite(codec, form) for codec in PICTURES for form in Form]
    return json.dumps({"suites": [suite.document() for suite in suites]}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(encoded())
