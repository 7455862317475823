"""Pictures of one size: idx files, arrays, and folders, archives and lists of PNG, JPEG, WebP, TIFF, GIF and BMP files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath

import numpy as np

from recurra.data.labelled.formats import find_labels, is_labels_array, is_test_images
from recurra.data.sources import add_each, common_folder, is_documentation, location
from recurra.errors import DataError
from recurra.images import is_picture, read_picture, resize, to_grey
from recurra.series import array_labels_name, image_labels_name, is_idx, match_arrays, read_idx, read_npy, read_npz
from recurra.text import Faults, OnError, Place, Source, open_sources

MAX_CHOSEN_SIDE = 64
"""Pixels of the longer side, where no size is named: every row is a step, and has so many to predict."""
MAX_PICTURES_BYTES = 2**33
"""Of all pictures that are read, at the size that they are brought to."""
_MAX_BYTE = 255
CHANNELS = (1, 3)
"""Of a picture: grey; red, green and blue."""


@dataclass(frozen=True)
class PictureOptions:
    """size: height and width that all are brought to; None: those of the first, its longer side at most `MAX_CHOSEN_SIDE`."""

    size: tuple[int, int] | None = None
    on_error: OnError = "stop"


@dataclass(frozen=True)
class Pictures:
    """Pictures in grey, uint8 (N, H, W), and where each stands.

    labels: one each where the files have some, else none.  test: numbers of those that are published as the test, by the names
    of files that were found beside others.
    """

    values: np.ndarray
    labels: list[str]
    places: list[str]
    notes: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    test: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.values.shape[1], self.values.shape[2]

    @property
    def keys(self) -> list[bytes]:
        """What a split goes by: the same picture is on one side only."""
        return [picture.tobytes() for picture in self.values]

    def select(self, indices: Sequence[int]) -> Pictures:
        """Give some of the pictures, without what was noted of reading all of them."""
        labels, places = (
            [values[index] for index in indices] if values else [] for values in (self.labels, self.places)
        )
        chosen = self.values[np.asarray(indices, np.int64)]
        return replace(self, values=chosen, labels=labels, places=places, skipped=[], notes=[], test=[])


def holds_pictures(name: str) -> bool:
    """Tell by its name in small letters whether a file holds pictures, one or many.

    >>> holds_pictures("cat.png"), holds_pictures("t10k-images-idx3-ubyte"), holds_pictures("names.txt")
    (True, True, False)
    """
    return _kind(name) is not None


def _kind(name: str) -> str | None:
    if is_picture(name):
        return "picture"
    suffix = PurePosixPath(name).suffix
    return "idx" if is_idx(name) else suffix[1:] if suffix in (".npy", ".npz") else None


def read_pictures(arguments: Sequence[str | Path], options: PictureOptions | None = None) -> Pictures:
    """Read pictures from files, folders, globs and archives, compressed or not, in grey and all in one size.

    The labels of an idx file or an array are those of the file or array of labels beside it; those of single pictures, their
    folders, where there are several.

    Raises `DataError`, with the file, for the first thing that cannot be used; `on_error="skip"` lists such files instead.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "dots.npy"), np.eye(3, dtype=np.uint8)[None] * 255)
    ...     read = read_pictures([folder])
    >>> read.values.shape, read.places
    ((1, 3, 3), ['dots.npy, row 1'])
    """
    options = options or PictureOptions()
    collector = _Collector(options)
    faults = collector.faults
    waiting = []
    for source in open_sources(arguments, faults, _kind):
        if source.kind == "picture":  # decoded at once: a folder of them is not held twice
            collector.add_file(source, _one_picture(source))
        elif source.kind == "text":
            _refuse_text(source, faults)
        else:
            waiting.append(source)
    candidates = {source.name: source for source in waiting}
    for source in waiting:
        if not _is_labels(source, candidates):
            collector.add_file(source, _many_pictures(source, candidates, faults))
    return collector.result(" ".join(str(name) for name in arguments)[:200])


def _refuse_text(source: Source, faults: Faults) -> None:
    if source.found:
        faults.skip(f"{source.name}: {'documentation' if is_documentation(source) else 'no pictures'}, by its name")
        return
    hint = "expected idx, .npy, .npz, PNG, JPEG, WebP, TIFF, GIF or BMP"
    faults.handle(DataError("holds no pictures", source=source.name, hint=hint))


def _is_labels(source: Source, candidates: dict[str, Source]) -> bool:
    if source.kind == "idx":
        return "labels" in PurePath(source.name).name.lower()
    return source.kind == "npy" and is_labels_array(source.name, candidates)


Found = tuple[np.ndarray, str | None, Place]
"""A picture in grey, its label, and its place in the file."""


def _one_picture(source: Source) -> Iterator[Found]:
    yield to_grey(read_picture(source.data, source.name)), None, {}


def _many_pictures(source: Source, candidates: dict[str, Source], faults: Faults) -> Iterator[Found]:
    if source.kind == "idx":
        labels = find_labels(image_labels_name(source.name), candidates, faults)
        yield from _of_array(read_idx(source), None if labels is None else read_idx(labels), source.name)
    elif source.kind == "npy":
        name = array_labels_name(source.name)
        labels = find_labels(name, candidates, faults) if name else None
        yield from _of_array(read_npy(source), None if labels is None else read_npy(labels), source.name)
    else:
        arrays = read_npz(source)
        for values, labels, _ in match_arrays(arrays, source.name):
            yield from _of_array(arrays[values], arrays[labels] if labels else None, source.name)


def _of_array(values: np.ndarray, labels: np.ndarray | None, name: str) -> Iterator[Found]:
    if values.ndim not in (2, 3, 4) or not values.size or (values.ndim == 4 and values.shape[3] not in CHANNELS):
        sizes = " x ".join(map(str, values.shape)) or "one number"
        raise DataError(f"expected pictures (count x rows x columns), got values {sizes}", source=name)
    pictures = grey_bytes(values[None] if values.ndim == 2 else values, name, colours=values.ndim == 4)
    if labels is not None and labels.ravel().shape != (len(pictures),):
        raise DataError(f"expected {len(pictures)} labels, one a picture, got {labels.size}", source=name)
    named = None if labels is None else [str(label) for label in labels.ravel().tolist()]
    for row, picture in enumerate(pictures):
        yield picture, None if named is None else named[row], {"row": row + 1}


def grey_bytes(values: np.ndarray, name: str | None = None, *, colours: bool = False, bits: bool = True) -> np.ndarray:
    """Turn numbers (…, H, W) into grey uint8: bytes, truth values, or numbers from 0 to 1.  colours: 1 or 3 channels are behind them.

    bits: whether whole numbers none of which is above 1 are black and white. Those of a file of many pictures are; one
    picture of bytes may just be dark. Raises `DataError` for others.

    >>> grey_bytes(np.array([[0.0, 0.5, 1.0]])).tolist(), grey_bytes(np.array([[0, 200]])).tolist()
    ([[0, 128, 255]], [[0, 200]])
    """
    if values.dtype.kind not in "fiub":
        raise DataError(f"expected a picture, rows of numbers; got an array of {values.dtype}", source=name)
    if colours:
        channels = values.shape[-1]
        return to_grey(grey_bytes(values, name, bits=bits).reshape(-1, 1, channels)).reshape(values.shape[:-1])
    with np.errstate(invalid="ignore"):
        low, high = (values.min(), values.max()) if values.size else (0, 0)
    top = 1 if values.dtype.kind in "bf" else _MAX_BYTE
    if not 0 <= low <= high <= top:
        wrong = low if not low >= 0 else high
        raise DataError(f"expected bytes, 0 to 255, or numbers from 0 to 1; got {wrong:g}", source=name)
    if values.dtype.kind in "bf" or (bits and high <= 1):
        return np.rint(values.astype(np.float64) * _MAX_BYTE).astype(np.uint8)
    return values.astype(np.uint8)


class _Collector:
    """Collects pictures as they are read, brought to one size."""

    def __init__(self, options: PictureOptions) -> None:
        self.faults = Faults(options.on_error)
        self._size = options.size
        self._values: list[np.ndarray] = []
        self._labels: list[str | None] = []
        self._names: list[tuple[str, Place, str]] = []
        self._test: list[int] = []
        self._resized: dict[str, int] = {}
        self._bytes = 0

    def add_file(self, source: Source, found: Iterator[Found]) -> None:
        """Add all pictures of a file."""
        before = len(self._values)
        add_each(found, lambda one: self._add(source, *one), self.faults)
        if is_test_images(source):
            self._test += range(before, len(self._values))

    def _add(self, source: Source, picture: np.ndarray, label: str | None, place: Place) -> None:
        if self._size is None:
            self._size = chosen_size(*picture.shape)
        if picture.shape != self._size:
            shape = f"{picture.shape[0]} x {picture.shape[1]}"
            self._resized[shape] = self._resized.get(shape, 0) + 1
        self._bytes += self._size[0] * self._size[1]
        if self._bytes > MAX_PICTURES_BYTES:
            raise DataError(
                f"the pictures have more than {MAX_PICTURES_BYTES:,} pixels in all", hint="take a smaller --size"
            )
        self._values.append(resize(picture, *self._size))
        self._labels.append(label)
        self._names.append((source.name, place, source.kind))

    def result(self, arguments: str) -> Pictures:
        """Give all that was added; raises `DataError` when that is nothing."""
        if not self._values:
            reason = f": {self.faults.skipped[0]}" if self.faults.skipped else ""
            raise DataError(f"holds no pictures{reason}", source=arguments)
        folder = common_folder([name for name, _, _ in self._names])
        values = np.stack(self._values)
        notes = [
            f"{count:,} pictures of {shape} pixels became {values.shape[1]} x {values.shape[2]}, which stretches those of another shape"
            for shape, count in sorted(self._resized.items(), key=lambda each: -each[1])[:3]
        ]
        places = [location(name, place, folder) for name, place, _ in self._names]
        test = self._test if len(self._test) < len(places) else []
        return Pictures(values, self._all_labels(), places, notes, self.faults.skipped, test)

    def _all_labels(self) -> list[str]:
        """Give the labels where each picture has one: those of its file, or else its folder's name where there are several."""
        if all(label is not None for label in self._labels):
            return [str(label) for label in self._labels]
        folders = [PurePath(name).parent.name for name, _, kind in self._names if kind == "picture"]
        return folders if len(folders) == len(self._names) and len(set(folders)) > 1 else []


def chosen_size(height: int, width: int) -> tuple[int, int]:
    """Choose a size for all pictures by the first one's.

    >>> chosen_size(28, 28), chosen_size(480, 640)
    ((28, 28), (48, 64))
    """
    longer = max(height, width)
    if longer <= MAX_CHOSEN_SIDE:
        return height, width
    return max(1, round(height * MAX_CHOSEN_SIDE / longer)), max(1, round(width * MAX_CHOSEN_SIDE / longer))


def parse_size(text: str) -> tuple[int, int]:
    """Read a size, height and width: one number for both, or two; raises `ValueError`.

    >>> parse_size("28"), parse_size("32x24")
    ((28, 28), (32, 24))
    """
    parts = text.lower().replace("×", "x").split("x")
    if not 1 <= len(parts) <= 2 or not all(part.isascii() and part.isdigit() and part.strip("0") for part in parts):
        raise ValueError(f"expected a size such as 28 or 32x24, height and width; got {text!r}")
    return int(parts[0]), int(parts[-1])


def size_text(size: tuple[int, int]) -> str:
    """Write a size as `parse_size` reads it.

    >>> size_text((28, 28))
    '28x28'
    """
    return f"{size[0]}x{size[1]}"
