"""How a name sounds: one spelling for what scripts, languages and clerks write differently.

sound("Muammar Gaddafi")  letters that stand for one sound made one, doubled letters single, vowels kept
bones("Mohammed")         the consonants of that, with a mark where the word begins or ends in a vowel: for finding
spoken(text)              any script in Latin letters, with what `unidecode` leaves unlike the usual transliterations
"""

from __future__ import annotations

import re
from functools import lru_cache

from unidecode import unidecode

from omnihub.fields.text import fold

_HANGUL = re.compile(r"[가-힣]+")
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]+")
_ABJAD = re.compile(r"[\u0590-\u05ff\u0600-\u06ff\u0750-\u077f]")  # Hebrew and Arabic write no short vowels
_DENSE = re.compile(r"[\u3400-\u9fff가-힣]")
# The vowels of Hangul as passports have them, not as the rules of 2000 have them: Kim Jong Un, not Gim Jeong-eun.
_KOREAN = (("yeo", "yo"), ("eo", "o"), ("eu", "u"), ("gim", "kim"), ("bag", "pak"))
_KANA_PAIRS = str.maketrans({"ー": None, "・": " "})

# What unidecode makes of letters unlike the usual transliteration.
_UNUSUAL = {
    "х": "kh", "Х": "Kh", "щ": "shch", "Щ": "Shch", "ї": "i", "Ї": "I", "ый": "y", "ий": "y", "ыи": "y",
    "ьо": "io", "η": "i", "ή": "i", "Η": "I", "Ή": "I", "υ": "y", "ύ": "y", "Υ": "Y", "Ύ": "Y",
    "ου": "u", "ού": "u", "Ου": "U", "Ού": "U", "ΟΥ": "U", "μπ": "b", "Μπ": "B", "ντ": "d", "Ντ": "D",
    "γκ": "g", "Γκ": "G", "αυ": "av", "ευ": "ev", "χ": "ch", "Χ": "Ch", "β": "v", "Β": "V",
    "ω": "o", "ώ": "o", "φ": "f", "Φ": "F", "ш": "sh", "ъ": "", "ь": "", "Ь": "", "Ъ": "",
    # Hebrew and Arabic letters that are read as they stand beside others.
    "פ": "p", "ף": "f", "ח": "h", "כ": "k", "ך": "kh", "צ": "ts", "ץ": "ts", "ט": "t", "ק": "k", "ש": "sh",
    "ق": "q", "غ": "gh", "ح": "h", "ط": "t", "ص": "s", "ض": "d", "ظ": "z", "ث": "th", "ذ": "dh", "پ": "p", "گ": "g",
}  # fmt: skip
_UNUSUAL_AT = re.compile("|".join(sorted(map(re.escape, _UNUSUAL), key=len, reverse=True)))


def is_abjad(text: str) -> bool:
    """Whether the text is in a script that leaves vowels out."""
    return not text.isascii() and _ABJAD.search(text) is not None


def is_dense(text: str) -> bool:
    """Whether the text is in a script in which one sign is a syllable or a word.

    >>> is_dense("习近平"), is_dense("김정은"), is_dense("Müller")
    (True, True, False)
    """
    return not text.isascii() and _DENSE.search(text) is not None


def spoken(text: str) -> str:
    """Any script in Latin letters, close to what passports and newspapers write; case and Latin accents stay.

    >>> spoken("Михаил Хрущёв"), spoken("Κυριάκος Μητσοτάκης"), spoken("김정은"), spoken("バラク・オバマ")
    ('Mikhail Khrushchiov', 'Kyriakos Mitsotakis', 'kim jong un', 'baraku obama')
    """
    if text.isascii():
        return text
    if _HANGUL.search(text):
        text = _HANGUL.sub(_korean, text)
    if _KANA.search(text):
        text = _KANA.sub(lambda found: unidecode(found[0].translate(_KANA_PAIRS)), text.translate(_KANA_PAIRS))
    if max(text) < "\u0250":
        return text
    text = _UNUSUAL_AT.sub(lambda found: _UNUSUAL[found[0]], text)
    return "".join(sign if sign < "\u0250" else unidecode(sign) for sign in text)


