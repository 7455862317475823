"""Even spacing in time: what it is, how it continues, and calendar features of times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np

from recurra.errors import UsageError

Unit = Literal["us", "ms", "s", "min", "h", "d", "b", "w", "m", "q", "y"]

_FIXED = {"us": 1, "ms": 10**3, "s": 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6}
_FIXED["w"] = 7 * _FIXED["d"]
_MONTHS = {"m": 1, "q": 3, "y": 12}
_WORDS = {"sec": "s", "second": "s", "t": "min", "minute": "min", "hour": "h", "day": "d", "week": "w"}
_WORDS |= {
    "mo": "m",
    "month": "m",
    "quarter": "q",
    "year": "y",
    "a": "y",
    "ms": "ms",
    "millisecond": "ms",
    "business day": "b",
}


@dataclass(frozen=True)
class Frequency:
    """The spacing of a series: so many units; months, quarters and years are those of the calendar, "b" are Mondays to Fridays.

    >>> str(Frequency(10, "min")), str(Frequency(1, "m"))
    ('10min', '1m')
    """

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def microseconds(self) -> int | None:
        """How long a step is; None where steps differ: months, quarters, years and business days."""
        return self.count * _FIXED[self.unit] if self.unit in _FIXED else None

    @property
    def months(self) -> int | None:
        """How many months of the calendar a step has; None where it is no such step."""
        return self.count * _MONTHS[self.unit] if self.unit in _MONTHS else None

    @property
    def seconds(self) -> float:
        """How long a step is at least."""
        if self.months is not None:
            return 86_400.0 * (self.months // 12 * 365 + self.months % 12 * 28)
        return (self.microseconds or self.count * _FIXED["d"]) / 1e6


def frequency_of(microseconds: int) -> Frequency:
    """Name a spacing in the largest unit that it is a whole number of.

    >>> str(frequency_of(600_000_000)), str(frequency_of(14 * 86_400_000_000))
    ('10min', '2w')
    """
    unit = max((unit for unit in _FIXED if microseconds % _FIXED[unit] == 0), key=_FIXED.__getitem__)
    return Frequency(microseconds // _FIXED[unit], cast(Unit, unit))


def frequency_of_months(months: int) -> Frequency:
    """Name a spacing of whole months in the largest unit that it is a whole number of.

    >>> str(frequency_of_months(3)), str(frequency_of_months(24)), str(frequency_of_months(2))
    ('1q', '2y', '2m')
    """
    unit = max((unit for unit in _MONTHS if months % _MONTHS[unit] == 0), key=_MONTHS.__getitem__)
    return Frequency(months // _MONTHS[unit], cast(Unit, unit))


def parse_frequency(text: str) -> Frequency:
    """Read a spacing such as "10min", "1h", "15 minutes", "month"; "m" is a month, as in `Frequency`.

    Raises `UsageError` for what is none.

    >>> str(parse_frequency("15 minutes")), str(parse_frequency("60min")), str(parse_frequency("month"))
    ('15min', '1h', '1m')
    """
    found = re.fullmatch(r"\s*(\d{0,10})\s*([a-z ]+?)\s*", text.lower())
    word = found[2] if found else ""
    unit = word if word in get_args(Unit) else _WORDS.get(word) or _WORDS.get(word.rstrip("s"))
    if found is None or (unit is None and word.rstrip("s") not in get_args(Unit)) or (found[1] and int(found[1]) == 0):
        raise UsageError(f"every: expected a spacing such as 10min, 1h, 1d, 1w or 1m (a month), got {text!r}")
    count, unit = int(found[1] or 1), unit or word.rstrip("s")
    if unit in _FIXED:
        return frequency_of(count * _FIXED[unit])
    return frequency_of_months(count * _MONTHS[unit]) if unit in _MONTHS else Frequency(count, cast(Unit, unit))


def shift_times(times: np.ndarray, frequency: Frequency, counts: np.ndarray | int) -> np.ndarray:
    """Give the times that are so many steps later, datetime64[us]; after ends of months come ends of months.

    >>> shift_times(np.array(["2024-01-31"], "M8[us]"), Frequency(1, "m"), 1).astype("M8[D]")
    array(['2024-02-29'], dtype='datetime64[D]')
    """
    times = np.asarray(times, "M8[us]")
    if frequency.microseconds is not None:
        return times + np.asarray(counts, np.int64) * np.timedelta64(frequency.microseconds, "us")
    days = times.astype("M8[D]")
    if frequency.unit == "b":
        moved = np.busday_offset(days, np.asarray(counts, np.int64) * frequency.count, roll="forward")
    else:
        first = times.astype("M8[M]")
        last = (first + 1).astype("M8[D]") - 1
        target = first + np.asarray(counts, np.int64) * (frequency.months or 1)
        lasts = (target + 1).astype("M8[D]") - 1
        day = np.minimum(target.astype("M8[D]") + (days - first.astype("M8[D]")), lasts)
        moved = lasts if np.all(days == last) else day
    return moved.astype("M8[us]") + (times - days)


_CYCLES = {"s": 3600, "min": 1440, "h": 24, "d": 7, "b": 5, "w": 52, "m": 12, "q": 4}


def default_season(frequency: Frequency | None) -> int:
    """Give the steps of the season that is usual for a spacing: 24 of hours, 7 of days, 12 of months, 1 where none is.

    It is an hour of seconds, a day of minutes and hours, a week of days, a year of weeks, months and quarters.

    >>> [default_season(parse_frequency(text)) for text in ("10min", "1h", "1d", "1m", "5h")], default_season(None)
    ([144, 24, 7, 12, 1], 1)
    """
    if frequency is None:
        return 1
    whole, rest = divmod(_CYCLES.get(frequency.unit, 1), frequency.count)
    return whole if whole and not rest else 1


def calendar_features(times: np.ndarray, frequency: Frequency | None) -> tuple[np.ndarray, list[str]]:
    """Give features of times from the calendar, (T, K) float32 in −1 … 1, and a name for each: only what can differ at this spacing.

    Each cycle is an angle, given as its sine and cosine: of the minute, the hour, the day, the week, the month and the year.
    Numbers of steps have no calendar, K = 0.

    >>> calendar_features(np.array(["2024-01-01T06:00"], "M8[us]"), Frequency(12, "h"))[1][:4]
    ['day sin', 'day cos', 'week sin', 'week cos']
    """
    times = np.asarray(times)
    if times.dtype.kind != "M":
        return np.zeros((len(times), 0), np.float32), []
    times = times.astype("M8[us]")
    days = times.astype("M8[D]")
    within = (times - days) / np.timedelta64(1, "D")  # 0 … 1 of the day
    month, year = times.astype("M8[M]").astype("M8[D]"), times.astype("M8[Y]").astype("M8[D]")
    month_days = ((times.astype("M8[M]") + 1).astype("M8[D]") - month).astype(float)
    year_days = ((times.astype("M8[Y]") + 1).astype("M8[D]") - year).astype(float)
    weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    length = 1.0 if frequency is None else frequency.seconds
    phases = {
        "minute": (60, within * 1440),
        "hour": (3600, within * 24),
        "day": (86_400, within),
        "week": (7 * 86_400, (weekday + within) / 7),
        "month": (28 * 86_400, ((days - month).astype(float) + within) / month_days),
        "year": (365 * 86_400, ((days - year).astype(float) + within) / year_days),
    }
    columns, names = [], []
    for name, (cycle, phase) in phases.items():
        if length >= cycle or (name == "minute" and frequency is None):
            continue
        angle = 2 * np.pi * (phase % 1)
        columns += [np.sin(angle), np.cos(angle)]
        names += [f"{name} sin", f"{name} cos"]
    features = np.stack(columns, axis=1) if columns else np.zeros((len(times), 0))
    return features.astype(np.float32), names


def format_time(time: np.datetime64 | float) -> str:
    """Write a time as a reader would: without seconds, or a time of day, that are zero.

    >>> format_time(np.datetime64("2024-05-31T13:00:00", "us")), format_time(np.datetime64("2024-05-31", "us"))
    ('2024-05-31 13:00', '2024-05-31')
    """
    if not isinstance(time, np.datetime64):
        return f"{time:g}"
    text = str(time.astype("M8[us]")).replace("T", " ")
    for tail in (".000000", ":00", " 00:00"):
        if not text.endswith(tail):
            break
        text = text.removesuffix(tail)
    return text


def local_time(times: np.ndarray, offset: int | None) -> tuple[np.ndarray, str]:
    """Give times in UTC as a clock shows them that is `offset` minutes ahead, and the suffix of such times; None: as they are.

    >>> local_time(np.array(["2024-05-31T13:00"], "M8[m]"), 120)
    (array(['2024-05-31T15:00'], dtype='datetime64[m]'), '+02:00')
    >>> local_time(np.array([7]), None)[1], local_time(np.array(["2024-05-31"], "M8[us]"), 0)[1]
    ('', 'Z')
    """
    if offset is None:
        return times, ""
    hours, minutes = divmod(abs(offset), 60)
    suffix = f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}" if offset else "Z"
    return times + np.timedelta64(offset, "m"), suffix


def utc_offset(times: np.ndarray, local: np.ndarray) -> int:
    """Give how many minutes clocks are ahead of UTC, by times in UTC and on them, (T) each; 0, UTC, where that changes.

    >>> utc_offset(np.array(["2024-05-31T13:00"], "M8[us]"), np.array(["2024-05-31T15:00"], "M8[us]"))
    120
    """
    ahead = np.unique((local - times).astype("m8[m]").astype(np.int64))
    return int(ahead[0]) if len(ahead) == 1 else 0
