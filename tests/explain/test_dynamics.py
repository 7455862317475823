"""Fixed points of maps that are known, and of a network that learnt to hold three bits; states on a plane."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from recurra.errors import DataError, UsageError
from recurra.explain.dynamics import StateMap, find_fixed_points, fixed_points
from recurra.explain.gates import record
from recurra.explain.inside import look_inside
from recurra.explain.projection import principal_plane, projection_block
from recurra.explain.trace_blocks import fixed_point_table
from recurra.nn import Stack


def holding_bits(bits: int) -> Stack:
    """An RNN with a unit for each bit, h' = tanh(2 h + 2 x): it holds a sign until it reads another."""
    stack = Stack("rnn", bits, [bits])
    layer = next(iter(stack))
    with torch.no_grad():
        layer.get_parameter("weight_hh").copy_(2 * torch.eye(bits))
        layer.get_parameter("weight_ih").copy_(2 * torch.eye(bits))
        layer.get_parameter("bias_ih").zero_()
        layer.get_parameter("bias_hh").zero_()
    return stack


def test_the_fixed_points_of_three_bits_are_all_found():
    step = StateMap(holding_bits(3), torch.zeros(3))
    draw = torch.Generator().manual_seed(0)
    found = find_fixed_points(step, 2 * torch.rand(200, 3, generator=draw, dtype=torch.float64) - 1)
    kinds = Counter(point.kind for point in found)
    assert kinds["stable"] == 8 and all(point.is_fixed for point in found)
    assert max(point.residual for point in found) <= 1e-6
    corner = next(h for h in [0.9575040241] if abs(math.tanh(2 * h) - h) < 1e-9)
    stable = np.array([point.state for point in found if point.kind == "stable"])
    np.testing.assert_allclose(np.abs(stable), corner, atol=1e-6)
    assert len({tuple(row) for row in np.sign(stable).tolist()}) == 8
    for point in found:
        slopes = sorted((2 * (1 - np.tanh(2 * point.state) ** 2)).tolist(), reverse=True)
        np.testing.assert_allclose(point.eigenvalues, slopes, atol=1e-6)
        assert point.kind == ("stable" if slopes[0] < 1 else "unstable" if slopes[-1] > 1 else "saddle")
    assert json.loads(json.dumps([point.to_json() for point in found]))[0]["fixed"] is True


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_a_network_that_learnt_three_bits_has_eight_stable_points(cell):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        stack, read = Stack(cell, 3, [12]), nn.Linear(12, 3)
        optimizer = torch.optim.Adam([*stack.parameters(), *read.parameters()], lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 300)
        for _ in range(300):
            x, bits = pulses(64, 30)
            h, _ = stack(x, stack.zero_state(64))
            loss = (read(h) - bits).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        x, _ = pulses(64, 30)
    with torch.no_grad():
        h, _ = stack(x, stack.zero_state(64))
    found = find_fixed_points(StateMap(stack, torch.zeros(3)), h.flatten(0, 1))
    stable = [point for point in found if point.kind == "stable" and point.is_fixed]
    assert len(stable) == 8 and max(point.residual for point in stable) <= 1e-6
    with torch.no_grad():
        signs = read(torch.from_numpy(np.array([point.state for point in stable])).float()).sign()
    assert len({tuple(row) for row in signs.tolist()}) == 8


