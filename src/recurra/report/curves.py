"""The section with the curves: loss, its small companions, and how far back the gradient reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from recurra.formatting import count, finite
from recurra.metrics import get_metric, metric_keys
from recurra.report.chart import Chart, Mark, Series, draw_chart, draw_legend
from recurra.report.description import TaskDescription
from recurra.report.points import Point, smooth
from recurra.report.record import Event, Record, curve_of

SMOOTHED_FROM = 60
"""Measurements from which on a curve is smoothed."""
_COMPANIONS = (
    ("lr", "Learning rate", "other"),
    ("grad_norm", "Gradient norm", "train"),
    ("units_per_second", "{units} per second", "train"),
)


def section(record: Record, description: TaskDescription) -> str:
    """Draw every curve that there are events for; "" without any."""
    body = _learning(record, description.element[0]) + _companions(record, description.element[1])
    learning = f"<section><h2>Learning curves</h2>{body}</section>" if body else ""
    return learning + _gradient(record)


def _learning(record: Record, element: str) -> str:
    """Draw the training loss and the metric that training goes by, in one chart where they share a scale."""
    train = curve_of(record.train, "loss")
    keys = list(dict.fromkeys(key for event in record.valid for key in metric_keys(event)))
    criterion = get_metric(keys[0]) if keys else None
    held = curve_of(record.valid, criterion.key) if criterion else []
    name = f"held-out {criterion.title}" if criterion else ""
    best = [
        Mark(float(record.best["step"]), value, f"best {criterion.format(value)}", "held")
        for value in [
            finite(record.best[criterion.key]) if criterion and record.best and criterion.key in record.best else None
        ]
        if criterion and record.best and value is not None
    ]
    curve = Series(name, held, "held", dots=True)
    if criterion is None or criterion.is_loss:
        per = f" ({criterion.unit} per {element})" if criterion and criterion.unit else ""
        return _card(f"Loss over training steps{per}", [*_loss(train), *([curve] if held else [])], best)
    return _card(f"{_capital(name)} over training steps", [curve], best) + _card(
        "Training loss over training steps", _loss(train), []
    )


def _loss(train: list[Point]) -> list[Series]:
    if len(train) < SMOOTHED_FROM:
        return [Series("training loss", train, "train")] if train else []
    return [
        Series("each measurement", train, "raw", legend=False),
        Series("training loss, smoothed", smooth(train, len(train) / 20), "train"),
    ]


def _card(title: str, series: Sequence[Series], marks: Sequence[Mark]) -> str:
    top, note_of_cut = _top(series)
    chart = draw_chart(Chart(title, series, "step", marks=marks, top=top))
    if not chart:
        return ""
    gaps = sum(1 for each in series if each.legend for _, y in each.points if not math.isfinite(y))
    notes = [note_of_cut] if note_of_cut else []
    if gaps:
        notes.append(f"{gaps} value{'s' * (gaps > 1)} not finite: a gap in the curve.")
    note = f'<p class="note">{escape(" ".join(notes))}</p>' if notes else ""
    return f'<figure class="card"><h3>{escape(title)}</h3>{_legend(series)}{note}{chart}</figure>'


def _legend(series: Sequence[Series]) -> str:
    named = [each for each in series if each.legend]
    return f'<div class="legend">{draw_legend(named)}</div>' if len(named) > 1 else ""


def _top(series: Sequence[Series]) -> tuple[float | None, str]:
    """Cut the axis where a few early or stray values would press all the rest flat, and give a note of it."""
    values = sorted(y for each in series for _, y in each.points if math.isfinite(y))
    if len(values) < 20:
        return None, ""
    low, usual, high = values[0], values[int(0.92 * (len(values) - 1))], values[-1]
    room = usual - low
    if room <= 0 or high - low < 2.2 * room:
        return None, ""
    return usual + 0.5 * room, f"Cut off above: up to {get_metric('loss').format(high)}."


def _companions(record: Record, elements: str) -> str:
    cards = []
    for key, name, style in _COMPANIONS:
        title = name.format(units=elements.capitalize())
        points = curve_of(record.train, key)
        series = [Series(title, points, style)]
        if style == "train" and len(points) >= SMOOTHED_FROM:
            series = [Series(title, points, "raw"), Series(title, smooth(points, len(points) / 20), style)]
        top, cut = _top(series) if style == "train" else (None, "")
        chart = draw_chart(Chart(title, series, "step", zero=True, small=True, top=top, max_points=300))
        note = f'<p class="note">{escape(cut)}</p>' if cut else ""
        if chart:
            cards.append(f'<figure class="card"><h3>{escape(title)}</h3>{note}{chart}</figure>')
    return f'<div class="multiples">{"".join(cards)}</div>' if cards else ""


def _gradient(record: Record) -> str:
    """Draw the gradient's norm by lag, first and last measurement, and where it has faded."""
    every = [(event, _norms(event)) for event in record.lags]
    measured = [(event, norms) for event, norms in every if any(y > 0 for _, y in norms)]
    if not measured:
        return ""
    last, norms = measured[-1]
    series = [Series(f"after {count(last['step'])} steps", norms, "held")]
    if len(measured) > 1:
        first, early = measured[0]
        series.insert(0, Series(f"after {count(first['step'])} steps", early, "early"))
    title = "Gradient norm by how many steps back"
    chart = draw_chart(Chart(title, series, "steps back", log=True))
    return (
        f'<section><h2>How far back the gradient reaches</h2><p class="note">{escape(_fading(norms))}</p>'
        f'<figure class="card"><h3>{title}</h3>{_legend(series)}{chart}</figure></section>'
    )


def _norms(event: Event) -> list[Point]:
    values = event.get("norms")
    numbers = [finite(value) for value in values] if isinstance(values, list) else []
    return [(float(lag), math.nan if value is None else value) for lag, value in enumerate(numbers)]


def _fading(norms: Sequence[Point]) -> str:
    """Say in words from which lag on the gradient stays under a tenth and a hundredth of its size at lag 0."""
    start = next(y for _, y in norms if y > 0)
    faded = []
    for share, name in ((0.1, "a tenth"), (0.01, "a hundredth")):
        above = [lag for lag, y in norms if y > share * start]
        if above and above[-1] < norms[-1][0]:
            faded.append(f"{name} of its size {count(above[-1] + 1)} step{'s' * (above[-1] > 0)} back")
    reach = (
        f"The gradient of the last step's loss with respect to earlier states fades to {' and '.join(faded)}."
        if faded
        else f"The gradient stays above a tenth of its size over all {count(len(norms))} steps that were measured."
    )
    zero = next((lag for lag, y in norms if y == 0), None)
    return reach + (f" From {count(zero)} steps back on it is exactly zero." if zero is not None else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
