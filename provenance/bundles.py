"""The evidence bundle: one file from which a stranger can check what the audit log says, without us. PURE.

A ZIP of stored files in order of their names, with fixed times, so that the same evidence is the same bytes:

    bundle.json          what this is, the scope, and the SHA-256 of every other file; signed (bundle.sig.json)
    keys.json            public keys in force; keys.sig.json: endorsed under our certificate authority
    checkpoint.txt       the log's signed state (C2SP)
    entries.jsonl        per line: seq, leaf, event body, details, inclusion proof
    scope.json           proof of how many entries the scope has (subject and tenant exports)
    manifests/           session manifests as viewers received them
    approvals/           statements with the passkeys' answers
    receipts/            consent receipts
    recordings/          recordings, when asked for
    reports/             reports on service levels, as JSON and as a page
    summary.txt          the same in words, for reading; proves nothing
    VERIFY.txt           how to check
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from provenance.errors import BundleInvalid
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import SigningKey, b64, sign_statement

VERSION: Final = 1
KIND: Final = "trustcore-evidence"
PURPOSE: Final = "bundle"
KEYS_CONTEXT: Final = b"trustcore/bundle-keys\x00"
FOLDERS: Final = ("manifests", "approvals", "receipts", "recordings", "reports")
FIXED_FILES: Final = (
    "checkpoint.txt", "entries.jsonl", "keys.json", "keys.sig.json", "scope.json", "summary.txt", "VERIFY.txt",
)  # fmt: skip
FIXED_TIME: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say: times are in the entries, not in the container
MAX_FILES: Final = 20_000
MAX_DIRECTORY_BYTES: Final = MAX_FILES * 512  # names are short; read before the directory is
_END: Final = struct.Struct("<4s4H2IH")  # end of central directory, without a comment
MAX_BYTES: Final = 2 * 1024**3

HOW_TO_VERIFY: Final = """This is an evidence bundle of a Trustcore installation. Check it offline, without any secret:

    python -m provenance.verify THIS_FILE --trust authority.pem

authority.pem is the installation's certificate authority. Get it from its owner, at /check/authority.pem of the
installation, or from a copy you kept: a bundle cannot vouch for the authority that vouches for it.
"""


@dataclass(frozen=True)
class BundleEntry:
    """One log entry as a bundle holds it."""

    seq: int
    leaf: str  # canonical JSON
    body: str  # canonical JSON of the event
    details: Mapping[str, Any]
    proof: tuple[str, ...]  # hex, lowest sibling first

    def to_line(self) -> bytes:
        return canonical_bytes({**asdict(self), "proof": list(self.proof), "details": dict(self.details)}) + b"\n"


@dataclass(frozen=True)
class Scope:
    """What the bundle is about. `kind`: subject, tenant or object; an object's entries cannot be proven complete."""

    kind: str
    id: str
    proof: Mapping[str, Any] | None  # trustcore.audit.selectors.scope_proof


@dataclass(frozen=True)
class BundleSigner:
    """Keys that a bundle is signed with: its own, and the claim signer's, whose chain ends at our authority."""

    bundle_key: SigningKey
    chain_pem: str
    sign_es256: Callable[[bytes], bytes]


def write_bundle(
    *, scope: Scope, title: str, made_at: str, origin: str, note: str, entries: Sequence[BundleEntry],
    keys: Mapping[str, Any], attachments: Mapping[str, bytes], signer: BundleSigner,
) -> bytes:
    """The bundle's bytes. The same arguments give the same bytes, but for the ES256 signature (it is randomised).

    Args:
        scope, title, made_at: what, for whom and when.
        origin, note: the log's name and its checkpoint.
        entries: in order of seq.
        keys: public keys in force.
        attachments: "folder/name" -> content, folders from FOLDERS.

    Raises:
        ValueError: an attachment's name is outside the folders.
    """
    for name in attachments:
        folder, _, rest = name.partition("/")
        if folder not in FOLDERS or not rest or "/" in rest or rest.startswith("."):
            raise ValueError(f"{name} is no place for an attachment")
    files = {
        "checkpoint.txt": note.encode(),
        "entries.jsonl": b"".join(entry.to_line() for entry in entries),
        "keys.json": canonical_bytes(dict(keys)),
        "keys.sig.json": _endorsement(keys, signer),
        "scope.json": canonical_bytes({"kind": scope.kind, "id": scope.id, "proof": scope.proof}),
        "summary.txt": _summary(title, made_at, scope, entries, attachments).encode(),
        "VERIFY.txt": HOW_TO_VERIFY.encode(),
        **attachments,
    }
    body = {
        "v": VERSION, "kind": KIND, "title": title, "made_at": made_at, "log": origin, "scope": scope.kind,
        "scope_id": scope.id, "entries": len(entries),
        "files": {name: sha256_hex(files[name]) for name in sorted(files)},
    }
    files["bundle.json"] = canonical_bytes(body)
    files["bundle.sig.json"] = canonical_bytes(
        sign_statement(signer.bundle_key, PURPOSE, {"bundle_sha256": sha256_hex(files["bundle.json"])})
    )
    return _zipped(files)


