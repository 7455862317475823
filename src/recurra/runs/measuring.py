"""Measuring a run: a figure that cannot be computed is left out with its reason, and never costs a training its weights."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from recurra.errors import DataError, RecurraError
from recurra.tasks import Task
from recurra.tasks.base.predictor import Predictor

ARITHMETIC_FAULTS = (ArithmeticError, np.linalg.LinAlgError)
"""What computing raises where the numbers themselves are the reason: an overflow, a division by zero, a singular matrix."""
MAX_METRICS_NAMED = 6
"""Figures that are left out which a note names; of more, how many."""


def measure(
    task: Task,
    predictor: Predictor,
    data: list[str] | None,
    progress: Callable[[str], None],
    *,
    baselines: bool = True,
    options: Any = None,
) -> dict[str, Any]:
    """Do as `Task.evaluate`, and leave out what is not finite; raises `DataError` where the numbers do not allow any measurement."""
    try:
        with np.errstate(all="ignore"):  # what came of it is looked at below
            evaluation = task.evaluate(predictor, data, progress, baselines=baselines, options=options)
    except ARITHMETIC_FAULTS as error:
        reason = f"cannot be measured: {type(error).__name__}: {error}"
        raise DataError(
            reason, source=" ".join(data or []) or None, hint="write the values in a larger unit"
        ) from error
    return finite_evaluation(evaluation)


def calibrate(
    task: Task, predictor: Predictor, weights: Mapping[str, Tensor], note: Callable[[str], None]
) -> Exception | None:
    """Give a predictor its weights, and calibrate it; where that fails it stays as it was trained.

    Gives the error where it is neither the data's nor the numbers' fault.
    """
    predictor.network.load_state_dict(weights)
    try:
        with np.errstate(all="ignore"):
            task.calibrate(predictor)
        for name, tensor in predictor.network.state_dict().items():
            if tensor.is_floating_point() and not tensor.isfinite().all():
                raise FloatingPointError(f"{name} is not finite")
    except Exception as error:  # noqa: BLE001  a task may raise anything, and must not lose a run
        predictor.network.load_state_dict(weights)
        note(f"it is not calibrated: {_reason(error)}")
        return None if isinstance(error, (RecurraError, *ARITHMETIC_FAULTS)) else error
    return None


def measure_for_record(
    task: Task, predictor: Predictor, note: Callable[[str], None]
) -> tuple[dict[str, Any], Exception | None]:
    """Measure on what the run holds out, as an event of its record; where that fails the event holds the reason.

    Gives the error too where it is neither the data's nor the numbers' fault.
    """
    try:
        evaluation = measure(task, predictor, None, note)
        json.dumps(evaluation, allow_nan=False)  # what the record cannot hold is found out here
    except Exception as error:  # noqa: BLE001  a run without figures is of more use than none
        note(f"it is not measured: {_reason(error)}")
        unmeasured = {"event": "unmeasured", "reason": _reason(error)}
        return unmeasured, None if isinstance(error, RecurraError) else error
    return {"event": "evaluation", **evaluation}, None


def raise_faults(folder: Path, faults: Sequence[Exception | None]) -> None:
    """Raise `RecurraError` for the first error that is a fault of the program: the run is whole by now."""
    for fault in filter(None, faults):
        raise RecurraError(
            f"{folder} is a whole run and can be used, but a fault of the program has kept it from being measured: {_reason(fault)}; "
            f"please report it; once it is mended: recurra evaluate {folder}"
        ) from fault


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, RecurraError) else f"{type(error).__name__}: {error}"


def finite_evaluation(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Give an evaluation without the figures that are not finite; a note names those, and why.

    A metric and an interval are left out, in a curve there is a gap (None).

    >>> kept = finite_evaluation({"metrics": {"mae": 1.0, "mse": math.inf}, "baselines": {"mean": {"mse": math.nan}}})
    >>> kept["metrics"], kept["baselines"]
    ({'mae': 1.0}, {'mean': {}})
    >>> kept["details"]["notes"]
    ['left out, since the numbers are too large or too small to compute with: mse (inf), mean: mse (nan)']
    """
    metrics, baselines, details = (evaluation.get(key, {}) for key in ("metrics", "baselines", "details"))
    left_out = _not_finite(metrics)
    for name, values in baselines.items():
        left_out += [f"{name}: {each}" for each in _not_finite(values)]
    kept, gaps = _with_gaps(details)
    intervals = details.get("intervals", {})
    if isinstance(intervals, dict) and "intervals" in kept:
        kept["intervals"] = {name: ends for name, ends in intervals.items() if not _with_gaps(ends)[1]}
    if not left_out and not gaps:
        return evaluation
    named = left_out[:MAX_METRICS_NAMED]
    if more := len(left_out) - len(named):
        named.append(f"{more:,} more figures")
    if gaps:
        named.append(f"{gaps:,} numbers of the details")
    note = f"left out, since the numbers are too large or too small to compute with: {', '.join(named)}"
    return {
        **evaluation,
        "metrics": _finite(metrics),
        "baselines": {name: _finite(values) for name, values in baselines.items()},
        "details": {**kept, "notes": [*kept.get("notes", []), note]},
    }


def _not_finite(metrics: dict[str, float]) -> list[str]:
    return [f"{name} ({value})" for name, value in metrics.items() if not math.isfinite(value)]


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _with_gaps(value: Any) -> tuple[Any, int]:
    """Give a JSON value with None in the place of each number that is not finite, and how many these are."""
    if isinstance(value, float):
        return (value, 0) if math.isfinite(value) else (None, 1)
    if isinstance(value, dict):
        pairs = {key: _with_gaps(each) for key, each in value.items()}
        return {key: each for key, (each, _) in pairs.items()}, sum(count for _, count in pairs.values())
    if isinstance(value, list | tuple):
        items = [_with_gaps(each) for each in value]
        return [each for each, _ in items], sum(count for _, count in items)
    return value, 0
