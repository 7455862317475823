"""What a report shows of a forecaster: some forecasts, and the error by horizon."""

from __future__ import annotations

from typing import Any

import pytest

from recurra.report.blocks import Lines
from recurra.tasks.forecast.report import blocks

FORECAST: dict[str, Any] = {
    "series": "shop",
    "target": "sales",
    "time": ["2024-05-30", "2024-05-31", "2024-06-01"],
    "history": [41.2],
    "actual": [39.8, None],
    "mean": [40.6, 41.0],
    "quantiles": {"0.1": [36.9, 37.0], "0.25": [38.0, 38.0], "0.5": [40.6, 41.0], "0.9": [44.8, 45.0], "x": [1.0, 1.0]},
}
ERRORS: dict[str, Any] = {
    "by_step": {"mase": [0.31, 0.52], "mae": [9.4, 15.8]},
    "beside": {"seasonal-naive": {"mase": [0.98, 1.06]}, "ets": {"mase": [0.5, None]}},
    "fewer": {"ets": [3, 9]},
}


def lines(**details: object) -> dict[str, Lines]:
    return {block.title: block for block in blocks({"details": details}) if isinstance(block, Lines)}


def test_a_forecast_goes_on_from_the_last_known_value() -> None:
    (picture,) = lines(forecasts=[FORECAST])["Forecasts and actual values"].pictures
    assert picture.caption == "shop · sales" and picture.chart.x_label == "time"
    assert list(picture.chart.x_names) == FORECAST["time"]
    actual, forecast = picture.chart.series
    assert (actual.name, forecast.name) == ("actual values", "forecast")
    assert forecast.points == [(0.0, 41.2), (1.0, 40.6), (2.0, 41.0)]
    (band,) = picture.chart.bands  # the other quantiles have no opposite
    assert band.points == [(1.0, 36.9, 44.8), (2.0, 37.0, 45.0)]
    bare = lines(forecasts=[{**FORECAST, "time": ["1", "2"], "series": ""}])["Forecasts and actual values"].pictures[0]
    assert (bare.caption, bare.chart.x_label, bare.chart.x_names) == ("sales", "step", ())


def test_the_error_by_horizon_is_compared_with_the_baselines() -> None:
    block = lines(**ERRORS)["Error by horizon"]
    (picture,) = block.pictures
    assert picture.caption == "MASE by steps ahead"
    assert [series.name for series in picture.chart.series] == ["ETS*", "seasonal naive", "this model"]
    assert picture.chart.series[-1].points == [(1.0, 0.31), (2.0, 0.52)]
    assert "mean absolute error by steps ahead" in lines(by_step={"mae": [1.0, 2.0]})["Error by horizon"].draw()


@pytest.mark.parametrize("key", [*FORECAST, *ERRORS])
@pytest.mark.parametrize(
    "value", [None, 3, "x", [], {}, [None], ["x"], {"mase": 3}, {"ets": None}, {"0.1": "x", "0.9": [1]}]
)
def test_whatever_is_broken_is_left_out(key: str, value: object) -> None:
    for block in lines(**{"forecasts": [{**FORECAST, key: value}], **ERRORS, key: value}).values():
        block.draw()
