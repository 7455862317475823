"""Series in time as a detector reads them: scaled, a step late, with what is missing marked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from recurra.data.timeseries.frequency import Step, calendar
from recurra.data.timeseries.reader import Panel, Timed
from recurra.errors import DataError, RunError
from recurra.files import write_whole
from recurra.tasks.detect.holes import behind_holes, hole_of
from recurra.tasks.detect.series import Encoded, Past

FILE = "channels.json"
FLAT = 1e-8
"""A spread below this is none: such a channel is not blown up to noise, but read in its own units."""
BEYOND = 1e12
"""Scaled values are cut off here, where a square still fits into 32 bits."""
_CYCLES = {"minute": 0, "hour": 1, "day": 24, "week": 7 * 24, "month": 31 * 24, "year": 366 * 24}  # hours
FAR = 8.0
"""Scaled values are pressed into ±8 for the cells, so that one that is far out does not drown their memory."""


@dataclass(frozen=True)
class Making:
    """How values become features, as in `recurra.tasks.detect.config.Data`."""

    scale: Literal["data", "series", "none"] = "data"
    differences: bool = True
    calendar: bool = True


class Readings:
    """Makes features of series; made from the training part, saved with the run, and the same from then on.

    A step is read together with the values of the step before it, since those of its own are what is to be foretold;
    covariates and the calendar are those of the step itself. In place of a missing value the last one that was there is
    read (the mean where none was yet); where the training data lack some of a channel, a feature says so.

    hole: the microseconds between two steps from which on the second is read as a beginning, since what was foretold was not
    foretold for then; None where steps have no times.
    """

    def __init__(
        self,
        targets: Sequence[str],
        past: Sequence[str],
        mean: np.ndarray,
        spread: np.ndarray,
        gaps: np.ndarray,
        making: Making,
        step: Step | None,
        moments: Sequence[str],
        static: Sequence[tuple[str, list[str] | None, float, float]] = (),
        each: dict[str, tuple[np.ndarray, np.ndarray]] | None = None,
        hole: int | None = None,
    ) -> None:
        self.targets, self.past, self.mean, self.spread, self.gaps = list(targets), list(past), mean, spread, gaps
        self.making, self.step, self.moments = making, step, list(moments)
        self.static, self.each, self.hole = list(static), each or {}, hole

    @classmethod
    def build(cls, panel: Panel, making: Making) -> Readings:
        """Make it from the training series; raises `DataError` for a channel that is never there."""
        names = [*panel.targets, *panel.past]
        stacked = np.concatenate([np.hstack([one.values, one.past]) for one in panel.series])
        there = np.isfinite(stacked)
        if len(never := np.flatnonzero(~there.any(0))):
            raise DataError(f"{names[never[0]]!r} has no value in any training series", hint="leave this column out")
        mean, spread = _moments(stacked, there)
        if making.scale == "none":
            mean, spread = np.zeros_like(mean), np.ones_like(spread)
        gaps = np.array(~there[:, : len(panel.targets)].all(axis=0))
        each = {}
        if making.scale == "series":
            for one in panel.series:
                values = np.hstack([one.values, one.past])
                own, wide = _moments(values, np.isfinite(values))
                each[one.name] = np.where(np.isfinite(own), own, mean), np.where(np.isfinite(own), wide, spread)
        named = _moments_of(panel) if making.calendar else []
        static = [_static(name, [one.static[at] for one in panel.series]) for at, name in enumerate(panel.static)]
        hole = hole_of([one.times[: len(one)] for one in panel.series])
        return cls(panel.targets, panel.past, mean, spread, gaps, making, panel.step, named, static, each, hole)

    @classmethod
    def load(cls, folder: Path) -> Readings:
        """Read what `save` wrote; raises `RunError` when it is damaged."""
        path = folder / FILE
        try:
            read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            arrays = {name: np.array(read[name], float) for name in ("mean", "spread")}
            each = {name: (np.array(own, float), np.array(wide, float)) for name, (own, wide) in read["each"].items()}
            step = None if read["step"] is None else Step(**read["step"])
            making, gaps = Making(**read["making"]), np.array(read["gaps"], bool)
            static = [tuple(one) for one in read["static"]]
            made = cls(
                read["targets"], read["past"], **arrays, gaps=gaps, making=making, step=step,
                moments=read["moments"], static=static, each=each, hole=read.get("hole"),
            )  # fmt: skip
            if arrays["mean"].shape != (made.channels + len(made.past),) or gaps.shape != (made.channels,):
                raise ValueError("expected as many numbers as channels")
            return made
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: is damaged: {error}") from None

    def save(self, folder: Path) -> list[str]:
        """Write it into a run folder; gives the names of the files."""
        content = {
            "targets": self.targets,
            "past": self.past,
            "mean": self.mean.tolist(),
            "spread": self.spread.tolist(),
            "gaps": self.gaps.tolist(),
            "making": asdict(self.making),
            "step": None if self.step is None else asdict(self.step),
            "moments": self.moments,
            "hole": self.hole,
            "static": [list(one) for one in self.static],
            "each": {name: [own.tolist(), wide.tolist()] for name, (own, wide) in self.each.items()},
        }
        write_whole(folder / FILE, json.dumps(content, ensure_ascii=False, indent=1) + "\n")
        return [FILE]

    @property
    def channels(self) -> int:
        """C, the values that are foretold and judged."""
        return len(self.targets)

    @property
    def features(self) -> int:
        """F, the numbers that the network reads at each step."""
        beside = len(self.past) + len(self.moments) + sum(_width(words) for _, words, _, _ in self.static)
        return self.channels * (2 if self.making.differences else 1) + int(self.gaps.sum()) + 1 + beside

    def scales(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Give mean and spread, (C + P), that a series is scaled by; one that training did not know as all of them are."""
        return self.each.get(name, (self.mean, self.spread))

    def unscaled(self, values: np.ndarray, name: str) -> np.ndarray:
        """Give scaled values (…, C) in their own units."""
        mean, spread = (part[: self.channels] for part in self.scales(name))
        return values * spread + mean

    def begin(self) -> Past:
        """Give what is carried before the first step of a series."""
        none = np.full(self.channels, np.nan)
        return Past(none, none, np.ones(self.channels, bool), np.zeros(len(self.past)), 0)

    def encode(self, one: Timed, past: Past | None = None) -> tuple[Encoded, Past]:
        """Turn the steps of a series into numbers, going on from what was read before; gives what is carried on too.

        Raises `DataError`, with the series and the step, for infinity.
        """
        self._check(one)
        past = self.begin() if past is None else past
        mean, spread = self.scales(one.name)
        count = self.channels
        values = np.clip((one.values - mean[:count]) / spread[:count], -BEYOND, BEYOND)
        beside = _filled(np.vstack([past.beside, (one.past - mean[count:]) / spread[count:]]))[1:]
        last = _filled(np.vstack([past.second, past.last, values]))  # (2 + T, C)
        before = last[1:-1]
        missing = np.isnan(np.vstack([np.where(past.missing, np.nan, 0.0), values]))  # (1 + T, C)
        fresh, time = behind_holes(one.times[: len(one)], past.time, self.hole)
        fresh |= np.arange(past.count, past.count + len(one)) == 0
        before = np.where(fresh[:, None], np.nan, before)
        parts = [_pressed(_or_zero(before))]
        if self.making.differences:
            # What has changed since before a hole has not changed in a step.
            across = np.append(past.fresh, fresh[:-1])[: len(fresh), None]
            parts.append(_pressed(np.where(across, 0.0, _or_zero(before - last[:-2]))))
        parts.append(missing[:-1, self.gaps].astype(float))
        parts.append(fresh.astype(float)[:, None])
        parts.append(_pressed(_or_zero(beside)))
        if self.moments:
            parts.append(self._calendar(one))
        parts.append(np.broadcast_to(self._said_of(one), (len(values), len(self._said_of(one)))))
        features = np.concatenate(parts, axis=1).astype(np.float32)
        encoded = Encoded(features, values.astype(np.float32), _or_zero(before).astype(np.float32), fresh)
        return encoded, Past(
            last[-1],
            last[-2],
            missing[-1],
            _or_zero(beside[-1]) if len(beside) else past.beside,
            past.count + len(values),
            time,
            bool(fresh[-1]) if len(fresh) else past.fresh,
        )

    def _check(self, one: Timed) -> None:
        for what, columns in ((one.values, self.targets), (one.past, self.past)):
            if what.shape[1] != len(columns):
                raise DataError(
                    f"expected {len(columns)} columns ({', '.join(columns)}), got {what.shape[1]}", source=one.place
                )
            if np.isinf(what).any():
                step, channel = np.argwhere(np.isinf(what))[0]
                raise DataError(
                    f"series {one.name!r}, step {step + 1}, {columns[channel]!r}: expected a finite number, got infinity",
                    source=one.place,
                    hint="leave the cell empty where there is no value",
                )

    def _calendar(self, one: Timed) -> np.ndarray:
        said, names = calendar(one.times[: len(one)], self.step)
        if lacking := [name for name in self.moments if name not in names]:
            raise DataError(
                f"series {one.name!r}: expected time stamps, as in the training data, of which the {lacking[0].split()[0]} is read; got none",
                source=one.place,
            )
        return said[:, [names.index(name) for name in self.moments]].astype(float)

    def _said_of(self, one: Timed) -> np.ndarray:
        """Give the static features of a series; a word that training did not know is none of those it knew."""
        parts: list[float] = []
        for (_, words, mean, spread), value in zip(self.static, one.static, strict=True):
            if words is None:
                number = float(value) if isinstance(value, int | float) else np.nan
                parts.append(0.0 if np.isnan(number) else (number - mean) / spread)
            else:
                parts += [float(str(value) == word) for word in words]
        return np.array(parts)


