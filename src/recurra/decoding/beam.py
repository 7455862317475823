"""Beam search: the sequences that are likeliest as a whole, as far as a limited number of attempts can tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurra.decoding.state import State, Step, select_state, top_indices
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


@dataclass(frozen=True)
class SearchOptions:
    """What a beam search looks for.

    Attributes:
        width: W, hypotheses of a prompt that are kept at each step.
        length: the most ids to add.
        end: the id that ends a hypothesis; None for text that goes on until `length`.
        length_penalty: α, the strength of the length normalisation; 0 is off, and favours short results.
        count: how many results to give for a prompt, at most `width`.
        enough: how many hypotheses of a prompt have to end for its search to be over, if none that lives is better then;
            None: it goes on until nothing better can come.
        before: how long each prompt is, where that is to count for the normalisation.
        forbid: ids that are never chosen, such as the begin mark. The probabilities of the others stay as the model
            has them, so that a result's `log_prob` is what scoring the same ids gives.

    Raises:
        UsageError: settings that mean nothing.
    """

    width: int
    length: int
    end: int | None
    length_penalty: float = 0.0
    count: int = 1
    enough: int | None = None
    before: int = 0
    forbid: Collection[int] = ()

    def __post_init__(self) -> None:
        if self.width < 1:
            raise UsageError(f"beam: expected a width of 1 or more, got {self.width}")
        if not 1 <= self.count <= self.width:
            raise UsageError(
                f"count: expected 1 to {self.width} results from a beam of width {self.width}, got {self.count}"
            )
        if self.length < 1:
            raise UsageError(f"length: expected 1 or more units to generate, got {self.length}")
        if not (self.length_penalty >= 0 and math.isfinite(self.length_penalty)):
            raise UsageError(f"length_penalty: expected 0 (no length normalisation) or more, got {self.length_penalty}")

    def divisor(self, length: int) -> float:
        """((5 + length) / 6)^α of Wu et al. 2016 (arXiv:1609.08144v2, equation 14); 1 for every length when α = 0.

        >>> plain, usual = (SearchOptions(width=1, length=9, end=None, length_penalty=alpha) for alpha in (0.0, 1.0))
        >>> plain.divisor(50), usual.divisor(1), usual.divisor(7)
        (1.0, 1.0, 2.0)
        """
        return ((5 + self.before + length) / 6) ** self.length_penalty


def beam_search(
    step: Step,
    state: State,
    ids: Tensor,
    options: SearchOptions,
    *,
    log_probs: Sequence[float] = (),
    adjust: Callable[[State], Tensor] | None = None,
    allowed: Callable[[State], Tensor] | None = None,
    watch: Callable[[int, np.ndarray], None] | None = None,
) -> list[list[Hypothesis]]:
    """The likeliest continuations of each of P prompts, which are searched together.

    At every step each of the living hypotheses of a prompt is continued with every id, and the `width` best of all these
    by log-probability are kept; those that came to the end mark are set aside, the others live on. With a width of 1 this
    is greedy search. A hypothesis is ranked by log p / ((5 + T) / 6)^α, where T counts the end mark.

    The search for a prompt is over when none of its hypotheses lives, when `length` ids are added (the living ones are
    then results too), or when no living one can still come before the `count`-th of those set aside: its log-probability
    can only fall, and the divisor at `length` is the most that it can gain. Its rows then leave the batch. What is found
    for a prompt depends on no other one, where a row of the step's result depends on no other row.

    Args:
        step: one step of the model, for any number of rows.
        state: before `ids`; leading dimension P.
        ids: (P,) int64, the last id of each prompt (the begin mark when there is none).
        options: what is looked for.
        log_probs: of the prompts, which results then have with their own; none by default.
        adjust: state after a step → (N,) float64 ≤ 0, which is added to the score of what ends with that step.
        allowed: state after a step → (N, V) bool, which ids may come next; None: all may. The others are not made up for, as in `forbid`.
        watch: is called with the number of a prompt, and the ids that all its hypotheses begin with by now, after each step.

    Returns:
        for each prompt at most `count` results, the best score first; fewer only if there are not as many sequences.

    Raises:
        UsageError: every id is forbidden. RunError: the model's scores are not numbers.

    >>> table = torch.tensor([[0.0, 0.0, 0.6, 0.4], [0, 1, 0, 0], [0, 0.4, 0.3, 0.3], [0, 0.9, 0.05, 0.05]]).log()
    >>> options = SearchOptions(width=3, length=4, end=1, count=2, forbid=[0])
    >>> for results in beam_search(lambda ids, state: (table[ids], state), (), torch.tensor([0, 3]), options):
    ...     print([(found.ids.tolist(), round(math.exp(found.log_prob), 3)) for found in results])
    [([3, 1], 0.36), ([2, 1], 0.24)]
    [([1], 0.9), ([3, 1], 0.045)]
    """
    living = beams = [_Beam(options, log_prob) for log_prob in log_probs or [0.0] * len(ids)]
    for added in range(1, options.length + 1):
        if not living:
            break
        with torch.no_grad():
            logits, state = step(ids, state)
            found = _likeliest(logits, options, None if allowed is None else allowed(state))
            terms = np.zeros(len(ids)) if adjust is None else adjust(state).cpu().numpy()
            rows, ends = _extend_all(living, *found, terms, added)
            if watch is not None:
                for number, beam in enumerate(beams):
                    watch(number, beam.certain())
            living, ids = [beam for beam in living if len(beam)], torch.from_numpy(ends).to(ids.device)
            state = select_state(state, torch.from_numpy(rows)) if living else state
    return [beam.results for beam in beams]


def _extend_all(
    living: list[_Beam], log_probs: np.ndarray, candidates: np.ndarray, terms: np.ndarray, added: int
) -> tuple[np.ndarray, np.ndarray]:
    """Continue the hypotheses of all beams, whose rows stand one after another; gives which rows live on, and their last ids."""
    rows, lasts, first = [], [], 0
    for beam in living:
        some = slice(first, first + len(beam))
        kept, ends = beam.extend(log_probs[some], candidates[some], terms[some], added)
        rows.append(first + kept)
        lasts.append(ends)
        first = some.stop
    return np.concatenate(rows), np.concatenate(lasts)


class _Beam:
    """The search for one prompt: its living hypotheses, and the best of those that are over."""

    def __init__(self, options: SearchOptions, log_prob: float) -> None:
        self._options = options
        self._ids = np.empty((1, 0), np.int64)  # (N, T)
        self._scores = np.array([log_prob])  # (N,)
        self._ended = 0
        self.results: list[Hypothesis] = []

    def __len__(self) -> int:
        """Count the living hypotheses."""
        return len(self._scores)

    def certain(self) -> np.ndarray:
        """Give the ids that all that may come of the search begins with."""
        every = [*self._ids, *(result.ids for result in self.results)]
        first, shortest = every[0], min(map(len, every))
        same = np.all([ids[:shortest] == first[:shortest] for ids in every], axis=0)
        return first[: int(np.argmin(np.append(same, False)))]

    def extend(
        self, log_probs: np.ndarray, candidates: np.ndarray, terms: np.ndarray, added: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Continue each of the N hypotheses with each of its K likeliest ids, to `added` ids, and keep the best.

        log_probs, candidates: (N, K), the ids and their log-probabilities, −∞ for none.  terms: (N,), added to the scores of what ends.
        Gives those that live on: which of the N each continues, (M,), and its last id, (M,).
        """
        totals = (self._scores[:, None] + log_probs).ravel()
        chosen = np.argsort(-totals, kind="stable")[: self._options.width]
        chosen = chosen[totals[chosen] > -math.inf]
        if not len(chosen):
            raise UsageError("expected at least one id that may come next, got none: all are forbidden")
        rows, last, scores = chosen // log_probs.shape[1], candidates.ravel()[chosen], totals[chosen]
        ids = np.concatenate([self._ids[rows], last[:, None]], axis=1)
        ended = last == self._options.end if self._options.end is not None else np.zeros(len(last), bool)
        over = np.ones_like(ended) if added == self._options.length else ended
        if over.any():
            self._set_aside(ids, scores, terms[rows], ended, over)
        going = np.flatnonzero(~over)
        if len(going) and (self._has_enough(scores[going], added) or self._nothing_better_can_come(scores[going])):
            going = going[:0]
        self._ids, self._scores = ids[going], scores[going]
        return rows[going], last[going]

    def _set_aside(
        self, ids: np.ndarray, scores: np.ndarray, terms: np.ndarray, ended: np.ndarray, over: np.ndarray
    ) -> None:
        divisor = self._options.divisor(ids.shape[1])
        self.results += [
            Hypothesis(ids[row], float(scores[row]), float(scores[row] / divisor + terms[row]), bool(ended[row]))
            for row in np.flatnonzero(over)
        ]
        self._ended += int(over.sum())
        self.results.sort(key=lambda result: -result.score)
        del self.results[self._options.count :]

    def _has_enough(self, scores: np.ndarray, added: int) -> bool:
        if self._options.enough is None or self._ended < self._options.enough:
            return False
        # Where few units are likely, many of those that have ended are poor ones: a living one that is better now goes on.
        now = float(scores.max()) / self._options.divisor(added)
        return len(self.results) == self._options.count and self.results[-1].score >= now

    def _nothing_better_can_come(self, scores: np.ndarray) -> bool:
        if len(self.results) < self._options.count:
            return False
        return self.results[-1].score >= float(scores.max()) / self._options.divisor(self._options.length)


