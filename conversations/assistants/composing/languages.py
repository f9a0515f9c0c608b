"""In which language a text is written, as far as a rule of a router needs to know: by its script, and of those that
are written in Latin letters by their most frequent words."""

import re
import unicodedata
from collections import Counter

# The beginning of a character's Unicode name -> language. Of those that share a script the most frequent one.
SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "GREEK": "el",
    "THAI": "th",
    "DEVANAGARI": "hi",
    "LATIN": "latin",
}
FREQUENT = {
    "en": "the of and to in is that it for you with on are this be have not what how can do i my a does please where",
    "de": "der die das und ist nicht ich zu ein eine mit wie was für auf den von sie es wir kann bitte mein meine wo",
    "fr": "le la les et est pas je de des un une que pour vous dans avec comment nous ne il mon ma où peut",
    "es": "el la los y es no de que un una para con como cómo por en qué mi se yo puedo dónde está",
    "it": "il la gli e è non di che un una per con come sono mi posso dove questo del della i",
    "pt": "o a os e é não de que um uma para com como por em meu minha eu posso onde está",
    "nl": "de het een en is niet ik van dat hoe wat met voor op je mijn kan waar zijn",
}
WORDS = {language: frozenset(words.split()) for language, words in FREQUENT.items()}
CODES = frozenset({*SCRIPTS.values(), *FREQUENT} - {"latin"})
# Characters that are looked at.
SAMPLE = 2000


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language, of those in CODES; empty where it cannot be told."""
    sample = text[:SAMPLE]
    counted = Counter(script for char in sample if (script := _script(char)))
    if not counted:
        return ""
    if counted["ja"]:
        return "ja"  # with Chinese characters among its own
    script = counted.most_common(1)[0][0]
    return _latin(sample) if script == "latin" else script


def _script(char: str) -> str:
    return SCRIPTS.get(unicodedata.name(char, "").partition(" ")[0], "") if char.isalpha() else ""


def _latin(text: str) -> str:
    said = Counter(re.findall(r"\w+", text.casefold()))
    scores = {language: sum(said[word] for word in words) for language, words in WORDS.items()}
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] else ""
