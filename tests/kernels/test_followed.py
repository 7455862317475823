"""What follows torch's operators, and would see nothing of the engine: tracers, exporters, fake tensors, vmap."""

from __future__ import annotations

import copy
import io
import threading
import warnings

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.func import functional_call, grad, vmap
from torch.nn.utils._per_sample_grad import call_for_per_sample_grads
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.utils.flop_counter import FlopCounterMode

import recurra
from recurra.kernels import buffers

KINDS = ["RNN", "LSTM", "GRU"]
ROUNDING = {"rtol": 0, "atol": 1e-6}


class Tagger(torch.nn.Module):
    """A model as others write it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.rnn = getattr(torch.nn, kind)(3, 5, 2, batch_first=True, bidirectional=True)
        self.out = torch.nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0])


def both(kind: str) -> tuple[Tagger, Tagger]:
    theirs = Tagger(kind).eval()
    ours = copy.deepcopy(theirs)
    assert recurra.accelerate(ours).swapped == ["rnn"]
    return theirs, ours


# From torch 2.14 on, torch.jit.trace says that it is deprecated; models are traced all the same.
@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning", r"ignore:.torch\.jit\.:FutureWarning"
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_has_operators_of_torch_alone(kind, tmp_path):
    theirs, ours = both(kind)
    traced = torch.jit.trace(ours, (torch.randn(2, 7, 3),))  # and again without gradients, which must not differ
    traced.save(str(tmp_path / "model.pt"))  # cannot be, with a function of Python in it
    x = torch.randn(4, 9, 3)
    torch.testing.assert_close(torch.jit.load(str(tmp_path / "model.pt"))(x), theirs(x), **ROUNDING)


@pytest.mark.parametrize("kind", KINDS)
def test_the_older_onnx_exporter_reads_a_model_and_a_module(kind):
    runtime = pytest.importorskip("onnxruntime")
    theirs, ours = both(kind)
    x = torch.randn(4, 9, 3)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": [0, 1]}
        torch.onnx.export(ours, (x[:2, :7],), file, dynamo=False, input_names=["x"], dynamic_axes=axes)
        torch.onnx.export(getattr(recurra.nn, kind)(3, 5), (x,), io.BytesIO(), dynamo=False)
    (y,) = runtime.InferenceSession(file.getvalue()).run(None, {"x": x.numpy()})
    torch.testing.assert_close(torch.tensor(y), theirs(x).detach(), rtol=0, atol=1e-5)


class Packer(torch.nn.Module):
    """A model that packs its rows."""

    def __init__(self, rnn: torch.nn.Module) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        y, h = self.rnn(packed)
        return pad_packed_sequence(y, batch_first=True)[0], h[0] if isinstance(h, tuple) else h


@pytest.mark.filterwarnings(
    "ignore::torch.jit.TracerWarning", r"ignore:.torch\.jit\.:FutureWarning", "ignore::DeprecationWarning"
)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_rows_are_exported_and_traced_with_lengths_left_open(kind, bidirectional, layers):
    runtime = pytest.importorskip("onnxruntime")
    ours = getattr(recurra.nn, kind)(3, 5, layers, batch_first=True, bidirectional=bidirectional)
    model, file = Packer(ours).eval(), io.BytesIO()
    given = torch.randn(2, 7, 3), torch.tensor([4, 7])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {"x": [0, 1], "lengths": [0]}
        torch.onnx.export(model, given, file, dynamo=False, input_names=["x", "lengths"], dynamic_axes=axes)
        traced = torch.jit.trace(model, given)
    session = runtime.InferenceSession(file.getvalue())
    for lengths in ([7, 3], [1], [2, 9, 9, 5], [4, 7]):
        x, counts = torch.randn(len(lengths), max(lengths), 3), torch.tensor(lengths)
        wanted = [value.detach() for value in model(x, counts)]
        found = session.run(None, {"x": x.numpy(), "lengths": counts.numpy()})
        torch.testing.assert_close([torch.tensor(value) for value in found], wanted, rtol=0, atol=1e-5)
        torch.testing.assert_close(list(traced(x, counts)), wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_symbolic_trace_has_one_node_for_a_module(kind):
    theirs, ours = both(kind)
    graph = torch.fx.symbolic_trace(ours)
    assert [node.op for node in graph.graph.nodes] == [node.op for node in torch.fx.symbolic_trace(theirs).graph.nodes]
    x = torch.randn(4, 9, 3)
    torch.testing.assert_close(graph(x), theirs(x), **ROUNDING)


@pytest.mark.filterwarnings(
    "ignore:TF32 acceleration on top of oneDNN:UserWarning"
)  # said where its flags are set at all
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_each_row_by_expanded_weights(kind):
    _, model = both(kind)
    x = torch.randn(3, 7, 3)
    with torch.backends.mkldnn.flags(enabled=False):  # torch has no such gradients for its LSTM of oneDNN
        call_for_per_sample_grads(model, batch_size=3, loss_reduction="sum")(x).square().sum().backward()
    weights = dict(model.named_parameters())
    for row in range(3):
        alone = torch.autograd.grad(model(x[row : row + 1]).square().sum(), list(weights.values()))
        for weight, wanted in zip(weights.values(), alone, strict=True):
            torch.testing.assert_close(weight.grad_sample[row], wanted, rtol=1e-4, atol=1e-5)


def test_a_stand_in_sees_the_functions_of_torch():
    seen = []

    class Watched(Tensor):
        @classmethod
        def __torch_function__(cls, function, types, args=(), kwargs=None):
            seen.append(function)
            return super().__torch_function__(function, types, args, kwargs or {})

    recurra.nn.LSTM(3, 5)(torch.randn(7, 2, 3).as_subclass(Watched))
    assert torch._VF.lstm in seen


@pytest.mark.parametrize("kind", [*KINDS, "GravesLSTM"])
def test_fake_tensors_have_shapes_and_no_numbers(kind):
    with FakeTensorMode():
        module = getattr(recurra.nn, kind)(3, 5, 2, bidirectional=True)
        y, _ = module(torch.randn(7, 2, 3))
        y.sum().backward()
    assert y.shape == (7, 2, 10)
    assert module.weight_ih_l0.grad.shape == module.weight_ih_l0.shape


def test_a_mode_sees_the_operators():
    stack = recurra.nn.Stack("gru", 3, [5])
    with recurra.exact(required=False), torch.inference_mode(), FlopCounterMode(display=False) as counter:
        stack(torch.randn(7, 2, 3), stack.zero_state(2))
    assert counter.get_total_flops() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_vmap_gives_the_gradients_of_each_row(kind):
    _, model = both(kind)
    weights, x = dict(model.named_parameters()), torch.randn(3, 7, 3)

    def loss(weights: dict[str, Tensor], row: Tensor) -> Tensor:
        return functional_call(model, weights, (row.unsqueeze(0),)).square().sum()

    torch.testing.assert_close(vmap(loss, (None, 0))(weights, x), torch.stack([loss(weights, row) for row in x]))
    found = vmap(grad(loss), (None, 0))(weights, x)
    for index, row in enumerate(x):
        torch.testing.assert_close({k: v[index] for k, v in found.items()}, grad(loss)(weights, row), rtol=0, atol=1e-5)


def test_two_threads_never_get_one_buffer(monkeypatch):
    size = buffers.MIN_KEPT_BYTES
    found: list[Tensor] = []
    threads: list[threading.Thread] = []

    class Idle(list):
        """Lets another thread look for a buffer just after this one has looked at one."""

        def __getitem__(self, index):
            buffer = super().__getitem__(index)
            if not threads:
                threads.append(threading.Thread(target=lambda: found.append(buffers._find(size))))
                threads[0].start()
                threads[0].join(0.2)
            return buffer

    monkeypatch.setattr(buffers, "_idle", Idle([torch.empty(size, dtype=torch.uint8)]))
    found.append(buffers._find(size))
    threads[0].join()
    assert len({buffer.data_ptr() for buffer in found}) == 2
