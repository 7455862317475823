"""Packed models: ids as rows of the embedding, the choice of the next unit, and weights that are never out of date."""

from __future__ import annotations

import copy
import math
from types import ModuleType

import numpy as np
import pytest
import torch
from tests.kernels.conftest import usable

from recurra.cells import cell_names, get_cell
from recurra.decoding import Sampling, row_generators, sample
from recurra.errors import RunError, UsageError
from recurra.kernels import PackedModel
from recurra.kernels.native import engine
from recurra.kernels.packed import PackedLayer, checksum
from recurra.nn import Stack
from recurra.tasks.lm.config import Model
from recurra.tasks.lm.native_generate import generate_blocks, packed_model
from recurra.tasks.lm.network import LanguageNetwork

pytestmark = pytest.mark.skipif(engine() is None, reason="the native engine was not built")

PLAIN = {"end": None, "temperature": 1.0, "top_k": None, "top_p": None, "forbid": ()}
JUST_BELOW_ONE = 1 - 2.0**-53


def native_engine() -> ModuleType:
    module = engine()
    assert module is not None
    return module


def language_network(**settings) -> LanguageNetwork:
    torch.manual_seed(5)
    model = Model(**{"cell": "lstm", "hidden": 24, "embedding": 24, "layers": 2, "dropout": 0.0, **settings})
    return LanguageNetwork(40, model).eval()


class Scores:
    """A packed model whose scores are these, whatever it reads: its output has no weights but a bias."""

    def __init__(self, scores: torch.Tensor) -> None:
        layers = Stack("rnn", 2, [3]).packed_layers()
        self.model = PackedModel(
            layers, embedding=torch.zeros(len(scores), 2), output=(torch.zeros(len(scores), 3), scores)
        )

    def choose(self, uniform: float, **options) -> int:
        state = np.zeros(self.model.state_size, np.float32)
        return int(self.model.generate(state, 0, np.array([uniform]), **{**PLAIN, **options})[0])


def reference(monkeypatch, scores: torch.Tensor, uniform: float, **options) -> int:
    options.pop("end", None)
    monkeypatch.setattr(torch, "rand", lambda *_, **__: torch.tensor([uniform], dtype=torch.float64))
    forbid = options.pop("forbid", ())
    return int(sample(scores[None], [torch.Generator()], Sampling(**options), forbid=forbid)[0])


