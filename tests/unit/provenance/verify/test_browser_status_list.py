"""The browser reads the authority's status list as Python does: the page's own code, in node."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.manifests import certs, status_lists
from provenance.manifests.certs import Authority
from provenance.manifests.errors import StatusListInvalid
from provenance.manifests.status_lists import Revocation
from tests.common.in_node import address, in_node, needs_node

NOW = datetime.now(UTC).replace(microsecond=0)
pytestmark = [
    needs_node,
    pytest.mark.filterwarnings("ignore::provenance.manifests.certs.InsecureProviderWarning"),
]
SCRIPT = f"""
import {{ readFileSync }} from "node:fs";
const {{ isRevoked, StatusLists }} = await import({address("verify/status_list.js")});
const {{ Invalid }} = await import({address("verify/bytes.js")});
const {{ lists, certificate, anchor, nowMs, isOnePage }} = JSON.parse(readFileSync(0, "utf-8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));
const said = [];
const page = new StatusLists();
const ask = isOnePage ? (...told) => page.isRevoked(...told) : isRevoked;
for (const list of lists) {{
  try {{
    said.push(await ask(bytes(list), bytes(certificate), anchor, nowMs));
  }} catch (error) {{
    if (!(error instanceof Invalid)) throw error;
    said.push(error.message);
  }}
}}
console.log(JSON.stringify(said));
"""


def read(
    lists: list[bytes], leaf: x509.Certificate, anchor: str, now: datetime = NOW, *, is_one_page: bool = False,
) -> list[bool | str]:
    """What the browser says to each list: whether the leaf is on it, or why it cannot be believed.

    `is_one_page`: one page sees them all, one after the other.
    """
    asked = {"lists": [one.hex() for one in lists], "anchor": anchor, "nowMs": now.timestamp() * 1000,
             "isOnePage": is_one_page,
             "certificate": leaf.public_bytes(serialization.Encoding.DER).hex()}
    answer: list[bool | str] = in_node(SCRIPT, told=asked, within_s=120)
    return answer


def python_says(encoded: bytes, leaf: x509.Certificate, anchor: str, now: datetime = NOW) -> bool | None:
    try:
        return status_lists.read(encoded, anchor, now).revocation_of(leaf.serial_number) is not None
    except StatusListInvalid:
        return None


def leaf_of(authority: Authority) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certs.issue_claim_signer(authority, NOW)[0].encode())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return certs.make_ca(NOW)


@pytest.fixture(scope="module")
def leaf(authority: Authority) -> x509.Certificate:
    return leaf_of(authority)


def list_of(authority: Authority, *serials: int, **what: Any) -> bytes:
    revoked = [Revocation(serial, NOW, "key_compromise") for serial in serials]
    return status_lists.make(authority, revoked, what.get("now", NOW), 7)


def test_a_certificate_is_on_the_list_or_not(authority: Authority, leaf: x509.Certificate) -> None:
    on, off, empty = list_of(authority, 5, leaf.serial_number), list_of(authority, 5), list_of(authority)
    pem = x509.load_der_x509_crl(on).public_bytes(serialization.Encoding.PEM)
    assert read([on, off, empty, pem], leaf, authority.certificate_pem) == [True, False, False, True]


def test_a_page_that_saw_a_newer_list_takes_no_older_one(authority: Authority, leaf: x509.Certificate) -> None:
    """Who holds the line may send the list from before a revocation."""
    old, newer, other = (list_of(authority, *on, now=NOW - timedelta(minutes=ago))
                         for ago, on in ((9, ()), (3, (5,)), (3, (5,))))
    said = read([newer, old, other], leaf, authority.certificate_pem, is_one_page=True)
    assert said == [False, "the status list is older than one before it", False]


def test_for_a_page_a_revoked_signer_stays_revoked(authority: Authority, leaf: x509.Certificate) -> None:
    on = list_of(authority, leaf.serial_number, now=NOW - timedelta(minutes=3))
    lists = [on, list_of(authority, now=NOW - timedelta(minutes=9)), list_of(authority), b""]
    assert read(lists, leaf, authority.certificate_pem, is_one_page=True) == [True, True, True, True]


def test_several_authorities_may_be_trusted_and_each_speaks_for_its_own(
    authority: Authority, leaf: x509.Certificate,
) -> None:
    other = certs.make_ca(NOW, organisation="Elsewhere")
    both = authority.certificate_pem + other.certificate_pem
    said = read([list_of(authority, leaf.serial_number), list_of(other, leaf.serial_number)], leaf, both)
    assert said == [True, "the status list is another authority's"]


def test_a_longer_curve_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certs.ec, "SECP256R1", ec.SECP384R1)
    authority = certs.make_ca(NOW)
    leaf = leaf_of(authority)
    lists = [list_of(authority, leaf.serial_number), list_of(authority)]
    assert read(lists, leaf, authority.certificate_pem) == [True, False]


@pytest.mark.parametrize(("after", "outcome"), [
    (timedelta(0), False), (timedelta(days=29), False), (timedelta(days=31), "the status list is out of date"),
    (-timedelta(hours=1), "the status list is out of date"),
])
def test_a_list_out_of_date_says_nothing(
    authority: Authority, leaf: x509.Certificate, after: timedelta, outcome: bool | str,
) -> None:
    encoded, now = list_of(authority), NOW + after
    assert read([encoded], leaf, authority.certificate_pem, now) == [outcome]
    assert python_says(encoded, leaf, authority.certificate_pem, now) is (None if outcome else False)


def critical(authority: Authority) -> bytes:
    """A list of changes since another list (RFC 5280 5.2.4)."""
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode()).subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer).last_update(NOW).next_update(
        NOW + timedelta(days=1)).add_extension(x509.DeltaCRLIndicator(6), critical=True)
    return builder.sign(authority.private_key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_foreign_partial_and_malformed_lists_say_nothing(authority: Authority, leaf: x509.Certificate) -> None:
    good, twin = list_of(authority), certs.make_ca(NOW)  # another authority of the same name
    lists = [list_of(twin), critical(authority), b"", b"<html>", b"-----BEGIN no", good[:-1], good + b"\0", b"0" * 100]
    said = read(lists, leaf, authority.certificate_pem)
    assert all(isinstance(one, str) for one in said), said
    assert "not signed by the authority" in str(said[0]) and "critical extension" in str(said[1])
    assert {python_says(one, leaf, authority.certificate_pem) for one in lists[:-1]} == {None}


def test_a_signature_with_bits_left_over_is_refused_here_and_there(
    authority: Authority, leaf: x509.Certificate,
) -> None:
    """The library takes them where they are zero, as in every second signature."""
    for _ in range(64):
        encoded = list_of(authority, leaf.serial_number)
        signature = x509.load_der_x509_crl(encoded).signature
        if signature[-1] & 1 == 0:
            break
    before = len(encoded) - len(signature) - 1
    changed = encoded[:before] + b"\1" + encoded[before + 1 :]
    assert read([encoded, changed], leaf, authority.certificate_pem) == [True, "signature length"]
    assert python_says(encoded, leaf, authority.certificate_pem) is True
    assert python_says(changed, leaf, authority.certificate_pem) is None


def test_every_changed_byte_is_refused_here_and_there(authority: Authority, leaf: x509.Certificate) -> None:
    encoded = list_of(authority, leaf.serial_number)
    changed = [encoded[:at] + bytes([encoded[at] ^ bit]) + encoded[at + 1 :]
               for at in range(len(encoded)) for bit in (1, 0x80)]
    said = read(changed, leaf, authority.certificate_pem)
    assert [one for one in said if not isinstance(one, str)] == []
    assert {python_says(one, leaf, authority.certificate_pem) for one in changed} == {None}
