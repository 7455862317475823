"""Drawings as steps of a pen in units that are learnt, and back; labels and letters as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from recurra.documents import read_json
from recurra.errors import DataError, RunError, UsageError
from recurra.files import write_whole
from recurra.formatting import closest
from recurra.ink import Ink, from_offsets, simplify_ink, thin_ink, to_offsets
from recurra.tasks.strokes.config import Condition, Data

FILE = "strokes.json"
_DRAWN_SIZE = 100.0
"""The longer side that `scale` = drawing brings each to."""
_LONGER = 1.5


@dataclass(frozen=True)
class StrokePreprocessor:
    """How ink becomes numbers.

    unit: the spread of all steps in training.  noise: width of what is added to a step, in units of the data.  every, simplify,
    alike: how points are thinned, and whether each drawing is brought to one size.  condition: what is drawn by.  names: labels, or
    letters.  longest: points of the longest drawing in training.  pens: how often each pen state comes there.
    """

    unit: float
    noise: float
    every: int
    simplify: float
    alike: bool
    condition: Condition
    names: tuple[str, ...]
    longest: int
    pens: tuple[float, ...]

    @property
    def default_length(self) -> int:
        """The most points that are drawn, where nothing else is asked for."""
        return round(_LONGER * self.longest)

    def prepare(self, ink: Ink) -> Ink:
        """Give the ink that is learnt from, in units of the data."""
        return prepare_ink(ink, every=self.every, simplify=self.simplify, alike=self.alike)

    def encode(self, steps: np.ndarray) -> np.ndarray:
        """Give steps (N, 2) in the unit."""
        return (steps / self.unit).astype(np.float32)

    def to_ink(self, steps: np.ndarray, pens: np.ndarray) -> Ink:
        """Give the strokes of steps (N, 2) in the unit."""
        return from_offsets(np.asarray(steps, np.float64) * self.unit, pens)

    def name_id(self, label: str | None) -> int:
        """Give a label's number; raises `DataError` for one that was never seen, or none."""
        if label is None:
            raise DataError("has no label, and this run draws by label", hint=f"labels are {self._shown()}")
        if label not in self.names:
            close = closest(label, self.names)
            hint = f"labels are {self._shown()}" + (f"; did you mean {close}?" if close else "")
            raise DataError(f"the label {label!r} was never seen in training", hint=hint)
        return self.names.index(label)

    def letter_ids(self, text: str | None) -> np.ndarray:
        """Give the numbers of a text's letters, (S) int64; raises `DataError` for a letter that was never seen, and for no text."""
        if not text:
            raise DataError("has no text, and this run writes what a text says")
        places = {letter: number for number, letter in enumerate(self.names)}
        if missing := list(dict.fromkeys(letter for letter in text if letter not in places)):
            shown = ", ".join(repr(letter) for letter in missing[:5])
            raise DataError(
                f"{shown} {'was' if len(missing) == 1 else 'were'} never seen in training",
                hint=f"letters are {self._shown()}",
            )
        return np.array([places[letter] for letter in text], np.int64)

    def _shown(self) -> str:
        if self.condition == "text":
            return "".join(self.names)[:200]
        shown = ", ".join(self.names)
        return shown if len(shown) <= 200 else shown[:200] + ", …"

    def save(self, folder: Path) -> list[str]:
        """Write it to a file, and give the file's name."""
        write_whole(folder / FILE, json.dumps(asdict(self), ensure_ascii=False, indent=1).encode())
        return [FILE]

    @classmethod
    def load(cls, folder: Path) -> StrokePreprocessor:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        facts = read_json(folder / FILE)
        try:
            names, pens = tuple(facts["names"]), tuple(float(share) for share in facts["pens"])
            values: dict[str, Any] = {**facts, "names": names, "pens": pens}
            made = cls(**values)
            whole = all(isinstance(name, str) for name in names) and made.condition in ("none", "label", "text")
            if not whole or not 0 < made.unit < float("inf") or not made.noise >= 0 or not made.longest >= 1:
                raise ValueError("a value is out of its bounds")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RunError(f"{folder / FILE}: is damaged ({error}); train again") from None
        return made


def prepare_ink(ink: Ink, *, every: int, simplify: float, alike: bool) -> Ink:
    """Thin the points of an ink, and bring it to one size where all drawings are to be alike in that.

    >>> square = Ink((np.array([[0, 0], [2, 0], [4, 0], [4, 2]], np.float32),))
    >>> prepare_ink(square, every=1, simplify=0.01, alike=True).strokes[0].tolist()
    [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0]]
    """
    ink = simplify_ink(thin_ink(ink, every), simplify)
    if not alike:
        return ink
    size = max(float(np.ptp(np.concatenate(ink.strokes), axis=0).max()), 1e-6)
    return replace(ink, strokes=tuple(stroke * np.float32(_DRAWN_SIZE / size) for stroke in ink.strokes))


def build_preprocessor(
    inks: Sequence[Ink], texts: Sequence[str | None], condition: Condition, data: Data
) -> StrokePreprocessor:
    """Make it from the training part, whose inks are prepared; raises `DataError` where no pen moves."""
    pairs = [to_offsets(ink) for ink in inks]
    steps = np.concatenate([steps for steps, _ in pairs]).astype(np.float64)
    counts = np.bincount(np.concatenate([pens for _, pens in pairs]), minlength=3) + 1.0
    unit = float(steps.std())
    if not unit > 0:
        raise DataError("no drawing has a line: all points of each lie in one place")
    whole = bool((steps == np.round(steps)).all())
    noise = (1.0 if whole else 0.0) if data.dequantise is None else data.dequantise
    known = [text for text in texts if text]
    if condition == "none":
        names: tuple[str, ...] = ()
    else:
        names = tuple(sorted(set(known) if condition == "label" else set().union(*known)))
    return StrokePreprocessor(
        unit,
        noise,
        data.every,
        data.simplify,
        data.scale == "drawing",
        condition,
        names,
        max(len(pens) for _, pens in pairs),
        tuple((counts / counts.sum()).round(9).tolist()),
    )


def check_condition(preprocessor: StrokePreprocessor, label: str | None, text: str | None) -> None:
    """Raise `UsageError` for a label or a text that a run does not draw by, and where it lacks the one it does."""
    given = {"label": label, "text": text}
    for name, value in given.items():
        if value is not None and preprocessor.condition != name:
            learnt = {"none": "without labels and texts", "label": "by label", "text": "by text"}
            raise UsageError(f"{name}: this run has learnt {learnt[preprocessor.condition]}; leave --{name} out")
    if preprocessor.condition == "text" and not text:
        raise UsageError("text: this run writes what a text says; name one with --text")
