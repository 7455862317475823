"""Files in, series out: read, split in time, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from recurra.data.timeseries.reader import Panel, TimeSeries, read_time_series
from recurra.errors import DataError, UsageError
from recurra.series import parse_series
from recurra.tasks.base.dataset import skipped_notes
from recurra.tasks.detect.config import Data
from recurra.tasks.detect.preprocessing import DetectorPreprocessor, PreprocessingOptions
from recurra.tasks.detect.series import EncodedSeries
from recurra.tasks.timeseries.data import MAX_NAMES_SHOWN, rows_from_array, truncate
from recurra.text import resolve_column

WARMUP_STEPS = 512
"""Steps that are read before a held-out part begins, so that the state is warm and nothing is read for long."""


@dataclass(frozen=True)
class Segment:
    """Steps `first` … `last` − 1 of a series; those before are read to warm up, if need be."""

    series: TimeSeries
    encoded: EncodedSeries
    first: int
    last: int

    @property
    def warmup_start(self) -> int:
        """The step from which on it is read."""
        return max(0, self.first - WARMUP_STEPS)

    @property
    def values(self) -> np.ndarray:
        """The scaled values of its steps, (T, C), NaN where missing."""
        return self.encoded.values[self.first : self.last]

    def __len__(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Split:
    """The segments of one split, and what was left out in reading."""

    segments: list[Segment]
    skipped: list[str] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """Count the steps."""
        return sum(map(len, self.segments))


@dataclass(frozen=True)
class Dataset:
    """Series ready for training.  per_series: each is scored as a whole."""

    train: Split
    valid: Split | None
    test: Split | None
    preprocessor: DetectorPreprocessor
    per_series: bool
    notes: list[str]
    fingerprint: str


def read_dataset(data: Data, known: DetectorPreprocessor | None) -> Dataset:
    """Read, split and encode all that a run needs; the preprocessor is known, or made from the training part.

    Raises `DataError` where nothing is left to learn from.
    """
    panel = drop_label_column(read_time_series(data.given, data.reading()), data.label)
    notes = [*panel.notes, *skipped_notes(panel.skipped)]
    per_series = data.layout == "series" if data.per_series is None else data.per_series
    if per_series and data.scale == "series":
        raise UsageError("scale: series that are scored as a whole are scaled alike; expected data or none, got series")
    ends = _split_ends(panel, data, per_series)
    preprocessor = known
    if preprocessor is None:
        kept = [truncate(one, own[0]) for one, own in zip(panel.series, ends, strict=True) if own[0]]
        _check_enough(kept, data)
        options = PreprocessingOptions(data.scale, data.differences, data.calendar)
        preprocessor = DetectorPreprocessor.build(replace(panel, series=kept), options)
    encoded = [preprocessor.encode(one)[0] for one in panel.series]
    splits: dict[str, Split] = {}
    for number, name in enumerate(("train", "valid", "test")):
        segments = [
            Segment(one, numbers, (0, *own)[number], own[number])
            for one, numbers, own in zip(panel.series, encoded, ends, strict=True)
            if own[number] > (0, *own)[number]
        ]
        if segments:
            splits[name] = Split(segments)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            splits[name] = read_split(files, data, preprocessor)
            notes += [f"{name}: {message}" for message in skipped_notes(splits[name].skipped)]
    if flat := [name for name in panel.targets if _is_constant(panel, ends, name)]:
        shown = ", ".join(flat[:MAX_NAMES_SHOWN])
        notes.append(f"the same in all training steps, so that any change of it is an anomaly: {shown}")
    train, valid, test = splits["train"], splits.get("valid"), splits.get("test")
    return Dataset(train, valid, test, preprocessor, per_series, notes, _fingerprint(splits))


def read_split(
    files: Sequence[str], data: Data, preprocessor: DetectorPreprocessor, settings: dict[str, object] | None = None
) -> Split:
    """Read other files as the training data were; raises `DataError` for other columns."""
    panel = read_panel(files, data, preprocessor, settings or {})
    return Split([whole_segment(one, preprocessor) for one in panel.series], panel.skipped)


def whole_segment(series: TimeSeries, preprocessor: DetectorPreprocessor) -> Segment:
    """Encode a series as a segment of all its steps."""
    return Segment(series, preprocessor.encode(series)[0], 0, len(series))


def read_panel(
    files: Sequence[str], data: Data, preprocessor: DetectorPreprocessor, settings: dict[str, object]
) -> Panel:
    """Read other files, in the order of the training data's columns; raises `DataError` where these are not there.

    A column that holds nothing is no column of numbers by its looks, but a channel that is missing all the time.
    """
    how, source = data.model_copy(update=settings).reading(), str(files[0])
    try:
        return align_columns(
            drop_label_column(read_time_series(files, how), data.label, preprocessor.targets), preprocessor, source
        )
    except (DataError, UsageError):
        named = replace(how, target=tuple(preprocessor.targets), past=tuple(preprocessor.covariates.past))
        if named == how or named.layout == "series":
            raise
        with suppress(DataError, UsageError):
            return align_columns(read_time_series(files, named), preprocessor, source)
        raise


def align_columns(panel: Panel, preprocessor: DetectorPreprocessor, source: str) -> Panel:
    """Bring columns into the order of the training data; raises `DataError` for other ones.

    A single column may have another name, and columns that only have numbers for names are taken as they stand.
    """
    orders = []
    for got, wanted in ((panel.targets, preprocessor.targets), (panel.past, preprocessor.covariates.past)):
        if list(got) == wanted or (len(got) == len(wanted) == 1):
            orders.append(list(range(len(wanted))))
        elif set(wanted) <= set(got):
            orders.append([list(got).index(name) for name in wanted])
        else:
            lacking = [name for name in wanted if name not in got]
            more = ", …" if len(wanted) > MAX_NAMES_SHOWN else ""
            raise DataError(
                f"expected the columns {', '.join(wanted[:MAX_NAMES_SHOWN])}{more}, as in the training data; "
                f"{lacking[0]!r} is not there" + (f" among {', '.join(got[:MAX_NAMES_SHOWN])}" if got else ""),
                source=source,
            )
    targets, past = orders
    series = [replace(one, values=one.values[:, targets], past=one.past[:, past]) for one in panel.series]
    return replace(panel, series=series, targets=tuple(preprocessor.targets), past=tuple(preprocessor.covariates.past))


def drop_label_column(panel: Panel, label: str | None, learnt: Sequence[str] = ()) -> Panel:
    """Leave out the column that says what is abnormal, named or by its position: nothing of it may be learnt or scored.

    learnt: the columns that were learnt from, none of which it is: other files may be without it.
    """
    label = None if label is None else resolve_column(label, panel.columns)
    if label is None or label not in panel.targets or label in learnt:
        return panel
    kept = [at for at, name in enumerate(panel.targets) if name != label]
    series = [replace(one, values=one.values[:, kept]) for one in panel.series]
    return replace(panel, series=series, targets=tuple(panel.targets[at] for at in kept))


def parse_line(line: str, preprocessor: DetectorPreprocessor) -> TimeSeries:
    """Read a line as a whole series: numbers, a JSON list of them, or of steps that are lists; raises `DataError`."""
    return series_from_array(parse_series(line), preprocessor)


def series_from_array(given: Any, preprocessor: DetectorPreprocessor) -> TimeSeries:
    """Take an array (T,) or (T, C), covariates behind the channels, as a series without times; raises `DataError`."""
    covariates, channels = preprocessor.covariates, preprocessor.channels
    rows = rows_from_array(given, [*preprocessor.targets, *covariates.past])
    static = [""] * len(covariates.static)
    return replace(
        TimeSeries.from_values("series", rows[:, :channels], "input", static=static), past=rows[:, channels:]
    )


def _split_ends(panel: Panel, data: Data, per_series: bool) -> list[tuple[int, int, int]]:
    """Say for each series where training, validation and test end."""
    valid, test = 0.0 if data.valid else data.valid_share, 0.0 if data.test else data.test_share
    if not per_series:
        return [(round(len(one) * (1 - valid - test)), round(len(one) * (1 - test)), len(one)) for one in panel.series]
    order = np.random.default_rng(0).permutation(len(panel))
    places = np.empty(len(panel))
    places[order] = (np.arange(len(panel)) + 0.5) / max(1, len(panel))
    ends = []
    for one, place in zip(panel.series, places, strict=True):
        length = len(one)
        if place < 1 - valid - test:
            ends.append((length, length, length))
        else:
            ends.append((0, length, length) if place < 1 - test else (0, 0, length))
    return ends


def _is_constant(panel: Panel, ends: list[tuple[int, int, int]], name: str) -> bool:
    at = panel.targets.index(name)
    values = np.concatenate([one.values[: own[0], at] for one, own in zip(panel.series, ends, strict=True)])
    values = values[np.isfinite(values)]
    return bool(len(values)) and bool((values == values[0]).all())


def _check_enough(series: Sequence[TimeSeries], data: Data) -> None:
    if sum(max(0, len(one) - 1) for one in series) < 2:
        longest = max((len(one) for one in series), default=0)
        raise DataError(
            f"there is nothing to learn from: the longest training series has {longest} steps, and a step is learnt from those before it",
            source=" ".join(data.data[:3]),
        )


def _fingerprint(splits: dict[str, Split]) -> str:
    total = hashlib.sha256()
    for name, split in splits.items():
        total.update(name.encode("utf-8", "surrogatepass"))
        for segment in split.segments:
            total.update(f"{segment.series.name}\0{segment.first}\0{segment.last}".encode("utf-8", "surrogatepass"))
            for array in (segment.encoded.features, segment.encoded.values):
                total.update(np.ascontiguousarray(array[: segment.last]).tobytes())
    return total.hexdigest()
