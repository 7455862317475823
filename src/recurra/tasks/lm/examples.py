"""Files in, examples out: the text of a language model, split, and as ids."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recurra.data.splits import split_documents, split_text
from recurra.errors import DataError, UsageError
from recurra.tasks.lm.config import Data, Documents
from recurra.text import Corpus, Vocabulary, build_vocabulary, count_graphemes, read_corpus


@dataclass(frozen=True)
class Part:
    """Texts of one split, as ids and as they were counted.

    sequences: one id array for each document (exactly one for a continuous text).  characters, bytes: of the text they came from.
    """

    texts: list[str]
    sequences: list[np.ndarray]
    continuous: bool

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

    def fingerprint(self) -> str:
        """Give a digest that changes whenever any example does."""
        digest = hashlib.sha256()
        for part in (self.train, self.valid, self.test):
            for sequence in part.sequences if part else []:
                digest.update(len(sequence).to_bytes(8, "little"))
                digest.update(np.ascontiguousarray(sequence, dtype=np.int32).tobytes())
            digest.update(b"|")
        return digest.hexdigest()


def read(arguments: Sequence[str], data: Data) -> Corpus:
    """Read a corpus the way the run reads all its data."""
    return read_corpus(arguments, field=data.text, documents=data.documents, on_error=data.on_error)


def read_part(arguments: Sequence[str], data: Data, vocabulary: Vocabulary) -> Part:
    """Read what a user names at evaluation time, in the units of the run.

    For a run on records, plain text is taken too: its documents are then what stands between blank lines.
    """
    try:
        corpus = read(arguments, data)
    except UsageError:
        if data.text is None:
            raise
        # The run learnt from a field of records; a plain text has none, and blank lines are what parts it.
        corpus = read_corpus(arguments, documents="blank", on_error=data.on_error)
    return encode(corpus.documents, corpus.continuous, vocabulary)


def encode(texts: list[str], continuous: bool, vocabulary: Vocabulary) -> Part:
    """Turn texts into a part."""
    return Part(texts, [vocabulary.encode(text) for text in texts], continuous)


def read_examples(data: Data, vocabulary: Vocabulary | None = None) -> Examples:
    """Read, split and encode all that a run needs; the vocabulary is made from the training part unless one is given.

    Raises `DataError` where a part would be empty, `UsageError` where the settings contradict each other.
    """
    if not data.data:
        raise UsageError("data: expected files, folders, globs or the name of a data set; got nothing")
    corpus = read(data.data, data)
    notes = [f"{len(corpus.skipped)} left out: {corpus.skipped[0]} …"] if corpus.skipped else []
    valid_share = 0.0 if data.valid else data.valid_share
    test_share = 0.0 if data.test else data.test_share
    texts = _split(corpus, valid_share, test_share)
    for name, arguments in (("valid", data.valid), ("test", data.test)):
        if arguments:
            given = read(arguments, data)
            if given.continuous != corpus.continuous:
                raise UsageError(f"{name}: expected the same kind of documents as in the training data")
            texts[name] = given.documents
    if vocabulary is None:
        vocabulary = build_vocabulary(
            texts["train"],
            unit=data.unit,
            min_count=data.min_count,
            max_size=data.max_size,
            split=None if data.words == "auto" else data.words,
        )
    parts = {name: encode(part, corpus.continuous, vocabulary) if part else None for name, part in texts.items()}
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


def is_path(argument: str | Path) -> bool:
    """Tell whether an argument names something on disk (or standard input) rather than a data set."""
    return str(argument) == "-" or Path(argument).exists() or any(c in str(argument) for c in "*?[/\\")
