"""What crashes, hangs or silently goes wrong in other libraries' recurrent layers passes here, or is refused in one line."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys

import pytest
import torch

from recurra import nn
from recurra.errors import UsageError
from recurra.kernels import native

pytestmark = pytest.mark.skipif(native.engine() is None, reason="the engine is not built")

T, B, I, H = 6, 4, 5, 18  # noqa: E741
KINDS = [nn.RNN, nn.LSTM, nn.GravesLSTM, nn.GRU]


@pytest.fixture(params=[False, True], ids=["float32", "bfloat16"], autouse=True)
def mixed(request: pytest.FixtureRequest):
    with torch.autocast("cpu", torch.bfloat16, enabled=request.param):
        yield request.param


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def module(request: pytest.FixtureRequest) -> torch.nn.Module:
    torch.manual_seed(0)
    return request.param(I, H, num_layers=2, bidirectional=True)


def states(module, *shape):
    count = len(module.cell.states)
    drawn = tuple(torch.randn(shape) for _ in range(count))
    return drawn if count > 1 else drawn[0]


def parts(end):
    return end if isinstance(end, tuple) else (end,)


def test_states_of_the_wrong_shape_are_refused(module):
    x = torch.randn(T, B, I)
    for shape in ((4, B + 1, H), (4, 1, H), (2, B, H), (4, B, H + 1), (4, B, H - 1), (4, H), (4, B, H, 1), (0,)):
        with pytest.raises(UsageError, match=r"hx: expected h_0 \(4, 4, 18\).*, got \("):
            module(x, states(module, *shape))


def test_a_state_with_a_batch_for_a_sequence_without_is_refused(module):
    for shape in ((4, 1, H), (4, B, H)):
        with pytest.raises(UsageError, match=r"hx: expected h_0 \(4, 18\)"):
            module(torch.randn(T, I), states(module, *shape))
    y, end = module(torch.randn(T, I), states(module, 4, H))
    assert y.shape == (T, 2 * H) and {value.shape for value in parts(end)} == {(4, H)}


def test_states_of_the_wrong_type_are_refused(module):
    x = torch.randn(T, B, I)
    for dtype in (torch.float64, torch.int64, torch.bool, torch.complex64):
        given = states(module, 4, B, H)
        wrong = tuple(value.to(dtype) for value in given) if isinstance(given, tuple) else given.to(dtype)
        with pytest.raises(UsageError, match=f"state h: is {dtype} but x torch.float32; convert one of them"):
            module(x, wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_layers_than_one_are_refused(kind):
    for layers in (0, -1, -(2**40)):
        with pytest.raises(UsageError, match=f"num_layers: expected a whole number from 1, got {layers}"):
            kind(I, H, num_layers=layers)


@pytest.mark.parametrize("shape", [(0, B, I), (T, 0, I), (0, 0, I)])
def test_no_steps_and_no_rows(module, shape):
    """The state is the one that came in, its gradient passes through, and the weights have none."""
    x, hx = torch.randn(shape, requires_grad=True), states(module, 4, shape[1], H)
    for value in parts(hx):
        value.requires_grad_()
    y, end = module(x, hx)
    assert y.shape == (*shape[:2], 2 * H)
    for new, old in zip(parts(end), parts(hx), strict=True):
        assert torch.equal(new, old)
    loss = y.float().sum() + sum((value * 3).sum() for value in parts(end))
    leaves = [x, *parts(hx), *module.parameters()]
    dx, *rest = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    count = len(parts(hx))
    assert dx.shape == shape and all(bool((value == 3).all()) for value in rest[:count])
    assert not any(value.any() for value in rest[count:])


@pytest.mark.parametrize("lengths", [[0, 6, 3, 0], [0, 0, 0, 0], [1, 0, 1, 0]])
def test_rows_that_are_all_padding(module, lengths):
    """Padding of not-a-numbers is never read, forward or backward; a row without steps keeps its state."""
    x = torch.full((T, B, I), math.nan)
    for row, length in enumerate(lengths):
        x[:length, row] = torch.randn(length, I)
    x.requires_grad_()
    hx = states(module, 4, B, H)
    y, end = module(x, hx, lengths=lengths)
    loss = y.float().square().sum() + sum(value.square().sum() for value in parts(end))
    dx, *gradients = torch.autograd.grad(loss, [x, *module.parameters()], allow_unused=True, materialize_grads=True)
    assert all(bool(value.isfinite().all()) for value in (y, *parts(end), dx, *gradients))
    for row, length in enumerate(lengths):
        assert not y[length:, row].any() and not dx[length:, row].any()
        assert length or all(torch.equal(a[:, row], b[:, row]) for a, b in zip(parts(end), parts(hx), strict=True))
    if not any(lengths):
        assert not any(value.any() for value in gradients)


def test_many_layers_in_both_directions_are_the_layers_one_by_one(module):
    torch.manual_seed(1)
    deep = type(module)(I, H, num_layers=4, bidirectional=True)
    x, lengths = torch.randn(T, B, I), torch.tensor([6, 2, 0, 5])
    y, end = deep(x, lengths=lengths)
    now, ends = x, []
    for number in range(4):
        single = type(module)(now.shape[2], H, bidirectional=True)
        single.load_state_dict(
            {
                name.replace(f"_l{number}", "_l0"): value
                for name, value in deep.state_dict().items()
                if f"_l{number}" in name
            }
        )
        now, after = single(now, lengths=lengths)
        ends.append(parts(after))
    assert torch.equal(y, now)
    for index, value in enumerate(parts(end)):
        assert torch.equal(value, torch.cat([after[index] for after in ends]))


PROGRAM = """
import torch
from recurra import nn
from recurra.kernels import native
assert native.engine().selected() == {isa!r}
torch.manual_seed(0)
for kind in (nn.RNN, nn.LSTM, nn.GravesLSTM, nn.GRU):
    module = kind(7, 33, num_layers=3, bidirectional=True)
    x = torch.randn(9, 5, 7)
    def run(dtype, enabled):
        module.to(dtype)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            y, _ = module(x.to(dtype), lengths=[9, 4, 0, 1, 7])
            return [y, *torch.autograd.grad(y.square().sum(), list(module.parameters()))]
    got = run(torch.float32, True)
    for value, exact in zip(got, run(torch.float64, False)):
        # Products of 8 bits, through three layers; what is wrong altogether is off by the whole.
        assert (value.double() - exact).abs().max() <= 0.05 * exact.abs().max(), kind
