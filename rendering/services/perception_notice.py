"""What a viewer reads before anything is perceived of them. The event of a consent names the hash of these sentences.

The wording is law as much as text (EU AI Act Art. 50(3): people are informed when emotion recognition is used on them):
whoever changes a sentence changes the hash that later consents name.
"""

from django.utils.translation import gettext as _
from django.utils.translation import override

from trustcore.policy import perception
from trustcore.primitives.hashing import statement_sha256


def sentences(level: str) -> tuple[str, ...]:
    """The notice in the language in force, sentence by sentence."""
    reads_face = perception.includes(level, "face")
    return (
        _("Your browser would read the movements of your face and the tone of your voice, and guess at a mood.")
        if reads_face
        else _("Your browser would read the tone of your voice, and guess how lively you are."),
        _("It is a guess, and it is often wrong. It helps the replica to pace the talk. Nothing is decided by it."),
        _("The picture of your camera never leaves your device. At most twice a second a few numbers are sent.")
        if reads_face
        else _("Your camera stays off. At most twice a second a few numbers are sent."),
        _("Where your browser cannot read your voice, the service reads it from the sound that you send to talk."),
        _("Nothing that was read is stored. Only that you allowed it, and that you ended it, is recorded."),
        _("The conversation is the same without it. You can end it at any moment, and it ends at once."),
    )


def notice_sha256(level: str, language: str) -> str:
    """Hash of the notice as it reads in one language."""
    with override(language):
        return statement_sha256({"level": level, "language": language, "sentences": list(sentences(level))})
