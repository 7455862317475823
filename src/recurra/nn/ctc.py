"""Connectionist temporal classification: how likely a labelling is, over all the ways in which frames may spell it.

A network gives of each of T frames the probability of each of V labels; label 0 is the blank, "nothing here". A path of T labels spells what
is left of it when equal neighbours are made one and blanks are dropped (Graves et al. 2006, DOI 10.1145/1143844.1143891).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.arguments import explained
from recurra.errors import DataError, UsageError

BLANK = 0
"""The label of a frame in which nothing is written."""
MAX_ROWS_SHOWN = 8


@explained
def frames_needed(labels: Sequence[int] | np.ndarray) -> int:
    """Count the frames that a labelling takes at least: one for each label, and a blank between two that are equal.

    >>> frames_needed([3, 1]), frames_needed([3, 3, 3]), frames_needed([])
    (2, 5, 0)
    """
    ids = np.asarray(labels, np.int64)
    return len(ids) + int((ids[1:] == ids[:-1]).sum())


@explained
def ctc_loss(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> Tensor:
    """Give −log p of each target, (B,), summed over all paths that spell it.

    It is torch's, and never infinite: what no path can spell is an error. Gradients are those with respect to what a `log_softmax`
    has normalised. Exact to rounding in float64 and in float32.

    Args:
        log_probs: (T, B, V), natural log-probabilities; label 0 is the blank.
        targets: (B, S) int64, labels from 1 to V − 1; what stands behind a target's length is not read.
        input_lengths: (B) int64, frames of each row, from 1 to T.
        target_lengths: (B) int64, labels of each target; none is a target too.

    Raises:
        DataError: rows with more labels than their frames can spell, counting the blank between equal ones; it lists them, from 0.
        UsageError: sizes that do not fit, or labels out of range.

    >>> even = torch.full((3, 1, 2), 0.5).log()
    >>> round(float(ctc_loss(even, torch.tensor([[1]]), torch.tensor([3]), torch.tensor([1])).neg().exp()), 4)  # 6 of 8 paths
    0.75
    >>> ctc_loss(even, torch.tensor([[1, 1, 1]]), torch.tensor([3]), torch.tensor([3]))
    Traceback (most recent call last):
    ...
    recurra.errors.DataError: row 0 has fewer frames than the labels need (3 for 3 labels, which take 5); give longer inputs or shorter texts
    """
    targets, input_lengths, target_lengths = (
        each.detach().cpu().long() for each in (targets, input_lengths, target_lengths)
    )
    _check(log_probs, targets, input_lengths, target_lengths)
    longest = max(1, int(target_lengths.max()))  # torch refuses a table without columns
    if targets.shape[1] < longest:
        targets = torch.ones(len(targets), longest, dtype=torch.int64)
    if not log_probs.is_floating_point() or log_probs.dtype in (torch.float16, torch.bfloat16):
        log_probs = log_probs.float()
    targets = targets[:, :longest].to(log_probs.device)
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=BLANK, reduction="none")


def _check(log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor) -> None:
    if log_probs.ndim != 3 or log_probs.shape[2] < 1 or not log_probs.shape[1]:
        raise UsageError(f"log_probs: expected (T, B, V) with a row at least, got {tuple(log_probs.shape)}")
    frames, rows, labels = log_probs.shape
    for name, given in (("input_lengths", input_lengths), ("target_lengths", target_lengths)):
        if given.shape != (rows,):
            raise UsageError(f"{name}: expected one for each of {rows} rows, got {tuple(given.shape)}")
    if targets.ndim != 2 or len(targets) != rows:
        raise UsageError(f"targets: expected ({rows}, S), got {tuple(targets.shape)}")
    if int(input_lengths.min()) < 1 or int(input_lengths.max()) > frames:
        raise UsageError(f"input_lengths: expected 1 to {frames}, got {input_lengths.tolist()[:MAX_ROWS_SHOWN]}")
    if int(target_lengths.min()) < 0 or int(target_lengths.max()) > targets.shape[1]:
        raise UsageError(f"target_lengths: expected 0 to {targets.shape[1]}, got {target_lengths.tolist()}")
    there = torch.arange(targets.shape[1]) < target_lengths.unsqueeze(1)
    known = targets[there]
    if len(known) and not (int(known.min()) > BLANK and int(known.max()) < labels):
        raise UsageError(
            f"targets: expected labels from 1 to {labels - 1}, got {int(known.min())} to {int(known.max())}"
        )
    repeats = ((targets[:, 1:] == targets[:, :-1]) & there[:, 1:]).sum(1)
    needed = target_lengths + repeats
    short = (needed > input_lengths).nonzero()[:, 0].tolist()
    if short:
        first = short[0]
        rows_text = ", ".join(str(row) for row in short[:MAX_ROWS_SHOWN]) + (
            ", …" if len(short) > MAX_ROWS_SHOWN else ""
        )
        what = f"row {rows_text} has" if len(short) == 1 else f"rows {rows_text} have"
        raise DataError(
            f"{what} fewer frames than the labels need ({int(input_lengths[first])} for {int(target_lengths[first])} labels, "
            f"which take {int(needed[first])})",
            hint="give longer inputs or shorter texts",
        )