def _endorsement(keys: Mapping[str, Any], signer: BundleSigner) -> bytes:
    signature = signer.sign_es256(KEYS_CONTEXT + canonical_bytes(dict(keys)))
    return canonical_bytes({"alg": "ES256", "chain_pem": signer.chain_pem, "signature": b64(signature)})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, FIXED_TIME)
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[name])
    return out.getvalue()


def _summary(
    title: str, made_at: str, scope: Scope, entries: Sequence[BundleEntry], attachments: Mapping[str, bytes],
) -> str:
    """The entries one a line, for people. What holds is said by the verifier, not by this text."""
    lines = [title, f"Evidence about {scope.kind} {scope.id}, exported {made_at}.", f"{len(entries)} log entries.", ""]
    for entry in entries:
        body = json.loads(entry.body)
        reason = f" ({body['reason']})" if body["reason"] else ""
        thing = f"{body['object']['type']} {body['object']['id']}"
        who = f"{body['actor']['type']} {body['actor']['id']}".strip()
        what = f"{body['action']}  {body['outcome']}{reason}"
        lines.append(f"{entry.seq:>8}  {body['ts']}  {what}  about {thing}  by {who}")
    lines += ["", f"{len(attachments)} attached files:", *sorted(attachments), ""]
    return "\n".join(lines)


def read_files(content: bytes) -> dict[str, bytes]:
    """The files of a bundle, by name. Checks only that the container is one of ours; proves nothing.

    Raises:
        BundleInvalid: no ZIP, compressed, doubled or strange names, or too large.
    """
    if len(content) > MAX_BYTES:
        raise BundleInvalid("This bundle is larger than 2 GB.")
    _check_directory(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            _check_container(infos, len(content))
            return {info.filename: archive.read(info) for info in infos}
    except _UNREADABLE_ZIP as error:
        raise BundleInvalid("This is not an evidence bundle, or it was cut short.") from error


# What the standard library raises for a ZIP whose numbers do not add up; ValueError is a place before the file's start.
_UNREADABLE_ZIP: Final = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError,
    OverflowError, struct.error,
)


def _check_directory(content: bytes) -> None:
    """The directory's declared size, before it is read: a short file may name millions of files."""
    if len(content) < _END.size:
        raise BundleInvalid("This is not an evidence bundle, or it was cut short.")
    magic, _, _, _, count, directory_bytes, _, comment_bytes = _END.unpack(content[-_END.size :])
    if magic != b"PK\x05\x06" or comment_bytes:
        raise BundleInvalid("This is not an evidence bundle, or it was cut short.")
    if count > MAX_FILES or directory_bytes > MAX_DIRECTORY_BYTES:
        raise BundleInvalid("This bundle holds too many files.")


def _check_container(infos: Sequence[zipfile.ZipInfo], size_bytes: int) -> None:
    names = [info.filename for info in infos]
    if len(set(names)) != len(names) or len(names) > MAX_FILES:
        raise BundleInvalid("This bundle holds a file twice, or too many files.")
    # Stored files cannot be more than the container, unless they lie over each other: then a small file fills memory.
    if sum(info.file_size for info in infos) > size_bytes:
        raise BundleInvalid("The files of this bundle lie over each other.")
    for info in infos:
        folder, slash, rest = info.filename.partition("/")
        is_ours = info.filename in {*FIXED_FILES, "bundle.json", "bundle.sig.json"} or (
            slash and folder in FOLDERS and rest and "/" not in rest and not rest.startswith(".")
        )
        if not is_ours or info.compress_type != zipfile.ZIP_STORED or info.file_size > MAX_BYTES:
            raise BundleInvalid(f"This bundle holds something that does not belong there: {info.filename[:80]}.")


def is_bundle(content: bytes) -> bool:
    """Whether these bytes look like a bundle (a ZIP); whether it is one, `bundle_checks.report_on` says."""
    return content.startswith(b"PK\x03\x04")
