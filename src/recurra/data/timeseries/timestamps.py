"""Timestamps: cells to times, as they are written in tables of many countries, and refused where they could mean two days."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from recurra.series import is_missing, is_number

_ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?\Z")
_TIME_OF_DAY = r"(?:[T ,]\s*(?P<h>\d{1,2})[:时点](?P<min>\d{1,2})分?(?:[:]?(?P<s>\d{1,2})(?:[.,](?P<us>\d{1,9}))?秒?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
_ZONE = r"\s*(?P<zone>Z|z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?\Z"
_DATE_PATTERNS = [
    re.compile(pattern + _TIME_OF_DAY + _ZONE)
    for pattern in (
        r"(?P<y>\d{4})(?P<mark>[-/.])(?P<m>\d{1,2})(?:(?P=mark)(?P<d>\d{1,2}))?",
        r"(?P<y>\d{4})年(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})日)?",
        r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
        r"(?P<one>\d{1,2})(?P<mark>[-/])(?P<two>\d{1,2})(?P=mark)(?P<y>\d{4})",
    )
]
_CLOCK = re.compile(r"(\d{1,2}:\d\d(:\d\d([.,]\d+)?)?( ?[AaPp][Mm])?|\d{1,2}\.\d\d\.\d\d)\Z")
_QUARTER = re.compile(r"(?P<y>\d{4})[- ]?[Qq](?P<q>[1-4])\Z")
_YEAR = re.compile(r"(1[5-9]|2[01])\d\d\Z")
_MONTH = re.compile(r"(1[5-9]|2[01])\d\d(0[1-9]|1[0-2])\Z")
_DAY = re.compile(r"(1[5-9]|2[01])\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\Z")
_FIRST_DAY, _LAST_DAY = np.datetime64(date.min), np.datetime64(date.max)
YEAR_RANGE = "the years 1 to 9999"
_EPOCH = {"seconds": (10**8, 10**10, 10**6), "milliseconds": (10**11, 10**13, 10**3)}  # 1973 … 2286, to microseconds
_EPOCH |= {"microseconds": (10**14, 10**16, 1)}
_YEARS = {"year", "jahr", "年", "年份", "ds", "date", "time"}
TIMESTAMP_EXAMPLES = (
    "2024-05-31, 2024-05-31 13:00, 2024-05-31T13:00:00+02:00, 31.05.2024 13:00, 05/31/2024, 2024-05, or a number"
)


@dataclass
class Timestamps:
    """What a column of timestamps holds.

    values: (N) datetime64[us], or float64 for numbers of steps.  wrong: rows that hold none, with what is wrong.  local: the
    same times on the clocks where they were taken, where they have zones.  notes: what was assumed.
    """

    values: np.ndarray
    wrong: dict[int, str] = field(default_factory=dict)
    local: np.ndarray | None = None
    notes: list[str] = field(default_factory=list)


def read_timestamps(cells: Sequence[Any] | np.ndarray, column: str) -> Timestamps:
    """Read a column of timestamps; times with a zone are taken in UTC.

    Numbers count steps, unless the column says that they are years, months (202405), days (20240531) or seconds since 1970, or
    they are whole and as large as such. `31/05/2024` needs one day in the column that is no month; where none is, all its rows are wrong.

    >>> read_timestamps(["31.05.2024 13:00", "1.6.2024"], "when").values.astype("M8[h]").tolist()
    [datetime.datetime(2024, 5, 31, 13, 0), datetime.datetime(2024, 6, 1, 0, 0)]
    >>> read_timestamps(["05/06/2024", ""], "when").wrong
    {0: "column 'when': cannot tell whether 05/06/2024 begins with the day or the month; write 2024-06-05 or 2024-05-06", 1: "column 'when' has no time"}
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        absent = {int(at): f"column '{column}' has no time" for at in np.flatnonzero(np.isnat(cells))}
        values, beyond = to_microseconds(cells)
        wrong = {int(at): f"column '{column}': {cells[at]} is beyond {YEAR_RANGE}" for at in np.flatnonzero(beyond)}
        return Timestamps(values, absent | wrong)
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iuf":
        return _read_numbers(cells.astype(np.float64), column)
    with suppress(TypeError, ValueError):
        if all(map(_ISO.match, cells)):
            values, beyond = to_microseconds(np.array(cells, "M8[us]"))
            if not beyond.any():
                return Timestamps(values)
    # Python calls the two hours in which clocks are set back equal.
    keys = [(cell, cell.fold) if isinstance(cell, datetime) else cell for cell in cells]
    unique = {key: cell for key, cell in zip(keys, cells, strict=True) if not is_missing(cell)}
    there = list(unique.values())
    if there and all(is_number(cell) or type(cell) is int for cell in there):
        return _read_numbers(np.array([np.nan if is_missing(cell) else _to_float(cell) for cell in cells]), column)
    parsed = _parse_distinct(there, column)
    at = {key: number for number, key in enumerate(unique)}
    index = np.array([at.get(key, len(there)) for key in keys], np.int64)
    values = np.append(parsed.values, np.datetime64("NaT", "us"))[index]
    local = None if parsed.local is None else np.append(parsed.local, np.datetime64("NaT", "us"))[index]
    problems = {**parsed.wrong, len(there): f"column '{column}' has no time"}
    wrong = {int(row): problems[int(index[row])] for row in np.flatnonzero(np.isin(index, list(problems)))}
    return Timestamps(values, wrong, local, parsed.notes)


