"""The few sentences a replica says of itself, by language: while it waits, when a part failed, when nobody speaks."""

from collections.abc import Mapping
from typing import Literal, get_args

# "moment": the answer takes a while. "sorry": there will be none. "pardon": the words were not understood. "deaf":
# the viewer cannot be heard, only read. "mute": the answer can only be read. "nudge": nobody has spoken for a while.
Phrase = Literal["moment", "sorry", "pardon", "deaf", "mute", "nudge"]
PHRASES: tuple[Phrase, ...] = get_args(Phrase)

_SENTENCES: Mapping[str, Mapping[Phrase, str]] = {
    "en": {
        "moment": "One moment, please.",
        "sorry": "I am sorry, I cannot answer that just now. Please ask me again.",
        "pardon": "I am sorry, I did not catch that. Could you say it again?",
        "deaf": "I cannot hear you at the moment. You can write to me instead.",
        "mute": "I cannot say that aloud at the moment. You can read it.",
        "nudge": "I am still here. Take your time.",
    },
    "hi": {
        "moment": "एक क्षण, कृपया।",
        "sorry": "क्षमा करें, अभी इसका उत्तर देना संभव नहीं है। कृपया फिर से पूछें।",
        "pardon": "क्षमा करें, बात समझ में नहीं आई। क्या आप फिर से कहेंगे?",
        "deaf": "मुझे अभी आपकी आवाज़ नहीं आ रही है। आप लिख सकते हैं।",
        "mute": "यह अभी बोला नहीं जा सकता। आप इसे पढ़ सकते हैं।",
        "nudge": "मैं यहीं हूँ। आराम से सोचिए।",
    },
    "bn": {
        "moment": "এক মুহূর্ত, অনুগ্রহ করে।",
        "sorry": "দুঃখিত, আমি এখন এর উত্তর দিতে পারছি না। অনুগ্রহ করে আবার জিজ্ঞাসা করুন।",
        "pardon": "দুঃখিত, আমি বুঝতে পারিনি। আপনি কি আবার বলবেন?",
        "deaf": "আমি এখন আপনার কথা শুনতে পাচ্ছি না। আপনি লিখতে পারেন।",
        "mute": "এটি এখন বলা যাচ্ছে না। আপনি এটি পড়তে পারেন।",
        "nudge": "আমি এখানেই আছি। সময় নিন।",
    },
    "as": {
        "moment": "অনুগ্ৰহ কৰি এক মুহূৰ্ত অপেক্ষা কৰক।",
        "sorry": "দুঃখিত, মই এতিয়া ইয়াৰ উত্তৰ দিব পৰা নাই। অনুগ্ৰহ কৰি আকৌ সোধক।",
        "pardon": "দুঃখিত, মই বুজি নাপালোঁ। আপুনি আকৌ এবাৰ ক'বনে?",
        "deaf": "মই এতিয়া আপোনাৰ মাত শুনা নাই। আপুনি লিখিব পাৰে।",
        "mute": "এইটো এতিয়া কোৱা সম্ভৱ নহয়। আপুনি পঢ়িব পাৰে।",
        "nudge": "মই ইয়াতে আছোঁ। সময় লওক।",
    },
}  # fmt: skip


def sentence(phrase: Phrase, language: str) -> str:
    """The sentence in a language tag's language; in English where there is none."""
    return _SENTENCES.get(language.split("-")[0].lower(), _SENTENCES["en"])[phrase]
