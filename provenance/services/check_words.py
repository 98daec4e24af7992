"""The words of the public check page: from stable codes to sentences, in the reader's language, when they are shown.

Never "authentic", "real", "fake" or "safe"; never a score (docs/check-verdicts.md).
"""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

# verdict: (tone, headline, what to do with it)
VERDICTS: dict[str, tuple[str, Any, Any]] = {
    "intact": (
        "ok", lazy("Ours and intact."),
        lazy("The file is signed, and no picture or sound in it has changed. It shows an AI replica."),
    ),
    "intact_beginning": (
        "warn", lazy("Ours, but perhaps not all of it."),
        lazy("No picture in the file has changed. It shows an AI replica. The file may end before the session did."),
    ),
    "altered": (
        "warn", lazy("Ours, altered."),
        lazy("We signed it, and the file was changed afterwards. The picture is still that of the session."),
    ),
    "points_to_manifest_content_matches": (
        "warn", lazy("Ours, altered."),
        lazy("The file lost its signature on the way. Its mark points to one of our sessions, and the picture is the"
             " same."),
    ),
    "points_to_manifest_content_differs": (
        "bad", lazy("Recovered by watermark, content differs."),
        lazy("The mark points to one of our sessions, but this is not what was sent. Do not take it as theirs, or as"
             " ours."),
    ),
    "manifest_content_differs": (
        "bad", lazy("Our manifest, content differs."),
        lazy("The file carries a manifest of ours, but this is not what was sent in that session. Do not take it as"
             " theirs, or as ours."),
    ),
    "points_to_manifest": (
        "warn", lazy("Recovered by watermark."),
        lazy("The mark points to one of our sessions. Whether this is what was sent there could not be compared."),
    ),
    "picture_matches_sound_unmarked": (
        "warn", lazy("Our picture, but perhaps not our sound."),
        lazy("The picture is that of one of our sessions. In the sound we found no mark of ours: it may be another one."
             " Do not take the words as ours, or as theirs."),
    ),
    "sound_points_to_manifest": (
        "warn", lazy("Recovered by the mark in the sound."),
        lazy("The sound is from one of our sessions. What was seen with it could not be compared."),
    ),
    "sound_points_to_manifest_picture_differs": (
        "bad", lazy("Our sound, but not our picture."),
        lazy("The sound is from one of our sessions, the picture is not: it is another one, or was changed until"
             " nothing agreed. Do not take it as theirs, or as ours."),
    ),
    "picture_and_sound_of_two_sessions": (
        "bad", lazy("Picture and sound of two sessions."),
        lazy("The picture is from one of our sessions, the sound from another. They were put together afterwards. Do"
             " not take it as theirs, or as ours."),
    ),
    "manifest_changed": (
        "warn", lazy("Our manifest, file changed."),
        lazy("We signed a file with this manifest, but this file was changed. Whether it still shows the session could"
             " not be compared."),
    ),
    "mark_present": (
        "warn", lazy("Mark present, session unknown."),
        lazy("Picture or sound was made with our key, but which session it comes from cannot be read any more."),
    ),
    "tampering": (
        "bad", lazy("Signs of tampering."), lazy("Someone has worked on the mark. Do not rely on this clip."),
    ),
    "no_mark": (
        "plain", lazy("No evidence. This proves nothing."),
        lazy("We found no mark and no manifest of ours. A mark can be lost or removed, and most videos in the world"
             " never had one of ours."),
    ),
    "not_checked": (
        "plain", lazy("No evidence. Nothing could be looked at."),
        lazy("We read the file, but found neither a picture nor enough sound in it for a mark."),
    ),
}

MANIFEST, MARK = lazy("Signed manifest in the file"), lazy("Watermark")
SOUND = lazy("Mark in the sound")
RECORDS, COMPARISON = lazy("Manifest in our records"), lazy("Picture against that session")
_FOUND, _NONE, _NOT_RUN, _NOT_KNOWN = lazy("found"), lazy("none"), lazy("not run"), lazy("not known")

