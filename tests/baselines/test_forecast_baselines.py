"""Baselines of forecasts: by hand, against plain loops and other libraries, and that none looks ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.baselines import ETS, ForecastBaseline, Linear, Naive2, SeasonalNaive
from recurra.baselines.forecasts import Spread, filled, running_scale, thinned
from recurra.baselines.naive2 import is_seasonal, seasonal_indices
from recurra.errors import DataError, MissingExtraError, UsageError
from recurra.metrics import ForecastScores, naive_scale

LEVELS = (0.1, 0.5, 0.9)
QUICK = [SeasonalNaive, Naive2, Linear]


def wavy(seed: int, steps: int = 120, channels: int = 2, season: int = 6) -> np.ndarray:
    """A season, a slow walk and noise, above 0: (T, C)."""
    chance = np.random.default_rng(seed)
    wave = np.sin(2 * np.pi * np.arange(steps) / season)[:, None] * chance.uniform(2, 4, channels)
    return (
        50 + wave + chance.normal(0, 0.5, (steps, channels)).cumsum(0) * 0.2 + chance.normal(0, 0.3, (steps, channels))
    )


def with_holes(values: np.ndarray, seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    holes = values.copy()
    holes[chance.random(values.shape) < 0.15] = np.nan
    holes[:3, 0] = np.nan
    holes[40:60, 1] = np.inf
    return holes


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


def test_the_last_season_is_repeated():
    model = SeasonalNaive().fit([column(*range(20))], season=3, horizon=7)
    assert model.forecast(column(1, 2, 3, 4, 5))[0][:, 0].tolist() == [3, 4, 5, 3, 4, 5, 3]
    assert model.forecast(column(1, 2))[0][:, 0].tolist() == [2] * 7  # less than a season
    naive = SeasonalNaive().fit([column(*range(20))], season=1, horizon=2)
    assert naive.forecast(column(4, 9))[0][:, 0].tolist() == [9, 9]


def test_a_hole_is_filled_from_the_season_before_it_alone():
    values = column(1, 2, 3, np.nan, np.nan, 6, np.nan, 8, np.nan)
    assert filled(values, 3)[:, 0].tolist() == [1, 2, 3, 1, 2, 6, 1, 8, 6]
    # The second phase of the season is not known yet: the step before stands for it.
    assert filled(column(np.nan, 2, np.nan, np.nan, 5), 3)[1:, 0].tolist() == [2, 2, 2, 5]
    assert np.isnan(filled(column(np.nan, 2), 3)[0, 0])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(2, 60))
def test_filling_never_looks_ahead(seed, season, cut):
    values = wavy(seed, 60)
    values[np.random.default_rng(seed).random(values.shape) < 0.5] = np.nan
    assert np.array_equal(filled(values[:cut], season), filled(values, season)[:cut], equal_nan=True)
    scale = running_scale(values, season, np.array([cut]))[0]
    own = naive_scale(values[:cut], season)
    known = ~np.isnan(own)  # where no two values a season apart are known ours has another
    assert scale[known] == pytest.approx(own[known], rel=1e-9)


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("season", [1, 6])
def test_rolling_is_the_forecast_after_each_origin(kind, season):
    whole = with_holes(wavy(1), 2)
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
def test_constants_and_the_shortest_histories_are_gone_on_with(kind, history):
    if kind is ETS:
        pytest.importorskip("statsforecast")
    model = kind().fit([wavy(0, channels=1), np.zeros((30, 1)), column(1.0)], season=6, horizon=4)
    mean, quantiles = model.forecast(history, LEVELS)
    assert mean == pytest.approx(np.full((4, 1), 5.0))
    if quantiles is not None:
        assert np.isfinite(quantiles).all()


@pytest.mark.parametrize("kind", QUICK)
def test_a_channel_that_nothing_is_known_of_is_an_error(kind):
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
    ("histories", "season", "horizon", "said"),
    [
        ([], 1, 1, "histories"),
        ([np.zeros(5)], 1, 1, "history: expected"),
        ([np.zeros((5, 1)), np.zeros((5, 2))], 1, 1, "same channels"),
        ([np.zeros((5, 1))], 0, 1, "season"),
        ([np.zeros((5, 1))], 1, 0, "horizon"),
    ],
)
def test_what_is_refused(kind, histories, season, horizon, said):
    with pytest.raises(UsageError, match=said):
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
def test_intervals_hold_what_they_say_on_data_like_the_training(kind):
    series = [wavy(seed, 300, channels=1) * 10.0 ** (seed % 4) for seed in range(30)]
    model = kind().fit([values[:200] for values in series], season=6, horizon=6)
    scores = ForecastScores(6, (0.05, 0.25, 0.5, 0.75, 0.95))
    for number, values in enumerate(series):
        origins = np.arange(200, 294)
        mean, bounds = model.rolling(values, origins, scores.levels)
        actual = np.stack([values[origin : origin + 6] for origin in origins])
        scores.add(number, scores.scale_of(values[:200]), actual, mean, bounds)
    # 30 series, each with some ten independent stretches: a share near 0.9 is known to 0.02 or so, two of that here.
    assert scores.figures()["coverage_90"] == pytest.approx(0.9, abs=0.04)
    assert scores.figures()["coverage_50"] == pytest.approx(0.5, abs=0.06)


def test_intervals_widen_with_the_seasons_and_with_the_series():
    walks = [np.random.default_rng(seed).normal(size=(400, 1)).cumsum(0) for seed in range(20)]
    model = SeasonalNaive().fit(walks, season=1, horizon=16)
    _, bounds = model.forecast(walks[0], (0.1, 0.9))
    wide = bounds[:, 0, 1] - bounds[:, 0, 0]
    assert wide[15] / wide[0] == pytest.approx(4.0, rel=0.15)  # a random walk's grow as √k
    _, tenfold = model.forecast(10 * walks[0], (0.1, 0.9))
    assert tenfold[:, 0, 1] - tenfold[:, 0, 0] == pytest.approx(10 * wide, rel=1e-9)


def test_spread_without_errors_is_a_normal_one_and_grows():
    spread = Spread([[np.zeros(0)], [np.zeros(0)]], typical=np.array([3.0]))
    (of_scale,) = spread.quantiles(np.array([[2.0]]), [0.1, 0.9])
    # A normal distribution of mean |e| 2 has the deviation 2·√(π/2), and its 0.9 quantile is 1.2816 of that.
    assert of_scale[:, 0, 1] == pytest.approx(
        [1.2816 * 2 * np.sqrt(np.pi / 2) * root for root in (1, np.sqrt(2))], rel=1e-3
    )
    assert of_scale[:, 0, 0] == pytest.approx(-of_scale[:, 0, 1])
    assert spread.quantiles(np.array([[np.nan]]), [0.9])[0] == pytest.approx(1.5 * of_scale[..., 1:])


def test_thinning_keeps_the_last_and_the_spacing():
    assert thinned(np.arange(7), 3).tolist() == [0, 3, 6]
    assert thinned(np.arange(7), 100).tolist() == list(range(7))
    assert len(thinned(np.zeros((0, 2)), 3)) == 0


def plain_seasonality(values: np.ndarray, season: int) -> bool:
    """M4's test, lag by lag."""
    middle = values.mean()
    power = sum((value - middle) ** 2 for value in values)
    lags = [
        sum((values[t] - middle) * (values[t + lag] - middle) for t in range(len(values) - lag)) / power
        for lag in range(1, season + 1)
    ]
    limit = 1.645 / np.sqrt(len(values)) * np.sqrt(1 + 2 * sum(lag**2 for lag in lags[:-1]))
    return bool(abs(lags[-1]) > limit)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.integers(3, 8), st.floats(0, 1))
