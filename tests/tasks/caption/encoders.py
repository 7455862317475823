"""A tiny ONNX model that gives a grid of features, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest


def write_encoder(
    path: Path, *, last: bool = False, side: int | str = 16, element: str = "FLOAT", pooled: bool = False
) -> Path:
    """Write a convolution of 6 features over cells of 4 x 4 pixels; last: its input has the colours last."""
    onnx: Any = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, getattr(onnx.TensorProto, element)
    weights = np.random.default_rng(1).normal(size=(6, 3, 4, 4)).astype(np.float32) / 4
    shape = [1, side, side, 3] if last else [1, 3, side, side]
    nodes = [helper.make_node("Cast", ["pixels"], ["numbers"], to=onnx.TensorProto.FLOAT)]
    nodes += [helper.make_node("Transpose", ["numbers"], ["first"], perm=[0, 3, 1, 2])] if last else []
    nodes += [helper.make_node("Conv", ["first" if last else "numbers", "weights"], ["features"], strides=[4, 4])]
    nodes += [helper.make_node("Transpose", ["features"], ["grid"], perm=[0, 2, 3, 1])] if last else []
    name, rank = "grid" if last else "features", 4
    if pooled:
        nodes += [helper.make_node("Flatten", [name], ["flat"])]
        name, rank = "flat", 2
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * rank)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path
