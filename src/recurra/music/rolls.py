"""Piano rolls: steps as lists of pitches in JSON, and as rows of numbers in MAT-files and NumPy archives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from recurra.errors import DataError, as_data_error
from recurra.formatting import abbreviate
from recurra.music.grid import MAX_STEPS
from recurra.music.piece import HIGHEST, LOWEST, PITCHES, Kind, Piece
from recurra.series import Unread, read_mat5, read_npy, read_npz
from recurra.text import Source

MAX_VOICES = 16
_MIDI_PITCHES = 128
_SPLITS = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
Found = tuple[str | None, Any]
"""The split of a roll, and the roll: a list of steps, or an array (T, W)."""


def read_rolls(source: Source, steps: int, bar: int | None) -> Iterator[Piece]:
    """Give the pieces of a file, each with the split that its name in the file says; raises `DataError`.

    steps, bar: of a beat and of a bar, which such files do not say; None: four beats.
    """
    read = {"json": _from_json, "mat": _from_mat, "npz": _from_npz, "npy": _from_npy}[source.kind]
    whole = 4 * steps if bar is None else bar
    found = list(read(source))
    width = _voice_count([roll for _, roll in found])
    for number, (split, roll) in enumerate(found, 1):
        name = f"{source.name}, {split + ' ' if split else ''}piece {number}"
        kind, frames = frames_of(roll, name, width)
        yield Piece(kind, frames, name, steps, whole, split=split)


def _from_json(source: Source) -> Iterator[Found]:
    with as_data_error("is no JSON", source=source.name):
        value = json.loads(source.data)
    if isinstance(value, Mapping):
        known = {name: split for name in value if (split := split_name(str(name))) is not None}
        if not known:
            raise DataError(
                f"expected the parts train, valid and test, got {abbreviate(list(value), 80)}", source=source.name
            )
        for name, split in known.items():
            yield from ((split, roll) for roll in _pieces(value[name], source.name))
    else:
        yield from ((None, roll) for roll in _pieces(value, source.name))


def _pieces(value: Any, name: str) -> list[Any]:
    """Give the pieces of a list: of steps, which are lists of pitches, or of pieces of these."""
    if not isinstance(value, list) or not value:
        raise DataError(f"expected pieces, lists of steps; got {abbreviate(value, 60)}", source=name)
    inner = next((step for each in value if isinstance(each, list) for step in each), None)
    return value if isinstance(inner, list) else [value]


def _from_mat(source: Source) -> Iterator[Found]:
    for name, value in read_mat5(source).items():
        if isinstance(value, Unread | str):
            continue
        cells = value.ravel(order="F") if value.dtype == object else [value]
        for cell in cells:
            if isinstance(cell, np.ndarray) and cell.dtype != object and cell.ndim == 2 and cell.size:
                yield split_name(name), cell


def _from_npz(source: Source) -> Iterator[Found]:
    for name, array in read_npz(source).items():
        yield from ((split_name(name), roll) for roll in _rolls_of(array))


def _from_npy(source: Source) -> Iterator[Found]:
    yield from ((None, roll) for roll in _rolls_of(read_npy(source)))


def _rolls_of(array: np.ndarray) -> list[np.ndarray]:
    return list(array) if array.ndim == 3 else [array]


def split_name(name: str) -> str | None:
    """Give the split that the name of a variable or an array says.

    >>> split_name("traindata"), split_name("valid_3"), split_name("melody")
    ('train', 'valid', None)
    """
    lower = name.lower()
    return next((split for word, split in _SPLITS.items() if lower.startswith(word)), None)


def _voice_count(rolls: list[Any]) -> int | None:
    """Give how many numbers all steps of all lists have, where some are silent; None where these are no voices."""
    lists = [step for roll in rolls if isinstance(roll, list) for step in roll if isinstance(step, list)]
    widths = {len(step) for step in lists}
    silent = any(pitch == -1 or pitch != pitch for step in lists for pitch in step)
    return widths.pop() if len(widths) == 1 and silent else None


def frames_of(roll: Any, name: str, voices: int | None = None) -> tuple[Kind, np.ndarray]:
    """Turn one roll into a kind and frames (T, W); raises `DataError` for what is none.

    voices: numbers of a step that are those of voices, -1 or NaN where one is silent; None: a list of steps is of notes. An array
    is of notes where it has a column for each key (88) or pitch (128), else of voices, a column each.

    >>> kind, frames = frames_of([[60, 64], []], "a.json")
    >>> kind, frames.shape, frames[0].nonzero()[0].tolist()
    ('notes', (2, 88), [39, 43])
    >>> frames_of([[72, 60], [72, -1]], "a.json", 2)[1].tolist()
    [[52, 40], [52, 0]]
    """
    rows = len(roll)
    if not rows or rows > MAX_STEPS:
        raise DataError(f"expected 1 to {MAX_STEPS:,} steps, got {rows:,}", source=name)
    if isinstance(roll, np.ndarray):
        if roll.ndim != 2 or roll.dtype.kind not in "fiub":
            raise DataError(
                f"expected numbers, steps x keys or steps x voices; got {roll.dtype} {roll.shape}", source=name
            )
        if roll.shape[1] in (PITCHES, _MIDI_PITCHES):
            return "notes", _binary(roll, name)
        return "voices", _voices(roll.astype(np.float64), name)
    steps = [_step(step, number, name) for number, step in enumerate(roll, 1)]
    if voices is not None:
        if any(len(step) != voices for step in steps):
            raise DataError(f"expected a pitch for each of {voices} voices at every step", source=name)
        return "voices", _voices(np.array(steps, np.float64), name)
    frames = np.zeros((rows, PITCHES), np.uint8)
    for number, step in enumerate(steps):
        for pitch in step:
            if not LOWEST <= pitch <= HIGHEST:
                raise _no_pitch(pitch, name, number + 1)
            frames[number, pitch - LOWEST] = 1
    return "notes", frames


def _step(step: Any, number: int, name: str) -> list[int]:
    if not isinstance(step, list) or len(step) > _MIDI_PITCHES:
        raise DataError(f"expected a step, a list of pitches; got {abbreviate(step, 40)}", source=name, row=number)
    found = []
    for pitch in step:
        silent = pitch is None or pitch != pitch
        if not silent and (
            isinstance(pitch, bool) or not isinstance(pitch, int | float) or pitch not in range(-1, _MIDI_PITCHES)
        ):
            raise _no_pitch(pitch, name, number)
        found.append(-1 if silent else int(pitch))
    return found


def _binary(roll: np.ndarray, name: str) -> np.ndarray:
    if roll.dtype.kind == "f" and not np.isfinite(roll).all():
        raise DataError("expected 0 and numbers above it, got NaN or infinity", source=name)
    held = roll > 0
    if roll.shape[1] == _MIDI_PITCHES:
        lost = held.copy()
        lost[:, LOWEST : HIGHEST + 1] = False
        if lost.any():
            row, pitch = np.argwhere(lost)[0]
            raise _no_pitch(int(pitch), name, int(row) + 1)
        held = held[:, LOWEST : HIGHEST + 1]
    return held.astype(np.uint8)


def _voices(values: np.ndarray, name: str) -> np.ndarray:
    if not 1 <= values.shape[1] <= MAX_VOICES:
        problem = f"expected {PITCHES} keys, {_MIDI_PITCHES} pitches or 1 to {MAX_VOICES} voices"
        raise DataError(f"{problem}; got {values.shape[1]} columns", source=name)
    with np.errstate(invalid="ignore"):
        silent = np.isnan(values) | (values < 0)
        wrong = ~silent & ((values < LOWEST) | (values > HIGHEST) | (values != np.rint(values)))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise _no_pitch(values[row, column], name, int(row) + 1)
    return np.where(silent, 0, np.nan_to_num(values) - LOWEST + 1).astype(np.uint8)


def _no_pitch(pitch: Any, name: str, row: int) -> DataError:
    expected = f"expected pitches of a piano, {LOWEST} to {HIGHEST}, and -1 for silence"
    return DataError(f"{expected}; got {abbreviate(pitch, 30)}", source=name, row=row)
