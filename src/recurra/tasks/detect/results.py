"""What a detector says, as rows of a table: steps, events, or whole series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JUDGED = ("score", "threshold", "verdict", "channel")


def header(result: Mapping[str, Any], *, named: bool = False) -> str:
    """Name the columns of what `line` writes of a result and of those after it.

    named: the series of a stream have names.

    >>> header({"time": "2024-05-31", "score": 7.5, "threshold": 5.0, "anomaly": True, "channel": "temp", "expected": 20.0})
    'time\\tscore\\tthreshold\\tverdict\\tchannel\\texpected\\tmissing'
    """
    if "steps" in result:
        steps = result["steps"]
        return "\t".join(["series", *_columns(steps[0] if steps else {"step": 0, "expected": 0})])
    if "events" in result:
        return "\t".join(("series", "verdict", "start", "end", "score", "channel"))
    return "\t".join([*(["series"] if named and "series" not in result else []), *_columns(result)])


def line(result: Mapping[str, Any], *, named: bool = False) -> str:
    """Write a step, or a series: a row for each event, or for each step, with tabs between; an empty cell says nothing.

    named: the series of a stream have names, so that a step without one leaves its cell empty.

    >>> line({"time": "2024-05-31", "score": 7.5, "threshold": 5.0, "anomaly": True, "channel": "temp", "expected": 20.0})
    '2024-05-31\\t7.5\\t5\\tANOMALY\\ttemp\\t20\\t'
    """
    if "steps" in result:
        return "\n".join(f"{result['series']}\t{_judged(step)}" for step in result["steps"])
    if "events" in result:
        events = [_event(event, result["series"]) for event in result["events"]]
        quiet = _cells(result["series"], _verdict(result), "", "", _short(result["score"]), "")
        return "\n".join(events) or quiet
    return "\t" * (named and "series" not in result) + _judged(result)


def _columns(result: Mapping[str, Any]) -> list[str]:
    first = [name for name in ("series", "time", "step") if name in result]
    if "expected" not in result:
        return [*first, *JUDGED]
    return [*(first if "step" in first or "time" in first else [*first, "time"]), *JUDGED, "expected", "missing"]


def _judged(result: Mapping[str, Any]) -> str:
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


def _event(event: Mapping[str, Any], series: str) -> str:
    return _cells(series, "ANOMALY", event["start"], event["end"], _short(event["score"]), event["channel"])


def _cells(*cells: Any) -> str:
    return "\t".join(map(str, cells))


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
