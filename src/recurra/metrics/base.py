"""What a metric is called, how it is written, and which way is better: each module of metrics describes its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from recurra.formatting import PER_CENT, decimal, finite, per_cent


@dataclass(frozen=True)
class Metric:
    """One measured quantity, as people read it.

    >>> perplexity = Metric("perplexity", "perplexity", digits=2)
    >>> perplexity.format(4.1234), perplexity.format(None)
    ('4.12', '–')
    """

    key: str
    title: str
    rank: int | None = None
    """Of the metrics of an evaluation, the one with the lowest rank is its headline; None: after all that have one."""
    lower_is_better: bool | None = None
    """None where it is not known."""
    digits: int = 3
    unit: str = ""
    percent: bool = False
    versus: Literal["ratio", "difference"] = "ratio"
    """How two values are compared: a ratio needs a true zero."""
    logarithmic: bool = False
    """Bars are drawn by the logarithm, from 1: for metrics that span orders of magnitude."""
    is_loss: bool = False
    """On the same scale as the training loss, so that both belong into one chart."""
    gloss: str = ""
    """What it means, with {value} for the value."""

    def format(self, value: object) -> str:
        """Write a value; what is no finite number becomes a dash."""
        number = finite(value)
        if number is None:
            return "–"
        return per_cent(number) if self.percent else decimal(number, self.digits)

    def format_interval(self, interval: object) -> str:
        """Write an interval [low, high]; "" where it is none.

        >>> Metric("accuracy", "accuracy", percent=True).format_interval([0.735, 0.788]), Metric("nll", "nll").format_interval(3)
        ('73.5–78.8\\xa0%', '')
        """
        ends = [finite(end) for end in interval] if isinstance(interval, list | tuple) else []
        if len(ends) != 2 or None in ends:
            return ""
        low, high = (self.format(end) for end in ends)
        return f"{low.removesuffix(PER_CENT) if self.percent else low}–{high}"

    def compare(self, value: float, other: float) -> tuple[str, bool | None]:
        """Say in words how a value compares with another, and whether it is better (None: level, or no direction is known).

        >>> Metric("perplexity", "perplexity", lower_is_better=True).compare(4.12, 6.6)
        ('38\\xa0% below', True)
        >>> Metric("accuracy", "accuracy", lower_is_better=False, percent=True, versus="difference").compare(0.75, 0.8)
        ('5.0\\xa0points below', False)
        """
        difference = value - other
        if self.versus == "ratio" and other > 0:
            # Small advantages are claimed to a tenth of a per cent, never rounded up to a whole one.
            share = 100 * difference / other
            size, unit = f"{abs(share):.{0 if abs(share) >= 10 else 1}f}", "%"
        elif self.percent:
            size, unit = f"{100 * abs(difference):.1f}", "points"
        else:
            size, unit = decimal(abs(difference), self.digits), self.unit
        if not float(size.replace(",", "")):
            return "level with", None
        words = [f"{size}\u00a0{unit}".strip(), "below" if difference < 0 else "above"]
        return " ".join(words), None if self.lower_is_better is None else (difference < 0) == self.lower_is_better


def share_metric(key: str, title: str, rank: int, gloss: str = "") -> Metric:
    """Describe a share of one that is better the higher it is.

    >>> share_metric("accuracy", "accuracy", 30).format(0.873)
    '87.3\\xa0%'
    """
    return Metric(key, title, rank, lower_is_better=False, percent=True, versus="difference", gloss=gloss)


_metrics: dict[str, Metric] = {}
_families: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Metric]]] = []


def register_metric(*metrics: Metric) -> None:
    """Make metrics known by their keys; raises `ValueError` for a key or a rank that another one has."""
    for metric in metrics:
        if metric.key in _metrics:
            raise ValueError(f"a metric with the key {metric.key!r} is registered already")
        same = [other.key for other in _metrics.values() if other.rank is not None and other.rank == metric.rank]
        if same:
            raise ValueError(f"{metric.key}: the rank {metric.rank} is that of {same[0]}")
        _metrics[metric.key] = metric


def register_metric_family(pattern: str, describe: Callable[[re.Match[str]], Metric]) -> None:
    """Make all metrics known whose whole keys match a pattern; describe: gives a metric from the match of its key."""
    _families.append((re.compile(pattern), describe))


def get_metric(key: str) -> Metric:
    """Find the description of a metric; one that nobody has described keeps its own name and claims no direction.

    >>> get_metric("some_new_score").title
    'some new score'
    """
    if key in _metrics:
        return _metrics[key]
    for pattern, describe in _families:
        if match := pattern.fullmatch(key):
            return describe(match)
    return Metric(key, key.replace("_", " "))


def registered_metrics() -> list[Metric]:
    """List the metrics that are known by their keys, the one to put into a headline first."""
    return sorted(_metrics.values(), key=_rank)


def headline_metric(values: Mapping[str, object]) -> Metric | None:
    """Choose the metric that speaks for all of an evaluation: of those with a finite value, the one with the lowest rank.

    Where none has a rank it is the first; None where no value is finite.
    """
    found = [get_metric(key) for key, value in values.items() if finite(value) is not None]
    return min(found, key=_rank, default=None)


def _rank(metric: Metric) -> float:
    return float("inf") if metric.rank is None else metric.rank


NOT_METRICS = {"event", "step", "epoch", "seconds", "best"}
"""Fields of a `valid` event that say when it was."""


def metric_keys(event: Mapping[str, object]) -> list[str]:
    """Name the metrics of a `valid` event, in its own order: the first is the one that training goes by.

    >>> metric_keys({"event": "valid", "step": 5, "nll": 1.6, "perplexity": 5.0, "seconds": 9.1, "best": True})
    ['nll', 'perplexity']
    """
    return [
        key
        for key, value in event.items()
        if key not in NOT_METRICS and isinstance(value, int | float) and not isinstance(value, bool)
    ]


register_metric(
    # The training loss, and what several modules measure.
    Metric("nll", "nll", rank=340, lower_is_better=True, unit="nats", versus="difference", is_loss=True),
    Metric("loss", "loss", rank=380, lower_is_better=True, versus="difference", is_loss=True),
)
