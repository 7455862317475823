"""How far back a model remembers: what changing that which lies k steps back does to an output, and how far the gradient reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recurra.errors import UsageError
from recurra.tasks.base.explanation import Explained

SHARE_LEFT = 0.05
"""Of the whole effect, below which what lies farther back counts as forgotten."""
EVERY_LAG_UP_TO, MAX_LAGS = 64, 96
"""All of the first lags are measured, and of those beyond as many as make up the rest, farther and farther apart."""
DRAWS = 4
GRADIENT_LEFT = 0.01
"""Of the gradient at its largest, below which it counts as vanished."""
EXPLODES_BY = 10.0
MIN_LAGS_TO_JUDGE = 8
GATED = "a gated cell carries it farther: train with --cell lstm or --cell gru"
OPEN_BIAS = 3.0
"""Of a forget gate that begins open: a step keeps 95 %."""
ADVICE = {
    "rnn": GATED,
    "rnn-relu": GATED,
    "gru": f"a cell with a forget gate that begins open carries it farther: train with --cell lstm --forget-bias {OPEN_BIAS:g}",
}
OPEN_GATE = (
    f"train with --forget-bias {OPEN_BIAS:g}, so that the forget gates begin open, and with longer sequences or windows"
)
CLIP = "train with --clip 1, or with a lower --lr"


@dataclass(frozen=True)
class EffectByLag:
    """lags: steps back.  hidden, shuffled, swapped: the mean change of the output where all that lies so far back, or farther, is left
    out, put in a random order, or exchanged by twos.  length: the greatest lag with 5 % of the whole effect of hiding; None where nothing
    has any.  reaches_start: whether that is the beginning of the longest input, so that the memory may be longer.
    """

    lags: list[int]
    hidden: list[float]
    shuffled: list[float]
    swapped: list[float]
    length: int | None
    reaches_start: bool


@dataclass(frozen=True)
class LayerGradient:
    """by_lag: the norm of the output's gradient by what a layer reads, at 0, 1, … steps back.  verdict: "ok", "vanishes", "explodes" or
    "too short".  sentence: what that means, and what to do.
    """

    by_lag: list[float]
    verdict: str
    sentence: str


@dataclass(frozen=True)
class Memory:
    """Of one output, or of the mean over several inputs."""

    effect: EffectByLag
    layers: list[LayerGradient]


def measure_memory(outputs: Iterable[Explained], cell: str, *, most: int, seed: int = 0) -> Memory:
    """Measure how far back some outputs remember, on average.

    outputs: asked for one by one, and none is held.  cell: that advice is given for.  most: the last step that any of them belongs to.
    """
    effects, gradients = EffectSums(most, seed=seed), GradientSums()
    for one in outputs:
        effects.add(one)
        gradients.add(one)
    return Memory(effects.mean(), gradients.judged(cell))


def chosen_lags(most: int) -> list[int]:
    """Give the lags that are measured, 0 to most.

    >>> chosen_lags(3), len(chosen_lags(5000)) <= MAX_LAGS, chosen_lags(5000)[-1]
    ([0, 1, 2, 3], True, 5000)
    """
    if most < EVERY_LAG_UP_TO:
        return list(range(most + 1))
    further = np.geomspace(EVERY_LAG_UP_TO, most, MAX_LAGS - EVERY_LAG_UP_TO).round().astype(int)
    return sorted({*range(EVERY_LAG_UP_TO), *further.tolist()})


class EffectSums:
    """What changing that which lies k or more steps back does to outputs (Khandelwal et al. 2018, arXiv:1805.04623v1), summed over them.

    most: the last step that any of them belongs to.
    """

    def __init__(self, most: int, *, seed: int = 0) -> None:
        self._lags, self._chance = chosen_lags(most), np.random.default_rng(seed)
        self._totals, self._counts = np.zeros((len(WAYS), len(self._lags))), np.zeros(len(self._lags))

    def add(self, one: Explained) -> None:
        """Change one output's input in every way, at every lag that it has; raises `UsageError` for one that is not read step by step."""
        last = last_step(one)
        reached = [lag for lag in self._lags if lag <= last]
        whole = one.arranged(np.arange(one.steps)[None])[0]
        for row, change in enumerate(WAYS):
            self._totals[row, : len(reached)] += _effects(one, whole, reached, change, self._chance)
        self._counts[: len(reached)] += 1

    def mean(self) -> EffectByLag:
        """Give the mean effects, and how far back they reach."""
        lags = self._lags
        hidden, shuffled, swapped = (self._totals / np.maximum(1, self._counts)).tolist()
        kept = [lag for lag, effect in zip(lags, hidden, strict=True) if effect > SHARE_LEFT * max(hidden)]
        length = max(kept, default=None)
        return EffectByLag(lags, hidden, shuffled, swapped, length, length is not None and length == lags[-1])


