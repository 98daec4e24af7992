"""Merkle trees as in RFC 6962 section 2.1 (and RFC 9162): roots, inclusion and consistency proofs.

Leaf hash H(0x00 || data), node hash H(0x01 || left || right). An empty tree's root is H(""). Functions take leaf
hashes, or a `node` reader so that a log of a million entries is proved from stored nodes without holding it.
"""

import hashlib
from collections.abc import Callable, Sequence

from trustcore.primitives.errors import ProofInvalid

NodeReader = Callable[[int, int], bytes]  # (level, index) -> hash of the perfect subtree of 2**level leaves

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1


def root(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, by the definition: the slow truth the fast path is compared with."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = _split(len(leaves))
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def range_root(node: NodeReader, start: int, end: int) -> bytes:
    """Root over leaves start..end-1, from stored perfect subtrees. `start` is a multiple of the subtree's size."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    k = _split(size)
    return node_hash(range_root(node, start, start + k), range_root(node, start + k, end))


def tree_root(node: NodeReader, size: int) -> bytes:
    return range_root(node, 0, size) if size else EMPTY_ROOT


def new_nodes(node: NodeReader, size: int, leaves: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """Perfect-subtree nodes that appending `leaves` to a tree of `size` completes: (level, index, hash).

    `node` reads what is stored already; nodes made here are used before they are stored.
    """
    made: dict[tuple[int, int], bytes] = {}
    out: list[tuple[int, int, bytes]] = []
    for offset, leaf in enumerate(leaves):
        index, level, value = size + offset, 0, leaf
        made[0, index] = leaf
        out.append((0, index, leaf))
        while index & 1:
            left = made.get((level, index - 1)) or node(level, index - 1)
            value, level, index = node_hash(left, value), level + 1, index >> 1
            made[level, index] = value
            out.append((level, index, value))
    return out


def inclusion_proof(node: NodeReader, index: int, size: int) -> list[bytes]:
    """Audit path of leaf `index` in the tree of `size` leaves, lowest sibling first (RFC 6962 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        k = _split(end - start)
        if index < start + k:
            path.append(range_root(node, start + k, end))
            end = start + k
        else:
            path.append(range_root(node, start, start + k))
            start += k
    return path[::-1]


def consistency_proof(node: NodeReader, old: int, new: int) -> list[bytes]:
    """Proof that the tree of `old` leaves is a prefix of the tree of `new` (RFC 6962 2.1.2). Needs 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")

    def subproof(old_end: int, start: int, end: int, is_whole: bool) -> list[bytes]:
        if old_end == end:
            return [] if is_whole else [range_root(node, start, end)]
        k = _split(end - start)
        if old_end <= start + k:
            return [*subproof(old_end, start, start + k, is_whole), range_root(node, start + k, end)]
        return [*subproof(old_end, start + k, end, False), range_root(node, start, start + k)]

    return subproof(old, 0, new, True)


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that this path leads to (RFC 9162 2.1.3.2).

    Raises:
        ProofInvalid: the path has the wrong length for this index and size.
    """
    if not 0 <= index < size:
        raise ProofInvalid("The entry's number is not inside the log.", index=index, size=size)
    fn, sn, value = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise ProofInvalid("The proof is too long for this log.", index=index, size=size)
        if fn & 1 or fn == sn:
            value = node_hash(sibling, value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofInvalid("The proof is too short for this log.", index=index, size=size)
    return value


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], tree: bytes) -> None:
    """Raises ProofInvalid unless `leaf` stands at `index` under the root `tree` of `size` leaves."""
    if root_from_inclusion(leaf, index, size, proof) != tree:
        raise ProofInvalid("The proof does not lead to the checkpoint's root.", index=index, size=size)


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises ProofInvalid unless the first tree is a prefix of the second (RFC 9162 2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofInvalid("The log has become shorter. Stop and tell its owner.", old=old, new=new)
    if old in (0, new):
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise ProofInvalid("Two checkpoints of one size differ. Stop and tell the log's owner.", size=new)
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofInvalid("The consistency proof is empty.", old=old, new=new)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for step in path[1:]:
        if sn == 0:
            raise ProofInvalid("The consistency proof is too long.", old=old, new=new)
        if fn & 1 or fn == sn:
            fr, sr = node_hash(step, fr), node_hash(step, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or fr != old_root or sr != new_root:
        raise ProofInvalid("The newer log does not contain the older one. Stop and tell its owner.", old=old, new=new)


class Tree:
    """A tree in memory: leaf hashes and perfect-subtree nodes. For segments of frames, bundles and tests."""

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self._nodes: dict[tuple[int, int], bytes] = {}
        self.size = 0
        self.extend(leaves)

    def extend(self, leaves: Sequence[bytes]) -> None:
        self._nodes.update(((level, i), value) for level, i, value in new_nodes(self.node, self.size, leaves))
        self.size += len(leaves)

    def node(self, level: int, index: int) -> bytes:
        return self._nodes[level, index]

    @property
    def root(self) -> bytes:
        return tree_root(self.node, self.size)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        return inclusion_proof(self.node, index, self.size if size is None else size)

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        return consistency_proof(self.node, old, self.size if new is None else new)