def pulses(batch: int, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pulses of −1 and 1 on three lines, (T, B, 3), and the last one of each by then."""
    x = (torch.rand(steps, batch, 3) < 0.2) * (2.0 * torch.randint(0, 2, (steps, batch, 3)) - 1)
    x[0] = 2.0 * torch.randint(0, 2, (batch, 3)) - 1
    bits = [x[0]]
    for now in x[1:]:
        bits.append(torch.where(now == 0, bits[-1], now))
    return x, torch.stack(bits)


def test_two_layers_of_an_lstm(predictor_of):
    predictor = predictor_of("lstm", [3, 4], layer_norm=True)
    trace = record(predictor, torch.randn(30, 4, generator=torch.Generator().manual_seed(1)))
    for step in (None, 3):
        found = fixed_points(predictor, trace, step=step)
        assert found and len(found[0].state) == 2 * 3 + 2 * 4
        x = torch.from_numpy(trace.layers[0].inputs.mean(0) if step is None else trace.layers[0].inputs[3])
        after = StateMap(predictor.network, x)(torch.from_numpy(np.array([found[0].state])))[0]
        assert float((after - torch.from_numpy(found[0].state)).norm()) == pytest.approx(found[0].residual, abs=1e-12)
    table = fixed_point_table(found)
    assert len(table.rows) == len(found) and "fixed point 1" in table.draw()


def test_the_map_is_the_networks_own_step(predictor_of):
    predictor = predictor_of("lstm", [3, 4], residual=True)
    x = torch.randn(9, 4, generator=torch.Generator().manual_seed(1))
    trace = record(predictor, x)
    states = np.concatenate([layer.states[name] for layer in trace.layers for name in ("h", "c")], 1)
    after = StateMap(predictor.network, x[6])(torch.from_numpy(states[5:6]).double())
    np.testing.assert_allclose(after[0], states[6], atol=1e-6)
    jacobian = StateMap(predictor.network, x[6]).jacobian(torch.from_numpy(states[5:6]).double())[0]
    moved = torch.from_numpy(states[5:6]).double()
    moved[0, 4] += 1e-6
    slope = (StateMap(predictor.network, x[6])(moved) - after)[0].detach() / 1e-6
    np.testing.assert_allclose(jacobian[:, 4], slope, atol=1e-5)


def test_what_has_no_fixed_points_is_refused(predictor_of):
    for options in ({"bidirectional": True}, {"dilations": [2]}):
        with pytest.raises(UsageError, match="in one direction without dilations"):
            StateMap(Stack("gru", 2, [3], **options), torch.zeros(2))
    with pytest.raises(UsageError, match="expected a state of at most 1024 numbers, got 1026"):
        StateMap(Stack("lstm", 2, [513]), torch.zeros(2))
    predictor = predictor_of("gru", [3])
    trace = record(predictor, torch.zeros(4, 4))
    with pytest.raises(UsageError, match="step: expected 0 to 3, got 4"):
        fixed_points(predictor, trace, step=4)
    with pytest.raises(UsageError, match="record one of this predictor"):
        fixed_points(predictor_of("gru", [3, 3, 3]), trace)
    assert find_fixed_points(StateMap(predictor.network, torch.zeros(4)), torch.zeros(0, 3)) == []


def test_the_plane_has_most_of_the_variance():
    draw = np.random.default_rng(0)
    states = draw.standard_normal((300, 2)) @ (np.array([[5.0, 0, 0, 0], [0, 2.0, 0, 0]])) + [1, 2, 3, 4]
    plane = principal_plane(states + 0.01 * draw.standard_normal((300, 4)))
    values = np.linalg.eigvalsh(np.cov(states.T))[::-1]
    np.testing.assert_allclose(plane.shares, values[:2] / values.sum(), atol=1e-3)
    assert abs(plane.directions[0, 0]) > 0.99 and abs(plane.directions[1, 1]) > 0.99
    with pytest.raises(DataError, match="at least two states"):
        principal_plane(np.zeros((1, 3)))
    assert principal_plane(np.zeros((5, 3))).apply(np.ones((1, 3))).shape == (1, 2)


def test_the_states_of_inputs_by_label_and_position(predictor_of):
    predictor = predictor_of("gru", [3])
    draw = torch.Generator().manual_seed(1)
    traces = [record(predictor, torch.randn(10, 4, generator=draw) + sign) for sign in (-1.0, 1.0) for _ in range(4)]
    labels = ["low"] * 4 + ["high"] * 4
    block = projection_block(traces, labels)
    assert len(block.dots) == 8 and block.groupings[0].sizes == {"low": 4, "high": 4}
    ends = np.stack([trace.layers[0].outputs[-1] for trace in traces])
    np.testing.assert_allclose([(dot.x, dot.y) for dot in block.dots], principal_plane(ends).apply(ends), atol=1e-9)
    points = fixed_points(predictor, traces[0])
    whole = projection_block(traces, labels, every_step=True, points=points)
    assert len(whole.dots) == 80 + len(points)
    assert [each.key for each in whole.groupings] == ["label", "position"]
    assert whole.groupings[1].sizes["last fifth"] == 16
    assert "svg" in whole.draw()
    with pytest.raises(DataError, match="labels: expected one for each of 8 inputs, got 1"):
        projection_block(traces, ["low"])


def test_one_state_has_no_plane(predictor_of):
    found = look_inside(predictor_of("gru", [3]), [torch.zeros(1, 4)], dynamics=True)
    assert {block.kind for block in found.blocks()} >= {"cell", "table"}
    assert "scatter" not in {block.kind for block in found.blocks()}
