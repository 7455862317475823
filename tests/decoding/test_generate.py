"""Generation: the model is fed what was chosen, rows end by themselves, and the stream is lazy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recurra.decoding import FINISHED, Sampling, concat_states, generate, row_generators, select_state
from recurra.errors import UsageError

BOS, END, SIZE = 0, 1, 9
GREEDY = Sampling(temperature=0)


def recurrent(seed: int = 0):
    """A small random recurrent model in float64, with a nested state as the real ones have."""
    rng = torch.Generator().manual_seed(seed)
    embed, mix, out = (
        torch.randn(shape, generator=rng, dtype=torch.float64) for shape in ((SIZE, 6), (6, 6), (6, SIZE))
    )

    def step(ids, state):
        ((h,), (count,)) = state
        h = torch.tanh(embed[ids] + h @ mix)
        return h @ out, ((h,), (count + 1,))

    def empty(rows):
        return ((torch.zeros(rows, 6, dtype=torch.float64),), (torch.zeros(rows, 1, dtype=torch.int64),))

    return step, empty


def run(rows, length=40, end=END, **settings):
    step, empty = recurrent()
    ids = torch.full((rows,), BOS)
    settings = {"forbid": [BOS], "generators": row_generators(4, rows), **settings}
    return np.array(list(generate(step, empty(rows), ids, length=length, end=end, **settings)))  # (T, B)


def test_greedy_agrees_with_a_plain_loop():
    step, empty = recurrent()
    state, last, expected = empty(1), torch.tensor([BOS]), []
    for _ in range(12):
        logits, state = step(last, state)
        logits[:, BOS] = -torch.inf
        last = logits.argmax(1)
        expected.append(int(last))
    assert run(2, length=12, end=None, sampling=GREEDY, generators=()).T.tolist() == [expected, expected]


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(temperature=1.4), Sampling(top_k=4), Sampling(top_p=0.8)])
def test_sample_i_is_the_same_for_any_number_of_samples(sampling):
    many = run(10, sampling=sampling)
    for few in (run(1, sampling=sampling), run(4, sampling=sampling)):
        steps, rows = few.shape
        assert np.array_equal(many[:steps, :rows], few)
        assert (many[steps:, :rows] == FINISHED).all()
    assert len({tuple(column) for column in many.T}) > 1


def test_rows_end_once_and_stay_ended():
    out = run(30)
    assert BOS not in out
    stopped = 0
    for column in out.T:
        ends = np.flatnonzero(column == END)
        assert len(ends) <= 1
        if len(ends):
            stopped += 1
            assert (column[ends[0] + 1 :] == FINISHED).all() and (column[: ends[0]] != FINISHED).all()
        else:
            assert (column != FINISHED).all()
    assert stopped > 1
    assert (out != FINISHED).any(axis=1).all()  # it is over with the last row that ends


def test_without_an_end_it_goes_on_to_the_length():
    out = run(3, length=25, end=None)
    assert out.shape == (25, 3) and (out >= 0).all()
    assert list(generate(lambda ids, state: 1 / 0, (), torch.tensor([0]), length=0, end=None, sampling=GREEDY)) == []


def test_ids_come_as_they_are_made_and_gradients_stay_as_they_were():
    step, empty = recurrent()
    calls = []

    def counted(ids, state):
        assert not torch.is_grad_enabled()
        calls.append(ids)
        return step(ids, state)

    steps = generate(counted, empty(1), torch.tensor([2]), length=5, end=None, sampling=GREEDY)
    assert calls == []
    for made, given in enumerate(steps, start=1):
        assert len(calls) == made and given.dtype == np.int64
        assert torch.is_grad_enabled()
    assert len(calls) == 5


def test_settings_are_refused_at_the_call():
    def attempt(**settings):
        return generate(lambda ids, state: 1 / 0, (), torch.tensor([2]), **{"length": 3, "end": None, **settings})

    with pytest.raises(UsageError, match="length: expected 0 or more units to generate, got -1"):
        attempt(length=-1, sampling=GREEDY)
    with pytest.raises(UsageError, match="generators: expected one for each of 1 rows, got 0"):
        attempt()


def test_a_state_of_any_nesting_is_picked_by_row():
    state = (torch.arange(3), ((torch.arange(6).reshape(3, 2),), ()))
    picked = select_state(state, torch.tensor([2, 0, 2, 1]))
    assert picked[0].tolist() == [2, 0, 2, 1]
    assert picked[1][0][0].tolist() == [[4, 5], [0, 1], [4, 5], [2, 3]] and picked[1][1] == ()


def test_states_are_joined_row_by_row():
    _, empty = recurrent()
    ((h,), (count,)) = concat_states([empty(2), ((torch.ones(1, 6, dtype=torch.float64),), (torch.full((1, 1), 7),))])
    assert h.tolist() == [[0.0] * 6, [0.0] * 6, [1.0] * 6] and count.tolist() == [[0], [0], [7]]


def test_prompts_of_several_lengths_go_on_as_each_does_alone():
    step, empty = recurrent()
    prompts = [[BOS], [BOS, 3, 4, 5], [BOS, 7]]

    def fed(prompt):
        state = empty(1)
        for id in prompt[:-1]:
            _, state = step(torch.tensor([id]), state)
        return state, torch.tensor(prompt[-1:])

    states, last = zip(*map(fed, prompts), strict=True)
    settings = {"length": 15, "end": END, "sampling": GREEDY, "forbid": [BOS]}
    together = np.array(list(generate(step, concat_states(states), torch.cat(last), **settings)))
    for row, (state, ids) in enumerate(zip(states, last, strict=True)):
        alone = [int(chosen[0]) for chosen in generate(step, state, ids, **settings)]
        assert together[: len(alone), row].tolist() == alone and (together[len(alone) :, row] == FINISHED).all()
