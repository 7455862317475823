"""`recurra.accelerate` changes the class of torch's recurrent modules, and nothing else of a model."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.nn as tnn
from torch.nn.utils import parametrizations, parametrize, prune

import recurra
from recurra import nn
from recurra.errors import UsageError

I, H = 3, 5  # noqa: E741


class Tagger(tnn.Module):
    """A model as people write them: one encoder used twice, a list, and parts that hold each other's modules."""

    def __init__(self):
        super().__init__()
        self.encoder = tnn.LSTM(I, H, 2, batch_first=True, bidirectional=True, dropout=0.3)
        self.layers = tnn.ModuleList([tnn.GRU(2 * H, H, batch_first=True), tnn.RNN(H, H, batch_first=True)])
        self.again = self.layers[0]
        self.plain = [self.encoder]  # which torch does not know of
        self.out = tnn.Linear(H, 2)

    def forward(self, x):
        y, _ = self.plain[0](x)
        for layer in self.layers:
            y, _ = layer(y)
        return self.out(y)


def test_every_module_is_swapped_and_says_the_same():
    model = Tagger().eval()
    x = torch.randn(4, 6, I)
    wanted = model(x)
    report = recurra.accelerate(model)
    assert report.swapped == ["encoder", "layers.0", "layers.1"] and report.left == []
    assert [type(m) for m in (model.encoder, *model.layers)] == [nn.LSTM, nn.GRU, nn.RNN]
    assert model.again is model.layers[0] and model.plain[0] is model.encoder
    # Two ways of adding up a few dozen products in float32, three layers deep.
    torch.testing.assert_close(model(x), wanted, rtol=0, atol=1e-6)


def test_an_optimizer_made_before_goes_on():
    model = Tagger()
    twin = copy.deepcopy(model)
    x, target = torch.randn(4, 6, I), torch.randn(4, 6, 2)
    results = []
    for each, swap in ((model, True), (twin, False)):
        optimizer = torch.optim.SGD(each.parameters(), lr=0.5, momentum=0.9)
        before = {name: (id(value), value.data_ptr()) for name, value in each.named_parameters()}
        for step in range(4):
            if swap and step == 2:
                recurra.accelerate(each)
            torch.manual_seed(step)  # the dropout
            loss = (each(x) - target).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert {name: (id(value), value.data_ptr()) for name, value in each.named_parameters()} == before
        results.append([value.detach() for value in each.parameters()])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_hooks_mode_type_and_attributes_stay():
    model, seen = Tagger().double().eval(), []
    model.layers[1].train()
    model.encoder.register_forward_hook(lambda module, arguments, result: seen.append(type(module)))
    model.encoder.note = "mine"
    model.encoder.register_buffer("scale", torch.ones(1))
    names = list(model.state_dict())
    recurra.accelerate(model)
    model(torch.randn(2, 4, I, dtype=torch.float64))
    assert seen == [nn.LSTM] and model.encoder.note == "mine" and list(model.state_dict()) == names
    assert not model.encoder.training and model.layers[1].training
    assert model.encoder.weight_ih_l0.dtype == torch.float64


def test_the_model_may_be_such_a_module_itself():
    model = tnn.GRU(I, H)
    report = recurra.accelerate(model)
    assert type(model) is nn.GRU and report.swapped == [""] and str(report) == "swapped: (the model)"


def test_a_second_time_nothing_is_left_to_do():
    model = tnn.Sequential(tnn.LSTM(I, H))
    recurra.accelerate(model)
    report = recurra.accelerate(model)
    assert report.swapped == [] and report.left == [("0", "LSTM is Recurra's already")]
    assert str(recurra.accelerate(tnn.Linear(2, 2))) == "the model has no recurrent modules"


class Own(tnn.LSTM):
    pass


def own_forward():
    module = tnn.GRU(I, H)
    module.forward = lambda x: x
    return module


