"""Arrays, images, MATLAB files and skeletons become series; nothing in them is run, and what does not fit is named."""

from __future__ import annotations

import gzip
import io
import re
from typing import Any

import numpy as np
import pytest

from recurra.data.labelled.reader import LabelledOptions, read_labelled
from recurra.errors import DataError, UsageError
from recurra.series import SkeletonFormat, read_idx, read_npy, register_skeletons, skeleton_format, to_numbers
from recurra.text import Source

from ..conftest import Files


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array))
    return stream.getvalue()


STEPS = np.arange(24, dtype=np.float64).reshape(2, 4, 3)


def test_npz_of_series(files: Files) -> None:
    read = read_labelled(files({"a.npz": npz(X=STEPS, y=["up", "down"])}))
    assert [sequence.tolist() for sequence in read.sequences] == STEPS.tolist()
    assert (read.labels, read.places) == ([("up",), ("down",)], ["a.npz, row 1", "a.npz, row 2"])
    assert read.channels == ["channel 1", "channel 2", "channel 3"]
    flat = read_labelled(files({"a.npz": npz(data=STEPS[:, :, 0], labels=np.array([[1.0], [0.0]]))}))
    assert (flat.sequences[0].tolist(), flat.labels) == ([[0], [3], [6], [9]], [("1",), ("0",)])


def test_npz_of_series_of_different_lengths(files: Files) -> None:
    cut = read_labelled(files({"a.npz": npz(x=STEPS, y=[0, 1], lengths=[4, 2])}))
    assert [len(sequence) for sequence in cut.sequences] == [4, 2]
    running = read_labelled(files({"a.npz": npz(x=STEPS.reshape(8, 3), y=[0, 1], lengths=[6, 2])}))
    assert [sequence.tolist() for sequence in running.sequences] == [
        STEPS.reshape(8, 3)[:6].tolist(),
        STEPS.reshape(8, 3)[6:].tolist(),
    ]


def test_npz_of_two_parts_says_that_they_are_joined(files: Files) -> None:
    read = read_labelled(files({"mnist.npz": npz(x_train=STEPS, y_train=[0, 1], x_test=STEPS[:1], y_test=[1])}))
    assert read.labels == [("0",), ("1",), ("1",)]
    assert read.notes == [
        "mnist.npz: x_train, x_test are read one after another; give files of their own to keep them apart"
    ]


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x": STEPS, "y": [0]}, "expected 2 labels, got 1"),
        ({"a": STEPS}, "expected an array x with series and an array y with labels, got a; name the series x"),
        ({"x": np.array(["a"]), "y": [0]}, "expected numbers, got an array of <U1"),
        ({"x": STEPS[0, :, 0], "y": [0] * 4}, "expected an array of two or three axes, got 4"),
        ({"x": STEPS, "y": [0, 1], "lengths": [4]}, "expected 2 lengths, one a series, got 1"),
        ({"x": np.where(STEPS == 17, np.inf, STEPS), "y": [0, 1]}, "row 2: value 6 is infinite"),
        (
            {"x": np.array([None, [1]], dtype=object), "y": [0, 1]},
            "holds Python objects, which are not read: they could run code",
        ),
        ({"x": STEPS}, "row 1: the label is missing"),
    ],
)
def test_arrays_that_do_not_fit(files: Files, arrays: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=re.escape(problem)):
        read_labelled(files({"a.npz": npz(**arrays)}))


@pytest.mark.parametrize("cut", [0, 10, -30])
def test_damaged_arrays(files: Files, cut: int) -> None:
    with pytest.raises(DataError, match=r"a\.npz"):
        read_labelled(files({"a.npz": npz(x=STEPS, y=[0, 1])[:cut]}))
    with pytest.raises(DataError, match=r"X\.npy"):
        read_labelled(files({"X.npy": npy(STEPS)[:cut], "y.npy": npy([0, 1])}))


