"""Pieces as what a network reads: their frames, and what is known beside them of each step."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recurra.documents import read_json
from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.formatting import abbreviate
from recurra.music import DRUMS, KEYS, MAX_VOICES, PITCHES, USUAL_TEMPO, Kind, Piece, decode_frame, frames_of
from recurra.tasks.music.config import MAX_BAR

FILE = "music.json"
_KINDS = ("notes", "voices", "drums")
_TEMPO_NUMBERS = 2


@dataclass(frozen=True)
class MusicPreprocessor:
    """kind: what a step holds.  width: numbers of a step: 88 keys, 9 drums, or the voices.  steps: of a beat.  bar: steps of the longest bar.
    position, key, tempo: whether a network reads them.  expression: whether it learns velocities and offsets.
    last_bar: whether it reads what was a bar before."""

    kind: Kind
    width: int
    steps: int
    bar: int
    position: bool = True
    key: bool = True
    tempo: bool = True
    expression: bool = False
    last_bar: bool = False

    @property
    def read_width(self) -> int:
        """Numbers that are read of the frames before a step."""
        return self.width * (2 if self.last_bar else 1)

    @property
    def condition_size(self) -> int:
        """Numbers that are read beside the frame: whether the piece begins, the place in the bar, the key, the tempo."""
        return 1 + self.bar * self.position + KEYS * self.key + _TEMPO_NUMBERS * self.tempo

    def conditions(
        self, first: int, stop: int, bar: int, key: int | None = None, tempo: float | None = None
    ) -> np.ndarray:
        """Give what is read before each of the steps first … stop − 1 beside the frame before it, float32 (T, K).

        >>> MusicPreprocessor("notes", 88, 1, 2, key=False, tempo=False).conditions(0, 3, 2).tolist()
        [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
        """
        steps = np.arange(first, stop)
        parts = [(steps == 0)[:, None].astype(np.float32)]
        if self.position:
            parts.append(np.eye(self.bar, dtype=np.float32)[steps % min(bar, self.bar)])
        if self.key:
            known = np.zeros(KEYS, np.float32)
            if key is not None:
                known[key] = 1
            parts.append(np.tile(known, (len(steps), 1)))
        if self.tempo:
            numbers = [0.0, 0.0] if tempo is None else [1.0, float(np.log2(tempo / USUAL_TEMPO))]
            parts.append(np.tile(np.array(numbers, np.float32), (len(steps), 1)))
        return np.concatenate(parts, 1)

    def check(self, item: Any, name: str | None = None) -> Piece:
        """Give a piece, steps as lists of pitches (of drums: numbers from 0 to 8), or an array of frames, as a piece of the run's kind.

        Raises `DataError` for what is none.
        """
        if not isinstance(item, Piece):
            item = self._as_piece(item, name or "the piece")
        if item.kind != self.kind or item.frames.shape[1] != self.width:
            of = f"{self.width} voices" if self.kind == "voices" else self.kind
            raise DataError(f"expected {of}, as the run has learnt from; got {item.kind}", source=name or item.name)
        return item

    def _as_piece(self, item: Any, name: str) -> Piece:
        if not isinstance(item, list | np.ndarray) or not len(item):
            raise DataError(f"expected steps, lists of pitches; got {abbreviate(item, 40)}", source=name)
        bar = min(self.bar, MAX_BAR)
        if self.kind == "drums" and isinstance(item, list):
            return Piece("drums", self._drum_frames(item, name), name, self.steps, bar)
        kind, frames = frames_of(item, name, self.width if self.kind == "voices" else None)
        return Piece(kind, frames, name, self.steps, bar)

    def _drum_frames(self, steps: list[Any], name: str) -> np.ndarray:
        frames = np.zeros((len(steps), len(DRUMS)), np.uint8)
        for row, step in enumerate(steps):
            if not isinstance(step, list) or not all(type(drum) is int and 0 <= drum < len(DRUMS) for drum in step):
                problem = f"expected drums, numbers from 0 to {len(DRUMS) - 1}; got {abbreviate(step, 40)}"
                raise DataError(problem, source=name, row=row + 1)
            frames[row, step] = 1
        return frames

    def decode(self, frame: np.ndarray) -> list[int]:
        """Give what sounds at a step as pitches of MIDI, of voices -1 where one is silent; of drums their numbers."""
        return decode_frame(self.kind, frame)

    def save(self, folder: Path) -> list[str]:
        write_whole(folder / FILE, json.dumps(asdict(self), indent=0) + "\n")
        return [FILE]

    @classmethod
    def load(cls, folder: Path) -> MusicPreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / FILE
        value = read_json(path)
        names = {
            "kind": str,
            "width": int,
            "steps": int,
            "bar": int,
            "position": bool,
            "key": bool,
            "tempo": bool,
            "expression": bool,
            "last_bar": bool,
        }
        good = isinstance(value, dict) and {name: type(each) for name, each in value.items()} == names
        if good and value["kind"] in _KINDS and 1 <= value["bar"] <= MAX_BAR and value["steps"] >= 1:
            widths = {"notes": (PITCHES,), "drums": (len(DRUMS),), "voices": range(1, MAX_VOICES + 1)}
            if value["width"] in widths[value["kind"]]:
                return cls(**value)
        raise RunError(f"{path}: is damaged: expected what a step holds, got {abbreviate(value, 60)}; train again")
