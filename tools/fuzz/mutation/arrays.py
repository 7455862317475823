"""Mutation of files of arrays: .npy, .npz and .mat, by the header, by the kind of array and by its values."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
from tools.fuzz.mutation import archives, raw

MAT_TEXT_BYTES = 116
MAT_SIZES = 160
"""Where the dimensions of the first array of a MATLAB file stand: after the header, its tag, its flags and their own tag."""
HEADERS = [
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2", "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000,), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "{'descr': '<U1000000000', 'fortran_order': False, 'shape': (3,), }", "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': 1, 'shape': 3, }", "{'descr': 'x', 'fortran_order': False, 'shape': (), }", "{" * 3000, "(" * 90000, "1", "", "{'descr': '<V0', 'fortran_order': False, 'shape': (9,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (5, 0, 1000000000000), }", "{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647, 0), }",
]  # fmt: skip


def strange(rng: Random, like: np.ndarray | None = None) -> Any:
    """Give an array of a kind, shape or with values that nobody expects."""
    base = np.array(like) if like is not None else np.arange(24.0).reshape(4, 6)
    made: list[Any] = [
        lambda: base.astype(rng.choice(["?", "i1", "u1", "<i8", ">i8", "u8", "f2", ">f4", "f8", "g", "F", "D"]), copy=False) if base.dtype.kind in "biuf" else base,
        lambda: np.zeros(rng.choice([(), (0,), (5, 0), (0, 3), (6, 5, 0), (0, 0, 0), (1,), (1, 1), (1, 1, 1), (2, 3, 4, 5), (2,) * 12])),
        lambda: np.full(base.shape, rng.choice([np.nan, np.inf, -np.inf, 1e30, -1e30, 1e300, 1e-320, 0.0, 1.0])),
        lambda: np.array(["a", "", "漢" * 40]), lambda: np.array([b"a", b"\xff"]), lambda: np.array([1, "a", None], dtype=object),
        lambda: np.zeros(4, dtype=[("a", "f8"), ("b", "U3")]), lambda: np.array(["2024-05-31", "NaT", "0001-01-01", "9999-12-31"], "M8[D]"), lambda: np.array([1, 2, 3], "m8[s]"),
        lambda: np.asfortranarray(base), lambda: base * rng.choice([1e30, 1e-320, 0, -1]), lambda: base.reshape(-1)[: rng.randint(0, base.size)], lambda: base[None],
        lambda: np.where(np.random.default_rng(rng.randrange(2**32)).random(base.shape) < 0.1, rng.choice([np.nan, np.inf, 1e38, 1e-42]), base) if base.dtype.kind in "biuf" else base,
        lambda: np.arange(rng.choice([1, 7, 5000])), lambda: np.array([2**63, 2**64 - 1], np.uint64), lambda: np.zeros((2, 3), dtype="V7"),
        lambda: np.repeat(base, rng.choice([2, 50]), axis=0) if base.ndim else base, lambda: np.broadcast_to(np.float32(1), (3, rng.choice([2, 4000]), 2)),
    ]  # fmt: skip
    with np.errstate(all="ignore"):
        return rng.choice(made)()


def npy_bytes(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asanyarray(array), allow_pickle=True)
    return file.getvalue()


def npz_bytes(**arrays: Any) -> bytes:
    return pack({f"{name}.npy": npy_bytes(array) for name, array in arrays.items()})


def pack(members: Mapping[str, bytes]) -> bytes:
    """Pack the members of an .npz file, of no time, so that the same arrays are always the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data)
    return made.getvalue()


def mat_bytes(stored: Mapping[str, Any], **options: Any) -> bytes:
    """Give a MATLAB file; one of version 5 has no time in its header, so that it is always the same."""
    import scipy.io

    made = io.BytesIO()
    scipy.io.savemat(made, dict(stored), **options)
    data = made.getvalue()
    return b"MATLAB 5.0 MAT-file".ljust(MAT_TEXT_BYTES) + data[MAT_TEXT_BYTES:] if data[:6] == b"MATLAB" else data