@pytest.mark.parametrize("weights", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("cell", cell_names())
@torch.no_grad()
def test_an_id_is_its_row_of_the_embedding_to_the_last_bit(cell, weights):
    """The first time, when the sums are made, and every later time, when they are found."""
    torch.manual_seed(2)
    for sizes in ([33, 20], [130]):
        stack, table = Stack(cell, 19, sizes, layer_norm=True), torch.randn(9, 19)
        output = torch.randn(21, sizes[-1]), torch.randn(21)
        model = PackedModel(stack.packed_layers(), weights, embedding=table, output=output)
        by_id, by_row = (np.zeros(model.state_size, np.float32) for _ in "ab")
        for unit in [3, 8, 3, 0, 3, 8, 0]:
            y = model.step_id(by_id, unit)
            assert np.array_equal(y, model.step(by_row, table[unit].numpy()))
            assert np.array_equal(by_id, by_row)


def as_int8_holds_it(weight: torch.Tensor) -> torch.Tensor:
    """Give whole multiples of 1/127 of each row's greatest size; halves away from zero."""
    scale = weight.abs().amax(1, keepdim=True).clamp(min=1e-30) / 127
    q = weight / scale
    return scale * (q.abs() + 0.5).floor() * q.sign()


@pytest.mark.parametrize("isa", usable())
@pytest.mark.parametrize("cell", cell_names())
@torch.no_grad()
def test_int8_rounds_weights_and_nothing_else_that_could_be_seen(cell, isa):
    """What the weights multiply has steps 257 times as fine as theirs: rounding it must not show beside rounding them."""
    module = native_engine()
    before = module.selected()
    try:
        for inputs, size in ((19, 33), (70, 130), (600, 24)):
            torch.manual_seed(size)
            stack = Stack(cell, inputs, [size, size], layer_norm=True)
            rounded = copy.deepcopy(stack)
            for layer in rounded:
                for name, value in layer.named_parameters():
                    if name in ("weight_ih", "weight_hh"):
                        value.copy_(as_int8_holds_it(value))
            output = torch.randn(21, size) / size**0.5
            assert module.select(isa)
            ours = PackedModel(stack.packed_layers(), "int8", output=(output, None))
            truth = PackedModel(rounded.packed_layers(), "float32", output=(as_int8_holds_it(output), None))
            exact = PackedModel(stack.packed_layers(), "float32", output=(output, None))
            assert module.select(before)  # a model steps by the instruction set that packed it
            rows = torch.randn(20, inputs).numpy()
            outputs = []
            for model in (ours, truth, exact):
                state = np.zeros(model.state_size, np.float32)
                outputs.append(np.stack([model.step(state, row) for row in rows]))
            by_rows, by_weights = (np.square(each - outputs[1]).mean() ** 0.5 for each in (outputs[0], outputs[2]))
            assert 0 < by_rows < by_weights / 50
    finally:
        assert module.select(before)


@pytest.mark.parametrize("isa", usable())
def test_whole_numbers_are_multiplied_exactly(isa):
    """Up to the greatest that int8 weights and what they multiply can be, over more than one chunk of 512."""
    module = native_engine()
    before = module.selected()
    assert module.select(isa)
    try:
        draw = np.random.default_rng(3)
        for size in (1, 5, 16, 511, 512, 513, 1100):
            weight = draw.integers(-127, 128, (21, size))
            weight[:, size // 2] = 127
            weight[0], weight[1], weight[2] = 127, -127, 0
            for row in (np.full(size, 32639), np.zeros(size, np.int64), draw.integers(0, 32640, size)):
                row[0] = 32639 if row.any() else 0
                total = np.zeros(21, np.float32)
                for part in range(0, size, 512):
                    total += (weight[:, part : part + 512] @ row[part : part + 512]).astype(np.float32)
                assert np.array_equal(product(weight, row), total)
    finally:
        assert module.select(before)


def product(weight: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Give weight · row by a packed output of int8; the row is what a layer of nothing but these biases gives."""
    size = len(row)
    layer = {
        "weight_ih": torch.zeros(size, 1),
        "weight_hh": torch.zeros(size, size),
        "bias_ih": torch.from_numpy(row).float(),
        "bias_hh": torch.zeros(size),
    }
    output = torch.from_numpy(weight).float(), None
    model = PackedModel([PackedLayer(get_cell("rnn-relu"), layer)], "int8", output=output)
    return model.step(np.zeros(model.state_size, np.float32), np.zeros(1, np.float32))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 0.0},
        {"temperature": 0.3},
        {"temperature": 1e-3},
        {"temperature": 1e9},
        {"top_k": 1},
        {"top_k": 7},
        {"top_k": 500},
        {"top_p": 0.3},
        {"top_p": 0.999},
        {"top_p": 1e-9},
        {"temperature": 1.7, "top_k": 20, "top_p": 0.6},
        {"temperature": 0.7, "forbid": range(5, 300)},
        {"top_p": 0.9, "forbid": [0, 16, 319, 322]},
    ],
)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 323])
def test_the_choice_is_that_of_sample(monkeypatch, size, options):
    torch.manual_seed(size)
    draw = np.random.default_rng(0)
    for spread in (0.0, 1.0, 30.0, 400.0):  # all alike; a language model's; sure; most of them impossible
        scores = torch.randn(size) * spread
        forbid = [unit for unit in options.get("forbid", ()) if unit < size]
        if len(forbid) == size:
            forbid = forbid[1:]
        given = {"temperature": 1.0, "top_k": None, "top_p": None, **options, "forbid": forbid}
        ours = Scores(scores)
        # Not 0 itself: a share of e^-708 or less, which double has no normal number for, is none for the engine.
        for uniform in [2.0**-53, JUST_BELOW_ONE, *draw.random(40)]:
            wanted = reference(monkeypatch, scores, uniform, **given)
            assert ours.choose(uniform, **given) == wanted


def test_what_has_no_probability_is_never_chosen():
    scores = torch.full((40,), -math.inf)
    scores[[7, 20]] = torch.tensor([0.0, -3000.0])
    model = Scores(scores)
    assert {model.choose(u) for u in (0.0, 0.5, JUST_BELOW_ONE)} == {7}
    model = Scores(torch.zeros(40))
    allowed = {model.choose(u, forbid=[0, *range(2, 39)]) for u in np.linspace(0, JUST_BELOW_ONE, 101)}
    assert allowed == {1, 39}


def test_equals_are_taken_by_the_lower_id():
    scores = torch.zeros(20)
    scores[[4, 9, 13]] = 2.0
    model = Scores(scores)
    assert model.choose(0.0, temperature=0.0) == 4
    assert {model.choose(u, top_k=2) for u in np.linspace(0, JUST_BELOW_ONE, 50)} == {4, 9}


@pytest.mark.parametrize("damage", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused_wherever_they_stand(damage):
    for place in (0, 15, 16, 30):
        scores = torch.zeros(31)
        scores[place] = damage
        for temperature in (0.0, 1.0):
            with pytest.raises(RunError, match="damaged"):
                Scores(scores).choose(0.5, temperature=temperature)
        assert Scores(scores).choose(0.0, forbid=[place]) == (place == 0)
    with pytest.raises(UsageError, match="all are forbidden"):
        Scores(torch.zeros(31)).choose(0.5, forbid=range(31))


def test_a_checksum_sees_every_bit_and_every_way_of_writing():
    torch.manual_seed(0)
    values = [torch.randn(7, 13), torch.randn(50), torch.randn(50)]
    seen = {checksum(values)}

    def changed(tensors) -> bool:
        before = len(seen)
        seen.add(checksum(tensors))
        return len(seen) > before

    assert checksum([value.clone() for value in values]) in seen
    for index, value in enumerate(values):
        bits = value.view(torch.int32).flatten()
        for place in (0, len(bits) // 2, len(bits) - 1):
            for bit in (0, 15, 31):
                bits[place] ^= -(1 << 31) if bit == 31 else 1 << bit
                assert changed(values), (index, place, bit)
    assert changed([values[0], values[2], values[1]])
    assert changed([-value for value in values])
    assert changed([values[0].T, values[1], values[2]])
    values[1].data[3] += 1
    assert changed(values)
    values[2].numpy()[-1] *= 2
    assert changed(values)


@torch.no_grad()
def test_a_network_is_packed_once_until_any_of_its_weights_changes():
    network = language_network(layer_norm=True)
    model = packed_model(network, "float32", 1)
    assert packed_model(network, "float32", 1) is model
    assert packed_model(network, "int8", 1) is not model
    ways = {
        "in place": lambda p: p.add_(0.5),
        "by .data": lambda p: p.data.mul_(1.5),
        "by numpy": lambda p: np.negative(p.numpy(), out=p.numpy()),
        "by a new tensor": lambda p: setattr(p, "data", p.data + 0.25),
    }
    for name, parameter in network.named_parameters():
        for way, write in ways.items():
            before = packed_model(network, "float32", 1)
            write(parameter)
            after = packed_model(network, "float32", 1)
            assert after is not before, (name, way)
            states = [np.zeros(after.state_size, np.float32) for _ in "ab"]
            fresh = copy.deepcopy(network).packed()
            for unit in (1, 5):
                assert np.array_equal(after.step_id(states[0], unit), fresh.step_id(states[1], unit)), (name, way)


@torch.inference_mode()
def test_a_text_does_not_depend_on_how_much_of_it_is_written_at_once(monkeypatch):
    from recurra.tasks.lm import native_generate as native

    network = language_network()

    def write() -> list[int]:
        (generator,) = row_generators(4, 1)
        options = {"length": 300, "end": None, "sampling": Sampling(), "generator": generator, "forbid": [0]}
        blocks = generate_blocks(network, network.zero_state(1), 1, **options)
        given = [ids.tolist() for ids in blocks]
        sizes.append([len(ids) for ids in given])
        return [unit for ids in given for unit in ids]

    sizes: list[list[int]] = []
    quick = write()
    monkeypatch.setattr(native, "SECONDS_PER_BLOCK", 0.0)  # as if every block took long
    assert write() == quick and len(quick) == 300
    assert sizes[1] == [native.FIRST_BLOCK] * (300 // native.FIRST_BLOCK)
