"""Signals as frames, and texts as labels: what the network reads and writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import regex
from pydantic import Field, ValidationError

from recurra.baselines import BackoffModel, KneserNey, read_arpa
from recurra.baselines.arpa import BOS, EOS
from recurra.data.transcripts import iter_transcripts
from recurra.decoding import to_token
from recurra.documents import Document, Finite, Positive, damaged, read_json
from recurra.errors import DataError, RecurraError, RunError
from recurra.files import write_whole
from recurra.formatting import abbreviate
from recurra.tasks.transcribe import pen, picture, sound
from recurra.tasks.transcribe.config import Data
from recurra.tasks.transcribe.signals import SignalKind, signal_kind
from recurra.text import Faults, Vocabulary, build_vocabulary, handled, load_vocabulary, normalise

KINDS = (sound, picture, pen)
"""The files of the kinds, which register themselves."""
SIGNALS_FILE, LANGUAGE_FILE = "signals.json", "language.arpa"
UNSEEN = -1
"""In the place of a label: a unit that no training text has."""
SMALLEST_DEVIATION = 1e-3
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_CLUSTER = regex.compile(r"\X")


class Reading(NamedTuple):
    """A signal that was read: where it is from, and its frames (T, F) float32."""

    name: str
    frames: np.ndarray


class SignalFacts(Document):
    """What is kept of how signals are read, and which ids of the vocabulary are written."""

    kind: str
    facts: dict[str, Annotated[int, Field(ge=0, le=10**6)]]
    mean: list[Finite]
    deviation: list[Positive]
    labels: list[Annotated[int, Field(ge=2, le=10**7)]]
    lower: bool


@dataclass(frozen=True)
class TranscriptPreprocessor:
    """Signals, and texts as labels from 1 up; 0 is none.

    mean, deviation: of the training frames, (F,).  ids: of the vocabulary, for each label from 1 up: those that training texts have.
    language: what was counted in the training texts.
    """

    signals: SignalKind
    mean: np.ndarray
    deviation: np.ndarray
    vocabulary: Vocabulary
    ids: np.ndarray
    language: BackoffModel
    lower: bool = False

    # Signals

    def check(self, item: Any, data: Data, rate: int | None = None) -> Reading:
        """Read what a user hands over: the name of a file, or a signal; raises `DataError` for what is none."""
        if isinstance(item, Reading):
            return item
        if isinstance(item, str | Path):
            signal = self.signals.parse(str(item))
            if signal is not None:
                return Reading("", self.signals.frames(self.signals.prepare(signal, "")))
            found = self.read_files([str(item)], data, rate)
            if len(found) != 1:
                raise DataError(f"expected one signal, got {len(found):,}", source=item)
            return Reading(str(item), found[0].frames)
        if not self.signals.is_one(item):
            raise DataError(f"expected the name of a file or a {self.signals.kind}, got {abbreviate(item, 40)}")
        return Reading("", self.signals.frames(self.signals.prepare(item, "")))

    def read_files(
        self, files: Sequence[str], data: Data, rate: int | None = None, faults: Faults | None = None
    ) -> list[Reading]:
        """Read all signals of files, folders and archives, whether they have texts or not. faults: takes what cannot be read; None: the first such is an error."""
        options = data.model_copy(update={"label_from": None, "only": None, "raw_rate": rate or data.raw_rate})
        faults, found = faults or Faults("stop"), []
        for one in iter_transcripts(files, options.reading(need_texts=False), faults):
            with handled(faults):
                if one.kind != self.signals.kind:
                    raise DataError(f"expected a {self.signals.kind}, got a {one.kind}", source=one.source)
                found.append(Reading(one.source, self.signals.frames(self.signals.prepare(one.signal, one.source))))
        return found

    def normalised(self, frames: np.ndarray) -> np.ndarray:
        """Give frames (T, F) as the network reads them."""
        return (frames - self.mean) / self.deviation

    # Texts

    @property
    def size(self) -> int:
        """Count the labels, the blank among them: V."""
        return len(self.ids) + 1

    @property
    def label_texts(self) -> list[str]:
        """The text of each label; that of the blank is empty."""
        return ["", *(self.vocabulary.label(int(id)) for id in self.ids)]

    @property
    def separator(self) -> int | None:
        """The label between words; None where a label is a word, or nothing stands between."""
        texts = self.label_texts
        return texts.index(" ") if " " in texts else None

    def written(self, text: str) -> str:
        """Give a text as it could be written: in normal form C, with one blank between words."""
        return as_written(text, lower=self.lower)

    def encode(self, text: str) -> np.ndarray:
        """Give the labels of a text, (N,) int64, in the order in which they stand; `UNSEEN` for others."""
        ids = self.vocabulary.encode(self._in_order(self.written(text)))
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[places] == ids, places + 1, UNSEEN).astype(np.int64)

    def decode(self, labels: Sequence[int] | np.ndarray) -> str:
        """Write labels as a text."""
        text = self.vocabulary.decode(self.ids[np.asarray(labels, np.int64) - 1])
        return " ".join(self._in_order(text).split())

    def _in_order(self, text: str) -> str:
        return visual_order(text) if self.signals.is_spatial else text

    def words(self, labels: Sequence[int] | np.ndarray) -> list[tuple[str, int, int]]:
        """Give the words of labels: each with the places of its first label, and behind its last."""
        texts, found = self.label_texts, []
        by_word = self.vocabulary.unit == "word"
        text, first = "", 0
        for place, label in enumerate([*labels, None]):
            piece = " " if label is None else texts[int(label)]
            if by_word or piece.startswith((" ", "\n")) or label is None:
                if text:
                    found.append((self._in_order(text), first, place))
                text, first = "", place if piece.strip() else place + 1
            text += piece.strip()
        return found

    def unseen(self, text: str) -> list[str]:
        """List the characters of a text that can never be written."""
        known = set("".join(self.label_texts))
        return [letter for letter in dict.fromkeys(self.written(text)) if letter not in known and letter != " "]

    # The run folder

    def save(self, folder: Path) -> list[str]:
        """Write all of it, and give the names of the files."""
        facts = SignalFacts(
            kind=self.signals.kind,
            facts=self.signals.facts,
            mean=self.mean.tolist(),
            deviation=self.deviation.tolist(),
            labels=self.ids.tolist(),
            lower=self.lower,
        )
        write_whole(folder / SIGNALS_FILE, facts.model_dump_json(indent=1) + "\n")
        self.language.write(folder / LANGUAGE_FILE)
        return [self.vocabulary.save(folder).name, SIGNALS_FILE, LANGUAGE_FILE]

    @classmethod
    def load(cls, folder: Path) -> TranscriptPreprocessor:
        """Read what `save` wrote; raises `RunError` where it is damaged."""
        path = folder / SIGNALS_FILE
        try:
            facts = SignalFacts.model_validate(read_json(path))
            signals = signal_kind(facts.kind).from_facts(dict(facts.facts))
        except (ValidationError, KeyError, ValueError, RecurraError) as error:
            raise error if isinstance(error, RunError) else damaged(path, error) from None
        vocabulary, ids = load_vocabulary(folder), np.array(facts.labels, np.int64)
        if len(facts.mean) != signals.size or len(facts.deviation) != signals.size:
            raise RunError(f"{path}: is damaged: expected {signals.size} means and deviations, got {len(facts.mean)}")
        if not len(ids) or (np.diff(ids) <= 0).any() or ids[-1] >= vocabulary.size:
            raise RunError(f"{path}: is damaged: expected ids of the vocabulary, each once and in order")
        try:
            language = read_arpa(folder / LANGUAGE_FILE)
        except DataError as error:
            raise RunError(str(error)) from None
        mean, deviation = (np.array(each, np.float32) for each in (facts.mean, facts.deviation))
        return cls(signals, mean, deviation, vocabulary, ids, language, facts.lower)


def as_written(text: str, *, lower: bool) -> str:
    """Give a text in normal form C, with one blank between words."""
    text = " ".join(normalise(text).split())
    return text.lower() if lower else text


def visual_order(text: str) -> str:
    """Give a text in the order in which its characters stand, from left to right; that of the result is the text itself.

    Where most of it is written from right to left, all is turned round, and what is written from left to right within it is turned back.

    >>> visual_order("abc"), visual_order("אב 12") == "12 בא", visual_order(visual_order("אב 12")) == "אב 12"
    ('abc', True, True)
    """
    kinds = [unicodedata.bidirectional(letter) for letter in text]
    if 2 * sum(kind in _RIGHT_TO_LEFT for kind in kinds) <= sum(kind in (*_RIGHT_TO_LEFT, "L") for kind in kinds):
        return text
    clusters = _CLUSTER.findall(text)[::-1]
    found: list[str] = []
    run: list[str] = []
    for cluster in [*clusters, ""]:
        if cluster and unicodedata.bidirectional(cluster[0]) in ("L", "EN"):
            run.append(cluster)
        else:
            found += [*run[::-1], cluster]
            run = []
    return "".join(found)


def build_preprocessor(
    signals: SignalKind, frames: Sequence[np.ndarray], texts: Sequence[str], data: Data, order: int
) -> TranscriptPreprocessor:
    """Make it from the training part: frames, each (T, F), and texts."""
    mean, deviation = np.zeros(signals.size, np.float32), np.ones(signals.size, np.float32)
    if signals.scaled:
        count = sum(map(len, frames))
        total = np.stack([one.sum(0, dtype=np.float64) for one in frames]).sum(0) / count
        spread = np.stack([((one - total) ** 2).sum(0, dtype=np.float64) for one in frames]).sum(0) / count
        mean, deviation = total.astype(np.float32), np.maximum(SMALLEST_DEVIATION, np.sqrt(spread)).astype(np.float32)
    order_of = visual_order if signals.is_spatial else str
    written = [order_of(as_written(text, lower=data.lower)) for text in texts]
    limited = {"max_size": data.vocabulary} if data.unit == "bpe" else {}
    whole = {"min_count": 1} if data.unit in ("char", "word") else {}
    words = {"split": "space"} if data.unit == "word" else {}
    vocabulary = build_vocabulary(written, unit=data.unit, **limited, **whole, **words)
    ids = np.unique(np.concatenate([vocabulary.encode(text).astype(np.int64) for text in written]))
    labels = ["", *(vocabulary.label(int(id)) for id in ids)]
    encoded = [np.searchsorted(ids, vocabulary.encode(text)) + 1 for text in written]
    counted = KneserNey(order).fit(encoded, size=len(labels) + 1, bos_id=0, eos_id=len(labels))
    language = BackoffModel.of(counted, [BOS, *map(to_token, labels[1:]), EOS])
    return TranscriptPreprocessor(signals, mean, deviation, vocabulary, ids, language, data.lower)
