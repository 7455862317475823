"""Files in, examples out: the text of a language model, split, and as ids."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recurra.data.datasets.locate import named_files
from recurra.data.splits import split_documents, split_text
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import left_out
from recurra.tasks.lm.config import Data, Documents
from recurra.text import Corpus, PlainTextError, Vocabulary, build_vocabulary, count_graphemes, read_corpus

WATCHED = 1_500_000
"""Characters that are validated on at most: more tell hardly more, and would be read again and again while training."""


@dataclass(frozen=True)
class Part:
    """Texts of one split, as ids and as they were counted.

    sequences: one id array for each document (exactly one for a continuous text).  characters, bytes: of the text they came from.
    skipped: a message for each row that was left out of the files of this part, where it has files of its own.
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
class Examples:
    """A corpus ready for training."""

    train: Part
    valid: Part | None
    test: Part | None
    vocabulary: Vocabulary
    documents: Documents
    notes: list[str]

    @cached_property
    def fingerprint(self) -> str:
        """A digest that changes whenever any example does."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            for sequence in part.sequences if part else []:
                digest.update(len(sequence).to_bytes(8, "little"))
                digest.update(np.ascontiguousarray(sequence, dtype=np.int32).data)
            digest.update(b"|")
        return digest.hexdigest()


def read(arguments: Sequence[str], data: Data) -> Corpus:
    """Read a corpus the way the run reads all its data."""
    return read_corpus(arguments, field=data.text, documents=data.documents, on_error=data.on_error)


def read_part(
    arguments: Sequence[str], data: Data, vocabulary: Vocabulary, note: Callable[[str], None] = lambda _: None
) -> Part:
    """Read what a user names at evaluation time, in the units of the run; `note` is told what is not as one may expect.

    For a run on records, plain text is taken too: its documents are then what stands between blank lines.
    """
    arguments, settings = named_files(arguments)
    data = data.model_copy(update={"text": settings.get("text", data.text)})
    try:
        corpus = read(arguments, data)
    except PlainTextError:
        note("plain text, though the run learnt from records: what blank lines part is taken for a document")
        corpus = read_corpus(arguments, documents="blank", on_error=data.on_error)
    for message in left_out(corpus.skipped):
        note(message)
    return encode(corpus.documents, corpus.continuous, vocabulary, corpus.skipped)


def encode(texts: list[str], continuous: bool, vocabulary: Vocabulary, skipped: Sequence[str] = ()) -> Part:
    """Turn texts into a part."""
    return Part(texts, [vocabulary.encode(text) for text in texts], continuous, list(skipped))


def read_examples(data: Data, vocabulary: Vocabulary | None = None) -> Examples:
    """Read, split and encode all that a run needs; the vocabulary is made from the training part unless one is given.

    Raises `DataError` where a part would be empty, `UsageError` where the settings contradict each other.
    """
    if data.words != "auto" and data.unit != "word":
        raise UsageError(
            f"words: says how words are cut, but the unit is {data.unit}; set unit = word, or leave it out"
        )
    corpus = read(data.given, data)
    notes = left_out(corpus.skipped)
    skipped: dict[str, list[str]] = {}
    valid_share = 0.0 if data.valid else data.valid_share
    test_share = 0.0 if data.test else data.test_share
    texts = _split(corpus, valid_share, test_share)
    for name, arguments in (("valid", data.valid), ("test", data.test)):
        if arguments:
            given = read(arguments, data)
            texts[name], skipped[name] = given.documents, given.skipped
            notes += [f"{name}: {message}" for message in left_out(given.skipped)]
    notes += _shorten(texts["valid"], corpus.continuous)
    if vocabulary is None:
        vocabulary = build_vocabulary(
            texts["train"],
            unit=data.unit,
            min_count=data.min_count,
            max_size=data.max_size,
            split=None if data.words == "auto" else data.words,
        )
    parts = {
        name: encode(part, corpus.continuous, vocabulary, skipped.get(name, ())) if part else None
        for name, part in texts.items()
    }
    train = parts["train"]
    if train is None or train.units < 2:
        raise DataError("there is nothing to learn from: the training text is shorter than two units")
    documents: Documents = "none" if corpus.continuous else "record" if data.documents == "auto" else data.documents
    return Examples(train, parts["valid"], parts["test"], vocabulary, documents, notes)


def _split(corpus: Corpus, valid: float, test: float) -> dict[str, list[str]]:
    if not corpus.continuous:
        split = split_documents(corpus.documents, valid, test)
        chosen = {"train": split.train, "valid": split.valid, "test": split.test}
        return {name: [corpus.documents[index] for index in indices] for name, indices in chosen.items()}
    (text,) = corpus.documents
    end_train, end_valid = split_text(len(text), valid, test)
    parts = {"train": text[:end_train], "valid": text[end_train:end_valid], "test": text[end_valid:]}
    return {name: [part] if part else [] for name, part in parts.items()}


def _shorten(texts: list[str], continuous: bool, most: int | None = None) -> list[str]:
    """Leave of validation texts what is worth reading: a text's beginning, of documents one in every few; and say so.

    >>> poems = ["one", "two", "three", "four", "five"]
    >>> _shorten(poems, False, most=12), poems
    (['validating on 12 of 19 characters, which is enough to compare by'], ['one', 'three', 'five'])
    """
    most = WATCHED if most is None else most
    characters = sum(map(len, texts))
    if characters <= most:
        return []
    texts[:] = [texts[0][:most]] if continuous else texts[:: -(-characters // most)]
    kept = sum(map(len, texts))
    return [f"validating on {kept:,} of {characters:,} characters, which is enough to compare by"]