def _moments_of(panel: Panel) -> list[str]:
    """Name what of the calendar is read: cycles that a training series has gone through once, for others cannot be learnt."""
    longest = max((one.times[len(one) - 1] - one.times[0] for one in panel.series if len(one)), default=0)
    names = calendar(panel.series[0].times[:1], panel.step)[1] if panel.series else []
    return [name for name in names if longest >= np.timedelta64(_CYCLES[name.split()[0]], "h")]


def _moments(values: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the mean and the spread of what is there of each column, (N, C); NaN where nothing is, 1 where nothing differs."""
    count = there.sum(0)
    known = np.maximum(1, count)
    mean = np.where(there, values, 0.0).sum(0) / known
    spread = np.sqrt((np.where(there, values - mean, 0.0) ** 2).sum(0) / known)
    flat = spread <= FLAT * np.maximum(1.0, np.abs(mean))
    return np.where(count, mean, np.nan), np.where(flat, 1.0, spread)


def _filled(values: np.ndarray) -> np.ndarray:
    """Put the last value that was there in the place of each that is missing, (T, C); NaN before the first.

    >>> _filled(np.array([[np.nan], [1.0], [np.nan], [2.0]])).ravel().tolist()
    [nan, 1.0, 1.0, 2.0]
    """
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.take_along_axis(values, np.maximum.accumulate(rows, axis=0), axis=0)


def _or_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), 0.0, values)


def _pressed(values: np.ndarray) -> np.ndarray:
    """Press values into ±8, near zero as they are; sums and quotients alone, so that one by one gives the bits of all at once."""
    return values / (1.0 + np.abs(values) / FAR)


def _static(name: str, values: Sequence[str | float]) -> tuple[str, list[str] | None, float, float]:
    if all(isinstance(value, int | float) for value in values):
        numbers = np.array([float(value) for value in values])
        known = numbers[np.isfinite(numbers)]
        mean, spread = (float(known.mean()), float(known.std())) if len(known) else (0.0, 1.0)
        return name, None, mean, spread if spread > FLAT else 1.0
    return name, sorted({str(value) for value in values}), 0.0, 1.0


def _width(words: list[str] | None) -> int:
    return 1 if words is None else len(words)
