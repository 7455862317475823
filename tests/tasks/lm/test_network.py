"""The language model's network: embedding, stack, output, and what it begins with."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from recurra.cells import cell_names
from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.network import LanguageNetwork

SIZE = 13


def build(seed=0, **settings):
    torch.manual_seed(seed)
    return LanguageNetwork(SIZE, Model.model_validate({"hidden": 8, "dropout": 0.0, **settings}))


@pytest.mark.parametrize("settings", [{}, {"tied": True}, {"layers": 4, "residual": True}, {"layer_norm": False}])
@pytest.mark.parametrize("cell", cell_names())
def test_shapes_and_one_step_at_a_time(cell, settings):
    """Reading step by step gives the logits of reading the whole."""
    network = build(cell=cell, embedding=6, **settings).double().eval()
    ids = torch.randint(SIZE, (7, 3))
    logits, end = network(ids, network.zero_state(3))
    assert logits.shape == (7, 3, SIZE)
    state = network.zero_state(3)
    for t in range(7):
        step, state = network.step(ids[t], state)
        torch.testing.assert_close(step, logits[t], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-12)


def test_the_embedding_is_a_one_hot_input_times_a_matrix():
    network = build(layers=1, layer_norm=False).double().eval()
    ids = torch.randint(SIZE, (5, 2))
    weight = network.embedding.weight
    y, _ = network.stack(F.one_hot(ids, SIZE).double() @ weight, network.zero_state(2))
    wanted = y @ network.get_parameter("output.weight").T + network.get_parameter("output.bias")
    torch.testing.assert_close(network(ids, network.zero_state(2))[0], wanted, rtol=0, atol=1e-12)


def test_tied_embeddings_are_one_weight():
    network = build(tied=True, embedding=6, layers=2)
    names = set(network.state_dict())
    assert "output.weight" not in names and {"embedding.weight", "output_bias"} <= names
    shapes = [tuple(p.shape) for p in network.parameters()]
    assert shapes.count((SIZE, 6)) == 1
    assert [layer.hidden_size for layer in network.stack] == [8, 6]
    # A unit that is never read is predicted all the same: its row learns through the output.
    ids = torch.zeros(4, 2, dtype=torch.int64)
    logits, _ = network(ids, network.zero_state(2))
    F.cross_entropy(logits.flatten(0, 1), torch.ones(8, dtype=torch.int64)).backward()
    rows = network.embedding.weight.grad.abs().sum(1)
    assert bool((rows > 0).all())
    # The output is the state's product with the very rows that are read.
    y, _ = network.stack(network.embedding(ids), network.zero_state(2))
    assert torch.equal(logits, F.linear(y, network.embedding.weight, network.output_bias))


def test_an_untied_embedding_learns_only_what_is_read():
    network = build()
    logits, _ = network(torch.zeros(4, 2, dtype=torch.int64), network.zero_state(2))
    logits.square().sum().backward()
    rows = network.embedding.weight.grad.abs().sum(1)
    assert bool(rows[0] > 0) and not bool(rows[1:].any())


@pytest.mark.parametrize("tied", [False, True])
def test_uniform_draws_all_weights_within_its_range(tied):
    network = build(init="uniform", init_gain=0.04, forget_bias=0.0, tied=tied, layer_norm=False)
    for name, parameter in network.state_dict().items():
        assert float(parameter.abs().max()) <= 0.04, name
        zero = name in ("output.bias", "output_bias") or name.endswith(("bias_ih", "bias_hh"))
        assert zero or float(parameter.abs().max()) > 0.03, name


@pytest.mark.parametrize("tied", [False, True])
def test_a_fresh_network_predicts_nearly_nothing(tied):
    """Logits begin small, so that the first loss is about log V, and not far above it."""
    network = build(tied=tied, hidden=64)
    ids = torch.randint(SIZE, (50, 4))
    logits, _ = network.eval()(ids, network.zero_state(4))
    loss = F.cross_entropy(logits[:-1].flatten(0, 1), ids[1:].flatten())
    assert abs(loss.item() - math.log(SIZE)) < 0.7


@pytest.mark.parametrize("tied", [False, True])
def test_frequencies_are_what_it_begins_with(tied):
    network = build(tied=tied)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    frequencies = torch.arange(1.0, SIZE + 1) / (SIZE * (SIZE + 1) / 2)
    network.init_output_bias(frequencies)
    logits, _ = network(torch.randint(SIZE, (3, 2)), network.zero_state(2))
    torch.testing.assert_close(logits.softmax(-1), frequencies.expand(3, 2, SIZE))


def test_where_is_dropped_how_much_unless_it_is_set():
    network = build(dropout=0.4)
    assert (network.input_dropout.p, network.stack.dropout.p, network.output_dropout.p) == (0.2, 0.4, 0.4)
    network = build(dropout=0.4, input_dropout=0.1, output_dropout=0.0, recurrent_dropout=0.3, variational=False)
    assert (network.input_dropout.p, network.output_dropout.p) == (0.1, 0.0)
    assert {layer.weight_dropout for layer in network.stack} == {0.3}
    dropouts = (network.input_dropout, network.stack.dropout, network.output_dropout)
    assert not any(dropout.variational for dropout in dropouts)


def test_training_drops_and_evaluation_does_not():
    network = build(dropout=0.5, recurrent_dropout=0.5)
    ids, state = torch.randint(SIZE, (5, 2)), network.zero_state(2)
    assert not torch.equal(network(ids, state)[0], network(ids, state)[0])
    network.eval()
    assert torch.equal(network(ids, state)[0], network(ids, state)[0])


def test_a_text_begins_at_the_frequencies_of_its_units(tmp_path):
    assert initial(tmp_path, documents=False) == pytest.approx(counted(tmp_path, documents=False), abs=1e-6)


def test_documents_begin_at_the_frequencies_of_their_units_and_ends(tmp_path):
    assert initial(tmp_path, documents=True) == pytest.approx(counted(tmp_path, documents=True), abs=1e-6)


def prepared(folder, documents):
    path = folder / "text.txt"
    path.write_text("ab\nabc\nabcd\n" * 30)
    data = {"data": [str(path)], "documents": "line" if documents else "none"}
    task = LanguageModelingTask(
        LanguageModelConfig.model_validate({"data": data, "model": {"hidden": 4, "dropout": 0.0}})
    )
    task.prepare()
    return task


def initial(folder, *, documents):
    """What a network predicts whose weights are all zero but the bias that it begins with."""
    task = prepared(folder, documents)
    network = task.build_network()
    task.initialize(network)
    assert network.output is not None
    return network.output.bias.detach().softmax(-1).tolist()


def counted(folder, *, documents):
    """The frequencies of all that is predicted in training, each counted once more."""
    task = prepared(folder, documents)
    counts = torch.ones(task.preprocessor.vocabulary.size)
    for window in task.batches(0, batch=1, seed=0):
        for target in window.targets.flatten().tolist():
            if target >= 0:
                counts[target] += 1
    return (counts / counts.sum()).tolist()


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_loss_made_piece_by_piece_is_the_whole_one(monkeypatch, tied, precision):
    """The same loss and gradient, each time to the bit, from logits of which only a few steps are held at once."""
    torch.manual_seed(0)
    built = LanguageNetwork(30, Model(hidden=6, layers=1, dropout=0.0, tied=tied)).train()
    ids, targets = torch.randint(0, 30, (11, 4)), torch.randint(0, 30, (11, 4))
    targets[7:, 2] = -100
    made = []
    logits = built._logits
    monkeypatch.setattr(built, "_logits", lambda x: (made.append(len(x)), logits(x))[1])

    def learn():
        built.zero_grad()
        made.clear()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
            loss, _ = built.loss(ids, targets, built.zero_state(4), ignore=-100)
        loss.backward()
        return loss.detach(), [parameter.grad.clone() for parameter in built.parameters()]

    whole, gradients = learn()
    assert made == [11]
    monkeypatch.setattr("recurra.tasks.lm.network.MAX_LOGITS_TRAINING", 4 * 30 * 3 + 1)
    pieces, piecewise = learn()
    assert made[:4] == [3, 3, 3, 2] and sorted(made[4:]) == [2, 3, 3, 3]  # once more for the gradient: none was kept
    again, repeated = learn()
    assert torch.equal(pieces, again) and all(map(torch.equal, piecewise, repeated))
    assert float(pieces) == pytest.approx(float(whole), rel=1e-6)
    close = {"rtol": 1e-5, "atol": 1e-5} if precision is torch.float32 else {"rtol": 0.05, "atol": 0.05}
    torch.testing.assert_close(piecewise, gradients, **close)
