"""The live display of a training in a terminal."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from recurra.formatting import clock_time, count, finite
from recurra.metrics import get_metric, metric_keys
from recurra.training.history import TrainingHistory, first_metrics

_BLOCKS = "▁▂▃▄▅▆▇█"
_SAMPLE_LINES = 6
_GAP = "   "
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def render(history: TrainingHistory, console: Console, now: float, note: str = "") -> RenderableType:
    """Draw what is known at the time `now` (seconds), as large as the console allows; `note` says what is done besides."""
    width, height = console.size
    rows: list[RenderableType] = [_bar(history, width, now), *_facts(history, width)]
    if len(history.validation_values) > 1:
        rows.append(_curve(history, width))
    if history.end:
        rows.append(Text(history.end_message(), style="bold", overflow="fold"))
    elif not history.step and isinstance(history.start.get("plan"), str):
        rows.append(Text(history.start["plan"], style="dim"))
    if note:
        rows.append(Text(note, style="dim"))
    room = min(_SAMPLE_LINES, height - 8)
    if history.sample and room > 0:
        rows += _sample_lines(history, console, width, room)
    return Group(*rows)


def _bar(history: TrainingHistory, width: int, now: float) -> RenderableType:
    steps = history.steps
    waited = 0.0 if history.end else now - history.last_event_at
    left = history.seconds_left(now)
    facts = [f"{history.percent_done(steps)} %"] if steps else []
    facts.append(f"step {count(history.step)}" + (f" of {count(steps)}" if steps else ""))
    facts.append(f"{clock_time(history.seconds + waited)} passed")
    facts += [f"{clock_time(left)} left"] if left is not None else []
    after = _flow([Text(fact) for fact in facts], max(1, width - 16), gap="  ")
    table = Table.grid(padding=(0, 2, 0, 0))
    if "\n" in after.plain:
        table.add_row(_only_bar(history, steps, width - 3))
        table.add_row(_flow([Text(fact) for fact in facts], width, gap="  "))
    else:
        table.add_row(_only_bar(history, steps, min(40, width - after.cell_len - 4)), after)
    return table


def _only_bar(history: TrainingHistory, steps: float | None, width: int) -> ProgressBar:
    # Before the first step is done and where no end is known, the bar only shows that something goes on.
    busy = not history.end and (steps is None or not history.step)
    return ProgressBar(total=steps or 1.0, completed=min(history.step, steps or 1.0), width=max(4, width), pulse=busy)


def _facts(history: TrainingHistory, width: int) -> list[Text]:
    """List the newest figures."""
    facts: list[Text] = []
    if history.has_loss:
        facts.append(_fact("loss", history.mean_loss()))
    latest = history.valid.get("best") is True
    for written in first_metrics(history.valid):
        name, value = written.rsplit(" ", 1)
        facts.append(_fact(f"held-out {name}", value, "bold green" if latest else "bold"))
    if latest:
        facts[-1].append(" ★", style="green")
    elif history.best and history.valid:
        best = ", ".join(first_metrics(history.best)[:1])
        facts.append(_fact("best", f"{best} at step {count(history.best.get('step'))}", "green"))
    if history.units_per_second:
        facts.append(_fact(f"{history.units}/s", count(history.units_per_second)))
    rate = finite(history.train.get("lr"))
    if rate is not None:
        facts.append(_fact("lr", f"{rate:.3g}"))
    return [_flow(facts, width)] if facts else []


def _curve(history: TrainingHistory, width: int) -> Text:
    key = metric_keys(history.valid)[:1]
    name = get_metric(key[0]).title if key else "metric"
    first, last = (
        get_metric(key[0] if key else "").format(value)
        for value in (history.validation_values[0], history.validation_values[-1])
    )
    text = Text(f"held-out {name}  {first} ", style="dim", no_wrap=True, overflow="crop")
    room = min(40, width - text.cell_len - len(last) - 2)
    if room > 3:
        text.append(sparkline(history.validation_values, room), style="not dim cyan")
    text.append(f" {last}")
    return text


def _sample_lines(history: TrainingHistory, console: Console, width: int, room: int) -> list[RenderableType]:
    step = history.sample.get("step")
    inner = max(8, min(width, 100) - 3)
    wrapped: list[Text] = []
    for line in _printable(str(history.sample.get("text", ""))):
        wrapped += Text(line).wrap(console, inner, overflow="fold") or [Text("")]
        if len(wrapped) > room:
            break
    title = f"sample at step {count(step)}" if finite(step) is not None else "sample"
    lines: list[RenderableType] = [Text(title, style="dim")]
    for line in wrapped[:room]:
        line.rstrip()
        lines.append(Text("│ ", style="dim", no_wrap=True).append_text(Text(line.plain, style="not dim")))
    return lines


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
