"""Names of files, and writing files so that a reader never sees half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from recurra.errors import RunError

_PART = ".part"
_STDERR = threading.Lock()
"""Standard error is the process's: one thread at a time turns it away."""


def temporary_path(path: Path) -> Path:
    """Give a name in the same folder, used by nobody, for what becomes `path` when it is whole.

    >>> name = temporary_path(Path("runs/novel/report.html")).name
    >>> name.startswith(".report.html."), name.endswith(".part")
    (True, True)
    """
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}{_PART}")


def is_partial(path: Path) -> bool:
    """Tell whether a file is what a writer that was killed left behind.

    >>> is_partial(temporary_path(Path("report.html"))), is_partial(Path("report.html"))
    (True, False)
    """
    return path.name.startswith(".") and path.suffix == _PART


def is_folder(path: Path) -> bool:
    """Tell whether a path leads to a folder; what can be no name, being too long, say, leads nowhere.

    >>> is_folder(Path(".")), is_folder(Path("a" * 5000))
    (True, False)
    """
    return os.path.isdir(path)  # noqa: PTH112  Path's own raises an error


def is_file(path: Path) -> bool:
    """Tell whether a path leads to a file; see `is_folder`."""
    return os.path.isfile(path)  # noqa: PTH113


def path_exists(path: Path) -> bool:
    """Tell whether a path leads anywhere; see `is_folder`."""
    return os.path.exists(path)  # noqa: PTH110


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file beside its target, flush it to disk, and rename it; the old file, if any, stays until then.

    Raises `RunError` where that cannot be done; its cause is the `OSError`, if there was one.
    """
    data = content.encode() if isinstance(content, str) else content
    if not path.name:
        raise RunError(f"{path}: cannot be written: it is a folder")
    temporary = temporary_path(path)
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105
        _sync_folder(path.parent)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def _sync_folder(folder: Path) -> None:
    """Make a renaming outlast a loss of power, on systems where a folder can be flushed."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def expand_home(name: str) -> Path:
    """Give a path with the folder of a user in the place of `~` or `~name`; as in a shell, what is no user is a name.

    >>> expand_home("~/texts") == Path.home() / "texts", expand_home("~nobody-has-this-name/x").parts[0]
    (True, '~nobody-has-this-name')
    """
    return Path(os.path.expanduser(name))  # noqa: PTH111  Path's own raises RuntimeError for what is no user


@contextlib.contextmanager
def without_stderr() -> Iterator[None]:
    """Keep off standard error what a library writes there by itself, on top of the error that it gives."""
    with _STDERR:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


def is_end(name: str, path: str) -> bool:
    """Tell whether a name is that of a file, or the end of its path.

    >>> is_end("cats/1.jpg", "a.zip/cats/1.jpg"), is_end("cats/1.jpg", "a.zip/dogs/1.jpg"), is_end("./1.jpg", "1.jpg")
    (True, False, True)
    """
    parts = PurePosixPath(name).parts
    return PurePosixPath(path).parts[-len(parts) :] == parts
