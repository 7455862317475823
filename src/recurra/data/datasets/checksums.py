"""SHA-256 sums of files, compressed files and archives, remembered so that a file is read for its sum only once."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, TypeVar

from recurra.data.datasets.registry import Dataset, File, manifest_digest
from recurra.errors import DataError, RunError
from recurra.files import write_whole

T = TypeVar("T")
CHUNK_BYTES = 1 << 20
COMPRESSIONS = (".xz", ".gz")
"""A file may lie here compressed, under its name and one of these."""


class Checker:
    """Checks the files of one folder against a dataset's sums.

    What was read is remembered in `memory` by size and time of change, as long as that folder can be written: the
    second check of an unchanged file reads nothing.
    """

    def __init__(self, dataset: Dataset, folder: Path, memory: Path, hint: str) -> None:
        key = hashlib.sha256(f"{dataset.name}\n{folder.absolute()}".encode()).hexdigest()[:24]
        self.dataset, self.folder, self.hint = dataset, folder, hint
        self._record = memory / "checked" / f"{dataset.name}-{key}.json"
        self._known = self._load_record()
        self._changed = False

    def check_file(self, path: Path, file: File) -> None:
        """Raise `DataError`, naming both sums, unless `path` (or what it unpacks to) holds the file's original bytes."""
        stamp = _stamp(path)
        actual = self._known_sum(path, stamp)
        if actual is None:
            actual = digest(path, unpack=path.name != Path(file.path).name)
            self._remember(path, stamp, actual)
        if actual != file.sha256:
            raise self._mismatch(path, file.sha256, actual)

    def check_archive(self, path: Path) -> None:
        """Raise `DataError` unless the tar file at `path` holds the dataset's archived files, all of them and nothing else."""
        stamp = _stamp(path)
        if self._known_sum(path, stamp) == self.dataset.manifest:
            return
        expected = {file.path: file.sha256 for file in self.dataset.files if file.archived}
        actual = member_digests(path)
        for name in sorted(expected.keys() | actual.keys()):
            if name not in actual:
                raise DataError(f"expected the file {name} in the archive, found none", source=path, hint=self.hint)
            if name not in expected:
                raise DataError(f"the archive holds {name}, which is not of the set", source=path, hint=self.hint)
            if actual[name] != expected[name]:
                raise self._mismatch(f"{path}: {name}", expected[name], actual[name])
        self._remember(path, stamp, manifest_digest(actual))

    def save(self) -> None:
        """Write down what was learned; a cache folder that cannot be written costs time at the next check, no more."""
        if not self._changed:
            return
        try:
            self._record.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._record, json.dumps(self._known, ensure_ascii=False, indent=1))
        except (OSError, RunError):
            return

    def _mismatch(self, source: object, expected: str, actual: str) -> DataError:
        return DataError(f"expected the SHA-256 {expected}, got {actual}", source=source, hint=self.hint)

    def _load_record(self) -> dict[str, list[int | str]]:
        try:
            known = json.loads(self._record.read_bytes())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _key(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _known_sum(self, path: Path, stamp: list[int]) -> str | None:
        entry = self._known.get(self._key(path))
        if isinstance(entry, list) and len(entry) == 3 and entry[:2] == stamp:
            return str(entry[2])
        return None

    def _remember(self, path: Path, stamp: list[int], actual: str) -> None:
        self._known[self._key(path)] = [*stamp, actual]
        self._changed = True


def _stamp(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror or error}", source=path) from None
    return [status.st_size, status.st_mtime_ns]


def _stream_digest(stream: IO[bytes] | gzip.GzipFile | lzma.LZMAFile) -> str:
    sum_ = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        sum_.update(chunk)
    return sum_.hexdigest()


def digest(path: Path, *, unpack: bool = False) -> str:
    """The SHA-256 of a file's bytes, or with `unpack` of what the xz or gzip file holds; `DataError` if it cannot be read."""
    try:
        if unpack and path.suffix == ".gz":
            with gzip.open(path) as stream:
                return _stream_digest(stream)
        with lzma.open(path) if unpack else path.open("rb") as stream:
            return _stream_digest(stream)
    except (lzma.LZMAError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        kind = "gzip" if path.suffix == ".gz" else "xz"
        raise DataError(f"damaged {kind} file: {error}", source=path, hint="get it again") from None
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror or error}", source=path) from None


def member_digests(path: Path) -> dict[str, str]:
    """The SHA-256 of every file in a tar archive, compressed in any way that Python knows, by its name in there."""
    return dict(_members(path, _stream_digest))


def member_contents(path: Path, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the bytes of those files in a tar archive whose names are asked for."""
    return _members(path, lambda stream: stream.read(), names)


def _members(
    path: Path, read: Callable[[IO[bytes]], T], names: Collection[str] | None = None
) -> Iterator[tuple[str, T]]:
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                wanted = member.isfile() and (names is None or name in names)
                stream = archive.extractfile(member) if wanted else None
                if stream is not None:
                    yield name, read(stream)
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise DataError(f"damaged archive: {error}", source=path, hint="get it again") from None
    except OSError as error:
        raise DataError(f"cannot read it: {error.strerror or error}", source=path) from None
