"""A streaming step by ONNX Runtime, the peer of ours, over a model made from a module's weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from recurra.cells import get_cell
from recurra.errors import require

OPSET = 17
_WHY = "the comparison with ONNX Runtime"


def check_installed() -> None:
    """Raise `MissingExtraError` unless both packages are there."""
    for package in ("onnx", "onnxruntime"):
        require(package, "export", _WHY)


def onnx_layer(cell: str, weights: dict[str, np.ndarray]) -> bytes:
    """Make a model of one layer: X (1, 1, I) and the state, (1, 1, H) each → the state after the step.

    weights: `Cell.shapes`'s names → arrays, without peepholes. Raises `MissingExtraError` without the package onnx.
    """
    onnx = require("onnx", "export", _WHY)
    kind = get_cell(cell)
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    hidden, inputs = weights["weight_hh"].shape[1], weights["weight_ih"].shape[1]

    def in_order(name: str) -> np.ndarray:
        return np.concatenate([weights[name][kind.gate_rows(gate, hidden)] for gate in kind.onnx.gates])

    tensors = {
        "W": in_order("weight_ih")[None],
        "R": in_order("weight_hh")[None],
        "B": np.concatenate([in_order("bias_ih"), in_order("bias_hh")])[None],
    }
    states = [f"initial_{name}" for name in kind.states]
    node = helper.make_node(
        kind.onnx.name,
        ["X", "W", "R", "B", "", *states],
        ["", *(f"Y_{name}" for name in kind.states)],
        hidden_size=hidden,
        **kind.onnx.attributes,
    )
    graph = helper.make_graph(
        [node],
        cell,
        [
            helper.make_tensor_value_info("X", floats, [1, 1, inputs]),
            *(helper.make_tensor_value_info(name, floats, [1, 1, hidden]) for name in states),
        ],
        [helper.make_tensor_value_info(f"Y_{name}", floats, [1, 1, hidden]) for name in kind.states],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def session(model: bytes, threads: int) -> Any:
    """Load a model into ONNX Runtime; raises `MissingExtraError` without it."""
    runtime = require("onnxruntime", "export", _WHY)
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def plain_step(session: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Give a step x (I) → the first output, (H), that carries the state through the arrays of `run`.

    A model's last outputs are its states, in the order of its inputs; where there are no others, the first is h.
    """
    named, *states = session.get_inputs()
    feeds = {given.name: np.zeros(given.shape, np.float32) for given in states}
    names, outputs = list(feeds), [given.name for given in session.get_outputs()]

    def step(x: np.ndarray) -> np.ndarray:
        feeds[named.name] = x.reshape(1, 1, -1)
        after = session.run(outputs, feeds)
        feeds.update(zip(names, after[-len(names) :], strict=True))
        return after[0].reshape(-1)

    return step


def bound_step(session: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Give the same step, whose state stays in two sets of buffers, each the input where the other is the output."""
    runtime = require("onnxruntime", "export", _WHY)
    (named, *states), outputs = session.get_inputs(), session.get_outputs()

    def buffers(given: list[Any]) -> list[Any]:
        return [runtime.OrtValue.ortvalue_from_numpy(np.zeros(each.shape, np.float32)) for each in given]

    (x_value,), others = buffers([named]), buffers(outputs[: -len(states)])
    sets = [buffers(states) for _ in "ab"]
    bindings = []
    for before, after in (sets, sets[::-1]):
        binding = session.io_binding()
        binding.bind_ortvalue_input(named.name, x_value)
        for given, value in zip(states, before, strict=True):
            binding.bind_ortvalue_input(given.name, value)
        for given, value in zip(outputs, [*others, *after], strict=True):
            binding.bind_ortvalue_output(given.name, value)
        bindings.append((binding, [*others, *after][0]))

    def step(x: np.ndarray) -> np.ndarray:
        x_value.update_inplace(x.reshape(1, 1, -1))
        binding, h = bindings[0]
        bindings.reverse()
        session.run_with_iobinding(binding)
        return h.numpy().reshape(-1)

    return step
