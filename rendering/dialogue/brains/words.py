"""Telling words of a text, in English, Hindi, Bengali and Assamese. PURE.

A word is a run of letters, digits and the vowel signs of the Indian scripts. Endings come off lightly, so that "claims"
meets "claim" and "দাবীটো" meets "দাবী", and never so much that less than three signs are left.
"""

import re
import unicodedata

_WORD = re.compile(r"(?:[^\W_]|[\u0900-\u0963\u0966-\u097f\u0980-\u09ff\u200c\u200d])+")
_DIGITS = str.maketrans("०१२३४५६७८९০১২৩৪৫৬৭৮৯", "01234567890123456789")
# Assamese writes two letters of the Bengali script in its own way; joiners shape letters and mean nothing.
_LETTERS = str.maketrans({"ৰ": "র", "ৱ": "ব", "\u200c": "", "\u200d": ""})

_STOP_TEXT = (
    "a an and are as at be been but by can could did do does for from had has have how i if in is it its me my of on "
    "or our shall should so that the their them then there they this to us was we were what when where which who why "
    "will with would you your please tell about get any these those very really too just "
    "है हैं था थी थे का की के को में से पर और या यह वह ये वे मैं हम आप मेरा मेरी मेरे आपका आपकी आपके क्या कब कहाँ कैसे कौन "
    "कितना कितनी कितने तो भी ही नहीं कि जो एक लिए होगा होगी होता होती कर करें बताइए कृपया हो गई गया गए जा रहा रही "
    "আমি আমার আমাকে আপনি আপনার তুমি এই সেই ওই এটা সেটা কি কী কখন কোথায় কেমন কে কত কেন এবং ও বা আর হয় হবে আছে ছিল "
    "একটি একটা জন্য থেকে করে না যে তার দয়া হয়েছে গেছে হল "
    "মই মোর মোক আপুনি আপোনার এইটো সেইটো কেতিয়া কত কিমান কোন কিয় আরু বা হয় হব আছে আছিল এটা বাবে পরা করি নাই যে তার হৈছে গৈছে হ ল"
)
_IRREGULAR = {"paid": "pay", "bought": "buy", "older": "old", "oldest": "old", "stolen": "steal", "stole": "steal",
               "sent": "send", "men": "man", "women": "woman", "children": "child"}
_ENDINGS_TEXT = {
    "latin": "ments ment ings ing ies ied ed es s ly e y",
    "hindi": "ियों ियाँ ियां ाओं ाएं ाएँ ुओं ों ें ीं ां ाँ ाई ता ती ते ना ने ो े ी ा ि ु ू",
    "bengali": (
        "গুলোর গুলো গুলি বোর সমূহ সকল টোর টোত টির টিতে টাই টো টি টা খন জন দের লৈ লে রে কে তে ের ের েই য়ের ে র ত ক ি ী"
    ),
}
_ENDINGS = {
    script: sorted({unicodedata.normalize("NFC", e).translate(_LETTERS) for e in text.split()}, key=len, reverse=True)
    for script, text in _ENDINGS_TEXT.items()
}
_LEAST_LEFT = 3


def plain(text: str) -> str:
    """One spelling: composed, lower case, Latin digits, the Bengali form of letters that Assamese writes otherwise."""
    return unicodedata.normalize("NFC", text).casefold().translate(_LETTERS).translate(_DIGITS)


_STOP_WORDS = frozenset(plain(_STOP_TEXT).split())


def all_words(text: str) -> list[str]:
    """Every word, as it stands, in one spelling."""
    return _WORD.findall(plain(text))


def words(text: str) -> list[str]:
    """The telling words in order, their endings off."""
    return [stem(word) for word in all_words(text) if word not in _STOP_WORDS and (len(word) > 1 or word.isdigit())]


def stem(word: str) -> str:
    """The word without its ending."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    script = _script_of(word)
    ending = next((e for e in _ENDINGS[script] if word.endswith(e) and len(word) - len(e) >= _LEAST_LEFT), "")
    left = word.removesuffix(ending)
    if script == "latin":
        return _without_double(left)
    return stem(left) if ending else left  # Indian words carry several endings, one behind the other


def _script_of(word: str) -> str:
    if "\u0980" <= word[-1] <= "\u09ff":
        return "bengali"
    return "hindi" if "\u0900" <= word[-1] <= "\u097f" else "latin"


def _without_double(word: str) -> str:
    """"cancelled" meets "cancel"."""
    is_double = len(word) > _LEAST_LEFT and word[-1] == word[-2] and word[-1].isalpha()
    return word[:-1] if is_double else word
