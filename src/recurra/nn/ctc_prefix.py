"""How likely the text of some frames is to begin with given labels, over all the ways in which frames may spell it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from recurra.nn.ctc import BLANK

_LOG_ZERO = -1e30
"""The logarithm of nothing: of an infinite one gradients would not be numbers."""


def ctc_prefix_log_prob(log_probs: Tensor, labels: Sequence[int]) -> Tensor:
    """Give log p that the labelling of each row begins with some labels, (B,): log_probs (T, B, V).

    It is the sum over the frames at which the last of them can come first (Graves et al. 2006, DOI 10.1145/1143844.1143891, section 3.2).

    >>> even = torch.full((2, 1, 3), 1 / 3).log()
    >>> round(float(ctc_prefix_log_prob(even, [1]).exp()), 4)  # 1, blank 1, 1 and anything: 4 of 9 paths
    0.4444
    """
    frames, rows, _ = log_probs.shape
    if not len(labels):
        return log_probs.new_zeros(rows)
    states = torch.full(
        (2 * len(labels) - 1,), BLANK, device=log_probs.device
    )  # all labels but the last, and blanks around them
    states[1::2] = torch.tensor(labels[:-1], device=log_probs.device)
    may_skip = torch.zeros(len(states), dtype=torch.bool, device=log_probs.device)
    may_skip[3::2] = states[3::2] != states[1:-2:2]
    forward = log_probs.new_full((rows, len(states)), _LOG_ZERO)
    forward[:, 0] = 0.0
    repeats = len(labels) > 1 and labels[-1] == labels[-2]
    nothing = log_probs.new_full((rows, 2), _LOG_ZERO)
    comes: list[Tensor] = []
    for frame in range(frames):
        ready = forward[:, -1] if len(states) == 1 or repeats else torch.logaddexp(forward[:, -1], forward[:, -2])
        comes.append(ready + log_probs[frame, :, labels[-1]])
        padded = torch.cat([nothing, forward], 1)
        skips = torch.where(may_skip, padded[:, :-2], nothing[:, :1])
        forward = torch.stack([forward, padded[:, 1:-1], skips]).logsumexp(0) + log_probs[frame][:, states]
    return torch.stack(comes).logsumexp(0)
