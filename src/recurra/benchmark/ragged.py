"""The training step over sequences of different lengths, beside torch.nn's over a PackedSequence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurra.benchmark.case import QUICK_SHAPES, RAGGED_SHAPES, Scope, Shape, training_flops
from recurra.benchmark.results import Group, Measured, Row, Table, Target
from recurra.benchmark.steps import TrainingStep, furthest, module_pair
from recurra.benchmark.training import TOLERANCE
from recurra.benchmark.turns import Contestant, best, take_turns

OURS, PEER = "recurra", "torch.nn, packed"
TABLES = (
    Table(
        "ragged",
        "Ragged training step, float32, lengths uniform in [T/4, T], against torch's PackedSequence",
        (Target("every shape", 8.0, 2.0),),
    ),
)


def groups(scope: Scope, rounds: int) -> list[Group]:
    """Every cell that torch has, in every shape."""
    shapes = scope.shapes or (QUICK_SHAPES[:1] if scope.quick else RAGGED_SHAPES)
    return [
        Group(
            f"ragged  {cell}  {shape}",
            _expected_seconds(cell, shape, rounds),
            partial(_measure, cell, shape, scope, rounds),
        )
        for cell in scope.cells
        if cell != "graves-lstm"
        for shape in shapes
    ]


def _expected_seconds(cell: str, shape: Shape, rounds: int) -> float:
    # torch makes a gradient of the whole input for every step of it.
    gates = training_flops(cell, shape) / (6 * shape.B * shape.T * shape.L * (shape.I + shape.H))
    packed = 2e-4 * shape.T * shape.L + 3e-10 * shape.T**2 * shape.B * gates * shape.L
    return (rounds + 3) * 1.5 * packed


def _measure(cell: str, shape: Shape, scope: Scope, rounds: int) -> Measured:
    lengths = torch.randint(max(1, shape.T // 4), shape.T + 1, (shape.B,))
    lengths[0] = shape.T
    x, gradient = torch.randn(shape.T, shape.B, shape.I), torch.randn(shape.T, shape.B, shape.H)
    present = (torch.arange(shape.T)[:, None] < lengths).unsqueeze(-1)
    ours, peer = module_pair(cell, shape)
    assert peer is not None
    own = TrainingStep(ours, lambda x: ours(x, lengths=lengths)[0], x, gradient * present, "float32")
    other, pad = _packed_step(peer, x, gradient, lengths)
    truth = {name: pad(value) if name in ("output", "input") else value for name, value in other.results().items()}
    given = own.results()
    difference = furthest(given, truth)
    contestants = [
        Contestant(name, "float32", threads, step)
        for name, step in ((OURS, own), (PEER, other))
        for threads in scope.threads
    ]
    timings = take_turns(contestants, rounds)
    what: dict[str, str | int] = {"cell": cell, "shape": str(shape)}
    row = Row("ragged", what, best(timings, OURS), best(timings, PEER), difference, TOLERANCE)
    return Measured([row], timings)


def _packed_step(
    peer: nn.Module, x: Tensor, gradient: Tensor, lengths: Tensor
) -> tuple[TrainingStep, Callable[[Tensor], Tensor]]:
    """The peer's step over what was packed before: neither packing nor unpacking is counted against it."""
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    given = pack_padded_sequence(gradient, lengths, enforce_sorted=False).data

    def forward(data: Tensor) -> Tensor:
        return peer(packed._replace(data=data))[0].data

    def pad(data: Tensor) -> Tensor:
        return pad_packed_sequence(packed._replace(data=data), total_length=len(x))[0]

    return TrainingStep(peer, forward, packed.data, given, "float32"), pad
