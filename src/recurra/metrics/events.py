"""How many anomalies were found, counted by event: a run of steps that belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.errors import UsageError
from recurra.metrics.base import Metric, register_metric, share_metric

Event = tuple[int, int]
"""First step, and the step behind the last."""


register_metric(
    share_metric(
        "event_f1",
        "event F1",
        110,
        "The harmonic mean of how many of its alarms were in an event that is abnormal (precision) and how many of these "
        "events it found (recall).",
    ),
    share_metric("event_precision", "event precision", 120),
    share_metric("event_recall", "event recall", 130),
    Metric("flagged", "flagged", rank=360, percent=True, versus="difference"),
    Metric("alarms", "alarms", rank=370, digits=0, versus="difference"),
)


def event_counts(true: Sequence[Event], predicted: Sequence[Event]) -> dict[str, int]:
    """Count events that were found, false alarms and events that were missed, as telemanom does.

    An event is found where some predicted one shares a step with it, however many do. A predicted one that shares no step
    with any event is a false alarm; one that lies over two events finds both.

    Returns:
        "tp", "fp", "fn".

    Raises:
        UsageError: an event that ends before it begins.

    Source: Hundman et al. 2018, arXiv:1802.04431, section 4.2. Its code (telemanom/detector.py, 2019) finds but the
    first of several events under one predicted sequence; the paper does not say so, nor did its first code
    (telemanom/errors.py, 2018), which is followed here.

    >>> event_counts([(10, 20), (30, 40)], [(15, 17), (18, 25), (50, 60)])
    {'tp': 1, 'fp': 1, 'fn': 1}
    """
    wanted, found = _to_array("true", true), _to_array("predicted", predicted)
    shared = (wanted[:, None, 0] < found[None, :, 1]) & (found[None, :, 0] < wanted[:, None, 1])
    tp = int(shared.any(1).sum())
    return {"tp": tp, "fp": int((~shared.any(0)).sum()), "fn": len(wanted) - tp}


def event_scores(true: Mapping[str, Sequence[Event]], predicted: Mapping[str, Sequence[Event]]) -> dict[str, Any]:
    """Give precision, recall, F1 and F0.5 over the events of all channels, and the counts of each.

        precision = tp / (tp + fp)      recall = tp / (tp + fn)      F_β = (1 + β²)·P·R / (β²·P + R)

    Args:
        true, predicted: events of each channel (or series) by its name; one that is not there has none.

    Returns:
        "precision", "recall", "f1", "f05", "tp", "fp", "fn", and under "channels" the same for each. Metrics are 0 where there
        is nothing to share, as in telemanom's.

    >>> scores = event_scores({"A": [(0, 5)], "B": [(3, 9)]}, {"A": [(4, 8)], "C": [(1, 2)]})
    >>> scores["precision"], scores["recall"], scores["channels"]["C"]["fp"]
    (0.5, 0.5, 1)
    """
    names = list(dict.fromkeys([*true, *predicted]))
    counts = {name: event_counts(true.get(name, ()), predicted.get(name, ())) for name in names}
    total = {key: sum(each[key] for each in counts.values()) for key in ("tp", "fp", "fn")}
    return {**_scores(total), "channels": {name: _scores(each) for name, each in counts.items()}}


def step_scores(true: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Give precision, recall, F1 and F0.5 of flags, step by step.

    They are not "point-adjusted", as metrics of many papers on these data sets are: there a whole event counts as found
    step by step as soon as one of its steps is flagged. Long events then let random flags reach an F1 above those of all
    published models (Kim et al. 2022, arXiv:2109.05257), so such metrics say little, and none is given here.

    Args:
        true, predicted: (T,), true where a step is, or was found to be, unusual.

    >>> step_scores(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))["f1"]
    0.6666666666666666
    """
    wanted, found = np.asarray(true, bool), np.asarray(predicted, bool)
    if wanted.shape != found.shape or wanted.ndim != 1:
        raise UsageError(f"predicted: expected a flag for each of {wanted.shape} steps, got {found.shape}")
    counts = {
        "tp": int((wanted & found).sum()),
        "fp": int((~wanted & found).sum()),
        "fn": int((wanted & ~found).sum()),
    }
    return _scores(counts)


def _scores(counts: Mapping[str, int]) -> dict[str, Any]:
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    return {
        "precision": tp / (tp + fp) if tp + fp else 0.0,
        "recall": tp / (tp + fn) if tp + fn else 0.0,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0,
        "f05": 1.25 * tp / (1.25 * tp + fp + 0.25 * fn) if tp + fp + fn else 0.0,
        **counts,
    }


def _to_array(name: str, events: Sequence[Event]) -> np.ndarray:
    found = np.array(events, np.int64).reshape(-1, 2)
    if (found[:, 1] <= found[:, 0]).any():
        bad = found[found[:, 1] <= found[:, 0]][0].tolist()
        raise UsageError(f"{name}: expected events (first step, step behind the last), got {tuple(bad)}")
    return found
