"""Where models are asked: one thread, so that no two compute at once, and the server goes on meanwhile."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

from recurra.studio.results import StudioError

MAX_WAITING = 32
"""Calls that wait for others; one more is refused."""
CLOSE_SECONDS = 2.0
ResultT = TypeVar("ResultT")
_END = object()


class Worker:
    """A thread that does one thing after another.

    >>> worker = Worker()
    >>> asyncio.run(worker.run(lambda: 6 * 7))
    42
    """

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting = 0
        self._closed = False
        # Not of a pool: what is still being computed at the end must not hold the end up.
        self._thread = threading.Thread(target=self._work, name="recurra-models", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while not self._closed:
            self._calls.get()()

    def close(self) -> None:
        """End the thread, once what it does is done, or soon."""
        self._closed = True
        self._calls.put(lambda: None)
        self._thread.join(CLOSE_SECONDS)

    def _submit(self, call: Callable[[], None]) -> None:
        if self._waiting >= MAX_WAITING:
            raise StudioError(f"{MAX_WAITING} requests are waiting already; try again in a while", 429, "busy")
        self._waiting += 1
        self._calls.put(call)

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """Call a function in the thread, and give what it gives; one whose caller has gone before its turn is left out."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ResultT] = loop.create_future()

        def finish(set_it: Callable[[Any], None], value: Any) -> None:
            self._waiting -= 1
            if not future.done():
                set_it(value)

        def call() -> None:
            if future.cancelled():
                _call_in(loop, finish, future.set_result, None)
                return
            try:
                value = function(*args)
            except BaseException as error:  # noqa: BLE001  whoever waits for it gets it
                _call_in(loop, finish, future.set_exception, error)
            else:
                _call_in(loop, finish, future.set_result, value)

        self._submit(call)
        return await future

    async def stream(self, make: Callable[[], Iterator[ResultT]]) -> AsyncIterator[ResultT]:
        """Give what an iterator gives, which runs in the thread to its end, or until nobody reads on.

        It is not interrupted by other calls: what it holds open meanwhile, such as a mode of torch, would be theirs too.
        """
        loop = asyncio.get_running_loop()
        found: asyncio.Queue[Any] = asyncio.Queue()
        gone = threading.Event()

        def finish() -> None:
            self._waiting -= 1

        def call() -> None:
            try:
                if not gone.is_set():
                    for value in make():
                        _call_in(loop, found.put_nowait, value)
                        if gone.is_set():
                            break
            except BaseException as error:  # noqa: BLE001  whoever waits for it gets it
                _call_in(loop, found.put_nowait, _Failure(error))
            else:
                _call_in(loop, found.put_nowait, _END)
            _call_in(loop, finish)

        self._submit(call)
        try:
            while (value := await found.get()) is not _END:
                if isinstance(value, _Failure):
                    raise value.error
                yield value
        finally:
            gone.set()


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[..., Any], *args: Any) -> None:
    """Call a function in the loop of whoever waits; nothing where that has ended."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        return
