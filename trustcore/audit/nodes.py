"""Reading the stored tree: leaf hashes from the entries, complete subtrees from the node table."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from trustcore.audit.models import Entry, TreeNode
from trustcore.primitives.merkle import NodeReader

Coordinates = tuple[int, int]  # level, index
Result = TypeVar("Result")


def frontier_of(size: int) -> list[Coordinates]:
    """The complete subtrees that a tree of `size` leaves consists of: all that appending to it needs."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length()) if size >> level & 1]


def fetch(wanted: Iterable[Coordinates]) -> dict[Coordinates, bytes]:
    """Hashes of these nodes, in one query per level. Raises KeyError (on use) where one is not stored."""
    by_level: dict[int, list[int]] = {}
    for level, index in set(wanted):
        by_level.setdefault(level, []).append(index)
    found: dict[Coordinates, bytes] = {}
    for seq, value in Entry.objects.filter(seq__in=by_level.pop(0, [])).values_list("seq", "leaf_hash"):
        found[0, seq] = bytes(value)
    for level, indices in by_level.items():
        rows = TreeNode.objects.filter(level=level, index__in=indices).values_list("index", "node_hash")
        found.update(((level, index), bytes(value)) for index, value in rows)
    return found


def with_nodes(compute: Callable[[NodeReader], Result]) -> Result:
    """Run `compute` with a reader of stored nodes. It runs twice: once to learn which nodes it reads, once with them.

    A proof in a log of a million entries then costs a handful of queries, not one per node.
    """
    wanted: list[Coordinates] = []

    def note(level: int, index: int) -> bytes:
        wanted.append((level, index))
        return b"\x00" * 32

    compute(note)
    nodes = fetch(wanted)
    return compute(lambda level, index: nodes[level, index])
