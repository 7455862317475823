"""A network beside the n-gram model of the same text: the probability of what comes next is the weighted mean of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor

from recurra.baselines import KneserNey, NgramTable, last_units
from recurra.decoding import Step
from recurra.nn import State
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.tokens import TextPreprocessor

ORDER = 5
MEMORY = 2**30
"""Bytes that counting may take; of 20 million different n-grams, which are 300 MB in a run."""
TIME_SHARE, UNITS_PER_SECOND = 0.08, 250_000
"""Share of the time for training that counting may take, and about how many units of a text are counted in a second."""
BACKOFF_EDGES = (0.1, 0.3, 0.6)
"""Edges between classes of contexts, by how much of their probability they leave to shorter ones: little, where they were seen often."""
CLASSES_PER_LENGTH = len(BACKOFF_EDGES) + 1
BLOCKS = 10
"""Pieces of the validation text by which it is judged whether the n-grams help beyond chance."""
PRIOR_COUNT = 50
"""Units by which the weight in a class is drawn to that over all: a class of few units has about the latter."""
MAX_UNITS_FITTED = 400_000
EM_STEPS = 40
LEAST_SHARE = 0.005
"""Of either part, where both are kept: no unit that one of them knows is ever impossible."""
DEFAULT_SHARE = 0.7
"""The network's, where n-grams are asked for and nothing is held out to choose it by."""


def count_classes(order: int) -> int:
    """Count the classes of contexts of an n-gram model."""
    return order * CLASSES_PER_LENGTH


def context_classes(table: NgramTable, places: np.ndarray) -> np.ndarray:
    """Give the class of each context, places (N, n − 1), by the longest one that something was seen after, and how sure it is; (N,)."""
    length, backoff = np.zeros(len(places), np.int64), np.ones(len(places))
    for column, order in enumerate(table.longer):
        before = places[:, column]
        left = np.where(before >= 0, order.backoff[before], 1.0)
        followed = left < 1
        length[followed], backoff[followed] = column + 1, left[followed]
    return length * CLASSES_PER_LENGTH + np.digitize(backoff, BACKOFF_EDGES)


@dataclass(frozen=True)
class Mixture:
    """table: of the n-grams.  shares: of the network in each class of contexts, (C,)."""

    table: NgramTable
    shares: np.ndarray

    def probs(self, logits: Tensor, places: np.ndarray) -> Tensor:
        """Give the probability of every id, (B, V) float64, by the network's logits (B, V) and the places of the contexts (B, n − 1)."""
        share = torch.from_numpy(self.shares[context_classes(self.table, places)]).to(logits.device)[:, None]
        ngrams = torch.from_numpy(self.table.distributions(places)).to(logits.device)
        return ngrams.mul_(1 - share).add_(logits.double().softmax(-1).mul_(share))

    def log_probs(self, logits: Tensor, places: np.ndarray) -> Tensor:
        """Give the logarithms of `probs`."""
        return self.probs(logits, places).log_()


def mixture_of(network: LanguageNetwork, preprocessor: TextPreprocessor) -> Mixture | None:
    """Give the mixture that a run predicts by; None where the network does so alone."""
    table, shares = preprocessor.ngram, network.ngram_shares
    if table is None or shares is None:
        return None
    found = cast(Tensor, shares).cpu().numpy()
    return None if (found == 1).all() else Mixture(table, found)


def begin_state(network: LanguageNetwork, mixture: Mixture | None, rows: int = 1) -> State:
    """Give the state in which texts begin: the network's, and the places of the contexts, (rows, n − 1), where there are n-grams."""
    state = network.zero_state(rows)
    return state if mixture is None else (*state, (torch.from_numpy(mixture.table.start(rows)),))


def mixed_step(network_step: Step, mixture: Mixture | None) -> Step:
    """Give a step: ids (B,), state → log-probabilities (B, V), state; or that of the network, and its logits, where it is alone."""
    if mixture is None:
        return network_step

    def step(ids: Tensor, state: State) -> tuple[Tensor, State]:
        logits, after = network_step(ids, state[:-1])
        places = mixture.table.advance(state[-1][0].numpy(), ids.cpu().numpy())
        return mixture.log_probs(logits, places), (*after, (torch.from_numpy(places),))

    return step


# The n-grams


def count_ngrams(sequences: Sequence[np.ndarray], preprocessor: TextPreprocessor, seconds: float | None) -> NgramTable:
    """Count the n-grams of the training text, or of its last part where all would take too much memory or time.

    seconds: for all of the training, or None.
    """
    vocabulary, end = preprocessor.vocabulary, preprocessor.eos_id
    if seconds is not None:
        units = int(seconds * TIME_SHARE * UNITS_PER_SECOND)
        if sum(len(sequence) + (end is not None) for sequence in sequences) > units:
            sequences = last_units(sequences, units, end)
    model = KneserNey(ORDER, MEMORY).fit(sequences, vocabulary.size, vocabulary.bos_id, end)
    return model.table.compact()


# The weights


def fit_shares(
    network: np.ndarray, ngrams: np.ndarray, classes: np.ndarray, count: int, *, required: bool = False
) -> np.ndarray | None:
    """Give the network's share in each class, (C,), or None where n-grams make the text no likelier, but for chance.

    network: log-probability of each unit of a held-out text, (N,).  ngrams: its probability by n-grams, (N,).  classes: of the contexts, below `count`.  required: never None.
    A weight for each class, or one for all: whichever makes the half of the text likelier that it was not fitted to (Jelinek & Mercer 1980).

    >>> rng = np.random.default_rng(0)
    >>> good, bad, classes = np.full(4000, 0.5), rng.choice([0.5, 0.01], 4000), np.arange(4000) % 2
    >>> fit_shares(np.log(good), bad, classes, 2) is None, bool(fit_shares(np.log(bad), good, classes, 2)[0] < 0.1)
    (True, True)
    """
    network, ngrams, classes = (each[:MAX_UNITS_FITTED] for each in (np.exp(network), ngrams, classes))
    block = np.arange(len(network)) * BLOCKS // max(1, len(network))
    odd = block % 2 == 1
    gains = {False: np.zeros(len(network)), True: np.zeros(len(network))}
    for by_class, gain in gains.items():
        for fitted in (odd, ~odd):
            if fitted.any():
                shares = _estimate(network[fitted], ngrams[fitted], classes[fitted], count, by_class)[classes[~fitted]]
                gain[~fitted] = np.log(shares + (1 - shares) * ngrams[~fitted] / network[~fitted])
    by_class = gains[True].mean() > gains[False].mean()
    per_block = np.bincount(block, gains[by_class]) / np.maximum(1, np.bincount(block))
    if not required and not per_block.mean() > per_block.std() / np.sqrt(len(per_block)):
        return None
    return _estimate(network, ngrams, classes, count, by_class)


def _estimate(network: np.ndarray, ngrams: np.ndarray, classes: np.ndarray, count: int, by_class: bool) -> np.ndarray:
    """Find the shares under which units are likeliest, by expectation–maximisation; all are one, or each class has its own."""
    shares, units = np.full(count, 0.5), np.bincount(classes, minlength=count)
    for _ in range(EM_STEPS):
        part = shares[classes] * network
        part = part / np.maximum(part + (1 - shares[classes]) * ngrams, np.finfo(np.float64).tiny)
        mean = part.mean()
        shares = np.full(count, mean)
        if by_class:
            shares = (np.bincount(classes, part, count) + PRIOR_COUNT * mean) / (units + PRIOR_COUNT)
    return shares.clip(LEAST_SHARE, 1 - LEAST_SHARE)
