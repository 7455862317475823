"""`recurra::layer`, the operator that the compiler and torch.export are given, and the nodes that the ONNX exporter is."""

from __future__ import annotations

import io
import shutil

import pytest
import torch
from torch import Tensor
from torch.export import Dim

import recurra
from recurra.kernels.native import engine

KINDS = ["RNN", "LSTM", "GRU", "GravesLSTM"]
pytestmark = [
    pytest.mark.skipif(engine() is None, reason="the operator is the native engine's, which is not there"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
]


class Tagger(torch.nn.Module):
    """A model as others write it."""

    def __init__(self, kind: str, **options: object) -> None:
        super().__init__()
        self.rnn = getattr(recurra.nn, kind)(3, 5, 2, batch_first=True, bidirectional=True, **options)
        self.out = torch.nn.Linear(10, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.rnn(x)[0].tanh())


@pytest.fixture
def compiler():
    """Let the compiler read modules of torch's kind, as docs/nn.md says."""
    import torch._dynamo

    torch._dynamo.reset()
    with torch._dynamo.config.patch(allow_rnn=True):
        yield
    torch._dynamo.reset()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_model_compiles_as_a_whole_with_the_same_results(compiler, kind, bias):
    model = Tagger(kind, bias=bias)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = torch.randn(2, 7, 3, requires_grad=True)
    found, wanted = compiled(x), model(x)
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)
    leaves = [x, *model.parameters()]
    ours = torch.autograd.grad(found.square().sum(), leaves)
    torch.testing.assert_close(ours, torch.autograd.grad(wanted.square().sum(), leaves), rtol=1e-4, atol=1e-6)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), model(x), rtol=0, atol=1e-6)


def test_a_compiled_model_rounds_as_autocast_does(compiler):
    model, x = Tagger("LSTM"), torch.randn(2, 7, 3)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(compiled(x), model(x), rtol=0, atol=1e-2)


@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor compiles with a C++ compiler, which is not there")
def test_the_usual_compiler(compiler):
    model, x = Tagger("GRU"), torch.randn(2, 7, 3)
    compiled = torch.compile(model, fullgraph=True)
    found = compiled(x)
    torch.testing.assert_close(found, model(x), rtol=0, atol=1e-6)
    found.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_the_operator_keeps_torch_s_rules(kind):
    cell = getattr(recurra.nn, kind)(3, 5)
    weights = [weight.detach().requires_grad_() for weight in cell._layer_weights(0).values()]
    x, h = torch.randn(7, 2, 3, requires_grad=True), torch.randn(2, 5)
    c = torch.randn(2, 5) if len(cell.cell.states) > 1 else None
    given = (x, h, c, weights, None, cell.cell.name, False, False, True)
    torch.library.opcheck(torch.ops.recurra.layer, given)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_program_takes_any_steps_and_rows(kind, strict, tmp_path):
    model = Tagger(kind).eval()
    shapes = {"x": {0: Dim("rows"), 1: Dim("steps")}}
    program = torch.export.export(model, (torch.randn(2, 7, 3),), dynamic_shapes=shapes, strict=strict)
    torch.export.save(program, tmp_path / "model.pt2")
    loaded = torch.export.load(tmp_path / "model.pt2").module()
    for rows, steps in ((2, 7), (5, 3), (3, 20)):
        x = torch.randn(rows, steps, 3)
        torch.testing.assert_close(loaded(x), model(x), rtol=0, atol=1e-6)


class Whole(torch.nn.Module):
    """A module with its state."""

    def __init__(self, rnn: torch.nn.Module) -> None:
        super().__init__()
        self.rnn = rnn

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y, state = self.rnn(x)
        return (y, *state) if isinstance(state, tuple) else (y, state)


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("kind", [*KINDS, "ReLU"])
def test_the_newer_onnx_exporter_gets_one_node_for_a_layer(kind, bidirectional, layers, batch_first):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    options = {"num_layers": layers, "bidirectional": bidirectional, "batch_first": batch_first}
    if kind == "ReLU":
        module = recurra.nn.RNN(3, 5, nonlinearity="relu", **options)
    else:
        module = getattr(recurra.nn, kind)(3, 5, **options)
    model, file = Whole(module).eval(), io.BytesIO()
    shapes = {"x": {0: Dim("first"), 1: Dim("second")}}
    program = torch.onnx.export(model, (torch.randn(2, 7, 3),), dynamo=True, dynamic_shapes=shapes, verbose=False)
    program.save(file)
    nodes = [node.op_type for node in program.model_proto.graph.node if node.op_type in ("RNN", "LSTM", "GRU")]
    assert len(nodes) == layers
    session = runtime.InferenceSession(file.getvalue())
    for first, second in ((2, 7), (7, 2), (1, 4), (5, 5), (3, 20)):
        x = torch.randn(first, second, 3)
        found = session.run(None, {"x": x.numpy()})
        torch.testing.assert_close([torch.tensor(value) for value in found], list(model(x)), rtol=0, atol=1e-5)
