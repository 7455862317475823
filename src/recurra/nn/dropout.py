"""Dropout as recurrent networks need it: over features with one mask for all time steps, and over recurrent weights."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from recurra.arguments import checked, explained
from recurra.errors import UsageError


def check_share(name: str, p: float) -> float:
    """Give a share to drop; raises `UsageError` unless it is from 0 up to, but not including, 1."""
    if not 0 <= p < 1:
        raise UsageError(f"{name}: expected a share from 0 up to, but not including, 1; got {p}")
    return p


class Dropout(nn.Module):
    """Dropout on (T, B, F); `variational` draws one mask (B, F) for all T steps (Gal & Ghahramani 2016, arXiv:1512.05287v5).

    >>> import torch
    >>> y = Dropout(0.5, variational=True)(torch.ones(4, 2, 8))
    >>> bool((y[0] == y[3]).all())
    True
    """

    @checked
    def __init__(self, p: float, *, variational: bool = False) -> None:
        super().__init__()
        self.p, self.variational = check_share("dropout", p), variational

    @explained
    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if not self.variational:
            return F.dropout(x, self.p)
        return x * F.dropout(x.new_ones(1, *x.shape[1:]), self.p)

    def extra_repr(self) -> str:
        return f"p={self.p}, variational={self.variational}"


def drop_weight(weight: Tensor, p: float, training: bool) -> Tensor:
    """DropConnect on a recurrent weight: one mask for all steps (Merity et al. 2017, arXiv:1708.02182, section 3).

    Unlike dropout on the state it leaves the recurrence itself alone, so every fast kernel still computes it.
    """
    return F.dropout(weight, p) if training and p > 0 else weight
