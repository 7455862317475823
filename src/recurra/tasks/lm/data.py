"""Files in, ids out: the text of a language model, split and encoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.splits import split_documents, split_text
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.lm.config import Data, Documents
from recurra.tasks.lm.tokens import TextPreprocessor
from recurra.text import Corpus, PlainTextError, Vocabulary, build_vocabulary, count_graphemes, read_corpus
from recurra.text.vocabulary.words import UNKNOWN_WORD

MAX_VALIDATION_CHARACTERS = 1_500_000
"""More tell hardly more, and would be read again and again while training."""

IDS_DIGESTED_TOGETHER = 1 << 20


@dataclass(frozen=True)
class Split:
    """Texts of one split, as ids and as they were counted.

    sequences: one id array for each document (exactly one for a continuous text).  characters, bytes: of the text they came from.
    skipped: a message for each row that was left out of the files of this split, where it has files of its own.
    """

    texts: list[str]
    sequences: list[np.ndarray]
    continuous: bool
    skipped: list[str] = field(default_factory=list)

    @property
    def characters(self) -> int:
        return sum(count_graphemes(text) for text in self.texts)

    @property
    def bytes(self) -> int:
        return sum(len(text.encode()) for text in self.texts)

    @property
    def units(self) -> int:
        """Count the ids to predict: every id of the text, and the end of each document."""
        return sum(len(sequence) for sequence in self.sequences) + (0 if self.continuous else len(self.sequences))


@dataclass(frozen=True)
class Dataset:
    """A corpus ready for training; documents: what one is, now that the corpus was read."""

    train: Split
    valid: Split | None
    test: Split | None
    preprocessor: TextPreprocessor
    documents: Documents
    notes: list[str]

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that there are, by name."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @cached_property
    def fingerprint(self) -> str:
        """A digest that changes whenever any example does."""
        digest = hashlib.sha256()
        for split in (self.train, self.valid, self.test):
            for sequence in split.sequences if split else []:
                digest.update(len(sequence).to_bytes(8, "little"))
                for start in range(0, len(sequence), IDS_DIGESTED_TOGETHER):
                    part = sequence[start : start + IDS_DIGESTED_TOGETHER]
                    digest.update(np.ascontiguousarray(part, dtype=np.int32).data)
            digest.update(b"|")
        return digest.hexdigest()


def read(arguments: Sequence[str], data: Data) -> Corpus:
    """Read a corpus the way the run reads all its data."""
    return read_corpus(arguments, field=data.text, documents=data.documents, on_error=data.on_error)


def read_split(
    arguments: Sequence[str], data: Data, vocabulary: Vocabulary, note: Callable[[str], None] = lambda _: None
) -> Split:
    """Read what a user names at evaluation time, in the units of the run; `note` takes what is not as one may expect.

    For a run on records, plain text may be named too: its documents are then what stands between blank lines.
    """
    arguments, settings = resolve_files(arguments)
    data = data.model_copy(update={"text": settings.get("text", data.text)})
    try:
        corpus = read(arguments, data)
    except PlainTextError:
        note("plain text, though the run learnt from records: what stands between blank lines is one document")
        corpus = read_corpus(arguments, documents="blank", on_error=data.on_error)
    for message in skipped_notes(corpus.skipped):
        note(message)
    return encode(corpus.documents, corpus.continuous, vocabulary, corpus.skipped)


def encode(texts: list[str], continuous: bool, vocabulary: Vocabulary, skipped: Sequence[str] = ()) -> Split:
    """Turn texts into ids, of the smallest type that holds them: a text has many."""
    dtype = vocabulary.dtype
    return Split(texts, [vocabulary.encode(text, dtype) for text in texts], continuous, list(skipped))


def read_dataset(data: Data, vocabulary: Vocabulary | None = None) -> Dataset:
    """Read, split and encode all that a run needs; the vocabulary is made from the training part unless one is given.

    Raises `DataError` where a part would be empty, `UsageError` where the settings contradict each other.
    """
    if data.words != "auto" and data.unit != "word":
        raise UsageError(
            f"words: says how words are cut, but the unit is {data.unit}; set unit = word, or leave it out"
        )
    corpus = read(data.given, data)
    continuous, notes = corpus.continuous, skipped_notes(corpus.skipped)
    texts = _split(corpus, 0.0 if data.valid else data.valid_share, 0.0 if data.test else data.test_share)
    del corpus  # its text has been copied into its parts
    skipped: dict[str, list[str]] = {}
    for name, arguments in (("valid", data.valid), ("test", data.test)):
        if arguments:
            given = read(arguments, data)
            texts[name], skipped[name] = given.documents, given.skipped
            notes += [f"{name}: {message}" for message in skipped_notes(given.skipped)]
    notes += limit_validation(texts["valid"], continuous)
    if vocabulary is None:
        vocabulary = _build_vocabulary(texts["train"], data)
    splits = {
        name: encode(part, continuous, vocabulary, skipped.get(name, ())) if part else None
        for name, part in texts.items()
    }
    train = splits["train"]
    if train is None or train.units < 2:
        raise DataError(
            "there is nothing to learn from: the training text is shorter than two units",
            source=" ".join(data.data[:3]),
        )
    documents: Documents = "none" if continuous else "record" if data.documents == "auto" else data.documents
    has_own = data.unknown == "auto" and any(UNKNOWN_WORD in text for text in texts["train"])
    unknown = vocabulary.unknown_id is None or data.unknown == "write" or has_own
    preprocessor = TextPreprocessor(vocabulary, continuous, unknown)
    return Dataset(train, splits["valid"], splits["test"], preprocessor, documents, notes)


def _build_vocabulary(texts: list[str], data: Data) -> Vocabulary:
    split = None if data.words == "auto" else data.words
    return build_vocabulary(texts, unit=data.unit, min_count=data.min_count, max_size=data.max_size, split=split)


def _split(corpus: Corpus, valid: float, test: float) -> dict[str, list[str]]:
    if not corpus.continuous:
        split = split_documents(corpus.documents, valid, test)
        chosen = {"train": split.train, "valid": split.valid, "test": split.test}
        return {name: [corpus.documents[index] for index in indices] for name, indices in chosen.items()}
    (text,) = corpus.documents
    end_train, end_valid = split_text(len(text), valid, test)
    parts = {"train": text[:end_train], "valid": text[end_train:end_valid], "test": text[end_valid:]}
    return {name: [part] if part else [] for name, part in parts.items()}


def limit_validation(texts: list[str], continuous: bool, limit: int | None = None) -> list[str]:
    """Leave of validation texts what is worth reading: a text's beginning, of documents one in every few; and say so.

    >>> poems = ["one", "two", "three", "four", "five"]
    >>> limit_validation(poems, False, limit=12), poems
    (['validating on 12 of 19 characters, which is enough to compare by'], ['one', 'three', 'five'])
    """
    limit = MAX_VALIDATION_CHARACTERS if limit is None else limit
    characters = sum(map(len, texts))
    if characters <= limit:
        return []
    texts[:] = [texts[0][:limit]] if continuous else texts[:: -(-characters // limit)]
    kept = sum(map(len, texts))
    return [f"validating on {kept:,} of {characters:,} characters, which is enough to compare by"]
