"""In every section both contestants do the same work on the same weights; other work is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recurra.benchmark import Group, Measured, Scope, Shape, graves, ragged, stream, training, turns
from recurra.benchmark.limits import gemm, rates, read
from recurra.benchmark.onnx_peer import bound_step, onnx_layer, plain_step, session
from recurra.benchmark.steps import TrainingStep, furthest, module_pair
from recurra.cells import cell_names

TINY = Shape(3, 5, 4, 8, 2)


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "SAMPLE_SECONDS", 0.0)
    monkeypatch.setattr("recurra.benchmark.limits.GEMM_SIZE", 64)


def only(section: Any, scope: Scope) -> Measured:
    groups: list[Group] = section.groups(scope, 5)
    (group,) = groups
    assert group.seconds > 0
    return group.measure()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_training_step_is_compared_with_torch(cell: str) -> None:
    measured = only(training, Scope(cells=[cell], shapes=[TINY]))
    assert [row.table for row in measured.rows] == ["training float32", "training bfloat16"]
    for row in measured.rows:
        assert row.agrees
        assert (row.ours.name, row.peer.name) == ("recurra", "torch.nn")
        assert len(row.ours.seconds) == len(row.peer.seconds) == 5
        assert row.share is not None and row.share > 0
    assert measured.rows[0].peer.precision == "float32"


def test_the_relu_network_is_compared_where_its_kink_does_not_count() -> None:
    (row,) = only(training, Scope(cells=["rnn-relu"], shapes=[TINY], precisions=["float32"])).rows
    assert row.agrees


def test_one_precision_is_enough() -> None:
    measured = only(training, Scope(cells=["gru"], shapes=[TINY], precisions=["bfloat16"]))
    (row,) = measured.rows
    assert row.table == "training bfloat16"
    assert {each.precision for each in measured.timings if each.name == "torch.nn"} == {"float32", "bfloat16"}
    measured = only(training, Scope(cells=["gru"], shapes=[TINY], precisions=["float32"]))
    assert {each.precision for each in measured.timings} == {"float32"}


def test_the_ragged_step_is_compared_with_a_packed_one() -> None:
    for cell in ("lstm", "gru", "rnn"):
        (row,) = only(ragged, Scope(cells=[cell], shapes=[TINY])).rows
        assert row.agrees, row.difference


def test_peepholes_are_compared_with_none() -> None:
    rows = only(graves, Scope(shapes=[TINY])).rows
    assert [row.table for row in rows] == ["graves float32", "graves bfloat16"]
    assert all(row.agrees and row.ours.name == "recurra GravesLSTM" for row in rows)
    assert graves.groups(Scope(cells=["gru"]), 5) == []


def test_a_step_is_forward_and_backward_and_other_weights_are_noticed() -> None:
    ours, peer = module_pair("gru", TINY)
    assert isinstance(peer, nn.GRU)
    x, gradient = torch.randn(8, 4, 3), torch.randn(8, 4, 5)
    step, other = (TrainingStep(each, lambda x, m=each: m(x)[0], x, gradient, "float32") for each in (ours, peer))
    found = step.results()
    assert set(found) == {"output", "input", *dict(ours.named_parameters())}
    assert furthest(found, other.results()) < 1e-5
    with torch.no_grad():
        peer.bias_hh_l1[-1] += 0.1
    assert furthest(found, other.results()) > 1e-3


def test_what_is_no_number_is_far_from_everything() -> None:
    distance = furthest(
        {"y": torch.tensor([1.0, torch.nan]), "z": torch.ones(2)}, {"y": torch.ones(2), "z": torch.ones(2)}
    )
    assert distance != distance


@pytest.mark.parametrize("way", [plain_step, bound_step])
@pytest.mark.parametrize("cell", sorted({*cell_names()} - {"graves-lstm"}))
def test_the_model_for_onnx_runtime_is_torchs(cell: str, way: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    _, module = module_pair(cell, Shape(3, 5, 1, 9, 1))
    assert module is not None
    given = {name.removesuffix("_l0"): value.numpy() for name, value in module.state_dict().items()}
    step = way(session(onnx_layer(cell, given), 1))
    x = torch.randn(9, 3)
    h = np.stack([step(each).copy() for each in x.numpy()])
    with torch.no_grad():
        expected = module(x)[0].numpy()
    np.testing.assert_allclose(h, expected, atol=1e-5)


class TorchStream:
    """What `ModuleStream` is, by torch; `off` is added to what it says."""

    off = 0.0

    def __init__(self, module: nn.Module, weights: str = "float32", threads: int = 1) -> None:
        self._module, self._state = module, None

    def step(self, x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            y, self._state = self._module(torch.from_numpy(x)[None, None], self._state)
        return y[0, 0].numpy() + self.off


def test_a_streaming_step_is_compared_with_onnx_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.stream.ModuleStream", TorchStream, raising=False)
    for cell in ("lstm", "gru", "rnn"):
        measured = only(stream, Scope(cells=[cell], sizes=[8]))
        assert [row.table for row in measured.rows] == ["stream float32", "stream int8"]
        assert all(row.agrees and row.peer.name == "ONNX Runtime" for row in measured.rows)
        assert all(row.share is not None and row.share > 0 for row in measured.rows)


def test_a_stream_that_says_something_else_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.stream.ModuleStream", TorchStream, raising=False)
    monkeypatch.setattr(TorchStream, "off", 1e-3)
    exact, coarse = only(stream, Scope(cells=["gru"], sizes=[8])).rows
    assert not exact.agrees
    assert coarse.agrees  # as near as int8 weights are meant to be


def test_limits_have_rates() -> None:
    contestants = [*gemm("float32", 1), *gemm("bfloat16", 1), read("int8", 4096)]
    found = rates(turns.take_turns(contestants, 5))
    assert {(each["limit"], each["precision"]) for each in found} == {
        ("GEMM", "float32"),
        ("GEMM", "bfloat16"),
        ("read", "int8"),
    }
    assert all(each["rate"] > 0 for each in found)
