"""Words, and the characters of each: what a word that is not in the dictionary is known by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt

from recurra.errors import RunError, UsageError
from recurra.formatting import MAX_MESSAGE_CHARACTERS, shorten
from recurra.text.vocabulary.base import (
    VERSION,
    check_at_least,
    expect_keys,
    expect_units,
    most_frequent,
    normal_form,
    read_json_object,
)
from recurra.text.vocabulary.words import LINE_BREAK, Split, guess_split, split_words

MAX_WORD_LENGTH = 64
"""Characters that are kept of a word: of a longer one (an address, an encoded file) the first and the last half of that."""
_MAX_CACHED_WORDS = 1 << 16  # words whose numbers are kept, so that each text need not spell them again


@dataclass(frozen=True)
class SpeltText:
    """A text of T words, U of them distinct.

    places: (T), of each word among the distinct ones.  ids: (U), 0 where a word is not in the dictionary.
    counts: (U), how often the dictionary saw it, 0 for those that are not in it.  spellings: U arrays of characters' ids.
    All are int32.
    """

    places: npt.NDArray[np.int32]
    ids: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    spellings: list[npt.NDArray[np.int32]]

    def __len__(self) -> int:
        return len(self.places)

    def cut(self, start: int, stop: int) -> SpeltText:
        """Give the words from `start` up to, but not including, `stop`, as a text of their own."""
        distinct, places = np.unique(self.places[start:stop], return_inverse=True)
        spellings = [self.spellings[place] for place in distinct]
        return SpeltText(places.astype(np.int32), self.ids[distinct], self.counts[distinct], spellings)


class WordsAndCharacters:
    """A dictionary of words, ids from 1 with 0 for all others, and of the characters (code points) in any word, likewise.

    Words are looked up without regard to case with `fold`; characters keep it. A text is cut by `split` as in
    `WordVocabulary`, each Chinese or Japanese character by itself where no spaces are written; line breaks are no words here.
    A text that is cut already, a list of words, stays as it is. Everything is brought to Unicode's normal form C.

    >>> vocabulary = WordsAndCharacters.build(["A cat, a dog", "the cat"], max_words=3)
    >>> vocabulary.words, vocabulary.tokenize("The cat!")
    (['a', 'cat', ','], ['The', 'cat', '!'])
    >>> text = vocabulary.encode("The cat, the cat!")
    >>> text.places.tolist(), text.ids.tolist(), [len(spelling) for spelling in text.spellings]
    ([0, 1, 2, 3, 1, 4], [0, 2, 3, 0, 0], [3, 3, 1, 3, 1])
    """

    unit = "words and characters"
    file = "vocabulary.json"

    def __init__(
        self, words: Sequence[str], counts: Sequence[int], characters: Sequence[str], *, fold: bool, split: Split
    ) -> None:
        """Take words, how often each was seen, and characters, in the order of their ids; both must be distinct."""
        self.words, self.counts, self.characters = list(words), list(counts), list(characters)
        self.fold, self.split = fold, split
        self._ids = {word: id for id, word in enumerate(self.words, 1)}
        self._letters = {letter: id for id, letter in enumerate(self.characters, 1)}
        self._known: dict[str, tuple[int, npt.NDArray[np.int32]]] = {}

    @classmethod
    def build(
        cls,
        texts: Sequence[str] | Sequence[Sequence[str]],
        *,
        max_words: int | None = 10_000,
        min_count: int = 1,
        fold: bool = True,
        split: Split | Literal["auto"] = "auto",
    ) -> Self:
        """Take the `max_words` commonest words (None: all) that come at least `min_count` times, ties by code points.

        texts: texts, or lists of words. A character that comes once is left out, so that an unknown one is met in training.
        Raises `UsageError` for a setting that makes no sense, `DataError` for a lone surrogate.
        """
        check_at_least("min_count", min_count, 1)
        if max_words is not None:
            check_at_least("max_words", max_words, 1)
        if split not in ("auto", "space", "punctuation"):
            raise UsageError(f"split: expected auto, space or punctuation, got {split!r}")
        if isinstance(texts, str):
            raise UsageError("texts: expected a list of texts, got one text; write [text]")
        if split == "auto":
            whole = [text for text in texts if isinstance(text, str)]
            split = guess_split(whole) if whole else "punctuation"
        empty = cls([], [], [], fold=fold, split=split)
        seen: Counter[str] = Counter()
        for text in texts:
            seen.update(empty.tokenize(text))
        counts: Counter[str] = Counter()
        letters: Counter[str] = Counter()
        for word, count in seen.items():
            counts[empty._folded(word)] += count
            for letter in word:
                letters[letter] += count
        del counts[""]  # a table may have an empty cell among its words
        words = most_frequent(counts.items(), min_count)[:max_words]
        return cls(words, [counts[word] for word in words], most_frequent(letters.items(), 2), fold=fold, split=split)

    def tokenize(self, text: str | Sequence[str]) -> list[str]:
        """Give the words of a text as they are written, in normal form C. Raises `DataError` for a lone surrogate."""
        if isinstance(text, str):
            return [word for word in split_words(normal_form(text), self.split) if word != LINE_BREAK]
        return [normal_form(word) for word in text]

    def encode(self, text: str | Sequence[str]) -> SpeltText:
        """Give the numbers of a text, or of a list of words; an empty one has T = 0. Raises `DataError` as `tokenize` does."""
        distinct: dict[str, int] = {}
        places = [distinct.setdefault(word, len(distinct)) for word in self.tokenize(text)]
        looked_up = [self._look_up(word) for word in distinct]
        ids = np.array([id for id, _ in looked_up], dtype=np.int32)
        counts = np.array([self.counts[id - 1] if id else 0 for id, _ in looked_up], dtype=np.int32)
        return SpeltText(np.array(places, dtype=np.int32), ids, counts, [spelling for _, spelling in looked_up])

    def _look_up(self, word: str) -> tuple[int, npt.NDArray[np.int32]]:
        found = self._known.get(word)
        if found is None:
            half = MAX_WORD_LENGTH // 2
            letters = word if len(word) <= MAX_WORD_LENGTH else word[:half] + word[-half:]
            spelling = np.array([self._letters.get(letter, 0) for letter in letters], dtype=np.int32)
            found = self._ids.get(self._folded(word), 0), spelling
            if len(self._known) == _MAX_CACHED_WORDS:
                self._known.clear()
            self._known[word] = found
        return found

    def _folded(self, word: str) -> str:
        return word.casefold() if self.fold else word

    def to_json(self) -> dict[str, Any]:
        """Return all that is saved, as JSON values."""
        return {
            "unit": self.unit,
            "version": VERSION,
            "split": self.split,
            "fold": self.fold,
            "words": self.words,
            "counts": self.counts,
            "characters": self.characters,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Make the vocabulary that `document` describes. Raises `RunError` when it is not well formed."""
        expect_keys(document, {"split", "fold", "words", "counts", "characters"})
        split, fold, counts = document["split"], document["fold"], document["counts"]
        if document["unit"] != cls.unit:
            raise RunError(f"unit: expected {cls.unit!r}, got {document['unit']!r}")
        if split not in ("space", "punctuation"):
            raise RunError(f"split: expected space or punctuation, got {split!r}")
        if not isinstance(fold, bool):
            raise RunError(f"fold: expected true or false, got {fold!r}")
        words, characters = expect_units(document["words"], "words"), expect_units(document["characters"], "characters")
        if not isinstance(counts, list) or len(counts) != len(words):
            raise RunError(f"counts: expected a list of {len(words)} numbers, one for each word, got another")
        for place, count in enumerate(counts):
            if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count < 2**31:
                raise RunError(f"counts[{place}]: expected a whole number from 1 to 2^31 − 1, got {count!r}")
        for place, letter in enumerate(characters):
            if len(letter) != 1:
                raise RunError(f"characters[{place}]: expected one character, got {letter!r}")
        return cls(words, counts, characters, fold=fold, split=cast("Split", split))

    def save(self, folder: Path) -> Path:
        """Write the vocabulary into a folder as canonical UTF-8 JSON and return the file's path."""
        path = Path(folder) / self.file
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=0, sort_keys=True, allow_nan=False)
        path.write_bytes(text.encode("utf-8") + b"\n")
        return path

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read what `save` wrote into a folder. Raises `RunError` when it is missing, damaged, or of another unit."""
        path = Path(folder) / cls.file
        document = read_json_object(path)
        try:
            return cls.from_json(document)
        except RunError as error:
            raise RunError(f"{path}: {shorten(str(error), MAX_MESSAGE_CHARACTERS)}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WordsAndCharacters) and self.to_json() == other.to_json()

    def __repr__(self) -> str:
        return f"<vocabulary of {len(self.words)} words and {len(self.characters)} characters>"
