"""The fragmented MP4 form of a live stream: an init segment and one-sample fragments (ISO/IEC 14496-12).

Deterministic on purpose: sender, recorder and both verifiers must build the very same bytes from a frame.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from provenance.manifests.errors import FragmentInvalid

TIMESCALE = 90_000  # ticks a second, the RTP clock of video
FRAME_DURATION = 3_000  # ticks; the profile is 30 frames a second
SOUND_DURATION = 1_800  # ticks; an Opus packet holds 20 ms
OPUS_RATE_HZ = 48_000
OPUS_PRE_SKIP = 312  # samples that libopus at 48 kHz is late
TRACK_ID = 1
SOUND_TRACK_ID = 2
SCHEME_URI = b"urn:c2pa:verifiable-segment-info"
EMSG_VALUE = b"fseg"
MEDIA_BOXES = frozenset({b"emsg", b"moof", b"mdat"})
EMSG_URI_OFFSET = 12  # where the URI sits in a version 0 emsg; the specification's 0 is refused by validators
EMSG_HEAD_BYTES = EMSG_URI_OFFSET + len(SCHEME_URI) + 1 + len(EMSG_VALUE) + 1 + 16
FLAGS_KEY = 0x02000000
FLAGS_DELTA = 0x01010000
MOOF_BYTES = 100
TRACK_AT = 44  # where a moof names its track
MAX_SEQUENCE = 0xFFFF_FFFF  # mfhd counts in 32 bits
MAX_BOXES = 2_000_000  # at the top of one file: six hours of fragments
MAX_FRAGMENT_BYTES = 4 * 1024 * 1024 + 64 * 1024  # an access unit at its largest, and its headers
FTYP = struct.pack(">I4s4sI8s", 24, b"ftyp", b"iso6", 1, b"iso6mp41")
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True)
class Track:
    """Which track a fragment belongs to. The id is under every signature, so no sound can pass as a picture."""

    track_id: int
    duration_90k: int


PICTURE = Track(TRACK_ID, FRAME_DURATION)
SOUND = Track(SOUND_TRACK_ID, SOUND_DURATION)


@dataclass(frozen=True)
class Fragment:
    """One frame as it stands in a recording: emsg + moof + mdat, each whole with its header."""

    emsg: bytes
    moof: bytes
    mdat: bytes

    @property
    def encoded(self) -> bytes:
        return self.emsg + self.moof + self.mdat

    @property
    def cose(self) -> bytes:
        return self.emsg[EMSG_HEAD_BYTES:]


def box(kind: bytes, *contents: bytes) -> bytes:
    """A box with its 8-byte header."""
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full_box(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *contents)


def walk_boxes(encoded: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start, end) of each top-level box, one after another; nothing is copied.

    Raises:
        FragmentInvalid: a box is cut short, too small, or uses the 64-bit form; or there are too many.
    """
    at = count = 0
    while at < len(encoded):
        if at + 8 > len(encoded):
            raise FragmentInvalid("This file ends inside a box header.")
        size, kind = struct.unpack_from(">I4s", encoded, at)
        if size < 8 or at + size > len(encoded):
            raise FragmentInvalid("A box in this file is cut short or has an impossible size.", box=repr(kind))
        count += 1
        if count > MAX_BOXES:
            raise FragmentInvalid(f"This file holds more than {MAX_BOXES} boxes.")
        yield kind, at, at + size
        at += size


def split_boxes(encoded: bytes) -> list[tuple[bytes, bytes]]:
    """[(kind, whole box)] of the top-level boxes. Raises as `walk_boxes` does."""
    return [(kind, encoded[start:end]) for kind, start, end in walk_boxes(encoded)]


def init_segment(width: int, height: int, sample_entry: bytes = b"avc3") -> bytes:
    """ftyp + moov of one picture track, without any media.

    Args:
        sample_entry: `avc3` (H.264 whose parameter sets travel in the stream) or `vp08`.
    """
    mvex = box(b"mvex", _trex(TRACK_ID))
    return FTYP + movie_box(width, height, sample_entry, _NO_SAMPLES, extends=mvex)


def _trex(track_id: int) -> bytes:
    return full_box(b"trex", 0, 0, struct.pack(">IIIII", track_id, 1, 0, 0, 0))


