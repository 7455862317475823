"""The initialisations of the published recipes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from recurra.cells import Cell
from recurra.errors import UsageError


def _uniform(weight: Tensor, gain: float) -> None:
    nn.init.uniform_(weight, -gain, gain)


def _torch(weight: Tensor, gain: float) -> None:
    """U(−1/√H, 1/√H), the default of torch.nn; `gain` multiplies it. H is the width of a gate's rows."""
    nn.init.uniform_(weight, -gain * weight.shape[0] ** -0.5, gain * weight.shape[0] ** -0.5)


def _xavier(weight: Tensor, gain: float) -> None:
    nn.init.xavier_uniform_(weight, gain)


def _orthogonal(weight: Tensor, gain: float) -> None:
    nn.init.orthogonal_(weight, gain)


def _identity(weight: Tensor, gain: float) -> None:
    """The identity of the IRNN (Le et al. 2015)."""
    nn.init.eye_(weight)
    with torch.no_grad():
        weight.mul_(gain)


Initialiser = Callable[[Tensor, float], None]
# scheme → (weights from the input, recurrent weights); each gate's rows are drawn on their own.
SCHEMES: dict[str, tuple[Initialiser, Initialiser]] = {
    "orthogonal": (_orthogonal, _orthogonal),
    "xavier": (_xavier, _xavier),
    "uniform": (_uniform, _uniform),
    "torch": (_torch, _torch),
    "identity": (_xavier, _identity),
}


@torch.no_grad()
def initialise_layer(
    cell: type[Cell], parameters: dict[str, Tensor], scheme: str, gain: float, forget_bias: float | None
) -> None:
    """Fill the parameters of one layer in place.

    `uniform` draws every weight and bias from U(−gain, gain) as the Penn Treebank recipes do; the others leave the
    biases zero. `forget_bias` is what the forget gate's two biases add up to (Jozefowicz et al. 2015), for cells that have one.
    Raises `UsageError` for an unknown scheme.
    """
    if scheme not in SCHEMES:
        raise UsageError(f"init: expected one of {', '.join(SCHEMES)}; got {scheme!r}")
    of_input, of_state = SCHEMES[scheme]
    hidden_size = parameters["weight_hh"].shape[1]
    for gate in cell.gates:
        rows = cell.gate_rows(gate, hidden_size)
        of_input(parameters["weight_ih"][rows], gain)
        of_state(parameters["weight_hh"][rows], gain)
    for name in ("bias_ih", "bias_hh", "peephole"):
        if name in parameters:
            if scheme == "uniform":
                nn.init.uniform_(parameters[name], -gain, gain)
            else:
                nn.init.zeros_(parameters[name])
    if forget_bias is not None and "forget" in cell.gates:
        rows = cell.gate_rows("forget", hidden_size)
        parameters["bias_ih"][rows] = forget_bias
        parameters["bias_hh"][rows] = 0.0
