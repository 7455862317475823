"""Where a space is written between two words."""

from __future__ import annotations

from functools import lru_cache

import regex

# The inside of a character class: characters that are words by themselves, since nothing is written between two words.
CJK = r"\p{Han}\p{Hiragana}\p{Katakana}〆ーｰ゛゜ﾞﾟ"


# What a word is, as far as spaces go: bits of a number, since this is asked for each word of a corpus.
OPENING = 1  # no space after it
CLOSING = 2  # no space before it
IDEOGRAPH = 4  # Chinese or Japanese
MARK = 8  # punctuation, a symbol or a number: no space between it and a Chinese or Japanese character
QUOTE = 16  # opening or closing, by turns

_CJK = regex.compile(rf"[{CJK}\u3000-\u303f\uff00-\uffef]", regex.V1)
_MARK = regex.compile(r"[\p{P}\p{S}]+|\p{N}+")
_OPENING = regex.compile(r"[\p{Ps}\p{Pi}\p{Sc}¿¡#@]+")
_CLOSING = regex.compile(r"[\p{Pe}\p{Pf}.,;:!?%…‥、。，．：；！？％]+")
_TIGHT = regex.compile(r"[/—]+")


@lru_cache(maxsize=1 << 16)
def word_flags(word: str) -> int:
    """Return what a word is, as the bits above.

    >>> word_flags("(") == OPENING | MARK, word_flags("。") == CLOSING | MARK | IDEOGRAPH, word_flags("cat") == 0
    (True, True, True)
    """
    kind = IDEOGRAPH if _CJK.match(word) else 0
    if _MARK.fullmatch(word):
        kind |= MARK
    if _TIGHT.fullmatch(word):
        kind |= OPENING | CLOSING
    elif _OPENING.fullmatch(word):
        kind |= OPENING
    elif _CLOSING.fullmatch(word):
        kind |= CLOSING
    elif word in ('"', "'"):
        kind |= QUOTE
    return kind


class Spacer:
    """Says word by word what to write before it: a space or nothing.

    With `apart`, all words of a line stand apart; without, marks hang on words as they do in print.

    >>> spacer = Spacer(apart=False)
    >>> "".join(spacer.space_before(word) + word for word in ["He", ":", '"', "a", "(", "b", ")", '"', ".", "春", "眠"])
    'He: "a (b)".春眠'
    """

    def __init__(self, *, apart: bool) -> None:
        self._apart = apart
        self.reset()

    def reset(self) -> None:
        """Forget what came before."""
        self._last: int | None = None
        self._open: set[str] = set()

    def space_written(self) -> None:
        """Note that a space was written by someone else; quotes that are open stay so."""
        self._last = None

    def space_before(self, word: str) -> str:
        """Return what is written between the word before and this one."""
        if word == "\n":
            self.reset()
            return ""
        last, kind = self._last, 0 if self._apart else word_flags(word)
        if kind & QUOTE:
            kind |= CLOSING if word in self._open else OPENING
            self._open ^= {word}
        self._last = kind
        if last is None or last & OPENING or kind & CLOSING:
            return ""
        hangs = (last & IDEOGRAPH and kind & (IDEOGRAPH | MARK)) or (last & MARK and kind & IDEOGRAPH)
        return "" if hangs else " "