def movie_box(
    width: int, height: int, sample_entry: bytes, tables: bytes, *, duration_90k: int = 0, extends: bytes = b"",
    sound: bytes = b"",
) -> bytes:
    """moov of one picture track, and of a sound track where there is one.

    Args:
        tables: stts, stsc, stsz, stco and whatever else stands behind stsd.
        extends: mvex, for a movie whose samples follow in fragments.
        sound: from `sound_track_box`.
    """
    visual = struct.pack(">6xH16xHHII4xH32xHh", 1, width, height, 0x480000, 0x480000, 1, 24, -1)
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), box(sample_entry, visual, _CODEC_BOXES[sample_entry]))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"vmhd", 0, 1, bytes(8)), dinf, box(b"stbl", stsd, tables))
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TIMESCALE, duration_90k, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"video\x00")
    tkhd_times = struct.pack(">IIIII8xhhhH", 0, 0, TRACK_ID, 0, duration_90k, 0, 0, 0, 0)
    tkhd = full_box(b"tkhd", 0, 3, tkhd_times, _MATRIX, struct.pack(">II", width << 16, height << 16))
    mvhd = full_box(
        b"mvhd", 0, 0, struct.pack(">IIIIIH10x", 0, 0, TIMESCALE, duration_90k, 0x10000, 0x100), _MATRIX, bytes(24),
        struct.pack(">I", SOUND_TRACK_ID + 1 if sound else TRACK_ID + 1),
    )
    return box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf)), sound, extends)


def sound_track_box(tables: bytes, *, starts_at_90k: int, duration_90k: int) -> bytes:
    """trak of one Opus track, mono (Encapsulation of Opus in ISO Base Media File Format, 4.3).

    Args:
        tables: stts, stsc, stsz, stco in ticks of TIMESCALE.
        starts_at_90k: how long after the first picture the first packet is heard, from 0.
        duration_90k: 0 where the samples follow in fragments.
    """
    opus_head = box(b"dOps", struct.pack(">BBHIhB", 0, 1, OPUS_PRE_SKIP, OPUS_RATE_HZ, 0, 0))
    entry = struct.pack(">6xH8xHH4xI", 1, 1, 16, OPUS_RATE_HZ << 16)
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), box(b"Opus", entry, opus_head))
    dinf = box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1)))
    minf = box(b"minf", full_box(b"smhd", 0, 0, bytes(4)), dinf, box(b"stbl", stsd, tables))
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, TIMESCALE, duration_90k, 0x55C4, 0))
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"soun"), b"sound\x00")
    until_90k = starts_at_90k + duration_90k
    tkhd_times = struct.pack(">IIIII8xhhHxx", 0, 0, SOUND_TRACK_ID, 0, until_90k, 0, 0, 0x100)
    tkhd = full_box(b"tkhd", 0, 3, tkhd_times, _MATRIX, bytes(8))
    wait = struct.pack(">IiI", starts_at_90k, -1, 0x10000) if starts_at_90k else b""
    edits = [wait, struct.pack(">IiI", duration_90k, 0, 0x10000)]
    elst = full_box(b"elst", 0, 0, struct.pack(">I", sum(map(bool, edits))), *edits)
    edts = box(b"edts", elst) if duration_90k else b""
    return box(b"trak", tkhd, edts, box(b"mdia", mdhd, hdlr, minf))


_NO_SAMPLES = (
    full_box(b"stts", 0, 0, bytes(4)) + full_box(b"stsc", 0, 0, bytes(4))
    + full_box(b"stsz", 0, 0, bytes(8)) + full_box(b"stco", 0, 0, bytes(4))
)
# avcC: constrained baseline level 3.1 and no parameter sets, the real ones are in-band. vpcC (VP Codec ISO Media File
# Format Binding): profile 0, level not stated, 8 bits, 4:2:0, limited range, BT.601.
_CODEC_BOXES = {
    b"avc3": box(b"avcC", bytes([1, 0x42, 0xC0, 0x1F, 0xFF, 0xE0, 0])),
    b"vp08": full_box(b"vpcC", 1, 0, bytes([0, 0, 8 << 4 | 1 << 1, 6, 6, 6, 0, 0])),
}


