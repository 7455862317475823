"""Compressed files and archives: bytes in, bytes out; nothing is written to disk, so no archive can write anywhere."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from recurra.errors import DataError, RecurraError, as_data_error, error_reason, require
from recurra.text.read.allowance import Allowance
from recurra.text.read.decode import file_signature

COMPRESSIONS = (".gz", ".xz", ".bz2", ".zst")
ARCHIVES = (".tar", ".zip")
_SHORT_SUFFIXES = {".tgz": ".tar.gz", ".txz": ".tar.xz", ".tbz2": ".tar.bz2", ".tbz": ".tar.bz2", ".tzst": ".tar.zst"}
# Bytes fed at a time. They unfold to 128 MiB at most (Zstandard, 32,768 times as much) before anyone can say stop; and what
# is left after a frame is copied, so small frames need small pieces.
_PIECE_BYTES = 1 << 12


def layers(name: str) -> list[str]:
    """List the suffixes of a file that say how to unpack it, the outermost last, after the one of its content.

    >>> layers("poems.JSON.xz"), layers("poems.tgz"), layers("notes")
    (['.json', '.xz'], ['.tar', '.gz'], [''])
    """
    path = PurePosixPath(name.lower())
    if path.suffix in _SHORT_SUFFIXES:
        path = path.with_suffix(_SHORT_SUFFIXES[path.suffix])
    found: list[str] = []
    while path.suffix in COMPRESSIONS:
        found.insert(0, path.suffix)
        path = path.with_suffix("")
    return [path.suffix, *found]


def is_archive(name: str) -> bool:
    """Tell by its name whether a file is an archive of others, compressed or not.

    >>> is_archive("photos.tar.XZ"), is_archive("photos.tgz"), is_archive("photos.gz")
    (True, True, False)
    """
    return layers(name)[0] in ARCHIVES


def base_name(name: str) -> str:
    """Give the name of a file alone, in small letters, without its folders and its compressions.

    >>> base_name("mnist/Train-images-idx3-ubyte.gz"), base_name("gestures/GunPoint_TRAIN.ts")
    ('train-images-idx3-ubyte', 'gunpoint_train.ts')
    """
    path = PurePosixPath(name.lower().replace("\\", "/"))
    while path.suffix in COMPRESSIONS:
        path = path.with_suffix("")
    return path.name


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Say whether a path is hidden, or is what macOS adds to archives."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def decompress(data: bytes, suffix: str, source: str, allowance: Allowance | None = None) -> bytes:
    """Undo one compression, over all its frames, checking that the last one is complete.

    Raises `DataError` when the bytes are cut off, damaged or not in this format, or unfold to more than is allowed.

    >>> decompress(bz2.compress(b"one ") + bz2.compress(b"two"), ".bz2", "a.txt.bz2")
    b'one two'
    """
    make = _decoder(suffix)
    if not data:
        raise DataError("is empty", source=source)
    allowance = allowance or Allowance()
    # Joining a list of pieces would need room for all of them twice.
    view, unfolded, position = memoryview(data), io.BytesIO(), 0
    decoder = make()
    try:
        while position < len(data):
            if decoder.eof:
                if data[position] == 0 and not any(view[position:]):
                    break  # padding, as tapes and xz have it
                decoder = make()
            piece = view[position : position + _PIECE_BYTES]
            more = decoder.decompress(piece)
            allowance.check(unfolded.tell() + len(more), source)
            unfolded.write(more)
            position += len(piece)
            if decoder.eof:
                position -= len(decoder.unused_data)
    except RecurraError:
        raise
    except Exception as error:  # noqa: BLE001 (each library has errors of its own)
        raise _damaged(data, suffix, source, error) from None
    if not decoder.eof:
        raise _damaged(data, suffix, source, EOFError(f"it ends after {len(data)} bytes, before its end mark"))
    allowance.spend(unfolded.tell(), source)
    return unfolded.getvalue()


def members(
    data: bytes, suffix: str, source: str, allowance: Allowance | None = None
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name the files in an archive, sorted and without hidden ones, each with a function that reads it.

    Raises `DataError` when the archive is cut off or damaged; so may the function, for its file, and when that unfolds to
    more than is allowed.
    """
    if not data:
        raise DataError("is empty", source=source)
    try:
        found = _in_tar(data, source) if suffix == ".tar" else _in_zip(data, source)
    except RecurraError:
        raise
    except NotImplementedError as error:  # zipfile's word for a version that it does not know
        raise _not_unpacked(error, source) from None
    except Exception as error:  # noqa: BLE001 (zipfile and tarfile raise what they meet)
        raise _damaged(data, suffix, source, error) from None
    allowance = allowance or Allowance()
    for name in sorted(found, key=lambda name: PurePosixPath(name).parts):
        if not is_hidden(PurePosixPath(name).parts):
            yield name, _checked_reader(*found[name], suffix, f"{source}/{name}", allowance)


