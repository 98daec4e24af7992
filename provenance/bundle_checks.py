"""Every check of an evidence bundle, in order, numbered. PURE. The first that fails is the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from provenance import bundles
from provenance.approval_evidence import check_approval
from provenance.errors import BundleInvalid
from provenance.manifests import fmp4, segments
from provenance.manifests.errors import FragmentInvalid, ManifestInvalid
from provenance.manifests.session_manifest import read_session_manifest
from provenance.verify import video
from provenance.verify.certificates import SERIAL, SERIALS
from provenance.verify.reports import Outcome, Report
from trustcore.primitives import merkle
from trustcore.primitives.canonical import canonical_bytes, from_canonical
from trustcore.primitives.checkpoints import Checkpoint, open_checkpoint
from trustcore.primitives.clock import from_rfc3339
from trustcore.primitives.errors import ProofInvalid, SignatureInvalid
from trustcore.primitives.hashing import sha256_hex, statement_sha256
from trustcore.primitives.log_entries import ScopeHead, details_commitment, scope_leaf
from trustcore.primitives.signing import VerifyKey, unb64, verify_statement

RECEIPT_PURPOSE = "consent-receipt"


@dataclass
class Evidence:
    """A bundle while it is being checked: what holds so far."""

    files: Mapping[str, bytes]
    body: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None
    events: list[dict[str, Any]] = field(default_factory=list)  # event bodies with "seq" and open "details"
    said: list[str] = field(default_factory=list)
    is_trusted: bool = False
    serials: set[str] = field(default_factory=set)  # hex, of the certificates that what is in it was signed under


def report_on(name: str, content: bytes, trust_pem: str) -> Report:
    """The verdict on a bundle's bytes. Never raises for what is wrong with it.

    Args:
        name: what the report calls it.
        content: the file.
        trust_pem: the authority you trust; "" when you have none, and then the best verdict is "untrusted".
    """
    report = Report(name, "evidence bundle", Outcome.CHANGED)
    try:
        evidence = Evidence(bundles.read_files(content))
        for step in (_listed_files, _bundle_signature, _checkpoint, _entries, _scope):  # (1) to (5)
            step(evidence)
        evidence.is_trusted = _endorsement(evidence, trust_pem)  # (6)
        for attached in (_approvals, _receipts, _reports):  # (7) to (9)
            attached(evidence)
        if evidence.is_trusted:
            _manifests(evidence, trust_pem)  # (10)
            _recordings(evidence, trust_pem)  # (11)
    except (BundleInvalid, ProofInvalid, SignatureInvalid, ManifestInvalid, FragmentInvalid) as error:
        report.sentences = [error.message]
        return report
    report.sentences, report.facts = evidence.said, _facts(evidence)
    report.outcome = Outcome.VERIFIED if evidence.is_trusted else Outcome.UNTRUSTED
    if not evidence.is_trusted:
        report.sentences.append(
            "The keys are not endorsed by an authority you named, so manifests and recordings were not checked. "
            "Name the authority you trust with --trust."
        )
    return report


def _facts(evidence: Evidence) -> dict[str, Any]:
    assert evidence.checkpoint is not None
    body = evidence.body
    return {
        "title": body["title"], "made_at": body["made_at"], "log": body["log"], "log_size": evidence.checkpoint.size,
        "entries": len(evidence.events), "scope": body["scope"], "scope_id": body["scope_id"],
        SERIALS: sorted(evidence.serials - {""}),
    }


def _json(evidence: Evidence, name: str) -> Any:
    """A file that must be one object of canonical JSON."""
    try:
        found = from_canonical(evidence.files[name])
    except (KeyError, ValueError, RecursionError) as error:
        raise BundleInvalid(f"{name} is missing or malformed.", file=name) from error
    if not isinstance(found, dict):
        raise BundleInvalid(f"{name} is not an object.", file=name)
    return found


def _listed_files(evidence: Evidence) -> None:
    """(1) Exactly the files that bundle.json lists, each with its hash."""
    body = _json(evidence, "bundle.json")
    try:
        listed = dict(body["files"])
        if (body["v"], body["kind"]) != (bundles.VERSION, bundles.KIND):
            raise BundleInvalid("This bundle has a version that this verifier does not know.")
        for name in ("title", "made_at", "log", "scope", "scope_id", "entries"):
            body[name]
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid("bundle.json does not say what it must.") from error
    if missing := set(bundles.FIXED_FILES) - set(listed):
        raise BundleInvalid(f"This bundle lacks {min(missing)}.", file=min(missing))
    if set(listed) | {"bundle.json", "bundle.sig.json"} != set(evidence.files):
        raise BundleInvalid("This bundle lacks a listed file, or holds one that is not listed.")
    for name, digest in listed.items():
        if sha256_hex(evidence.files[name]) != digest:
            raise BundleInvalid(f"{name} was changed.", file=name)
    evidence.body = body


def _bundle_signature(evidence: Evidence) -> None:
    """(2) bundle.json is signed by the bundle key of keys.json."""
    evidence.keys = _json(evidence, "keys.json")
    signed = verify_statement(_json(evidence, "bundle.sig.json"), bundles.PURPOSE, _key(evidence, "bundle"))
    if signed.get("bundle_sha256") != sha256_hex(evidence.files["bundle.json"]):
        raise BundleInvalid("The signature is of another bundle.")
    evidence.said.append("The bundle is whole and signed; no file in it was changed.")


def _key(evidence: Evidence, purpose: str) -> dict[str, VerifyKey]:
    try:
        key = VerifyKey(unb64(evidence.keys[purpose]))
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid(f"keys.json holds no {purpose} key.") from error
    return {key.kid: key}


def _checkpoint(evidence: Evidence) -> None:
    """(3) The checkpoint is signed by the log's key."""
    origin = str(evidence.body["log"])
    (key,) = _key(evidence, "log_key").values()
    note = evidence.files["checkpoint.txt"].decode("utf-8", "replace")
    evidence.checkpoint = open_checkpoint(note, origin, key)
    evidence.said.append(f"The log {origin} had {evidence.checkpoint.size} entries; its key signed that state.")