def test_seasonality_is_tested_as_in_m4(seed, season, seasons, strength):
    chance = np.random.default_rng(seed)
    count = season * seasons + int(chance.integers(0, season))
    values = strength * np.sin(2 * np.pi * np.arange(count) / season) + chance.normal(0, 1, count)
    assert is_seasonal(values, season) == plain_seasonality(values, season)


def test_no_season_in_what_is_short_constant_or_has_none():
    assert not is_seasonal(np.tile([1.0, 5.0, 2.0], 3)[:8], 3)
    assert is_seasonal(np.tile([1.0, 5.0, 2.0], 4), 3)
    assert not is_seasonal(np.full(50, 0.1), 4)
    assert not is_seasonal(np.arange(50.0), 1)


@pytest.mark.filterwarnings("ignore")  # the peer's own
@pytest.mark.parametrize("season", [2, 7, 12, 24])
@pytest.mark.parametrize("model", ["multiplicative", "additive"])
def test_the_decomposition_is_that_of_statsmodels(season, model):
    peer = pytest.importorskip("statsmodels.tsa.seasonal")
    values = wavy(5, 5 * season + 3, channels=1, season=season)[:, 0]
    theirs = peer.seasonal_decompose(values, model=model, period=season).seasonal[:season]
    assert seasonal_indices(values, season, multiplicative=model == "multiplicative") == pytest.approx(
        theirs, rel=1e-10
    )


