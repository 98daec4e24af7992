"""RFC 6962 trees: the definition, the stored-node path, another implementation, and proofs that must not pass."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from trustcore.primitives import merkle
from trustcore.primitives.errors import ProofInvalid

# Published vectors of the certificate-transparency reference tests (RFC 6962 leaf data).
DATA = [bytes.fromhex(h) for h in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                                   "606162636465666768696a6b6c6d6e6f")]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(i.to_bytes(4, "big")) for i in range(count)]


@pytest.mark.parametrize("size", ROOTS)
def test_published_roots(size: int) -> None:
    assert merkle.root([merkle.leaf_hash(d) for d in DATA[:size]]).hex() == ROOTS[size]


def test_empty_root() -> None:
    assert merkle.root([]) == merkle.Tree().root == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=120), st.integers(0, 119), st.integers(1, 120))
def test_stored_nodes_agree_with_the_definition_and_pymerkle(data: list[bytes], pick: int, cut: int) -> None:
    hashes = [merkle.leaf_hash(d) for d in data]
    cut = 1 + cut % len(data)
    tree = merkle.Tree(hashes[:cut])
    tree.extend(hashes[cut:])
    other = InmemoryTree(algorithm="sha256")
    for entry in data:
        other.append_entry(entry)
    assert tree.root == merkle.root(hashes) == other.get_root()
    index = pick % len(data)
    merkle.verify_inclusion(hashes[index], index, len(data), tree.inclusion_proof(index), tree.root)
    merkle.verify_consistency(cut, len(data), merkle.root(hashes[:cut]), tree.root, tree.consistency_proof(cut))


@given(st.integers(2, 60), st.data())
def test_any_changed_step_of_an_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    tree, index = merkle.Tree(leaves(size)), data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index)
    step = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    wrong = int.from_bytes(proof[step], "big") ^ (1 << bit)
    proof[step] = wrong.to_bytes(32, "big")
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(leaves(size)[index], index, size, proof, tree.root)


@given(st.integers(2, 60), st.data())
def test_a_proof_is_for_one_index_only(size: int, data: st.DataObject) -> None:
    tree = merkle.Tree(leaves(size))
    index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(leaves(size)[index], other, size, tree.inclusion_proof(index), tree.root)


@pytest.mark.parametrize("change", ["short", "long"])
def test_proofs_of_the_wrong_length_are_refused(change: str) -> None:
    tree = merkle.Tree(leaves(11))
    proof = tree.inclusion_proof(3)
    proof = proof[:-1] if change == "short" else [*proof, b"\0" * 32]
    with pytest.raises(ProofInvalid):
        merkle.verify_inclusion(leaves(11)[3], 3, 11, proof, tree.root)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 39))
def test_a_rewritten_prefix_is_refused(old: int, more: int, victim: int) -> None:
    honest, size = leaves(old + more), old + more
    old_root = merkle.root(honest[:old])
    forged = honest.copy()
    forged[victim % old] = merkle.leaf_hash(b"forged")
    tree = merkle.Tree(forged)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, size, old_root, tree.root, tree.consistency_proof(old))


def test_a_log_that_shrinks_or_forks_at_one_size_is_refused() -> None:
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(5, 4, merkle.root(leaves(5)), merkle.root(leaves(4)), [])
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(5, 5, merkle.root(leaves(5)), b"\0" * 32, [])
