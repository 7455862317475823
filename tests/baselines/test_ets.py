"""ETS, held to statsforecast's."""

from __future__ import annotations

import numpy as np
import pytest
from tests.baselines.conftest import LEVELS, column, wavy

from recurra.baselines import ETS
from recurra.errors import MissingExtraError


def test_ets_is_that_of_statsforecast_on_the_last_steps():
    peer = pytest.importorskip("statsforecast.models")
    history = wavy(2, 560, channels=1)
    model = ETS().fit([history], season=6, horizon=5)
    mean, bounds = model.forecast(history, (0.9, 0.1, 0.5))
    theirs = peer.AutoETS(season_length=6).forecast(history[-500:, 0], 5, level=[80])
    assert mean[:, 0] == pytest.approx(theirs["mean"])
    assert bounds[:, 0] == pytest.approx(np.stack([theirs["hi-80"], theirs["lo-80"], theirs["mean"]], 1))
    assert model.substituted == 0
    assert (model.rolling(history, [560])[0] == mean).all()


def test_ets_takes_a_long_season_off_first():
    pytest.importorskip("statsforecast")
    history = wavy(2, 348, channels=1, season=48)
    model = ETS().fit([history[:300]], season=48, horizon=48)
    error = np.abs(model.forecast(history[:300])[0] - history[300:]).mean()
    assert error < 0.5 * history[300:].std()  # without its season it would give a constant, whose error is larger
    assert model.substituted == 0


def test_ets_falls_back_where_it_cannot_be_fitted():
    pytest.importorskip("statsforecast")
    model = ETS().fit([wavy(0, channels=1)], season=6, horizon=3)
    assert model.forecast(column(1.0, 2.0, 4.0), LEVELS)[0][:, 0].tolist() == [4.0, 4.0, 4.0]
    assert model.substituted == 1


def test_ets_estimates_what_it_costs():
    assert ETS.max_forecasts(100, 1, 1, 60) > 10 * ETS.max_forecasts(500, 4, 24, 60) > 0
    assert ETS.estimate_seconds(10**6, 1, 24) == ETS.estimate_seconds(500, 1, 24)
    assert ETS.max_forecasts(700, 7, 24, seconds=5) == 0


def test_ets_names_the_extra_it_needs(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "statsforecast", None)
    with pytest.raises(MissingExtraError, match=r"recurra\[forecast\]"):
        ETS().fit([wavy(0)], 6, 3)