def test_naive2_by_hand():
    """Ratios 0.5 and 1.5 to a moving average of 20: 30 / 1.5 = 20, then 20 · 0.5."""
    model = Naive2().fit([np.zeros((1, 1))], season=2, horizon=3)
    assert model.forecast(np.tile(column(10, 30), (6, 1)))[0][:, 0] == pytest.approx([10, 30, 10])
    assert model.forecast(np.tile(column(10, 30), (6, 1))[:-1])[0][:, 0] == pytest.approx([30, 10, 30])
    assert model.forecast(np.tile(column(-10, 10), (6, 1)))[0][:, 0] == pytest.approx([-10, 10, -10])  # additive
    assert model.forecast(column(10, 30, 10))[0][:, 0] == pytest.approx([10, 10, 10])  # too short to have a season


def test_linear_learns_what_least_squares_finds():
    """The weights come from the moments of windows; here each window is written out, and a solver of least squares asked."""
    series = [wavy(seed, 90, channels=2) for seed in range(4)]
    model = Linear().fit(series, season=6, horizon=3)
    window, longest = model.choice.window, 42  # seven seasons; fourteen do not leave room for an end to choose by
    before, after = [], []
    for values in series:
        own = values / naive_scale(values, 6)
        for origin in range(longest, 90 - 3 + 1):
            rows = own[origin - window : origin]
            centre = rows[-1] if model.choice.centre == "last" else rows.mean(0)
            before += list((rows - centre).T)
            after += list((own[origin : origin + 3] - centre).T)
    x, y = np.array(before), np.array(after)
    # Ridge regression as plain least squares with √λ of each weight beside the errors.
    root = np.sqrt(model.choice.penalty * (x**2).sum() / window)
    both = np.concatenate([x, root * np.eye(window)]), np.concatenate([y, np.zeros((window, 3))])
    weights = np.linalg.lstsq(*both, rcond=None)[0]
    last = series[1][-window:]
    centre = last[-1] if model.choice.centre == "last" else last.mean(0)
    assert model.forecast(series[1])[0] == pytest.approx(centre + weights.T @ (last - centre), rel=1e-7)


def test_linear_chooses_on_the_end_of_the_training_part():
    """What has no error there is chosen: a season of 12 that only a window of 12 or more can see."""
    series = [
        np.tile(np.random.default_rng(seed).normal(size=(12, 1)), (20, 1)) + 0.01 * wavy(seed, 240, 1)
        for seed in range(8)
    ]
    model = Linear().fit(series, season=12, horizon=6)
    assert model.choice.window >= 12
    noise = [np.random.default_rng(seed).normal(size=(300, 1)) for seed in range(8)]
    assert Linear().fit(noise, season=1, horizon=4).choice.centre == "mean"  # not the last value, which says nothing
    walks = [values.cumsum(0) for values in noise]
    said = Linear().fit(walks, season=1, horizon=4).forecast(walks[0])[0]
    assert said == pytest.approx(np.full((4, 1), walks[0][-1, 0]), abs=0.5)  # all that is known of a random walk


