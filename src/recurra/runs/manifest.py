"""The manifest of a run folder: the SHA-256 sum of every file that was written, and of the manifest itself."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from recurra.documents import read_toml
from recurra.errors import RunError
from recurra.files import is_folder, path_exists, write_whole
from recurra.formatting import abbreviate

MANIFEST = "manifest.json"
MAX_BYTES = 2**20
"""Of a manifest, which names a few files."""
MAX_NAME_BYTES = 255
"""Of the name of a file: what file systems allow."""
EARLIER = "it was begun by an earlier version of Recurra; finish it with that one, or train again"


def sums(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Give the SHA-256 sum of each of these files of a folder; raises `RunError` for one that cannot be read."""
    return {name: _sum(folder / name) for name in names}


def check_sums(folder: Path, files: Mapping[str, str]) -> None:
    """Check files of a folder against their sums; raises `RunError`, which names the file, at the first that is not as it was."""
    for name, expected in files.items():
        if not (folder / name).is_file():
            raise RunError(f"{folder / name}: is missing; restore it from a copy, or train again")
        if _sum(folder / name) != expected:
            raise RunError(f"{folder / name}: is damaged or was changed (its SHA-256 sum is not the one written down)")


def write_manifest(folder: Path, names: Iterable[str]) -> None:
    """Write the manifest, which makes a run folder whole; it has to be the last file written."""
    write_whole(folder / MANIFEST, _render(sums(folder, names)))


def drop_manifest(folder: Path) -> None:
    """Say that a run folder is being changed: without a manifest it is not whole."""
    (folder / MANIFEST).unlink(missing_ok=True)


def check_manifest(folder: Path) -> list[str]:
    """Check every file of a run folder against its sum and give their names.

    Raises `RunError`, which names the file, when the folder is no whole run or anything in it was changed or damaged.
    """
    path = folder / MANIFEST
    if not is_folder(folder):
        found = "it is a file" if path_exists(folder) else "there is no such folder"
        raise RunError(f"{folder}: expected a run folder, which `recurra train` makes; {found}")
    if not path.is_file():
        if (folder / "checkpoint").is_dir():
            if _is_of_format_1(folder):
                raise RunError(f"{folder}: its training has not ended; {EARLIER}")
            raise RunError(f"{folder}: its training has not ended; go on with `recurra train --resume {folder}`")
        raise RunError(f"{folder}: expected a run folder, which `recurra train` makes; it has no {MANIFEST}")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        content = path.read_bytes()
        files = dict(json.loads(content)["files"])
        whole = content == _render(files) and all(isinstance(sum_, str) for sum_ in files.values())
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        whole, files = False, {}
    if not whole:
        raise RunError(f"{path}: is damaged; restore the run folder from a copy, or train again")
    for name in files:
        _check_name(folder, name)
    check_sums(folder, files)
    return list(files)


def _check_name(folder: Path, name: str) -> None:
    """Raise `RunError` for the name of a file that is, or may lead, outside of the folder."""
    plain = name not in ("", ".", "..") and not re.search(r"[/\\:\x00-\x1f]", name)
    if not plain or len(os.fsencode(name)) > MAX_NAME_BYTES:
        raise RunError(
            f"{folder / MANIFEST}: expected the name of a file in the folder, got {abbreviate(name[:MAX_NAME_BYTES])}"
        )
    path = folder / name
    # Not Path.resolve: before Python 3.13 it raises RuntimeError for a link that leads to itself.
    if path.is_symlink() and os.path.dirname(os.path.realpath(path)) != os.path.realpath(folder):  # noqa: PTH120
        raise RunError(f"{path}: leads out of the run folder; put the file itself there")


def _is_of_format_1(folder: Path) -> bool:
    """Tell whether config.toml is one of format 1, which does not say so; of one that cannot be read a resumption says more."""
    try:
        return read_toml(folder / "config.toml").get("format", 1) == 1
    except RunError:
        return False


def _render(files: dict[str, str]) -> bytes:
    """Give the only bytes that a manifest of these files can have."""
    listing = json.dumps(files, ensure_ascii=False, sort_keys=True)
    own = hashlib.sha256(listing.encode()).hexdigest()
    return (json.dumps({"files": files, "sha256": own}, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from None
