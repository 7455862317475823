"""Where a named dataset lies on this machine, and how it gets here."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recurra.data.datasets.builtin import GENERATORS
from recurra.data.datasets.checksums import COMPRESSIONS, Checker, digest, member_contents
from recurra.data.datasets.download import FREE_SPACE_HINT, DownloadProgress, download_file
from recurra.data.datasets.registry import Dataset, File, Split, get, names
from recurra.errors import DataError, UsageError
from recurra.files import expand_home, temporary_path

Where = Literal["data folder", "cache", "built in"]


@dataclass(frozen=True)
class DatasetFiles:
    """The checked files of a dataset. Files that have no split of their own are in `train`."""

    name: str
    where: Where
    folder: Path
    train: list[Path]
    valid: list[Path]
    test: list[Path]
    settings: dict[str, Any]

    @property
    def paths(self) -> list[Path]:
        """All files: training, validation, test."""
        return [*self.train, *self.valid, *self.test]


@dataclass(frozen=True)
class FoundDataset:
    """A folder in which all files of a dataset were found: one path per file, or an archive and the files beside it."""

    where: Where
    folder: Path
    files: dict[File, Path]
    archive: Path | None = None


def cache_folder() -> Path:
    """The folder for what can be had again: RECURRA_CACHE, or `recurra` in the platform's folder for caches."""
    if own := os.environ.get("RECURRA_CACHE"):
        return expand_home(own)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if Path(base).is_absolute():
        return Path(base) / "recurra"
    try:
        home = Path.home()
    except RuntimeError:
        raise UsageError(
            "cannot tell the home folder, hence the cache folder; set the environment variable RECURRA_CACHE"
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "recurra"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "recurra" / "cache"
    return home / ".cache" / "recurra"


def data_folder() -> Path | None:
    """The folder that RECURRA_DATA names, looked in before the cache; raises `UsageError` where it is not there."""
    named = os.environ.get("RECURRA_DATA")
    if not named:
        return None
    folder = expand_home(named)
    if not folder.is_dir():
        raise UsageError(
            f"RECURRA_DATA: expected a folder, got {named!r}, which is none; make it, or unset the variable"
        )
    return folder


def _candidate_folders(dataset: Dataset) -> list[tuple[Where, Path]]:
    own = data_folder()
    in_cache: tuple[Where, Path] = ("cache", cache_folder() / "data" / dataset.name)
    return [("data folder", own / dataset.folder), in_cache] if own else [in_cache]


def find(dataset: Dataset) -> FoundDataset | None:
    """Where the files of a dataset lie, by their names alone: nothing is read, generated or downloaded."""
    for where, folder in _candidate_folders(dataset):
        found: dict[File, Path] = {}
        for file in dataset.used:
            path = folder / file.path
            there = (path.with_name(path.name + suffix) for suffix in ("", *COMPRESSIONS))
            present = next((candidate for candidate in there if candidate.is_file()), None)
            if present is None:
                break
            found[file] = present
        if found and len(found) == len(dataset.used):
            return FoundDataset(where, folder, found)
        if dataset.archive and (folder / dataset.archive).is_file():
            unarchived = {file: folder / file.path for file in dataset.used if not file.archived}
            if all(path.is_file() for path in unarchived.values()):
                return FoundDataset(where, folder, unarchived, folder / dataset.archive)
    return None


def locate(name: str | Dataset, *, download: bool = False) -> DatasetFiles:
    """Find a named dataset: in the folder that RECURRA_DATA names, then in the cache folder; built-in data is generated.

    The SHA-256 of each file is checked, once for as long as the file does not change. With `download`, what is not
    here is downloaded. Raises `UsageError` for an unknown name, and `DataError` when the data is not here (with a hint on how
    to get it) or is not what its source published (saying both sums).

    >>> located = locate("python-docs")
    >>> [path.name for path in located.train], located.valid
    (['topics.txt'], [])
    """
    dataset = get(name) if isinstance(name, str) else name
    if dataset.builtin:
        folder = cache_folder() / "data" / dataset.name
        generated = GENERATORS[dataset.builtin](folder)
        splits: dict[Split, list[Path]] = {"train": [], "valid": [], "test": []}
        for path, split in generated:
            splits[split or "train"].append(path)
        return DatasetFiles(dataset.name, "built in", generated[0][0].parent, **splits, settings=dict(dataset.settings))
    found = find(dataset)
    if found is not None:
        return _check_files(dataset, found)
    if download:
        return _download(dataset, None)
    raise _not_here_error(dataset)


def _check_files(dataset: Dataset, found: FoundDataset) -> DatasetFiles:
    again = f"run `recurra data get {dataset.name}` again"
    hint = again if found.where == "cache" and dataset.offered else "put the file that the source published there"
    checker = Checker(dataset, found.folder, cache_folder(), hint)
    splits: dict[Split, list[Path]] = {"train": [], "valid": [], "test": []}
    try:
        if found.archive:
            checker.check_archive(found.archive)
            if any(file.split or not file.used for file in dataset.files):
                return _unpack(dataset, found.archive, found.files)
            splits["train"].append(found.archive)
        for file, path in found.files.items():
            checker.check_file(path, file)
            splits[file.split or "train"].append(path)
    finally:
        checker.save()
    return DatasetFiles(dataset.name, found.where, found.folder, **splits, settings=dict(dataset.settings))


def _unpack(dataset: Dataset, archive: Path, unarchived: dict[File, Path]) -> DatasetFiles:
    """Unpack a checked archive, whose files are of different splits, into the cache folder, unless it is there and right.

    unarchived: the files that are not in it, which are copied.
    """
    folder = cache_folder() / "data" / dataset.name
    found = FoundDataset("cache", folder, {file: folder / file.path for file in dataset.used})
    if all(path.is_file() for path in found.files.values()):
        with contextlib.suppress(DataError):
            return _check_files(dataset, found)
    try:
        copied = ((file.path, path.read_bytes()) for file, path in unarchived.items())
        members = member_contents(archive, [file.path for file in dataset.used if file.archived])
        for name, content in itertools.chain(members, copied):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary = temporary_path(target)
            temporary.write_bytes(content)
            temporary.replace(target)
    except OSError as error:
        raise DataError(
            f"cannot unpack {archive.name} into {folder}: {error.strerror or error}",
            source=dataset.name,
            hint=FREE_SPACE_HINT,
        ) from None
    return _check_files(dataset, found)


def _not_here_error(dataset: Dataset) -> DataError:
    looked = []
    for _, folder in _candidate_folders(dataset):
        missing = [file.path for file in dataset.used if not (folder / file.path).is_file()]
        partly = f" ({missing[0]} is missing)" if len(missing) < len(dataset.used) else ""
        looked.append(f"{folder}{partly}")
    return DataError(
        f"not on this machine: looked in {' and '.join(looked)}",
        source=dataset.name,
        hint=f"run `recurra data get {dataset.name}`" if dataset.offered else dataset.obtain,
    )


def download(name: str | Dataset, *, report: DownloadProgress | None = None) -> DatasetFiles:
    """Download a dataset into the cache folder, unless it is here already, and check every file's SHA-256.

    A file goes to a temporary name first and gets its own when its sum is right. Files that are there and right are
    kept, so a download that broke off continues with the next file. Raises `DataError` when the dataset is not offered
    for download, the source cannot be reached or sends something else; `MissingExtraError` without pooch.
    """
    return _download(get(name) if isinstance(name, str) else name, report)


def _download(dataset: Dataset, report: DownloadProgress | None) -> DatasetFiles:
    found = find(dataset)
    if dataset.builtin or (found is not None and found.where == "data folder"):
        return locate(dataset)
    if not dataset.offered:
        if found is not None:
            return locate(dataset)
        raise DataError("not offered for download", source=dataset.name, hint=dataset.obtain)
    folder = cache_folder() / "data" / dataset.name
    for file in dataset.used:
        target = folder / file.path
        if target.is_file() and digest(target) == file.sha256:
            continue
        there = next(parent for parent in target.parents if parent.exists())
        try:
            download_file(dataset, file, target, report)
        except BaseException:
            _remove_empty(target.parent, keep=there)
            raise
    return locate(dataset)


def _remove_empty(folder: Path, keep: Path) -> None:
    while folder != keep and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def resolve_files(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Give the files that a user names to measure on, and the settings they are to be read with.

    The name of a data set stands for its test files, or all of it where it has none; files stand for themselves.
    """
    name = arguments[0]
    if len(arguments) == 1 and name in names() and not Path(name).exists():
        found = locate(name)
        return [str(path) for path in found.test or found.paths], found.settings
    return list(arguments), {}
