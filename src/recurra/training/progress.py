"""What a person sees while a model trains: a live display in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.live import Live

from recurra.errors import escape_controls
from recurra.formatting import clock_time, count
from recurra.training.display import render, sparkline
from recurra.training.history import RateEstimator, TrainingHistory, first_metrics

__all__ = ["Progress", "RateEstimator", "sparkline"]

_PLAIN_SECONDS = 10.0
_WAITING_SECONDS = 15.0
"""Time without a line after which one says what is still being done."""


class Progress:
    """Shows a training by its metrics events, on standard error.

    In a terminal the display is live; elsewhere there is a line for each validation and at most one every ten
    seconds between, and one every quarter of a minute of what else takes long; `quiet` shows nothing; `units` are what the rate counts. Which figures are shown, and which one is drawn, depends on the events.
    The display never stops a training: when its stream breaks, it falls silent.

    >>> with Progress(stream=sys.stdout) as progress:
    ...     progress.event({"event": "start", "steps": 100, "parameters": 1200})
    ...     progress.event({"event": "valid", "step": 50, "nll": 1.609, "perplexity": 5.0, "seconds": 9.0, "best": True})
    100 steps, 1,200 parameters
    step 50 of 100 (50 %), held-out nll 1.609, perplexity 5.00, the best so far, 0:09 passed
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        units: str = "units",
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._entered = 0
        self._console: Console | None = None

        self._history = TrainingHistory(clock(), units)
        self._note = ""
        self._is_waiting = False
        self._waiting_since = self._shown_at = self._last_line_at = clock()
        self._left = threading.Event()
        self._waiter: threading.Thread | None = None
        self.notes_shown: set[str] = set()
        """Notes in lines that stay; in a terminal each makes place for the next."""

    def __enter__(self) -> Progress:
        self._entered += 1  # a training that is a part of another is shown on the same display
        if self._entered == 1 and not self._quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb":
            self._console = Console(file=self._stream, force_terminal=True, highlight=False)
            self._live = Live(
                get_renderable=self._render,
                console=self._console,
                refresh_per_second=4,
                redirect_stdout=False,  # results keep going to standard output
                vertical_overflow="ellipsis",
            )
            with contextlib.suppress(OSError, ValueError):
                self._live.start()
        elif self._entered == 1 and not self._quiet:
            self._left = threading.Event()
            self._waiter = threading.Thread(target=self._show_waiting, args=(self._left,), daemon=True)
            self._waiter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered -= 1
        if not self._entered:
            self._left.set()
            if self._waiter is not None:
                self._waiter.join(1.0)
        if self._live is not None and not self._entered:
            live, self._live = self._live, None
            self._note = ""
            with contextlib.suppress(OSError, ValueError):
                live.stop()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take note of one event; costs microseconds, whatever is shown."""
        if self._quiet:
            return
        with self._lock:
            now = self._clock()
            self._is_waiting = False
            self._history.add(event, now)
            if event.get("event") == "threads":
                self._note = format_threads(event)
            if self._live is None:
                self._print_event(event.get("event"), now)

    def begin_phase(self, text: str, units: str) -> None:
        """Show that another training begins here: what it is, and what its rate counts."""
        with self._lock:
            self._history = TrainingHistory(self._clock(), units)
        self.note(text)

    def note(self, text: str) -> None:
        """Show what is being done now, besides training: "measuring the baseline …"."""
        with self._lock:
            self._note, self._is_waiting = escape_controls(text), True
            self._waiting_since = self._clock()
            if not self._quiet and self._live is None:
                self._print(self._note)
                self.notes_shown.add(text)

    def _render(self) -> RenderableType:
        with self._lock:
            assert self._console is not None
            return render(self._history, self._console, self._clock(), self._note)

    # Plain lines

    def _print_event(self, kind: object, now: float) -> None:
        due = kind in ("start", "valid", "threads", "end") or (
            kind == "train" and now - self._last_line_at >= _PLAIN_SECONDS
        )
        if not due:
            return
        self._last_line_at = now
        self._print(self._format_event(kind, now))

    def _show_waiting(self, left: threading.Event) -> None:
        """Say every now and then what is still being done, and for how long, until the display is left."""
        while not left.wait(_WAITING_SECONDS):
            with self._lock:
                now = self._clock()
                if self._is_waiting and now - self._shown_at >= _WAITING_SECONDS:
                    self._print(f"still at it: {clock_time(now - self._waiting_since)} since the line above")

    def _print(self, line: str) -> None:
        self._shown_at = self._clock()
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._quiet = True

    def _format_event(self, kind: object, now: float) -> str:
        history = self._history
        steps = history.steps
        if kind == "start":
            plan = history.start.get("plan")
            facts = [f"{count(steps)} steps"] if steps else []
            if "parameters" in history.start:
                facts.append(f"{count(history.start['parameters'])} parameters")
            return plan if isinstance(plan, str) and plan else ", ".join(facts)
        if kind == "threads":
            return self._note
        if kind == "end":
            return history.end_message()
        parts = [
            f"step {count(history.step)}" + (f" of {count(steps)} ({history.percent_done(steps)} %)" if steps else "")
        ]
        if kind == "valid":
            parts.append("held-out " + ", ".join(first_metrics(history.valid)))
            parts += ["the best so far"] if history.valid.get("best") is True else []
        if history.has_loss:
            parts.append(f"training loss {history.mean_loss()}")
        if history.units_per_second:
            parts.append(f"{count(history.units_per_second)} {history.units}/s")
        parts.append(f"{clock_time(history.seconds)} passed")
        left = history.seconds_left(now)
        return ", ".join(parts + ([f"{clock_time(left)} left"] if left is not None else []))


def format_threads(event: Mapping[str, Any]) -> str:
    """Say that a training goes on with another number of threads.

    >>> format_threads({"event": "threads", "step": 1200, "threads": 1, "before": 2, "time_share": 0.4})
    'from step 1,200 on with 1 thread instead of 2: a step takes 40 % of the time'
    """
    threads = event["threads"]
    noun = "thread" if threads == 1 else "threads"
    share = round(100 * event["time_share"])
    return f"from step {count(event['step'])} on with {threads} {noun} instead of {event['before']}: a step takes {share} % of the time"
