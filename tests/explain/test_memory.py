"""How far back networks remember of which it is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.explain.networks import explained_series, shift_register

from recurra.explain.memory import effect_by_lag, gradients_by_lag, judge_gradient, measure_memory
from recurra.nn import Stack
from recurra.tasks.base.explanation import Explained

INPUTS = 6


def leaky(keep: float, length: int) -> list[Explained]:
    """A rectified unit that keeps a share of itself at each step, and reads positive values."""
    stack = Stack("rnn-relu", 1, [1])
    (layer,) = stack
    with torch.no_grad():
        for weight, value in (("weight_ih", 1.0), ("weight_hh", keep), ("bias_ih", 0.0), ("bias_hh", 0.0)):
            layer.get_parameter(weight).fill_(value)
    return [explained_series(stack, stack, lambda y: y[:, 0], series) for series in drawn(length)]


def drawn(length: int) -> list[np.ndarray]:
    chance = np.random.default_rng(5)
    return [chance.uniform(0.5, 1.0, (length, 1)) for _ in range(INPUTS)]


@pytest.mark.parametrize("lag", [5, 20, 100])
def test_a_network_that_copies_remembers_as_far_as_it_copies(lag: int) -> None:
    stack = shift_register(lag)
    outputs = [explained_series(stack, stack, lambda y: y[:, -1], series) for series in drawn(2 * lag + 10)]
    effect = effect_by_lag(outputs)
    assert effect.length is not None and abs(effect.length - lag) <= 0.1 * lag
    assert not effect.reaches_start
    assert effect.hidden[0] > 0.4 and effect.hidden[-1] == 0
    (layer,) = gradients_by_lag(outputs, "rnn-relu")
    assert int(np.argmax(layer.by_lag)) == lag
    assert layer.by_lag[lag] == pytest.approx(1.0)


def test_what_fades_is_remembered_until_5_per_cent_are_left() -> None:
    effect = effect_by_lag(leaky(0.5, 40))
    assert effect.length == 4  # 2 ** -5 is less than 5 %
    memory = measure_memory(iter(leaky(0.5, 40)), "rnn-relu", most=39)
    (layer,) = memory.layers
    np.testing.assert_allclose(layer.by_lag, 0.5 ** np.arange(40), rtol=1e-4)
    assert (
        layer.verdict == "vanishes" and "more than 6 steps back" in layer.sentence and "--cell lstm" in layer.sentence
    )


def test_a_growing_gradient_explodes_and_a_level_one_is_well() -> None:
    (growing,) = gradients_by_lag(leaky(1.3, 30), "lstm")
    assert growing.verdict == "explodes" and "--clip" in growing.sentence
    (level,) = gradients_by_lag(leaky(1.0, 30), "lstm")
    assert level.verdict == "ok" and "all 29 steps" in level.sentence
    assert effect_by_lag(leaky(1.0, 12)).reaches_start  # of 12 the farthest is more than 5 % of all


def test_order_does_not_matter_to_a_sum_but_to_what_fades() -> None:
    level, fading = effect_by_lag(leaky(1.0, 20)), effect_by_lag(leaky(0.5, 20))
    assert max(level.shuffled) < 1e-5 and max(level.swapped) < 1e-5
    assert max(fading.shuffled) > 0.01 and max(fading.swapped) > 0.01


def test_a_short_input_is_not_judged() -> None:
    assert judge_gradient(np.ones(3), 1, "lstm").verdict == "too short"
    assert judge_gradient(np.zeros(30), 1, "lstm").verdict == "too short"
