"""Summaries: against numpy on each series by itself, and step by step."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.linear.blocks import series_blocks
from recurra.linear.summaries import LEVELS, Summaries


def unequal(channels: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    return [chance.normal(size=(length, channels)).astype(np.float32) for length in (1, 2, 7, 40, 40, 90)]


def of_one(model: Summaries, series: np.ndarray) -> dict[str, np.ndarray]:
    """Compute what a series' features are, plainly."""
    steps, exact = len(series), series.astype(np.float64)
    moves = np.diff(exact, axis=0) if steps > 1 else np.zeros((1, exact.shape[1]))
    slope = np.polyfit(np.arange(steps), exact, 1)[0] * steps if steps > 1 else np.zeros(exact.shape[1])
    rows = [exact.mean(0), exact.std(0), np.log(exact.std(0) + 1e-3), exact.min(0), exact.max(0), exact[0], exact[-1]]
    rows += [slope, np.abs(moves).mean(0), np.log(np.abs(moves).mean(0) + 1e-4), moves.std(0)]
    above = [(series > level).mean(0) for level in model.levels[0]]
    above += [(np.diff(series, axis=0) > level).sum(0) / steps + (level < 0) / steps for level in model.levels[1]]
    means = []
    for start, end in zip(model.edges[:-1], model.edges[1:], strict=True):
        means.append(exact[start:end].mean(0) if start < steps else means[-1])
    moments = np.concatenate([*rows, [steps, np.log(steps)]])
    return {"moments": moments, "levels": np.concatenate(above), "stretches": np.concatenate(means)}


@pytest.mark.parametrize("channels", [1, 3])
def test_each_is_what_numpy_says(channels):
    series = unequal(channels)
    model = Summaries(1000).fit(series, 40)
    lengths = np.array([len(each) for each in series])
    for places, block in series_blocks(series):
        found = model.features(block[:, :, : len(places)], lengths[places])
        for row, place in enumerate(places):
            for name, expected in of_one(model, series[place]).items():
                assert found[name][row] == pytest.approx(expected, rel=1e-4, abs=1e-5), name  # of float32 differences


def test_a_stream_has_them_after_each_step():
    series = unequal(2)
    model = Summaries(1000).fit(series, 40)
    kept = model.start()
    for step, values in enumerate(series[-1]):
        kept = model.add(kept, values, step)
        found = model.finish(kept[:, :, None], np.array([step + 1]))
        for name, expected in of_one(model, series[-1][: step + 1]).items():
            assert found[name][0] == pytest.approx(expected, rel=1e-4, abs=1e-5), name


def test_levels_are_quantiles_of_the_training_steps():
    series = [np.arange(901, dtype=np.float32)[:, None]]
    assert Summaries(1000).fit(series, 901).levels[0, :, 0].tolist() == list(range(100, 900, 100))
    assert len(Summaries(1000).fit(series, 901).levels[1]) == LEVELS


def test_of_more_channels_than_the_limit_allows_some_count():
    model = Summaries(310).fit([np.zeros((5, 1000), np.float32)], 5)
    assert len(model.channels) == 10
    assert (model.channels[0], model.channels[-1]) == (0, 999)
