"""What nobody may miss of an evaluation: that the model is of no use, or that its data can hardly be what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recurra.baselines import baseline_title, ignores_input
from recurra.formatting import WARNING, finite
from recurra.metrics import headline_metric

_SHARES_RIGHT = {"accuracy", "exact_match", "micro_f1", "balanced_accuracy"}
"""Metrics that say what share of the answers is right: of alarms, where there may be none, none is one."""
_MIN_EXAMPLES = 10  # of an evaluation, from which on its share of right answers says something


def evaluation_warnings(result: Mapping[str, Any]) -> list[str]:
    """Give what is to be said loudly of an evaluation; none where it is in order.

    It is that nothing is right, that the model is no better than a baseline that does not look at what it is asked about, such as
    the commonest class, and the notes that are warnings. What share is right of less than 10 examples can be chance.

    >>> result = {"metrics": {"accuracy": 0.5}, "baselines": {"majority": {"accuracy": 0.5}}}
    >>> evaluation_warnings(result)[0]
    'the model is no better than the majority class (accuracy 50.0\\xa0%): it has learnt nothing of use'
    >>> evaluation_warnings({"metrics": {"accuracy": 0.8}, "baselines": {"majority": {"accuracy": 0.5}}})
    []
    """
    metrics = result["metrics"]
    notes = result.get("details", {}).get("notes", [])
    found = [line.removeprefix(WARNING) for line in notes if line.startswith(WARNING)]
    metric = headline_metric(metrics)
    value = None if metric is None else finite(metrics[metric.key])
    if metric is None or value is None:
        return found
    if metric.key in _SHARES_RIGHT and result.get("count", _MIN_EXAMPLES) < _MIN_EXAMPLES:
        return found
    if metric.key in _SHARES_RIGHT and value == 0:
        return [
            f"nothing is right: {metric.title} {metric.format(value)}; are these the labels, and these the inputs?",
            *found,
        ]
    if metric.percent and metric.lower_is_better is False and value == 1:
        return found  # as good as can be, and so is a baseline where there is one class
    for name, others in result.get("baselines", {}).items():
        other = finite(others.get(metric.key))
        if ignores_input(name) and other is not None and not metric.compare(value, other)[1]:
            shown = f"{metric.title} {metric.format(other)}"
            problem = f"the model is no better than the {baseline_title(name)} ({shown}): it has learnt nothing of use"
            found.insert(0, problem)
    return found
