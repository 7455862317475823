"""Which ids may be drawn, how often each is, and that a row's chance is its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.decoding import Sampling, filter_logits, greedy, row_generators, sample
from recurra.errors import RunError, UsageError

SCORES = torch.tensor([[0.1, 0.4, 0.2, 0.3]]).log()


def kept(logits: torch.Tensor) -> list[int]:
    return torch.isfinite(logits[0]).nonzero()[:, 0].tolist()


def test_temperature_sharpens_and_flattens():
    halved = torch.softmax(filter_logits(SCORES, Sampling(temperature=0.5)), dim=1)
    assert halved[0].tolist() == pytest.approx([0.01 / 0.3, 0.16 / 0.3, 0.04 / 0.3, 0.09 / 0.3], rel=1e-6)
    flat = torch.softmax(filter_logits(SCORES, Sampling(temperature=1e9)), dim=1)
    assert flat[0].tolist() == pytest.approx([0.25] * 4, rel=1e-6)
    cold = torch.softmax(filter_logits(SCORES, Sampling(temperature=1e-300)), dim=1)
    assert cold[0].tolist() == [0, 1, 0, 0]


def test_top_k_keeps_that_many_and_of_equals_the_lower_ids():
    assert kept(filter_logits(SCORES, Sampling(top_k=2))) == [1, 3]
    assert kept(filter_logits(SCORES, Sampling(top_k=9))) == [0, 1, 2, 3]
    assert kept(filter_logits(torch.zeros(1, 6), Sampling(top_k=3), forbid=[1])) == [0, 2, 3]


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(1e-9, [1]), (0.39, [1]), (0.41, [1, 3]), (0.69, [1, 3]), (0.71, [1, 2, 3]), (1.0, [0, 1, 2, 3])],
)
def test_top_p_keeps_the_fewest_that_reach_it(top_p, expected):
    assert kept(filter_logits(SCORES, Sampling(top_p=top_p))) == expected


def test_top_p_counts_the_share_of_what_top_k_and_forbidding_left():
    assert kept(filter_logits(SCORES, Sampling(top_k=2, top_p=0.5))) == [1]  # 0.4 of 0.7
    assert kept(filter_logits(SCORES, Sampling(top_p=0.5), forbid=[1])) == [3]  # 0.3 of 0.6
    assert kept(filter_logits(SCORES, Sampling(top_p=0.51), forbid=[1])) == [2, 3]
    assert kept(filter_logits(SCORES, Sampling(temperature=0.5, top_p=0.5))) == [1]  # 0.16 of 0.3


rows = st.lists(st.lists(st.floats(-20, 20, width=32), min_size=6, max_size=6), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    rows,
    st.floats(0.05, 5),
    st.none() | st.integers(1, 8),
    st.none() | st.floats(0.01, 1),
    st.sets(st.integers(0, 5), max_size=5),
)
def test_filters_against_their_definition(table, temperature, top_k, top_p, forbid):
    """The least probability that stays is above every one that goes, and without it the share would not be reached."""
    filtered = filter_logits(torch.tensor(table), Sampling(temperature, top_k, top_p), forbid=forbid)
    for row, scores in zip(table, filtered.numpy(), strict=True):
        allowed = [i for i in range(6) if i not in forbid]
        # Scores that lie nearer than rounding are equal once they are shifted.
        shifted = {i: (row[i] - max(row[j] for j in allowed)) / temperature for i in allowed}
        weights = {i: math.exp(shifted[i]) for i in allowed}
        order = row if temperature == 1 else shifted
        ranked = sorted(allowed, key=lambda i: (-order[i], i))[:top_k]
        stays = np.flatnonzero(np.isfinite(scores)).tolist()
        assert stays == sorted(ranked[: len(stays)]) and stays
        total = sum(weights[i] for i in ranked)
        reached = sum(weights[i] for i in stays) / total
        if top_p is None:
            assert len(stays) == len(ranked)
        else:
            assert reached >= top_p - 1e-9
            assert len(stays) == 1 or reached - weights[ranked[len(stays) - 1]] / total < top_p + 1e-9


def test_samples_follow_the_distribution():
    draws = 4000
    counts = np.bincount(sample(SCORES.expand(draws, 4), row_generators(0, draws), forbid=[2]), minlength=4)
    expected = np.array([0.1, 0.4, 0.0, 0.3]) / 0.8
    assert counts[2] == 0
    # Five standard deviations of a binomial count.
    assert (np.abs(counts - draws * expected) <= 5 * np.sqrt(draws * expected * (1 - expected))).all()


def test_a_row_does_not_depend_on_the_others():
    logits = torch.randn(12, 30, generator=torch.Generator().manual_seed(1))
    sampling = Sampling(temperature=0.9, top_k=20, top_p=0.9)
    many_generators, few_generators = row_generators(5, 12), row_generators(5, 3)
    for _ in range(20):
        many = sample(logits, many_generators, sampling, forbid=[0])
        few = sample(logits[:3], few_generators, sampling, forbid=[0])
        assert torch.equal(many[:3], few)
    other = torch.stack([sample(logits[:1].expand(12, 30), row_generators(seed, 12)) for seed in (5, 6)])
    assert not torch.equal(other[0], other[1])
    assert len(other[0].unique()) > 1


@pytest.mark.parametrize("chance", [0.0, 1 - 2**-53])
def test_the_least_and_the_largest_chance_draw_no_id_of_probability_zero(chance, monkeypatch):
    logits = torch.randn(200, 50, generator=torch.Generator().manual_seed(2))
    logits[:, :10] = logits[:, 40:] = -math.inf
    generators = row_generators(0, 200)
    monkeypatch.setattr(torch, "rand", lambda *size, dtype, generator: torch.full(size, chance, dtype=dtype))
    drawn = sample(logits, generators)
    assert (drawn == (10 if chance == 0 else 39)).all()


def test_temperature_zero_is_greedy_and_uses_no_chance():
    logits = torch.tensor([[1.0, 5.0, 5.0, 2.0], [9.0, 0.0, 3.0, 3.0]])
    generators = row_generators(3, 2)
    before = [generator.get_state() for generator in generators]
    assert sample(logits, generators, Sampling(temperature=0), forbid=[0]).tolist() == [1, 2]
    assert greedy(logits).tolist() == [1, 0]
    assert all(torch.equal(a, b.get_state()) for a, b in zip(before, generators, strict=True))


def test_bfloat16_scores_and_an_empty_batch():
    assert sample(SCORES.bfloat16(), row_generators(0, 1), Sampling(top_k=1)).tolist() == [1]
    assert sample(torch.empty(0, 4), [], Sampling(top_p=0.5)).shape == (0,)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.1}, "temperature: .* got -0.1"),
        ({"temperature": math.nan}, "temperature: .* got nan"),
        ({"temperature": math.inf}, "temperature: .* got inf"),
        ({"top_k": 0}, "top_k: expected 1 or more .* got 0"),
        ({"top_p": 0.0}, "top_p: .* got 0.0"),
        ({"top_p": 1.01}, "top_p: .* got 1.01"),
        ({"top_p": math.nan}, "top_p: .* got nan"),
        ({"temperature": 0, "top_k": -1}, "top_k: expected 1 or more"),
    ],
)
def test_settings_that_mean_nothing(settings, message):
    with pytest.raises(UsageError, match=message):
        Sampling(**settings)


def test_what_cannot_be_drawn_from():
    with pytest.raises(UsageError, match="none in row 0: all are forbidden"):
        greedy(SCORES, forbid=range(4))
    with pytest.raises(UsageError, match="expected one for each of 1 rows, got 2"):
        sample(SCORES, row_generators(0, 2))
    with pytest.raises(UsageError, match="seed: expected 0 or more, got -1"):
        row_generators(-1, 2)
    for bad in (math.nan, math.inf):
        with pytest.raises(RunError, match="in row 1"):
            sample(torch.tensor([[0.0, 1.0], [0.0, bad]]), row_generators(0, 2))
