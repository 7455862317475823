"""What tasks over series in time share: covariates as numbers, what is cut off and refused, and the file of a preprocessor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from recurra.data.timeseries.frequency import Frequency
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.errors import DataError, RunError
from recurra.tasks.timeseries.covariates import Calendar, Covariates, Standardizer, StaticColumn
from recurra.tasks.timeseries.data import refuse_values, rows_from_array, truncate
from recurra.tasks.timeseries.preprocessing import TimeSeriesPreprocessor


def hourly(steps: int, ahead: int = 0) -> TimeSeries:
    """A series of one channel and one column that is known ahead, from a Friday on."""
    times = np.datetime64("2024-05-31", "us") + np.arange(steps + ahead) * np.timedelta64(1, "h")
    known, past = np.arange(steps + ahead, dtype=float)[:, None], np.zeros((steps, 1))
    return TimeSeries("pump", np.arange(steps, dtype=float)[:, None], times, known, past, ("big", 3.0), "pump.csv")


def panel_of(*series: TimeSeries) -> Panel:
    return Panel(list(series), ("bar",), ("plan",), ("temp",), ("kind", "size"), Frequency(1, "h"))


# Numbers


def test_each_column_is_standardised_by_what_it_has() -> None:
    values = np.array([[1.0, np.nan], [3.0, 7.0], [np.inf, np.nan], [5.0, 7.0]])
    scale = Standardizer.fit(values)
    assert scale.mean.tolist() == [3.0, 7.0]
    assert scale.std.tolist() == [pytest.approx(np.std([1, 3, 5])), 0.0]
    np.testing.assert_array_equal(scale.transform(values)[1], [0.0, 0.0])
    assert scale.transform(np.array([[3.0, 9.0]])).tolist() == [[0.0, 2.0]]  # a constant is centred alone


@pytest.mark.parametrize(
    ("limits", "divisors"),
    [
        ({}, [1e-9, 1e-3]),
        ({"min_std": 1e-8}, [1.0, 1e-3]),
        ({"min_std_share": 1e-9}, [1e-9, 1.0]),
        ({"min_std": 1e-8, "min_std_share": 1e-9}, [1.0, 1.0]),
    ],
)
def test_what_rounding_left_of_a_constant_is_no_spread(limits: dict[str, float], divisors: list[float]) -> None:
    assert Standardizer(np.array([0.0, 1e7]), np.array([1e-9, 1e-3]), **limits).divisor.tolist() == divisors


def test_a_table_without_columns_or_rows_has_a_scale() -> None:
    assert Standardizer.fit(np.zeros((5, 0))).transform(np.zeros((2, 0))).shape == (2, 0)
    assert Standardizer.fit(np.zeros((0, 2))).divisor.tolist() == [1.0, 1.0]


# Static columns


def test_words_are_told_apart_up_to_a_limit() -> None:
    column = StaticColumn.fit("kind", ["c", "a", "b", "a", 1.0], max_words=3)
    assert column.words == ["1.0", "a", "b"]
    assert (column.width, column.encode("b"), column.encode("c"), column.encode(1.0)) == (
        3,
        [0, 0, 1],
        [0, 0, 0],
        [1, 0, 0],
    )
    assert StaticColumn.fit("kind", ["c", "a", "b"]).width == 3


def test_a_static_number_is_standardised_and_what_is_none_is_the_mean() -> None:
    column = StaticColumn.fit("size", [1, 3.0, float("nan")])
    assert (column.words, column.width) == (None, 1)
    assert [column.encode(value) for value in (4, 2.0, float("nan"), "", "big")] == [[2.0], [0.0], [0.0], [0.0], [0.0]]


def test_covariates_count_and_encode_all_static_columns() -> None:
    static = [StaticColumn("kind", ["big", "small"]), StaticColumn.fit("size", [1.0, 3.0])]
    covariates = Covariates(["temp"], static, Calendar(None, ["day sin", "day cos"]))
    assert (covariates.static_size, covariates.size) == (3, 6)
    assert covariates.encode_static(hourly(2)).tolist() == [1.0, 0.0, 1.0]
    assert Covariates([], [], Calendar(None)).encode_static(replace(hourly(2), static=())).shape == (0,)


# The calendar


def test_cycles_are_kept_that_a_series_has_gone_through() -> None:
    every, learnable = (Calendar.fit(panel_of(hourly(30)), whole_cycles=whole) for whole in (False, True))
    assert [name for name in every.features if "sin" in name] == ["day sin", "week sin", "month sin", "year sin"]
    assert learnable.features == ["day sin", "day cos"]
    np.testing.assert_array_equal(learnable.encode(hourly(30)), every.encode(hourly(30))[:, :2])
    assert Calendar.fit(Panel([], (), (), (), (), None)).features == []


def test_the_calendar_of_steps_ahead_is_read_unless_it_is_cut_off() -> None:
    calendar = Calendar(Frequency(1, "h"), ["week cos", "day sin"])
    assert (calendar.encode(hourly(7, ahead=3)).shape, calendar.encode(hourly(7, ahead=3), 7).shape) == (
        (10, 2),
        (7, 2),
    )
    assert calendar.encode(hourly(7))[6, 1] == 1.0  # six in the morning
    assert Calendar(None).encode(hourly(7)).shape == (7, 0)


def test_a_calendar_is_not_read_off_numbers() -> None:
    calendar = Calendar.fit(panel_of(hourly(30)))
    with pytest.raises(DataError, match=r"pump\.csv: series 'pump': expected time stamps.* of which the day is read"):
        calendar.encode(replace(hourly(30), times=np.arange(30)))


@pytest.mark.parametrize("frequency", [None, Frequency(10, "min")])
def test_a_frequency_is_saved(frequency: Frequency | None) -> None:
    saved = Calendar(frequency, ["day sin"]).frequency_to_json()
    assert saved == (None if frequency is None else {"count": 10, "unit": "min"})
    assert Calendar.from_json(saved, ["day sin"]) == Calendar(frequency, ["day sin"])


# What is handed over


@pytest.mark.parametrize(("end", "steps"), [(0, 0), (4, 4), (7, 7), (9, 7)])
def test_nothing_is_known_ahead_of_where_a_series_is_cut_off(end: int, steps: int) -> None:
    cut = truncate(hourly(7, ahead=3), end)
    assert [len(each) for each in (cut.values, cut.times, cut.known, cut.past)] == [steps] * 4


@pytest.mark.parametrize(
    ("given", "names", "fault"),
    [
        (["up"], ["bar"], r"expected a series of real numbers, got \['up'\]"),
        ([1, 2], ["bar", "flow"], r"expected series of 2 columns \(bar, flow\), got numbers in 1 dimension; write"),
        ([[1, 2]], ["bar"], r"expected series of 1 columns \(bar\), got 2"),
        (np.zeros((1, 1, 1)), ["bar"], "got numbers in 3 dimensions"),
    ],
)
def test_an_array_of_another_shape_is_refused(given: Any, names: list[str], fault: str) -> None:
    with pytest.raises(DataError, match=fault):
        rows_from_array(given, names)


def test_the_first_value_that_is_refused_is_named() -> None:
    series, values = hourly(3), np.array([[1.0, 2.0], [3.0, -4.0], [-5.0, 6.0]])
    refuse_values(series, values, values > 7, "no such value", "")
    with pytest.raises(DataError, match=r"pump\.csv: series pump, step 2: expected a count; got -4; write counts"):
        refuse_values(series, values, values < 0, "a count", "write counts")
    with pytest.raises(DataError, match=r"series pump, step 2, 'flow': expected a count; got -4"):
        refuse_values(series, values, values < 0, "a count", "", ["bar", "flow"])


# Files


@dataclass
class Plain(TimeSeriesPreprocessor[Covariates]):
    """A preprocessor that remembers its targets alone."""

    file: ClassVar = "plain.json"

    targets: list[str]

    channels = property(lambda self: len(self.targets))
    input_size = channels

    def to_json(self) -> dict[str, Any]:
        return {"targets": self.targets}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Plain:
        return cls([name.strip() for name in content["targets"]])


def test_a_preprocessor_is_read_as_it_was_saved(tmp_path: Path) -> None:
    assert Plain(["Durchfluß", "bar"]).save(tmp_path) == ["plain.json"]
    assert Plain.load(tmp_path) == Plain(["Durchfluß", "bar"])
    assert (tmp_path / "plain.json").read_text("utf-8") == '{\n "targets": [\n  "Durchfluß",\n  "bar"\n ]\n}\n'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file"),
        ("{", "not valid JSON: "),
        (b"\xff", "not valid JSON: "),
        *((text, "is damaged: ") for text in ("[]", "{}", '{"targets": 3}', '{"targets": [1]}', "null")),
    ],
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, content: str | bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / "plain.json").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RunError, match=rf"plain\.json: {problem}"):
        Plain.load(tmp_path)