# (what, result): (state of the chip, its word, title, sentence). Facts are filled in as %(name)s.
FACTS: dict[tuple[str, str], tuple[str, Any, Any, Any]] = {
    ("manifest", "holds"): (
        "pass", _FOUND, MANIFEST, lazy("Not one byte of picture or sound has changed since we signed it.")),
    ("manifest", "holds_frames"): (
        "pass", _FOUND, MANIFEST, lazy("%(verified)s of %(received)s frames were signed for this session.")),
    ("manifest", "beginning_frames"): (
        "pass", _FOUND, MANIFEST,
        lazy("%(verified)s of %(received)s frames were signed for this session.")),
    ("manifest", "changed"): (
        "fail", lazy("changed"), MANIFEST, lazy("It is ours, but the file was changed after it was signed.")),
    ("manifest", "changed_frames"): (
        "fail", lazy("changed"), MANIFEST,
        lazy("It is ours, but only %(verified)s of %(received)s frames hold, or some are missing.")),
    ("manifest", "changed_sound"): (
        "fail", lazy("changed"), MANIFEST,
        lazy("It is ours, but only %(sound_verified)s of %(sound_received)s packets of sound hold, or some are"
             " missing.")),
    ("manifest", "revoked"): (
        "fail", lazy("revoked"), MANIFEST,
        lazy("It was signed with a certificate of ours that was revoked. Nothing in it is believed.")),
    ("manifest", "foreign"): ("warn", lazy("not ours"), MANIFEST, lazy("It was signed by someone we do not know.")),
    ("manifest", "broken"): (
        "fail", lazy("does not hold"), MANIFEST, lazy("It cannot be read, or does not say whose it is.")),
    ("manifest", "missing"): (
        "warn", lazy("missing"), MANIFEST,
        lazy("The file carries none. It was cut off, or the clip was encoded again.")),
    ("mark", "found"): (
        "pass", _FOUND, MARK,
        lazy("Pictures looked at: %(pictures)s. Read, with its checksum. It points to one known session.")),
    ("mark", "found_searched"): (
        "pass", _FOUND, MARK,
        lazy("Found on a picture that was cut, scaled or mirrored. Read, with its checksum. It points to one known"
             " session.")),
    ("mark", "mark_present"): (
        "warn", lazy("unreadable"), MARK,
        lazy("Pictures looked at: %(pictures)s. A mark of ours is there; what it points to is lost.")),
    ("mark", "no_mark"): (
        "warn", _NONE, MARK, lazy("Pictures looked at: %(pictures)s. None of our marks was found.")),
    ("mark", "no_mark_searched"): (
        "warn", _NONE, MARK,
        lazy("Pictures looked at: %(pictures)s, also for cut, scaled and mirrored ones. None of our marks was found.")),
    ("mark", "tampering"): ("fail", lazy("tampering"), MARK, lazy("The mark was worked on.")),
    ("mark", "inverted"): ("fail", lazy("tampering"), MARK, lazy("Someone tried to take the mark away.")),
    ("mark", "two_marks"): ("fail", lazy("two marks"), MARK, lazy("There are two marks, one over the other.")),
    ("mark", "not_run"): ("not_run", _NOT_RUN, MARK, lazy("No picture could be read from the file.")),
    ("remembered", "possible"): (
        "plain", lazy("one answer"), lazy("Nearly identical clips"),
        lazy("For a day they get one answer, so that many tries do not teach how to remove the mark. This may be an"
             " earlier one.")),
    ("records", "found"): ("pass", _FOUND, RECORDS, lazy("We know the session. Its manifest was signed on %(day)s.")),
    ("records", "missing"): (
        "warn", lazy("not here"), RECORDS, lazy("The signature holds, but we have no record of the session.")),
    ("comparison", "agrees"): (
        "pass", lazy("agrees"), COMPARISON, lazy("The coarse picture agrees with what was sent.")),
    ("comparison", "differs"): (
        "fail", lazy("differs"), COMPARISON, lazy("The picture is not what was sent in that session.")),
    ("comparison", "not_recorded"): (
        "not_run", _NOT_RUN, COMPARISON, lazy("The session was not recorded. Nothing was compared.")),
    ("comparison", "cut"): (
        "not_run", _NOT_RUN, COMPARISON,
        lazy("The picture was cut, scaled or set into another one, so the whole could not be compared.")),
    ("comparison", "still"): (
        "not_run", _NOT_RUN, COMPARISON,
        lazy("One picture looks like the session, but one is too little to say that it is the same.")),
    ("search", "cut"): (
        "not_run", lazy("not finished"), lazy("Cut, scaled and mirrored pictures"),
        lazy("The search took too long and was ended.")),
    ("rest", "not_run"): (
        "not_run", lazy("not checked"), lazy("What comes after the first minute"),
        lazy("Only the first minute was looked at for the mark. Cut out the part you doubt and send that.")),
    ("end", "missing"): (
        "fail", lazy("missing"), lazy("Whether the end is missing"),
        lazy("It is: our log knows %(sent)s frames of this session.")),
    ("end", "not_known"): (
        "not_run", _NOT_KNOWN, lazy("Whether the end is missing"), lazy("Only our log can say how long it was.")),
    ("who", "not_known"): ("not_run", _NOT_KNOWN, lazy("Who changed or cut it"), lazy("Nothing in a file tells.")),
    ("sound", "found_same"): (
        "pass", _FOUND, SOUND, lazy("Read, with its checksum. It points to the same session as the picture.")),
    ("sound", "found"): (
        "pass", _FOUND, SOUND,
        lazy("Read, with its checksum. The sound is from session %(session)s. What is said was not compared.")),
    ("sound", "found_under_another_picture"): (
        "fail", lazy("differs"), SOUND, lazy("The sound is from session %(session)s, the picture is not.")),
    ("sound", "found_of_another_session"): (
        "fail", lazy("differs"), SOUND,
        lazy("The sound is from session %(session)s, the picture is from another.")),
    ("sound", "mark_present"): (
        "warn", lazy("unreadable"), SOUND, lazy("A mark of ours is there; what it points to is lost.")),
    ("sound", "no_mark"): ("warn", _NONE, SOUND, lazy("None of our marks was found in the sound.")),
    ("sound", "no_mark_under_picture"): (
        "warn", _NONE, SOUND,
        lazy("The picture is from a session of ours. In the sound none of our marks was found: it is another one, or"
             " its mark was lost.")),
    ("sound", "no_sound"): ("plain", _NONE, lazy("Sound"), lazy("The file holds no sound.")),
    ("sound", "no_sound_frames"): (
        "warn", _NONE, lazy("Sound"), lazy("The file holds no sound. Whether there was some, it cannot say.")),
    ("sound", "too_short"): (
        "not_run", lazy("too short"), SOUND,
        lazy("There is too little sound for a mark to be read. It takes about five seconds of speech.")),
    ("sound", "cut"): ("not_run", lazy("not finished"), SOUND, lazy("Listening took too long and was ended.")),
    ("sound", "unreadable"): (
        "not_run", _NOT_RUN, SOUND, lazy("The file holds sound that we cannot read.")),
    ("sound", "signed"): (
        "not_run", _NOT_RUN, SOUND,
        lazy("The sound is under the signature, so its mark was not looked for.")),
    # Of answers that were given before sound was listened to.
    ("sound", "not_run"): (
        "not_run", lazy("not checked"), lazy("The sound by itself"),
        lazy("The sound was not looked at for a mark. Without the signature, nothing here speaks for it.")),
    ("truth", "not_known"): (
        "not_run", _NOT_KNOWN, lazy("Whether what is said is true"),
        lazy("A signature and a mark say where a clip comes from, nothing more.")),
}

