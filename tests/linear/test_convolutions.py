"""Convolutions: counts against plain loops in float64, however series are laid out, and step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.linear.blocks import VIEWS, fill_forward, series_blocks
from recurra.linear.convolutions import KERNELS, Convolutions, dilations_of


def plain_outputs(series: np.ndarray, dilation: int) -> np.ndarray:
    """A third of each kernel's outputs, (84, T), with the first value before the start."""
    found = np.zeros((84, len(series)))
    for kernel, twos in enumerate(KERNELS.tolist()):
        for step in range(len(series)):
            for tap in range(9):
                value = series[max(0, step - (8 - tap) * dilation)]
                found[kernel, step] += (2 if tap in twos else -1) * value / 3
    return found


def fitted(series: list[np.ndarray], features: int, seed: int = 0) -> Convolutions:
    length = int(np.median([len(each) for each in series]))
    return Convolutions(features, seed).fit([each.T[:, :, None] for each in series], length)


def counted(model: Convolutions, series: list[np.ndarray]) -> np.ndarray:
    found = np.zeros((len(series), model.count), np.int64)
    for places, block in series_blocks(series):
        found[places] = model.counts(block)[:, : len(places)].T
    return found


def unequal(chance: np.random.Generator, count: int, channels: int, longest: int = 40) -> list[np.ndarray]:
    # Whole numbers of moderate size: float32 has all sums of them but the third exactly, and nothing lies on a threshold.
    lengths = chance.integers(1, longest, size=count)
    return [chance.integers(-50, 50, size=(length, channels)).astype(np.float32) for length in lengths]


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3), st.integers(1, 12), st.integers(0, 10**6))
def test_counts_are_those_of_plain_loops(channels, count, seed):
    series = unequal(np.random.default_rng(seed), count, channels)
    model = fitted(series, 300, seed)
    for level in model.thresholds:
        level[:] = np.floor(level) + 0.5  # an output is a multiple of a third
    found = counted(model, series)
    for number, each in enumerate(series):
        expected = []
        for place, levels in enumerate(model.thresholds):
            own = model.channels[place]
            outputs = plain_outputs(each[:, own[own >= 0]].sum(1), int(model.dilations[place]))
            expected.append((outputs[:, None] > levels[:, :, None]).sum(2).ravel())
        np.testing.assert_array_equal(found[number], np.concatenate(expected))


@pytest.mark.parametrize(("count", "length"), [(3, 700), (40, 30), (9, 5000), (8, 1)])
def test_the_layout_of_a_block_changes_nothing(count, length):
    chance = np.random.default_rng(1)
    series = [chance.normal(size=(length, 1)).astype(np.float32) for _ in range(count)]
    model = fitted(series, 168)
    alone = np.concatenate([counted(model, [each]) for each in series])
    np.testing.assert_array_equal(counted(model, series), alone)


@pytest.mark.parametrize("view", VIEWS)
def test_a_stream_counts_what_a_series_up_to_a_step_does(view):
    series = unequal(np.random.default_rng(2), 9, 2)
    # Differences and scores are computed of the stream's values in the same way: here their whole is fed.
    seen = [VIEWS[view](each.T[:, :, None])[:, :, 0].T for each in series]
    model = fitted(seen, 400)
    for each in seen:
        history = np.zeros((model.history_length(), 2), np.float32)
        counts = np.zeros(model.count, np.int64)
        for step, values in enumerate(each):
            history[slice(None) if step == 0 else step % len(history)] = values
            counts += model.above(history, step)
            np.testing.assert_array_equal(counts, counted(model, [each[: step + 1]])[0])


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_knows_what_comes(view):
    series = np.random.default_rng(3).normal(size=(2, 30, 3)).astype(np.float32)
    np.testing.assert_array_equal(VIEWS[view](series)[:, :11], VIEWS[view](series[:, :11]))


def test_scores_are_what_numpy_says_of_each_prefix():
    series = np.random.default_rng(4).normal(2, 3, size=(1, 25, 1))
    found = VIEWS["scores"](series.astype(np.float32))[0, :, 0]
    expected = [
        (series[0, step, 0] - series[0, : step + 1].mean()) / np.sqrt(series[0, : step + 1].var() + 0.01)
        for step in range(25)
    ]
    assert found == pytest.approx(expected, abs=1e-5)  # the input is rounded to float32


def test_thresholds_are_quantiles_of_what_a_training_series_gives():
    series = [np.random.default_rng(5).normal(size=(60, 1)).astype(np.float32)]
    shares = counted(fitted(series, 5000), series)[0] / 60
    # By the golden ratio the quantiles are spread evenly over 0 … 1.
    assert np.histogram(shares, 10, (0, 1))[0] / len(shares) == pytest.approx(np.full(10, 0.1), abs=0.02)


def test_dilations_reach_over_the_median_length_and_no_further():
    for length in (1, 9, 24, 150, 3000):
        found, repeats = dilations_of(length)
        assert found[0] == 1
        assert found[-1] == max(1, (length - 1) // 8)
        assert repeats.sum() == 32


def test_missing_values_are_the_last_ones_before():
    gaps = np.array([[np.nan, 1], [2, np.inf], [np.nan, np.nan], [5, 6]])
    assert fill_forward(gaps).tolist() == [[0, 1], [2, 1], [2, 1], [5, 6]]
