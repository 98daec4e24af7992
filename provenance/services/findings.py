"""The words of the public check page. PURE: from what was read to an answer a person understands.

Never "authentic", "real", "fake" or "safe"; never a score (reference: console, section 5).
"""

from dataclasses import dataclass, field

from provenance.marks.verdicts import MarkReading, Tampering, Verdict
from provenance.verify.certificates import REVOKED_AT
from provenance.verify.reports import Outcome, Report

INTACT = "intact"
UNREAD = "not_checked"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `state`: pass, warn, fail or not_run; `word` is what the chip says."""

    state: str
    word: str
    title: str
    sentence: str


@dataclass(frozen=True)
class Source:
    """The session a clip points to, and what became of the consent since."""

    session_id: str
    tenant: str
    made_by: str  # the organisation's name
    subject_id: str
    manifest: str
    made_at: str  # a day, as people write it
    consent_state: str
    consent_since: str
    disclosure: str


@dataclass(frozen=True)
class Answer:
    """Verdict, headline, one sentence on what to do with it, and the evidence."""

    verdict: str
    tone: str  # ok, warn, bad or plain
    headline: str
    sentence: str
    found: list[Finding] = field(default_factory=list)
    unknown: list[Finding] = field(default_factory=list)
    source: Source | None = None


HEADLINES: dict[str, tuple[str, str, str]] = {
    INTACT: ("ok", "Intact.", "The file is signed and not one byte of it has changed. It shows an AI replica."),
    Verdict.CONTENT_MATCHES: (
        "ok", "Recovered by watermark, content matches.",
        "The file lost its signature on the way. Its mark points to one of our sessions, and the picture is the same.",
    ),
    Verdict.CONTENT_DIFFERS: (
        "warn", "Recovered by watermark, content differs.",
        "The mark points to one of our sessions, but this is not what was sent. Do not take it as theirs, or as ours.",
    ),
    Verdict.POINTS_TO_MANIFEST: (
        "warn", "Recovered by watermark.",
        "The mark points to one of our sessions. That session was not recorded, so the picture cannot be compared.",
    ),
    Verdict.MARK_PRESENT: (
        "warn", "Mark present, session unknown.",
        "The clip was made with our key, but which session it comes from cannot be read any more.",
    ),
    Verdict.TAMPERING: ("bad", "Signs of tampering.", "Someone has worked on the mark. Do not rely on this clip."),
    Verdict.NO_MARK: (
        "plain", "No mark found. This proves nothing.",
        "A mark can be lost or removed, and most videos in the world never had one of ours.",
    ),
    UNREAD: (
        "plain", "The pictures could not be looked at.", "We read the file, but found no picture in it to look at.",
    ),
}
CANNOT_KNOW = [
    Finding("not_run", "not known", "Who changed or cut it", "Nothing in a file tells."),
    Finding("not_run", "not checked", "The sound", "Only pictures carry our mark. The sound alone is not verified."),
]


def answer_for_manifest(report: Report, source: Source | None) -> Answer:
    """The answer for a file whose own manifest holds."""
    tone, headline, sentence = HEADLINES[INTACT]
    found = [Finding("pass", "found", "Signed manifest in the file", " ".join(report.sentences))]
    found.append(_records(source))
    return Answer(INTACT, tone, headline, sentence, found, [CANNOT_KNOW[1]], source)


def answer_for_mark(
    verdict: Verdict | None, reading: MarkReading | None, report: Report | None, source: Source | None,
    matches: bool | None,
) -> Answer:
    """The answer for a file whose own manifest does not hold, or that has none."""
    name = verdict.value if verdict else UNREAD
    tone, headline, sentence = HEADLINES[verdict or UNREAD]
    if verdict is Verdict.TAMPERING and reading and reading.tampering is Tampering.TWO_MARKS:
        headline = "Signs of tampering: two marks."
    found = [_mark(verdict, reading), _manifest(report)]
    if source is not None:
        found.append(_records(source))
        found.append(_comparison(matches))
    return Answer(name, tone, headline, sentence, found, CANNOT_KNOW, source)


def _mark(verdict: Verdict | None, reading: MarkReading | None) -> Finding:
    title = "Watermark"
    if verdict is None or reading is None:
        return Finding("not_run", "not run", title, "No picture could be read from the file.")
    looked = f"Looked at {reading.frames} pictures."
    if verdict is Verdict.NO_MARK:
        return Finding("warn", "none", title, f"{looked} None of our marks was found.")
    if verdict is Verdict.TAMPERING:
        return Finding("fail", "tampering", title, f"{looked} The mark was worked on.")
    if verdict is Verdict.MARK_PRESENT:
        return Finding("warn", "unreadable", title, f"{looked} A mark of ours is there; what it points to is lost.")
    return Finding("pass", "found", title, f"{looked} Read, with its checksum. It points to one known session.")


def _manifest(report: Report | None) -> Finding:
    title = "Signed manifest in the file"
    if report is None or report.outcome is Outcome.UNSIGNED:
        return Finding("warn", "missing", title, "The file carries none. It was cut off, or the clip was re-encoded.")
    if REVOKED_AT in report.facts:
        return Finding("fail", "revoked", title, " ".join(report.sentences))
    if report.outcome is Outcome.UNTRUSTED:
        return Finding("warn", "not ours", title, "It was signed by someone we do not know.")
    return Finding("fail", "does not hold", title, " ".join(report.sentences) or "It does not fit the file.")


def _records(source: Source | None) -> Finding:
    title = "Manifest in our records"
    if source is None:
        return Finding("warn", "not here", title, "The signature holds, but we have no record of the session.")
    return Finding("pass", "found", title, f"Session {source.session_id}, signed {source.made_at}.")


def _comparison(matches: bool | None) -> Finding:
    title = "Picture against that session"
    if matches is None:
        return Finding("not_run", "not run", title, "The session was not recorded. Nothing was compared.")
    if matches:
        return Finding("pass", "agrees", title, "The coarse picture agrees with what was sent.")
    return Finding("fail", "differs", title, "The picture is not what was sent in that session.")