def to_microseconds(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give times (N) of any unit in microseconds, and which of them (N) no calendar of Python has; these are NaT.

    >>> to_microseconds(np.array([0, 2**40], "M8[s]"))
    (array(['1970-01-01T00:00:00.000000',                        'NaT'], dtype='datetime64[us]'), array([False,  True]))
    """
    days = times.astype("M8[D]") if np.datetime_data(times.dtype)[0] not in ("Y", "M") else times
    beyond = ~np.isnat(times) & ~((days >= _FIRST_DAY) & (days <= _LAST_DAY))
    return np.where(beyond, np.datetime64("NaT"), times).astype("M8[us]"), beyond


def is_timestamp(cell: Any) -> bool:
    """Say whether a cell is a date, with or without a time, rather than a number or a word.

    >>> is_timestamp("2024-05-31 13:00"), is_timestamp("5/31/2024"), is_timestamp("12.5"), is_timestamp("2024年5月")
    (True, True, False, True)
    """
    if isinstance(cell, datetime | date | np.datetime64):
        return True
    return isinstance(cell, str) and (
        any(form.match(cell.strip()) for form in _DATE_PATTERNS) or _QUARTER.match(cell.strip()) is not None
    )


def is_time_of_day(cell: Any) -> bool:
    """Say whether a cell is a time of day alone.

    >>> is_time_of_day("17:24:00"), is_time_of_day("17.24.00"), is_time_of_day("2024-05-31 17:24")
    (True, True, False)
    """
    return isinstance(cell, str) and _CLOCK.match(cell.strip()) is not None


def is_period(cell: Any) -> bool:
    """Say whether a cell is a number that stands for a month or a day.

    >>> is_period("202405"), is_period(20240531.0), is_period("202413"), is_period(5)
    (True, True, False, False)
    """
    if not is_number(cell) or not float(cell).is_integer():
        return False
    return any(form.match(str(int(float(cell)))) for form in (_MONTH, _DAY))


def _to_float(cell: Any) -> float:
    """Give a number as a float; a whole number beyond its range is infinite, as it is where it is written in a table."""
    try:
        return float(cell)
    except OverflowError:
        return np.inf


def _read_numbers(values: np.ndarray, column: str) -> Timestamps:
    problems = {True: f"column '{column}' has no time", False: f"column '{column}' has a number too large for a time"}
    wrong = {int(at): problems[bool(np.isnan(values[at]))] for at in np.flatnonzero(~np.isfinite(values))}
    there = values[np.isfinite(values)]
    if not there.size:
        return Timestamps(values, wrong)
    low, high, whole = there.min(), there.max(), bool(np.all(there == np.floor(there)))
    filled = np.where(np.isfinite(values), values, low)
    for name, (least, most, factor) in _EPOCH.items():
        if least <= low and high < most:
            times = np.round(filled * factor).astype(np.int64).astype("M8[us]")
            return Timestamps(times, wrong, None, [f"column '{column}' is read as {name} since 1970, in UTC"])
    for form, what in ((_DAY, "days, such as 20240531"), (_MONTH, "months, such as 202405")):
        if whole and all(form.match(str(int(cell))) for cell in np.unique(there)[:1000]):
            written = [str(int(cell)) for cell in filled]
            parsed = _parse_distinct(
                ["-".join(filter(None, (cell[:4], cell[4:6], cell[6:]))) for cell in written], column
            )
            return Timestamps(parsed.values, wrong | parsed.wrong, None, [f"column '{column}' is read as {what}"])
    if whole and column.strip().lower() in _YEARS and low >= 1500 and high < 2200:
        return Timestamps((filled.astype(np.int64) - 1970).astype("M8[Y]").astype("M8[us]"), wrong)
    return Timestamps(values, wrong)


def _parse_distinct(cells: list[Any], column: str) -> Timestamps:
    """Read cells, each once."""
    first = _day_or_month_first([cell for cell in cells if isinstance(cell, str)])
    values = np.full(len(cells), np.datetime64("NaT"), "M8[us]")
    local = values.copy()
    wrong: dict[int, str] = {}
    zoned = 0
    for at, cell in enumerate(cells):
        try:
            time = cell if isinstance(cell, datetime) else _parse(cell, first)
            utc = time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
        except ValueError as error:
            wrong[at] = f"column '{column}': {error}"
            continue
        except OverflowError:
            wrong[at] = f"column '{column}': {cell} is beyond {YEAR_RANGE} in UTC"
            continue
        if time.tzinfo is not None:
            zoned += 1
            local[at] = np.datetime64(time.replace(tzinfo=None), "us")
        values[at] = np.datetime64(utc, "us")
    notes = []
    if zoned and zoned + len(wrong) < len(cells):
        bare = next(at for at in range(len(cells)) if at not in wrong and np.isnat(local[at]))
        wrong[bare] = (
            f"column '{column}': {cells[bare]} has no zone, and others have; write all of them with one, or none"
        )
    elif zoned:
        notes.append(f"column '{column}': times with a zone are taken in UTC")
    if first is not None:
        notes.append(f"column '{column}' is read as {'day/month/year' if first == 'day' else 'month/day/year'}")
    return Timestamps(values, wrong, local if zoned else None, notes)


def _day_or_month_first(cells: Sequence[str]) -> str | None:
    """Tell by the numbers above twelve whether dates such as 05/31/2024 begin with the day or the month; "" where none is."""
    found = [match for cell in cells if (match := _DATE_PATTERNS[-1].match(cell.strip()))]
    if not found:
        return None
    if any(int(match["one"]) > 12 for match in found):
        return "day"
    return "month" if any(int(match["two"]) > 12 for match in found) else ""


def _parse(cell: Any, first: str | None) -> datetime:
    """Read one timestamp; raises `ValueError`, saying what is wrong with it."""
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)
    text = str(cell).strip()
    quarter = _QUARTER.match(text)
    if quarter:
        return datetime(int(quarter["y"]), int(quarter["q"]) * 3 - 2, 1)
    if _YEAR.match(text):
        return datetime(int(text), 1, 1)
    found = next((match for form in _DATE_PATTERNS if (match := form.match(text))), None)
    if found is None:
        raise ValueError(f"expected a time such as {TIMESTAMP_EXAMPLES}; got {text[:30]!r}")
    parts = found.groupdict()
    if parts.get("one"):
        if not first:
            one, two, year = int(parts["one"]), int(parts["two"]), parts["y"]
            raise ValueError(
                f"cannot tell whether {text} begins with the day or the month; "
                f"write {year}-{two:02}-{one:02} or {year}-{one:02}-{two:02}"
            )
        parts["d"], parts["m"] = (parts["one"], parts["two"]) if first == "day" else (parts["two"], parts["one"])
    return _to_datetime(parts, text)


def _to_datetime(parts: dict[str, Any], text: str) -> datetime:
    number: Callable[[str], int] = lambda name: int(parts.get(name) or 0)  # noqa: E731
    hour = number("h")
    if parts.get("half"):
        hour = hour % 12 + (12 if parts["half"][0] in "Pp" else 0)
    zone = parts.get("zone")
    if zone and zone[0] in "+-" and len(zone) == 3:
        zone += ":00"
    try:
        time = datetime(
            number("y"),
            number("m"),
            number("d") or 1,
            hour,
            number("min"),
            number("s"),
            int((parts.get("us") or "0").ljust(6, "0")[:6]),
        )
        if zone is None:
            return time
        return time.replace(tzinfo=UTC if zone[0] not in "+-" else datetime.strptime(zone, "%z").tzinfo)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time ({error})") from None
