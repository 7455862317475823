"""Ctrl-C while training: the step in hand is finished first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def interruptible(on_signal: Callable[[], None]) -> Iterator[None]:
    """Call `on_signal` at Ctrl-C, and a polite kill, instead of ending at once; a second one does end it."""

    def stop(number: int, _: FrameType | None) -> None:
        on_signal()
        signal.signal(number, previous[number])

    previous: dict[int, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            # Ignored: so the caller wants it (nohup, a shell's background job). None: some other library's.
            if handler not in (signal.SIG_IGN, None):
                previous[number] = handler
                signal.signal(number, stop)
    except ValueError:  # not the main thread: the caller's own handling stands
        previous.clear()
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
