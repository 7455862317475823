"""Forecasts as they are written: their numbers, their times, and the rows of a table of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.data.timeseries.frequency import Frequency, local_time
from recurra.data.timeseries.grid import NumericTimes, future_times
from recurra.data.timeseries.reader import TimeSeries

SIGNIFICANT_DIGITS = 7
"""Significant digits of a forecast, and of how wide it is: more than its numbers hold."""
NARROW_SHARE = 1e-3
"""Width of an interval, as a share of its number, below which it needs digits of its own."""


def round_significant(values: np.ndarray, width: np.ndarray | float = 0.0) -> np.ndarray:
    """Round to `SIGNIFICANT_DIGITS` significant digits: each number is the one that is read back from so many written.

    width: of the intervals around values; those that are narrow relative to their value have as many digits of their width.

    >>> round_significant(np.array([1234.56789, -0.000123456789, 1e30 / 3, 0.0])).tolist()
    [1234.568, -0.0001234568, 3.333333e+29, 0.0]
    >>> round_significant(np.array([123456789.87654321]), np.array([20.0])).tolist()
    [123456789.87654]
    """
    size = np.abs(values)
    # Powers of ten up to 10**22 are exact, and so is what they are multiplied with: one rounding, as in reading.
    plain = (size >= 1e-9) & (size < 1e22)
    places = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.where(plain, size, 1.0))).astype(np.int64)
    up, down = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
    whole = np.where(plain, values, 1.0) * up / down
    near = np.rint(whole)
    found = near * down / up
    # What lies halfway, or where the logarithm was rounded up, is written out.
    odd = ~plain | (np.abs(np.abs(whole - near) - 0.5) < 1e-6) | (np.abs(near) < 10.0 ** (SIGNIFICANT_DIGITS - 1))
    narrow = (width > 0) & (width < NARROW_SHARE * size)
    odd |= narrow
    more = np.log10(np.divide(size, width, out=np.ones_like(size), where=narrow))
    digits = np.minimum(SIGNIFICANT_DIGITS + np.ceil(more), sys.float_info.dig).astype(np.int64)
    found[odd] = [float(f"{v:.{d}g}") for v, d in zip(values[odd].tolist(), digits[odd].tolist(), strict=True)]
    return found


def to_result(mean: np.ndarray, quantiles: np.ndarray, channel: int, levels: Sequence[float]) -> dict[str, Any]:
    """Give {"mean", "quantiles"} of one channel, for mean (h, C) and quantiles (h, C, Q) at the levels.

    >>> to_result(np.array([[1.5]]), np.array([[[1.0, 2.25]]]), 0, [0.1, 0.9])
    {'mean': [1.5], 'quantiles': {'0.1': [1.0], '0.9': [2.25]}}
    """
    columns = quantiles[:, channel].T.tolist()
    return {
        "mean": mean[:, channel].tolist(),
        "quantiles": dict(zip([f"{level:g}" for level in levels], columns, strict=True)),
    }


def forecast_times(series: TimeSeries, horizon: int, step: Frequency | None) -> list[Any]:
    """Give the times of the steps ahead, as JSON has them; "+1", "+2", … where rows are steps however far apart they are."""
    times = series.times
    if (lacking := len(series) + horizon - len(times)) > 0:
        if times.dtype.kind == "M" and step is None:
            known = format_times(times[len(series) :], None, series.utc_offset)
            return [*known, *(f"+{ahead}" for ahead in range(len(known) + 1, horizon + 1))]
        times = np.concatenate([times, future_times(times, step, lacking)])
    return format_times(times[len(series) : len(series) + horizon], step, series.utc_offset, series.numeric_times)


def format_times(
    times: np.ndarray, step: Frequency | None, zone: int | None = None, numbers: NumericTimes | None = None
) -> list[Any]:
    """Write time stamps (T) all alike: to the day, the minute or as fine as they need; steps as they are numbered.

    zone: that of the series (`TimeSeries`), which stands behind each.  numbers: those of the series; None: steps are counted.

    >>> midnight = np.array(["2024-05-31T00:00"], "M8[us]")
    >>> format_times(midnight, Frequency(1, "d")), format_times(midnight, Frequency(10, "min"), 120), format_times(np.array([7]), None)
    (['2024-05-31'], ['2024-05-31T02:00+02:00'], [7])
    >>> format_times(np.array([120]), None, None, NumericTimes(5.0, 10.0))
    [1205]
    """
    if times.dtype.kind != "M":
        return times.tolist() if numbers is None else numbers.to_numbers(times)
    times, mark = local_time(times, zone)
    seconds = 1 if step is None else step.seconds
    units = ("D", "m", "s", "us")[0 if seconds % 86_400 == 0 and not mark else 1 if seconds % 60 == 0 else 2 :]
    unit = next(unit for unit in units if unit == "us" or np.all(times.astype(f"M8[{unit}]") == times))
    return [f"{time}{mark}" for time in times.astype(f"M8[{unit}]").astype(str).tolist()]


def format_result(result: Mapping[str, Any]) -> str:
    """Write a forecast as rows of a table: series, target, time, forecast, and the outermost quantiles.

    With "steps", a row for each, with its own time: the forecast of the step after it.

    >>> print(format_result({"series": "a", "target": "y", "time": [3], "mean": [1.5], "quantiles": {"0.1": [1.0], "0.9": [2.25]}}))
    a	y	3	1.5	1	2.25
    """
    names = list(result["quantiles"])

    def row(time: Any, forecast: Mapping[str, Any], at: int) -> str:
        numbers = (forecast["mean"][at], forecast["quantiles"][names[0]][at], forecast["quantiles"][names[-1]][at])
        return "\t".join([result["series"], result["target"], str(time), *map(_format_number, numbers)])

    if "steps" in result:
        return "\n".join(row(each["time"], each, 0) for each in result["steps"])
    return "\n".join(row(time, result, at) for at, time in enumerate(result["time"]))


def format_header(result: Mapping[str, Any]) -> str:
    """Name the columns of what `format_result` writes; the quantiles by their levels.

    >>> format_header({"series": "a", "target": "y", "time": [3], "mean": [1.5], "quantiles": {"0.1": [1.0], "0.9": [2.25]}})
    'series\\ttarget\\ttime\\tforecast\\t0.1\\t0.9'
    """
    names = list(result["quantiles"])
    time = "after" if "steps" in result else "time"
    return "\t".join(["series", "target", time, "forecast", names[0], names[-1]])


def _format_number(number: float) -> str:
    """Write a number that was rounded, without an exponent where that is short.

    >>> _format_number(12345680.0), _format_number(123456789.875), _format_number(1e-9)
    ('12345680', '123456789.875', '1e-09')
    """
    return f"{number:.{sys.float_info.dig}g}"
