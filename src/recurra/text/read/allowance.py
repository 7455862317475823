"""How much a compressed file may unfold to: a few kilobytes can hold terabytes of nothing."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from recurra.errors import DataError, UsageError

LIMIT_VARIABLE = "RECURRA_UNPACK_LIMIT"
MEMORY_DIVISOR = 4
"""A file may unfold to one part in so many of the memory: what is read is held as bytes, as text and as numbers."""

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30}
_CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class Allowance:
    """The bytes that one file a user names may unfold to, with all its layers and members.

    The limit is a quarter of the memory of the machine, or of the container, unless RECURRA_UNPACK_LIMIT sets another
    one: bytes, or as in 500M and 20G. Raises `UsageError` where that is no number.

    >>> allowance = Allowance(limit=1000)
    >>> allowance.spend(600, "poems.zip/a.txt")
    >>> allowance.spend(600, "poems.zip/b.txt")
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: poems.zip/b.txt: unfolds to more than the 1,000 bytes (0.0 GiB) allowed to one file; if that
    is what it should hold, allow more with RECURRA_UNPACK_LIMIT=BYTES (or 20G, say), or unpack and divide it
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = unpack_limit() if limit is None else limit
        self.remaining = self.limit

    def check(self, count: int, source: str) -> None:
        """Raise `DataError` when so many bytes more are not allowed."""
        if count > self.remaining:
            raise DataError(
                f"unfolds to more than the {self.limit:,} bytes ({self.limit / 2**30:.1f} GiB) allowed to one file",
                source=source,
                hint=f"if that is what it should hold, allow more with {LIMIT_VARIABLE}=BYTES (or 20G, say), "
                "or unpack and divide it",
            )

    def spend(self, count: int, source: str) -> None:
        """Count bytes that were, or are about to be, unfolded. Raises `DataError` when they are not allowed."""
        self.check(count, source)
        self.remaining -= count


def unpack_limit() -> int:
    """Give the limit in bytes; see `Allowance`."""
    given = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not given:
        return total_memory() // MEMORY_DIVISOR
    found = re.fullmatch(r"([0-9]+)([KMG]?)", given.upper())
    if found is None:
        expected = "a number of bytes, such as 8000000000, 500M or 20G"
        raise UsageError(f"{LIMIT_VARIABLE}: expected {expected}; got {given!r}")
    return int(found[1]) * _UNITS[found[2]]


def total_memory() -> int:
    """Give the bytes of memory that this machine has, or that the container may use; 8 GiB where nothing says."""
    known = []
    with suppress(AttributeError, ValueError, OSError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # not there, or "max"
            known.append(int(Path(path).read_text(encoding="ascii")))
    return min((size for size in known if size > 0), default=8 * 2**30)