@pytest.mark.parametrize(("series", "labels"), [("X_train.npy", "y_train.npy"), ("test_data.npy", "test_labels.npy")])
def test_npy_files_find_their_labels(files: Files, series: str, labels: str) -> None:
    paths = files({series: npy(STEPS), labels: npy([3, 4])})
    for named in (paths, paths[::-1], paths[:1]):
        assert read_labelled(named).labels == [("3",), ("4",)]
    paths[1].unlink()
    assert len(read_labelled(paths[:1], LabelledOptions(need_labels=False)).sequences) == 2
    with pytest.raises(DataError, match=f"the file with the labels of these series is missing; put {labels} beside it"):
        read_labelled(paths[:1])


def test_npy_files_in_a_folder_per_class(files: Files) -> None:
    paths = files({"walk/1.npy": npy(STEPS[0]), "run/1.npy": npy(STEPS[1, :, :]), "run/2.npy": npy(STEPS[1, :2])})
    read = read_labelled(paths, LabelledOptions(label="folder"))
    assert [(len(sequence), label) for sequence, (label,) in zip(read.sequences, read.labels, strict=True)] == [
        (4, "walk"),
        (4, "run"),
        (2, "run"),
    ]


IMAGES = bytes([0, 0, 8, 3, *(0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3)]) + bytes([0, 51, 102, 153, 204, 255, *range(6)])
LABELS = bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 3])


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gz"])
def test_images_by_rows_and_by_pixels(files: Files, pack: Any) -> None:
    end = ".gz" if pack is gzip.compress else ""
    paths = files({f"t10k-images-idx3-ubyte{end}": pack(IMAGES), f"t10k-labels-idx1-ubyte{end}": pack(LABELS)})
    for named in (paths, paths[:1]):
        rows = read_labelled(named)
        np.testing.assert_allclose(rows.sequences[0], [[0, 0.2, 0.4], [0.6, 0.8, 1]], rtol=1e-6)
        assert rows.labels == [("7",), ("3",)]
        assert rows.channels == ["column 1", "column 2", "column 3"]
    pixels = read_labelled(paths, LabelledOptions(images="pixels"))
    np.testing.assert_array_equal(pixels.sequences[1], rows.sequences[1].reshape(6, 1))
    assert (pixels.channels, pixels.sequences[0].dtype) == (["pixel"], np.float32)
    paths[1].unlink()
    with pytest.raises(DataError, match="labels of these images is missing; put t10k-labels-idx1-ubyte"):
        read_labelled(paths[:1])


