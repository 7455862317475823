"""Batches of pieces or parts of them, in keys that are drawn in each pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from recurra.music import PITCHES, Piece, shift_frames, transpose_key
from recurra.tasks.music.preprocessing import MusicPreprocessor

KNOWN_SHARE = 0.5
"""Share of training examples whose key and tempo are read; in the others a network learns to do without."""


@dataclass(frozen=True)
class Batch:
    """frames: (T, B, W) int64, what is to be predicted.  before: the frame before each, zeros before the first, and behind it that of a bar before, where this is read.
    conditions: (T, B, K).  lengths: (B), on the CPU.  played: velocities and offsets of drums, (T, B, 2·W), where they are learnt."""

    frames: Tensor
    before: Tensor
    conditions: Tensor
    lengths: Tensor
    played: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Move it, but for the lengths."""
        played = None if self.played is None else self.played.to(device)
        frames, before, conditions = (each.to(device) for each in (self.frames, self.before, self.conditions))
        return Batch(frames, before, conditions, self.lengths, played)


@dataclass(frozen=True)
class Excerpt:
    """Some steps of a piece, semitones higher; whether its key and tempo are read."""

    piece: Piece
    start: int
    stop: int
    semitones: int = 0
    known: bool = False


def cut(pieces: Sequence[Piece], longest: int) -> list[tuple[Piece, int, int]]:
    """Cut pieces into parts of at most so many steps, as even as they can be: (piece, start, stop)."""
    parts = []
    for piece in pieces:
        count = -(-len(piece) // longest)
        edges = [len(piece) * number // count for number in range(count + 1)]
        parts += [(piece, start, stop) for start, stop in pairwise(edges)]
    return parts


def draw_semitones(piece: Piece, transpositions: int, chance: np.random.Generator) -> int:
    """Draw by how many semitones a piece is transposed, as far as the keyboard goes."""
    lowest, highest = piece.range
    down, up = min(lowest, (transpositions - 1) // 2), min(PITCHES - 1 - highest, transpositions // 2)
    drawn = int(chance.integers(-down, up + 1)) if lowest <= highest else 0
    return drawn if piece.kind != "drums" else 0


def played_of(piece: Piece) -> np.ndarray:
    """Give velocities and offsets side by side, float32 (T, 2·W)."""
    return np.concatenate([np.asarray(piece.velocities), np.asarray(piece.offsets)], 1)


def collate(excerpts: Sequence[Excerpt], preprocessor: MusicPreprocessor) -> Batch:
    """Put excerpts side by side, padded with zeros."""
    lengths = [each.stop - each.start for each in excerpts]
    size = (max(lengths), len(excerpts), preprocessor.width)
    frames, before = np.zeros(size, np.int64), np.zeros((*size[:2], preprocessor.read_width), np.int64)
    conditions = np.zeros((size[0], size[1], preprocessor.condition_size), np.float32)
    for column, (each, length) in enumerate(zip(excerpts, lengths, strict=True)):
        first = max(0, each.start - 1)
        some = shift_frames(each.piece.kind, each.piece.frames[first : each.stop], each.semitones)
        frames[:length, column] = some[-length:]
        late = int(each.start == 0)
        before[late:length, column, : size[2]] = some[: length - late]
        there = max(0, each.piece.bar - each.start)  # steps before it have no bar behind them
        if preprocessor.last_bar and there < length:
            bar = each.piece.frames[each.start + there - each.piece.bar : each.stop - each.piece.bar]
            before[there:length, column, size[2] :] = shift_frames(each.piece.kind, bar, each.semitones)
        key = each.piece.likeliest_key() if each.known and preprocessor.key else None
        key = None if key is None else transpose_key(key, each.semitones)
        tempo = each.piece.tempo if each.known else None
        conditions[:length, column] = preprocessor.conditions(each.start, each.stop, each.piece.bar, key, tempo)
    played = None
    if preprocessor.expression and all(each.piece.velocities is not None for each in excerpts):
        values = np.zeros((size[0], size[1], 2 * size[2]), np.float32)
        for column, (each, length) in enumerate(zip(excerpts, lengths, strict=True)):
            values[:length, column] = played_of(each.piece)[each.start : each.stop]
        played = torch.from_numpy(values)
    tensors = [torch.from_numpy(each) for each in (frames, before, conditions)]
    return Batch(tensors[0], tensors[1], tensors[2], torch.tensor(lengths), played)
