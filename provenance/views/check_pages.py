"""What the pages of a check show, in the reader's language."""

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from provenance.models import CheckRun
from provenance.services import check_runs, session_lookup
from provenance.services import check_words as words
from provenance.services.findings import OF_SOUND, Source
from trustcore.primitives.clock import from_rfc3339

DAY, MOMENT = "j F Y", "j F Y, H:i"
WORST_FIRST = ("fail", "not_run", "warn", "plain", "pass")
SHARE_BEFORE = {"waiting": 0, "manifest": 2, "reading": 10, "mark": 20, "search": 35, "sound": 75, "comparing": 97}
SHARE_OF_STEP = {"manifest": 8, "reading": 10, "mark": 15, "search": 40, "sound": 22}


def answer_context(public_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """An answer that was given, as its page shows it. `body`: the verified signed statement.

    The evidence is that of the signed answer; where the clip came from is told as it is today, because a person may
    have withdrawn, or have everything erased, since.
    """
    answer, source = body["answer"], None
    if answer["source"]:
        source = session_lookup.source_today(answer["source"]["manifest"])
    tone, headline, sentence = words.VERDICTS[answer["verdict"]]
    day = _day(source.made_at) if source else ""
    return {
        "public_id": public_id, "body": body, "tone": tone, "headline": headline, "sentence": sentence,
        "found": sorted((words.line(fact, day) for fact in answer["found"]), key=_worst_first),
        "unknown": [words.line(fact) for fact in answer["unknown"]],
        "source": source, "consent": _consent(source) if source else None,
        "is_source_of_sound": answer["verdict"] in OF_SOUND,
        "checked_at": _moment(from_rfc3339(body["checked_at"])),
    }  # fmt: skip


def session_context(source: Source, now: datetime) -> dict[str, Any]:
    """What our records say about one session, as its page shows it."""
    return {"source": source, "consent": _consent(source), "made_on": _day(source.made_at), "read_at": _moment(now)}


def progress_of(run: CheckRun) -> dict[str, Any]:
    """How far a check is: the step in words, a share for the bar, and how many come before it."""
    step = run.step or "waiting"
    share = SHARE_BEFORE[step] + (SHARE_OF_STEP.get(step, 0) * run.done // run.total if run.total else 0)
    note = ""
    if run.state == "waiting" and (others := check_runs.before(run)):
        note = _("Checks before yours: %(others)s.") % {"others": others}
    elif run.total and step == "search":
        note = _("Searched so far: %(done)s of %(total)s.") % {"done": run.done, "total": run.total}
    names = list(words.STEPS)
    return {
        "step": str(words.STEPS[step]), "note": note, "share": min(share, 99), "at": names.index(step),
        "steps": [{"words": words.STEPS[name], "number": number} for number, name in enumerate(names)],
    }  # fmt: skip


def _worst_first(line: words.Line) -> int:
    return WORST_FIRST.index(line.state)


def _consent(source: Source) -> words.Line:
    return words.consent_line(source.consent_state, _day(source.consent_since) if source.consent_since else "")


def _day(text: str) -> str:
    return date_format(from_rfc3339(text), DAY)


def _moment(moment: datetime) -> str:
    return date_format(moment, MOMENT)
