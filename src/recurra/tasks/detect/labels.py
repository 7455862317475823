"""What is known to be abnormal in the segments of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurra.data.datasets.locate import resolve_files
from recurra.data.timeseries.anomaly_labels import (
    AnomalyLabels,
    labels_among,
    read_anomaly_labels,
    read_label_column,
    segments,
)
from recurra.errors import DataError
from recurra.tasks.detect.config import Data
from recurra.tasks.detect.data import Segment, Split


@dataclass(frozen=True)
class SegmentLabels:
    """What is abnormal in each segment: marks (T) bool and events, both counted from its first step; None where nothing is known."""

    marks: list[np.ndarray] | None
    events: list[list[tuple[int, int]]]


def read_labels(split: Split, files: Sequence[str], data: Data, *, per_series: bool) -> SegmentLabels:
    """Find what is abnormal in a split, as settings name it; raises `DataError` where it does not fit.

    files: those that the split was read from.  per_series: whole series are scored.
    """
    if data.label is not None:
        paths, settings = resolve_files(list(files))
        column = read_label_column(paths, data.model_copy(update=settings).reading(), data.label)
        return _from_marks([_marks_in_column(one, column, data.label) for one in split.segments])
    source = data.anomaly_labels[0] if data.anomaly_labels else labels_among(resolve_files(list(files))[0])
    if source is None:
        return SegmentLabels(None, [])
    labels = read_anomaly_labels(source) if not data.anomaly_labels else _named_labels(source)
    if labels.flags is not None:
        return _from_flags(split, labels, labels.flags, per_series=per_series)
    if not any(labels.knows(one.series) for one in split.segments):
        names = ", ".join(one.series.name for one in split.segments[:3])
        raise DataError(f"names none of the series {names}", source=labels.source)
    events = [_clip(labels.events(one.series), one) for one in split.segments]
    marks = []
    for one, own in zip(split.segments, events, strict=True):
        marks.append(np.zeros(len(one), bool))
        for first, last in own:
            marks[-1][first:last] = True
    if per_series:
        return _from_marks([np.array([own.any()]) for own in marks])
    return SegmentLabels(marks, events)


def _named_labels(source: str) -> AnomalyLabels:
    """Read the file that a setting names: of another's run it may be any name, so an error says where it comes from."""
    try:
        return read_anomaly_labels(source)
    except DataError as error:
        problem = f"{error.problem} (it is what --anomaly-labels names)"
        raise DataError(problem, source=error.source, line=error.line, row=error.row, byte=error.byte) from None


def _clip(events: Sequence[tuple[int, int]], one: Segment) -> list[tuple[int, int]]:
    """Give what of events of a series lies in a segment, counted from its first step."""
    clipped = [(max(first, one.first) - one.first, min(last, one.last) - one.first) for first, last in events]
    return [(first, last) for first, last in clipped if first < last]


def _marks_in_column(one: Segment, column: dict[str, np.ndarray], label: str) -> np.ndarray:
    marks = column.get(one.series.name)
    if marks is None or len(marks) < one.last:
        raise DataError(
            f"column {label!r} has no value for each step of series {one.series.name!r}", source=one.series.place
        )
    return marks[one.first : one.last]


def _from_flags(split: Split, labels: AnomalyLabels, flags: np.ndarray, *, per_series: bool) -> SegmentLabels:
    count = len(split.segments)
    if per_series:
        if len(flags) != count:
            raise DataError(f"expected a number for each of {count} series, got {len(flags)}", source=labels.source)
        return _from_marks([flags[[number]] for number in range(len(flags))])
    if count != 1 or len(flags) not in (len(split.segments[0]), len(split.segments[0].series)):
        raise DataError(
            f"expected a number for each step of one series, got {len(flags)} for {count} series", source=labels.source
        )
    one = split.segments[0]
    return _from_marks([flags if len(flags) == len(one) else flags[one.first : one.last]])


def _from_marks(marks: list[np.ndarray]) -> SegmentLabels:
    return SegmentLabels(marks, [segments(own) for own in marks])