def _likeliest(logits: Tensor, options: SearchOptions, allowed: Tensor | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-probabilities, float64, and the ids that may come next of each row, the likeliest first and, of equals, the
    lowest: (B, K) each, as many as a beam can need; −∞ where there are not so many. The forbidden are not made up for."""
    log_probs = torch.log_softmax(logits.double(), dim=1)  # as scoring has them, to the bit
    if torch.isnan(log_probs[:, 0]).any():  # a row has none or all
        raise RunError("expected finite scores from the model, got some that are not: its weights are damaged")
    if allowed is not None:
        logits, log_probs = (each.masked_fill(~allowed, -math.inf) for each in (logits, log_probs))
    forbidden = sorted(options.forbid)
    count = min(options.width + len(forbidden), logits.shape[1])
    found = logits.topk(min(count + 1, logits.shape[1]), dim=1)
    values, ids = found.values, found.indices[:, :count]
    if count < logits.shape[1]:
        for row in (values[:, count] == values[:, count - 1]).nonzero()[:, 0].tolist():
            # Which of equals it gives is open: the lowest are wanted.
            ids[row] = top_indices(logits[row], count)
    log_probs, ids = log_probs.gather(1, ids).cpu().numpy(), ids.cpu().numpy()
    for id in forbidden:
        log_probs[ids == id] = -math.inf
    order = np.lexsort((ids, -log_probs), axis=1)[:, : options.width]
    return np.take_along_axis(log_probs, order, 1), np.take_along_axis(ids, order, 1)
