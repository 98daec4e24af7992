"""The table of verdicts in docs/check-verdicts.md, row by row, and that every answer has words."""

from itertools import product

import pytest

from provenance.marks.verdicts import Verdict
from provenance.services import check_words
from provenance.services.findings import (
    ClipVerdict,
    Comparison,
    Evidence,
    ManifestState,
    SoundState,
    Source,
    answer,
    judged,
)

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


@pytest.mark.parametrize(("manifest", "mark", "comparison", "sound", "of", "verdict"), [
    # Picture and sound of one session, and of two.
    (MISSING, POINTS, AGREES, SoundState.POINTS, "c1", "points_to_manifest_content_matches"),
    (MISSING, POINTS, AGREES, SoundState.POINTS, "c2", "picture_and_sound_of_two_sessions"),
    (CHANGED, POINTS, NOT_RECORDED, SoundState.POINTS, "c2", "picture_and_sound_of_two_sessions"),
    (MISSING, POINTS, DIFFERS, SoundState.POINTS, "c1", "points_to_manifest_content_differs"),
    # Our picture under a sound without our mark; one that is silent, short or unheard accuses nobody.
    (MISSING, POINTS, AGREES, SoundState.NO_MARK, "", "picture_matches_sound_unmarked"),
    (CHANGED, NONE, AGREES, SoundState.NO_MARK, "", "picture_matches_sound_unmarked"),
    (MISSING, POINTS, CUT, SoundState.NO_MARK, "", "points_to_manifest"),
    (MISSING, POINTS, AGREES, SoundState.NONE, "", "points_to_manifest_content_matches"),
    (MISSING, POINTS, AGREES, SoundState.TOO_SHORT, "", "points_to_manifest_content_matches"),
    (MISSING, POINTS, AGREES, SoundState.CUT, "", "points_to_manifest_content_matches"),
    (MISSING, POINTS, AGREES, SoundState.UNREADABLE, "", "points_to_manifest_content_matches"),
    (MISSING, POINTS, AGREES, SoundState.MARK_PRESENT, "", "points_to_manifest_content_matches"),
    # Our sound: under another picture, under ours that lost its mark, and without one to compare.
    (MISSING, NONE, DIFFERS, SoundState.POINTS, "c1", "sound_points_to_manifest_picture_differs"),
    (FOREIGN, PRESENT, DIFFERS, SoundState.POINTS, "c1", "sound_points_to_manifest_picture_differs"),
    (MISSING, NONE, AGREES, SoundState.POINTS, "c1", "points_to_manifest_content_matches"),
    (CHANGED, NONE, AGREES, SoundState.POINTS, "c1", "altered"),
    (MISSING, NONE, NOT_RECORDED, SoundState.POINTS, "c1", "sound_points_to_manifest"),
    (MISSING, None, None, SoundState.POINTS, "c1", "sound_points_to_manifest"),
    (MISSING, NONE, None, SoundState.MARK_PRESENT, "", "mark_present"),
    (MISSING, None, None, SoundState.NO_MARK, "", "no_mark"),
    (MISSING, None, None, SoundState.TOO_SHORT, "", "not_checked"),
    # What stands above the sound.
    (HOLDS, None, None, SoundState.SIGNED, "", "intact"),
    (MISSING, TAMPERING, DIFFERS, SoundState.POINTS, "c1", "tampering"),
])
def test_verdicts_with_sound(
    manifest: ManifestState, mark: Verdict | None, comparison: Comparison | None, sound: SoundState, of: str,
    verdict: str,
) -> None:
    picture = "c1" if mark is POINTS else ""
    evidence = Evidence(manifest, mark, comparison, sound=sound, sound_session=of, picture_session=picture)
    assert judged(evidence) == verdict
    words = {(fact.what, fact.result) for fact in (*answer(evidence, SOURCE).found, *answer(evidence, SOURCE).unknown)}
    assert sum(what == "sound" for what, _ in words) == 1


def test_what_the_sound_says_is_said_with_its_session() -> None:
    evidence = Evidence(MISSING, NONE, DIFFERS, sound=SoundState.POINTS, sound_session="c9")
    fact = next(fact for fact in answer(evidence, SOURCE).found if fact.what == "sound")
    said = check_words.line({"what": fact.what, "result": fact.result, "facts": fact.facts}).sentence
    assert said == "The sound is from session c9, the picture is not."


def test_nothing_is_called_ours_without_a_manifest_that_holds_or_a_picture_that_agrees() -> None:
    marks = (None, POINTS, TAMPERING, PRESENT, NONE)
    for manifest, mark, comparison, sound in product(ManifestState, marks, (None, *Comparison), SoundState):
        verdict = judged(Evidence(manifest, mark, comparison, sound=sound, sound_session="c1", picture_session="c1"))
        if check_words.VERDICTS[verdict][1].startswith("Ours"):
            assert manifest in (HOLDS, BEGINNING) or comparison is AGREES, (manifest, mark, comparison)


def test_every_answer_can_be_said() -> None:
    marks = (None, POINTS, TAMPERING, PRESENT, NONE)
    flags = (
        {}, {"is_searched": True}, {"is_searched": True, "is_search_cut": True},
        {"is_clip_longer": True},
    )
    frames = ({}, {"verified": 3, "received": 4}, {"verified": 3, "received": 4, "sent": 9},
              {"verified": 4, "received": 4, "sound_verified": 1, "sound_received": 2})
    said = {("sound", "not_run")}  # of answers that were given before sound was listened to
    sounds = [(state, session) for state in SoundState for session in ("c1", "c2")]
    for manifest, mark, comparison, extra, facts, (sound, session) in product(
        ManifestState, marks, (None, *Comparison), flags, frames, sounds
    ):
        if "sound_received" in facts and manifest is not CHANGED:
            continue
        if bool(facts) != (manifest is BEGINNING) and manifest not in (HOLDS, CHANGED):
            continue
        for tampering in ("", "inverted", "two_marks"):
            found = answer(Evidence(
                manifest, mark, comparison, facts, 5, tampering=tampering, sound=sound, sound_session=session,
                picture_session="c1" if mark is POINTS else "", **extra), SOURCE)
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
