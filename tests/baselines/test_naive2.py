"""M4's Naive2, and its test of a season."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baselines.conftest import column, wavy

from recurra.baselines import Naive2
from recurra.baselines.naive2 import is_seasonal, seasonal_indices


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
