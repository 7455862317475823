"""One file of a dataset, from where it is published to this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from recurra.data.datasets.registry import Dataset, File
from recurra.errors import DataError, UsageError, require
from recurra.files import temporary_path

DownloadProgress = Callable[[str, int, int], None]
"""Told of a download: the file's path, bytes so far, bytes in all."""

FREE_SPACE_HINT = "free some space, or name another folder in the environment variable RECURRA_CACHE"
TIMEOUT_SECONDS = 30.0  # seconds without a byte before a download is given up


class _HashingWriter:
    """Takes what arrives: writes it, sums it, reports how far it is, and stops when there is more than there should be."""

    def __init__(self, stream: IO[bytes], file: File, report: DownloadProgress | None) -> None:
        self.sum, self.count = hashlib.sha256(), 0
        self._stream, self._file, self._report = stream, file, report

    def write(self, chunk: bytes) -> int:
        self.sum.update(chunk)
        self.count += len(chunk)
        if self.count > self._file.size:
            raise _TooLong
        if self._report:
            self._report(self._file.path, self.count, self._file.size)
        return self._stream.write(chunk)

    def flush(self) -> None:
        """The file is flushed once, when it is whole."""


class _TooLong(Exception):
    pass


def download_file(dataset: Dataset, file: File, target: Path, report: DownloadProgress | None) -> None:
    """Download one file, under another name until all of it is there and has the sum that it should have.

    Raises `DataError` where the source cannot be reached or sends something else, or the file cannot be written;
    `MissingExtraError` without pooch.
    """
    pooch = require("pooch", "data", "downloading a dataset")
    errors = require("requests.exceptions", "data", "downloading a dataset")
    address = dataset.address(file)
    if address is None:
        raise UsageError(f"the dataset {dataset.name} has no address for {file.path}")
    host = urlsplit(address).netloc
    again = f"run `recurra data get {dataset.name}` again"
    other = f"the source has changed, see {dataset.homepage}"
    temporary = temporary_path(target)
    responses: list[Any] = []  # pooch leaves them open when something goes wrong
    hooks = {"response": lambda response, **_: responses.append(response)}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as stream:
            sink = _HashingWriter(stream, file, report)
            pooch.HTTPDownloader(chunk_size=1 << 16, timeout=TIMEOUT_SECONDS, hooks=hooks)(address, sink, None)
            stream.flush()
            os.fsync(stream.fileno())
        if sink.sum.hexdigest() != file.sha256:
            raise DataError(
                f"expected the SHA-256 {file.sha256} and {file.size} bytes from {address},"
                f" got {sink.sum.hexdigest()} and {sink.count} bytes",
                source=dataset.name,
                hint=again if sink.count < file.size else other,
            )
        temporary.replace(target)
    except _TooLong:
        raise DataError(
            f"expected {file.size} bytes from {address}, got more", source=dataset.name, hint=other
        ) from None
    except errors.HTTPError as error:
        problem = f"{host} answered {error.response.status_code} {error.response.reason} to {address}"
        raise DataError(problem, source=dataset.name, hint=f"try later, or see {dataset.homepage}") from None
    except errors.Timeout:
        problem = f"{host} sent nothing for {TIMEOUT_SECONDS:.0f} s while {file.path} was downloaded"
        raise DataError(problem, source=dataset.name, hint=again) from None
    except errors.ChunkedEncodingError:
        raise DataError(f"the connection broke off within {file.path}", source=dataset.name, hint=again) from None
    except errors.RequestException as error:
        problem = f"cannot reach {host} to download {file.path} ({_reason(error)})"
        raise DataError(problem, source=dataset.name, hint=f"check the network connection, and {again}") from None
    except OSError as error:
        raise DataError(
            f"cannot write to {target.parent}: {error.strerror or error}",
            source=dataset.name,
            hint=FREE_SPACE_HINT,
        ) from None
    finally:
        for response in responses:
            response.close()
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _reason(error: BaseException) -> str:
    """What the operating system reported: requests wraps it several times over."""
    reason, inner = type(error).__name__, error.__context__
    while inner is not None:
        reason = getattr(inner, "strerror", None) or reason
        inner = inner.__context__
    return reason
