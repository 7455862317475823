"""What a report shows of a forecaster."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from recurra.baselines import baseline_title
from recurra.metrics import get_metric
from recurra.report.blocks import Band, Block, Chart, Lines, Picture, Series, note_blocks
from recurra.report.fields import details, mapping, mappings, numbers, rows

SAMPLES_TITLE = "How its forecasts change"
USAGE = (("Forecast what comes after the rows of a file", "recurra predict {run} FILE"),)
ERROR_METRICS = ("mase", "mae")
"""Of the errors by horizon, the first that there is of these is drawn."""
_NOTE = "Held-out steps, forecast from the last step before them. Shaded: the intervals; the darker, the likelier."
_STYLES = ("held", "early", "other", "train", "known")


def blocks(evaluation: Mapping[str, Any]) -> list[Block]:
    """Give what there is to see of an evaluation; whatever is missing or broken is left out."""
    found = details(evaluation)
    pictures = [picture for picture in map(_forecast, mappings(found.get("forecasts"))) if picture is not None]
    forecasts: list[Block] = [Lines("Forecasts and actual values", pictures, _NOTE)] if pictures else []
    return [*note_blocks(evaluation), *forecasts, *_error_blocks(found)]


def _forecast(one: Mapping[str, Any]) -> Picture | None:
    """Draw a forecast: "series", "target", "time" (of history and horizon), "history", "actual", "mean" (numbers, null where one is
    missing), "quantiles" {level: numbers}.
    """
    history, actual, mean = (numbers(one.get(key)) for key in ("history", "actual", "mean"))
    if not mean or not history:
        return None
    times, first = [str(time) for time in rows(one.get("time"))], len(history)
    known = [(float(at), value) for at, value in enumerate([*history, *actual])]
    forecast = [(float(first - 1), history[-1]), *((float(first + at), value) for at, value in enumerate(mean))]
    name = " · ".join(filter(None, [str(one.get("series", "")), str(one.get("target", ""))]))
    chart = Chart(
        f"{name}: forecast and actual values",
        [Series("actual values", known, "known"), Series("forecast", forecast, "held")],
        x_label="time" if times and not times[0].isdecimal() else "step",
        bands=_bands(mapping(one.get("quantiles")), first, len(mean)),
        x_names=times if len(times) >= first + len(mean) else (),
    )
    return Picture(name, chart)


def _bands(quantiles: Mapping[str, Any], first: int, steps: int) -> list[Band]:
    """Give the areas between quantiles that lie as far from the middle, from the widest to the narrowest."""
    levels = {
        level: values
        for key, given in quantiles.items()
        if (level := _level(key)) is not None and len(values := numbers(given)) == steps
    }
    bands = []
    for low in sorted(level for level in levels if level < 0.5):
        high = next((level for level in levels if abs(level - (1 - low)) < 1e-9), None)
        if high is not None and all(map(math.isfinite, [*levels[low], *levels[high]])):
            ends = zip(levels[low], levels[high], strict=True)
            bands.append(Band([(float(first + at), *pair) for at, pair in enumerate(ends)], "held"))
    return bands


def _level(key: object) -> float | None:
    try:
        return float(str(key))
    except ValueError:
        return None


def _error_blocks(found: Mapping[str, Any]) -> list[Block]:
    """Draw how the error grows with the horizon: "by_step" {metric: numbers}, and "beside" of baselines, of "fewer" on a part alone."""
    own = mapping(found.get("by_step"))
    key = next((name for name in ERROR_METRICS if name in own), None)
    if key is None:
        return []
    on_a_part = mapping(found.get("fewer"))
    errors = {"this model": own} | {
        baseline_title(str(name)) + "*" * (name in on_a_part): row for name, row in mapping(found.get("beside")).items()
    }
    styles = [*_STYLES, *(["early"] * len(errors))]
    series = [
        Series(name, [(float(step), value) for step, value in enumerate(numbers(row.get(key)), 1)], style)
        for (name, row), style in zip(errors.items(), styles, strict=False)
        if isinstance(row, Mapping)
    ]
    title = f"{get_metric(key).title} by steps ahead"
    # The model's own curve is on top: where a baseline is level with it, it has to be seen.
    chart = Chart(title, series[::-1], "steps ahead", zero=True)
    return [Lines("Error by horizon", [Picture(title, chart)])]
