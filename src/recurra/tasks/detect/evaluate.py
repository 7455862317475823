"""The metrics of a detector and of a rolling Gaussian on the same held-out steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.metrics import detection, event_scores
from recurra.report.blocks import thin_columns
from recurra.tasks.detect import baselines
from recurra.tasks.detect.data import Split
from recurra.tasks.detect.labels import SegmentLabels
from recurra.tasks.detect.predict import Detector
from recurra.tasks.detect.residuals import mean_nll
from recurra.tasks.detect.results import format_time, to_event
from recurra.tasks.detect.scoring import Detections, ScoredSegment, StepResult

MAX_SERIES_SHOWN = 6
MAX_EVENTS_SHOWN = 50
"""Of each series."""
AGGREGATION_WORDS = ("the mean", "the 95 % quantile", "the largest")
"""What the report calls `AGGREGATIONS`."""


def evaluate(
    detector: Detector,
    split: Split,
    labels: SegmentLabels,
    *,
    name: str,
    normal: Split | None,
    calibrated_on: bool,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a detector on a split: the object that `evaluate` prints.

    normal: what the threshold of the baseline begins with; None: none is measured.  calibrated_on: the split has also set the
    detector's own.
    """
    progress("judging every step")
    scored = detector.score_segments(split.segments)
    others = {}
    if normal is not None:
        progress("measuring the rolling Gaussian")
        found = baselines.rolling_gaussian(split, normal, detector.config.scoring, per_series=detector.per_series)
        others[baselines.NAME] = compute_metrics(found, labels)
    details = {
        "notes": _notes(detector, labels, calibrated_on=calibrated_on),
        "timelines": _timelines(detector, scored, labels),
    }
    return {
        "task": detector.name,
        "data": name,
        "count": len(split.segments) if detector.per_series else split.steps,
        "metrics": compute_metrics(_detections(scored), labels),
        "baselines": others,
        "details": details,
    }


def compute_metrics(found: Detections, labels: SegmentLabels) -> dict[str, float]:
    """Give the metrics of what was found: with labels how it fits them, else how much was flagged."""
    flags, scores = np.concatenate(found.flags), np.concatenate(found.scores)
    known: dict[str, float] = {}
    if labels.marks is not None:
        true, predicted = (
            {str(number): own for number, own in enumerate(events)} for events in (labels.events, found.events)
        )
        counted = event_scores(true, predicted)
        known = {f"event_{key}": counted[key] for key in ("f1", "precision", "recall")}
        known |= detection(scores, np.concatenate(labels.marks))
    alarms = sum(map(len, found.events))
    return {**known, "flagged": float(flags.mean()), "alarms": alarms, "nll": found.nll}


def _detections(scored: Sequence[ScoredSegment]) -> Detections:
    scores, flags, events = [], [], []
    for one in scored:
        results = one.steps if one.whole is None else [one.whole]
        scores.append(np.array([each.score or 0.0 for each in results]))
        flags.append(np.array([each.anomaly for each in results], bool))
        if one.whole is None:
            events.append([(event.first, event.last) for event in one.events])
        else:
            events.append([(0, 1)] if one.whole.anomaly else [])
    return Detections(scores, flags, events, mean_nll([one.predictions for one in scored]))


def _notes(detector: Detector, labels: SegmentLabels, *, calibrated_on: bool) -> list[str]:
    notes = []
    if calibrated_on:
        notes.append(
            "the part that is measured has also set the score's unit and the threshold; for a part that has not: --test or --test-share"
        )
    if labels.marks is None:
        notes.append(
            "nothing says what is abnormal (--label, --anomaly-labels): what is measured is how likely the values are, and how many steps are flagged"
        )
    if detector.per_series:
        how = AGGREGATION_WORDS[int(detector.network.get_buffer("pooling"))]
        notes.append(f"the score of a series is {how} of those of its steps")
    return notes


def _timelines(detector: Detector, scored: Sequence[ScoredSegment], labels: SegmentLabels) -> list[dict[str, Any]]:
    """Give what the report draws: a few series, those with the highest scores first, with values, scores, thresholds and events."""
    if detector.per_series:
        return []
    order = sorted(range(len(scored)), key=lambda n: -_peak(scored[n].steps))
    truth = [None if labels.marks is None else labels.events[number] for number in range(len(scored))]
    return [_timeline(detector, scored[number], truth[number]) for number in order[:MAX_SERIES_SHOWN]]


def _peak(steps: Sequence[StepResult]) -> float:
    return max((each.score or 0.0 for each in steps), default=0.0)


def _timeline(detector: Detector, scored: ScoredSegment, truth: Sequence[tuple[int, int]] | None) -> dict[str, Any]:
    """Draw the channel that the highest event is of.  truth: the events that the labels name."""
    targets, predictions = detector.preprocessor.targets, scored.predictions
    series, first, last = scored.segment.series, scored.segment.first, scored.segment.last
    channel = max(scored.events, key=lambda event: event.peak).channel if scored.events else 0
    columns = {
        "value": series.values[first:last, channel],
        "expected": detector.preprocessor.unscale(predictions.location.astype(np.float64), series.name)[:, channel],
        "score": np.array([np.nan if each.score is None else each.score for each in scored.steps]),
        "threshold": np.array([np.nan if each.threshold is None else each.threshold for each in scored.steps]),
    }
    highest = sorted(scored.events, key=lambda event: -event.peak)[:MAX_EVENTS_SHOWN]
    events = [
        {**to_event(event, series, targets, first), "from": event.first, "to": event.last}
        for event in sorted(highest, key=lambda event: event.first)
    ]
    return {
        "series": series.name,
        "channel": targets[channel],
        "steps": last - first,
        "times": [format_time(series, first), format_time(series, last - 1)],
        "events": events,
        "truth": None if truth is None else [list(each) for each in truth],
        "curves": thin_columns(columns),
    }
