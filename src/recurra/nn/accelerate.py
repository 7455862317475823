"""Make the recurrent modules of any torch model Recurra's own, in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import torch
from torch import nn

from recurra.arguments import Rule, checked
from recurra.nn.recurrent import GRU, LSTM, RNN, Recurrent

_OURS: dict[type[nn.Module], type[Recurrent]] = {nn.RNN: RNN, nn.LSTM: LSTM, nn.GRU: GRU}


@dataclass(frozen=True)
class Accelerated:
    """What `accelerate` or `restore` did to a model.

    swapped: the names of the modules that are Recurra's now, or torch's again, as `named_modules` has them; the model itself is "".
    left: (name, why) of the recurrent modules that were left as they were.
    """

    swapped: list[str] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"swapped: {_displayed(name)}" for name in self.swapped]
        lines += [f"left: {_displayed(name)}: {why}" for name, why in self.left]
        return "\n".join(lines) or "the model has no recurrent modules"


@checked
def accelerate(model: Annotated[nn.Module, Rule(lambda _: True, "a torch.nn.Module")]) -> Accelerated:
    """Turn every `torch.nn.RNN`, `LSTM` and `GRU` of a model into Recurra's, in place.

    Each module stays the same object, with its parameters, buffers, hooks, mode, device and type: an optimizer, a list or
    another module that holds it goes on holding it. Only its class is another. What is not exactly one of the three is left,
    and the report says why. Raises `UsageError` for anything but a module.

    >>> model = nn.Sequential(nn.LSTM(3, 5), nn.LSTMCell(5, 5))
    >>> print(accelerate(model))
    swapped: 0
    left: 1: LSTMCell is a single step, which is torch's
    >>> type(model[0]).__module__
    'recurra.nn.recurrent'
    """
    done = Accelerated()
    for name, module in model.named_modules():
        why = _why_left(module)
        if why is not None:
            done.left.append((name, why))
        elif type(module) in _OURS:
            # The classes have no attributes but torch's, so the class is all there is to change.
            module.__class__ = _OURS[type(module)]
            done.swapped.append(name)
    return done


@checked
def restore(model: Annotated[nn.Module, Rule(lambda _: True, "a torch.nn.Module")]) -> Accelerated:
    """Turn every `RNN`, `LSTM` and `GRU` of Recurra's in a model into torch's, in place: what `accelerate` did, undone.

    For what knows torch's classes by their names, such as `torch.ao.quantization`, and for a model that is pickled whole and loaded where
    Recurra is not. Each module stays the same object. A `GravesLSTM` is left, for torch has none. Raises `UsageError` for anything but a module.

    >>> model = nn.Sequential(nn.LSTM(3, 5))
    >>> _ = accelerate(model)
    >>> print(restore(model), type(model[0]) is nn.LSTM)
    swapped: 0 True
    """
    theirs: dict[type[nn.Module], type[nn.Module]] = {ours: kind for kind, ours in _OURS.items()}
    done = Accelerated()
    for name, module in model.named_modules():
        if type(module) in theirs:
            module.__class__ = theirs[type(module)]
            done.swapped.append(name)
        elif isinstance(module, Recurrent):
            done.left.append((name, f"{type(module).__name__} has no twin in torch"))
    return done


def _why_left(module: nn.Module) -> str | None:
    """Say why a recurrent module stays as it is; None for those that are swapped, and for all that is not recurrent."""
    kind = type(module)
    if isinstance(module, Recurrent):
        return f"{kind.__name__} is Recurra's already"
    if isinstance(module, nn.RNNCellBase):
        return f"{kind.__name__} is a single step, which is torch's"
    if isinstance(module, torch.jit.ScriptModule):
        name = getattr(module, "original_name", "")
        return f"{name} is compiled by torch.jit" if name in ("RNN", "LSTM", "GRU") else None
    if kind.__module__.startswith("torch.ao."):
        return (
            f"{kind.__name__} is quantised" if any(word in kind.__name__ for word in ("RNN", "LSTM", "GRU")) else None
        )
    if not isinstance(module, nn.RNNBase):
        return None
    if nn.utils.parametrize.is_parametrized(module):
        return "its weights are parametrised (torch.nn.utils.parametrize)"
    if kind not in _OURS:
        return f"{kind.__name__} is a class of its own, made from torch's"
    if "forward" in vars(module):
        return "its forward was replaced"
    if strange := {str(weight.dtype) for weight in module.parameters() if not weight.is_floating_point()}:
        return f"its weights are {', '.join(sorted(strange))}, which Recurra's cells do not compute with"
    computed = [name for name in module._flat_weights_names if name not in module._parameters]
    if computed:
        return f"{', '.join(computed)} is computed from other parameters (weight_norm, pruning, ...)"
    return None


def _displayed(name: str) -> str:
    return name or "(the model)"