@pytest.mark.parametrize(
    ("images", "labels", "problem"),
    [
        (IMAGES[:-1], LABELS, r"images-idx3-ubyte: expected 28 bytes for 2 x 2 x 3 values, got 27"),
        (IMAGES + b"0", LABELS, "expected 28 bytes for 2 x 2 x 3 values, got 29"),
        (IMAGES[:9], LABELS, "the idx file ends within its header, after 9 bytes"),
        (b"PK" + IMAGES, LABELS, "byte 0: expected an idx file, got one that begins with 50 4b"),
        (IMAGES, LABELS[:3] + bytes([1, 0, 0, 0, 1, 7]), r"labels-idx1-ubyte: expected 2 labels, one an image, got 1"),
        (LABELS, LABELS, "expected images .count x rows x columns., got values 2"),
    ],
)
def test_images_that_are_broken(files: Files, images: bytes, labels: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        read_labelled(files({"images-idx3-ubyte": images, "labels-idx1-ubyte": labels}))


def test_idx_of_other_types() -> None:
    data = bytes([0, 0, 13, 1, 0, 0, 0, 2]) + np.array([1.5, -2], ">f4").tobytes()
    assert read_idx(Source("a.idx", "idx", data, False)).tolist() == [1.5, -2]


def test_matlab_files(files: Files) -> None:
    scipy = pytest.importorskip("scipy.io", reason="SciPy is not installed")

    def mat(**content: Any) -> bytes:
        stream = io.BytesIO()
        scipy.savemat(stream, content)
        return stream.getvalue()

    series = np.empty((1, 3), dtype=object)
    for index, length in enumerate((4, 2, 5)):
        series[0, index] = np.arange(2.0 * length).reshape(2, length)
    key = np.empty((1, 2), dtype=object)
    key[0, 0], key[0, 1] = "a", "ä"
    read = read_labelled(files({"a.mat": mat(xtrain=series, ytrain=np.array([[2, 1, 2]]), key=key)}))
    assert [sequence.tolist() for sequence in read.sequences][1] == [[0, 2], [1, 3]]
    assert [len(sequence) for sequence in read.sequences] == [4, 2, 5]
    assert read.labels == [("ä",), ("a",), ("ä",)]
    assert read_labelled(files({"a.mat": mat(x=series, y=np.array([[2.0], [1.0], [3.0]]))})).labels[2] == ("3",)
    with pytest.raises(DataError, match=r"a\.mat: expected one cell array of matrices, got 0; the file holds y"):
        read_labelled(files({"a.mat": mat(y=np.arange(3))}))
    with pytest.raises(DataError, match=r"a\.mat: row 1: the label is missing"):
        read_labelled(files({"a.mat": mat(x=series)}))
    with pytest.raises(DataError, match=r"a\.mat: byte 128: is damaged: an element states 384 bytes, of which 64 are"):
        read_labelled(files({"a.mat": mat(x=series)[:200]}))


FRAME = "".join(f"{joint} 0.5 -1 1\n" for joint in range(20))


def test_skeletons_of_msr_action3d(files: Files, tmp_path: Any) -> None:
    files({"a05_s01_e02_skeleton3D.txt": FRAME * 3, "a12_s02_e01_skeleton3D.txt": FRAME, "notes.txt": "words"})
    read = read_labelled([tmp_path / "data"])
    assert [sequence.shape for sequence in read.sequences] == [(3, 60), (1, 60)]
    assert read.sequences[0][1, 3:6].tolist() == [1, 0.5, -1]
    assert (read.labels, read.channels[5]) == ([("5",), ("12",)], "joint 2 z")
    assert read.skipped == [f"{tmp_path}/data/notes.txt: no skeleton file, by its name"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FRAME + "1 2 3\n", "line 21: expected x y z confidence, got 3 values"),
        (FRAME + "1 2 3 4\n", "expected 20 lines for every frame, got 21 lines in all; is the file cut off"),
        (FRAME.replace("7 0.5", "seven 0.5"), "line 8: value 1: expected a number, got 'seven'"),
        (FRAME.replace("7 0.5", "7 inf"), "line 8: value 2 is infinite"),
    ],
)
def test_a_broken_skeleton(files: Files, text: str, problem: str) -> None:
    with pytest.raises(DataError, match=rf"a05_s01_e02_skeleton3D\.txt: {problem}"):
        read_labelled(files({"a05_s01_e02_skeleton3D.txt": text}))


def test_other_skeletons_can_be_registered(files: Files) -> None:
    def read(text: str, name: str) -> np.ndarray:
        return np.array([line.split() for line in text.splitlines()], np.float32)

    with pytest.raises(UsageError, match="has no group named label"):
        register_skeletons(SkeletonFormat("nameless", re.compile("x"), read, ("x",)))
    form = SkeletonFormat("toy", re.compile(r"(?P<label>[a-z]+)-[0-9]+\.skel"), read, ("x", "y"))
    try:
        assert register_skeletons(form) is form
        with pytest.raises(UsageError, match="there is a skeleton format 'toy' already"):
            register_skeletons(SkeletonFormat("toy", form.pattern, read, ("x",)))
        given = read_labelled(files({"wave-1.skel": "1 2\n3 4\n"}))
        assert (given.sequences[0].tolist(), given.labels, given.channels) == (
            [[1, 2], [3, 4]],
            [("wave",)],
            ["x", "y"],
        )
    finally:
        from recurra.series import skeletons

        del skeletons._FORMATS["toy"]
    assert skeleton_format("wave-1.skel") is None


@pytest.mark.parametrize("shape", [(10**12, 0), (5, 0, 10**12), (2**31 - 1, 2**31 - 1, 0)])
def test_dimensions_that_hold_no_value_have_a_bound(files: Files, shape: tuple[int, ...]) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with pytest.raises(DataError, match=f"is damaged .*{shape[0]} x .* values are none"):
        read_npy(Source("x.npy", "npy", stream.getvalue(), False))


def test_numbers_that_no_memory_holds_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(np, "asanyarray", no_memory)
    with pytest.raises(DataError, match="longer than the memory holds"):
        to_numbers(range(3))
