"""The suite for cells finds what is wrong with a cell, and says which check it was."""

from __future__ import annotations

import pytest
import torch

from recurra.cells import GRU, LSTM, OnnxOp, register
from recurra.cells import base as registry
from recurra.kernels import LayerOutput, layer, scan_layer
from recurra.testing import check_cell


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_registry", dict(registry._registry))


class Plugged(LSTM):
    """An LSTM of a plug-in."""

    name = "plugged"
    torch_mode = None


def test_a_cell_of_a_plug_in_passes():
    check_cell(register(Plugged))


def test_a_cell_that_nobody_registered():
    with pytest.raises(AssertionError, match=r"plugged: check_facts: .*registered"):
        check_cell(Plugged)


def test_a_kernel_that_computes_another_cell():
    @register
    class Wrong(GRU):
        """h' = z ∘ n + (1 − z) ∘ h: the update gate the other way round, which torch's kernel does not compute."""

        name = "wrong"

        @staticmethod
        def step(xw, hr, state, peephole):
            (_h,), (r, z, n) = GRU.step(xw, hr, state, peephole)
            return (z * n + (1 - z) * state[0],), (r, z, n)

    with pytest.raises(AssertionError, match="wrong: check_kernel_float64: run_layer against scan_layer"):
        check_cell(Wrong)


def test_a_step_that_writes_into_its_arguments():
    @register
    class Writes(Plugged):
        """Writes into the memory that it was given."""

        name = "writes"

        @staticmethod
        def step(xw, hr, state, peephole):
            new, gates = LSTM.step(xw, hr, state, peephole)
            state[1].copy_(new[1])
            return new, gates

    with pytest.raises(AssertionError, match="writes: check_step_pure: the arguments after a step"):
        check_cell(Writes)


def test_a_step_that_mixes_sequences():
    @register
    class Mixes(Plugged):
        """Centres its gate over the batch."""

        name = "mixes"

        @staticmethod
        def step(xw, hr, state, peephole):
            return LSTM.step([part - part.mean(0) for part in xw], hr, state, peephole)

    with pytest.raises(AssertionError, match="mixes: check_step_pointwise"):
        check_cell(Mixes)


def test_a_gradient_that_is_not_the_derivative():
    @register
    class Detached(Plugged):
        """Forgets the way back through its memory."""

        name = "detached"

        @staticmethod
        def step(xw, hr, state, peephole):
            return LSTM.step(xw, hr, (state[0], state[1].detach()), peephole)

    with pytest.raises(AssertionError, match="detached: check_gradient"):
        check_cell(Detached)


def test_gates_that_onnx_does_not_have():
    @register
    class Reordered(Plugged):
        """Names a gate twice."""

        name = "reordered"
        onnx = OnnxOp("LSTM", gates=("input", "input", "forget", "candidate"))

    with pytest.raises(AssertionError, match=r"reordered: check_onnx: .*permutation"):
        check_cell(Reordered)


def test_a_step_of_its_own_type():
    @register
    class Single(Plugged):
        """Computes in float32 whatever comes."""

        name = "single"

        @staticmethod
        def step(xw, hr, state, peephole):
            new, gates = LSTM.step(xw, hr, state, peephole)
            return (new[0].to(torch.float32), new[1]), gates

    with pytest.raises(AssertionError, match=r"single: check_step_shapes: step, h: expected .*float64"):
        check_cell(Single)


def test_a_step_that_looks_at_an_output_that_may_be_projected():
    @register
    class Looks(GRU):
        """Says that its output may be projected, though its step reads it, H wide."""

        name = "looks"
        torch_mode = None
        projectable = True

    with pytest.raises(AssertionError, match="looks: check_projection: projectable: a step that is given no product"):
        check_cell(Looks)


def test_a_kernel_that_reads_the_padding(monkeypatch):
    """A kernel that runs every row to the end of the batch, and clears what it should not have computed."""

    def careless(cell, x, state, weights, lengths, reverse, return_gates):
        if lengths is None or reverse or return_gates:
            return None
        y, end, _ = scan_layer(cell, x, state, weights)
        past = torch.arange(len(x)).unsqueeze(1) >= lengths
        return LayerOutput(y.masked_fill(past.unsqueeze(-1), 0), end)

    monkeypatch.setattr(layer, "KERNELS", [careless])
    with pytest.raises(AssertionError, match=r"plugged: check_rows: run_layer.*: h of row 0"):
        check_cell(register(Plugged))
