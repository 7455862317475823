"""`.npz` and `.npy`: arrays of series with an array of labels beside them."""

from __future__ import annotations

import io
import math
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from recurra.errors import DataError, as_data_error
from recurra.series.base import Series, channel_names, empty_dimension_problem, to_finite
from recurra.series.pickled import read_pickled
from recurra.text import Source, members

_SERIES_NAMES = ("x", "data", "series", "sequences", "images", "features", "inputs")
_LABEL_NAMES = ("y", "labels", "label", "target", "targets", "classes")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
    (3, 0): np.lib.format.read_array_header_2_0,
}
_SPLITS = ("", "train", "valid", "val", "test")
_LABEL_WORDS = (
    ("data", "labels"),
    ("images", "labels"),
    ("series", "labels"),
    ("sequences", "labels"),
    ("features", "labels"),
)


def read_npy(source: Source) -> np.ndarray:
    """Read a `.npy` file. Raises `DataError` where it is none, is cut off, or holds pickled objects.

    >>> stream = io.BytesIO()
    >>> np.save(stream, np.array([1, 2]))
    >>> read_npy(Source("a.npy", "npy", stream.getvalue(), False)).tolist()
    [1, 2]
    """
    return _load(source.data, source.name)


def read_npz(source: Source) -> dict[str, np.ndarray]:
    """Read the arrays of a `.npz` file. Raises `DataError` as `read_npy` does, and where they unfold to more than is allowed."""
    files = members(source.data, ".zip", source.name)
    return {
        name.removesuffix(".npy"): _load(read(), f"{source.name}/{name}")
        for name, read in files
        if name.endswith(".npy")
    }


def read_nested_npz(source: Source) -> dict[str, np.ndarray | list[np.ndarray]]:
    """Read the arrays of a `.npz` file, an array of arrays as a list of them; no object of another kind is ever made (`read_pickled`)."""
    found: dict[str, np.ndarray | list[np.ndarray]] = {}
    for name, read in members(source.data, ".zip", source.name):
        if name.endswith(".npy"):
            place, data = f"{source.name}/{name}", read()
            with as_data_error("is damaged", source=place):
                shape, _, dtype, start = _header(data)
            nested = dtype == np.dtype(object)
            found[name.removesuffix(".npy")] = (
                read_pickled(data[start:], shape, place) if nested else _load(data, place)
            )
    return found


