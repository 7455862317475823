"""Rows of different lengths in one padded batch."""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.kernels import check_lengths


def padding_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """Mark where a batch x (T, B, ...) is padding: lengths (B), int64 on the CPU → true past each row's end, of x's rank.

    Raises `UsageError` where the lengths do not fit.

    >>> padding_mask(torch.tensor([2, 0]), torch.zeros(3, 2)).int().tolist()
    [[0, 1], [0, 1], [1, 1]]
    """
    check_lengths(lengths, x.shape[0], x.shape[1])
    padding = torch.arange(len(x)).unsqueeze(1) >= lengths  # (T, B)
    return padding.to(x.device).view(*padding.shape, *[1] * (x.dim() - 2))


def at_least_float32(x: Tensor) -> Tensor:
    """Give x in float32 where it has 16 bits: in these neither a long sum nor a length beyond 256 is itself."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
