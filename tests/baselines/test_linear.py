"""The linear forecaster, held to least squares."""

from __future__ import annotations

import numpy as np
import pytest
from tests.baselines.conftest import LEVELS, column, wavy

from recurra.baselines import Linear, SeasonalNaive
from recurra.errors import DataError
from recurra.metrics import naive_scale


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
    # Ridge regression as plain least squares with √λ of each weight added to the errors.
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
    assert Linear().fit(noise, season=1, horizon=4).choice.centre == "mean"  # not the last value, which tells nothing
    walks = [values.cumsum(0) for values in noise]
    forecast = Linear().fit(walks, season=1, horizon=4).forecast(walks[0])[0]
    assert forecast == pytest.approx(np.full((4, 1), walks[0][-1, 0]), abs=0.5)  # all that is known of a random walk


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
