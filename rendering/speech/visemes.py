"""Which mouth shape each speech sound asks for. 22 classes; diphthongs take two in turn.

Consonants: PP (p b m: lips shut), FF (f v), TH, DD (t d), kk (k g ng), CH (ch j sh zh), SS (s z), nn (n l), RR, WW, HH.
Vowels: aa (father), ah (strut), E (dress), ih (kit), iy (fleece), oh (thought), ou (goose), uh (foot), er (nurse),
@ (comma). sil is silence.
"""

VISEMES = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "WW", "HH",
    "aa", "ah", "E", "ih", "iy", "oh", "ou", "uh", "er", "@",
)  # fmt: skip

# CMU/"radio" phone set, as flite prints it.
OF_FLITE: dict[str, tuple[str, ...]] = {
    "pau": ("sil",), "ssil": ("sil",), "h#": ("sil",), "brth": ("sil",),
    "p": ("PP",), "b": ("PP",), "m": ("PP",), "f": ("FF",), "v": ("FF",), "th": ("TH",), "dh": ("TH",),
    "t": ("DD",), "d": ("DD",), "k": ("kk",), "g": ("kk",), "ng": ("kk",), "ch": ("CH",), "jh": ("CH",),
    "sh": ("CH",), "zh": ("CH",), "s": ("SS",), "z": ("SS",), "n": ("nn",), "l": ("nn",), "en": ("nn",),
    "el": ("nn",), "em": ("PP",), "nx": ("nn",), "dx": ("DD",), "r": ("RR",), "w": ("WW",), "y": ("iy",),
    "hh": ("HH",), "hv": ("HH",), "aa": ("aa",), "ae": ("aa",), "ah": ("ah",), "ao": ("oh",), "eh": ("E",),
    "ih": ("ih",), "ix": ("ih",), "iy": ("iy",), "uh": ("uh",), "uw": ("ou",), "er": ("er",), "axr": ("er",),
    "ax": ("@",), "aw": ("aa", "ou"), "ay": ("aa", "ih"), "ey": ("E", "ih"), "ow": ("oh", "ou"), "oy": ("oh", "ih"),
}  # fmt: skip

# One letter of the phonetic alphabet after another. c and ɟ are the palatal row of the Indian languages (च ज, চ জ),
# which sounds and looks like English ch and j.
OF_IPA: dict[str, str] = {
    **dict.fromkeys("pbmɓʙ", "PP"), **dict.fromkeys("fvɱʋɸβ", "FF"), **dict.fromkeys("θð", "TH"),
    **dict.fromkeys("tdʈɖɗ", "DD"), **dict.fromkeys("kgɡŋqɢxɣχç", "kk"), **dict.fromkeys("ʃʒɕʑʂʐcɟ", "CH"),
    **dict.fromkeys("szɬɮ", "SS"), **dict.fromkeys("nlɲɳɭʎɫ", "nn"), **dict.fromkeys("ɹrɾɽʀʁɻ", "RR"),
    **dict.fromkeys("wʍɥ", "WW"), **dict.fromkeys("hɦħʔ", "HH"), **dict.fromkeys("aɑæɶä", "aa"),
    **dict.fromkeys("ʌɐ", "ah"), **dict.fromkeys("eɛœø", "E"), **dict.fromkeys("ɪʏ", "ih"),
    **dict.fromkeys("ijy", "iy"), **dict.fromkeys("oɔɒ", "oh"), **dict.fromkeys("uɯʉ", "ou"),
    **dict.fromkeys("ʊ", "uh"), **dict.fromkeys("ɜɝɚ", "er"), **dict.fromkeys("əɘɵᵻ", "@"),
}  # fmt: skip
AFFRICATES = {"tʃ": ("CH",), "dʒ": ("CH",), "tɕ": ("CH",), "dʑ": ("CH",), "ts": ("SS",), "dz": ("SS",)}
# What stands beside a letter and says nothing about the mouth: length, stress, breath, nasality, syllable, pause; the
# dot makes r into the Indian flap.
MARKS = frozenset("ːˑˈˌʰʱʲ_.\u0303\u0329\u032f\u0361\u02bc ")
# The same letter, another sound: between vowels an English t or d is a quick d.
OF_IPA_BY_LANGUAGE: dict[str, dict[str, str]] = {"en": {"ɾ": "DD"}}


def of_flite(symbol: str) -> tuple[str, ...]:
    """Mouth shapes of one flite phone, in order. An unknown phone is neutral."""
    return OF_FLITE.get(symbol, ("@",))


def of_ipa(symbol: str, language: str = "") -> tuple[str, ...]:
    """Mouth shapes of one espeak-ng phoneme written in IPA, in order; a pause gives sil, an unknown letter is neutral.

    Args:
        language: tag of the spoken language, for the few letters that mean another sound in it.
    """
    own = OF_IPA_BY_LANGUAGE.get(language.split("-")[0].lower(), {})
    bare = "".join(letter for letter in symbol if letter not in MARKS)
    if not bare:
        return ("sil",)
    if bare[:2] in AFFRICATES:
        return AFFRICATES[bare[:2]]
    shapes: list[str] = []
    for letter in bare:
        shape = own.get(letter) or OF_IPA.get(letter, "@")
        if not shapes or shapes[-1] != shape:
            shapes.append(shape)
    return tuple(shapes[:2])


def unknown_letters(symbol: str) -> set[str]:
    """Letters of an IPA symbol that no mouth shape is known for."""
    return {letter for letter in symbol if letter not in OF_IPA and letter not in MARKS}