def forged_npy(rng: Random) -> bytes:
    """Give a .npy file whose header says what it pleases."""
    header = rng.choice(HEADERS).encode() + rng.choice([b"\n", b" " * 40 + b"\n", b""])
    version = rng.choice([b"\x01\x00", b"\x02\x00", b"\x03\x00", b"\x09\x00"])
    size = len(header) if rng.random() < 0.7 else rng.choice([0, 1, 65535, 2**32 - 1])
    length = size.to_bytes(4, "little") if version != b"\x01\x00" else (size % 65536).to_bytes(2, "little")
    return b"\x93NUMPY" + version + length + header + rng.randbytes(48)


def mutate_npy(data: bytes, rng: Random) -> bytes:
    if rng.random() < 0.3:
        return raw.mutate(data, rng)
    if rng.random() < 0.25:
        return forged_npy(rng)
    return npy_bytes(strange(rng, np.load(io.BytesIO(data))))


def mutate_npz(data: bytes, rng: Random) -> bytes:
    """Mutate an archive of arrays: an array, its name, how many there are, or the archive itself."""
    if rng.random() < 0.3:
        return archives.mutate_zip(data, rng)
    try:
        with np.load(io.BytesIO(data)) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
    except ValueError:  # it holds objects, or was strange before
        return archives.mutate_zip(data, rng)
    name = rng.choice(list(arrays))
    how = rng.choice(["array", "array", "array", "forged", "name", "less", "more", "length"])
    content = {f"{key}.npy": npy_bytes(array) for key, array in arrays.items()}
    if how == "array":
        content[f"{name}.npy"] = npy_bytes(strange(rng, arrays[name]))
    elif how == "forged":
        content[f"{name}.npy"] = forged_npy(rng)
    elif how == "name":
        content[
            rng.choice(["x", "lengths.npy", "y_train.npy", "a\nb.npy", "", ".npy", "漢.npy", "x.txt", "x.npy.npy"])
        ] = content.pop(f"{name}.npy")
    elif how == "less":
        del content[f"{name}.npy"]
    elif how == "more":
        content[rng.choice(["x_test.npy", "y_test.npy", "lengths.npy", "labels.npy", "z.npy"])] = npy_bytes(
            strange(rng)
        )
    else:
        content[f"{name}.npy"] = npy_bytes(
            arrays[name][: rng.randint(0, max(0, len(arrays[name]) - 1))] if arrays[name].ndim else arrays[name]
        )
    return pack(content)


def mat_of_dimensions(rng: Random) -> bytes:
    """Write a MATLAB file whose array, of numbers or of cells, holds no value and states any dimensions."""
    empty = np.zeros((0, 0, 0), rng.choice(["f8", "O"]))
    data = bytearray(mat_bytes({"x": empty}))
    for at in (MAT_SIZES, MAT_SIZES + 4, MAT_SIZES + 8):
        data[at : at + 4] = rng.choice([0, 1, 2**16, 2**31 - 1]).to_bytes(4, "little")
    return bytes(data)


def mutate_mat(data: bytes, rng: Random) -> bytes:
    """Mutate a MATLAB file, by its bytes or by what is stored in it."""
    if rng.random() < 0.6:
        return raw.mutate(data, rng)
    if rng.random() < 0.2:
        return mat_of_dimensions(rng)
    cells = np.empty(rng.choice([0, 1, 4]), dtype=object)
    for at in range(len(cells)):
        cells[at] = strange(rng)
    values: list[Any] = [cells, strange(rng), {"a": np.ones(3)}, "text", np.array([1 + 2j]), cells.reshape(1, -1)]
    stored = {
        name: rng.choice(values)
        for name in rng.sample(["x", "y", "X_train", "labels", "data", "z"], rng.choice([0, 1, 2, 3]))
    }
    try:
        return mat_bytes(stored, format=rng.choice(["4", "5", "5"]), do_compression=rng.random() < 0.4)
    except Exception:  # noqa: BLE001  what cannot be stored is no case; the bytes are
        return raw.mutate(data, rng)