def _korean(found: re.Match[str]) -> str:
    """One word for each syllable: the first is the family's name."""
    syllables = []
    for sign in found[0]:
        latin = unidecode(sign).strip().lower()
        for written, usual in _KOREAN:
            latin = latin.replace(written, usual)
        syllables.append(latin)
    return " ".join(syllables)


# Letters of one sound, longest first. "ch" is sh (Bachar is Bashar), but k before l and r.
_SAME_SOUND = {
    "tsch": "s", "shch": "s", "sch": "s", "tch": "s", "chr": "kr", "chl": "kl", "dzh": "i", "dj": "i", "zh": "s",
    "sh": "s", "ch": "s", "cz": "s", "sz": "s", "ts": "s", "tz": "s", "kh": "h", "gh": "k", "ph": "f", "pf": "f",
    "th": "t", "dh": "d", "bh": "b", "ck": "k", "cq": "k", "ce": "se", "ci": "si", "cy": "si", "c": "k", "q": "k",
    "g": "k", "x": "ks", "z": "s", "w": "v", "j": "i", "y": "i", "ou": "u", "oo": "u", "ee": "i",
}  # fmt: skip
_SOUND_AT = re.compile("|".join(sorted(_SAME_SOUND, key=len, reverse=True)))
_DOUBLED = re.compile(r"(.)\1+")


def sound(word: str) -> str:
    """A folded word as it sounds. Expects what `fold` or `words` return.

    >>> sound("gaddafi") == sound("qaddafi"), sound("wladimir") == sound("vladimir"), sound("bachar"), sound("mueller")
    (True, True, 'basar', 'mueler')
    """
    word = "s" + word[1:] if word.startswith("x") else word  # Xi, Xavier
    word = word[:-1] + "v" if word.endswith(("of", "ef")) else word[:-2] + "v" if word.endswith("ff") else word  # -ov
    heard = _SOUND_AT.sub(lambda found: _SAME_SOUND[found[0]], word)
    return _DOUBLED.sub(r"\1", heard)


_VOWELS = re.compile(r"[aeiou]+")
_SILENT_H = re.compile(r"(?<=[aeiou])h(?![aeiou])|(?<=[^aeiou])h")
_ENDINGS = {"a": "a", "o": "o", "u": "o", "e": "e", "i": "e"}


@lru_cache(maxsize=100_000)  # few words make many names
def bones(word: str) -> str:
    """The consonants of a folded word by sound, with the kind of vowel it begins and ends in.

    >>> bones("mohammed") == bones("muhammad"), bones("husayn") == bones("hussein"), bones("maria") == bones("mario")
    (True, True, False)
    """
    heard = _SILENT_H.sub("", sound(word))
    first = _ENDINGS.get(heard[:1], "")
    last = _ENDINGS.get(heard[-1:], "") if len(heard) > 1 else ""
    return first + _VOWELS.sub("", heard) + last


_WEAK_LETTERS = re.compile(r"[aeiouvwyh'`]+")


def consonants(word: str) -> str:
    """What a script without vowels writes of a folded word: for comparing one in Arabic or Hebrew with one in Latin.

    >>> consonants("frnndw") == consonants("fernando"), consonants("byryz") == consonants("perez")
    (True, True)
    """
    letters = _WEAK_LETTERS.sub("", sound(word.replace("v", "f").replace("sch", "sh")))
    return _DOUBLED.sub(r"\1", letters.replace("p", "b").replace("ks", "k"))


def heard(text: str) -> str:
    """A whole text by sound, word by word in their order: a key for spellings of one name.

    >>> heard("Mohammed Husayn") == heard("Muhammad Hussein")
    True
    """
    return " ".join(bones(word) for word in re.findall("[a-z]+", fold(spoken(text))))
