"""How one unit is shown, so that no two look alike."""

from __future__ import annotations

from recurra.text import Vocabulary
from recurra.text.vocabulary.base import FIRST_BYTE


def label(vocabulary: Vocabulary, id: int) -> str:
    """Give how an id is shown: its text; a byte by its number where its character has an id of its own.

    A vocabulary of characters has all bytes beside them, for the characters that it lacks. Of those only the ones in
    ASCII are a character each, and where one is in the vocabulary too, its byte is never what a text is read as.
    Raises `UsageError` for an id that is out of range.

    >>> from recurra.text import build_vocabulary
    >>> vocabulary = build_vocabulary(["banana"], unit="char")
    >>> [label(vocabulary, id) for id in (1, FIRST_BYTE + ord("a"), FIRST_BYTE + ord("b"), FIRST_BYTE + 0xE2)]
    ['<end>', '<0x61>', 'b', '<0xE2>']
    >>> [label(vocabulary, int(id)) for id in vocabulary.encode("ab")]
    ['a', 'b']
    """
    shown = vocabulary.label(id)
    byte = id - FIRST_BYTE
    if vocabulary.unit == "char" and 0 <= byte < 0x80 and vocabulary.encode(shown).tolist() != [id]:
        return f"<0x{byte:02X}>"
    return shown
