"""The live display of a training in a terminal."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from recurra.formatting import count, finite
from recurra.metrics import get_metric, metric_keys
from recurra.training.history import TrainingHistory, clock_time, first_figures

_BLOCKS = "▁▂▃▄▅▆▇█"
_SAMPLE_LINES = 6
_GAP = "   "
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")


def render(seen: TrainingHistory, console: Console, now: float, note: str = "") -> RenderableType:
    """Draw what is known at the time `now` (seconds), as large as the console allows; `note` says what is done besides."""
    width, height = console.size
    rows: list[RenderableType] = [_bar(seen, width, now), *_facts(seen, width)]
    if len(seen.held) > 1:
        rows.append(_curve(seen, width))
    if seen.end:
        rows.append(Text(seen.ending(), style="bold", overflow="fold"))
    elif not seen.step and isinstance(seen.start.get("plan"), str):
        rows.append(Text(seen.start["plan"], style="dim"))
    if note:
        rows.append(Text(note, style="dim"))
    room = min(_SAMPLE_LINES, height - 8)
    if seen.sample and room > 0:
        rows += _shown_sample(seen, console, width, room)
    return Group(*rows)


def _bar(seen: TrainingHistory, width: int, now: float) -> RenderableType:
    steps = seen.steps
    waited = 0.0 if seen.end else now - seen.heard
    left = seen.left(now)
    facts = [f"{seen.per_cent(steps)} %"] if steps else []
    facts.append(f"step {count(seen.step)}" + (f" of {count(steps)}" if steps else ""))
    facts.append(f"{clock_time(seen.seconds + waited)} passed")
    facts += [f"{clock_time(left)} left"] if left is not None else []
    after = _flow([Text(fact) for fact in facts], max(1, width - 16), gap="  ")
    table = Table.grid(padding=(0, 2, 0, 0))
    if "\n" in after.plain:
        table.add_row(_only_bar(seen, steps, width - 3))
        table.add_row(_flow([Text(fact) for fact in facts], width, gap="  "))
    else:
        table.add_row(_only_bar(seen, steps, min(40, width - after.cell_len - 4)), after)
    return table


def _only_bar(seen: TrainingHistory, steps: float | None, width: int) -> ProgressBar:
    # Before the first step is done and where no end is known, the bar only shows that something goes on.
    busy = not seen.end and (steps is None or not seen.step)
    return ProgressBar(total=steps or 1.0, completed=min(seen.step, steps or 1.0), width=max(4, width), pulse=busy)


def _facts(seen: TrainingHistory, width: int) -> list[Text]:
    """Say the figures of now."""
    facts: list[Text] = []
    if seen.learning:
        facts.append(_fact("loss", seen.mean_loss()))
    latest = seen.valid.get("best") is True
    for written in first_figures(seen.valid):
        name, value = written.rsplit(" ", 1)
        facts.append(_fact(f"held-out {name}", value, "bold green" if latest else "bold"))
    if latest:
        facts[-1].append(" ★", style="green")
    elif seen.best and seen.valid:
        best = ", ".join(first_figures(seen.best)[:1])
        facts.append(_fact("best", f"{best} at step {count(seen.best.get('step'))}", "green"))
    if seen.rate:
        facts.append(_fact(f"{seen.units}/s", count(seen.rate)))
    rate = finite(seen.train.get("lr"))
    if rate is not None:
        facts.append(_fact("lr", f"{rate:.3g}"))
    return [_flow(facts, width)] if facts else []


def _curve(seen: TrainingHistory, width: int) -> Text:
    key = metric_keys(seen.valid)[:1]
    name = get_metric(key[0]).title if key else "figure"
    first, last = (get_metric(key[0] if key else "").format(value) for value in (seen.held[0], seen.held[-1]))
    text = Text(f"held-out {name}  {first} ", style="dim", no_wrap=True, overflow="crop")
    room = min(40, width - text.cell_len - len(last) - 2)
    if room > 3:
        text.append(sparkline(seen.held, room), style="not dim cyan")
    text.append(f" {last}")
    return text


def _shown_sample(seen: TrainingHistory, console: Console, width: int, room: int) -> list[RenderableType]:
    step = seen.sample.get("step")
    inner = max(8, min(width, 100) - 3)
    wrapped: list[Text] = []
    for line in _printable(str(seen.sample.get("text", ""))):
        wrapped += Text(line).wrap(console, inner, overflow="fold") or [Text("")]
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
