"""Text written by the engine is the text that the steps of the network and `decoding.sample` write."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from recurra.decoding import Sampling, generate, row_generators
from recurra.errors import RunError, UsageError
from recurra.kernels import exact
from recurra.kernels.native import engine
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.native_generate import can_generate_natively, generate_blocks
from recurra.tasks.lm.network import LanguageNetwork

pytestmark = pytest.mark.skipif(engine() is None, reason="the native engine was not built")

CHOICES = (
    Sampling(temperature=0.0),
    Sampling(),
    Sampling(temperature=0.7, top_k=5),
    Sampling(temperature=1.3, top_p=0.8),
    Sampling(temperature=0.9, top_k=12, top_p=0.5),
)


def network(cell: str = "lstm", *, tied: bool = False) -> LanguageNetwork:
    torch.manual_seed(3)
    model = Model(cell=cell, hidden=32, embedding=32, layers=2, dropout=0.0, layer_norm=True, tied=tied, residual=tied)
    return LanguageNetwork(40, model).eval()


def written(network: LanguageNetwork, seed: int, length: int, sampling: Sampling, **options) -> list[int]:
    generator = None if sampling.greedy else row_generators(seed, 1)[0]
    state = network.zero_state(1)
    blocks = generate_blocks(network, state, 1, length=length, sampling=sampling, generator=generator, **options)
    return [id for ids in blocks for id in ids.tolist()]


@pytest.mark.parametrize("sampling", CHOICES, ids=str)
@pytest.mark.parametrize("cell", ["lstm", "graves-lstm", "gru", "rnn", "rnn-relu"])
@torch.inference_mode()
def test_it_is_the_text_of_the_reference(cell, sampling):
    model = network(cell, tied=cell == "gru")

    def step(ids, state):
        with exact():
            return model.step(ids, state)

    for seed, end in itertools.product((0, 1), (None, 7)):
        options = {"length": 150, "sampling": sampling, "end": end, "forbid": [0, 3]}
        rows = generate(step, model.zero_state(1), torch.tensor([1]), generators=row_generators(seed, 1), **options)
        assert written(model, seed, **options) == [int(ids[0]) for ids in rows]


def test_it_stops_after_the_end_and_never_writes_what_is_forbidden():
    model = network()
    options = {"sampling": Sampling(temperature=2.0), "end": 7, "forbid": range(8, 40)}
    texts = [written(model, seed, 200, **options) for seed in range(20)]
    assert all(set(ids) <= set(range(8)) for ids in texts)
    assert all(7 not in ids[:-1] for ids in texts)
    assert any(ids[-1] == 7 for ids in texts)
    assert written(model, 0, 0, **options) == []


def test_nothing_to_choose_from_and_damaged_weights_are_refused():
    model = network()
    with pytest.raises(UsageError, match="all are forbidden"):
        written(model, 0, 5, Sampling(), end=None, forbid=range(40))
    with torch.no_grad():
        model.output.bias[5] = torch.nan
    with pytest.raises(RunError, match="damaged"):
        written(model, 0, 5, Sampling(), end=None, forbid=())


def test_it_leaves_other_types_to_torch():
    assert can_generate_natively(network())
    assert not can_generate_natively(network().double())


def test_frequencies_are_the_models():
    """A unit is drawn as often as its probability says: 20,000 draws from the first step's distribution."""
    model = network()
    with torch.inference_mode():
        probabilities = model.step(torch.tensor([1]), model.zero_state(1))[0][0].softmax(0).numpy()
    packed, state = (
        model.packed(),
        np.zeros(sum(part.numel() for layer in model.zero_state(1) for part in layer), np.float32),
    )
    counts, draw = np.zeros(40), np.random.default_rng(0)
    options = {"end": None, "temperature": 1.0, "top_k": None, "top_p": None, "forbid": ()}
    for uniform in draw.random(20_000):
        counts[packed.generate(state.copy(), 1, np.array([uniform]), **options)[0]] += 1
    chi = ((counts - 20_000 * probabilities) ** 2 / (20_000 * probabilities)).sum()
    assert chi < 80  # 39 degrees of freedom: 80 is passed once in 10,000, and the seed is fixed
