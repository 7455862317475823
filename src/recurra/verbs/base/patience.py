"""What a person reads who waits for a long answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from recurra.formatting import clock_time
from recurra.verbs.base.options import note

SECONDS = 15.0
"""Of silence after which a line says what is still being done."""


@contextmanager
def still_at_it(what: str) -> Iterator[None]:
    """Say on standard error what is being done, and for how long, every quarter of a minute that it takes.

    >>> with still_at_it("predicting"):
    ...     sum(range(10))
    45
    """
    done, since = threading.Event(), time.monotonic()

    def watch() -> None:
        while not done.wait(SECONDS):
            try:
                note(f"still at it: {what}, {clock_time(time.monotonic() - since)} so far")
            except (OSError, ValueError):  # whoever read it has gone; the answer does not depend on them
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