@dataclass(frozen=True)
class PictureTrack:
    """What an init segment says of its one track."""

    sample_entry: bytes
    width: int
    height: int


def picture_track_of(init: bytes) -> PictureTrack:
    """Codec and size of an init segment of the live profile.

    Raises:
        FragmentInvalid: not exactly one picture track, or an unknown sample entry.
    """
    boxes = split_boxes(init)
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd"):
        found = [whole for name, whole in boxes if name == kind]
        if len(found) != 1:
            raise FragmentInvalid("This init segment does not describe one picture track.", box=repr(kind))
        boxes = split_boxes(found[0][8 if kind != b"stsd" else 16 :])
    if len(boxes) != 1 or boxes[0][0] not in _CODEC_BOXES or len(boxes[0][1]) < 36:
        raise FragmentInvalid("This init segment names a codec that the live profile does not have.")
    width, height = struct.unpack_from(">HH", boxes[0][1], 32)
    return PictureTrack(boxes[0][0], width, height)


def sample_of(nals: list[bytes]) -> bytes:
    """An MP4 sample: every NAL unit behind its 4-byte length."""
    return b"".join(struct.pack(">I", len(nal)) + nal for nal in nals)


def nals_of(sample: bytes) -> list[bytes]:
    """The inverse of `sample_of`.

    Raises:
        FragmentInvalid: a length runs past the end.
    """
    nals = []
    at = 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + 4], "big")
        if at + 4 > len(sample) or size == 0 or at + 4 + size > len(sample):
            raise FragmentInvalid("This sample's NAL lengths do not add up.")
        nals.append(sample[at + 4 : at + 4 + size])
        at += 4 + size
    return nals


def moof_box(
    sequence: int, media_time_90k: int, sample_bytes: int, is_key: bool, track: Track = PICTURE,
) -> bytes:
    """moof of one sample. Always `MOOF_BYTES` long."""
    flags = FLAGS_KEY if is_key else FLAGS_DELTA
    trun = full_box(
        b"trun", 0, 0x701, struct.pack(">IiIII", 1, MOOF_BYTES + 8, track.duration_90k, sample_bytes, flags)
    )
    traf = box(
        b"traf",
        full_box(b"tfhd", 0, 0x020000, struct.pack(">I", track.track_id)),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", media_time_90k)),
        trun,
    )
    return box(b"moof", full_box(b"mfhd", 0, 0, struct.pack(">I", sequence)), traf)


def emsg_box(sequence: int, cose: bytes, track: Track = PICTURE) -> bytes:
    """emsg version 0 with the attestation as message data."""
    return full_box(
        b"emsg", 0, 0, SCHEME_URI, b"\x00", EMSG_VALUE, b"\x00",
        struct.pack(">IIII", TIMESCALE, 0, track.duration_90k, sequence), cose,
    )


def parse_fragment(encoded: bytes, track: Track = PICTURE) -> Fragment:
    """Split one emsg + moof + mdat and check that emsg and moof are exactly what this profile builds.

    Raises:
        FragmentInvalid: too large, other boxes, another order, or fields the profile does not use.
    """
    if len(encoded) > MAX_FRAGMENT_BYTES:
        raise FragmentInvalid("This fragment is too large for one frame.", size=len(encoded))
    boxes = split_boxes(encoded)
    if [kind for kind, _ in boxes] != [b"emsg", b"moof", b"mdat"]:
        raise FragmentInvalid("A fragment is one emsg, one moof and one mdat, in this order.")
    fragment = Fragment(*(whole for _, whole in boxes))
    sequence, media_time_90k, is_key = fragment_facts(fragment)
    moof = moof_box(sequence, media_time_90k, len(fragment.mdat) - 8, is_key, track)
    if fragment.moof != moof or fragment.emsg != emsg_box(sequence, fragment.cose, track):
        raise FragmentInvalid("This fragment is not in the one form of the live profile.")
    return fragment


def track_of(encoded: bytes) -> Track:
    """The track that a fragment says it belongs to. What names neither is judged as a picture, and is none.

    Raises:
        FragmentInvalid: as `walk_boxes`.
    """
    moof = next((encoded[start:end] for kind, start, end in walk_boxes(encoded) if kind == b"moof"), b"")
    return SOUND if moof[TRACK_AT : TRACK_AT + 4] == struct.pack(">I", SOUND_TRACK_ID) else PICTURE


