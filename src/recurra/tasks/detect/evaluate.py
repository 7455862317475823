"""The figures of a detector and of a rolling Gaussian on the same held-out steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from recurra.baselines import log_tail
from recurra.data.datasets.locate import named_files
from recurra.data.timeseries.anomaly_labels import Abnormal, labels_among, read_abnormal, read_marked
from recurra.data.timeseries.anomaly_labels import stretches as stretches_of
from recurra.errors import DataError
from recurra.metrics import detection, event_scores
from recurra.report.timeline import thinned
from recurra.tasks.detect.config import Data
from recurra.tasks.detect.data import Part, Stretch
from recurra.tasks.detect.network import NARROWEST
from recurra.tasks.detect.predict import Judged, events_of, judge, shown_event
from recurra.tasks.detect.residuals import mean_surprise
from recurra.tasks.detect.scoring import POOLINGS, Verdict, make_threshold, pooled
from recurra.tasks.detect.stream import shown_time

if TYPE_CHECKING:
    from recurra.tasks.detect.task import Detector

ROLLING = 1000
"""Steps of the rolling Gaussian's window."""
FEW = 10
SHOWN = 6
"""Series in the report."""
EVENTS = 50
"""Events of each."""
BASELINE = "rolling-gaussian"


@dataclass(frozen=True)
class Truth:
    """What is abnormal in each stretch: marks (T) bool and events, both counted from its first step; None where nothing is known."""

    marks: list[np.ndarray] | None
    events: list[list[tuple[int, int]]]


@dataclass(frozen=True)
class Found:
    """What a detector, or the baseline, says of each stretch: scores (T), flags (T), events, and −log p per value."""

    scores: list[np.ndarray]
    flags: list[np.ndarray]
    events: list[list[tuple[int, int]]]
    nll: float


def evaluation(
    task: Detector,
    network: nn.Module,
    part: Part,
    name: str,
    files: Sequence[str],
    progress: Callable[[str], None],
    said: Data,
    *,
    baselines: bool,
) -> dict[str, Any]:
    """Measure a network on a part: the object that `evaluate` prints.  said: settings that say what is abnormal."""
    truth = truth_of(task, part, files, said)
    progress("judging every step")
    judged = judge(task, network, part.stretches)
    mine = _found(task, judged)
    beside = {}
    if baselines:
        progress("measuring the rolling Gaussian")
        beside[BASELINE] = figures(rolling(task, part), truth)
    count = len(part.stretches) if task.whole else part.steps
    details = {"notes": _notes(task, network, part, truth), "timelines": _timelines(task, judged, truth)}
    metrics = figures(mine, truth)
    return {
        "task": task.name,
        "data": name,
        "count": count,
        "metrics": metrics,
        "baselines": beside,
        "details": details,
    }


def figures(found: Found, truth: Truth) -> dict[str, float]:
    """Give the figures of what was found: with labels how it fits them, else how much was flagged."""
    flags, scores = np.concatenate(found.flags), np.concatenate(found.scores)
    known: dict[str, float] = {}
    if truth.marks is not None:
        there = {str(number): events for number, events in enumerate(truth.events)}
        said = {str(number): events for number, events in enumerate(found.events)}
        counted = event_scores(there, said)
        known = {f"event_{key}": counted[key] for key in ("f1", "precision", "recall")}
        known |= detection(scores, np.concatenate(truth.marks))
    alarms = sum(map(len, found.events))
    return {**known, "flagged": float(flags.mean()), "alarms": alarms, "nll": found.nll}