def _entries(evidence: Evidence) -> None:
    """(4) Each entry: the details fit the event, the event fits the leaf, the leaf is in the log of the checkpoint."""
    last = -1
    for line in evidence.files["entries.jsonl"].splitlines():
        try:
            entry = from_canonical(line)
            event = _checked_entry(entry, evidence.checkpoint)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleInvalid(f"An entry after number {last} is malformed.") from error
        if entry["seq"] <= last:
            raise BundleInvalid("The entries are not in order.")
        last = entry["seq"]
        evidence.events.append(event)
    if len(evidence.events) != evidence.body["entries"]:
        raise BundleInvalid("The bundle holds another number of entries than it says.")
    evidence.said.append(f"{len(evidence.events)} entries are proven to be in that log, unchanged, with their details.")


def _checked_entry(entry: dict[str, Any], checkpoint: Checkpoint | None) -> dict[str, Any]:
    assert checkpoint is not None
    seq, leaf_text, body_text = entry["seq"], entry["leaf"].encode(), entry["body"].encode()
    leaf, body = from_canonical(leaf_text), from_canonical(body_text)
    if leaf["seq"] != seq or leaf["body"] != sha256_hex(body_text):
        raise BundleInvalid(f"Entry {seq} does not hold the event it names.", seq=seq)
    if details_commitment(entry["details"]) != body["details_hash"]:
        raise BundleInvalid(f"The details of entry {seq} were changed.", seq=seq)
    path = [bytes.fromhex(value) for value in entry["proof"]]
    merkle.verify_inclusion(merkle.leaf_hash(leaf_text), seq, checkpoint.size, path, checkpoint.root)
    if not isinstance(body["action"], str) or not isinstance(body["object"]["id"], str) or not body["outcome"]:
        raise TypeError
    if not isinstance(entry["details"]["open"], dict) or type(seq) is not int:
        raise TypeError
    links = {link["scope"]: (link["n"], link["prev"]) for link in leaf["scopes"]}
    return {**body, "seq": seq, "links": links, "leaf_hash": merkle.leaf_hash(leaf_text).hex(),
            "details": entry["details"]["open"]}


