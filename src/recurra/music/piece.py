"""A piece of music on a grid: what sounds at each step, as a set of keys, as voices, or as hits of drums."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from recurra.music.key import estimate_key

LOWEST, HIGHEST = 21, 108
"""Pitches of MIDI that a piano has: A0 to C8."""
PITCHES = HIGHEST - LOWEST + 1
DRUMS = ("kick", "snare", "closed hi-hat", "open hi-hat", "low tom", "mid tom", "high tom", "crash", "ride")
"""What a kit is brought to (Gillick et al. 2019, arXiv:1905.06118v1, after Roland's TD-11)."""
DRUM_PITCHES = (36, 38, 42, 46, 43, 47, 50, 49, 51)
"""The pitch of General MIDI that each is written as."""

Kind = Literal["notes", "voices", "drums"]


@dataclass(frozen=True)
class Piece:
    """kind and frames, uint8 (T, W):

    notes: 1 where a key sounds, (T, 88) from A0.  voices: 1 to 88, the key of each voice, the highest first; 0 where it is silent.
    drums: 1 where a drum is hit, (T, 9).  velocities, offsets: of hits, 0 to 1, and in steps from the grid, float32 (T, 9), or None.
    steps: of a beat.  bar: steps of a bar.  tempo: beats a minute, where it is stated; key: its number, likewise.
    split: train, valid or test, where it is published.  group: whoever played, where that is known.
    """

    kind: Kind
    frames: np.ndarray
    name: str
    steps: int = 4
    bar: int = 16
    tempo: float | None = None
    key: int | None = None
    split: str | None = None
    group: str | None = None
    velocities: np.ndarray | None = field(default=None, repr=False)
    offsets: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def sounding(self) -> np.ndarray:
        """Which keys sound at each step, bool (T, 88); none of drums."""
        if self.kind == "notes":
            return self.frames > 0
        roll = np.zeros((len(self.frames), PITCHES + 1), bool)
        if self.kind == "voices":
            np.put_along_axis(roll, self.frames.astype(np.int64), True, 1)
        return roll[:, 1:]

    @property
    def range(self) -> tuple[int, int]:
        """The lowest and the highest key that sounds, from 0; (87, 0) where none does."""
        keys = np.flatnonzero(self.sounding.any(0))
        return (int(keys[0]), int(keys[-1])) if len(keys) else (PITCHES - 1, 0)

    def likeliest_key(self) -> int | None:
        """Give the key that is stated, or else the one that goes best with what sounds."""
        if self.key is not None or self.kind == "drums":
            return self.key
        classes = np.bincount((np.arange(PITCHES) + LOWEST) % 12, self.sounding.sum(0), 12)
        return estimate_key(classes)

    def part(self, start: int, stop: int) -> Piece:
        """Give some of its steps."""
        cut = {
            name: None if (whole := getattr(self, name)) is None else whole[start:stop]
            for name in ("velocities", "offsets")
        }
        return replace(self, frames=self.frames[start:stop], **cut)


def shift_frames(kind: Kind, frames: np.ndarray, semitones: int) -> np.ndarray:
    """Transpose frames; keys beyond the piano's are lost, which the caller has to prevent.

    >>> shift_frames("voices", np.array([[0, 40]], np.uint8), 2).tolist()
    [[0, 42]]
    """
    if not semitones or kind == "drums":
        return frames
    if kind == "voices":
        return np.where(frames > 0, frames.astype(np.int64) + semitones, 0).astype(np.uint8)
    moved = np.zeros_like(frames)
    if semitones > 0:
        moved[:, semitones:] = frames[:, :-semitones]
    else:
        moved[:, :semitones] = frames[:, -semitones:]
    return moved