def truth_of(task: Detector, part: Part, files: Sequence[str], data: Data) -> Truth:
    """Find what is abnormal in a part, as settings name it; raises `DataError` where it does not fit."""
    if data.label is not None:
        paths, settings = named_files(list(files))
        marked = read_marked(paths, data.model_copy(update=settings).reading(), data.label)
        return _marked([_of_column(one, marked, data.label) for one in part.stretches])
    said = data.labels[0] if data.labels else labels_among(named_files(list(files))[0])
    if said is None:
        return Truth(None, [])
    labels = read_abnormal(said)
    if labels.flags is not None:
        return _of_flags(task, part, labels)
    if not any(labels.knows(one.series) for one in part.stretches):
        names = ", ".join(one.series.name for one in part.stretches[:3])
        raise DataError(f"names none of the series {names}", source=labels.source)
    events = [_inside(labels.events(one.series), one) for one in part.stretches]
    marks = []
    for one, own in zip(part.stretches, events, strict=True):
        marks.append(np.zeros(len(one), bool))
        for first, last in own:
            marks[-1][first:last] = True
    if task.whole:
        return _marked([np.array([mark.any()]) for mark in marks])
    return Truth(marks, events)


def _inside(events: Sequence[tuple[int, int]], one: Stretch) -> list[tuple[int, int]]:
    cut = [(max(first, one.first) - one.first, min(last, one.last) - one.first) for first, last in events]
    return [(first, last) for first, last in cut if first < last]


def _of_column(one: Stretch, marked: dict[str, np.ndarray], label: str) -> np.ndarray:
    marks = marked.get(one.series.name)
    if marks is None or len(marks) < one.last:
        raise DataError(
            f"column {label!r} has no value for each step of series {one.series.name!r}", source=one.series.place
        )
    return marks[one.first : one.last]


def _of_flags(task: Detector, part: Part, labels: Abnormal) -> Truth:
    flags = labels.flags
    assert flags is not None
    if task.whole:
        if len(flags) != len(part.stretches):
            raise DataError(
                f"expected a number for each of {len(part.stretches)} series, got {len(flags)}", source=labels.source
            )
        return _marked([flags[[number]] for number in range(len(flags))])
    if len(part.stretches) != 1 or len(flags) not in (len(part.stretches[0]), len(part.stretches[0].series)):
        raise DataError(
            f"expected a number for each step of one series, got {len(flags)} for {len(part.stretches)} series",
            source=labels.source,
        )
    one = part.stretches[0]
    return _marked([flags if len(flags) == len(one) else flags[one.first : one.last]])


def _marked(marks: list[np.ndarray]) -> Truth:
    return Truth(marks, [stretches_of(each) for each in marks])


def _found(task: Detector, judged: Sequence[Judged]) -> Found:
    nll = mean_surprise([one.told for one in judged])
    if task.whole:
        verdicts = [[one.whole or Verdict(None, None, False, None)] for one in judged]
        events = [[(0, 1)] if each[0].anomaly else [] for each in verdicts]
    else:
        verdicts = [one.verdicts for one in judged]
        events = [[(event.first, event.last) for event in one.events] for one in judged]
    scores = [np.array([each.score or 0.0 for each in own]) for own in verdicts]
    return Found(scores, [np.array([each.anomaly for each in own], bool) for own in verdicts], events, nll)


def rolling(task: Detector, part: Part) -> Found:
    """Judge a part by the mean and spread of the values before each step, with a threshold that is made like the detector's."""
    scoring = task.config.scoring
    usual = (task.examples.valid or task.examples.train).stretches
    before = [_rolled(one)[0] for one in usual]
    kind = POOLINGS[0] if scoring.pooling == "auto" else scoring.pooling
    history = np.array([pooled(scores, kind) for scores in before]) if task.whole else np.concatenate(before)
    scores, flags, events, surprise, count = [], [], [], 0.0, 0
    for one in part.stretches:
        own, nats, known = _rolled(one)
        surprise, count = surprise + nats, count + known
        own = np.array([pooled(own, kind)]) if task.whole else own
        threshold = make_threshold(scoring, history, whole=task.whole)
        decisions = [threshold.step(score) for score in own.tolist()]
        verdicts = [Verdict(each.score, each.threshold, each.unusual, 0) for each in decisions]
        scores.append(np.array([each.score for each in decisions]))
        flags.append(np.array([each.unusual for each in decisions], bool))
        events.append([(event.first, event.last) for event in events_of(verdicts, scoring.join)])
    return Found(scores, flags, events, surprise / max(1, count))


