"""One picture from a file: within limits that are checked before it is decoded, upright, in grey or in colours of 8 bits."""

from __future__ import annotations

import io
import logging
import os
import warnings
from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from recurra.errors import DataError, as_data_error, require
from recurra.files import without_stderr

MAX_PICTURE_PIXELS = 50_000_000
"""Of a picture: some kilobytes can unfold to terabytes of one colour."""
MAX_PICTURE_BYTES = 256 * 2**20
"""Of a file with a picture."""
_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP")
_PHONE = "MPO"
"""What Pillow calls a JPEG of a phone, which has small pictures behind its own."""
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"})
_GREY = frozenset({"1", "L", "LA", "La"})
_TRANSPARENT = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})
_WHITE = 255
_SHIFT_16 = 8
"""Bits that 16 of grey have more than 8."""


def is_picture(name: str) -> bool:
    """Tell by its name in small letters whether a file is a picture.

    >>> is_picture("cat.jpeg"), is_picture("train-images-idx3-ubyte")
    (True, False)
    """
    return PurePosixPath(name).suffix in _SUFFIXES


def read_picture(source: str | Path | bytes, name: str | None = None) -> np.ndarray:
    """Read a PNG, JPEG, WebP, TIFF, GIF or BMP file as uint8, (H, W, 1) where it is grey and (H, W, 3) in red, green and blue.

    It is turned as its EXIF orientation says. What is transparent lies on white; palettes and CMYK become colours; of 16 bits of
    grey the upper 8 stay. Needs the extra `images`.

    Raises `DataError`, with the name, for what is no picture, is cut off or damaged, has several pages or frames, or more than
    `MAX_PICTURE_PIXELS`: these are seen in its header, before anything is decoded.

    Args:
        source: a file, or its bytes.
        name: what messages call it; by default the file's.

    >>> from recurra.images.png import encode_png
    >>> read_picture(encode_png(np.array([[0, 255, 7]], np.uint8)), "dots.png").tolist()
    [[[0], [255], [7]]]
    >>> read_picture(b"no picture", "notes.png")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: notes.png: is no picture that can be read; expected PNG, JPEG, WebP, TIFF, GIF or BMP
    """
    shown = name or ("the picture" if isinstance(source, bytes) else str(source))
    library = require("PIL.Image", "images", "reading a picture")
    data = source if isinstance(source, bytes) else _read_file(Path(source), shown)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of sizes, which are checked here
        with as_data_error("cannot be decoded", source=shown, hint="save it again, as PNG"):
            image = _open(library, data, shown)
            _check_header(image, shown)
            with image:
                with without_stderr() if image.format == "TIFF" else nullcontext():
                    image.load()
                return _to_array(library, image, shown)


logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it logs is in its errors too, and a user has one line


def _read_file(path: Path, name: str) -> bytes:
    try:
        if (size := os.stat(path).st_size) > MAX_PICTURE_BYTES:  # noqa: PTH116  Path's own raises for what is no name
            raise DataError(f"expected a picture of at most {MAX_PICTURE_BYTES:,} bytes, got {size:,}", source=name)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be read ({reason})", source=name) from None


def _open(library: Any, data: bytes, name: str) -> Any:
    try:
        return library.open(io.BytesIO(data), formats=_FORMATS)
    except library.UnidentifiedImageError:
        problem = "is empty" if not data else "is no picture that can be read"
        raise DataError(problem, source=name, hint="expected PNG, JPEG, WebP, TIFF, GIF or BMP") from None
    except library.DecompressionBombError:
        raise _too_large(name) from None


def _too_large(name: str, size: tuple[int, int] | None = None) -> DataError:
    got = f", got {size[0]:,} x {size[1]:,}" if size else ", got many more"
    return DataError(
        f"expected a picture of at most {MAX_PICTURE_PIXELS:,} pixels{got}",
        source=name,
        hint="save it in a smaller size",
    )


def _check_header(image: Any, name: str) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise DataError(f"expected a picture, got one of {width} x {height} pixels", source=name)
    if width * height > MAX_PICTURE_PIXELS:
        raise _too_large(name, (width, height))
    if image.format != _PHONE and _has_several(image):
        what = "pages" if image.format == "TIFF" else "frames"
        raise DataError(f"expected one picture, got several {what}", source=name, hint="save one of them by itself")


def _has_several(image: Any) -> bool:
    """Tell whether there is another page or frame behind the first, none of which is decoded."""
    return bool(getattr(image, "is_animated", False)) or int(getattr(image, "n_frames", 1)) > 1


def _to_array(library: Any, image: Any, name: str) -> np.ndarray:
    operations = require("PIL.ImageOps", "images", "reading a picture")
    image = operations.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return (np.asarray(image).astype(np.uint16) >> _SHIFT_16).astype(np.uint8)[:, :, None]
    if image.mode in ("I", "F"):
        raise DataError(
            f"expected 8 or 16 bits for each pixel, got 32 (mode {image.mode})", source=name, hint="save it as PNG"
        )
    grey = image.mode in _GREY
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = library.new("RGBA", image.size, (_WHITE, _WHITE, _WHITE, _WHITE))
        image = library.alpha_composite(ground, image)
    values = np.asarray(image.convert("RGB"))
    return values[:, :, :1].copy() if grey else values.copy()