def _scope(evidence: Evidence) -> None:
    """(5) For a subject or a tenant: the chain has no gap, and the log itself says that it ends here."""
    told = _json(evidence, "scope.json")
    proof = told.get("proof")
    if proof is None:
        if evidence.body["scope"] != "object":
            raise BundleInvalid("This bundle does not prove that its scope is whole.")
        evidence.said.append("These are chosen entries: the bundle does not say that there are no others.")
        return
    try:
        scope, head = proof["scope"], ScopeHead(proof["n"], bytes.fromhex(proof["last"]))
        path = [bytes.fromhex(value) for value in proof["hashes"]]
        _check_chain(evidence, scope, head)
        assert evidence.checkpoint is not None
        leaf, scopes_root = merkle.leaf_hash(scope_leaf(scope, head)), evidence.checkpoint.scopes_root
        merkle.verify_inclusion(leaf, proof["index"], proof["size"], path, scopes_root)
    except (KeyError, TypeError, ValueError) as error:
        raise BundleInvalid("The proof that the scope is whole is malformed.") from error
    evidence.said.append(f"Nothing is missing: the log has exactly these {head.n} entries about this {told['kind']}.")


def _check_chain(evidence: Evidence, scope: str, head: ScopeHead) -> None:
    previous = ""
    for number, event in enumerate(evidence.events, start=1):
        if event["links"].get(scope) != (number, previous):
            raise BundleInvalid(f"An entry of this scope is missing before entry {event['seq']}.", seq=event["seq"])
        previous = event["leaf_hash"]
    if len(evidence.events) != head.n or previous != head.last_leaf.hex():
        raise BundleInvalid("The last entries of this scope are missing.")


