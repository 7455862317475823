"""Pictures of every source become one array, with labels and places; what cannot be used is named."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recurra.data.pictures import PictureOptions, grey_bytes, parse_size, read_pictures
from recurra.errors import DataError
from recurra.images import encode_png

RANDOM = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)


def idx(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


def test_idx_files_with_labels_and_a_published_test(tmp_path: Path) -> None:
    for name, part in (("train", RANDOM[:4]), ("t10k", RANDOM[4:])):
        (tmp_path / f"{name}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(part)))
        (tmp_path / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(len(part)))))
    (tmp_path / "README.md").write_text("# What this is\n")
    read = read_pictures([tmp_path])
    assert np.array_equal(read.values, np.concatenate([RANDOM[4:], RANDOM[:4]]))
    assert read.test == [0, 1] and read.labels == ["0", "1", "0", "1", "2", "3"]
    assert read.places[2] == "train-images-idx3-ubyte.gz, row 1"
    alone = read_pictures([tmp_path / "train-images-idx3-ubyte.gz"])
    assert alone.labels == ["0", "1", "2", "3"] and alone.test == []


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", RANDOM)
    np.savez(tmp_path / "b.npz", x=RANDOM / 255, y=list("abcdef"))
    assert np.array_equal(read_pictures([tmp_path / "a.npy"]).values, RANDOM)
    read = read_pictures([tmp_path / "b.npz"])
    assert np.array_equal(read.values, RANDOM) and read.labels == list("abcdef")
    np.save(tmp_path / "c.npy", np.repeat(RANDOM[..., None], 3, 3))
    assert np.array_equal(read_pictures([tmp_path / "c.npy"]).values, RANDOM)
    np.save(tmp_path / "d.npy", RANDOM[:, :, :3])
    assert read_pictures([tmp_path / "d.npy"]).values.shape == (6, 5, 3)
    np.save(tmp_path / "X_one.npy", RANDOM)
    np.save(tmp_path / "y_one.npy", np.arange(6))
    assert read_pictures([tmp_path / "X_one.npy", tmp_path / "y_one.npy"]).labels == list("012345")


def test_a_folder_and_an_archive_of_files(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, picture in enumerate(RANDOM):
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", encode_png(picture))
        archive.writestr("a/notes.txt", "not a picture")
    (tmp_path / "all.zip").write_bytes(stream.getvalue())
    with zipfile.ZipFile(stream) as archive:
        archive.extractall(tmp_path / "all")
    for source in (tmp_path / "all.zip", tmp_path / "all"):
        read = read_pictures([source])
        assert np.array_equal(read.values, RANDOM[[0, 2, 4, 1, 3, 5]]) and read.labels == ["a"] * 3 + ["b"] * 3
        assert read.places[0] == "a/0.png" and len(read.skipped) == 1
    sized = read_pictures([tmp_path / "all"], PictureOptions((10, 8)))
    assert sized.size == (10, 8) and "6 pictures of 5 x 4 pixels became 10 x 8" in sized.notes[0]


def test_faults(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(encode_png(RANDOM[0]))
    (tmp_path / "bad.png").write_bytes(encode_png(RANDOM[0])[:40])
    with pytest.raises(DataError, match=r"bad.png: "):
        read_pictures([tmp_path])
    read = read_pictures([tmp_path], PictureOptions(on_error="skip"))
    assert len(read) == 1 and "bad.png" in read.skipped[0]
    (tmp_path / "names.txt").write_text("a.png\n")
    with pytest.raises(DataError, match=r"names.txt: holds no pictures; expected idx"):
        read_pictures([tmp_path / "names.txt"])
    np.save(tmp_path / "odd.npy", np.full((2, 3, 3), -1.0))
    with pytest.raises(DataError, match=r"odd.npy: expected bytes, 0 to 255, or numbers from 0 to 1; got -1"):
        read_pictures([tmp_path / "odd.npy"])
    for values in (np.zeros((2, 3, 3, 3, 3)), np.zeros((0, 3, 3)), np.zeros((2, 0, 3)), np.zeros((2, 5, 5, 2))):
        np.save(tmp_path / "odd.npy", values)
        with pytest.raises(DataError, match=r"odd.npy: expected pictures \(count x rows x columns\)"):
            read_pictures([tmp_path / "odd.npy"])


def test_numbers_as_grey() -> None:
    assert grey_bytes(np.array([[True, False]])).tolist() == [[255, 0]]
    assert grey_bytes(np.array([[0, 1], [1, 0]])).tolist() == [[0, 255], [255, 0]]
    assert grey_bytes(np.array([[0, 300 - 45]])).tolist() == [[0, 255]]
    colours = np.zeros((2, 6, 5, 3), np.uint8)
    colours[..., 0] = 255
    assert (grey_bytes(colours, colours=True) == np.full((2, 6, 5), 76)).all()
    assert grey_bytes(colours[0]).shape == (6, 5, 3)  # three narrow pictures are no colours
    for wrong in (np.array([[np.nan]]), np.array([[1.5]]), np.array([[256]]), np.array([["a"]]), np.array([[1j]])):
        with pytest.raises(DataError, match="expected"):
            grey_bytes(wrong)


@pytest.mark.parametrize("text", ["", "0", "28x", "x28", "-3", "1x2x3", "2.5", "²8", "9x0"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size such as 28 or 32x24"):
        parse_size(text)
