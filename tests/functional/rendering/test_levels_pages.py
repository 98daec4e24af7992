"""The service levels' pages: what they show, who may change a promise, and a report that one altered figure breaks."""

import html
import json
from datetime import timedelta

import pytest

from provenance.bundle_checks import report_on
from provenance.bundles import PURPOSE, _zipped, read_files
from provenance.services import claim_keys, exports
from provenance.verify.reports import Outcome
from rendering.models import LatencyReport, ServiceTargets
from rendering.services import service_levels
from tests.common import visits
from tests.functional.rendering.test_console import signed_in
from tests.functional.rendering.test_sessions import Talk
from trustcore.audit.models import Event
from trustcore.keys.services import signing_keys
from trustcore.primitives.canonical import canonical_bytes
from trustcore.primitives.clock import utc_now
from trustcore.primitives.hashing import sha256_hex
from trustcore.primitives.signing import sign_statement

pytestmark = pytest.mark.django_db
LEVELS = "/console/levels/"
FEW_LINES = [
    visits.Line("4g", "direct", "Guwahati", 40, 430, 110, 0.01, {"full": 90, "small": 10}),
    visits.Line("3g", "relay", "Mumbai", 9, 1020, 260, 0.09, {"small": 60, "still": 40}),
]


@pytest.fixture
def like(stage):
    return Talk(stage).row


def text_of(answer):
    assert answer.status_code == 200, answer.content[:400]
    return html.unescape(answer.content.decode())


def test_the_page_says_what_was_found_and_of_how_many(stage, like):
    dev, mallory = signed_in(stage.cast.dev), signed_in(stage.cast.mallory)
    assert "Nothing was measured in this time" in text_of(dev.get(LEVELS))
    made = visits.a_week(like, until=utc_now(), lines=FEW_LINES)
    page = text_of(dev.get(LEVELS))
    assert f"{made} reported" in page and "Good line" in page and "3G class" in page
    assert "What these figures do not prove" in page and 'class="chip plain">few<' in page
    assert page.count('<svg class="chart levels"') == 1  # of few sessions only figures
    there = text_of(dev.get(LEVELS + "?region=Mumbai"))
    assert "3G class" in there and 'id="t-4g"' not in there
    for odd in ("?days=9999", "?region=Nowhere", "?days=7'--&region='"):
        assert f"{made} reported" in text_of(dev.get(LEVELS + odd))
    assert "Nothing was measured in this time" in text_of(mallory.get(LEVELS))


def test_an_officer_changes_the_promises_on_the_record_and_nobody_else_does(stage, like):
    form = {
        "response_p50_ms": "500", "response_p95_ms": "900", "ttff_p95_ms": "2500", "frozen_p95_ppm": "4.5",
        "picture_ppm": "99.5", "verified_ppm": "100", "networks": ["4g", "3g"], "reason": "New contract"}
    address = LEVELS + "promises/"
    for name in ("dev", "erin", "jonas", "farah"):
        client = signed_in(getattr(stage.cast, name))
        assert "An officer can change these." in text_of(client.get(address))
        assert client.post(address, form).status_code == 403
    meera = signed_in(stage.cast.meera)
    for spoil in ({"reason": ""}, {"networks": []}, {"response_p50_ms": "0"}, {"picture_ppm": "101"},
                  {"verified_ppm": "nan"}, {"ttff_p95_ms": "1e9"}):
        assert meera.post(address, {**form, **spoil}).status_code == 400, spoil
    assert signed_in(stage.cast.mallory).post(address, form).status_code == 302  # her own organisation's
    assert not ServiceTargets.objects.filter(organisation=stage.cast.organisation).exists()
    assert meera.post(address, form).status_code == 302
    limits, networks = service_levels.promises_of(stage.cast.organisation)
    assert (limits["response_p50_ms"], limits["frozen_p95_ppm"], networks) == (500, 45_000, ("4g", "3g"))
    event = Event.objects.filter(action="service_targets.changed", tenant="studio").get()
    assert event.details["open"]["limits"]["response_p95_ms"] == 900
    assert json.loads(bytes(event.body))["reason"] == "New contract"