def pictures_only(encoded: bytes) -> bytes:
    """A recording without the fragments of its sound, whose track no init segment of the profile describes.

    Raises:
        FragmentInvalid: as `split_runs` and `split_recording`.
    """
    out = []
    for run in split_runs(encoded):
        init, fragments = split_recording(run)
        out += [init, *(fragment for fragment in fragments if track_of(fragment) is PICTURE)]
    return b"".join(out)


def with_sound_track(encoded: bytes) -> bytes:
    """A recording of sent frames as any decoder reads it: one movie, with a track for its sound in the moov.

    The signed init segments describe the picture alone, and decoders stop at a fragment of a track they do not know.
    For decoding only: the manifest of the result does not hold.

    Raises:
        FragmentInvalid: as `split_runs` and `split_recording`.
    """
    out = []
    for run in split_runs(encoded):
        init, _ = split_recording(run)
        out += [*map(_with_sound, split_boxes(init)), run[len(init):]]
    return b"".join(out)


def _with_sound(told: tuple[bytes, bytes]) -> bytes:
    """A box of an init segment as it is; in the moov a track for sound."""
    kind, whole = told
    if kind != b"moov":
        return whole
    parts = split_boxes(whole[8:])
    extends = b"".join(part[8:] for name, part in parts if name == b"mvex")
    rest = [part for name, part in parts if name != b"mvex"]
    sound = sound_track_box(_NO_SAMPLES, starts_at_90k=0, duration_90k=0)
    return box(b"moov", *rest, sound, box(b"mvex", extends, _trex(SOUND_TRACK_ID)))


def fragment_facts(fragment: Fragment) -> tuple[int, int, bool]:
    """(sequence, media time at 90 kHz, is key frame) as the moof states them.

    Raises:
        FragmentInvalid: the moof has another size.
    """
    if len(fragment.moof) != MOOF_BYTES:
        raise FragmentInvalid("This fragment does not hold exactly one frame.")
    (sequence,) = struct.unpack_from(">I", fragment.moof, 20)
    (media_time_90k,) = struct.unpack_from(">Q", fragment.moof, 60)
    (flags,) = struct.unpack_from(">I", fragment.moof, MOOF_BYTES - 4)
    return sequence, media_time_90k, flags == FLAGS_KEY


def split_recording(encoded: bytes) -> tuple[bytes, Iterator[bytes]]:
    """(init segment, fragments in order) of one run of a recording file.

    Raises:
        FragmentInvalid: no init segment, or boxes out of order. The iterator may raise too.
    """
    kinds, init_end = set(), 0
    for kind, _, end in walk_boxes(encoded):
        if kind in MEDIA_BOXES:
            break
        kinds.add(kind)
        init_end = end
    if encoded[4:8] != b"ftyp" or b"moov" not in kinds:
        raise FragmentInvalid("This file does not begin with an init segment.")
    return encoded[:init_end], split_fragments(encoded[init_end:])


def split_runs(encoded: bytes) -> list[bytes]:
    """The runs of a recording file: each is the init segment of one connection and what was sent under it.

    A session whose viewer came back has several, one after the other; see `split_recording` for one of them.

    Raises:
        FragmentInvalid: a box is cut short, or there is none.
    """
    starts = [start for kind, start, _ in walk_boxes(encoded) if kind == b"ftyp" or start == 0]
    if not starts:
        raise FragmentInvalid("This file is empty.")
    return [encoded[start:stop] for start, stop in pairwise([*starts, len(encoded)])]


def split_fragments(encoded: bytes) -> Iterator[bytes]:
    """Each run of boxes up to and including its mdat; a frame without emsg is passed on as it is.

    Raises:
        FragmentInvalid: a box is cut short, or the bytes end before an mdat.
    """
    fragment_start = last_end = 0
    for kind, _, last_end in walk_boxes(encoded):
        if kind == b"mdat":
            yield encoded[fragment_start:last_end]
            fragment_start = last_end
    if fragment_start != last_end:
        raise FragmentInvalid("This recording ends inside a fragment.")
