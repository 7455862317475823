"""A plain classifier of series: random convolutions and summaries, with a ridge regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from recurra.errors import UsageError
from recurra.linear.base import LinearClassifier, State, register_linear
from recurra.linear.blocks import fill_forward
from recurra.linear.checks import RidgeSettings, expect_array
from recurra.linear.features import SeriesFeatures
from recurra.linear.ridge import (
    MAX_EXAMPLES_TO_CHOOSE,
    ROWS_PER_CHUNK,
    Standardiser,
    choose,
    fit_ridge,
    products,
    sharpen,
    signed_targets,
)
from recurra.linear.summaries import features_per_channel

MIXES: tuple[Mapping[str, float], ...] = (
    {"values": 1.0},
    {"values": 0.6, "differences": 0.15, "scores": 0.15, "moments": 0.05, "levels": 0.05},
    {"values": 0.4, "differences": 0.1, "scores": 0.1, "moments": 0.2, "levels": 0.2},
    {"values": 0.2, "differences": 0.05, "scores": 0.05, "moments": 0.3, "levels": 0.3, "stretches": 0.1},
)
"""How much each group of features may count: convolutions alone, and with summaries at a tenth, two fifths, seven tenths."""
MAX_FEATURES, MIN_FEATURES = 10_000, 168
"""Convolutions' features, of all views together."""
MAX_WEIGHTS = 2_000_000
"""Weights of all classes together: 8 MB."""
MAX_NUMBERS = 2**28
"""Numbers of the training part's features: 1 GiB."""
DEFAULT_SECONDS = 15.0
LONG_SERIES = 10_000
"""Steps from which on a series takes ten times as long a step."""
LEAST_WEIGHT = 1e-6
"""Of an example, in units of the mean: one that counts nothing still gets its scores."""


