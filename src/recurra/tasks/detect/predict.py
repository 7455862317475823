"""What a trained detector can be asked: the events of a series, and what is said of each of its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from torch import nn

from recurra.data.timeseries.reader import Timed, TimedReading, is_frame, panel_of
from recurra.tasks.detect.data import Stretch, fitted
from recurra.tasks.detect.line_stream import as_series
from recurra.tasks.detect.network import DetectorNetwork
from recurra.tasks.detect.residuals import Told, told
from recurra.tasks.detect.scoring import POOLINGS, Judge, Verdict, pooled
from recurra.tasks.detect.stream import said, shown_time

if TYPE_CHECKING:
    from recurra.tasks.detect.task import Detector


@dataclass(frozen=True)
class Event:
    """Alarms that belong together: first step, the step behind the last, the highest score, and the channel that has it."""

    first: int
    last: int
    peak: float
    channel: int


@dataclass(frozen=True)
class Judged:
    """A stretch with what is said of each of its steps.  whole: of all of them, where it is judged as a whole."""

    stretch: Stretch
    told: Told
    verdicts: list[Verdict]
    events: list[Event]
    whole: Verdict | None = None


def judge(task: Detector, network: nn.Module, stretches: Sequence[Stretch]) -> list[Judged]:
    """Judge stretches, each by itself, as a stream would."""
    detector = cast(DetectorNetwork, network)
    given, begun = [], Judge(detector, task.config.scoring, whole=task.whole)
    kind = POOLINGS[int(detector.get_buffer("pooling"))]
    for stretch, one in zip(stretches, told(network, stretches), strict=True):
        judge = begun.fork()
        if task.whole:
            scored = [judge.score(errors) for errors in one.errors]
            verdicts = [Verdict(score, None, False, channel) for score, channel in scored]
            given.append(Judged(stretch, one, verdicts, [], _whole(judge, verdicts, kind)))
        else:
            values = stretch.encoded.values[stretch.first : stretch.last]
            verdicts = [judge.step(*each) for each in zip(one.errors, values, strict=True)]
            given.append(Judged(stretch, one, verdicts, events_of(verdicts, task.config.scoring.join)))
    return given


def _whole(judge: Judge, verdicts: Sequence[Verdict], kind: str) -> Verdict:
    """Judge a whole series by the scores of its steps; the channel to blame is that of the highest."""
    known = [(each.score, each.channel) for each in verdicts if each.score is not None]
    if not known:
        return Verdict(None, None, False, None)
    worst = max(known, key=lambda each: each[0])
    return judge.decide(pooled(np.array([score for score, _ in known]), kind), worst[1])


def events_of(verdicts: Sequence[Verdict], join: int) -> list[Event]:
    """Put alarms together that are at most `join` steps apart.

    >>> alarm = lambda score: Verdict(score, 5.0, score > 5, 0)
    >>> [(e.first, e.last, e.peak) for e in events_of([alarm(s) for s in (1, 7, 9, 1, 8, 1, 1, 1, 6)], 2)]
    [(1, 5, 9), (8, 9, 6)]
    """
    events: list[Event] = []
    for step, verdict in enumerate(verdicts):
        if not verdict.anomaly or verdict.score is None or verdict.channel is None:
            continue
        if events and step - events[-1].last < join:
            before = events[-1]
            higher = verdict.score > before.peak
            peak, channel = (verdict.score, verdict.channel) if higher else (before.peak, before.channel)
            events[-1] = Event(before.first, step + 1, peak, channel)
        else:
            events.append(Event(step, step + 1, verdict.score, verdict.channel))
    return events


def predict(
    task: Detector, network: nn.Module, inputs: Sequence[Any], *, k: int | None, steps: bool
) -> list[dict[str, Any]]:
    """Give {"series", "count", "score", "anomaly", "events"} of each series: its steps, the highest score, and all events.

    An event is {"start", "end", "score", "channel"}: its first and last time (or step), its highest score, the channel that is
    to blame.  k: the k events with the highest scores alone.  steps: also "steps", {"time" or "step", "score", "threshold",
    "anomaly", "channel", "expected"} of each, with "missing" where values are.  A run on whole series says of each one
    {"series", "count", "score", "threshold", "anomaly", "channel"}.

    A data frame, or a dict of its columns, has a result for each of its series.
    """
    return [_said(task, judged, k, steps=steps) for judged in judge(task, network, taken(task, inputs))]


def taken(task: Detector, inputs: Sequence[Any]) -> list[Stretch]:
    """Give what a user hands over as whole series: such as `inputs` gives, arrays, or data frames."""
    series = [each for one in inputs for each in _taken(task, one)]
    return [Stretch(one, task.readings.encode(one)[0], 0, len(one)) for one in series]


def _taken(task: Detector, given: Any) -> list[Timed]:
    if isinstance(given, Timed):
        return [given]
    if is_frame(given):
        data = task.config.data
        how = TimedReading(
            data.time,
            data.series,
            tuple(task.readings.targets),
            (),
            tuple(task.readings.past),
            tuple(data.static),
            gaps=data.gaps,
        )
        return fitted(panel_of(given, how), task.readings, "the data frame").series
    return [as_series(task.readings, given)]


def _said(task: Detector, judged: Judged, k: int | None, *, steps: bool) -> dict[str, Any]:
    one, targets = judged.stretch.series, task.readings.targets
    result: dict[str, Any] = {"series": one.name, "count": len(one)}
    if judged.whole is not None:
        channel = judged.whole.channel
        result |= {
            "score": None if judged.whole.score is None else round(judged.whole.score, 6),
            "threshold": None if judged.whole.threshold is None else round(judged.whole.threshold, 6),
            "anomaly": judged.whole.anomaly,
            "channel": None if channel is None else targets[channel],
        }
    else:
        peak = max((verdict.score for verdict in judged.verdicts if verdict.score is not None), default=None)
        result |= {
            "score": None if peak is None else round(peak, 6),
            "anomaly": bool(judged.events),
            "events": [shown_event(event, one, targets) for event in _highest(judged.events, k)],
        }
    if steps:
        stamped = one.times.dtype.kind == "M"
        result["steps"] = []
        for at, verdict in enumerate(judged.verdicts):
            line = said(task.readings, verdict, judged.told.location[at], one, one.name, None, at)
            moment = {"time" if stamped else "step": shown_time(one, at)}
            result["steps"].append({**moment, **line})
    return result


def _highest(events: list[Event], k: int | None) -> list[Event]:
    kept = events if k is None else sorted(events, key=lambda event: -event.peak)[:k]
    return sorted(kept, key=lambda event: event.first)


def shown_event(event: Event, series: Timed, targets: Sequence[str], first: int = 0) -> dict[str, Any]:
    """Write an event: {"start", "end", "score", "channel"}, the end being its last step; first: the step it is counted from."""
    return {
        "start": shown_time(series, first + event.first),
        "end": shown_time(series, first + event.last - 1),
        "score": round(event.peak, 6),
        "channel": targets[event.channel],
    }