def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Give the shape, whether columns come first, the kind of numbers, and where these begin."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = _HEADERS.get(version)
    if read_header is None:
        raise ValueError(f"a .npy file of the unknown version {version[0]}.{version[1]}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of headers that Python 2 wrote
        return *read_header(stream), stream.tell()


def _load(data: bytes, name: str) -> np.ndarray:
    """Read an array whose header, which numpy parses, states as many bytes as there are: no more memory is ever taken."""
    with as_data_error("is damaged", source=name):
        shape, fortran_order, dtype, start = _header(data)
        if dtype.hasobject:
            hint = "save numbers; for series of different lengths, all steps one after another and an array `lengths`"
            raise DataError("holds Python objects, which are not read: they could run code", source=name, hint=hint)
        there, stated = len(data) - start, dtype.itemsize * math.prod(shape)
        sizes = " x ".join(map(str, shape)) or "one"
        if not dtype.itemsize or min(shape, default=1) < 0 or max(shape, default=0) > sys.maxsize:
            raise ValueError(f"there is no array of {sizes} values of {dtype}")
        if problem := empty_dimension_problem(shape):
            raise ValueError(problem)
        if there < stated:
            raise ValueError(f"{sizes} values of {dtype} take {stated} bytes, of which {there} are there")
        values = np.frombuffer(data, dtype, math.prod(shape), start)
        return values.reshape(shape, order="F" if fortran_order else "C")


def array_labels_name(name: str) -> str | None:
    """Give the name of the `.npy` file with the labels of one with series; None for a name that tells nothing.

    >>> array_labels_name("a/X_train.npy"), array_labels_name("test_data.npy"), array_labels_name("walk.npy")
    ('a/y_train.npy', 'test_labels.npy', None)
    """
    head, slash, last = name.rpartition("/")
    renamed = re.sub(r"(?<![A-Za-z])([Xx])(?![a-z])", "y", last, count=1)
    if renamed == last:
        for word, labels in _LABEL_WORDS:
            if word in last:
                renamed = last.replace(word, labels)
                break
    return head + slash + renamed if renamed != last else None


def match_arrays(arrays: Mapping[str, np.ndarray], name: str) -> list[tuple[str, str | None, str | None]]:
    """Find which arrays of a file are series, which their labels and which their lengths, by their names.

    Known are x, data, series, sequences, images, features, inputs with y, labels, target, classes, and `lengths`, alone or
    with _train, _valid, _test. Raises `DataError`, with the names there are, for none of them.

    >>> match_arrays({"x_train": np.zeros(1), "y_train": np.zeros(1), "x_test": np.zeros(1)}, "a.npz")
    [('x_train', 'y_train', None), ('x_test', None, None)]
    """
    known = {key.lower(): key for key in arrays}

    def find(words: tuple[str, ...], part: str) -> str | None:
        forms = (
            f"{word}{mark}{part}" if mark is not None else f"{part}_{word}"
            for word in words
            for mark in ("_", "", None)
        )
        candidates = words if not part else forms
        return next((known[form] for form in candidates if form in known), None)

    found = [(find(_SERIES_NAMES, part), find(_LABEL_NAMES, part), find(("lengths",), part)) for part in _SPLITS]
    pairs = [(series, labels, lengths) for series, labels, lengths in found if series is not None]
    if not pairs:
        shown = ", ".join(arrays) or "nothing"
        hint = "name the series x and their labels y"
        raise DataError(
            f"expected an array x with series and an array y with labels, got {shown}", source=name, hint=hint
        )
    return pairs


def read_arrays(
    values: np.ndarray, labels: np.ndarray | None, lengths: np.ndarray | None, name: str, *, steps: bool = False
) -> Iterator[Series]:
    """Yield the series of an array (N, T), of one channel, or (N, T, C), with their labels (N); images are such arrays too.

    lengths: (N) of series that are shorter; or the array is (S, C) or (S) with all steps one after another.  steps: labels
    (N, T), or (S), one a step.  Bytes are scaled to 0 … 1, as for images. Raises `DataError` for shapes that do not fit
    each other, for what is no number, and for infinity.

    >>> [(one.values.shape, one.label) for one in read_arrays(np.zeros((2, 5)), np.array([0, 1]), None, "a.npz")]
    [((5, 1), 0), ((5, 1), 1)]
    """
    if values.dtype.kind not in "fiub":
        raise DataError(f"expected numbers, got an array of {values.dtype}", source=name)
    if values.ndim not in ((1, 2, 3) if lengths is not None else (2, 3)):
        shown = " x ".join(map(str, values.shape)) or "one number"
        hint = "the axes are series, steps, channels"
        raise DataError(f"expected an array of two or three axes, got {shown}", source=name, hint=hint)
    scale = np.float32(255) if values.dtype == np.uint8 else None
    for row, (piece, label) in enumerate(_pieces(values, labels, lengths, name, steps), start=1):
        if piece.ndim == 1:
            piece = piece[:, None]
        flat = to_finite(piece.astype(np.float64), name, {"row": row})
        yield Series(flat / scale if scale else flat, label, {"row": row}, channel_names(flat.shape[1]))


def check_lengths(values: np.ndarray, lengths: np.ndarray, name: str) -> np.ndarray:
    """Give the lengths (N) of the series in an array as whole numbers.

    Raises `DataError` where they are none, and where the array has not as many series, or steps in one, or steps in all.

    >>> check_lengths(np.zeros((5, 2)), np.array([2.0, 3.0]), "a.npz")
    array([2, 3])
    """
    if lengths.ndim != 1 or lengths.dtype.kind not in "fiu":
        sizes = " x ".join(map(str, lengths.shape)) or "one value"
        raise DataError(f"expected lengths (N), whole numbers, got {sizes} of {lengths.dtype}", source=name)
    wrong = np.flatnonzero(~((lengths >= 0) & (lengths <= values.size) & (lengths == np.floor(lengths))))
    if wrong.size:
        problem = f"length {wrong[0] + 1} is {lengths[wrong[0]]}, expected a whole number from 0 to {values.size}"
        raise DataError(problem, source=name)
    whole = lengths.astype(np.int64)
    if are_concatenated(values, whole):
        return whole
    most = values.shape[1] if values.ndim > 1 else 0
    if values.ndim == 3 and len(whole) != len(values):
        raise DataError(f"expected {len(values)} lengths, one a series, got {len(whole)}", source=name)
    if values.ndim < 2 or len(whole) != len(values):
        total, steps = int(whole.sum()), len(values) if values.ndim else 0
        problem = f"the {len(whole)} lengths have {total} steps in all, the array {steps}"
        raise DataError(problem, source=name, hint="it has all steps one after another, or a row a series")
    if whole.size and whole.max() > most:
        row = int(whole.argmax())
        raise DataError(f"length {row + 1} is {whole[row]}, and the series has {most} steps", source=name, row=row + 1)
    return whole


def are_concatenated(values: np.ndarray, lengths: np.ndarray) -> bool:
    """Say whether an array has all steps one after another, and no row for each of the lengths."""
    whole = values.ndim > 0 and int(lengths.sum()) == len(values)
    return whole and not (values.ndim == 3 and len(lengths) == len(values))


def _pieces(
    values: np.ndarray, labels: np.ndarray | None, lengths: np.ndarray | None, name: str, steps: bool
) -> Iterator[tuple[np.ndarray, Any]]:
    lengths = None if lengths is None else check_lengths(values, lengths, name)
    running = lengths is not None and are_concatenated(values, lengths)
    count = len(values) if lengths is None else len(lengths)
    if labels is not None:
        needed = len(values) if steps and running else count
        named = np.asarray(labels)
        if named.ndim == 2 and named.shape[1] == 1 and not steps:
            named = named[:, 0]
        if not named.ndim or len(named) != needed:
            raise DataError(f"expected {needed} labels, got {len(named) if named.ndim else 1}", source=name)
        if steps and not running and named.ndim != 2:
            sizes = " x ".join(map(str, named.shape))
            raise DataError(f"expected labels (N, T), one for each step, got {sizes}", source=name)
        labels = named
    ends = np.cumsum(lengths) if running and lengths is not None else None
    for row in range(count):
        if ends is not None and lengths is not None:
            part = slice(int(ends[row] - lengths[row]), int(ends[row]))
            yield values[part], None if labels is None else (labels[part] if steps else labels[row]).tolist()
        else:
            cut = slice(None) if lengths is None else slice(int(lengths[row]))
            label = None if labels is None else (labels[row][cut] if steps else labels[row]).tolist()
            yield values[row][cut], label
