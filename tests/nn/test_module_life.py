"""Made, saved, copied, moved, hooked and changed as torch's modules are."""

from __future__ import annotations

import copy
import io
import pickle

import pytest
import torch
import torch.nn.utils.parametrizations
from torch.nn.utils import parametrize

from recurra import nn
from recurra.errors import UsageError

T, B, I, H = 4, 3, 5, 6  # noqa: E741
PAIRS = {"rnn": (torch.nn.RNN, nn.RNN), "lstm": (torch.nn.LSTM, nn.LSTM), "gru": (torch.nn.GRU, nn.GRU)}
OURS = {**{name: ours for name, (_, ours) in PAIRS.items()}, "graves": nn.GravesLSTM}
every_pair = pytest.mark.parametrize("name", PAIRS)
every_module = pytest.mark.parametrize("name", OURS)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_layers": 2, "bidirectional": True},
        {"bias": False, "batch_first": True},
        {"num_layers": 3, "dropout": 0.5, "dtype": torch.float64},
        {"proj_size": 2, "bidirectional": True},
    ],
)
@every_pair
def test_a_module_is_made_as_torch_makes_it(name, options):
    """The same seed draws the same weights under the same names, and the module looks the same."""
    if "proj_size" in options and name != "lstm":
        pytest.skip("torch projects the outputs of an LSTM only")
    made = []
    for kind in PAIRS[name]:
        torch.manual_seed(3)
        made.append(kind(I, H, **options))
    theirs, ours = made
    assert isinstance(ours, type(theirs)) and repr(ours) == repr(theirs)
    for one, other in zip(ours.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert one[0] == other[0] and torch.equal(one[1], other[1]) and one[1].dtype == other[1].dtype
    assert [[w.shape for w in layer] for layer in ours.all_weights] == [
        [w.shape for w in layer] for layer in theirs.all_weights
    ]
    for module in made:
        torch.manual_seed(4)
        module.reset_parameters()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_positional_arguments_stand_where_torch_has_them():
    assert repr(nn.RNN(I, H, 2, "relu", False, True, 0.1, True)) == repr(
        torch.nn.RNN(I, H, 2, "relu", False, True, 0.1, True)
    )
    assert nn.RNN(I, H, 2, "relu").nonlinearity == "relu"
    assert repr(nn.LSTM(I, H, 2, False, True, 0.1, True, 3)) == repr(torch.nn.LSTM(I, H, 2, False, True, 0.1, True, 3))
    assert repr(nn.GRU(I, H, 2, False, True, 0.1, True)) == repr(torch.nn.GRU(I, H, 2, False, True, 0.1, True))
    assert repr(nn.GravesLSTM(I, H, 2, proj_size=3)) == "GravesLSTM(5, 6, proj_size=3, num_layers=2)"


def test_the_weights_of_a_graves_lstm():
    module = nn.GravesLSTM(I, H, num_layers=2, bidirectional=True)
    peepholes = [name for name in module.state_dict() if name.startswith("peephole")]
    assert peepholes == ["peephole_l0", "peephole_l0_reverse", "peephole_l1", "peephole_l1_reverse"]
    for name in peepholes:
        weight = module.get_parameter(name)
        assert weight.shape == (3, H) and 0 < float(weight.detach().abs().max()) <= H**-0.5
    assert [len(layer) for layer in module.all_weights] == [5, 5, 5, 5]
    before = module.peephole_l1.detach().clone()
    module.reset_parameters()
    assert not torch.equal(module.peephole_l1, before) and float(module.peephole_l1.detach().abs().max()) <= H**-0.5


@every_module
def test_copies_compute_the_same(name):
    module = OURS[name](I, H, num_layers=2, bidirectional=True).eval()
    x = torch.randn(T, B, I)
    wanted, _ = module(x)
    file = io.BytesIO()
    torch.save(module, file)
    file.seek(0)
    loaded = OURS[name](I, H, num_layers=2, bidirectional=True)
    loaded.load_state_dict(module.state_dict(), strict=True)
    unpickled = pickle.loads(pickle.dumps(module))  # noqa: S301  it was written a moment ago
    copies = [copy.deepcopy(module), unpickled, torch.load(file, weights_only=False), loaded]
    for other in copies:
        assert type(other) is type(module) and other.weight_hh_l0 is not module.weight_hh_l0
        assert torch.equal(other(x)[0], wanted)
        torch.nn.init.zeros_(other.weight_hh_l0)  # a copy has weights of its own, and computes with them
        assert not torch.equal(other(x)[0], wanted)
    assert torch.equal(module(x)[0], wanted)


@every_module
def test_moved_and_shared(name):
    module = OURS[name](I, H, num_layers=2)
    x = torch.randn(T, B, I)
    wanted, _ = module(x)
    assert torch.equal(module.share_memory()(x)[0], wanted) and module.weight_ih_l1.is_shared()
    module.flatten_parameters()
    assert module.double()(x.double())[0].dtype == torch.float64
    torch.testing.assert_close(module(x.double())[0].float(), wanted, rtol=0, atol=1e-6)
    assert module.to(torch.bfloat16)(x.bfloat16())[0].dtype == torch.bfloat16
    assert module.half()(x.half())[0].dtype == torch.float16
    assert module.to("meta").weight_ih_l0.is_meta
    assert module.to_empty(device="cpu").float()(x)[0].shape == (T, B, H)


@every_module
def test_hooks_are_called(name):
    module, seen = OURS[name](I, H), []
    module.register_forward_pre_hook(lambda module, arguments: seen.append("before") or (arguments[0] * 0,))
    module.register_forward_hook(lambda module, arguments, result: seen.append("after"))
    y, _ = module(torch.randn(T, B, I))
    assert seen == ["before", "after"]
    torch.testing.assert_close(y, module.forward(torch.zeros(T, B, I))[0], rtol=0, atol=1e-6)


@every_module
def test_weights_that_are_not_parameters_are_the_ones_that_count(name):
    """Weights that were replaced, computed or handed in are read at each call, none from a list made before."""
    module = OURS[name](I, H)
    x, recurrent = torch.randn(T, B, I), module.weight_hh_l0
    blind = copy.deepcopy(module)
    torch.nn.init.zeros_(blind.weight_hh_l0)
    wanted, _ = blind(x)
    assert not torch.equal(module(x)[0], wanted)
    zeros = torch.zeros_like(recurrent)
    torch.testing.assert_close(torch.func.functional_call(module, {"weight_hh_l0": zeros}, x)[0], wanted)
    del module.weight_hh_l0  # as weight dropping does
    module.register_parameter("weight_hh_raw", recurrent)
    module.weight_hh_l0 = zeros
    torch.testing.assert_close(module(x)[0], wanted)


@every_module
def test_parametrised_weights(name):
    class Halved(torch.nn.Module):
        def forward(self, weight):
            return weight / 2

    module = OURS[name](I, H)
    halved = copy.deepcopy(module)
    with torch.no_grad():
        halved.weight_hh_l0.div_(2)
    parametrize.register_parametrization(module, "weight_hh_l0", Halved())
    x = torch.randn(T, B, I)
    torch.testing.assert_close(module(x)[0], halved(x)[0])


@every_module
def test_compiled_it_computes_the_same(name):
    module = OURS[name](I, H, num_layers=2, bidirectional=True)
    compiled = torch.compile(module, backend="eager")
    x = torch.randn(T, B, I)
    for options in ({}, {"lengths": [4, 2, 0]}):
        torch.testing.assert_close(compiled(x, **options)[0], module(x, **options)[0], rtol=0, atol=1e-6)


@every_module
def test_a_training_step_lowers_the_loss(name):
    module = OURS[name](I, H, batch_first=True)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    x, wanted = torch.randn(8, T, I), torch.rand(8, T, H) - 0.5
    losses = []
    for _ in range(30):
        loss = (module(x, lengths=[4] * 6 + [2, 1])[0] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    assert all(parameter.grad is not None for parameter in module.parameters())


def test_the_package_gives_its_modules_without_another_import():
    import recurra

    assert recurra.nn.LSTM is nn.LSTM


@pytest.mark.parametrize("options", [{}, {"lengths": [4, 2, 0]}, {"return_gates": True}])
@every_module
def test_on_another_device_than_the_cpu(name, options):
    """The meta device computes nothing, but every path to its shapes is that of a GPU."""
    module = OURS[name](I, H, num_layers=2, bidirectional=True, device="meta")
    y, end, *gates = module(torch.zeros(T, B, I, device="meta"), **options)
    assert y.is_meta and y.shape == (T, B, 2 * H)
    assert all(value.is_meta and value.shape == (4, B, H) for value in (end if isinstance(end, tuple) else (end,)))
    assert [value.shape for each in gates for value in each] == [(T, B, len(module.cell.gates), H)] * 4 * len(gates)
    with pytest.raises(UsageError, match="state h: is on cpu but x on meta"):
        first = tuple(torch.zeros(4, B, H) for _ in module.cell.states)
        module(torch.zeros(T, B, I, device="meta"), first if len(first) > 1 else first[0], **options)
