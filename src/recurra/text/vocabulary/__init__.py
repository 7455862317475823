"""Vocabularies: from a text to numbers and back.

A unit is a class of its own module; `VOCABULARIES` is the one place that lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recurra.errors import DataError, RunError, UsageError
from recurra.formatting import MAX_MESSAGE_CHARACTERS, shorten
from recurra.text.vocabulary.base import Decoder, Vocabulary, read_json_object
from recurra.text.vocabulary.bpe import BpeVocabulary
from recurra.text.vocabulary.bpe_dropout import BpeDropout
from recurra.text.vocabulary.byte_units import ByteVocabulary
from recurra.text.vocabulary.characters import CharacterVocabulary
from recurra.text.vocabulary.words import WordVocabulary
from recurra.text.vocabulary.words_and_characters import SpeltText, WordsAndCharacters

__all__ = [
    "UNITS",
    "VOCABULARIES",
    "BpeDropout",
    "BpeVocabulary",
    "ByteVocabulary",
    "CharacterVocabulary",
    "Decoder",
    "SpeltText",
    "Vocabulary",
    "WordVocabulary",
    "WordsAndCharacters",
    "build_vocabulary",
    "load_vocabulary",
]

VOCABULARIES: dict[str, type[Vocabulary]] = {
    kind.unit: kind for kind in (CharacterVocabulary, ByteVocabulary, WordVocabulary, BpeVocabulary)
}
UNITS = tuple(VOCABULARIES)


def build_vocabulary(texts: Sequence[str], *, unit: str = "char", **settings: Any) -> Vocabulary:
    """Make the vocabulary of some texts.

    `unit` is one of `UNITS`; `settings` are those of its `build` (`min_count`, `max_size`, `split`), and one that is
    None is left at its default. Raises `UsageError` for a unit or a setting that does not exist, and `DataError` when
    there is no text at all.

    >>> build_vocabulary(["to be or not to be"], unit="char", min_count=None)
    <char vocabulary of 263 ids>
    """
    kind = VOCABULARIES.get(unit)
    if kind is None:
        raise UsageError(f"unit: expected one of {', '.join(UNITS)}, got {unit!r}")
    if isinstance(texts, str):
        raise UsageError("texts: expected a list of texts, got one text; write [text]")
    given = {name: value for name, value in settings.items() if value is not None}
    for name in given.keys() - kind.settings:
        known = f"takes {', '.join(sorted(kind.settings))}" if kind.settings else "takes no settings"
        raise UsageError(f"{name}: the unit {unit} {known}; leave it out")
    if not any(texts):
        raise DataError(
            "expected text to make a vocabulary from, got none",
            hint="give texts that are not empty (--text names their column)",
        )
    return kind.build(texts, **given)


def load_vocabulary(folder: Path | str, prefix: str = "") -> Vocabulary:
    """Read the vocabulary that `Vocabulary.save` wrote into a folder, by a name that begins with the prefix.

    Raises `RunError` when it is missing or damaged.
    """
    names = sorted({prefix + kind.file for kind in VOCABULARIES.values()})
    paths = [path for name in names if (path := Path(folder) / name).exists()]
    if len(paths) != 1:
        what = "both" if paths else "neither"
        raise RunError(f"{folder}: expected one of {' and '.join(names)}, got {what}; train the run again")
    path = paths[0]
    document = read_json_object(path)
    try:
        kinds = {unit: kind for unit, kind in VOCABULARIES.items() if prefix + kind.file == path.name}
        unit = document.get("unit") if len(kinds) > 1 else next(iter(kinds))
        if not isinstance(unit, str) or unit not in kinds:
            raise RunError(f"unit: expected one of {', '.join(kinds)}, got {unit!r}")
        return kinds[unit].from_json(document)
    except RunError as error:
        raise RunError(f"{path}: {shorten(str(error), MAX_MESSAGE_CHARACTERS)}") from None
