"""Beam search against all sequences there are, against greedy search, and by hand."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.decoding import Sampling, SearchOptions, beam_search, concat_states, generate
from recurra.errors import RunError, UsageError

BOS, END, SIZE = 0, 1, 4


def markov(seed: int, sharpness: float = 1.5):
    """A random model whose next id depends on the last two, the older of which it must find in its state."""
    scores = sharpness * torch.randn(
        SIZE, SIZE, SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )

    def step(ids, state):
        ((older,),) = state
        return scores[older, ids], ((ids,),)

    return scores.log_softmax(-1), step, ((torch.tensor([BOS]),),)


def rescored(log_probs, ids) -> float:
    history = [BOS, BOS, *ids]
    return sum(float(log_probs[a, b, c]) for a, b, c in zip(history, history[1:], history[2:], strict=False))


def all_sequences(length: int, end: int | None):
    """Every result there can be: those that end, and those of full length that do not; `BOS` is in none."""
    for size in range(1, length + 1):
        for ids in product(range(1, SIZE), repeat=size):
            if end in ids[:-1] or (size < length and ids[-1] != end):
                continue
            yield ids


def options(**settings):
    return SearchOptions(**{"end": END, "forbid": [BOS], **settings})


def search(step, state, **settings):
    (found,) = beam_search(step, state, torch.tensor([BOS]), options(**settings))
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 4), st.sampled_from([0.0, 0.6, 1.0, 2.5]), st.sampled_from([END, None]))
def test_a_beam_as_wide_as_the_tree_finds_what_there_is(seed, length, alpha, end):
    log_probs, step, state = markov(seed)
    width = SIZE**length
    found = search(step, state, width=width, length=length, length_penalty=alpha, end=end, count=width)
    expected = sorted(
        ((rescored(log_probs, ids) / ((5 + len(ids)) / 6) ** alpha, ids) for ids in all_sequences(length, end)),
        reverse=True,
    )
    assert [tuple(result.ids) for result in found] == [ids for _, ids in expected]
    assert [result.score for result in found] == pytest.approx([score for score, _ in expected], rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 5), st.sampled_from([0.0, 0.6, 2.5]))
def test_stopping_early_loses_nothing(seed, length, alpha):
    """The bound on what living hypotheses can still reach is never too low: a wide beam's best one is the best of all."""
    log_probs, step, state = markov(seed, sharpness=3)
    calls = []

    def counted(ids, state):
        calls.append(len(ids))
        return step(ids, state)

    found = search(counted, state, width=SIZE**length, length=length, length_penalty=alpha)
    best = max(rescored(log_probs, ids) / ((5 + len(ids)) / 6) ** alpha for ids in all_sequences(length, END))
    assert found[0].score == pytest.approx(best, rel=1e-12)
    assert len(calls) <= length


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 1.0, 3.0]), st.sampled_from([END, None]))
def test_a_beam_of_one_is_greedy(seed, alpha, end):
    _, step, state = markov(seed)
    ids = torch.tensor([BOS])
    steps = generate(step, state, ids, length=12, end=end, sampling=Sampling(temperature=0), forbid=[BOS])
    (found,) = search(step, state, width=1, length=12, length_penalty=alpha, end=end)
    assert found.ids.tolist() == [int(chosen[0]) for chosen in steps]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 7), st.sampled_from([0.0, 0.8]))
def test_results_are_sorted_different_and_scored_as_scoring_would(seed, width, alpha):
    log_probs, step, state = markov(seed)
    found = search(step, state, width=width, length=8, length_penalty=alpha, count=width)
    assert len(found) == width and len({tuple(result.ids) for result in found}) == width
    assert [result.score for result in found] == sorted((result.score for result in found), reverse=True)
    for result in found:
        assert result.log_prob == pytest.approx(rescored(log_probs, result.ids), rel=1e-12)
        assert result.score == pytest.approx(result.log_prob / ((5 + len(result.ids)) / 6) ** alpha, rel=1e-12)
        assert BOS not in result.ids and END not in result.ids[:-1]
        assert result.ended == (result.ids[-1] == END)
        assert result.ended or len(result.ids) == 8


def chain(rows):
    """A first-order model from a table of probabilities."""
    table = torch.tensor(rows, dtype=torch.float64).log()
    return lambda ids, state: (table[ids], state)


def test_length_normalisation_by_hand():
    """
    From ⟨ the end comes at once with p = 0.3, or 2 (0.7), then 3 (0.6) and the end (0.6): 0.252 for all three.
    Without normalisation the short one wins, as 0.3 > 0.252; the other ways from 2 and 3 (to 2, which never ends here)
    come to 0.28 and 0.168 after two and three ids, and only fall. With α = 1 the penalties are 6/6 and 8/6:
    ln 0.3 = −1.204, and ln 0.252 / (8/6) = −1.378 / 1.333 = −1.034, which is better.
    """
    step = chain([[0, 0.3, 0.7, 0], [0, 1, 0, 0], [0, 0, 0.4, 0.6], [0, 0.6, 0.4, 0]])
    plain = search(step, (), width=3, length=3, count=2)
    assert plain[0].ids.tolist() == [END] and plain[0].score == pytest.approx(math.log(0.3))
    assert plain[1].ids.tolist() == [2, 3, END] and plain[1].score == pytest.approx(math.log(0.252))
    normalised = search(step, (), width=3, length=3, count=2, length_penalty=1.0)
    assert normalised[0].ids.tolist() == [2, 3, END]
    assert normalised[0].score == pytest.approx(math.log(0.252) * 6 / 8)
    assert normalised[0].log_prob == pytest.approx(math.log(0.252))
    assert normalised[1].ids.tolist() == [END] and normalised[1].score == pytest.approx(math.log(0.3))