def _decoder(suffix: str) -> Callable[[], Any]:
    if suffix == ".gz":
        return lambda: zlib.decompressobj(wbits=31)
    if suffix == ".xz":
        return lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ)
    if suffix == ".bz2":
        return bz2.BZ2Decompressor
    zstandard = require("zstandard", "data", "a .zst file")
    return lambda: zstandard.ZstdDecompressor().decompressobj()


_Member = tuple[int, Callable[[], bytes]]  # the bytes that it adds to those there are, and what reads it


def _in_tar(data: bytes, source: str) -> dict[str, _Member]:
    archive = tarfile.TarFile(fileobj=io.BytesIO(data))
    found: dict[str, _Member] = {}
    for member in archive.getmembers():
        if member.isfile():
            # A later member of the same name replaces the earlier, as unpacking would.
            name = PurePosixPath(member.name).as_posix().lstrip("/")
            # The holes of a sparse file are the only bytes that are not in the archive.
            adds = member.size if member.issparse() else 0
            found[name] = adds, lambda member=member: _read_tar_member(archive, member)
    # tarfile takes a damaged header, or the end of the file, for the end of the archive.
    if data[archive.offset : archive.offset + tarfile.BLOCKSIZE] != bytes(tarfile.BLOCKSIZE):
        raise DataError(
            f"the .tar data is cut off or damaged at byte {min(archive.offset, len(data))}",
            source=source,
            hint="copy or download the file again",
        )
    return found


def _read_tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = archive.extractfile(member)
    content = stream.read() if stream is not None else b""
    if len(content) != member.size:
        raise EOFError("ends early")
    return content


def _in_zip(data: bytes, source: str) -> dict[str, _Member]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    if not all(info.filename for info in archive.infolist()):
        raise DataError("the archive has an entry without a name", source=source, hint="pack it again")
    return {
        info.filename.lstrip("/"): (info.file_size, lambda info=info: _read_zip_member(archive, info))
        for info in archive.infolist()
        if not info.is_dir()
    }


def _read_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Read a member, of which no more is kept than the size that is stated; that this is all is checked by its sum."""
    # ZipFile.read would unfold all there is before it cuts that off.
    content = io.BytesIO()
    with archive.open(info) as stream:
        while piece := stream.read(_PIECE_BYTES):
            content.write(piece)
    return content.getvalue()


def _checked_reader(
    adds: int, read: Callable[[], bytes], suffix: str, source: str, allowance: Allowance
) -> Callable[[], bytes]:
    def read_checked() -> bytes:
        allowance.spend(adds, source)
        with as_data_error(f"is damaged within the {suffix} archive", source=source):
            try:
                return read()
            except RuntimeError as error:  # zipfile's words for a password, an unknown method and an unknown version
                raise _not_unpacked(error, source) from None

    return read_checked


def _not_unpacked(error: RuntimeError, source: str) -> DataError:
    problem = "is encrypted" if "password" in str(error) else f"cannot be unpacked ({error_reason(error)})"
    return DataError(problem, source=source, hint="unpack the archive and name the folder")


def _damaged(data: bytes, suffix: str, source: str, error: Exception) -> DataError:
    known = file_signature(data)
    expected = {".gz": "gzip", ".xz": "an xz", ".bz2": "bzip2", ".zst": "Zstandard", ".tar": "tar", ".zip": "ZIP"}
    if known is not None and expected[suffix] in known[0]:
        # An archive that is cut off lacks its index, and fails in as many ways as one that is damaged.
        what = "cut off" if isinstance(error, EOFError) else "cut off or damaged" if suffix in ARCHIVES else "damaged"
        reason = error_reason(error)
        return DataError(
            f"the {suffix} data is {what} ({reason})", source=source, hint="copy or download the file again"
        )
    what = known[0] if known else "something else"
    return DataError(f"is no {suffix} file, whatever its name says: it holds {what}", source=source, hint="rename it")
