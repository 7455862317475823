"""The log-odds of one tag of a sequence by a CRF, with gradients, without the rounding of probabilities near 0 and 1."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from recurra.nn.crf import CRF, _LogPartition

EXCLUDED = -1e5
"""The score of a tag that is excluded; its exp is 0, and what it is added to stays finite."""


def tag_log_odds(crf: CRF, emissions: Tensor, lengths: Tensor, step: int, tag: int, temperature: float = 1.0) -> Tensor:
    """Give log p / (1 − p), (B,), of a tag at a step, all other tags summed out: log Z with it alone there less log Z without it.

    >>> crf, x = CRF(3), torch.tensor([[[2.0, 0.0, 1.0]], [[0.0, 0.5, 0.0]]])
    >>> share = crf.marginals(x, torch.tensor([2]))[0, 0, 1]
    >>> bool(torch.allclose(tag_log_odds(crf, x, torch.tensor([2]), 0, 1), share.logit(), atol=1e-5))
    True
    """
    padding = crf._check(emissions, lengths)
    scores, start, matrix, end = (part / temperature for part in crf._read(emissions, padding))
    chosen = torch.zeros_like(scores[:, 0], dtype=torch.bool)  # (T, K)
    chosen[step, tag] = True
    others = torch.zeros_like(chosen)
    others[step] = ~chosen[step]
    with_it, without = (
        cast(
            Tensor,
            _LogPartition.apply(lengths, scores.masked_fill(excluded.unsqueeze(1), EXCLUDED), start, matrix, end),
        )
        for excluded in (others, chosen)
    )
    return with_it - without