def test_a_wider_beam_finds_what_greedy_misses():
    """2 is the likelier first id (0.6), but what follows 3 (0.4) is certain: 0.6·0.5 = 0.3 against 0.4."""
    step = chain([[0, 0, 0.6, 0.4], [0, 1, 0, 0], [0, 0.5, 0.25, 0.25], [0, 1, 0, 0]])
    (narrow,), (wide,) = (search(step, (), width=width, length=5) for width in (1, 2))
    assert (narrow.ids.tolist(), wide.ids.tolist()) == ([2, END], [3, END])


def test_it_stops_when_nothing_better_can_come():
    calls = []
    table = chain([[0, 0.9, 0.05, 0.05], [0, 1, 0, 0], [0, 0.1, 0.5, 0.4], [0, 0.1, 0.5, 0.4]])

    def step(ids, state):
        calls.append(len(ids))
        return table(ids, state)

    assert search(step, (), width=3, length=1000)[0].ids.tolist() == [END]
    assert calls == [1]


def test_fewer_results_than_asked_for_when_there_are_no_more():
    step = chain([[0, 0.5, 0.5, 0], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]])
    found = search(step, (), width=8, length=6, count=8)
    assert sorted(result.ids.tolist() for result in found) == [[END], [2, END]]


def test_equally_likely_results_come_in_the_order_of_their_ids():
    found = search(lambda ids, state: (torch.zeros(len(ids), SIZE), state), (), width=3, length=2, end=None, count=3)
    assert [result.ids.tolist() for result in found] == [[1, 1], [1, 2], [1, 3]]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "beam: expected a width of 1 or more, got 0"),
        ({"width": 2, "count": 3}, "count: expected 1 to 2 results from a beam of width 2, got 3"),
        ({"width": 2, "count": 0}, "count: expected 1 to 2"),
        ({"length": 0}, "length: expected 1 or more"),
        ({"length_penalty": -0.5}, "length_penalty: .* got -0.5"),
        ({"length_penalty": math.nan}, "length_penalty: .* got nan"),
        ({"forbid": range(SIZE)}, "all are forbidden"),
    ],
)
def test_settings_that_mean_nothing(settings, message):
    _, step, state = markov(0)
    with pytest.raises(UsageError, match=message):
        search(step, state, **{"width": 2, "length": 3, **settings})


def test_scores_that_are_no_numbers():
    with pytest.raises(RunError, match="weights are damaged"):
        search(lambda ids, state: (torch.full((1, SIZE), np.nan), state), (), width=2, length=3)


def same(one, other):
    """Bit for bit: ids, log-probability, score, and how each ended."""
    return len(one) == len(other) and all(
        np.array_equal(a.ids, b.ids) and (a.log_prob, a.score, a.ended) == (b.log_prob, b.score, b.ended)
        for a, b in zip(one, other, strict=True)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31),
    st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=7),
    st.integers(1, 6),
    st.integers(1, 9),
    st.sampled_from([0.0, 0.6, 2.5]),
    st.sampled_from([END, None]),
)
def test_several_prompts_find_what_each_finds_alone(seed, prompts, width, length, alpha, end):
    _, step, _ = markov(seed, sharpness=3)
    states = [((torch.tensor([older]),),) for older, _ in prompts]
    last = torch.tensor([id for _, id in prompts], dtype=torch.int64)
    looked_for = options(width=width, length=length, count=min(2, width), length_penalty=alpha, end=end)
    together = beam_search(step, concat_states(states) if states else (), last, looked_for)
    assert len(together) == len(prompts)
    for index, (state, found) in enumerate(zip(states, together, strict=True)):
        (alone,) = beam_search(step, state, last[index : index + 1], looked_for)
        assert same(found, alone)


def test_a_prompt_that_is_done_leaves_the_batch():
    """After 3 the end is certain; after 2 it never comes, so that the search goes on to the length with its rows alone."""
    rows = []
    table = chain([[0, 0, 0.5, 0.5], [0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]])

    def step(ids, state):
        rows.append(len(ids))
        return table(ids, state)

    found = beam_search(step, (), torch.tensor([3, 2, 3, 2]), options(width=2, length=5))
    assert [one.ids.tolist() for (one,) in found] == [[END], [2] * 5, [END], [2] * 5]
    assert rows == [4, 2, 2, 2, 2]


def test_no_prompt_at_all():
    assert (
        beam_search(lambda ids, state: 1 / 0, (), torch.zeros(0, dtype=torch.int64), options(width=2, length=3)) == []
    )


def test_enough_poor_ends_do_not_stop_what_is_better():
    """Of four ids the end is always among the likeliest: five hypotheses have ended long before the likely one does."""
    sure = [2, 3, 2, 3, 2, 3, END]

    def step(ids, state):
        (place,) = state
        likely = torch.tensor([sure[min(int(at), len(sure) - 1)] for at in place[:, 0]])
        logits = torch.full((len(ids), 4), 0.05)
        logits[torch.arange(len(ids)), likely] = 0.85
        return logits.log(), (place + 1,)

    settings = {"width": 5, "length": 20, "length_penalty": 1.5, "enough": 5}
    (found,) = beam_search(step, (torch.zeros(1, 1),), torch.tensor([BOS]), options(**settings))
    assert found[0].ids.tolist() == sure