def _rolled(one: Stretch) -> tuple[np.ndarray, float, int]:
    """Give the scores of a stretch by the rolling Gaussian, (T), the sum of −log p of its scaled values, and how many they are.

    As `RollingGaussian` scores a stream, for all steps at once: −log₁₀ of the tail beyond each value, by the mean and spread
    of those before it, the highest of all channels. Of fewer than ten values nothing is known but what the training data are like.
    """
    begin = max(0, one.first - ROLLING)
    values = one.encoded.values[begin : one.last].astype(np.float64)
    there = np.isfinite(values)
    filled = np.where(there, values, 0.0)
    sums, squares, counts = (
        np.vstack([np.zeros((1, values.shape[1])), part.cumsum(0)])[:-1] for part in (filled, filled**2, there)
    )
    # Of the last `ROLLING` steps: what was summed until now less what was summed until then.
    far = np.maximum(0, np.arange(len(values)) - ROLLING)
    sums, squares, counts = (part - part[far] for part in (sums, squares, counts))
    few, counts = counts < FEW, np.maximum(1, counts)
    mean = np.where(few, 0.0, sums / counts)
    spread = np.where(few, 1.0, np.sqrt(np.maximum(squares / counts - mean**2, NARROWEST**2)))
    far_off = (filled - mean) / spread
    nats = 0.5 * far_off**2 + np.log(spread) + 0.5 * np.log(2 * np.pi)
    known = there & (np.arange(begin, one.last) >= max(1, one.first))[:, None]
    scores = np.where(known & ~few, np.minimum(log_tail(far_off), 1e6), 0.0).max(1)
    return scores[one.first - begin :], float(nats[known].sum()), int(known.sum())


def _notes(task: Detector, network: nn.Module, part: Part, truth: Truth) -> list[str]:
    notes = []
    if task.prepared and part is task.examples.valid:
        notes.append(
            "the part that is measured has also set the score's unit and the threshold; for a part that has not: --test or --test-share"
        )
    if truth.marks is None:
        notes.append(
            "nothing says what is abnormal (--label, --labels): what is measured is how likely the values are, and how many steps are flagged"
        )
    if task.whole:
        how = ("the mean", "the 95 % quantile", "the largest")[int(network.get_buffer("pooling"))]
        notes.append(f"the score of a series is {how} of those of its steps")
    return notes


def _timelines(task: Detector, judged: Sequence[Judged], truth: Truth) -> list[dict[str, Any]]:
    """Give what the report draws: a few series, those with the highest scores first, with values, scores, thresholds and events."""
    if task.whole:
        return []
    order = sorted(range(len(judged)), key=lambda n: -max((v.score or 0.0 for v in judged[n].verdicts), default=0.0))
    shown = []
    for number in order[:SHOWN]:
        one = judged[number]
        series, first, last = one.stretch.series, one.stretch.first, one.stretch.last
        loudest = max(one.events, key=lambda event: event.peak).channel if one.events else 0
        columns = {
            "value": series.values[first:last, loudest],
            "expected": task.readings.unscaled(one.told.location.astype(np.float64), series.name)[:, loudest],
            "score": np.array([np.nan if each.score is None else each.score for each in one.verdicts]),
            "threshold": np.array([np.nan if each.threshold is None else each.threshold for each in one.verdicts]),
        }
        loud = sorted(one.events, key=lambda event: -event.peak)[:EVENTS]
        events = [
            {**shown_event(event, series, task.readings.targets, first), "from": event.first, "to": event.last}
            for event in sorted(loud, key=lambda event: event.first)
        ]
        shown.append(
            {
                "series": series.name,
                "channel": task.readings.targets[loudest],
                "steps": last - first,
                "times": [shown_time(series, first), shown_time(series, last - 1)],
                "events": events,
                "truth": [list(each) for each in truth.events[number]] if truth.marks is not None else None,
                "curves": thinned(columns),
            }
        )
    return shown