CONSENT: dict[str, tuple[str, Any, Any]] = {
    "in_force": (
        "pass", lazy("in force"), lazy("Was in force when this was made, and has not been withdrawn since.")),
    "withdrawn": (
        "fail", lazy("withdrawn"),
        lazy("Was in force when this was made. The person withdrew on %(day)s. Please do not pass it on.")),
    "suspended": (
        "warn", lazy("paused"), lazy("Was in force when this was made. The person has paused it since %(day)s.")),
    "expired": ("warn", lazy("ended"), lazy("Was in force when this was made, and ended on %(day)s.")),
    "erased": ("fail", lazy("erased"), lazy("The person had everything erased. Please do not pass it on.")),
}

STEPS: dict[str, Any] = {
    "waiting": lazy("Waiting for its turn"),
    "manifest": lazy("Looking for a signed manifest"),
    "reading": lazy("Reading the file"),
    "mark": lazy("Looking for the mark as it lies"),
    "search": lazy("Searching for the mark on cut, scaled and mirrored pictures"),
    "sound": lazy("Listening for the mark in the sound"),
    "comparing": lazy("Comparing with what was sent"),
}

PROBLEMS: dict[str, Any] = {
    "check.file_unreadable": lazy("We cannot read this file. Try MP4, WebM, PNG, JPEG, MP3 or WAV."),
    "check.file_missing": lazy("Choose a file first, or paste a link."),
    "check.file_too_large": lazy("This file is larger than 120 MB. Cut out the part you doubt and send that."),
    "check.link_unknown": lazy("This is no link to a session of ours. We look up our own sessions only."),
    "check.stopped": lazy("You stopped this check. Nothing of the clip was kept."),
    "check.unfinished": lazy("We could not finish this check. Nothing of the clip was kept. Send it again."),
    "request.too_many": lazy(
        "Too many clips were checked in the last while. Nothing was checked now. Try again later."),
}


@dataclass(frozen=True)
class Line:
    """One row of evidence, ready to read. `state` is the chip's look, `word` what it says."""

    state: str
    word: str
    title: str
    sentence: str


def line(fact: dict[str, Any], day: str = "") -> Line:
    """A fact of a signed answer as a row. `day`: when its session was signed, as the reader writes days."""
    state, word, title, sentence = FACTS[fact["what"], fact["result"]]
    return Line(state, str(word), str(title), str(sentence) % {"day": day, **fact["facts"]})


def consent_line(state: str, day: str) -> Line:
    """What became of the consent, as a row. `day`: since when."""
    look, word, sentence = CONSENT[state]
    return Line(look, str(word), _("Consent of the person shown, today"), str(sentence) % {"day": day})


def problem(code: str) -> str:
    """What a refusal says to the person who asked."""
    return str(PROBLEMS.get(code, PROBLEMS["check.unfinished"]))
