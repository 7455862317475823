"""Small pictures as JPEG files, for pages that hold many."""

from __future__ import annotations

import base64
import io

import numpy as np

from recurra.errors import require

_QUALITY = 75


def encode_jpeg(picture: np.ndarray) -> bytes:
    """Write a picture (H, W, 3) uint8 as a JPEG file; gives its bytes. Needs the extra `images`.

    >>> encode_jpeg(np.zeros((8, 8, 3), np.uint8))[:3]
    b'\\xff\\xd8\\xff'
    """
    library = require("PIL.Image", "images", "writing a JPEG")
    file = io.BytesIO()
    library.fromarray(np.ascontiguousarray(picture)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def jpeg_text(picture: np.ndarray) -> str:
    """Write a picture as the base64 of a JPEG file."""
    return base64.b64encode(encode_jpeg(picture)).decode("ascii")
