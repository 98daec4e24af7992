"""What a check of a clip comes to. PURE: from what was read to one verdict and the facts under it, as stable codes.

Words are made of the codes when an answer is shown, in the reader's language (`check_words.py`); a signed answer holds
codes and facts alone. Never "authentic", "real", "fake" or "safe"; never a score (docs/check-verdicts.md).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from provenance.marks.verdicts import Verdict


class ManifestState(StrEnum):
    """What a file's own manifest is worth."""

    HOLDS = "holds"  # ours and whole, and nothing of picture or sound has changed
    BEGINNING = "beginning"  # frames of ours from the first on, all as sent; more followed, or nobody knows
    CHANGED = "changed"  # signed by us, but the file was changed afterwards
    REVOKED = "revoked"  # signed with a certificate of ours that was revoked: nothing it says is believed
    FOREIGN = "foreign"  # holds together, signed by someone we do not know
    BROKEN = "broken"  # cannot be read, or says nothing about whose it is
    MISSING = "missing"


class Comparison(StrEnum):
    """The pictures against what a session sent."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_RECORDED = "not_recorded"
    CUT = "cut"  # the mark was found on a part, a scaled or a mirrored picture: whole pictures cannot be compared
    STILL = "still"  # one picture is too little to say "the same"


class SoundState(StrEnum):
    """What the sound by itself says."""

    SIGNED = "signed"  # under the file's own signature: its mark is not looked for
    POINTS = "points"  # its mark points to a session
    MARK_PRESENT = "mark_present"
    NO_MARK = "no_mark"
    TOO_SHORT = "too_short"  # to hold a mark that could be read
    CUT = "cut"  # the reading took too long and was ended
    NONE = "no_sound"
    UNREADABLE = "unreadable"  # there is some, but it could not be decoded


class ClipVerdict(StrEnum):
    """The only answers there are. Names are stable: signed answers, the API and docs/check-verdicts.md use them."""

    INTACT = "intact"
    INTACT_BEGINNING = "intact_beginning"
    ALTERED = "altered"
    CONTENT_MATCHES = Verdict.CONTENT_MATCHES.value
    CONTENT_DIFFERS = Verdict.CONTENT_DIFFERS.value
    MANIFEST_CONTENT_DIFFERS = "manifest_content_differs"
    POINTS_TO_MANIFEST = Verdict.POINTS_TO_MANIFEST.value
    PICTURE_ALONE = "picture_matches_sound_unmarked"
    SOUND_POINTS = "sound_points_to_manifest"
    SOUND_ALONE = "sound_points_to_manifest_picture_differs"
    TWO_SESSIONS = "picture_and_sound_of_two_sessions"
    MANIFEST_CHANGED = "manifest_changed"
    MARK_PRESENT = Verdict.MARK_PRESENT.value
    TAMPERING = Verdict.TAMPERING.value
    NO_MARK = Verdict.NO_MARK.value
    NOT_CHECKED = "not_checked"


OF_SOUND = frozenset({ClipVerdict.SOUND_POINTS, ClipVerdict.SOUND_ALONE})  # the session is the sound's
BY_SIGNATURE = frozenset({ClipVerdict.INTACT, ClipVerdict.INTACT_BEGINNING})  # the pictures need not be looked at


HEARD = frozenset({SoundState.POINTS, SoundState.MARK_PRESENT, SoundState.NO_MARK})
FOUND_OF_SOUND = HEARD | {SoundState.NONE}  # told as found; the rest as what could not be checked


@dataclass(frozen=True)
class Fact:
    """One thing that was looked at (`what`) and what came out (`result`), with figures for the sentence."""

    what: str
    result: str
    facts: dict[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """The session a clip points to, and what became of the consent since."""

    session_id: str
    tenant: str
    made_by: str  # the organisation's name
    subject_id: str
    manifest: str
    made_at: str  # RFC 3339
    consent_state: str
    consent_since: str  # RFC 3339, or empty
    disclosure: str
    log_entry: int | None  # number of the entry that says the manifest was signed; None: not numbered yet


@dataclass(frozen=True)
class Answer:
    """Verdict, the evidence under it, what could not be checked, and where the clip came from."""

    verdict: str
    found: list[Fact]
    unknown: list[Fact]
    source: Source | None = None


@dataclass(frozen=True)
class Evidence:
    """All that was read from one file. `mark` None: no picture could be read."""

    manifest: ManifestState
    mark: Verdict | None
    comparison: Comparison | None  # None: nothing to compare with
    manifest_facts: dict[str, int | str] = field(default_factory=dict)
    pictures: int = 0
    is_searched: bool = False
    is_search_cut: bool = False
    is_clip_longer: bool = False
    tampering: str = ""
    sound: SoundState = SoundState.NONE
    sound_session: str = ""  # that the mark in the sound points to
    picture_session: str = ""  # that the mark in the picture points to


def judged(evidence: Evidence) -> ClipVerdict:
    """The verdict: the first row that fits (docs/check-verdicts.md has the table).

    A mark can be copied onto another picture and a manifest glued onto another file, so each counts together with the
    comparison alone. A picture of ours can be given another sound, and a sound of ours another picture.
    """
    if evidence.manifest is ManifestState.HOLDS:
        return ClipVerdict.INTACT
    if evidence.manifest is ManifestState.BEGINNING:
        return ClipVerdict.INTACT_BEGINNING
    if evidence.mark is Verdict.TAMPERING:
        return ClipVerdict.TAMPERING
    if evidence.mark is Verdict.POINTS_TO_MANIFEST and _is_of_another(evidence):
        return ClipVerdict.TWO_SESSIONS
    verdict = _of_marks(evidence)
    is_picture_ours = verdict in (ClipVerdict.ALTERED, ClipVerdict.CONTENT_MATCHES)
    return ClipVerdict.PICTURE_ALONE if is_picture_ours and evidence.sound is SoundState.NO_MARK else verdict


def _is_of_another(evidence: Evidence) -> bool:
    return evidence.sound is SoundState.POINTS and evidence.sound_session != evidence.picture_session


def _of_marks(evidence: Evidence) -> ClipVerdict:
    if evidence.mark is Verdict.POINTS_TO_MANIFEST:
        return _of_pointer(evidence)
    if evidence.sound is SoundState.POINTS:
        return _of_sound(evidence)
    if evidence.manifest is ManifestState.CHANGED:
        return _of_changed(evidence)
    if evidence.sound is SoundState.MARK_PRESENT:
        return ClipVerdict.MARK_PRESENT
    if evidence.mark is None:
        return ClipVerdict.NO_MARK if evidence.sound is SoundState.NO_MARK else ClipVerdict.NOT_CHECKED
    return ClipVerdict(evidence.mark.value)


def _of_sound(evidence: Evidence) -> ClipVerdict:
    """The mark in the sound points to a session, that in the picture to none; it was compared with that session."""
    return _compared(evidence, ClipVerdict.SOUND_ALONE, ClipVerdict.SOUND_POINTS)


def _of_pointer(evidence: Evidence) -> ClipVerdict:
    return _compared(evidence, ClipVerdict.CONTENT_DIFFERS, ClipVerdict.POINTS_TO_MANIFEST)


def _compared(evidence: Evidence, differs: ClipVerdict, not_compared: ClipVerdict) -> ClipVerdict:
    """The verdict on what a mark points to, by how the picture compares with that session."""
    if evidence.comparison is Comparison.DIFFERS:
        return differs
    if evidence.comparison is not Comparison.AGREES:
        return not_compared
    return ClipVerdict.ALTERED if evidence.manifest is ManifestState.CHANGED else ClipVerdict.CONTENT_MATCHES


def _of_changed(evidence: Evidence) -> ClipVerdict:
    if evidence.comparison is Comparison.DIFFERS:
        return ClipVerdict.MANIFEST_CONTENT_DIFFERS
    return ClipVerdict.ALTERED if evidence.comparison is Comparison.AGREES else ClipVerdict.MANIFEST_CHANGED


def answer(evidence: Evidence, source: Source | None) -> Answer:
    """The whole answer about one file."""
    verdict = judged(evidence)
    found = [_manifest(evidence)]
    if verdict not in BY_SIGNATURE:
        found += _marks(evidence)
        if evidence.mark is not None or evidence.sound in HEARD:
            # Said of every clip, because whether this one has an earlier answer would tell something about its mark.
            found.append(Fact("remembered", "possible"))
    if evidence.sound in FOUND_OF_SOUND:
        found.append(_sound(verdict, evidence))
    if source is not None or verdict in BY_SIGNATURE:
        found.append(Fact("records", "found" if source else "missing"))
    if evidence.comparison is not None:
        found.append(Fact("comparison", evidence.comparison.value))
    return Answer(verdict.value, found, _unknown(verdict, evidence), source)


def _manifest(evidence: Evidence) -> Fact:
    result = evidence.manifest.value
    if "received" in evidence.manifest_facts:
        result += "_sound" if "sound_received" in evidence.manifest_facts else "_frames"
    return Fact("manifest", result, evidence.manifest_facts)


def _marks(evidence: Evidence) -> list[Fact]:
    if evidence.mark is None:
        return [Fact("mark", "not_run")]
    names = {Verdict.POINTS_TO_MANIFEST: "found", Verdict.TAMPERING: evidence.tampering or "tampering"}
    result = names.get(evidence.mark, evidence.mark.value)
    # Where the search had to end early, "none was found" is said of the mark as it lies alone.
    if evidence.is_searched and (result == "found" or (result == "no_mark" and not evidence.is_search_cut)):
        result += "_searched"
    return [Fact("mark", result, {"pictures": evidence.pictures})]


def _sound(verdict: ClipVerdict, evidence: Evidence) -> Fact:
    """What the sound says, and how that fits with what the picture says."""
    named = {"session": evidence.sound_session}
    if evidence.sound is SoundState.NO_MARK and verdict is ClipVerdict.PICTURE_ALONE:
        return Fact("sound", "no_mark_under_picture")
    if evidence.sound is SoundState.NONE and "received" in evidence.manifest_facts:
        return Fact("sound", "no_sound_frames")
    if evidence.sound is not SoundState.POINTS:
        return Fact("sound", evidence.sound.value)
    if verdict is ClipVerdict.SOUND_ALONE:
        return Fact("sound", "found_under_another_picture", named)
    if verdict is ClipVerdict.TWO_SESSIONS:
        return Fact("sound", "found_of_another_session", named)
    is_same = evidence.picture_session == evidence.sound_session
    return Fact("sound", "found_same") if is_same else Fact("sound", "found", named)


def _unknown(verdict: ClipVerdict, evidence: Evidence) -> list[Fact]:
    found = []
    if evidence.is_search_cut:
        found.append(Fact("search", "cut"))
    if evidence.is_clip_longer:
        found.append(Fact("rest", "not_run"))
    if "sent" in evidence.manifest_facts:
        found.append(Fact("end", "missing", {"sent": evidence.manifest_facts["sent"]}))
    elif "received" in evidence.manifest_facts and evidence.manifest is not ManifestState.HOLDS:
        found.append(Fact("end", "not_known"))
    if verdict is not ClipVerdict.INTACT:
        found.append(Fact("who", "not_known"))
    if evidence.sound not in FOUND_OF_SOUND:
        found.append(_sound(verdict, evidence))
    return [*found, Fact("truth", "not_known")]
