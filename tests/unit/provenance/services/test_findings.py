"""The table of verdicts in docs/check-verdicts.md, row by row, and that every answer has words."""

from itertools import product

import pytest

from provenance.marks.verdicts import Verdict
from provenance.services import check_words
from provenance.services.findings import ClipVerdict, Comparison, Evidence, ManifestState, Source, answer, judged

HOLDS, BEGINNING, CHANGED, REVOKED, FOREIGN, BROKEN, MISSING = ManifestState
AGREES, DIFFERS, NOT_RECORDED, CUT, STILL = Comparison
POINTS, TAMPERING, PRESENT, NONE = (
    Verdict.POINTS_TO_MANIFEST, Verdict.TAMPERING, Verdict.MARK_PRESENT, Verdict.NO_MARK)
SOURCE = Source("c1", "studio", "Studio", "s1", "urn:c2pa:1", "2026-11-28T10:00:00.000Z", "in_force", "", "AI", 7)


@pytest.mark.parametrize(("manifest", "mark", "comparison", "verdict"), [
    (HOLDS, None, None, "intact"), (BEGINNING, None, None, "intact_beginning"),
    (CHANGED, TAMPERING, AGREES, "tampering"), (MISSING, TAMPERING, None, "tampering"),
    (CHANGED, POINTS, AGREES, "altered"),
    (MISSING, POINTS, AGREES, "points_to_manifest_content_matches"),
    (FOREIGN, POINTS, AGREES, "points_to_manifest_content_matches"),
    (MISSING, POINTS, DIFFERS, "points_to_manifest_content_differs"),
    (CHANGED, POINTS, DIFFERS, "points_to_manifest_content_differs"),
    (CHANGED, POINTS, NOT_RECORDED, "points_to_manifest"), (MISSING, POINTS, CUT, "points_to_manifest"),
    (MISSING, POINTS, STILL, "points_to_manifest"),
    (CHANGED, NONE, AGREES, "altered"), (CHANGED, PRESENT, AGREES, "altered"),
    # A manifest of ours on another file: the mark says nothing, the picture does.
    (CHANGED, NONE, DIFFERS, "manifest_content_differs"),
    (CHANGED, NONE, STILL, "manifest_changed"), (CHANGED, None, None, "manifest_changed"),
    (MISSING, PRESENT, None, "mark_present"), (BROKEN, NONE, None, "no_mark"), (FOREIGN, None, None, "not_checked"),
])
def test_verdicts(
    manifest: ManifestState, mark: Verdict | None, comparison: Comparison | None, verdict: str
) -> None:
    assert judged(Evidence(manifest, mark, comparison)) == verdict


def test_nothing_is_called_ours_without_a_manifest_that_holds_or_a_picture_that_agrees() -> None:
    marks = (None, POINTS, TAMPERING, PRESENT, NONE)
    for manifest, mark, comparison in product(ManifestState, marks, (None, *Comparison)):
        verdict = judged(Evidence(manifest, mark, comparison))
        if check_words.VERDICTS[verdict][1].startswith("Ours"):
            assert manifest in (HOLDS, BEGINNING) or comparison is AGREES, (manifest, mark, comparison)


def test_every_answer_can_be_said() -> None:
    marks = (None, POINTS, TAMPERING, PRESENT, NONE)
    flags = (
        {}, {"is_searched": True}, {"is_searched": True, "is_search_cut": True},
        {"is_clip_longer": True},
    )
    frames = ({}, {"verified": 3, "received": 4}, {"verified": 3, "received": 4, "sent": 9})
    said = set()
    for manifest, mark, comparison, extra, facts in product(
        ManifestState, marks, (None, *Comparison), flags, frames
    ):
        if bool(facts) != (manifest is BEGINNING) and manifest not in (HOLDS, CHANGED):
            continue
        for tampering in ("", "inverted", "two_marks"):
            found = answer(Evidence(manifest, mark, comparison, facts, 5, tampering=tampering, **extra), SOURCE)
            for fact in (*found.found, *found.unknown):
                line = check_words.line({"what": fact.what, "result": fact.result, "facts": fact.facts}, "today")
                assert "%" not in line.sentence and line.title and line.word
                said.add((fact.what, fact.result))
            assert found.verdict in check_words.VERDICTS
    answer(Evidence(HOLDS, None, None), None)
    assert set(check_words.FACTS) - said == {("records", "missing")}
    assert set(check_words.VERDICTS) == {verdict.value for verdict in ClipVerdict}


def test_search_that_ended_early_is_not_called_whole() -> None:
    for is_cut, said in ((False, "no_mark_searched"), (True, "no_mark")):
        found = answer(Evidence(MISSING, NONE, None, is_searched=True, is_search_cut=is_cut), None)
        assert said in {fact.result for fact in found.found}
        assert any(fact.what == "search" for fact in found.unknown) is is_cut


def test_intact_without_a_record_says_so() -> None:
    found = answer(Evidence(HOLDS, None, None), None)
    assert ("records", "missing") in {(fact.what, fact.result) for fact in found.found}
