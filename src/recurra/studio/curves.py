"""The curves of a training, and its events as they come."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from recurra.formatting import finite
from recurra.metrics import get_metric, metric_keys
from recurra.report.points import thin
from recurra.report.record import Record, curve_of
from recurra.studio.summary import better, planned_steps
from recurra.training.log import MAX_EVENT_BYTES

MAX_POINTS = 2000
MAX_BYTES_AT_ONCE = 4 * 2**20
_OF_TRAINING = {"loss": "training loss", "lr": "learning rate", "grad_norm": "gradient norm"}


def curves(record: Record, units: str) -> dict[str, Any]:
    """Give every curve that a run has recorded; units: what its task counts in, such as words."""
    named = {**_OF_TRAINING, "units_per_second": f"{units} per second"}
    series = [
        _series(name, key, "train", "lower" if key == "loss" else None, curve_of(record.train, key))
        for key, name in named.items()
    ]
    for key in dict.fromkeys(key for event in record.valid for key in metric_keys(event)):
        metric = get_metric(key)
        series.append(_series(f"held-out {metric.title}", key, "valid", better(metric), curve_of(record.valid, key)))
    samples = [{"step": event["step"], "text": event["text"]} for event in record.samples if "text" in event]
    gradient = [{"step": event["step"], "norms": event["norms"]} for event in record.lags if "norms" in event]
    best = None if record.best is None else {"step": record.best["step"]}
    return {"series": [one for one in series if one["points"]], "best": best, "samples": samples, "gradient": gradient}


def _series(name: str, key: str, part: str, way: str | None, points: list[tuple[float, float]]) -> dict[str, Any]:
    kept = [[int(step), value if math.isfinite(value) else None] for step, value in thin(points, MAX_POINTS)]
    return {"name": name, "key": key, "part": part, "better": way, "points": kept}


class EventTail:
    """Reads the lines of metrics.jsonl as they are written.  number: of the next line, from 0."""

    def __init__(self, path: Path, after: int = 0) -> None:
        self.path, self.number, self._skipped, self._position, self._rest = path, 0, after, 0, b""

    def read(self) -> list[tuple[int, dict[str, Any]]]:
        """Give the new events, each with its number; a training that was resumed may have cut back what was there, which comes again then."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) < self._position:
                    self.number, self._position, self._rest = 0, 0, b""
                file.seek(self._position)
                data = file.read(MAX_BYTES_AT_ONCE)
        except FileNotFoundError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest if len(self._rest) <= MAX_EVENT_BYTES else b""
        found = []
        for line in lines:
            number, self.number = self.number, self.number + 1
            if number >= self._skipped and (event := _parse(line)) is not None:
                found.append((number, event))
        return found


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def progress(record: Record) -> dict[str, Any]:
    """Say how far a training is, and how many seconds are left of it."""
    last = record.train[-1] if record.train else {}
    step, steps, seconds = finite(last.get("step")), finite(planned_steps(record)), finite(last.get("seconds"))
    left = None
    if step and steps and seconds is not None:
        left = round(max(0.0, steps - step) * seconds / step, 1)
    return {"step": step, "steps": steps, "seconds": seconds, "left": left}
