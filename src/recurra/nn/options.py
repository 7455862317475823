"""The arguments that torch's recurrent modules share, checked before anything is made of them."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import torch

from recurra.errors import ArgumentTypeError, ArgumentValueError
from recurra.formatting import shorten


def read_options(
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bias: bool,
    batch_first: bool,
    dropout: float,
    bidirectional: bool,
    proj_size: int = 0,
) -> dict[str, Any]:
    """Check the arguments that the modules share; raises `UsageError`, and says what was expected."""
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    options: dict[str, Any] = {name: _read_whole(name, value, 1) for name, value in sizes.items()}
    for name, value in (("bias", bias), ("batch_first", batch_first), ("bidirectional", bidirectional)):
        if not isinstance(value, bool | int | np.bool_) or value not in (False, True):
            raise ArgumentTypeError(f"{name}: expected True or False, got {value!r}")
        options[name] = bool(value)
    if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
        raise ArgumentValueError(f"dropout: expected a share from 0 to 1, got {dropout!r}")
    options["dropout"] = dropout
    if (projected := _read_whole("proj_size", proj_size, 0)) >= options["hidden_size"]:
        raise ArgumentValueError(f"proj_size: expected less than hidden_size = {hidden_size}, got {proj_size}")
    return {**options, "proj_size": projected} if projected else options


def refuse_projection(proj_size: int) -> None:
    """Refuse a width to project to, for a cell that has no projection: 0 is none, as in torch."""
    if proj_size != 0:
        raise ArgumentValueError(
            f"proj_size: only the outputs of an LSTM can be projected, got {proj_size!r}; leave it out"
        )


def _read_whole(name: str, value: int, least: int) -> int:
    try:
        read = operator.index(value)
    except TypeError:
        raise ArgumentTypeError(f"{name}: expected a whole number, got {value!r}") from None
    if isinstance(value, bool) or read < least:
        raise ArgumentValueError(f"{name}: expected a whole number from {least}, got {value!r}")
    return read


def placement(device: Any, dtype: Any) -> dict[str, Any]:
    """Give where weights are, and of what type; raises `UsageError` for what torch makes none of."""
    try:
        torch.empty(0, device=device, dtype=dtype, requires_grad=True)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ArgumentValueError(f"device, dtype: {shorten(reason)}") from None
    return {"device": device, "dtype": dtype}