def effect_by_lag(outputs: Sequence[Explained], *, seed: int = 0) -> EffectByLag:
    """Change what lies k or more steps back, and see what that does to some outputs."""
    effects = EffectSums(max(map(last_step, outputs), default=0), seed=seed)
    for one in outputs:
        effects.add(one)
    return effects.mean()


def last_step(one: Explained) -> int:
    """Give the step that an output belongs to; raises `UsageError` where what was read has no order."""
    if one.target.step is None:
        raise UsageError("memory: this run reads its input at once, not step by step, and has none; leave it out")
    return one.target.step


Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _effects(one: Explained, whole: float, lags: list[int], change: Change, chance: np.random.Generator) -> np.ndarray:
    """Give the mean change of the output by each lag."""
    draws = DRAWS if change is _shuffle else 1
    orders = np.tile(np.arange(one.steps), (len(lags), draws, 1))
    for lag, rows in zip(lags, orders, strict=True):
        for row in rows:
            end = last_step(one) - lag + 1
            row[:end] = change(row[:end], chance)
    found = one.arranged(orders.reshape(-1, one.steps)).reshape(len(lags), draws)
    return np.abs(found - whole).mean(1)


def _hide(steps: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.full_like(steps, -1)


def _shuffle(steps: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    return chance.permutation(steps)


def _swap(steps: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Exchange neighbours, from the last on."""
    swapped = steps[::-1].copy()
    pairs = len(swapped) // 2 * 2
    swapped[:pairs] = swapped[:pairs].reshape(-1, 2)[:, ::-1].ravel()
    return swapped[::-1]


WAYS: tuple[Change, ...] = (_hide, _shuffle, _swap)


class GradientSums:
    """The gradient of outputs by what each layer reads, k steps back, summed over them; none of outputs without gradients."""

    def __init__(self) -> None:
        self._sums: list[np.ndarray] = []
        self._counts: list[np.ndarray] = []

    def add(self, one: Explained) -> None:
        """Ask one output for its gradients."""
        sums, counts = self._sums, self._counts
        for layer, norms in enumerate(one.layer_gradients()):
            step = last_step(one) if len(norms) == one.steps else len(norms) - 1
            back = norms[: step + 1][::-1]
            if layer == len(sums):
                sums.append(np.zeros(0))
                counts.append(np.zeros(0))
            longest = max(len(back), len(sums[layer]))
            sums[layer], counts[layer] = _padded(sums[layer], longest), _padded(counts[layer], longest)
            sums[layer][: len(back)] += back
            counts[layer][: len(back)] += 1

    def judged(self, cell: str) -> list[LayerGradient]:
        """Give the mean of each layer, and what it means; cell: that advice is given for."""
        means = [total / np.maximum(1, count) for total, count in zip(self._sums, self._counts, strict=True)]
        return [judge_gradient(norms, number, cell) for number, norms in enumerate(means)]


def gradients_by_lag(outputs: Sequence[Explained], cell: str) -> list[LayerGradient]:
    """Give the gradient of some outputs by what each layer reads, on average."""
    gradients = GradientSums()
    for one in outputs:
        gradients.add(one)
    return gradients.judged(cell)


def _padded(values: np.ndarray, length: int) -> np.ndarray:
    return np.concatenate([values, np.zeros(length - len(values))])


def judge_gradient(norms: np.ndarray, layer: int, cell: str) -> LayerGradient:
    """Say whether a gradient vanishes or explodes with the lag, (K,), and what to do.

    >>> judge_gradient(0.5 ** np.arange(20), 1, "rnn").verdict, judge_gradient(np.ones(20), 1, "lstm").verdict
    ('vanishes', 'ok')
    """
    by_lag = norms.tolist()
    if len(norms) < MIN_LAGS_TO_JUDGE or not norms.max(initial=0.0):
        return LayerGradient(
            by_lag, "too short", f"Layer {layer}: the input is too short to say how far the gradient reaches."
        )
    tail = max(1, len(norms) // 4)
    near, far = float(norms[:3].max()), float(np.median(norms[-tail:]))
    if far > EXPLODES_BY * near > 0:
        sentence = f"Layer {layer}: the gradient explodes: {len(norms) - 1} steps back it is {far / near:,.0f} times as large; {CLIP}."
        return LayerGradient(by_lag, "explodes", sentence)
    if far < GRADIENT_LEFT * norms.max():
        last = int(np.flatnonzero(norms >= GRADIENT_LEFT * norms.max())[-1])
        sentence = f"Layer {layer}: the gradient vanishes: more than {last} steps back less than 1 % of it is left"
        return LayerGradient(by_lag, "vanishes", f"{sentence}; if the task needs more, {ADVICE.get(cell, OPEN_GATE)}.")
    return LayerGradient(by_lag, "ok", f"Layer {layer}: the gradient reaches all {len(norms) - 1} steps back.")
