"""Some forecasts as pictures: what was known, what was foretold and between what, and what came."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from recurra.report.figures import figure
from recurra.report.names import baseline_name
from recurra.report.numbers import finite
from recurra.report.svg import Band, Series, line_chart


def section(found: Mapping[str, Any]) -> str:
    """Draw each of `found["forecasts"]`, and the error at each step ahead; "" where there are none.

    A forecast: "series", "target", "time" (of history and horizon), "history", "actual", "mean" (numbers, null where one is
    missing), "quantiles" {level: numbers}.
    """
    drawn = [_drawn(each) for each in found.get("forecasts", []) if isinstance(each, Mapping)]
    pictures = [one for one in drawn if one]
    if not pictures:
        return ""
    said = (
        '<p class="note">Held-out steps, foretold from the last step before them. Shaded: the intervals; the darker, the '
        "likelier.</p>"
    )
    legend = '<p class="legend"><span class="known">what came</span><span class="held">forecast</span></p>'
    return said + legend + "".join(pictures)


def _numbers(value: object) -> list[float]:
    items = value if isinstance(value, list) else []
    return [math.nan if (number := finite(one)) is None else number for one in items]


def _drawn(one: Mapping[str, Any]) -> str:
    history, actual, mean = (_numbers(one.get(key)) for key in ("history", "actual", "mean"))
    times = [str(time) for time in one.get("time", [])]
    if not mean or not history:
        return ""
    begin = len(history)
    known = [(float(at), value) for at, value in enumerate([*history, *actual])]
    said = [(float(begin - 1), history[-1]), *((float(begin + at), value) for at, value in enumerate(mean))]
    quantiles = one.get("quantiles")
    levels = {
        level: numbers
        for key, values in (quantiles if isinstance(quantiles, Mapping) else {}).items()
        if (level := _level(key)) is not None and len(numbers := _numbers(values)) == len(mean)
    }
    bands = []
    for low in sorted(level for level in levels if level < 0.5):
        high = next((level for level in levels if abs(level - (1 - low)) < 1e-9), None)
        if high is not None and all(map(math.isfinite, [*levels[low], *levels[high]])):
            ends = zip(levels[low], levels[high], strict=True)
            bands.append(Band([(float(begin + at), *pair) for at, pair in enumerate(ends)], "held"))
    name = " · ".join(filter(None, [str(one.get("series", "")), str(one.get("target", ""))]))
    chart = line_chart(
        [Series("what came", known, "known"), Series("forecast", said, "held")],
        title=f"{name}: forecast and what came",
        x_label="time" if times and not times[0].isdecimal() else "step",
        bands=bands,
        names=times if len(times) >= begin + len(mean) else (),
    )
    return f'<figure class="card"><figcaption>{escape(name)}</figcaption>{chart}</figure>' if chart else ""


def _level(key: object) -> float | None:
    try:
        return float(str(key))
    except ValueError:
        return None


def by_step(found: Mapping[str, Any]) -> str:
    """Draw how the error grows with the steps ahead: `found["by_step"]` {figure: numbers}, and `found["beside"]` of baselines."""
    first, others = found.get("by_step"), found.get("beside")
    if not isinstance(first, Mapping):
        return ""
    rows = {"this model": first}
    fewer = found.get("fewer")
    part = set(fewer) if isinstance(fewer, Mapping) else set()
    if isinstance(others, Mapping):
        rows |= {baseline_name(str(name)) + "*" * (name in part): row for name, row in others.items()}
    key = next((name for name in ("mase", "mae") if name in first), None)
    if key is None:
        return ""
    styles = ["held", "early", "other", "train", "known"]
    curves = [
        Series(str(name), [(float(at), value) for at, value in enumerate(_numbers(row.get(key)), 1)], style)
        for (name, row), style in zip(rows.items(), [*styles, *(["early"] * len(rows))], strict=False)
        if isinstance(row, Mapping)
    ]
    legend = "".join(f'<span class="{each.style}">{escape(each.name)}</span>' for each in curves)
    what = figure(key).name
    # The model's own curve is drawn last: where a baseline is level with it, it has to be seen.
    chart = line_chart(curves[::-1], title=f"{what} by steps ahead", x_label="steps ahead", zero=True)
    card = f'<figure class="card"><figcaption>{escape(what)} by steps ahead</figcaption>{chart}</figure>'
    return f'<p class="legend">{legend}</p>{card}' if chart else ""
