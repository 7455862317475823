"""A language model that learns from the text that it is measured on, once it has predicted it: a cache of the recent past, and dynamic evaluation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from recurra.nn import State, map_state
from recurra.tasks.lm.data import Split
from recurra.tasks.lm.mixture import Mixture, mixture_of
from recurra.tasks.lm.network import LanguageNetwork
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.scoring import Item, Scored, document_item

SEGMENT = 20
"""Units that are predicted before the next gradient is taken; of a cache only the time depends on it."""
SHARPNESSES = (2.0, 5.0, 10.0, 20.0)
SIZES = (500, 2000)
RATES = (0.0005, 0.001, 0.002, 0.004)
DECAYS = (0.002, 0.02)
MAX_UNITS_CACHED, MAX_UNITS_DYNAMIC = 40_000, 8_000
"""Validation units by which the parameters are chosen."""
SEGMENTS_OF_GRADIENTS = 300
"""Of the training text, over which the mean square of each gradient is taken."""
EPSILON = 1e-3
"""Added to the root of that, as a share of its mean: what hardly had a gradient is not thrown about."""
EM_STEPS = 30
MIN_PROB = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Cache:
    """The units that followed like states among the last `size` (Grave, Joulin & Usunier 2016, arXiv:1612.04426).

    p(w) = (1 − share) p_model(w) + share Σ_i [w = wᵢ₊₁] softmax_i(sharpness hᵢ·h / mean |h|²)
    """

    sharpness: float
    size: int
    share: float


@dataclass(frozen=True)
class Dynamic:
    """Gradient steps on what was just read (Krause et al. 2018, arXiv:1709.07432v2, with normalised updates and decay).

    θ ← θ − rate g / √m + decay (θ₀ − θ) √m / mean √m, where m is the mean square of the gradient in training.
    """

    rate: float
    decay: float


@dataclass(frozen=True)
class Adaptation:
    """What a model learns by as it reads; None: not so."""

    cache: Cache | None = None
    dynamic: Dynamic | None = None


def describe(adaptation: Adaptation) -> str:
    """Say what was chosen.

    >>> describe(Adaptation(Cache(5.0, 500, 0.1), Dynamic(0.001, 0.02)))
    'a cache of 500 units, which counts 10%, sharpness 5; dynamic evaluation at rate 0.001, decay 0.02'
    """
    cache, dynamic = adaptation.cache, adaptation.dynamic
    parts = []
    if cache:
        parts.append(f"a cache of {cache.size:,} units, which counts {cache.share:.0%}, sharpness {cache.sharpness:g}")
    if dynamic:
        parts.append(f"dynamic evaluation at rate {dynamic.rate:g}, decay {dynamic.decay:g}")
    return "; ".join(parts)


class AdaptiveReader:
    """Reads texts in their order and predicts each unit before it learns from it.

    roots: √m of each parameter, for dynamic evaluation.
    """

    def __init__(
        self, network: LanguageNetwork, mixture: Mixture | None, adaptation: Adaptation, roots: Sequence[Tensor] = ()
    ) -> None:
        self.network = deepcopy(network).eval() if adaptation.dynamic else network.eval()
        self.mixture, self.adaptation = mixture, adaptation
        self.memory = _Memory(adaptation.cache.size if adaptation.cache else 0)
        self._first = [p.detach() for p in network.parameters()] if adaptation.dynamic else []
        self._roots = list(roots)
        self._mean = float(torch.cat([root.flatten() for root in roots]).mean()) if roots else 0.0

    def read(self, items: Sequence[Item]) -> list[Scored]:
        """Score items, one after the other."""
        scored = []
        for item in items:
            parts = [self._score(*part) for part in self._segments(item)]
            log_probs, top1 = (np.concatenate(each) for each in zip(*parts, strict=True))
            scored.append(Scored(log_probs, top1))
        return scored

    def _segments(self, item: Item) -> Iterator[tuple[Tensor, Tensor, Tensor, np.ndarray | None]]:
        """Give the hidden states, the logits, the targets and the places of the contexts, segment by segment, and learn from each afterwards."""
        state = self.network.zero_state(1)
        places = None if self.mixture is None else self.mixture.table.places(item.inputs)
        for first in range(0, len(item.inputs), SEGMENT):
            some = slice(first, first + SEGMENT)
            ids, targets = (torch.from_numpy(np.asarray(each[some], np.int64)) for each in (item.inputs, item.targets))
            hidden, logits, state = self._run(ids, state)
            yield hidden.detach(), logits.detach(), targets, None if places is None else places[some]
            if self.adaptation.dynamic is not None:
                self._learn(logits, targets, self.adaptation.dynamic)

    def _run(self, ids: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        device = next(self.network.parameters()).device
        with torch.set_grad_enabled(self.adaptation.dynamic is not None):
            hidden, logits, state = self.network.read(ids[:, None].to(device), state)
        return hidden[:, 0], logits[:, 0].float(), map_state(Tensor.detach, state)

    def _score(
        self, hidden: Tensor, logits: Tensor, targets: Tensor, places: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        probs = _probs(logits, self.mixture, places)
        if self.adaptation.cache is not None:
            share = self.adaptation.cache.share
            weights, units = self.memory.weights(hidden, [self.adaptation.cache.sharpness])
            cached = torch.zeros_like(probs).scatter_add_(1, units, weights[0].double())
            # Before anything was read there is nothing in it.
            probs = torch.where(cached.sum(1, keepdim=True) > 0, (1 - share) * probs + share * cached, probs)
        self.memory.add(hidden, targets)
        log_probs = probs.gather(1, targets[:, None])[:, 0].log()
        return log_probs.numpy(), (probs.argmax(1) == targets).numpy()

    def _learn(self, logits: Tensor, targets: Tensor, dynamic: Dynamic) -> None:
        parameters = list(self.network.parameters())
        gradients = torch.autograd.grad(F.cross_entropy(logits, targets.to(logits.device)), parameters)
        with torch.no_grad():
            for p, gradient, first, root in zip(parameters, gradients, self._first, self._roots, strict=True):
                p.addcdiv_(gradient, root + EPSILON * self._mean, value=-dynamic.rate * self._mean)
                p.add_((first - p) * (root * (dynamic.decay / self._mean)).clamp(max=1.0))

    def cached_probs(self, items: Sequence[Item], sharpnesses: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """Give the probability of each target by the model, (N,), and by caches, (sharpnesses, N), to choose a cache by."""
        model, caches = [], []
        for item in items:
            for hidden, logits, targets, places in self._segments(item):
                model.append(_probs(logits, self.mixture, places).gather(1, targets[:, None])[:, 0].numpy())
                weights, units = self.memory.weights(hidden, sharpnesses)
                caches.append((weights * (units == targets[:, None])).sum(2).numpy())
                self.memory.add(hidden, targets)
        return np.concatenate(model), np.concatenate(caches, 1)


class _Memory:
    """The last states, and the units that followed them."""

    def __init__(self, size: int) -> None:
        self._size, self._norms = size, deque[float](maxlen=1000)
        self._hidden, self._units = torch.zeros(0, 0), torch.zeros(0, dtype=torch.int64)

    def add(self, hidden: Tensor, units: Tensor) -> None:
        if not self._size:
            return
        self._norms.append(float(hidden.square().sum(1).mean()))
        hidden = hidden.cpu()
        self._hidden = torch.cat([self._hidden, hidden])[-self._size :] if len(self._units) else hidden
        self._units = torch.cat([self._units, units])[-self._size :]

    def weights(self, hidden: Tensor, sharpnesses: Sequence[float]) -> tuple[Tensor, Tensor]:
        """Give the weight of each remembered unit for each state (T, H), (sharpnesses, T, W), and the units, (T, W)."""
        units = self._units.expand(len(hidden), -1)
        if not len(self._units):
            return torch.zeros(len(sharpnesses), len(hidden), 0), units
        likeness = hidden.cpu() @ self._hidden.T / (sum(self._norms) / len(self._norms))
        return torch.stack([(sharpness * likeness).softmax(1) for sharpness in sharpnesses]), units


def _probs(logits: Tensor, mixture: Mixture | None, places: np.ndarray | None) -> Tensor:
    """Give the probabilities of a model, (T, V) float64."""
    if mixture is None or places is None:
        return logits.double().softmax(1).cpu()
    return mixture.probs(logits, places).cpu()


# Choosing the parameters


def reading_items(split: Split, model: LanguageModel, units: int | None = None) -> list[Item]:
    """Turn a split into items in their order, at most about so many units of them."""
    preprocessor = model.preprocessor
    items, left = [], units if units is not None else split.units
    for ids in split.sequences:
        if left <= 0:
            break
        items.append(document_item(ids[:left], preprocessor.bos_id, preprocessor.eos_id))
        left -= len(items[-1].targets)
    return items


def choose_adaptation(
    model: LanguageModel,
    valid: Split,
    train: Split,
    *,
    cache: bool,
    dynamic: bool,
    progress: Callable[[str], None],
) -> tuple[Adaptation, list[Tensor]]:
    """Choose by the validation text what a model learns by, and give the roots that dynamic evaluation needs."""
    network = cast(LanguageNetwork, model.network)
    mixture = mixture_of(network, model.preprocessor)
    found, roots = Adaptation(), list[Tensor]()
    if dynamic:
        progress("choosing the rate of dynamic evaluation")
        roots = gradient_roots(network, reading_items(train, model, SEGMENT * SEGMENTS_OF_GRADIENTS))
        items = reading_items(valid, model, MAX_UNITS_DYNAMIC)
        best = -np.inf
        for each in (Dynamic(rate, decay) for rate in RATES for decay in DECAYS):
            scored = AdaptiveReader(network, mixture, Adaptation(dynamic=each), roots).read(items)
            total = sum(float(one.log_probs.sum()) for one in scored)
            if total > best:  # not for what is not a number
                best, found = total, Adaptation(dynamic=each)
    if cache:
        progress("choosing the cache")
        items = reading_items(valid, model, MAX_UNITS_DYNAMIC if dynamic else MAX_UNITS_CACHED)
        found = replace(found, cache=_choose_cache(network, mixture, found, roots, items))
    return found, roots


def _choose_cache(
    network: LanguageNetwork, mixture: Mixture | None, found: Adaptation, roots: list[Tensor], items: list[Item]
) -> Cache:
    best, chosen = -np.inf, Cache(SHARPNESSES[0], SIZES[0], 0.0)
    for size in SIZES:
        reader = AdaptiveReader(network, mixture, replace(found, cache=Cache(0.0, size, 0.0)), roots)
        model, caches = reader.cached_probs(items, SHARPNESSES)
        for sharpness, cached in zip(SHARPNESSES, caches, strict=True):
            share = 0.1
            for _ in range(EM_STEPS):
                share = float((share * cached / np.maximum(share * cached + (1 - share) * model, MIN_PROB)).mean())
            total = float(np.log(np.maximum(share * cached + (1 - share) * model, MIN_PROB)).mean())
            if total > best:
                best, chosen = total, Cache(sharpness, size, share)
    return chosen


def gradient_roots(network: LanguageNetwork, items: Sequence[Item]) -> list[Tensor]:
    """Give the root of the mean square of each parameter's gradient over segments of a text."""
    network = deepcopy(network).eval()
    parameters = list(network.parameters())
    squares, count = [torch.zeros_like(p) for p in parameters], 0
    reader = AdaptiveReader(network, None, Adaptation(dynamic=Dynamic(0.0, 0.0)), [torch.ones(1)])
    for item in items:
        for first in range(0, len(item.inputs), SEGMENT):
            some = slice(first, first + SEGMENT)
            ids, targets = (torch.from_numpy(np.asarray(each[some], np.int64)) for each in (item.inputs, item.targets))
            _, logits, _ = reader._run(ids, reader.network.zero_state(1))
            gradients = torch.autograd.grad(
                F.cross_entropy(logits, targets.to(logits.device)), list(reader.network.parameters())
            )
            torch._foreach_addcmul_(squares, gradients, gradients)
            count += 1
    return [(square / max(1, count)).sqrt() for square in squares]
