"""Mutation of bytes, whatever they are."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

PIECES = [
    b"\x00", b"\r", b"\n", b"\r\n", b"\n\n", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3", b"\xf4\x90\x80\x80", b"\x1a", b"\xe2\x80\xa8",
    b"\x1f\x8b", b"PK\x03\x04", b"\x93NUMPY", b"PAR1", b'"', b"'", b",", b"\t", b"{", b"[", b"(", b"\x80\x81\x82" * 9,
]  # fmt: skip
WHOLE_NUMBERS = [0, 1, 2, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1]  # fmt: skip

Mutation = Callable[[bytes, Random], bytes]


def _place(data: bytes, rng: Random) -> int:
    """Choose a place; headers and trailers are as likely as all that lies between."""
    near = min(len(data), 64)
    return rng.choice([rng.randint(0, near), len(data) - rng.randint(0, near), rng.randint(0, len(data))])


def flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if changed:
            changed[min(_place(data, rng), len(changed) - 1)] ^= 1 << rng.randint(0, 7)
    return bytes(changed)


def overwrite_number(data: bytes, rng: Random) -> bytes:
    """Write an extreme integer over 1, 2, 4 or 8 bytes, in either order of bytes."""
    size = rng.choice([1, 2, 4, 8])
    number = rng.choice(WHOLE_NUMBERS) % 2 ** (8 * size)
    at = _place(data, rng)
    return data[:at] + number.to_bytes(size, rng.choice(["little", "big"])) + data[at + size :]


def overwrite_float(data: bytes, rng: Random) -> bytes:
    at, kind = _place(data, rng), rng.choice(["<f", "<d", ">f", ">d"])
    value = rng.choice([float("nan"), float("inf"), 1e30, -1e30, 1e-40, 0.0])
    packed = struct.pack(kind, value)
    return data[:at] + packed + data[at + len(packed) :]


def cut_off(data: bytes, rng: Random) -> bytes:
    return data[: _place(data, rng)]


def delete(data: bytes, rng: Random) -> bytes:
    first, last = sorted([_place(data, rng), _place(data, rng)])
    return data[:first] + data[last:]


def repeat(data: bytes, rng: Random) -> bytes:
    first, last = sorted([_place(data, rng), _place(data, rng)])
    times = rng.choice([2, 2, 3, 50])
    part = data[first:last][:4000]
    return data[:first] + part * times + data[last:]


def insert(data: bytes, rng: Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice([*PIECES, rng.randbytes(rng.choice([1, 4, 40]))]) + data[at:]


def swap(data: bytes, rng: Random) -> bytes:
    a, b, c = sorted(_place(data, rng) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def replace_all(data: bytes, rng: Random) -> bytes:
    """Replace every occurrence of a byte: line ends by CR alone, delimiters by others."""
    if not data:
        return data
    found = rng.choice([b"\n", b",", b" ", b'"', data[at : at + 1] if (at := rng.randrange(len(data))) >= 0 else b"\n"])
    return data.replace(found, rng.choice([b"\r", b"\r\n", b"", b"\x00", b"\xc2\x85", b"\n\n", b";", b"\t"]))


def something_else(rng: Random) -> bytes:
    return rng.choice([b"", b"\n", b"\x00" * 100, b"\xff\xfe", rng.randbytes(300), b" " * 1000, b"\n" * 1000])


MUTATIONS: list[Mutation] = [
    flip, flip, overwrite_number, overwrite_number, overwrite_float, cut_off, delete, repeat, insert, insert, swap, replace_all,
]  # fmt: skip


def mutate(data: bytes, rng: Random) -> bytes:
    """Mutate bytes once or a few times."""
    if rng.random() < 0.02:
        return something_else(rng)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(MUTATIONS)(data, rng)
    return data
