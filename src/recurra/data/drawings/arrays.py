"""Drawings as arrays of steps: `.npz` files, sketch-rnn's among them, and MATLAB's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recurra.data.caption_json import SPLITS
from recurra.data.transcripts.options import Label
from recurra.errors import DataError
from recurra.ink import Ink, make_ink, parse_offsets
from recurra.series import read_mat, read_nested_npz
from recurra.text import Faults, Source, handled

_LABEL_NAMES = ("y", "labels", "label", "classes")
_AXES = 2


def read_npz_inks(source: Source, faults: Faults) -> Iterator[tuple[Ink, Label]]:
    """Give the drawings of a file: of an array of arrays, or of one array (N, T, 3 or 5), whose pen states end each.

    Arrays called train, valid and test are those parts. `labels` or `y`, with `_train` where there are parts, has their labels.
    Raises `DataError` for a file without such an array; a drawing that cannot be used is handled as `faults` says.
    """
    arrays = read_nested_npz(source)
    texts = {name: values for name, values in arrays.items() if _is_labels(name, values)}
    drawn = {name: values for name, values in arrays.items() if _is_drawn(values) and name not in texts}
    if not drawn:
        shown = ", ".join(arrays) or "nothing"
        hint = "expected an array of arrays (N, 3): dx, dy, lifted, as sketch-rnn's are"
        raise DataError(f"expected drawings, got {shown}", source=source.name, hint=hint)
    for name, values in drawn.items():
        labels = _labels(name, texts, len(values), source.name)
        split = SPLITS.get(name.lower().rpartition("_")[2])
        for row, one in enumerate(values, 1):
            with handled(faults):
                ink = parse_offsets(one, f"{source.name}/{name}", row)
                text = None if labels is None else labels[row - 1]
                yield ink, Label(text, f"{source.name}/{name}", {"row": row}, split=split)


def _is_labels(name: str, values: np.ndarray | list[np.ndarray]) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1 and name.lower().split("_")[0] in _LABEL_NAMES


def _is_drawn(values: np.ndarray | list[np.ndarray]) -> bool:
    return isinstance(values, list) or values.ndim == 3


def _labels(name: str, texts: dict[str, np.ndarray | list[np.ndarray]], count: int, source: str) -> list[str] | None:
    """Give the labels of the array of a name."""
    part = name.lower().rpartition("_")[2]
    found = next((v for key, v in texts.items() if key.lower().endswith(f"_{part}")), None)
    if found is None and len(texts) == 1 and "_" not in next(iter(texts)):
        found = next(iter(texts.values()))
    if found is None:
        return None
    if len(found) != count:
        raise DataError(f"{name}: expected {count:,} labels, got {len(found):,}", source=source)
    return [str(label) for label in np.asarray(found).tolist()]


def read_mat_inks(source: Source) -> Iterator[tuple[Ink, Label]]:
    """Give the strokes of a cell array of a pen's velocities, (2 or more, T), each letter one stroke: y goes up, as on a tablet.

    Steps at the beginning and the end in which the pen does not move are left out.
    """
    for one in read_mat(source):
        steps = np.asarray(one.values, np.float64)[:, :_AXES]
        if steps.shape[1] < _AXES:
            raise DataError("expected velocities across and up", source=source.name, **one.place)
        moving = np.flatnonzero(steps.any(1))
        if not len(moving):
            raise DataError("the pen does not move", source=source.name, **one.place)
        points = _places(steps[moving[0] : moving[-1] + 1])
        yield make_ink([points], source.name, **one.place), Label(_text(one.label), source.name, one.place)


def _places(steps: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((1, _AXES)), np.cumsum(steps, 0)]) * [1, -1]


def _text(label: str | float | Sequence[str] | None) -> str | None:
    return None if label is None else str(label)
