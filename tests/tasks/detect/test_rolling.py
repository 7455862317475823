"""The rolling Gaussian that a detector is compared with, made for all steps at once, is the one that scores a stream."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.baselines import RollingGaussian
from recurra.data.timeseries.reader import Panel, TimeSeries
from recurra.tasks.detect.baselines import MIN_VALUES, WINDOW, score_rolling
from recurra.tasks.detect.data import Segment
from recurra.tasks.detect.preprocessing import DetectorPreprocessor, PreprocessingOptions


@pytest.mark.parametrize("first", [0, 400, WINDOW + 700])
def test_all_steps_at_once_are_scored_as_one_after_the_other(first: int) -> None:
    steps = 2 * WINDOW + 500
    values = np.random.default_rng(first).normal(size=(steps, 2)) * [1, 5] + [0, 30]
    none = np.zeros((steps, 0))
    series = TimeSeries("", values, np.arange(steps), none, none, (), "")
    panel = Panel([series], ("a", "b"), (), (), (), None)
    encoded = DetectorPreprocessor.build(panel, PreprocessingOptions()).encode(series)[0]
    scores, nll, count = score_rolling(Segment(series, encoded, first, steps))
    # Before a part only as many steps are read as the window holds.
    stream = RollingGaussian(WINDOW, warmup=MIN_VALUES).scores(
        encoded.values[max(0, first - WINDOW) :].astype(np.float64)
    )
    wanted = stream[min(first, WINDOW) :]
    np.testing.assert_allclose(scores, wanted, rtol=1e-6, atol=1e-6)
    assert count == 2 * (steps - max(1, first))
    assert nll / count == pytest.approx(0.5 * np.log(2 * np.pi * np.e), abs=0.05)  # of normal values of a spread of 1