def pruned():
    return prune.random_unstructured(tnn.GRU(I, H), "weight_hh_l0", amount=0.5)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: tnn.LSTMCell(I, H), "LSTMCell is a single step, which is torch's"),
        (lambda: tnn.GRUCell(I, H), "GRUCell is a single step, which is torch's"),
        (lambda: tnn.RNNCell(I, H), "RNNCell is a single step, which is torch's"),
        (lambda: Own(I, H), "Own is a class of its own, made from torch's"),
        (own_forward, "its forward was replaced"),
        (pruned, "weight_hh_l0 is computed from other parameters (weight_norm, pruning, ...)"),
        (
            lambda: parametrizations.weight_norm(tnn.LSTM(I, H), "weight_hh_l0"),
            "its weights are parametrised (torch.nn.utils.parametrize)",
        ),
    ],
)
def test_what_is_left_is_named_with_the_reason(make, why):
    module = make()
    kind, model = type(module), tnn.Sequential(tnn.GRU(I, H), module)
    report = recurra.accelerate(model)
    assert report.swapped == ["0"] and report.left == [("1", why)] and type(module) is kind
    assert str(report) == f"swapped: 0\nleft: 1: {why}"


def test_parametrised_modules_are_still_known_as_such():
    module = parametrizations.weight_norm(tnn.LSTM(I, H), "weight_hh_l0")
    recurra.accelerate(module)
    assert parametrize.is_parametrized(module)


@pytest.mark.filterwarnings("ignore")  # torch says of all that makes one that it will go
def test_quantised_modules_are_left():
    if not torch.backends.quantized.supported_engines or torch.backends.quantized.engine == "none":
        pytest.skip("this build of torch does not quantise")
    quantised = torch.ao.quantization.quantize_dynamic(tnn.Sequential(tnn.LSTM(I, H)), {tnn.LSTM}, dtype=torch.qint8)
    report = recurra.accelerate(quantised)
    assert report.swapped == [] and report.left == [("0", "LSTM is quantised")]


@pytest.mark.filterwarnings("ignore")
def test_modules_that_torch_jit_compiled_are_left():
    report = recurra.accelerate(torch.jit.script(tnn.Sequential(tnn.GRU(I, H))))
    assert report.swapped == [] and report.left == [("0", "GRU is compiled by torch.jit")]


def test_nothing_is_printed(capfd):
    recurra.accelerate(Tagger())
    assert capfd.readouterr() == ("", "")


def test_only_modules_can_be_swapped():
    with pytest.raises(UsageError, match=r"model: expected a torch\.nn\.Module, got {}"):
        recurra.accelerate({})


def test_complex_weights_are_left_as_they_are():
    model = torch.nn.Sequential(torch.nn.GRU(3, 5, dtype=torch.complex64))
    assert recurra.accelerate(model).left == [
        ("0", "its weights are torch.complex64, which Recurra's cells do not compute with")
    ]
    assert type(model[0]) is torch.nn.GRU


def test_restore_gives_torch_its_classes_back():
    model = torch.nn.ModuleDict({"gru": torch.nn.GRU(3, 5), "graves": recurra.nn.GravesLSTM(3, 5)})
    gru, before = model["gru"], copy.deepcopy(model["gru"].state_dict())
    recurra.accelerate(model)
    done = recurra.restore(model)
    assert (done.swapped, done.left) == (["gru"], [("graves", "GravesLSTM has no twin in torch")])
    assert model["gru"] is gru
    assert type(gru) is torch.nn.GRU
    torch.testing.assert_close(gru.state_dict(), before, rtol=0, atol=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_a_restored_model_is_quantised():
    model = torch.nn.Sequential(torch.nn.LSTM(3, 5)).eval()
    recurra.accelerate(model)
    recurra.restore(model)
    quantised = torch.ao.quantization.quantize_dynamic(model, {torch.nn.LSTM}, dtype=torch.qint8)
    assert type(quantised[0]).__module__.startswith("torch.ao.")