def test_linear_follows_a_line_and_a_season_that_it_was_shown():
    steps = np.arange(200)
    shown = [(phase + 0.5 * steps + 3 * np.sin(2 * np.pi * (steps + phase) / 12))[:, None] for phase in range(6)]
    model = Linear().fit([values[:150] for values in shown], season=12, horizon=10)
    new = (7 + 0.5 * steps + 3 * np.sin(2 * np.pi * (steps + 4) / 12))[:, None]
    assert model.forecast(new[:150])[0] == pytest.approx(new[150:160], abs=0.1)
    naive = SeasonalNaive().fit(shown, 12, 10).forecast(new[:150])[0]
    assert np.abs(naive - new[150:160]).min() > 4  # which the seasonal naive does not follow


def test_linear_knows_no_level_and_no_size():
    model = Linear().fit([wavy(seed) for seed in range(3)], season=6, horizon=5)
    history = wavy(9)
    mean, bounds = model.forecast(history, LEVELS)
    moved, wider = model.forecast(1e6 + 100 * history, LEVELS)
    assert moved == pytest.approx(1e6 + 100 * mean, rel=1e-9)
    assert wider == pytest.approx(1e6 + 100 * bounds, rel=1e-9)


def test_linear_needs_a_history_longer_than_the_horizon():
    with pytest.raises(DataError, match="one of 9 known steps that are not all the same, for a horizon of 8, got 6"):
        Linear().fit([column(1, 2, 3, 5, 2, 6), np.zeros((50, 1))], season=1, horizon=8)
    model = Linear().fit([column(1, 2, 3, 5, 2, 6)], season=1, horizon=4)
    assert np.isfinite(model.forecast(column(2.0, 4.0), LEVELS)[1]).all()


def test_a_forecast_does_not_depend_on_the_order_of_series_and_is_always_the_same():
    series = [wavy(seed, 80 + 10 * seed) for seed in range(5)]
    for kind in QUICK:
        one = kind().fit(series, 6, 5).forecast(series[2], LEVELS)
        other = kind().fit(series, 6, 5).forecast(series[2], LEVELS)
        assert np.array_equal(one[0], other[0])
        turned = kind().fit(series[::-1], 6, 5).forecast(series[2], LEVELS)
        assert turned[0] == pytest.approx(one[0], rel=1e-9)


def test_ets_is_that_of_statsforecast_on_the_last_steps():
    peer = pytest.importorskip("statsforecast.models")
    history = wavy(2, 560, channels=1)
    model = ETS().fit([history], season=6, horizon=5)
    mean, bounds = model.forecast(history, (0.9, 0.1, 0.5))
    said = peer.AutoETS(season_length=6).forecast(history[-500:, 0], 5, level=[80])
    assert mean[:, 0] == pytest.approx(said["mean"])
    assert bounds[:, 0] == pytest.approx(np.stack([said["hi-80"], said["lo-80"], said["mean"]], 1))
    assert model.substituted == 0
    assert (model.rolling(history, [560])[0] == mean).all()


def test_ets_takes_a_long_season_off_first():
    pytest.importorskip("statsforecast")
    history = wavy(2, 348, channels=1, season=48)
    model = ETS().fit([history[:300]], season=48, horizon=48)
    missed = np.abs(model.forecast(history[:300])[0] - history[300:]).mean()
    assert missed < 0.5 * history[300:].std()  # without its season it would say a constant, which misses by more
    assert model.substituted == 0


def test_ets_falls_back_where_it_cannot_be_fitted():
    pytest.importorskip("statsforecast")
    model = ETS().fit([wavy(0, channels=1)], season=6, horizon=3)
    assert model.forecast(column(1.0, 2.0, 4.0), LEVELS)[0][:, 0].tolist() == [4.0, 4.0, 4.0]
    assert model.substituted == 1


def test_ets_says_what_it_costs():
    assert ETS.affordable(100, 1, 1, 60) > 10 * ETS.affordable(500, 4, 24, 60) > 0
    assert ETS.seconds(10**6, 1, 24) == ETS.seconds(500, 1, 24)
    assert ETS.affordable(700, 7, 24, seconds=5) == 0


def test_ets_names_the_extra_it_needs(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(MissingExtraError, match=r"recurra\[forecast\]"):
        ETS().fit([wavy(0)], 6, 3)
