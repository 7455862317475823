"""Files in, pieces out: split as they are published, or by their content, with what of the held-out ones is known from training."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.music import Music, read_music
from recurra.data.splits import split_documents
from recurra.errors import DataError
from recurra.music import Piece, top_line
from recurra.tasks.base.dataset import PreparedData, default_valid_share, skipped_notes
from recurra.tasks.music.config import MAX_BAR, Data, Model
from recurra.tasks.music.preprocessing import MusicPreprocessor

LEAK_INTERVALS = 12
"""Intervals of the highest line from whose agreement on a piece counts as begun like one of training."""


@dataclass(frozen=True)
class Split:
    """Pieces of one split; leaks: which of them resemble the training data, bool (N,), and how, in words."""

    pieces: list[Piece]
    skipped: list[str] = field(default_factory=list)
    leaks: np.ndarray | None = None
    leak: str = ""

    def __len__(self) -> int:
        return len(self.pieces)

    @property
    def steps(self) -> int:
        """Steps of all pieces."""
        return sum(map(len, self.pieces))


class Dataset(PreparedData[Split, MusicPreprocessor]):
    """Music ready for training."""


def read_dataset(data: Data, model: Model, preprocessor: MusicPreprocessor | None) -> Dataset:
    """Read and split all that a run needs; raises `DataError` where a part would be empty."""
    whole = read_music(data.given, data.reading())
    notes = [*whole.notes, *skipped_notes(whole.skipped)]
    parts, published = _split(whole, data)
    notes += published
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            read = read_music(files, data.reading())
            parts[name] = read.pieces
            notes += [f"{name}: {message}" for message in [*read.notes, *skipped_notes(read.skipped)]]
    preprocessor = preprocessor or _make_preprocessor(parts["train"], data, model)
    for pieces in parts.values():
        for piece in pieces:
            preprocessor.check(piece)
    splits = {name: Split(pieces) for name, pieces in parts.items() if pieces}
    train = splits["train"]
    for name in ("valid", "test"):
        if name in splits:
            splits[name] = mark_leaks(splits[name].pieces, train.pieces)
            notes += _leak_notes(name, splits[name])
    return Dataset(train, splits.get("valid"), splits.get("test"), preprocessor, notes, _fingerprint(splits.values()))


def _make_preprocessor(train: Sequence[Piece], data: Data, model: Model) -> MusicPreprocessor:
    first = train[0]
    bar = min(MAX_BAR, max(piece.bar for piece in train))
    tempo = model.tempo and any(piece.tempo is not None for piece in train)
    key = model.key and first.kind != "drums"
    expression = model.expression and all(piece.velocities is not None for piece in train)
    width = first.frames.shape[1]
    return MusicPreprocessor(first.kind, width, data.steps, bar, model.position, key, tempo, expression, model.last_bar)


def _split(whole: Music, data: Data) -> tuple[dict[str, list[Piece]], list[str]]:
    """Split as it is published, where that is so, else by shares; gives also what there is to say of it."""
    published = {piece.split for piece in whole.pieces} - {None}
    if "train" in published and (len(published) > 1 or data.test):
        parts = {name: [piece for piece in whole.pieces if piece.split == name] for name in ("train", "valid", "test")}
        counts = ", ".join(f"{len(pieces):,} {name}" for name, pieces in parts.items() if pieces)
        return parts, [f"split as it is published: {counts} pieces"]
    keys = [piece.frames.tobytes() for piece in whole.pieces]
    try:
        split = split_documents(keys, default_valid_share(data, len(keys)), 0.0 if data.test else data.test_share)
    except DataError as error:
        raise DataError(str(error), source=" ".join(data.data[:3])) from None
    return {name: [whole.pieces[at] for at in getattr(split, name)] for name in ("train", "valid", "test")}, []


def mark_leaks(pieces: list[Piece], train: Sequence[Piece], intervals: int = LEAK_INTERVALS) -> Split:
    """Find the pieces that resemble the training data: their highest line begins with the same intervals, or the same played."""
    if pieces[0].kind == "drums":
        known = {piece.group for piece in train} - {None}
        leaks = np.array([piece.group in known for piece in pieces], bool)
        return Split(pieces, leaks=leaks, leak="share drummer, session, style and tempo with the training data")

    def beginning(piece: Piece) -> bytes | None:
        steps = np.diff(top_line(piece))
        moves = steps[steps != 0][:intervals]  # how long a note stays is another matter
        return moves.tobytes() if len(moves) == intervals else None

    starts = {beginning(piece) for piece in train} - {None}
    leaks = np.array([beginning(piece) in starts for piece in pieces], bool)
    words = f"have a highest line that begins with the same {intervals} intervals as one of the training data"
    return Split(pieces, leaks=leaks, leak=words)


def _leak_notes(name: str, split: Split) -> list[str]:
    count = 0 if split.leaks is None else int(split.leaks.sum())
    return [f"leakage: {count:,} of {len(split):,} {name} pieces {split.leak}"] if count else []


def read_split(
    arguments: Sequence[str],
    data: Data,
    preprocessor: MusicPreprocessor,
    train: Split | None,
    note: Callable[[str], None],
) -> Split:
    """Read what a user names at evaluation time, as the training data were read; of what has published splits, all of it."""
    files, _ = resolve_files(arguments)
    reading = data.model_copy(update={"kind": preprocessor.kind}).reading()
    read = read_music(files, reading)
    for message in [*read.notes, *skipped_notes(read.skipped)]:
        note(message)
    pieces = [preprocessor.check(piece) for piece in read.pieces]
    split = Split(pieces) if train is None else mark_leaks(pieces, train.pieces)
    return Split(pieces, read.skipped, split.leaks, split.leak)


def _fingerprint(splits: Iterable[Split]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        for piece in split.pieces:
            digest.update(repr((piece.kind, piece.frames.shape, piece.bar, piece.key, piece.tempo)).encode())
            digest.update(np.ascontiguousarray(piece.frames).data)
        digest.update(b"|")
    return digest.hexdigest()
