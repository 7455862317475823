"""The metrics of forecasts compared with those of utilsforecast."""

from __future__ import annotations

import math

import numpy as np
import pytest

from recurra.metrics import (
    ForecastScores,
    coverage,
    crps,
    mae,
    mase,
    mse,
    naive_scale,
    over_series,
    quantile_loss,
    rmse,
    scaled,
    smape,
)

HALVES = [0.05 + step / 10 for step in range(10)]  # each the middle of a tenth


def made_up(seed: int, series: int = 6, steps: int = 5, length: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories (N, T), actual values (N, h) with gaps, and forecasts (N, h)."""
    chance = np.random.default_rng(seed)
    whole = chance.normal(10, 5, (series, length + steps)).cumsum(1)
    actual, forecast = whole[:, length:].copy(), whole[:, length:] + chance.normal(0, 3, (series, steps))
    actual[0, 1] = actual[1, 0] = np.nan
    return whole[:, :length], actual, forecast


@pytest.mark.filterwarnings("ignore")  # the peer's own
def test_metrics_are_those_of_utilsforecast():
    peer = pytest.importorskip("utilsforecast.losses")
    frames = pytest.importorskip("pandas")
    history, actual, forecast = made_up(0)
    known = ~np.isnan(actual)
    chance = np.random.default_rng(1)
    bounds = np.sort(forecast[..., None] + chance.normal(0, 4, (*forecast.shape, len(HALVES))), axis=-1)
    rows, columns = np.nonzero(known)
    table = frames.DataFrame(
        {"unique_id": rows, "ds": columns + history.shape[1], "y": actual[known], "m": forecast[known]}
    )
    for place in range(len(HALVES)):
        table[f"q{place}"] = bounds[known][:, place]
    table["m-lo-90"], table["m-hi-90"] = table["q0"], table["q9"]
    past = frames.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(history)), history.shape[1]),
            "ds": np.tile(np.arange(history.shape[1]), len(history)),
            "y": history.ravel(),
        }
    )
    scale = naive_scale(history.T, 7)
    names = {"m": [f"q{place}" for place in range(len(HALVES))]}
    expected = {
        "mae": peer.mae(table, ["m"]),
        "mse": peer.mse(table, ["m"]),
        "rmse": peer.rmse(table, ["m"]),
        "mase": peer.mase(table, ["m"], seasonality=7, train_df=past),
        "coverage": peer.coverage(table, ["m"], level=90),
    }
    ours = {
        "mae": mae(actual, forecast),
        "mse": mse(actual, forecast),
        "rmse": rmse(actual, forecast),
        "mase": mase(actual, forecast, scale),
        "coverage": coverage(actual, bounds[..., 0], bounds[..., -1]),
    }
    for name, frame in expected.items():
        assert ours[name] == pytest.approx(frame.sort_values("unique_id")["m"].to_numpy(), rel=1e-12), name
    # Theirs is a share from 0 to 1.
    assert smape(actual, forecast) == pytest.approx(200 * peer.smape(table, ["m"])["m"].to_numpy(), rel=1e-12)
    # Levels in the middle of tenths have equal weights: twice the mean of the losses.
    multi = peer.mqloss(table, names, quantiles=np.array(HALVES))["m"].to_numpy()
    assert crps(actual, bounds, HALVES) == pytest.approx(2 * multi, rel=1e-12)
    third = peer.quantile_loss(table, {"m": "q3"}, q=HALVES[3])["m"].to_numpy()
    assert quantile_loss(actual, bounds, HALVES)[:, 3] == pytest.approx(third, rel=1e-12)


def test_scores_are_the_measures_of_each_series_averaged():
    history, actual, forecast = made_up(3)
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    bounds = forecast[..., None] + np.array([-4.0, -2.0, 0.0, 2.0, 4.0])
    scale = naive_scale(history.T, 3)
    scores = ForecastScores(3, levels)
    scores.add(np.arange(len(forecast)), scale[:, None], actual[..., None], forecast[..., None], bounds[:, :, None])
    found = scores.metrics()
    assert found == pytest.approx(
        {
            "mase": over_series(mase(actual, forecast, scale)),
            "smape": over_series(smape(actual, forecast)),
            "crps": over_series(crps(actual, bounds, levels)),
            "scaled_crps": over_series(scaled(crps(actual, bounds, levels), scale)),
            "mse": over_series(mse(actual, forecast)),
            "mae": over_series(mae(actual, forecast)),
            "coverage_50": over_series(coverage(actual, bounds[..., 1], bounds[..., 3])),
            "coverage_80": over_series(coverage(actual, bounds[..., 0], bounds[..., 4])),
            "rmse": math.sqrt(over_series(mse(actual, forecast))),
        },
        rel=1e-12,
    )
    alone = [
        ForecastScores().add(0, 1.0, actual[[number], :, None], forecast[[number], :, None])
        for number in range(len(actual))
    ]
    assert [one.metrics()["mae"] for one in alone] == pytest.approx(mae(actual, forecast))
    assert scores.by_step()["mae"] == pytest.approx(np.nanmean(np.abs(actual - forecast), axis=0))
