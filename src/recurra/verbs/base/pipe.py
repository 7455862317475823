"""Standard input, whose lines are answered as soon as they are there, and together where several are."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO, TypeVar

from recurra.errors import DataError

T = TypeVar("T")
CHUNK = 1 << 16
LINES_PER_BATCH = 256
"""Lines that are answered together at most."""


class Pipe:
    """Lines of bytes with their ends, each as soon as it is there.

    >>> import io
    >>> pipe = Pipe(io.BytesIO(b"to be\\nor not"))
    >>> pipe.waits(), next(pipe), pipe.waits(), list(pipe)
    (False, b'to be\\n', False, [b'or not'])
    >>> list(Pipe(io.BytesIO(b"\\0\\1")).pieces())
    [b'\\x00\\x01']
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: list[bytes] = []  # that are there, the next one last
        self._rest: list[bytes] = []  # pieces of the line that has not ended
        try:
            self._file: int | None = stream.fileno()
        except OSError:
            self._file = None  # bytes in memory

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if line := self.readline():
            return line
        raise StopIteration

    def readline(self) -> bytes:
        """Wait for a line; gives none at the end."""
        if self._file is None:
            return self._stream.readline()
        while not self._lines:
            if not self._take():
                line, self._rest = b"".join(self._rest), []
                return line
        return self._lines.pop()

    def read(self) -> bytes:
        """Wait for the end; gives all that is left."""
        if self._file is None:
            return self._stream.read()
        parts = self._lines[::-1] + self._rest
        self._lines, self._rest = [], []
        while chunk := self._chunk():
            parts.append(chunk)
        return b"".join(parts)

    def pieces(self) -> Iterator[bytes]:
        """Give the bytes as they come, in pieces of any size."""
        yield from (piece for piece in [*self._lines[::-1], *self._rest] if piece)
        self._lines, self._rest = [], []
        while chunk := self._stream.read(CHUNK) if self._file is None else self._chunk():
            yield chunk

    def waits(self) -> bool:
        """Whether a whole line is there already. Of bytes in memory, and where a pipe cannot be asked, it is not known: no."""
        if self._file is None or os.name == "nt":
            return bool(self._lines)
        while not self._lines and select.select([self._file], [], [], 0)[0]:
            if not self._take():
                return False
        return bool(self._lines)

    def _take(self) -> bool:
        """Read on once, and part what came into lines; gives whether there was anything."""
        if not (chunk := self._chunk()):
            return False
        *ended, open_end = chunk.split(b"\n")
        if ended:
            ended[0] = b"".join([*self._rest, ended[0]])
            self._lines = [line + b"\n" for line in reversed(ended)]
            self._rest = []
        self._rest.append(open_end)
        return True

    def _chunk(self) -> bytes:
        assert self._file is not None
        try:
            return os.read(self._file, CHUNK)
        except OSError as error:  # a folder, or a disk that fails
            raise DataError(f"standard input: cannot be read ({error.strerror})") from None


def standard_pipe() -> Pipe:
    """Give standard input; raises `DataError` where it is closed."""
    from recurra.text.read.sources import standard_input  # slow to load, and `recurra --help` must not wait

    return Pipe(standard_input())


def together(items: Iterable[T], most: int, waits: Callable[[], bool] | None = None) -> Iterator[list[T]]:
    """Give items in lists of at most so many; with `waits`, none is held back while the next one is not there yet.

    What was read before an error comes before it.

    >>> list(together("abc", 2)), list(together("abc", 2, lambda: False))
    ([['a', 'b'], ['c']], [['a'], ['b'], ['c']])
    """
    rest = iter(items)
    while True:
        batch: list[T] = []
        try:
            for item in islice(rest, most):
                batch.append(item)
                if waits is not None and not waits():
                    break
        except Exception:
            if batch:
                yield batch
            raise
        if not batch:
            return
        yield batch
