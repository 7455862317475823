"""Sources and targets as ids, each by its own vocabulary or both by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np

from recurra.data.pairs import length_problem
from recurra.errors import DataError, UsageError
from recurra.formatting import abbreviate
from recurra.tasks.translate.config import Data
from recurra.text import Vocabulary, build_vocabulary, load_vocabulary

SOURCE, TARGET = "source-", "target-"
"""What the names of the vocabularies' files begin with; one for both is saved as the target's."""
MAX_CHARACTERS_BY_CHARACTER = 40
"""Median length of a side up to which it is read by characters: dates, names, numbers, single words."""
MAX_SYMBOLS, MIN_SYMBOLS_APART = 100, 3
"""A side of so few different words, and so many of them in most of its texts, is written in symbols: phonemes, moves, chords."""
MIN_SHARED = 0.2
"""Share of the words of both sides that come on both, from which on one vocabulary serves them."""


@dataclass(frozen=True)
class TranslationPreprocessor:
    """source, target: the vocabularies, which may be one.  lower: small letters alone are read and written."""

    source: Vocabulary
    target: Vocabulary
    lower: bool = False

    @property
    def joint(self) -> bool:
        """Whether both sides have one vocabulary."""
        return self.source is self.target

    def check(self, text: object, side: str = "source") -> str:
        """Give a source, or a target, as it is read; raises `DataError` for what is no text, or one longer than in training."""
        if not isinstance(text, str):
            raise DataError(f"expected a text, got {abbreviate(text, 40)}")
        if problem := length_problem(side, text):
            raise DataError(problem, hint="cut it into sentences")
        return text.lower() if self.lower else text

    def encode_source(self, text: str) -> np.ndarray:
        """Give the ids of a source, the end mark last."""
        return np.append(self.source.encode(self.check(text)), self.source.eos_id)

    def encode_target(self, text: str) -> np.ndarray:
        """Give the ids of a target, without marks."""
        return self.target.encode(self.check(text, "target"))

    def save(self, folder: Path) -> list[str]:
        """Write the vocabularies, and give the names of the files."""
        sides = [(TARGET, self.target)] if self.joint else [(SOURCE, self.source), (TARGET, self.target)]
        return [vocabulary.save(folder, prefix).name for prefix, vocabulary in sides]

    @classmethod
    def load(cls, folder: Path, data: Data) -> TranslationPreprocessor:
        """Read what `save` wrote; raises `RunError` where it is damaged."""
        target = load_vocabulary(folder, TARGET)
        return cls(target if data.joint else load_vocabulary(folder, SOURCE), target, data.lower)


def build_preprocessor(sources: Sequence[str], targets: Sequence[str], data: Data) -> TranslationPreprocessor:
    """Make it from the training pairs; what `data` leaves open of the units is chosen, and written into it."""
    if data.lower:
        sources, targets = [text.lower() for text in sources], [text.lower() for text in targets]
    if data.source_unit == "auto":
        data.source_unit = choose_unit(sources)
    if data.target_unit == "auto":
        data.target_unit = choose_unit(targets)
    if data.joint is None:
        data.joint = data.source_unit == data.target_unit == "bpe" and shared_words(sources, targets) >= MIN_SHARED
    if data.joint and data.source_unit != data.target_unit:
        raise UsageError(
            f"joint: expected sides of one unit, got {data.source_unit} and {data.target_unit}; leave --joint out, or set "
            "--source-unit and --target-unit"
        )
    if data.joint:
        both = _build([*sources, *targets], data.target_unit, data.vocabulary)
        return TranslationPreprocessor(both, both, data.lower)
    return TranslationPreprocessor(
        _build(sources, data.source_unit, data.vocabulary),
        _build(targets, data.target_unit, data.vocabulary),
        data.lower,
    )


def _build(texts: Sequence[str], unit: str, size: int) -> Vocabulary:
    limited = {"max_size": size} if unit in ("bpe", "word") else {}
    words = {"min_count": 1, "split": "space"} if unit == "word" and len(_words(texts)) <= MAX_SYMBOLS else {}
    return build_vocabulary(texts, unit=unit, **limited, **words)


def choose_unit(texts: Sequence[str]) -> Literal["bpe", "word", "char"]:
    """Choose the unit of a side: symbols apart by blanks as words, what is short by characters, sentences by BPE.

    >>> choose_unit(["AH0 B AW1 T", "K AE1 T", "D AO1 G"]), choose_unit(["3 May 2004"]), choose_unit([f"{n} men ride over a wide green field of grass" for n in range(9)])
    ('word', 'char', 'bpe')
    """
    words = _words(texts)
    symbols = len(words) <= MAX_SYMBOLS and not any(word.isdecimal() for word in words)
    if symbols and median(len(text.split()) for text in texts) >= MIN_SYMBOLS_APART:
        return "word"
    return "char" if median(map(len, texts)) <= MAX_CHARACTERS_BY_CHARACTER else "bpe"


def _words(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in text.split())


def shared_words(sources: Sequence[str], targets: Sequence[str]) -> float:
    """Give the share of all words, as often as they come, that stand on both sides.

    >>> shared_words(["a man in Rome"], ["ein Mann in Rom"])
    0.25
    """
    first, second = _words(sources), _words(targets)
    both = first.keys() & second.keys()
    total = first.total() + second.total()
    return sum(first[word] + second[word] for word in both) / total if total else 0.0
