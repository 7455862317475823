"""The plain classifier of series: what it learns, probabilities, streams, saving, and published accuracies where the sets are."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from recurra.errors import UsageError
from recurra.linear import ConvolutionRidge
from recurra.linear.series import MAX_FEATURES, features_for


def waves(count: int, seed: int, channels: int = 1, shortest: int = 30) -> tuple[list[np.ndarray], np.ndarray]:
    """Waves of three speeds, of any phase, height and length, with noise."""
    chance = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    found = []
    for label in labels:
        steps = np.arange(chance.integers(shortest, 80))[:, None]
        wave = np.sin(steps * (0.15, 0.3, 0.6)[label] + chance.uniform(0, 6, size=channels))
        found.append((chance.uniform(0.5, 2) * wave + chance.normal(0, 0.3, size=wave.shape)).astype(np.float32))
    return found, labels


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


@pytest.fixture(scope="module", params=[1, 3])
def model(request) -> ConvolutionRidge:
    series, labels = waves(45, 0, request.param)
    found = ConvolutionRidge()
    found.fit(series, labels, 3)
    return found


def test_waves_are_told_apart_by_their_speed(model):
    series, labels = waves(60, 1, len(model._centre))
    assert (model.logits(series).argmax(1) == labels).mean() >= 0.95


def test_a_stream_gives_what_the_series_up_to_a_step_does(model):
    (series, *_), _ = waves(1, 2, len(model._centre))
    series[[0, 7, 8]] = np.nan
    state = model.initial_state()
    for step, values in enumerate(series):
        found, state = model.step(values, state)
        # A product with one row may add in another order than one with many.
        assert found == pytest.approx(model.logits([series[: step + 1]])[0], abs=1e-4)


def test_a_stream_that_goes_two_ways_does_not_mix_them(model):
    (series, other), _ = waves(2, 3, len(model._centre))
    state = model.initial_state()
    for values in series[:10]:
        _, state = model.step(values, state)
    kept = [each.clone() for each in state]
    first, _ = model.step(series[10], state)
    model.step(other[0], state)
    assert all(map(torch.equal, state, kept))
    assert np.array_equal(model.step(series[10], state)[0], first)


def test_the_state_of_a_stream_does_not_grow(model):
    state = model.initial_state()
    sizes = [each.shape for each in state]
    for values in np.zeros((300, len(model._centre)), np.float32):
        _, state = model.step(values, state)
    assert [each.shape for each in state] == sizes


def test_what_is_saved_gives_the_same_logits(model):
    settings = json.loads(json.dumps(model.settings()))
    again = ConvolutionRidge.from_state(settings, model.tensors())
    series, _ = waves(10, 4, len(model._centre))
    np.testing.assert_array_equal(again.logits(series), model.logits(series))
    assert sum(each.numel() * each.element_size() for each in model.tensors().values()) < 10e6
    values = series[0][0]
    assert np.array_equal(again.step(values, again.initial_state())[0], model.step(values, model.initial_state())[0])


def test_the_same_data_and_seed_give_the_same_model():
    series, labels = waves(20, 5)
    first, second = ConvolutionRidge(), ConvolutionRidge()
    np.testing.assert_array_equal(first.fit(series, labels, 3).held_out, second.fit(series, labels, 3).held_out)
    assert all(map(torch.equal, first.tensors().values(), second.tensors().values()))


def test_logits_left_out_do_not_know_the_label():
    # Labels by chance: who has seen a label finds it again, with so many features.
    series, _ = waves(60, 6)
    labels = np.random.default_rng(7).integers(0, 2, 60)
    model = ConvolutionRidge()
    left_out = softmax(model.fit(series, labels, 2).held_out)
    assert (left_out.argmax(1) == labels).mean() < 0.7
    assert -np.log(left_out[np.arange(60), labels]).mean() < 0.75  # ln 2 is what chance gives


def test_probabilities_hold_on_other_series():
    chance = np.random.default_rng(8)

    def noisy(count: int) -> tuple[list[np.ndarray], np.ndarray]:
        labels = chance.integers(0, 2, count)
        return [(0.35 * label + chance.normal(size=(40, 1))).astype(np.float32) for label in labels], labels

    model = ConvolutionRidge()
    left_out = model.fit(*noisy(300), classes=2).held_out
    series, labels = noisy(1000)
    shares = softmax(model.logits(series))
    right = (shares.argmax(1) == labels).mean()
    assert right > 0.75  # 0.866 with the mean's distribution known
    assert shares.max(1).mean() == pytest.approx(right, abs=0.06)
    assert softmax(left_out).max(1).mean() == pytest.approx(right, abs=0.06)


@pytest.mark.parametrize("carries", ["level", "spread", "length"])
def test_level_spread_and_length_count(carries):
    chance = np.random.default_rng(9)
    labels = np.arange(60) % 2
    series = []
    for label in labels:
        length = chance.integers(20, 30) + (15 * label if carries == "length" else 0)
        values = chance.normal(size=(length, 1)) * (1 + label if carries == "spread" else 1)
        series.append((values + (2 * label if carries == "level" else 0)).astype(np.float32))
    model = ConvolutionRidge()
    model.fit(series[:40], labels[:40], 2)
    assert (model.logits(series[40:]).argmax(1) == labels[40:]).mean() >= 0.9


def test_several_labels():
    chance = np.random.default_rng(10)
    marks = chance.integers(0, 2, size=(120, 2)).astype(np.float32)
    steps = np.arange(60)
    series = [
        (slow * np.sin(steps * 0.2 + chance.uniform(0, 6)) + fast * np.sin(steps * 1.2 + chance.uniform(0, 6)) + chance.normal(0, 0.2, 60))[:, None]
        for slow, fast in marks
    ]  # fmt: skip
    model = ConvolutionRidge()
    left_out = model.fit(series[:80], marks[:80], 2).held_out
    assert model.multi
    assert left_out.shape == (80, 2)
    assert ((model.logits(series[80:]) > 0) == marks[80:]).mean() >= 0.95


def test_an_example_that_counts_nothing_may_have_any_label():
    series, labels = waves(12, 11)
    weights = np.where(np.arange(12) == 4, 0.0, 1.0)
    found = [
        ConvolutionRidge()
        .fit(series, np.where(np.arange(12) == 4, label, labels), 3, weights=weights)
        .held_out[weights > 0]
        for label in range(3)
    ]
    assert found[1] == pytest.approx(found[0], abs=1e-2)
    assert found[2] == pytest.approx(found[0], abs=1e-2)


def test_a_class_that_counts_more_is_likelier():
    chance = np.random.default_rng(15)
    series, labels = [chance.normal(size=(20, 1)).astype(np.float32) for _ in range(80)], np.arange(80) % 2
    model = ConvolutionRidge()
    model.fit(series, labels, 2, weights=np.where(labels == 1, 4.0, 1.0))
    assert softmax(model.logits(series))[:, 1].mean() == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize(
    "series",
    [
        [np.zeros((1, 1)), np.ones((1, 1))],
        [np.zeros((0, 1)), np.ones((5, 1))],
        [np.full((4, 1), np.nan), np.ones((5, 1))],
        [np.full((20, 1), 7.0), np.full((20, 1), 7.0)],
    ],
    ids=["one step", "no step", "nothing known", "all the same"],
)
def test_series_with_nearly_nothing_in_them(series):
    model = ConvolutionRidge()
    left_out = model.fit(series, np.array([0, 1]), 2).held_out
    assert np.isfinite(left_out).all()
    assert np.isfinite(model.logits([*series, np.zeros((0, 1))])).all()


def test_one_series_alone_and_a_class_that_no_series_has():
    series, labels = waves(9, 12)
    assert np.isfinite(ConvolutionRidge().fit(series[:1], labels[:1], 3).held_out).all()
    model = ConvolutionRidge()
    model.fit(series, labels, 4)
    assert (model.logits(series).argmax(1) != 3).all()


def test_less_time_is_fewer_features_and_more_series_too():
    few = [np.zeros((100, 1), np.float32)] * 1000
    assert features_for(few, 2, 15) == MAX_FEATURES
    assert features_for(few, 2, 0.2) < features_for(few, 2, 0.5) < MAX_FEATURES
    assert features_for(few * 10, 2, 15) < MAX_FEATURES
    assert features_for(few, 1000, 15) * 1000 <= 2_000_000


def test_of_very_many_channels_some_have_summaries():
    chance = np.random.default_rng(14)
    labels = np.arange(24) % 2
    series = [(chance.normal(size=(12, 900)) + label).astype(np.float32) for label in labels]
    model = ConvolutionRidge()
    model.fit(series, labels, 2)
    assert len(model.tensors()["weights"]) <= 2 * MAX_FEATURES
    assert (model.logits(series).argmax(1) == labels).all()
    found, _ = model.step(series[0][0], model.initial_state())
    assert found == pytest.approx(model.logits([series[0][:1]])[0], abs=1e-4)


def test_what_cannot_be_used_is_refused():
    series, labels = waves(6, 13)
    with pytest.raises(UsageError, match="at least one to learn from"):
        ConvolutionRidge().fit([], np.zeros(0, np.int64), 2)
    with pytest.raises(UsageError, match="one for each of 6"):
        ConvolutionRidge().fit(series, labels[:5], 3)
    with pytest.raises(UsageError, match="steps, 1 channels"):
        ConvolutionRidge().fit([*series[:5], np.zeros((4, 2))], labels, 3)
    with pytest.raises(UsageError, match="weights: expected 6"):
        ConvolutionRidge().fit(series, labels, 3, weights=np.array([1.0, -1, 1, 1, 1, 1]))
    with pytest.raises(UsageError, match="call fit first"):
        ConvolutionRidge().logits(series)
    model = ConvolutionRidge()
    model.fit(series, labels, 3, seconds=0.01)
    with pytest.raises(UsageError, match="element: expected"):
        model.step(np.zeros(2), model.initial_state())
