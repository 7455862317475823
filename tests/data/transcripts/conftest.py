"""Small sounds and pictures, and folders full of files."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from recurra.images import encode_png

Write = Callable[[Mapping[str, str | bytes]], Path]


def wav_bytes(count: int = 160, level: int = 1000, rate: int = 8_000) -> bytes:
    """Give a WAV file of so many samples, all of one level, by which it is known again."""
    data = np.full(count, level, "<i2").tobytes()
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def page_bytes(height: int = 40, width: int = 60) -> bytes:
    """Give a PNG whose grey is 100 above the middle and 200 below."""
    page = np.full((height, width), 100, np.uint8)
    page[height // 2 :] = 200
    return encode_png(page)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files by their paths, and give the folder that they are in."""

    def write_files(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "data"

    return write_files
