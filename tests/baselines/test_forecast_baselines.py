"""Baselines of forecasts: by hand, against plain loops and other libraries, and that none looks ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baselines.conftest import LEVELS, QUICK, column, wavy, with_gaps

from recurra.baselines import ETS, ForecastBaseline, Linear, Naive2, SeasonalNaive
from recurra.baselines.forecasts import ErrorQuantiles, fill_forward, running_scale, subsample
from recurra.errors import DataError, UsageError
from recurra.metrics import ForecastScores, naive_scale


def test_the_last_season_is_repeated():
    model = SeasonalNaive().fit([column(*range(20))], season=3, horizon=7)
    assert model.forecast(column(1, 2, 3, 4, 5))[0][:, 0].tolist() == [3, 4, 5, 3, 4, 5, 3]
    assert model.forecast(column(1, 2))[0][:, 0].tolist() == [2] * 7  # less than a season
    naive = SeasonalNaive().fit([column(*range(20))], season=1, horizon=2)
    assert naive.forecast(column(4, 9))[0][:, 0].tolist() == [9, 9]


def test_a_gap_is_filled_from_the_season_before_it_alone():
    values = column(1, 2, 3, np.nan, np.nan, 6, np.nan, 8, np.nan)
    assert fill_forward(values, 3)[:, 0].tolist() == [1, 2, 3, 1, 2, 6, 1, 8, 6]
    # The second phase of the season is not known yet: the step before stands for it.
    assert fill_forward(column(np.nan, 2, np.nan, np.nan, 5), 3)[1:, 0].tolist() == [2, 2, 2, 5]
    assert np.isnan(fill_forward(column(np.nan, 2), 3)[0, 0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(2, 60))
def test_filling_never_looks_ahead(seed, season, cut):
    values = wavy(seed, 60)
    values[np.random.default_rng(seed).random(values.shape) < 0.5] = np.nan
    assert np.array_equal(fill_forward(values[:cut], season), fill_forward(values, season)[:cut], equal_nan=True)
    scale = running_scale(values, season, np.array([cut]))[0]
    own = naive_scale(values[:cut], season)
    known = ~np.isnan(own)  # where no two values a season apart are known ours has another
    assert scale[known] == pytest.approx(own[known], rel=1e-9)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("season", [1, 6])
def test_rolling_is_the_forecast_after_each_origin(kind, season):
    whole = with_gaps(wavy(1), 2)
    model = kind().fit([wavy(3), wavy(4)], season, horizon=8)
    origins = np.array([4, 5, 7, 13, 50, 61, 119, 120])
    mean, quantiles = model.rolling(whole, origins, LEVELS)
    assert mean.shape == (8, 8, 2)
    for place, origin in enumerate(origins):
        alone, bounds = model.forecast(whole[:origin], LEVELS)
        assert mean[place] == pytest.approx(alone, rel=1e-9)
        assert (bounds is None) == (kind is Naive2)
        if bounds is not None:
            assert quantiles[place] == pytest.approx(bounds, rel=1e-9)
            assert np.isfinite(bounds).all()
            assert (np.diff(bounds, axis=-1) >= 0).all()
        assert np.isfinite(alone).all()


@pytest.mark.parametrize("kind", [*QUICK, ETS])
@pytest.mark.parametrize("history", [column(5.0), column(5.0, 5.0), np.full((40, 1), 5.0)])
def test_constants_and_the_shortest_histories_are_continued(kind, history):
    if kind is ETS:
        pytest.importorskip("statsforecast")
    model = kind().fit([wavy(0, channels=1), np.zeros((30, 1)), column(1.0)], season=6, horizon=4)
    mean, quantiles = model.forecast(history, LEVELS)
    assert mean == pytest.approx(np.full((4, 1), 5.0))
    if quantiles is not None:
        assert np.isfinite(quantiles).all()


@pytest.mark.parametrize("kind", QUICK)
def test_a_channel_without_a_value_is_an_error(kind):
    model: ForecastBaseline = kind().fit([wavy(0)], season=6, horizon=4)
    with pytest.raises(DataError, match="at least one step"):
        model.forecast(np.zeros((0, 2)))
    with pytest.raises(DataError, match="before step 5, got none in channel 1"):
        model.forecast(np.array([[1.0, np.nan]] * 5))
    late = wavy(1)
    late[:10, 0] = np.nan
    with pytest.raises(DataError, match="before step 10, got none in channel 0"):
        model.rolling(late, [10, 30])
    assert model.rolling(late, [11])[0].shape == (1, 4, 2)
    assert model.rolling(late, [])[0].shape == (0, 4, 2)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize(
    ("histories", "season", "horizon", "message"),
    [
        ([], 1, 1, "histories"),
        ([np.zeros(5)], 1, 1, "history: expected"),
        ([np.zeros((5, 1)), np.zeros((5, 2))], 1, 1, "same channels"),
        ([np.zeros((5, 1))], 0, 1, "season"),
        ([np.zeros((5, 1))], 1, 0, "horizon"),
    ],
)
def test_what_is_refused(kind, histories, season, horizon, message):
    with pytest.raises(UsageError, match=message):
        kind().fit(histories, season, horizon)


@pytest.mark.parametrize("kind", QUICK)
def test_what_is_refused_afterwards(kind):
    with pytest.raises(UsageError, match="call fit first"):
        kind().forecast(np.ones((5, 1)))
    model = kind().fit([wavy(0)], 6, 4)
    with pytest.raises(UsageError, match="origins: expected steps from 1 to 120"):
        model.rolling(wavy(0), [0, 5])
    with pytest.raises(UsageError, match="origins"):
        model.rolling(wavy(0), [121])


@pytest.mark.parametrize("kind", [SeasonalNaive, Linear])
def test_intervals_hold_what_they_promise_on_data_like_the_training(kind):
    series = [wavy(seed, 300, channels=1) * 10.0 ** (seed % 4) for seed in range(30)]
    model = kind().fit([values[:200] for values in series], season=6, horizon=6)
    scores = ForecastScores(6, (0.05, 0.25, 0.5, 0.75, 0.95))
    for number, values in enumerate(series):
        origins = np.arange(200, 294)
        mean, bounds = model.rolling(values, origins, scores.levels)
        actual = np.stack([values[origin : origin + 6] for origin in origins])
        scores.add(number, scores.scale_of(values[:200]), actual, mean, bounds)
    # 30 series, each with some ten independent stretches: a share near 0.9 is known to 0.02 or so, two of that here.
    assert scores.metrics()["coverage_90"] == pytest.approx(0.9, abs=0.04)
    assert scores.metrics()["coverage_50"] == pytest.approx(0.5, abs=0.06)


def test_intervals_widen_with_the_seasons_and_with_the_series():
    walks = [np.random.default_rng(seed).normal(size=(400, 1)).cumsum(0) for seed in range(20)]
    model = SeasonalNaive().fit(walks, season=1, horizon=16)
    _, bounds = model.forecast(walks[0], (0.1, 0.9))
    wide = bounds[:, 0, 1] - bounds[:, 0, 0]
    assert wide[15] / wide[0] == pytest.approx(4.0, rel=0.15)  # a random walk's grow as √k
    _, tenfold = model.forecast(10 * walks[0], (0.1, 0.9))
    assert tenfold[:, 0, 1] - tenfold[:, 0, 0] == pytest.approx(10 * wide, rel=1e-9)


def test_quantiles_without_errors_are_normal_ones_and_grow():
    spread = ErrorQuantiles([[np.zeros(0)], [np.zeros(0)]], typical_scale=np.array([3.0]))
    (of_scale,) = spread.quantiles(np.array([[2.0]]), [0.1, 0.9])
    # A normal distribution of mean |e| 2 has the deviation 2·√(π/2), and its 0.9 quantile is 1.2816 of that.
    assert of_scale[:, 0, 1] == pytest.approx(
        [1.2816 * 2 * np.sqrt(np.pi / 2) * root for root in (1, np.sqrt(2))], rel=1e-3
    )
    assert of_scale[:, 0, 0] == pytest.approx(-of_scale[:, 0, 1])
    assert spread.quantiles(np.array([[np.nan]]), [0.9])[0] == pytest.approx(1.5 * of_scale[..., 1:])


def test_subsampling_keeps_the_last_and_the_spacing():
    assert subsample(np.arange(7), 3).tolist() == [0, 3, 6]
    assert subsample(np.arange(7), 100).tolist() == list(range(7))
    assert len(subsample(np.zeros((0, 2)), 3)) == 0


def test_a_forecast_does_not_depend_on_the_order_of_series_and_is_always_the_same():
    series = [wavy(seed, 80 + 10 * seed) for seed in range(5)]
    for kind in QUICK:
        one = kind().fit(series, 6, 5).forecast(series[2], LEVELS)
        other = kind().fit(series, 6, 5).forecast(series[2], LEVELS)
        assert np.array_equal(one[0], other[0])
        turned = kind().fit(series[::-1], 6, 5).forecast(series[2], LEVELS)
        assert turned[0] == pytest.approx(one[0], rel=1e-9)
