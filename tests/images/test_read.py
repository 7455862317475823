"""Pictures of every make are read, and what is none, or too much, is one clear line."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recurra.errors import DataError
from recurra.images import contact_sheet, encode_png, is_picture, read_picture, resize, to_grey

RAMP = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "GIF", "BMP"])
def test_grey_is_kept_as_it_is(kind: str) -> None:
    read = read_picture(saved(Image.fromarray(RAMP), kind), "ramp")
    assert np.array_equal(to_grey(read), RAMP)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP"])
def test_colours_are_kept_as_they_are(kind: str) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read_picture(saved(Image.fromarray(colours), kind, **options)), colours)


@pytest.mark.parametrize(("mode", "shape"), [("L", (4, 6, 1)), ("RGB", (4, 6, 3)), ("CMYK", (4, 6, 3))])
def test_jpeg_of_every_mode(mode: str, shape: tuple[int, ...]) -> None:
    read = read_picture(saved(Image.fromarray(RAMP).convert(mode), "JPEG", quality=95))
    assert read.shape == shape and read.dtype == np.uint8
    assert np.abs(to_grey(read).astype(int) - RAMP).max() < 12


def test_one_bit_and_sixteen() -> None:
    bits = RAMP > 100
    assert np.array_equal(read_picture(saved(Image.fromarray(bits), "PNG"))[:, :, 0], bits * 255)
    deep = RAMP.astype(np.uint16) * 257
    for kind in ("PNG", "TIFF"):
        assert np.array_equal(read_picture(saved(Image.fromarray(deep), kind))[:, :, 0], RAMP)


def test_what_is_transparent_lies_on_white() -> None:
    alpha = np.zeros((2, 2), np.uint8)
    alpha[0, 0] = 255
    black = np.zeros((2, 2, 3), np.uint8)
    rgba = Image.fromarray(np.dstack([black, alpha]))
    wanted = [[0, 255], [255, 255]]
    assert to_grey(read_picture(saved(rgba, "PNG"))).tolist() == wanted
    assert read_picture(saved(rgba.convert("LA"), "PNG")).shape == (2, 2, 1)
    palette = Image.fromarray(np.array([[0, 1], [1, 1]], np.uint8), "P")
    palette.putpalette([0, 0, 0, 9, 9, 9])
    assert to_grey(read_picture(saved(palette, "PNG", transparency=1))).tolist() == wanted
    assert to_grey(read_picture(saved(palette, "GIF", transparency=1))).tolist() == wanted


def test_a_palette_becomes_its_colours() -> None:
    palette = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    palette.putpalette([0, 0, 0, 10, 20, 30])
    assert read_picture(saved(palette, "PNG")).tolist() == [[[0, 0, 0], [10, 20, 30]]]


def test_it_is_turned_as_its_orientation_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    read = read_picture(saved(Image.fromarray(RAMP), "PNG", exif=exif))
    assert np.array_equal(to_grey(read), np.rot90(RAMP, -1))


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(8_000, 8_000), (200_000, 200_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    with pytest.raises(DataError, match=r"^bomb.png: .*50,000,000 pixels"):
        read_picture(bomb(width, height), "bomb.png")


def test_a_picture_without_pixels() -> None:
    with pytest.raises(DataError, match=r"^none.png: "):
        read_picture(bomb(0, 0), "none.png")


def several(kind: str) -> bytes:
    pages = [Image.fromarray(RAMP + shift) for shift in (0, 5, 9)]
    return saved(pages[0], kind, save_all=True, append_images=pages[1:])


@pytest.mark.parametrize(
    ("kind", "what"), [("TIFF", "pages"), ("GIF", "frames"), ("WEBP", "frames"), ("PNG", "frames")]
)
def test_several_pages_are_refused(kind: str, what: str) -> None:
    with pytest.raises(DataError, match=rf"^a: expected one picture, got several {what}; save one of them by itself$"):
        read_picture(several(kind), "a")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_any_part_of_a_file_is_read_or_refused(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    whole = saved(Image.fromarray(noise), kind)
    refused = 0
    for end in range(0, len(whole), max(1, len(whole) // 60)):
        try:
            assert read_picture(whole[:end], "cut").dtype == np.uint8
        except DataError as error:
            assert str(error).startswith("cut: ") and "\n" not in str(error)
            refused += 1
    assert refused > 40


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"])
def test_damaged_bytes_are_read_or_refused(kind: str) -> None:
    random = np.random.default_rng(2)
    whole = saved(Image.fromarray(np.stack([RAMP] * 3, 2)), kind)
    for _ in range(80):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(256)
        try:
            assert read_picture(bytes(data), "odd").ndim == 3
        except DataError as error:
            assert str(error).startswith("odd: ")


def test_files_by_their_paths(tmp_path: Path) -> None:
    (tmp_path / "ramp.png").write_bytes(encode_png(RAMP))
    assert np.array_equal(read_picture(tmp_path / "ramp.png")[:, :, 0], RAMP)
    with pytest.raises(DataError, match=r"gone.png: cannot be read \(No such file"):
        read_picture(tmp_path / "gone.png")
    with pytest.raises(DataError, match="cannot be read"):
        read_picture("a\0b.png")
    with pytest.raises(DataError, match="cannot be read"):
        read_picture(tmp_path)


def test_what_is_written_is_what_another_program_reads() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    for picture in (RAMP, RAMP[:, :, None], colours):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(picture)))), picture.squeeze())


def test_grey_is_as_pillow_has_it() -> None:
    colours = np.random.default_rng(3).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert np.array_equal(to_grey(colours), np.asarray(Image.fromarray(colours).convert("L")))


def test_sizes() -> None:
    assert resize(RAMP, 4, 6) is RAMP
    assert resize(np.stack([RAMP] * 3, 2), 2, 3).shape == (2, 3, 3)
    halves = resize(np.repeat(np.repeat(RAMP, 2, 0), 2, 1), 4, 6)
    assert np.abs(halves[1:-1, 1:-1].astype(int) - RAMP[1:-1, 1:-1]).max() <= 10
    assert contact_sheet(np.zeros((5, 3, 4), np.uint8)).shape == (2 + 2 * 5, 2 + 3 * 6)


def test_names() -> None:
    assert [is_picture(name) for name in ("a.jpg", "a.tiff", "a.svg", "a.heic", "png")] == [
        True,
        True,
        False,
        False,
        False,
    ]
