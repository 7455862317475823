"""RNN, LSTM and GRU say what torch's modules with the same weights say, for every way of calling them."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurra import nn

T, B, I, H = 7, 5, 6, 9  # noqa: E741
LENGTHS = torch.tensor([4, 7, 1, 7, 2])

MODULES = {
    "rnn": ("RNN", {"nonlinearity": "tanh"}),
    "relu": ("RNN", {"nonlinearity": "relu"}),
    "lstm": ("LSTM", {}),
    "projected": ("LSTM", {"proj_size": 4}),
    "gru": ("GRU", {}),
}
# torch says once that it computes projections another way.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

# How a module is called, and whether rows have lengths of their own.
KINDS = ["time first", "batch first", "one sequence", "packed", "packed unsorted", "lengths"]


def pair(name, kind="time first", dtype=torch.float64, **options):
    """Give torch's module and ours with the same weights."""
    word, own = MODULES[name]
    options = {**own, **options, "batch_first": kind == "batch first", "dtype": dtype}
    torch.manual_seed(0)
    theirs = getattr(torch.nn, word)(I, H, **options)
    ours = getattr(nn, word)(I, H, **options)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def draw(module, kind, *, with_state, dtype=torch.float64):
    """Draw an input (T, B, I), a state or None, and weights of the outputs that make a loss; float32's numbers all."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    batch = 1 if kind == "one sequence" else B
    layers, out = module.num_layers * (1 + module.bidirectional), module.proj_size or H
    widths = (out, H) if module.mode == "LSTM" else (out,)
    state = tuple(normal(layers, batch, width) for width in widths) if with_state else None
    return (
        normal(T, batch, I),
        state,
        [normal(T, batch, out * (1 + module.bidirectional))] + [normal(layers, batch, width) for width in widths],
    )


def call(module, kind, x, state):
    """Call a module with (T, B, I) and (L·D, B, F) in some way; gives its outputs and states laid out like these."""
    hx = state if state is None or len(state) > 1 else state[0]
    if kind == "one sequence":
        cut = None if state is None else tuple(value[:, 0] for value in state)
        y, end = module(x[:, 0], cut if cut is None or len(cut) > 1 else cut[0])
        end = end if isinstance(end, tuple) else (end,)
        return [y.unsqueeze(1), *(value.unsqueeze(1) for value in end)]
    if kind == "batch first":
        y, end = module(x.transpose(0, 1), hx)
        y = y.transpose(0, 1)
    elif kind == "lengths" and isinstance(module, nn.LSTM | nn.GRU | nn.RNN):
        y, end = module(x, hx, lengths=LENGTHS)
    elif kind == "time first":
        y, end = module(x, hx)
    else:
        # Sorted or not, the rows are numbered as the caller numbers them.
        lengths = LENGTHS.sort(descending=True)[0] if kind == "packed" else LENGTHS
        packed, end = module(pack_padded_sequence(x, lengths, enforce_sorted=kind == "packed"), hx)
        y, unpacked_lengths = pad_packed_sequence(packed)
        assert torch.equal(unpacked_lengths, lengths)
    return [y, *(end if isinstance(end, tuple) else (end,))]


def solve(module, kind, x, state, cotangents):
    """Give the outputs, and the gradients of their weighted sum in the input, the state and every parameter."""
    x = x.clone().requires_grad_()
    state = None if state is None else tuple(value.clone().requires_grad_() for value in state)
    outputs = call(module, kind, x, state)
    loss = sum((value.to(weight.dtype) * weight).sum() for value, weight in zip(outputs, cotangents, strict=True))
    gradients = torch.autograd.grad(loss, [x, *(state or ()), *module.parameters()])
    return [value.detach() for value in outputs], list(gradients)


def error(got, exact):
    """Give the largest error of several tensors, each relative to its largest value."""
    return max(
        float((a.double() - b).abs().max() / b.abs().max().clamp_min(1e-30)) for a, b in zip(got, exact, strict=True)
    )


SHAPES = [*product([1, 2, 3], [False, True], [True]), (1, False, False), (2, True, False)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "bidirectional", "bias"), SHAPES)
@pytest.mark.parametrize("name", MODULES)
def test_outputs_and_gradients(name, layers, bidirectional, bias, kind):
    options = {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
    theirs, ours = pair(name, kind, **options)
    problem = draw(theirs, kind, with_state=bias or layers == 2)
    exact, got = solve(theirs, kind, *problem), solve(ours, kind, *problem)
    for part in range(2):
        for a, b in zip(got[part], exact[part], strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
        # The same sums of a few hundred products, in another order.
        assert error(got[part], exact[part]) < 1e-12
    theirs, ours = pair(name, kind, torch.float32, **options)
    problem = draw(theirs, kind, with_state=bias or layers == 2, dtype=torch.float32)
    single, mine = solve(theirs, kind, *problem), solve(ours, kind, *problem)
    for part in range(2):
        for a, b in zip(mine[part], single[part], strict=True):
            assert a.dtype == b.dtype and a.shape == b.shape
        # As near to the truth as torch is: at most twice its error, and 4 units in the last place of the largest value,
        # because on so few numbers torch may be lucky.
        assert error(mine[part], exact[part]) <= 2 * error(single[part], exact[part]) + 4 * 2.0**-24


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", MODULES)
def test_autocast_to_bfloat16(name, bidirectional, kind):
    options = {"num_layers": 2, "bidirectional": bidirectional}
    theirs, _ = pair(name, kind, **options)
    exact = solve(theirs, kind, *draw(theirs, kind, with_state=True))
    theirs, ours = pair(name, kind, torch.float32, **options)
    problem = draw(theirs, kind, with_state=True, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        mixed, mine = solve(theirs, kind, *problem), solve(ours, kind, *problem)
    if name != "lstm" or torch.ops.mkldnn._is_mkldnn_bf16_supported():  # without, torch's LSTM stays in float32
        assert kind == "lengths" or mine[0][0].dtype == mixed[0][0].dtype
    assert {value.dtype for value in mine[0][1:]} == {torch.float32}  # the state that came in was float32
    for part in range(2):
        # Twice torch's error, and half a unit in bfloat16's last place, which any rounding of the outputs may cost.
        assert error(mine[part], exact[part]) <= 2 * error(mixed[part], exact[part]) + 2.0**-9


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision(name, dtype):
    """Modules that were converted compute in their own type, as torch's do."""
    exact = solve(pair(name)[0], "time first", *draw(pair(name)[0], "time first", with_state=True))
    theirs, ours = pair(name, dtype=dtype)
    problem = draw(theirs, "time first", with_state=True, dtype=dtype)
    single, mine = solve(theirs, "time first", *problem), solve(ours, "time first", *problem)
    unit = torch.finfo(dtype).eps / 2
    for part in range(2):
        assert {value.dtype for value in mine[part]} == {dtype}
        assert error(mine[part], exact[part]) <= 2 * error(single[part], exact[part]) + 4 * unit