@register_linear
class ConvolutionRidge(LinearClassifier):
    """Ridge regression on random convolutions (MiniRocket) and on plain statistics of a series, whose scores are probabilities.

    Penalty and weights of the groups of features are chosen by the log loss of each training series by the others, which ridge
    regression gives exactly; so is the factor by which scores become logits.

    Each channel is brought to mean 0 and deviation 1 by the training steps; a missing value is the last one before it. Every
    feature is a count, a sum or an extreme up to a step, so that a stream gives after each step what `logits` gives of the
    series up to it: counts and extremes to the bit, the rest to the rounding of float32, since a product of matrices adds
    one row in another order than many.

    Args:
        seed: of the convolutions.

    Attributes:
        classes: how many there are.
        multi: whether an example may have several labels.
        mix: what each group of features counts.
        penalty: of the weights.
        held_out: the logits of each training series by a model of the others, (N, C); not saved.

    >>> waves = [np.sin(np.arange(30) * speed + at)[:, None] for at in range(6) for speed in (0.2, 0.8)]
    >>> model = ConvolutionRidge()
    >>> model.fit(waves, np.array([0, 1] * 6), classes=2).held_out.argmax(1).tolist() == [0, 1] * 6
    True
    >>> model.logits([np.sin(np.arange(40) * 0.75)[:, None]]).argmax(1).tolist()
    [1]
    """

    kind, title = "series", "random convolutions alone"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.classes, self.multi, self.penalty = 0, False, 0.0
        self.held_out = np.zeros((0, 0), np.float32)
        self.mix: Mapping[str, float] = {}
        self._centre = self._spread = np.zeros(0)
        self._features: SeriesFeatures | None = None
        self._standardiser = Standardiser(torch.zeros(0), torch.zeros(0))
        self._weights, self._intercept = torch.zeros(0, 0), torch.zeros(0)

    def fit(
        self,
        sequences: Sequence[np.ndarray],
        targets: np.ndarray,
        classes: int,
        *,
        weights: np.ndarray | None = None,
        seconds: float | None = None,
    ) -> Self:
        """Learn from series (T, channels); `held_out` then has the logits of each by a model of the others, float32 (N, C).

        seconds: about how long it may take on one core, by an estimate from the sizes: with less time, fewer convolutions.
        None: `DEFAULT_SECONDS`.  The others are those of `LinearClassifier.fit`.

        Raises:
            UsageError: nothing to learn from, targets that do not fit, or series that differ in their channels.
        """
        if not len(sequences):
            raise UsageError("sequences: expected at least one to learn from, got none: is the data empty?")
        wanted = signed_targets(targets, classes)
        if len(wanted) != len(sequences):
            raise UsageError(f"targets: expected one for each of {len(sequences)} sequences, got {len(wanted)}")
        share = _shares(weights, len(sequences))
        self.classes, self.multi = classes, np.ndim(targets) == 2
        self._centre, self._spread = _measure(sequences, np.shape(sequences[0])[-1])
        prepared = self._prepare(sequences)
        count = features_for(prepared, classes, DEFAULT_SECONDS if seconds is None else seconds)
        self._features = SeriesFeatures(count, self.seed).fit(prepared)
        table = torch.from_numpy(self._features.table(prepared))
        self._standardiser = Standardiser.of(table)
        for rows in table.split(ROWS_PER_CHUNK):
            rows.copy_(self._standardiser.apply(rows))
        self.held_out = self._fit_table(table, wanted, share)
        return self

    def _fit_table(self, table: Tensor, wanted: Tensor, share: Tensor) -> np.ndarray:
        """Learn from standardised features (N, F); gives the logits left out."""
        features = self._fitted()
        alive = self._standardiser.inverse > 0
        groups = {name: torch.arange(table.shape[1])[part] for name, part in features.groups().items()}
        sizes = {name: max(1, int(alive[places].sum())) for name, places in groups.items()}
        some = drawn(len(table), MAX_EXAMPLES_TO_CHOOSE, self.seed)
        grams = {name: products(table[some][:, places]) / sizes[name] for name, places in groups.items()}
        self.mix, self.penalty = choose(grams, MIXES, wanted[some], share[some], multi=self.multi)
        scale = torch.zeros(table.shape[1])
        for name, weight in self.mix.items():
            scale[groups[name]] = (weight / sizes[name]) ** 0.5
        kept = torch.cat([groups[name] for name in groups if name in self.mix])
        table, scale = (table, scale) if len(kept) == len(scale) else (table[:, kept], scale[kept])
        table *= scale
        found = fit_ridge(table, wanted, self.penalty, share)
        held_out = found.held_out if len(table) > 1 else torch.zeros_like(found.held_out)
        factor, _ = sharpen(held_out.double(), wanted, share, multi=self.multi)
        features.keep(self.mix)
        self._standardiser = Standardiser(self._standardiser.mean[kept], self._standardiser.inverse[kept])
        self._weights, self._intercept = found.weights * scale[:, None] * factor, found.intercept * factor
        return (held_out * factor).numpy()

    def logits(self, sequences: Sequence[np.ndarray]) -> np.ndarray:
        """Give the logits of each class, or of each label, float32 (N, C).

        Raises:
            UsageError: `fit` was not called, or series with other channels than those it had.
        """
        features = self._fitted()
        found = np.empty((len(sequences), self.classes), np.float32)
        for start in range(0, len(sequences), ROWS_PER_CHUNK):
            prepared = self._prepare(sequences[start : start + ROWS_PER_CHUNK])
            found[start : start + ROWS_PER_CHUNK] = self._score(torch.from_numpy(features.table(prepared))).numpy()
        return found

    def prior(self) -> np.ndarray:
        return np.zeros(self.classes, np.float32)

    def initial_state(self) -> State:
        """Give the state of a stream before its first step."""
        return tuple(map(torch.from_numpy, self._fitted().start(len(self._centre))))

    def step(self, element: Tensor | np.ndarray, state: State) -> tuple[np.ndarray, State]:
        """Give the logits (C,) after one more step, element (channels,) with NaN where one is missing, and the state then.

        The state that is given stays as it is.
        """
        features = self._fitted()
        raw = np.asarray(element, np.float32)
        if raw.shape != self._centre.shape:
            raise UsageError(f"element: expected ({len(self._centre)},), one for each channel, got {raw.shape}")
        found, after = features.step(self._scaled(raw), tuple(each.numpy() for each in state))
        return self._score(torch.from_numpy(found))[0].numpy(), tuple(map(torch.from_numpy, after))

    def settings(self) -> dict[str, Any]:
        """Give what is saved beside the tensors, JSON values."""
        return {
            "seed": self.seed,
            "classes": self.classes,
            "multi": self.multi,
            "mix": dict(self.mix),
            "penalty": self.penalty,
        }

    def tensors(self) -> dict[str, Tensor]:
        """Give what was learnt, by names."""
        own = {
            "centre": torch.from_numpy(self._centre),
            "spread": torch.from_numpy(self._spread),
            "mean": self._standardiser.mean,
            "inverse": self._standardiser.inverse,
            "weights": self._weights,
            "intercept": self._intercept,
        }
        kept = {f"features.{name}": torch.from_numpy(value) for name, value in self._fitted().arrays().items()}
        return {name: value.contiguous() for name, value in {**own, **kept}.items()}

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        """Make the model again from its `settings()` and `tensors()`; raises `ValueError` or `KeyError` for those that do not fit."""
        read, arrays = RidgeSettings.model_validate(settings), {name: value.numpy() for name, value in tensors.items()}
        model = cls(read.seed)
        model.classes, model.multi, model.mix, model.penalty = read.classes, read.multi, read.mix, read.penalty
        model._centre = expect_array(arrays, "centre", arrays["centre"].dtype, None)
        channels = len(model._centre)
        model._spread = expect_array(arrays, "spread", arrays["spread"].dtype, channels)
        named = {name.split(".", 1)[1]: value for name, value in arrays.items() if "." in name}
        model._features = SeriesFeatures.from_arrays(named, channels)
        count = max(part.stop for part in model._features.groups().values())
        for name in ("mean", "inverse"):
            expect_array(arrays, name, np.float32, count)
        expect_array(arrays, "weights", np.float32, count, read.classes)
        expect_array(arrays, "intercept", np.float32, read.classes)
        model._standardiser = Standardiser(tensors["mean"], tensors["inverse"])
        model._weights, model._intercept = tensors["weights"], tensors["intercept"]
        return model

    def _fitted(self) -> SeriesFeatures:
        if self._features is None:
            raise UsageError("ConvolutionRidge has learnt nothing yet: call fit first")
        return self._features

    def _score(self, table: Tensor) -> Tensor:
        return self._standardiser.apply(table) @ self._weights + self._intercept

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        return ((values - self._centre) / self._spread).astype(np.float32)

    def _prepare(self, sequences: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Bring series to the scale of the training part, without gaps; one without steps has one of the mean."""
        width = len(self._centre)
        for number, each in enumerate(sequences):
            if np.ndim(each) != 2 or np.shape(each)[1] != width:
                raise UsageError(
                    f"sequences: expected series (steps, {width} channels), got {np.shape(each)} at place {number}"
                )
        nothing = np.zeros((1, width), np.float32)
        return [fill_forward(self._scaled(each)) if len(each) else nothing for each in sequences]


def features_for(sequences: Sequence[np.ndarray], classes: int, seconds: float) -> int:
    """Give how many features of convolutions are affordable, by an estimate from the sizes."""
    count, steps = len(sequences), sum(map(len, sequences))
    channels = sequences[0].shape[1]
    summaries = channels * features_per_channel(channels)
    found = MAX_FEATURES
    while found > MIN_FEATURES:
        both = found + min(found, summaries)
        within = count * both <= MAX_NUMBERS and classes * both <= MAX_WEIGHTS
        if within and _cost(count, steps, both) <= seconds:
            break
        found = int(found * 0.85)
    return max(MIN_FEATURES, found)


def _cost(count: int, steps: int, features: int) -> float:
    """Estimate the seconds of one core: a comparison for each step and feature, and two products of matrices."""
    fewer, more = min(count, features), max(count, features)
    # What is kept of a long series does not fit into a core's cache.
    per_step = 1e-8 if steps > LONG_SERIES * count else 1e-9
    return per_step * steps * features + 1.2e-10 * fewer * fewer * (fewer + more)


def drawn(count: int, limit: int, seed: int) -> Tensor:
    """Draw so many places at most, ascending. By chance, since labels that take turns would defeat any even step."""
    chosen = np.random.default_rng(seed).permutation(count)[:limit]
    return torch.from_numpy(np.sort(chosen))


def _shares(weights: np.ndarray | None, count: int) -> Tensor:
    """Give what each example counts, 1 on average, never nothing; float64 (N,)."""
    if weights is None:
        return torch.ones(count, dtype=torch.float64)
    found = np.asarray(weights, np.float64)
    if found.shape != (count,) or not np.isfinite(found).all() or found.min() < 0 or found.sum() <= 0:
        raise UsageError(f"weights: expected {count} finite numbers, none below 0 and one above, got {found.shape}")
    return torch.from_numpy(np.maximum(found / found.mean(), LEAST_WEIGHT))


def _measure(sequences: Sequence[np.ndarray], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and deviation of the training steps of each channel, float64 (C,)."""
    count, total, squares = np.zeros(width), np.zeros(width), np.zeros(width)
    for each in sequences:
        if np.ndim(each) != 2 or np.shape(each)[1] != width:
            raise UsageError(f"sequences: expected series (steps, {width} channels), got {np.shape(each)}")
        there = np.isfinite(each)
        count += there.sum(0)
        total += np.where(there, each, 0).sum(0, dtype=np.float64)
    mean = total / np.maximum(count, 1)
    for each in sequences:
        squares += (np.where(np.isfinite(each), each - mean, 0) ** 2).sum(0, dtype=np.float64)
    deviation = np.sqrt(squares / np.maximum(count, 1))
    return mean, np.where(deviation <= 1e-6 * np.maximum(1, np.abs(mean)), 1.0, deviation)
