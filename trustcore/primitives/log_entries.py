"""The log's leaf, its scopes, and the one function that checks a whole log. PURE: sequencer, `verify_audit` and the
offline bundle verifier share it.

A leaf wraps an event: {v, seq, body: hash of the event's canonical bytes, scopes: [{scope, n, prev}]}. Per scope (a
tenant, a subject; named by commitments) it holds the count n so far and the hash of the scope's previous leaf, so that
a chosen scope's entries form a chain. A checkpoint carries the root of the map scope -> last n: a chain is complete
when its last n is the map's.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trustcore.primitives import merkle
from trustcore.primitives.canonical import canonical_bytes, from_canonical
from trustcore.primitives.checkpoints import Checkpoint, open_checkpoint
from trustcore.primitives.errors import ProofInvalid
from trustcore.primitives.hashing import commitment, sha256_hex
from trustcore.primitives.signing import VerifyKey

LEAF_VERSION = 1


@dataclass(frozen=True)
class ScopeHead:
    """Where one scope's chain stands: entries so far and the hash of its last leaf (32 bytes, empty at n = 0)."""

    n: int = 0
    last_leaf: bytes = b""


@dataclass(frozen=True)
class StoredEntry:
    """One entry as it lies in the database or in a bundle. `details` is None where they are not at hand."""

    seq: int
    leaf: bytes
    body: bytes
    details: Mapping[str, Any] | None = None


@dataclass
class LogReport:
    """What `verify_log` found to hold."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT
    checkpoints: int = 0
    unsigned_tail: int = 0  # entries after the last checkpoint
    details_checked: int = 0
    scopes: dict[str, ScopeHead] = field(default_factory=dict, repr=False)


def leaf_bytes(seq: int, body: bytes, scopes: Sequence[str], heads: Mapping[str, ScopeHead]) -> bytes:
    """The leaf of an event: its number, its body's hash, and a link for each scope it belongs to."""
    links = []
    for scope in scopes:
        head = heads.get(scope, ScopeHead())
        links.append({"scope": scope, "n": head.n + 1, "prev": head.last_leaf.hex()})
    return canonical_bytes({"v": LEAF_VERSION, "seq": seq, "body": sha256_hex(body), "scopes": links})


def advance(heads: dict[str, ScopeHead], scopes: Sequence[str], leaf_hash: bytes) -> None:
    """Move the heads of these scopes to the new leaf."""
    for scope in scopes:
        heads[scope] = ScopeHead(heads.get(scope, ScopeHead()).n + 1, leaf_hash)


def scope_leaf(scope: str, head: ScopeHead) -> bytes:
    """One leaf of the map scope -> last n."""
    return canonical_bytes({"scope": scope, "n": head.n, "last": head.last_leaf.hex()})


def scopes_tree(heads: Mapping[str, ScopeHead]) -> merkle.Tree:
    """The map as a tree, sorted by scope, so that equal maps have equal roots."""
    return merkle.Tree([merkle.leaf_hash(scope_leaf(scope, heads[scope])) for scope in sorted(heads)])


def details_commitment(details: Mapping[str, Any]) -> str:
    """The salted commitment to an event's details that its body carries. Without the salt it tells nothing."""
    content = {"open": details["open"], "personal": details["personal"]}
    return commitment(bytes.fromhex(details["salt"]), canonical_bytes(content))


def verify_log(entries: Iterable[StoredEntry], notes: Iterable[str], origin: str, key: VerifyKey) -> LogReport:
    """Check a whole log from its first entry: numbers, hashes, chains, and every checkpoint.

    Args:
        entries: in order of seq, from 0.
        notes: the signed checkpoints, in order of size.
        origin, key: whose log it is.

    Raises:
        ProofInvalid: an entry is missing, changed, out of order or not in its chain; or a checkpoint does not fit.
        SignatureInvalid: a checkpoint is not signed by `key`.
    """
    report = LogReport()
    waiting = iter(notes)
    checkpoint = _next_checkpoint(waiting, origin, key)
    frontier: dict[tuple[int, int], bytes] = {}
    while checkpoint is not None and checkpoint.size == 0:
        checkpoint = _check_checkpoint(checkpoint, report, waiting, origin, key)
    for entry in entries:
        _check_entry(entry, report)
        leaf_hash = merkle.leaf_hash(entry.leaf)
        _append(frontier, report.size, leaf_hash)
        report.size += 1
        while checkpoint is not None and checkpoint.size == report.size:
            report.root = merkle.tree_root(lambda level, index: frontier[level, index], report.size)
            checkpoint = _check_checkpoint(checkpoint, report, waiting, origin, key)
            report.unsigned_tail = -1
        report.unsigned_tail += 1
    if checkpoint is not None:
        raise ProofInvalid(
            f"A checkpoint states {checkpoint.size} entries, but the log has {report.size}.", size=report.size
        )
    if report.size:
        report.root = merkle.tree_root(lambda level, index: frontier[level, index], report.size)
    return report