@pytest.mark.parametrize("kind", ["time first", "batch first", "one sequence"])
@pytest.mark.parametrize("name", MODULES)
def test_dropout_between_layers_falls_as_torch_lets_it(name, kind):
    """The same seed drops the same units, so a training of torch's can be repeated."""
    theirs, ours = pair(name, kind, num_layers=3, bidirectional=True, dropout=0.4)
    problem = draw(theirs, kind, with_state=True)
    results = []
    for module in (theirs, ours):
        torch.manual_seed(5)
        results.append(solve(module, kind, *problem))
    assert error(results[1][0], results[0][0]) < 1e-12
    assert error(results[1][1], results[0][1]) < 1e-12
    dropped, kept = call(ours, kind, *problem[:2])[0], call(ours.eval(), kind, *problem[:2])[0]
    assert error([dropped.detach()], [kept.detach()]) > 0.01


@pytest.mark.parametrize("name", MODULES)
def test_dropout_on_ragged_rows_leaves_them_ragged(name):
    _, ours = pair(name, num_layers=2, dropout=0.5)
    problem = draw(ours, "lengths", with_state=False)
    y, *_ = call(ours, "lengths", *problem[:2])
    assert all(not y[length:, row].any() and y[length - 1, row].any() for row, length in enumerate(LENGTHS))


@pytest.mark.parametrize("name", MODULES)
def test_a_packed_sequence_comes_back_packed_as_it_was(name):
    theirs, ours = pair(name, bidirectional=True)
    x, _, _ = draw(ours, "packed unsorted", with_state=False)
    packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
    wanted, got = theirs(packed)[0], ours(packed)[0]
    torch.testing.assert_close(got.data, wanted.data, rtol=0, atol=1e-12)
    for one, other in zip(got[1:], wanted[1:], strict=True):
        assert torch.equal(one, other)
    of_sorted = pack_padded_sequence(x, LENGTHS.sort(descending=True)[0])
    assert ours(of_sorted)[0].sorted_indices is None
