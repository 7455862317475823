"""LSTMs of three tasks of which it is known what the output rests on: two marked steps of eight."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.explain.networks import STORED, Head, explained_series, marked_sum
from torch import Tensor

from recurra.explain.shapley import exact_shapley, integrated_gradients, permutation_shapley, shapley_values
from recurra.tasks.base.explanation import Explained

STEPS, SEQUENCES, THRESHOLD = 8, 60, 0.2


def total(outputs: Tensor) -> Tensor:
    """The sum of the marked values."""
    return outputs[:, 0].double() / STORED


def product(outputs: Tensor) -> Tensor:
    """The product of two marked values of size one."""
    return (total(outputs) ** 2 - 2) / 2


def threshold(outputs: Tensor) -> Tensor:
    """Whether the sum of the marked values is above a threshold, nearly."""
    return torch.sigmoid(8 * (total(outputs) - THRESHOLD))


HEADS: dict[str, Head] = {"sum": total, "product": product, "threshold": threshold}


def sequences(task: str) -> list[tuple[np.ndarray, set[int]]]:
    """Draw series of values and marks, (T, 2), each with the places of its two marks."""
    chance = np.random.default_rng(3)
    made = []
    for _ in range(SEQUENCES):
        values = chance.uniform(0.3, 1.0, STEPS)
        if task == "product":
            values = np.sign(chance.normal(size=STEPS))
        elif task == "sum":
            values *= np.sign(chance.normal(size=STEPS))
        places = chance.choice(STEPS, 2, replace=False)
        marks = np.zeros(STEPS)
        marks[places] = 1.0
        made.append((np.stack([values, marks], 1), set(places.tolist())))
    return made


def brute_force(values: Callable[[np.ndarray], np.ndarray], parts: int) -> np.ndarray:
    """Give Shapley values by their definition, one coalition after another."""
    masks = [np.array(mask, bool) for mask in itertools.product([False, True], repeat=parts)]
    found = {mask.tobytes(): value for mask, value in zip(masks, values(np.stack(masks)).tolist(), strict=True)}
    shares = np.zeros(parts)
    for mask in masks:
        size = int(mask.sum())
        for part in np.flatnonzero(~mask):
            joined = mask.copy()
            joined[part] = True
            weight = math.factorial(size) * math.factorial(parts - size - 1) / math.factorial(parts)
            shares[part] += weight * (found[joined.tobytes()] - found[mask.tobytes()])
    return shares


def outputs_of(task: str) -> list[tuple[Explained, set[int]]]:
    stack = marked_sum()
    return [(explained_series(stack, stack, HEADS[task], one), places) for one, places in sequences(task)]


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


@pytest.mark.parametrize("task", HEADS)
def test_the_marked_steps_have_the_largest_shares_which_add_up(task: str) -> None:
    hits, found, truth = 0, [], []
    for output, places in outputs_of(task):
        one = shapley_values(output.values, STEPS)
        hits += len(places & set(np.argsort(-np.abs(one.shares))[:2].tolist()))
        found.append(one.shares)
        truth.append(brute_force(output.values, STEPS))
        assert one.sum_error <= 1e-6
        assert one.method == "exact Shapley values" and one.errors is None
    assert hits >= 0.99 * 2 * SEQUENCES
    assert correlation(np.stack(found), np.stack(truth)) >= 0.99
    np.testing.assert_allclose(np.stack(found), np.stack(truth), atol=1e-9)


@pytest.mark.parametrize("task", HEADS)
def test_few_permutations_come_near_and_add_up_too(task: str) -> None:
    exact, drawn = [], []
    for output, _ in outputs_of(task)[:20]:
        one = permutation_shapley(output.values, STEPS, 8, seed=1)
        exact.append(exact_shapley(output.values, STEPS).shares)
        drawn.append(one.shares)
        assert one.sum_error <= 1e-6
    assert correlation(np.stack(drawn), np.stack(exact)) >= 0.99


def test_integrated_gradients_are_right_where_the_output_is_a_sum_or_a_product() -> None:
    for task in ("sum", "product"):
        for output, places in outputs_of(task)[:10]:
            one = integrated_gradients(output.values, output.gradients, STEPS)
            assert one.sum_error <= 1e-3 * max(1.0, abs(one.whole - one.nothing))
            assert set(np.argsort(-np.abs(one.shares))[:2].tolist()) == places


def test_other_weights_give_other_shares() -> None:
    likeness = []
    for seed, ((output, _), (one, _)) in enumerate(zip(outputs_of("sum"), sequences("sum"), strict=True)):
        torch.manual_seed(seed)
        random = marked_sum()
        random.reset_parameters()
        other = explained_series(random, random, total, one)
        shares = [exact_shapley(each.values, STEPS).shares for each in (output, other)]
        likeness.append(correlation(*(np.argsort(np.argsort(each)).astype(float) for each in shares)))
    assert abs(float(np.mean(likeness))) <= 0.2