def _endorsement(evidence: Evidence, trust_pem: str) -> bool:
    """(6) The keys are endorsed by a certificate of the authority that the reader trusts. False without an authority.

    Raises:
        BundleInvalid: the endorsement is false, whoever is trusted.
    """
    told = _json(evidence, "keys.sig.json")
    try:
        leaf = x509.load_pem_x509_certificates(told["chain_pem"].encode())[0]
        signature = unb64(told["signature"])
        public = leaf.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey) or len(signature) != 64:
            raise BundleInvalid("The endorsement of the keys is malformed.")
        halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        message = bundles.KEYS_CONTEXT + canonical_bytes(evidence.keys)
        public.verify(encode_dss_signature(*halves), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BundleInvalid("The endorsement of the keys does not hold.") from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise BundleInvalid("The endorsement of the keys is malformed.") from error
    if not trust_pem or not _is_issued_by(leaf, trust_pem, str(evidence.body["made_at"])):
        return False
    evidence.serials.add(f"{leaf.serial_number:x}")
    evidence.said.append("The keys are endorsed by the authority you trust.")
    return True


def _is_issued_by(leaf: x509.Certificate, trust_pem: str, made_at: str) -> bool:
    try:
        authority = x509.load_pem_x509_certificate(trust_pem.encode())
        leaf.verify_directly_issued_by(authority)
        made = from_rfc3339(made_at)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return leaf.not_valid_before_utc <= made <= leaf.not_valid_after_utc


def _attached(evidence: Evidence, folder: str) -> dict[str, bytes]:
    return {name: content for name, content in sorted(evidence.files.items()) if name.startswith(f"{folder}/")}


def _of_action(evidence: Evidence, *actions: str) -> list[dict[str, Any]]:
    return [event for event in evidence.events if event["action"] in actions and event["outcome"] == "done"]


def _approvals(evidence: Evidence) -> None:
    """(7) Each approval: the passkey's answer holds, and the log names this very statement and credential."""
    named = {(event["details"].get("statement_sha256"), event["details"].get("credential_id"))
             for event in _of_action(evidence, "approval.signed", "approval.completed")}
    attached = _attached(evidence, "approvals")
    for name in attached:
        approval = check_approval(_json(evidence, name))
        if (approval.statement_sha256, approval.credential_id) not in named:
            raise BundleInvalid("An approval is not in the log.", file=name)
    if attached:
        evidence.said.append(f"{len(attached)} passkey signatures on approvals hold, and the log names each.")


def _receipts(evidence: Evidence) -> None:
    """(8) Each consent receipt: signed by the receipt key, and the log names its hash."""
    given = _of_action(evidence, "consent.given")
    named = {event["details"].get("receipt_sha256") for event in given}
    attached = _attached(evidence, "receipts")
    for name in attached:
        body = verify_statement(_json(evidence, name), RECEIPT_PURPOSE, _key(evidence, "receipt"))
        if statement_sha256(body) not in named:
            raise BundleInvalid("A consent receipt is not in the log.", file=name)
    if attached:
        evidence.said.append(f"{len(attached)} consent receipts are signed, and the log names each.")


def _reports(evidence: Evidence) -> None:
    """(9) Each report on service levels, and its page: the log names the hash of either, and the report is its own."""
    made = _of_action(evidence, "latency_report.made")
    named = {(event["object"]["id"], event["details"].get(f"{kind}_sha256")): kind
             for event in made for kind in ("report", "page")}
    attached = _attached(evidence, "reports")
    for name, content in attached.items():
        report, _, ending = name.removeprefix("reports/").rpartition(".")
        if named.get((report, sha256_hex(content))) != {"json": "report", "html": "page"}.get(ending, ""):
            raise BundleInvalid("A report is not the one that the log names.", file=name)
    if attached:
        evidence.said.append(f"{len(attached)} files of reports on service levels are those that the log names.")


def _manifests(evidence: Evidence, trust_pem: str) -> None:
    """(10) Each session manifest: Trusted, and the log names its label and claim."""
    named = {(event["object"]["id"], _claim_of(event)) for event in _of_action(evidence, "manifest.signed")}
    attached = _attached(evidence, "manifests")
    for name, content in attached.items():
        manifest = read_session_manifest(content, trust_pem)
        if (manifest.label, manifest.claim_sha256) not in named:
            raise BundleInvalid("A session manifest is not in the log.", file=name)
        evidence.serials.add(manifest.signer_serial)
    if attached:
        evidence.said.append(f"{len(attached)} session manifests are signed by us, and the log names each.")


def _claim_of(event: Mapping[str, Any]) -> str:
    changed = event["details"].get("changed", {}).get("claim_sha256", [None, ""])
    return str(event["details"].get("claim_sha256", changed[1]))


def _recordings(evidence: Evidence, trust_pem: str) -> None:
    """(11) Each recording verifies by itself, and the frames that were sent are those whose roots the log holds."""
    attached = _attached(evidence, "recordings")
    for name, content in attached.items():
        is_fragments = video.is_fragment_file(content)
        verify = video.verify_fragment_file if is_fragments else video.verify_whole_file
        inner = verify(name, content, trust_pem)
        if inner.outcome is not Outcome.VERIFIED:
            raise BundleInvalid(f"{name} does not verify: {' '.join(inner.sentences)}", file=name)
        evidence.serials.add(str(inner.facts[SERIAL]))
        if is_fragments:
            for run, told in zip(fmp4.split_runs(content), inner.facts["runs"], strict=True):
                _segment_roots(evidence, name, run, str(told["manifest"]))
    if attached:
        evidence.said.append(f"{len(attached)} recordings verify.")


def _segment_roots(evidence: Evidence, name: str, content: bytes, label: str) -> None:
    """Compare one run of a recording with the roots that were logged while it was sent: one for each second.

    Raises:
        BundleInvalid: a second that is there differs from what was sent.
    """
    pictures = fmp4.split_recording(fmp4.pictures_only(content))[1]
    sent = {fmp4.fragment_facts(fmp4.parse_fragment(one))[0]: one for one in pictures}
    logged = [event["details"] for event in _of_action(evidence, "segment.recorded")
              if event["details"].get("manifest_label") == label]
    missing = 0
    for segment in logged:
        frames = [sent.get(n) for n in range(segment["first_sequence"], segment["last_sequence"] + 1)]
        present = [frame for frame in frames if frame is not None]
        if len(present) < len(frames):
            missing += 1
        elif segments.root_of(present) != segment["root"]:
            raise BundleInvalid(f"Second {segment['number']} of {name} is not what was sent.", file=name)
    if logged:
        evidence.said.append(f"{len(logged) - missing} of {len(logged)} logged seconds of {name} are there, as sent.")


