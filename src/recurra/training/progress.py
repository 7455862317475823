"""What a person sees while a model trains: a live display in a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from recurra.report.figures import count, figure, finite
from recurra.report.record import figure_keys

_BLOCKS = "▁▂▃▄▅▆▇█"
_PLAIN_SECONDS = 10.0
_SAMPLE_LINES = 6
_SMOOTH = 50
"""The training loss is averaged over about this many events."""
_GAP = "   "
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


class Pace:
    """Estimates the seconds per step from the last half of the time seen: steady, yet it forgets a slow beginning.

    >>> pace = Pace()
    >>> for step in range(100):
    ...     pace.add(10.0 + step * 0.5, step)
    >>> pace.seconds_per_step()
    0.5
    """

    def __init__(self, interval: float = 0.25, limit: int = 256) -> None:
        self._interval, self._limit = interval, limit
        self._seen: list[tuple[float, float]] = []
        self._last: tuple[float, float] | None = None

    def add(self, now: float, step: float) -> None:
        """Note that `step` was reached at the time `now` (seconds)."""
        self._last = (now, step)
        if self._seen and now - self._seen[-1][0] < self._interval:
            return
        self._seen.append(self._last)
        if len(self._seen) > self._limit:
            # Half as many notes, twice as far apart: memory and time stay bounded however long it takes.
            self._seen = self._seen[::2]
            self._interval *= 2

    def seconds_per_step(self) -> float | None:
        """Give the estimate; None until two steps lie apart."""
        if self._last is None or len(self._seen) < 2:
            return None
        now, step = self._last
        middle = (self._seen[0][0] + now) / 2
        then, before = next((note for note in reversed(self._seen) if note[0] <= middle), self._seen[0])
        return (now - then) / (step - before) if step > before and now > then else None


class Progress:
    """Shows a training by its metrics events, on standard error.

    In a terminal the display is live; elsewhere there is a line for each validation and at most one every ten
    seconds between; `quiet` shows nothing. Which figures are shown, and which one is followed, the events say.
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
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._console: Console | None = None

        self._start: Mapping[str, Any] = {}
        self._train: Mapping[str, Any] = {}
        self._valid: Mapping[str, Any] = {}
        self._best: Mapping[str, Any] = {}
        self._end: Mapping[str, Any] = {}
        self._held: list[float] = []
        self._note = ""
        self._sample: tuple[object, list[str]] | None = None
        self._loss = self._weight = 0.0
        self._rate = 0.0
        self._step = 0
        self._seconds = 0.0
        self._heard = clock()
        self._said = clock()
        self._pace = Pace()

    def __enter__(self) -> Progress:
        if not self._quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb":
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
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            live, self._live = self._live, None
            self._note = ""
            with contextlib.suppress(OSError, ValueError):
                live.stop()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take note of one event; costs microseconds, whatever is shown."""
        if self._quiet:
            return
        kind = event.get("event")
        with self._lock:
            self._heard = now = self._clock()
            if kind == "train":
                self._on_train(event, now)
            elif kind == "valid":
                self._on_valid(event, now)
            elif kind == "sample":
                if self._live is not None:
                    self._sample = (event.get("step"), _printable(str(event.get("text", ""))))
            elif kind == "start":
                self._start = event
            elif kind == "plan":
                self._start = {**self._start, "steps": event.get("steps")}
            elif kind == "end":
                self._end = event
                self._move(event, now)
            if self._live is None:
                self._say(kind, now)

    def note(self, text: str) -> None:
        """Say what is being done now, besides training: "measuring the baseline …"."""
        with self._lock:
            self._note = text
            if not self._quiet and self._live is None:
                self._write(text)

    def _on_train(self, event: Mapping[str, Any], now: float) -> None:
        self._train = event
        self._move(event, now)
        loss = finite(event.get("loss"))
        if loss is not None:
            keep = 1 - 1 / _SMOOTH
            self._loss, self._weight = keep * self._loss + loss, keep * self._weight + 1
        rate = finite(event.get("units_per_second"))
        if rate is not None:
            self._rate = rate if not self._rate else 0.9 * self._rate + 0.1 * rate

    def _on_valid(self, event: Mapping[str, Any], now: float) -> None:
        self._valid = event
        self._move(event, now)
        if event.get("best") is True:
            self._best = event
        keys = figure_keys(event)
        value = finite(event[keys[0]]) if keys else None
        if value is not None:
            self._held.append(value)

    def _move(self, event: Mapping[str, Any], now: float) -> None:
        step, seconds = event.get("step"), finite(event.get("seconds"))
        if isinstance(step, int):
            self._step = step
            self._pace.add(now, step)
        if seconds is not None:
            self._seconds = seconds

    def _left(self, now: float) -> float | None:
        """Estimate the seconds until the last step; None while there is nothing to go by."""
        steps, pace = finite(self._start.get("steps")), self._pace.seconds_per_step()
        if steps is None or pace is None or self._end:
            return None
        return max(0.0, (steps - self._step) * pace - (now - self._heard))

    # Plain lines

    def _say(self, kind: object, now: float) -> None:
        due = kind in ("start", "valid", "end") or (kind == "train" and now - self._said >= _PLAIN_SECONDS)
        if not due:
            return
        self._said = now
        self._write(self._line(kind, now))

    def _write(self, line: str) -> None:
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._quiet = True

    def _line(self, kind: object, now: float) -> str:
        steps = finite(self._start.get("steps"))
        if kind == "start":
            plan = self._start.get("plan")
            facts = [f"{count(steps)} steps"] if steps else []
            if "parameters" in self._start:
                facts.append(f"{count(self._start['parameters'])} parameters")
            return plan if isinstance(plan, str) and plan else ", ".join(facts)
        if kind == "end":
            return self._ending()
        parts = [f"step {count(self._step)}" + (f" of {count(steps)} ({self._per_cent(steps)} %)" if steps else "")]
        if kind == "valid":
            parts.append("held-out " + ", ".join(_written(self._valid)))
            parts += ["the best so far"] if self._valid.get("best") is True else []
        if self._weight:
            parts.append(f"training loss {self._mean_loss()}")
        if self._rate:
            parts.append(f"{count(self._rate)} units/s")
        parts.append(f"{_clock_time(self._seconds)} passed")
        left = self._left(now)
        return ", ".join(parts + ([f"{_clock_time(left)} left"] if left is not None else []))

    def _ending(self) -> str:
        reason = str(self._end.get("reason", "ended"))
        text = f"{reason} after {count(self._step)} steps in {_clock_time(self._seconds)}"
        best = self._end.get("best_step")
        if finite(best) is None:
            return text
        figures = f": {', '.join(_written(self._best))}" if self._best.get("step") == best else ""
        return f"{text}, best at step {count(best)}{figures}"

    def _mean_loss(self) -> str:
        return figure("loss").write(self._loss / self._weight)

    def _per_cent(self, steps: float) -> int:
        return math.floor(100 * min(1.0, self._step / steps))

    # The live display

    def _render(self) -> RenderableType:
        with self._lock:
            assert self._console is not None
            width, height = self._console.size
            now = self._clock()
            rows: list[RenderableType] = [self._bar(width, now), *self._facts(width)]
            if len(self._held) > 1:
                rows.append(self._curve(width))
            if self._end:
                rows.append(Text(self._ending(), style="bold", overflow="fold"))
            elif not self._step and isinstance(self._start.get("plan"), str):
                rows.append(Text(self._start["plan"], style="dim"))
            if self._note:
                rows.append(Text(self._note, style="dim"))
            room = min(_SAMPLE_LINES, height - 8)
            if self._sample and room > 0:
                rows += self._shown_sample(width, room)
            return Group(*rows)

    def _bar(self, width: int, now: float) -> RenderableType:
        steps = finite(self._start.get("steps"))
        waited = 0.0 if self._end else now - self._heard
        left = self._left(now)
        facts = [f"{self._per_cent(steps)} %"] if steps else []
        facts.append(f"step {count(self._step)}" + (f" of {count(steps)}" if steps else ""))
        facts.append(f"{_clock_time(self._seconds + waited)} passed")
        facts += [f"{_clock_time(left)} left"] if left is not None else []
        after = _flow([Text(fact) for fact in facts], max(1, width - 16), gap="  ")
        table = Table.grid(padding=(0, 2, 0, 0))
        if "\n" in after.plain:
            table.add_row(self._only_bar(steps, width - 3))
            table.add_row(_flow([Text(fact) for fact in facts], width, gap="  "))
        else:
            table.add_row(self._only_bar(steps, min(40, width - after.cell_len - 4)), after)
        return table

    def _only_bar(self, steps: float | None, width: int) -> ProgressBar:
        # Before the first step is done and where no end is known, the bar only shows that something goes on.
        busy = not self._end and (steps is None or not self._step)
        return ProgressBar(total=steps or 1.0, completed=min(self._step, steps or 1.0), width=max(4, width), pulse=busy)

    def _facts(self, width: int) -> list[Text]:
        """Say the figures of now."""
        facts: list[Text] = []
        if self._weight:
            facts.append(_fact("loss", self._mean_loss()))
        latest = self._valid.get("best") is True
        for written in _written(self._valid):
            name, value = written.rsplit(" ", 1)
            facts.append(_fact(f"held-out {name}", value, "bold green" if latest else "bold"))
        if latest:
            facts[-1].append(" ★", style="green")
        elif self._best and self._valid:
            best = ", ".join(_written(self._best)[:1])
            facts.append(_fact("best", f"{best} at step {count(self._best.get('step'))}", "green"))
        if self._rate:
            facts.append(_fact("units/s", count(self._rate)))
        rate = finite(self._train.get("lr"))
        if rate is not None:
            facts.append(_fact("lr", f"{rate:.3g}"))
        return [_flow(facts, width)] if facts else []

    def _curve(self, width: int) -> Text:
        key = figure_keys(self._valid)[:1]
        name = figure(key[0]).name if key else "figure"
        first, last = (figure(key[0] if key else "").write(value) for value in (self._held[0], self._held[-1]))
        text = Text(f"held-out {name}  {first} ", style="dim", no_wrap=True, overflow="crop")
        room = min(40, width - text.cell_len - len(last) - 2)
        if room > 3:
            text.append(sparkline(self._held, room), style="not dim cyan")
        text.append(f" {last}")
        return text

    def _shown_sample(self, width: int, room: int) -> list[RenderableType]:
        assert self._sample is not None and self._console is not None
        step, lines = self._sample
        inner = max(8, min(width, 100) - 3)
        wrapped: list[Text] = []
        for line in lines:
            wrapped += Text(line).wrap(self._console, inner, overflow="fold") or [Text("")]
            if len(wrapped) > room:
                break
        title = f"sample at step {count(step)}" if finite(step) is not None else "sample"
        shown: list[RenderableType] = [Text(title, style="dim")]
        for line in wrapped[:room]:
            line.rstrip()
            shown.append(Text("│ ", style="dim", no_wrap=True).append_text(Text(line.plain, style="not dim")))
        return shown


def _fact(name: str, value: str, style: str = "bold") -> Text:
    return Text(f"{name} ").append(value, style=style)


def _flow(facts: list[Text], width: int, gap: str = _GAP) -> Text:
    """Set facts side by side; a line breaks between two of them, never within one."""
    flowing, used = Text(no_wrap=True, overflow="ellipsis"), 0
    for fact in facts:
        if used and used + len(gap) + fact.cell_len > width:
            flowing.append("\n")
            used = 0
        elif used:
            flowing.append(gap)
            used += len(gap)
        flowing.append_text(fact)
        used += fact.cell_len
    return flowing


def _written(valid: Mapping[str, Any]) -> list[str]:
    """Write the first two figures of a validation, each with its name."""
    return [
        f"{figure(key).name} {figure(key).write(valid[key])}".replace("\u00a0", "") for key in figure_keys(valid)[:2]
    ]


def _clock_time(seconds: float) -> str:
    """Write a time as a clock does.

    >>> _clock_time(9.4), _clock_time(3725)
    ('0:09', '1:02:05')
    """
    whole = max(0, round(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def sparkline(values: list[float], width: int) -> str:
    """Draw a curve in at most `width` characters, each the mean of its share of the values.

    >>> sparkline([4.0, 2.0, 1.5, 1.0], 10)
    '█▃▂▁'
    """
    if not values or width < 1:
        return ""
    edges = [len(values) * index // min(width, len(values)) for index in range(min(width, len(values)) + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    if not high > low:
        return _BLOCKS[0] * len(means)
    return "".join(_BLOCKS[min(7, int((mean - low) / (high - low) * 8))] for mean in means)


def _printable(text: str) -> list[str]:
    """Give the lines of a text with nothing in it that could steer a terminal or turn its direction round."""
    lines = text.replace("\t", "    ").strip("\n").split("\n")[:_SAMPLE_LINES]
    return ["".join(map(_harmless, line[:400])) for line in lines]


def _harmless(char: str) -> str:
    # The zero-width joiner (U+200D) holds emoji and Indic letters together; the other invisible ones are tricks here.
    return "·" if unicodedata.category(char) in _INVISIBLE and char != "\u200d" else char
