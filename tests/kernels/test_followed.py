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
    traced = torch.jit.trace(ours, (torch.randn(2, 7, 3),), check_trace=False)
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
