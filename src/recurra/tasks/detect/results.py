"""What a detector's results hold, and how they are written for people: steps, events, or whole series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recurra.data.timeseries.frequency import local_time
from recurra.data.timeseries.reader import TimeSeries
from recurra.tasks.detect.preprocessing import DetectorPreprocessor
from recurra.tasks.detect.scoring import Event, ScoredSegment, StepResult

SCORE_COLUMNS = ("score", "threshold", "verdict", "channel")


def to_result(
    scored: ScoredSegment, preprocessor: DetectorPreprocessor, k: int | None = None, *, steps: bool = False
) -> dict[str, Any]:
    """Give {"series", "count", "score", "anomaly", "events"} of a segment: its steps, the highest score, and all events.

    k: the k events with the highest scores alone.  steps: also "steps", {"time" or "step", "score", "threshold", "anomaly",
    "channel", "expected"} of each, with "missing" where values are.  A series that is scored as a whole gives
    {"series", "count", "score", "threshold", "anomaly", "channel"}.
    """
    series = scored.segment.series
    result: dict[str, Any] = {"series": series.name, "count": len(series)}
    if scored.whole is not None:
        result |= _score_fields(scored.whole, preprocessor.targets)
    else:
        peak = max((step.score for step in scored.steps if step.score is not None), default=None)
        events = [to_event(event, series, preprocessor.targets) for event in _highest(scored.events, k)]
        result |= {"score": _rounded(peak), "anomaly": bool(scored.events), "events": events}
    if steps:
        name = "time" if series.times.dtype.kind == "M" else "step"
        result["steps"] = [
            {name: format_time(series, at), **to_step(step, scored.predictions.location[at], series, preprocessor, at)}
            for at, step in enumerate(scored.steps)
        ]
    return result


def to_step(
    result: StepResult, location: np.ndarray, series: TimeSeries, preprocessor: DetectorPreprocessor, step: int = 0
) -> dict[str, Any]:
    """Give {"score", "threshold", "anomaly", "channel", "expected", "missing"?} of a step.

    location: what was predicted for it, (C) scaled.
    """
    targets, values = preprocessor.targets, series.values[step]
    expected = [round(float(each), 6) for each in preprocessor.unscale(location.astype(np.float64), series.name)]
    missing = [channel for channel, value in zip(targets, values, strict=True) if np.isnan(value)]
    return {
        **_score_fields(result, targets),
        "expected": expected[0] if len(expected) == 1 else expected,
        **({"missing": missing} if missing else {}),
    }


def to_event(event: Event, series: TimeSeries, targets: Sequence[str], first: int = 0) -> dict[str, Any]:
    """Give {"start", "end", "score", "channel"}, the end being the last step; first: the step that steps are counted from."""
    return {
        "start": format_time(series, first + event.first),
        "end": format_time(series, first + event.last - 1),
        "score": round(event.peak, 6),
        "channel": targets[event.channel],
    }


def format_time(series: TimeSeries, step: int = 0) -> str | int:
    """Write the time of a step: a stamp without needless zeros, with its zone where it has one, or the number of the step.

    >>> none, times = np.zeros((1, 0)), np.array(["2024-05-31T13:10"], "M8[us]")
    >>> format_time(TimeSeries("a", none, times, none, none, (), "")), format_time(TimeSeries("a", none, times, none, none, (), "", 120))
    ('2024-05-31 13:10:00', '2024-05-31 15:10:00+02:00')
    """
    (time,), zone = local_time(series.times[step : step + 1], series.utc_offset)
    if not isinstance(time, np.datetime64):
        return int(time)
    return str(time.astype("M8[us]")).replace("T", " ").removesuffix(".000000") + zone


def _score_fields(result: StepResult, targets: Sequence[str]) -> dict[str, Any]:
    return {
        "score": _rounded(result.score),
        "threshold": _rounded(result.threshold),
        "anomaly": result.anomaly,
        "channel": None if result.channel is None else targets[result.channel],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _highest(events: list[Event], k: int | None) -> list[Event]:
    """Give the k events with the highest scores, in their order."""
    kept = events if k is None else sorted(events, key=lambda event: -event.peak)[:k]
    return sorted(kept, key=lambda event: event.first)


def format_header(result: Mapping[str, Any], *, named: bool = False) -> str:
    """Name the columns of what `format_result` writes of a result and of those after it.

    named: the series of a stream have names.

    >>> format_header({"time": "2024-05-31", "score": 7.5, "threshold": 5.0, "anomaly": True, "channel": "temp", "expected": 20.0})
    'time\\tscore\\tthreshold\\tverdict\\tchannel\\texpected\\tmissing'
    """
    if "steps" in result:
        steps = result["steps"]
        return "\t".join(["series", *_columns(steps[0] if steps else {"step": 0, "expected": 0})])
    if "events" in result:
        return "\t".join(("series", "verdict", "start", "end", "score", "channel"))
    return "\t".join([*(["series"] if named and "series" not in result else []), *_columns(result)])


def format_result(result: Mapping[str, Any], *, named: bool = False) -> str:
    """Write a step, or a series: a row for each event, or for each step, with tabs between; an empty cell says nothing.

    named: the series of a stream have names, so that a step without one leaves its cell empty.

    >>> format_result({"time": "2024-05-31", "score": 7.5, "threshold": 5.0, "anomaly": True, "channel": "temp", "expected": 20.0})
    '2024-05-31\\t7.5\\t5\\tANOMALY\\ttemp\\t20\\t'
    """
    if "steps" in result:
        return "\n".join(f"{result['series']}\t{_format_one(step)}" for step in result["steps"])
    if "events" in result:
        events = [_format_event(event, result["series"]) for event in result["events"]]
        quiet = _cells(result["series"], _verdict(result), "", "", _short(result["score"]), "")
        return "\n".join(events) or quiet
    return "\t" * (named and "series" not in result) + _format_one(result)


def _columns(result: Mapping[str, Any]) -> list[str]:
    first = [name for name in ("series", "time", "step") if name in result]
    if "expected" not in result:
        return [*first, *SCORE_COLUMNS]
    return [*(first if "step" in first or "time" in first else [*first, "time"]), *SCORE_COLUMNS, "expected", "missing"]


def _format_one(result: Mapping[str, Any]) -> str:
    first = [result[name] for name in ("series", "time", "step") if name in result]
    cells = [_short(result["score"]), _short(result["threshold"]), _verdict(result), result.get("channel") or ""]
    if "expected" not in result:  # a whole series
        return _cells(*first, *cells)
    if not {"time", "step"} & result.keys():
        first.append("")
    expected = result["expected"] if isinstance(result["expected"], list) else [result["expected"]]
    return _cells(*first, *cells, " ".join(map(_short, expected)), " ".join(result.get("missing", [])))


def _verdict(result: Mapping[str, Any]) -> str:
    return "not judged" if result["score"] is None else "ANOMALY" if result["anomaly"] else "normal"


def _format_event(event: Mapping[str, Any], series: str) -> str:
    return _cells(series, "ANOMALY", event["start"], event["end"], _short(event["score"]), event["channel"])


def _cells(*cells: Any) -> str:
    return "\t".join(map(str, cells))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
