"""Beam search: the sequences that are likeliest as a whole, as far as a limited number of attempts can tell."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.decoding.state import State, Step, best, select_state
from recurra.errors import RunError, UsageError


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """One result of a beam search.

    Attributes:
        ids: (T,) int64, what was added to the prompt; the end mark is its last id when it ended.
        log_prob: natural log-probability of the ids given the prompt.
        score: the log-probability after length normalisation; results are sorted by it.
        ended: it came to the end mark; False when it was stopped by the length.
    """

    ids: np.ndarray
    log_prob: float
    score: float
    ended: bool


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6)^α of Wu et al. 2016 (arXiv:1609.08144v2, equation 14); 1 for every length when α = 0.

    >>> length_penalty(1, 0.6), length_penalty(7, 1.0), length_penalty(50, 0.0)
    (1.0, 2.0, 1.0)
    """
    return ((5 + length) / 6) ** alpha


def beam_search(
    step: Step,
    state: State,
    ids: Tensor,
    *,
    width: int,
    length: int,
    end: int | None,
    alpha: float = 0.0,
    count: int = 1,
    forbid: Collection[int] = (),
) -> list[Hypothesis]:
    """The likeliest continuations of one prompt.

    At every step each of the living hypotheses is continued with every id, and the `width` best of all these by
    log-probability are kept; those that came to the end mark are set aside, the others live on. With a width of 1 this
    is greedy search. A hypothesis is ranked by log p / ((5 + T) / 6)^α, where T counts the end mark.

    The search is over when none lives, when `length` ids are added (the living ones are then results too), or when no
    living one can still come before the `count`-th of those set aside: its log-probability can only fall, and the
    penalty at `length` is the most that it can gain.

    Args:
        step: one step of the model.
        state: before `ids`; leading dimension 1.
        ids: (1,) int64, the last id of the prompt (the begin mark when there is none).
        width: W, hypotheses kept at each step.
        length: the most ids to add.
        end: the id that ends a hypothesis; None for text that goes on until `length`.
        alpha: strength of the length normalisation; 0 is off, and favours short results.
        count: how many results to give, at most `width`.
        forbid: ids that are never chosen, such as the begin mark. The probabilities of the others stay as the model
            has them, so that a result's `log_prob` is what scoring the same ids gives.

    Returns:
        at most `count` results, the best score first; fewer only if there are not as many sequences.

    Raises:
        UsageError: settings that mean nothing, more than one prompt, or every id is forbidden.
        RunError: the model's scores are not numbers.

    >>> table = torch.tensor([[0.0, 0.0, 0.6, 0.4], [0, 1, 0, 0], [0, 0.4, 0.3, 0.3], [0, 0.9, 0.05, 0.05]]).log()
    >>> for found in beam_search(lambda ids, state: (table[ids], state), (), torch.tensor([0]), width=3, length=4,
    ...                          end=1, count=2, forbid=[0]):
    ...     print(found.ids.tolist(), round(np.exp(found.log_prob), 3))
    [3, 1] 0.36
    [2, 1] 0.24
    """
    _check_beam(ids, width, length, alpha, count)
    living = np.empty((1, 0), np.int64)
    scores = torch.zeros(1, dtype=torch.float64, device=ids.device)
    last, results = ids, list[Hypothesis]()
    ceiling = length_penalty(length, alpha)
    for added in range(1, length + 1):
        with torch.no_grad():
            logits, state = step(last, state)
            totals = scores[:, None] + _log_probs(logits, forbid)
            size = totals.shape[1]
            chosen = best(totals.flatten(), width)
            chosen = chosen[totals.flatten()[chosen] > -math.inf]
            rows, last, scores = chosen // size, chosen % size, totals.flatten()[chosen]
        living = np.concatenate([living[rows.cpu().numpy()], last.cpu().numpy()[:, None]], axis=1)
        ended = (last == end) if end is not None else torch.zeros_like(last, dtype=torch.bool)
        over = torch.ones_like(ended) if added == length else ended
        results += _results(living, scores, ended, over, length_penalty(added, alpha))
        results.sort(key=lambda result: -result.score)
        results = results[:count]
        going = (~over).nonzero()[:, 0]
        if not len(going):
            break
        living, last, scores = living[going.cpu().numpy()], last[going], scores[going]
        if len(results) == count and results[-1].score >= float(scores.max()) / ceiling:
            break
        state = select_state(state, rows[going])
    return results


def _check_beam(ids: Tensor, width: int, length: int, alpha: float, count: int) -> None:
    if width < 1:
        raise UsageError(f"beam: expected a width of 1 or more, got {width}")
    if not 1 <= count <= width:
        raise UsageError(f"count: expected 1 to {width} results from a beam of width {width}, got {count}")
    if length < 1:
        raise UsageError(f"length: expected 1 or more units to generate, got {length}")
    if not (alpha >= 0 and math.isfinite(alpha)):
        raise UsageError(f"alpha: expected 0 (no length normalisation) or more, got {alpha}")
    if ids.shape != (1,):
        raise UsageError(
            f"ids: expected one prompt, shape (1,), got shape {tuple(ids.shape)}: search for one at a time"
        )


def _log_probs(logits: Tensor, forbid: Collection[int]) -> Tensor:
    """Log-probabilities (B, V) float64, −∞ for the forbidden ids; the others are not scaled up for it."""
    log_probs = torch.log_softmax(logits.double(), dim=1)
    if torch.isnan(log_probs).any():
        raise RunError("expected finite scores from the model, got some that are not: its weights are damaged")
    if forbid:
        log_probs = log_probs.index_fill(1, torch.tensor(sorted(forbid), device=log_probs.device), -math.inf)
    if not (log_probs > -math.inf).any():
        raise UsageError("expected at least one id that may come next, got none: all are forbidden")
    return log_probs


def _results(living: np.ndarray, scores: Tensor, ended: Tensor, over: Tensor, penalty: float) -> list[Hypothesis]:
    rows = zip(living, scores.tolist(), ended.tolist(), over.tolist(), strict=True)
    return [Hypothesis(ids, score, score / penalty, at_end) for ids, score, at_end, leaves in rows if leaves]