print("right")
"""


@pytest.mark.parametrize("isa", [n for n, runs in (native.engine().isas() if native.engine() else []) if runs])
def test_bfloat16_on_processors_without_it(isa, mixed):
    if mixed:
        pytest.skip("the program sets autocast itself")
    unset = {name: value for name, value in os.environ.items() if name != "RECURRA_NATIVE"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(isa=isa)],
        env={**unset, "RECURRA_ISA": isa},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == "right\n", done.stderr


def lstm_of_one_unit(w_ih, w_hh, bias, xs):
    """Run an LSTM of one input and one unit in plain Python; the loss is the sum of h; gives h's end and the gradients."""

    def squash(a):
        return 1 / (1 + math.exp(-a))

    h = c = 0.0
    past = []
    for x in xs:
        i, f, g, o = (w * x + r * h + b for w, r, b in zip(w_ih, w_hh, bias, strict=True))
        i, f, g, o = squash(i), squash(f), math.tanh(g), squash(o)
        new = f * c + i * g
        past.append((x, h, c, i, f, g, o, new))
        h, c = o * math.tanh(new), new
    d_ih, d_hh, d_bias, dxs, dh, dc = [0.0] * 4, [0.0] * 4, [0.0] * 4, [], 0.0, 0.0
    for x, before, c_before, i, f, g, o, new in reversed(past):
        dh, q = dh + 1.0, math.tanh(new)
        dc += dh * o * (1 - q * q)
        d = (dc * g * i * (1 - i), dc * c_before * f * (1 - f), dc * i * (1 - g * g), dh * q * o * (1 - o))
        for k in range(4):
            d_ih[k] += d[k] * x
            d_hh[k] += d[k] * before
            d_bias[k] += d[k]
        dxs.append(sum(d[k] * w_ih[k] for k in range(4)))
        dh, dc = sum(d[k] * w_hh[k] for k in range(4)), dc * f
    return h, c, dxs[::-1], d_ih, d_hh, d_bias


def test_two_hundred_thousand_steps(mixed):
    """Forward and backward; every array of the engine is a few megabytes here, and no step is a call deeper."""
    torch.manual_seed(2)
    module, steps = nn.LSTM(1, 1), 200_000
    x = torch.randn(steps, 1, 1, requires_grad=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    y, (h, c) = module(x)
    got = torch.autograd.grad(y.float().sum(), [x, *module.parameters()])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200 * 1024, f"{grown} KiB more"  # on macOS bytes, which is stricter
    w_ih, w_hh, *biases = (value.detach().double().flatten().tolist() for value in module.parameters())
    bias = [a + b for a, b in zip(*biases, strict=True)]
    h_end, c_end, dxs, d_ih, d_hh, d_bias = lstm_of_one_unit(w_ih, w_hh, bias, x.detach().flatten().tolist())
    # A weight's gradient is a sum of 200,000 numbers in float32, whose roundings walk some 2^-24 · √200,000 of the largest
    # partial sum; bfloat16's roundings lean to neither side.
    limit = 0.02 if mixed else 2e-4
    assert abs(h.item() - h_end) < limit and abs(c.item() - c_end) < limit
    for value, wanted in zip(got, (dxs, d_ih, d_hh, d_bias, d_bias), strict=True):
        exact = torch.tensor(wanted, dtype=torch.float64)
        assert float((value.flatten().double() - exact).abs().max()) <= limit * float(exact.abs().max())
