"""What every cell promises: its facts fit together, its step is pure and right, and every kernel computes that step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from recurra.cells import ACTIVATIONS, Cell, cell_names, get_cell
from recurra.nn import Layer
from recurra.testing import ragged, sequences
from recurra.testing.expect import expect, expect_same, one_thread

Check = Callable[[type[Cell]], None]

# Odd sizes, so that nothing comes out right by a lucky broadcast, or by never meeting the end of a SIMD register.
BATCH, HIDDEN = 3, 5


def check_cell(cell: type[Cell]) -> None:
    """Hold a cell to everything that the rest of the house takes for granted.

    Raises `AssertionError` that names the cell, the check, what was expected and what came.

    >>> from recurra.cells import GRU
    >>> check_cell(GRU)
    """
    for check in cell_checks():
        try:
            with one_thread():
                check(cell)
        except AssertionError as error:
            raise AssertionError(f"{cell.name}: {check.__name__}: {error}") from error


def cell_checks() -> list[Check]:
    """List the checks of the suite, so that a test framework can show each on its own.

    >>> [check.__name__ for check in cell_checks()][:2]
    ['check_facts', 'check_shapes']
    """
    own = [
        check_facts,
        check_shapes,
        check_onnx,
        check_step_shapes,
        check_step_pure,
        check_step_pointwise,
        check_addends,
    ]
    return [*own, check_state_dict, *sequences.CHECKS, *ragged.CHECKS]


def check_facts(cell: type[Cell]) -> None:
    """The cell is registered under its name, and names its gates, its states and itself."""
    expect(cell.name in cell_names(), "expected the cell to be registered; decorate it with recurra.cells.register")
    expect(get_cell(cell.name) is cell, f"expected get_cell({cell.name!r}) to give this very class")
    expect(bool(cell.title.strip()), "title: expected the name that people read, got an empty one")
    expect(bool((cell.__doc__ or "").strip()), "expected a docstring with the equations and their source, got none")
    for name, words in (("gates", cell.gates), ("states", cell.states)):
        expect(len(words) >= 1, f"{name}: expected at least one, got none")
        expect(len(set(words)) == len(words), f"{name}: expected different names, got {words}")
    for name, words in (("activations", cell.activations), ("symbols", cell.symbols)):
        expect(len(words) == len(cell.gates), f"{name}: expected one for each of {cell.gates}, got {words}")
    unknown = set(cell.peepholes) - set(cell.gates)
    expect(not unknown, f"peepholes: expected names of gates, got {sorted(unknown)}")
    if cell.torch_mode is not None:
        expect(hasattr(torch._VF, cell.torch_mode), f"torch_mode: torch has no function {cell.torch_mode!r}")


def check_shapes(cell: type[Cell]) -> None:
    """The shapes of the parameters follow from the gates, and `gate_rows` cuts the rows into them without a rest."""
    shapes, rows = cell.shapes(4, HIDDEN), len(cell.gates) * HIDDEN
    wanted = {"weight_ih": (rows, 4), "weight_hh": (rows, HIDDEN), "bias_ih": (rows,), "bias_hh": (rows,)}
    if cell.peepholes:
        wanted["peephole"] = (len(cell.peepholes), HIDDEN)
    expect(shapes == wanted, f"shapes(4, {HIDDEN}): expected {wanted}, got {shapes}")
    covered = [row for gate in cell.gates for row in range(*cell.gate_rows(gate, HIDDEN).indices(rows))]
    expect(covered == list(range(rows)), f"gate_rows: expected rows 0 to {rows - 1} in order, got {covered}")


def check_onnx(cell: type[Cell]) -> None:
    """ONNX has the same gates, in an order of its own."""
    got, wanted = cell.onnx.gates, cell.gates
    expect(sorted(got) == sorted(wanted), f"onnx.gates: expected a permutation of {wanted}, got {got}")
    expect(cell.onnx.name.isidentifier(), f"onnx.name: expected the name of an operator, got {cell.onnx.name!r}")


def check_step_shapes(cell: type[Cell]) -> None:
    """A step gives as many states and gate values as the cell has, each (B, H) and in the type that came in."""
    for dtype in (torch.float64, torch.float32):
        state, gates = cell.step(*_step_arguments(cell, dtype))
        for name, tensors, words in (("states", state, cell.states), ("gate values", gates, cell.gates)):
            expect(len(tensors) == len(words), f"step: expected {len(words)} {name}, got {len(tensors)}")
            for word, tensor in zip(words, tensors, strict=True):
                got = (tuple(tensor.shape), tensor.dtype)
                expect(
                    got == ((BATCH, HIDDEN), dtype),
                    f"step, {word}: expected {((BATCH, HIDDEN), dtype)}, got {got}",
                )
                expect(bool(tensor.isfinite().all()), f"step, {word}: expected finite values, got {tensor}")


def check_step_pure(cell: type[Cell]) -> None:
    """A step changes nothing that it is given, draws no random numbers, and gives the same again."""
    arguments = _step_arguments(cell, torch.float64)
    before = [tensor.clone() for part in arguments for tensor in part]
    random = torch.get_rng_state()
    first = cell.step(*arguments)
    expect(torch.equal(random, torch.get_rng_state()), "step: expected torch's random state untouched, it has moved")
    expect_same("the arguments after a step", [tensor for part in arguments for tensor in part], before)
    second = cell.step(*arguments)
    expect_same("the same step again", [*second[0], *second[1]], [*first[0], *first[1]])


def check_step_pointwise(cell: type[Cell]) -> None:
    """What a step gives for a unit of a sequence depends on the numbers of that unit and that sequence alone."""
    xw, hr, state, peephole = _step_arguments(cell, torch.float64)
    whole = cell.step(xw, hr, state, peephole)

    def cut(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(tensor[1:2, 2:3] for tensor in tensors)

    part = cell.step(cut(xw), cut(hr), cut(state), tuple(tensor[2:3] for tensor in peephole))
    expect_same("the step of one unit alone", [*part[0], *part[1]], [*cut(whole[0]), *cut(whole[1])])


def check_addends(cell: type[Cell]) -> None:
    """The sum of a gate's addends is what its non-linearity takes to give the gate's value."""
    xw, hr, state, peephole = _step_arguments(cell, torch.float64)
    after, gates = cell.step(xw, hr, state, peephole)
    sums = cell.addends(xw, hr, state, peephole, gates, after)
    expect(len(sums) == len(gates), f"addends: expected those of {len(gates)} gates, got {len(sums)}")
    for name, activation, parts, value in zip(cell.gates, cell.activations, sums, gates, strict=True):
        expect(activation in ACTIVATIONS, f"activations: expected some of {', '.join(ACTIVATIONS)}, got {activation!r}")
        error = float((ACTIVATIONS[activation](torch.stack(list(parts.values())).sum(0)) - value).abs().max())
        expect(error <= 1e-12, f"{name}: expected {activation} of the sum of its addends, which is {error:.1e} away")


def check_state_dict(cell: type[Cell]) -> None:
    """A layer's weights have the names of `shapes`, and another layer that loads them computes the same, bit for bit."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer, other = Layer(cell, 4, HIDDEN), Layer(cell, 4, HIDDEN)
        x = torch.randn(6, BATCH, 4)
    saved = {name: value.clone() for name, value in layer.state_dict().items()}
    shapes = {name: tuple(value.shape) for name, value in saved.items()}
    expect(shapes == cell.shapes(4, HIDDEN), f"state_dict: expected {cell.shapes(4, HIDDEN)}, got {shapes}")
    other.load_state_dict(saved)
    state = layer.zero_state(BATCH)
    expect(len(state) == len(cell.states), f"zero_state: expected {len(cell.states)} tensors, got {len(state)}")
    y, end = layer(x, state)
    y_other, end_other = other(x, other.zero_state(BATCH))
    expect_same("a layer with loaded weights", [y_other, *end_other], [y, *end])


def _step_arguments(cell: type[Cell], dtype: torch.dtype) -> tuple[tuple[Tensor, ...], ...]:
    """Draw what `Cell.step` takes: inputs, recurrent products, state and peepholes."""
    generator = torch.Generator().manual_seed(1)

    def draw(count: int, *shape: int) -> tuple[Tensor, ...]:
        return tuple(torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype) for _ in range(count))

    gates, states, peepholes = len(cell.gates), len(cell.states), len(cell.peepholes)
    return draw(gates, BATCH, HIDDEN), draw(gates, BATCH, HIDDEN), draw(states, BATCH, HIDDEN), draw(peepholes, HIDDEN)
