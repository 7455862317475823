"""PNG files written with the standard library alone, so that results and reports need no extra."""

from __future__ import annotations

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 3: 2}


def encode_png(picture: np.ndarray) -> bytes:
    """Write a picture, uint8 (H, W) or (H, W, 1) grey or (H, W, 3) red, green, blue, as a PNG file (W3C, third edition); gives its bytes.

    >>> encode_png(np.zeros((2, 3), np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    values = picture[:, :, None] if picture.ndim == 2 else picture
    height, width, channels = values.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # before each row which filter was used: 0, none
    rows[:, 1:] = values.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