def _append(frontier: dict[tuple[int, int], bytes], size: int, leaf_hash: bytes) -> None:
    for level, index, value in merkle.new_nodes(lambda lv, ix: frontier[lv, ix], size, [leaf_hash]):
        frontier[level, index] = value
        if level:  # a complete pair is never read again on its own
            frontier.pop((level - 1, index * 2 + 1), None)
            frontier.pop((level - 1, index * 2), None)


def _check_entry(entry: StoredEntry, report: LogReport) -> None:
    if entry.seq != report.size:
        raise ProofInvalid(f"Entry {report.size} is missing: entry {entry.seq} stands in its place.", seq=report.size)
    try:
        leaf, body = from_canonical(entry.leaf), from_canonical(entry.body)
        scopes = [link["scope"] for link in leaf["scopes"]]
        stated = body["details_hash"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProofInvalid(f"Entry {entry.seq} is not readable.", seq=entry.seq) from error
    if leaf_bytes(entry.seq, entry.body, scopes, report.scopes) != entry.leaf:
        raise ProofInvalid(f"Entry {entry.seq} does not fit its event or its chains.", seq=entry.seq)
    if entry.details is not None:
        if details_commitment(entry.details) != stated:
            raise ProofInvalid(f"The details of entry {entry.seq} were changed.", seq=entry.seq)
        report.details_checked += 1
    advance(report.scopes, scopes, merkle.leaf_hash(entry.leaf))


def _check_checkpoint(
    checkpoint: Checkpoint, report: LogReport, waiting: Iterator[str], origin: str, key: VerifyKey
) -> Checkpoint | None:
    if checkpoint.root != report.root:
        raise ProofInvalid(f"The checkpoint of size {checkpoint.size} has another root.", size=checkpoint.size)
    if checkpoint.scopes_root != scopes_tree(report.scopes).root:
        raise ProofInvalid(f"The checkpoint of size {checkpoint.size} states other scopes.", size=checkpoint.size)
    report.checkpoints += 1
    return _next_checkpoint(waiting, origin, key)


def _next_checkpoint(waiting: Iterator[str], origin: str, key: VerifyKey) -> Checkpoint | None:
    note = next(waiting, None)
    return None if note is None else open_checkpoint(note, origin, key)


def proof_text(seq: int, hashes: Sequence[bytes], note: str) -> str:
    """An inclusion proof with its checkpoint as one text (C2SP tlog-proof)."""
    lines = ["c2sp.org/tlog-proof@v1", f"index {seq}", *(base64.b64encode(value).decode() for value in hashes)]
    return "\n".join(lines) + "\n\n" + note


def open_proof(text: str, leaf: bytes, origin: str, key: VerifyKey) -> tuple[int, Checkpoint]:
    """The entry's number and the checkpoint, once the proof leads from `leaf` to the checkpoint's root.

    Raises:
        ProofInvalid, SignatureInvalid
    """
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 2 or not lines[1].startswith("index "):
        raise ProofInvalid("This is not a log proof.")
    try:
        seq = int(lines[1][6:])
        hashes = [base64.b64decode(line, validate=True) for line in lines[2:]]
    except ValueError as error:
        raise ProofInvalid("This log proof is malformed.") from error
    checkpoint = open_checkpoint(note, origin, key)
    merkle.verify_inclusion(merkle.leaf_hash(leaf), seq, checkpoint.size, hashes, checkpoint.root)
    return seq, checkpoint
