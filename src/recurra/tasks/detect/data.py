"""Files in, series out: read, split in time, and as numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from recurra.data.timeseries.reader import Panel, Timed, read_timed
from recurra.errors import DataError, UsageError
from recurra.tasks.base.dataset import left_out
from recurra.tasks.detect.config import Data
from recurra.tasks.detect.preprocessing import Encoded, Making, Readings

WARM = 512
"""Steps that are read before a held-out part begins, so that the state is warm and nothing is read for long."""


@dataclass(frozen=True)
class Stretch:
    """Steps `first` … `last` − 1 of a series; those before are read to warm up, if need be."""

    series: Timed
    encoded: Encoded
    first: int
    last: int

    @property
    def begin(self) -> int:
        """The step from which on it is read."""
        return max(0, self.first - WARM)

    def __len__(self) -> int:
        return self.last - self.first


@dataclass(frozen=True)
class Part:
    """The stretches of one split, and what was left out in reading."""

    stretches: list[Stretch]
    skipped: list[str] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """Count the steps."""
        return sum(map(len, self.stretches))


@dataclass(frozen=True)
class Examples:
    """Series ready for training.  whole: each is judged as a whole."""

    train: Part
    valid: Part | None
    test: Part | None
    readings: Readings
    whole: bool
    notes: list[str]
    fingerprint: str


def read_examples(data: Data, readings: Readings | None) -> Examples:
    """Read, split and encode all that a run needs; the readings are made from the training part unless they are given.

    Raises `DataError` where nothing is left to learn from.
    """
    panel = without(read_timed(data.given, data.reading()), data.label)
    notes = [*panel.notes, *left_out(panel.skipped)]
    whole = data.layout == "series" if data.whole is None else data.whole
    if whole and data.scale == "series":
        raise UsageError("scale: series that are judged as a whole are scaled alike; expected data or none, got series")
    bounds = _bounds(panel, data, whole)
    if readings is None:
        kept = [_cut(one, ends[0]) for one, ends in zip(panel.series, bounds, strict=True) if ends[0]]
        _check_enough(kept, data)
        readings = Readings.build(replace(panel, series=kept), Making(data.scale, data.differences, data.calendar))
    encoded = [readings.encode(one)[0] for one in panel.series]
    parts: dict[str, Part] = {}
    for number, name in enumerate(("train", "valid", "test")):
        stretches = [
            Stretch(one, numbers, (0, *ends)[number], ends[number])
            for one, numbers, ends in zip(panel.series, encoded, bounds, strict=True)
            if ends[number] > (0, *ends)[number]
        ]
        if stretches:
            parts[name] = Part(stretches)
    for name, files in (("valid", data.valid), ("test", data.test)):
        if files:
            parts[name] = read_part(files, data, readings)
            notes += [f"{name}: {message}" for message in left_out(parts[name].skipped)]
    flat = [name for name in panel.targets if _is_flat(panel, bounds, name)]
    if flat:
        notes.append(f"the same in all training steps, so that any change of it is an anomaly: {', '.join(flat[:8])}")
    return Examples(parts["train"], parts.get("valid"), parts.get("test"), readings, whole, notes, _fingerprint(parts))


def read_part(files: Sequence[str], data: Data, readings: Readings, settings: dict[str, object] | None = None) -> Part:
    """Read other files as the training data were; raises `DataError` for other columns."""
    panel = read_more(files, data, readings, settings or {})
    return Part([Stretch(one, readings.encode(one)[0], 0, len(one)) for one in panel.series], panel.skipped)


def read_more(files: Sequence[str], data: Data, readings: Readings, settings: dict[str, object]) -> Panel:
    """Read other files, in the order of the training data's columns; raises `DataError` where these are not there.

    A column that holds nothing is no column of numbers by its looks, but a channel that is missing all the time.
    """
    how, source = data.model_copy(update=settings).reading(), str(files[0])
    try:
        return fitted(without(read_timed(files, how), data.label), readings, source)
    except (DataError, UsageError):
        named = replace(how, target=tuple(readings.targets), past=tuple(readings.past))
        if named == how or named.layout == "series":
            raise
        with suppress(DataError, UsageError):
            return fitted(read_timed(files, named), readings, source)
        raise


def fitted(panel: Panel, readings: Readings, source: str) -> Panel:
    """Bring columns into the order of the training data; raises `DataError` for other ones.

    A single column may have another name, and columns that only have numbers for names are taken as they stand.
    """
    orders = []
    for got, wanted in ((panel.targets, readings.targets), (panel.past, readings.past)):
        if list(got) == wanted or (len(got) == len(wanted) == 1):
            orders.append(list(range(len(wanted))))
        elif set(wanted) <= set(got):
            orders.append([list(got).index(name) for name in wanted])
        else:
            lacking = [name for name in wanted if name not in got]
            raise DataError(
                f"expected the columns {', '.join(wanted[:8])}{', …' if len(wanted) > 8 else ''}, as in the training data; "
                f"{lacking[0]!r} is not there" + (f" among {', '.join(got[:8])}" if got else ""),
                source=source,
            )
    own, beside = orders
    series = [replace(one, values=one.values[:, own], past=one.past[:, beside]) for one in panel.series]
    return replace(panel, series=series, targets=tuple(readings.targets), past=tuple(readings.past))


def without(panel: Panel, label: str | None) -> Panel:
    """Leave out the column that says what is abnormal: nothing of it may be learnt or judged."""
    if label is None or label not in panel.targets:
        return panel
    kept = [at for at, name in enumerate(panel.targets) if name != label]
    series = [replace(one, values=one.values[:, kept]) for one in panel.series]
    return replace(panel, series=series, targets=tuple(panel.targets[at] for at in kept))


def _bounds(panel: Panel, data: Data, whole: bool) -> list[tuple[int, int, int]]:
    """Say for each series where training, validation and test end."""
    valid, test = 0.0 if data.valid else data.valid_share, 0.0 if data.test else data.test_share
    if not whole:
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


def _cut(one: Timed, steps: int) -> Timed:
    return replace(
        one, values=one.values[:steps], times=one.times[:steps], known=one.known[:steps], past=one.past[:steps]
    )


def _is_flat(panel: Panel, bounds: list[tuple[int, int, int]], name: str) -> bool:
    at = panel.targets.index(name)
    values = np.concatenate([one.values[: ends[0], at] for one, ends in zip(panel.series, bounds, strict=True)])
    values = values[np.isfinite(values)]
    return bool(len(values)) and bool((values == values[0]).all())


def _check_enough(series: Sequence[Timed], data: Data) -> None:
    if sum(max(0, len(one) - 1) for one in series) < 2:
        longest = max((len(one) for one in series), default=0)
        raise DataError(
            f"there is nothing to learn from: the longest training series has {longest} steps, and a step is learnt from those before it",
            source=" ".join(data.data[:3]),
        )


def _fingerprint(parts: dict[str, Part]) -> str:
    total = hashlib.sha256()
    for name, part in parts.items():
        total.update(name.encode())
        for stretch in part.stretches:
            total.update(f"{stretch.series.name}\0{stretch.first}\0{stretch.last}".encode())
            for array in (stretch.encoded.features, stretch.encoded.values):
                total.update(np.ascontiguousarray(array[: stretch.last]).tobytes())
    return total.hexdigest()