@pytest.fixture
def report(stage, like, django_capture_on_commit_callbacks):
    visits.a_week(like, until=utc_now(), lines=FEW_LINES)
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(stage.cast.meera).post(LEVELS + "reports/", {"days": "7"})
    assert answer.status_code == 302, answer.content[:300]
    return LatencyReport.objects.get()


def verdict(content):
    return report_on("levels.zip", content, claim_keys.anchor_pem())


def with_file(files, name, content, *, key=None):
    """The bundle with one file changed; with `key`, listed and signed anew as the installation itself could."""
    changed = {**files, name: content}
    if key is not None:
        body = json.loads(files["bundle.json"])
        body["files"][name] = sha256_hex(content)
        changed["bundle.json"] = canonical_bytes(body)
        signed = sign_statement(key, PURPOSE, {"bundle_sha256": sha256_hex(changed["bundle.json"])})
        changed["bundle.sig.json"] = canonical_bytes(signed)
    return _zipped(changed)


def test_a_report_verifies_offline_and_one_altered_figure_does_not(stage, report):
    meera = signed_in(stage.cast.meera)
    page = text_of(meera.get(f"{LEVELS}reports/{report.public_id}/"))
    assert report.report_sha256 in page and "How it was measured" in page
    answer = meera.get(f"{LEVELS}reports/{report.public_id}/bundle.zip")
    assert answer.status_code == 200
    content = answer.content
    told = verdict(content)
    assert told.outcome is Outcome.VERIFIED, told.sentences
    assert any("reports on service levels are those that the log names" in one for one in told.sentences)

    name = f"reports/{report.public_id}.json"
    files = read_files(content)
    body = json.loads(files[name])
    assert body["kind"] == "trustcore-latency-report" and body["promises"][0]["verdict"] in ("kept", "missed")
    every = body["every"][0]["sessions"]
    assert sum(cell["sessions"] for cell in body["cells"]) == every == body["sessions"]["reported"]
    body["promises"][0]["value"] -= 1
    altered = canonical_bytes(body)
    assert verdict(with_file(files, name, altered)).outcome is Outcome.CHANGED
    # Not even the installation itself can change a figure later: the log has named the hash.
    again = verdict(with_file(files, name, altered, key=signing_keys.get("bundle")))
    assert again.outcome is Outcome.CHANGED and "not the one that the log names" in again.sentences[0]
    shown = name.replace(".json", ".html")
    prettier = with_file(files, shown, files[shown] + b" ", key=signing_keys.get("bundle"))
    assert verdict(prettier).outcome is Outcome.CHANGED
    moved = with_file(files, name, files[name], key=signing_keys.get("bundle"))
    assert verdict(moved).outcome is Outcome.VERIFIED  # the door itself is not what refuses


def test_the_log_names_the_report_and_the_page_in_the_bundle_is_of_its_figures(stage, report):
    event = Event.objects.get(action="latency_report.made")
    told = event.details["open"]
    assert (event.object_id, event.tenant) == (report.public_id, "studio")
    assert told["report_sha256"] == sha256_hex(report.content.encode()) == report.report_sha256
    content = exports.path_of(exports.find(report.export_id, stage.cast.organisation)).read_bytes()
    page = read_files(content)[f"reports/{report.public_id}.html"].decode()
    assert sha256_hex(page.encode()) == told["page_sha256"]
    first = service_levels.body_of(report)["promises"][0]
    assert f"{first['value']:,} ms" in page and "<script" not in page and "http" not in page


def test_a_report_is_its_organisations_alone(stage, report, like):
    mallory, farah = signed_in(stage.cast.mallory), signed_in(stage.cast.farah)
    for ending in ("", "bundle.zip"):
        address = f"{LEVELS}reports/{report.public_id}/{ending}"
        assert mallory.get(address).status_code == 404
        assert farah.get(address).status_code == 403
    assert farah.post(LEVELS + "reports/", {"days": "7"}).status_code == 403
    assert signed_in(stage.cast.meera).post(LEVELS + "reports/", {"days": "5000"}).status_code == 400
    now = utc_now()
    for from_at, until_at in ((now, now), (now - timedelta(days=200), now), (now, now + timedelta(days=1))):
        with pytest.raises(service_levels.RequestInvalid):
            service_levels.make_report(
                actor=visits.Actor.system("tests"), organisation=stage.cast.organisation, person_id="u1",
                from_at=from_at, until_at=until_at, now=now)
