"""idx, the format of MNIST: arrays of any rank; images are read as series of rows or of pixels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import numpy as np

from recurra.errors import DataError, as_data_error
from recurra.series.base import Series, channel_names, empty_dimension_problem
from recurra.text import Source

Images = Literal["rows", "pixels"]
_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
_NAME = re.compile(r"[-.]idx\d-\w+$|\.idx\d?$")


def is_idx(name: str) -> bool:
    """Say whether a file is an idx file, by its name in small letters and without compressions.

    >>> is_idx("train-images-idx3-ubyte"), is_idx("t10k-labels.idx1-ubyte"), is_idx("index.txt")
    (True, True, False)
    """
    return _NAME.search(name) is not None


def read_idx(source: Source) -> np.ndarray:
    """Read an idx file: two zero bytes, the type, the rank, the sizes (big-endian, 4 bytes each), the values.

    Raises `DataError` where the file is something else, or ends early or late.

    >>> read_idx(Source("a-idx1-ubyte", "idx", bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 7]), False))
    array([5, 7], dtype=uint8)
    """
    data = source.data
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or not data[3]:
        raise DataError(
            f"expected an idx file, got one that begins with {data[:4].hex(' ')}", source=source.name, byte=0
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise DataError(f"the idx file ends within its header, after {len(data)} bytes", source=source.name)
    shape = tuple(np.frombuffer(data, ">u4", data[3], 4).tolist())
    kind = np.dtype(_TYPES[data[2]])
    expected = start + kind.itemsize * int(np.prod(shape, dtype=object))
    if len(data) != expected:
        shown = " x ".join(map(str, shape))
        raise DataError(f"expected {expected} bytes for {shown} values, got {len(data)}", source=source.name)
    if problem := empty_dimension_problem(shape):
        raise DataError(f"is damaged: {problem}", source=source.name)
    with as_data_error("is damaged", source=source.name):  # no array has as many dimensions
        return np.frombuffer(data, kind, offset=start).reshape(shape)


def image_labels_name(name: str) -> str:
    """Give the name of the file with the labels of a file of images.

    >>> image_labels_name("mnist/train-images-idx3-ubyte.gz")
    'mnist/train-labels-idx1-ubyte.gz'
    """
    head, slash, last = name.rpartition("/")
    return head + slash + re.sub(r"idx\d", "idx1", last.replace("images", "labels").replace("Images", "Labels"))


def read_images(source: Source, labels: Source | None, images: Images = "rows") -> Iterator[Series]:
    """Yield every image (R, C) as a series: R steps of C values ("rows") or R·C steps of one ("pixels").

    Bytes are scaled to 0 … 1. Raises `DataError` where the file holds no images, or not as many as there are labels.
    """
    values = read_idx(source)
    if values.ndim != 3:
        shown = " x ".join(map(str, values.shape))
        raise DataError(f"expected images (count x rows x columns), got values {shown}", source=source.name)
    named = read_idx(labels).ravel() if labels is not None else None
    if named is not None and len(named) != len(values):
        raise DataError(f"expected {len(values)} labels, one an image, got {len(named)}", source=labels and labels.name)
    scaled = values.astype(np.float32)
    if values.dtype == np.uint8:
        scaled /= 255
    scaled = scaled.reshape(len(values), -1, 1) if images == "pixels" else scaled
    channels = ("pixel",) if images == "pixels" else tuple(f"column {at}" for at in range(1, scaled.shape[2] + 1))
    for row, image in enumerate(scaled):
        yield Series(
            image, None if named is None else named[row].item(), {"row": row + 1}, channels or channel_names(1)
        )
