"""A folder with MNIST's four files: the images to train on, and those that are published as the test."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recurra.data.labelled.reader import read_labelled
from recurra.tasks.classify.config import Data
from recurra.tasks.classify.data import read_dataset
from recurra.tasks.embed.config import Data as EmbedData
from recurra.tasks.embed.data import read_dataset as read_embed_dataset

Files = Callable[..., list[Path]]


def idx(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


@pytest.fixture
def mnist(files: Files) -> Path:
    rng = np.random.default_rng(3)
    contents = {}
    for part, count in (("t10k", 6), ("train", 40)):
        contents[f"mnist/{part}-images-idx3-ubyte.gz"] = gzip.compress(idx(rng.integers(0, 255, (count, 3, 4))))
        contents[f"mnist/{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx(np.arange(count) % 2))
    return files(contents)[0].parent


def test_the_images_published_as_the_test_are_the_test(mnist: Path) -> None:
    dataset = read_dataset(Data(data=[str(mnist)], valid_share=0.25), None)
    assert dataset.test is not None and dataset.valid is not None
    assert {place.split(",")[0] for place in dataset.test.places} == {"t10k-images-idx3-ubyte.gz"}
    held_in = [*dataset.train.places, *dataset.valid.places]
    assert {place.split(",")[0] for place in held_in} == {"train-images-idx3-ubyte.gz"}
    assert (len(dataset.test), len(held_in), len(dataset.valid) > 0) == (6, 40, True)
    assert "t10k-images-idx3-ubyte.gz is the test, as it is published" in dataset.notes
    of_files = read_dataset(
        Data(data=[str(mnist / "train-images-idx3-ubyte.gz")], test=[str(mnist / "t10k-images-idx3-ubyte.gz")]), None
    )
    np.testing.assert_array_equal(np.stack(of_files.test.sequences), np.stack(dataset.test.sequences))


def test_an_embedder_is_measured_on_them_too(mnist: Path) -> None:
    dataset = read_embed_dataset(EmbedData(data=[str(mnist)]), None)
    assert dataset.test is not None and len(dataset.test) == 6


def test_other_files_to_test_on_leave_them_out(mnist: Path, files: Files) -> None:
    rng = np.random.default_rng(4)
    contents = {
        "mine/my-images-idx3-ubyte": idx(rng.integers(0, 255, (3, 3, 4))),
        "mine/my-labels-idx1-ubyte": idx(np.zeros(3)),
    }
    mine = files(contents)[0]
    dataset = read_dataset(Data(data=[str(mnist)], test=[str(mine)]), None)
    assert dataset.test is not None
    assert (len(dataset.train), len(dataset.test)) == (40, 3)
    assert any("left out, since it is published as a test" in note for note in dataset.notes)


def test_folds_and_files_that_are_named_take_all(mnist: Path) -> None:
    dataset = read_dataset(Data(data=[str(mnist)], folds=2, valid_share=0.0), None)
    assert sum(map(len, dataset.splits.values())) == 46
    assert read_labelled([mnist / "t10k-images-idx3-ubyte.gz", mnist / "train-images-idx3-ubyte.gz"]).test == []
    assert read_labelled([mnist]).test == list(range(6))
