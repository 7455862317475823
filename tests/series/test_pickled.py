"""Arrays of arrays are read without running anything, and what is none is an error."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from recurra.errors import DataError
from recurra.series import read_nested_npz
from recurra.text import Source


def npz(**arrays: np.ndarray) -> Source:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return Source("a.npz", "npz", stream.getvalue(), False)


def nested(*values: object) -> np.ndarray:
    made = np.empty(len(values), object)
    made[:] = values
    return made


def test_arrays_of_arrays_are_what_numpy_reads() -> None:
    shapes = nested(np.arange(6, dtype=np.int16).reshape(2, 3), np.ones((3, 3)), np.zeros((0, 3), np.float32))
    found = read_nested_npz(npz(train=shapes, plain=np.arange(4)))
    assert isinstance(found["train"], list)
    for own, wanted in zip(found["train"], shapes, strict=True):
        assert own.dtype == wanted.dtype and np.array_equal(own, wanted)
    assert np.array_equal(found["plain"], np.arange(4))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_each_protocol_and_both_orders(protocol: int) -> None:
    values = nested(np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(3, dtype=">i4"))
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (2,)})
    data = stream.getvalue() + pickle.dumps(values, protocol=protocol)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("x.npy", data)
    (found,) = read_nested_npz(Source("a.npz", "npz", whole.getvalue(), False)).values()
    assert all(np.array_equal(own, wanted) for own, wanted in zip(found, values, strict=True))


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize("other", [Runs(), "text", {"a": 1}, 3, [1, 2], nested(np.zeros(2))])
def test_any_other_object_is_refused_and_nothing_runs(other: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError) as caught:
        read_nested_npz(npz(x=nested(np.zeros(3), other)))
    assert "\n" not in str(caught.value) and "a.npz" in str(caught.value)
    assert capsys.readouterr().out == ""


def test_two_axes_of_objects_are_refused() -> None:
    with pytest.raises(DataError, match="expected one row of arrays, got 1 x 2 objects"):
        read_nested_npz(npz(x=nested(np.zeros(2), np.zeros(2)).reshape(1, 2)))
