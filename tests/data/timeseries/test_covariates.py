"""What is noted of covariates, and of series that end before others do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.data.timeseries.conftest import note, read


def shops(ends: dict[str, int], days: int = 12, *, dates: bool = True) -> str:
    """Write shops that sell until the day that is given, of which is known until the last day whether there is a sale."""
    rows = ["time,shop,sold,sale"]
    for name, end in ends.items():
        for day in range(1, days + 1):
            time = f"2024-01-{day:02}" if dates else f"{100 + 5 * day}"
            rows.append(f"{time},{name},{day if day <= end else ''},0")
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize(("dates", "ends"), [(True, ("2024-01-10", "2024-01-08")), (False, ("150", "140"))])
def test_a_series_that_ends_before_the_others_is_named(tmp_path: Path, dates: bool, ends: tuple[str, str]) -> None:
    options = {"series": "shop", "target": ("sold",), "known": ("sale",)}
    panel = read(tmp_path, shops({"a": 10, "b": 8, "c": 10}, dates=dates), **options)
    assert [len(one) for one in panel.series] == [10, 8, 10]
    assert note(
        panel, f"1 of 3 series ends before series a does, at {ends[0]}: b ({ends[1]}); what follows is forecast from"
    )
    panel = read(tmp_path, shops({"a": 10, "b": 10}, dates=dates), **options)
    assert not note(panel, "before series")


def test_many_series_that_end_early_are_a_few_names(tmp_path: Path) -> None:
    ends = {f"s{number}": 10 - bool(number) for number in range(30)}
    panel = read(tmp_path, shops(ends), series="shop", target=("sold",), known=("sale",))
    notes = [line for line in panel.notes if "before series s0 does, at 2024-01-10" in line]
    assert len(notes) == 1 and notes[0].startswith("29 of 30 series end") and "s3 (2024-01-09), and 26 more" in notes[0]
    assert "s4" not in notes[0]


def test_series_without_any_value_end_nowhere(tmp_path: Path) -> None:
    panel = read(tmp_path, shops({"a": 10, "b": 0}), series="shop", target=("sold",), known=("sale",))
    assert [len(one) for one in panel.series] == [10, 0] and not note(panel, "before series")


def test_cells_that_are_missing_beside_the_target_are_counted_as_far_as_it_goes(tmp_path: Path) -> None:
    rows = [
        f"2024-01-{day:02},{day if day < 9 else ''},{day if day % 2 else ''},{day if day > 2 else ''}"
        for day in range(1, 13)
    ]
    text = "\n".join(["time,v,rain,sale", *rows]) + "\n"
    panel = read(tmp_path, text, target=("v",), past=("rain",), known=("sale",))
    assert note(panel, "4 of 8 values of 'rain' are missing") and note(panel, "2 of 8 values of 'sale' are missing")
    assert not note(panel, "values of 'v'") and len(panel.series[0]) == 8
    panel = read(
        tmp_path, text.replace("\n2024-01-05,5,", "\n2024-01-05,,"), target=("v",), past=("rain",), known=("sale",)
    )
    assert note(panel, "1 of 8 values of 'v' are missing")
    panel = read(tmp_path, text, target=("v",), past=("rain",), gaps="keep")
    assert note(panel, "6 of 12 values of 'rain' are missing") and note(panel, "4 of 12 values of 'v' are missing")


def test_hours_to_come_of_a_day_in_course_are_not_missing(tmp_path: Path) -> None:
    rows = [f"2024-01-0{1 + hour // 24} {hour % 24:02}:00,{'' if hour > 30 else hour},0" for hour in range(72)]
    text = "\n".join(["time,v,sale", *rows]) + "\n"
    assert not note(read(tmp_path, text, target=("v",), known=("sale",), every="1d"), "are missing")


def test_missing_cells_of_many_columns_are_noted_for_a_few(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(20)]
    text = "\n".join([",".join(["time", "v", *names]), *(f"2024-01-0{day},1,{',' * 19}{day}" for day in range(1, 6))])
    panel = read(tmp_path, text + "\n", target=("v",), past=tuple(names))
    notes = [line for line in panel.notes if "are missing" in line or "have missing values" in line]
    assert len(notes) == 6 and notes[0] == "5 of 5 values of 'c0' are missing"
    assert notes[-1] == "14 more columns have missing values"
    assert np.isnan(panel.series[0].past[:, :19]).all()
