"""Mutation of compressed files and archives."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
from functools import partial
from random import Random

from tools.fuzz.mutation import raw

NAMES = [
    "",
    "a\nb.csv",
    "../x.csv",
    "/etc/x.csv",
    "a" * 300 + ".csv",
    "漢.csv",
    ".hidden",
    "x/",
    "x.csv\x00y",
    "x.zip",
    "x.gz",
    "README",
    "a/" * 200 + "x.csv",
    "\udcff.csv",
    "con.csv ",
]
"""Names of members; one of them has no name."""
COMPRESSED = [".gz", ".xz", ".bz2", ".zst"]
ARCHIVES = [".zip", ".tar", ".tar.gz", ".tgz"]
COMPRESSIBLE_BYTES = 30_000_000
"""What a small file of zeros unfolds to."""


def compress(data: bytes, suffix: str) -> bytes:
    """Compress as a suffix says."""
    if suffix == ".zst":
        import zstandard

        return zstandard.ZstdCompressor().compress(data)
    return {".gz": partial(gzip.compress, mtime=0), ".xz": lzma.compress, ".bz2": bz2.compress}[suffix](data)


def archive(members: list[tuple[str, bytes]], suffix: str) -> bytes:
    """Pack members as a suffix says, under any names."""
    made = io.BytesIO()
    if suffix == ".zip":
        with warnings.catch_warnings(), zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            warnings.simplefilter("ignore")  # two members of one name are meant
            for name, data in members:
                file.writestr(zipfile.ZipInfo(name.encode("utf-8", "replace").decode() or "x"), data)
        return made.getvalue()
    with tarfile.open(fileobj=made, mode="w") as file:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return made.getvalue() if suffix == ".tar" else gzip.compress(made.getvalue(), mtime=0)


def mutate_zip(data: bytes, rng: Random) -> bytes:
    """Change fields of a zip archive's records: version, flags, method, sizes, the lengths of names; or any bytes."""
    how = rng.random()
    if how < 0.4:
        return raw.mutate(data, rng)
    changed = bytearray(data)
    for signature, fields in ((b"PK\x01\x02", [4, 6, 8, 10, 16, 20, 24, 28, 30, 32, 36, 42]), (b"PK\x03\x04", [4, 6, 8, 14, 18, 22, 26, 28]), (b"PK\x05\x06", [4, 8, 10, 12, 16, 20])):  # fmt: skip
        at = data.find(signature)
        if at >= 0 and rng.random() < 0.6:
            field = at + rng.choice(fields)
            value = rng.choice([0, 1, 8, 9, 12, 14, 20, 45, 63, 99, 255, 0x800, 0xFFFF])
            if field + 2 <= len(changed):
                struct.pack_into("<H", changed, field, value)
    return bytes(changed)


def wrap(name: str, data: bytes, rng: Random) -> tuple[str, bytes]:
    """Compress or pack a file in ways that go wrong: cut off, twice, under odd names, with a bomb beside it."""
    if rng.random() < 0.5:
        suffix = rng.choice(COMPRESSED)
        packed = compress(data, suffix)
        if rng.random() < 0.2:
            packed = compress(packed, suffix)
        elif rng.random() < 0.1:
            packed = compress(b"\x00" * COMPRESSIBLE_BYTES, suffix)
        elif rng.random() < 0.3:
            packed += rng.choice([packed, b"\x00" * 10, b"x", packed[: len(packed) // 2]])
        return name + suffix, raw.mutate(packed, rng) if rng.random() < 0.6 else packed
    suffix = rng.choice(ARCHIVES)
    members = [(rng.choice([name, *NAMES]), data)]
    if rng.random() < 0.5:
        members += [
            (rng.choice([f"{n}-{name}", *NAMES]), rng.choice([data, b"", b"\x00\xff" * 50]))
            for n in range(rng.choice([1, 2, 200]))
        ]
    if rng.random() < 0.1:
        members.append((f"bomb-{name}", b"a,b\n" * (COMPRESSIBLE_BYTES // 4)))
    packed = archive(members, suffix)
    if rng.random() < 0.15:
        packed = archive([(f"inner{suffix}", packed)], suffix)
    if rng.random() < 0.5:
        packed = mutate_zip(packed, rng) if suffix == ".zip" else raw.mutate(packed, rng)
    return name + suffix, packed
