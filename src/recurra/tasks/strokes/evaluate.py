"""The metrics of a model of drawings and of a plain one on the same held-out drawings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from recurra.errors import UsageError
from recurra.ink import LIFTED, Ink
from recurra.metrics import drawing_scores, resampled
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.strokes.baselines import GaussianByPen
from recurra.tasks.strokes.batches import noisy_steps
from recurra.tasks.strokes.config import GenerateOptions
from recurra.tasks.strokes.data import Split, condition_ids
from recurra.tasks.strokes.network import StrokeNetwork
from recurra.tasks.strokes.predict import DrawingModel
from recurra.tasks.strokes.preprocessing import StrokePreprocessor
from recurra.tasks.strokes.results import ink_to_json, to_lines
from recurra.tasks.strokes.sampling import Drawn, Manner, Prefix, draw, score

MAX_SHOWN = 8
TEMPERATURES = (0.1, 0.4, 0.7, 1.0)
MAX_JUDGED = 2_000
MAX_WRITTEN = 100
"""Held-out texts that are written, to see how often the window comes to their end."""
_REACHED = 1.0
"""Letters before the last one from which on the window has reached the end."""
_SEED = 0


def likelihood(model: DrawingModel, split: Split, *, exact: bool = True) -> dict[str, float]:
    """Give how likely drawings are: nats for each point and each drawing."""
    return drawing_scores(score(_network(model), split, model.preprocessor, in_exact_mode=exact))


def _network(model: DrawingModel) -> StrokeNetwork:
    return cast(StrokeNetwork, model.network)


def evaluate(
    model: DrawingModel,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    judge: Any,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a model of drawings on a split: the object that `evaluate` prints.

    train: what the plain one learns from; None: none is measured.  judge: a classifier that says what new drawings show, or None.
    """
    progress("measuring the model")
    preprocessor = model.preprocessor
    log_probs = score(_network(model), split, preprocessor)
    metrics = drawing_scores(log_probs)
    points = split.lengths
    sums = np.array([float(steps.sum() + pens.sum()) for steps, pens in log_probs])
    details: dict[str, Any] = {
        "drawings": len(split),
        "unit": preprocessor.unit,
        "notes": [f"{len(split):,} drawings, {int(points.sum()):,} points", *notes],
        "intervals": {}
        if len(split) == 1
        else {"nll": resampled(lambda rows: -float(sums[rows].sum() / points[rows].sum()), len(split))},
    }
    progress("drawing")
    details |= _drawings(model, split)
    if preprocessor.condition == "text":
        written = _written(model, split)
        metrics["window_reached"] = written.pop("window_reached")
        details |= written
    if judge is not None:
        progress("asking the classifier what was drawn")
        judged = _Judge(judge, preprocessor)
        metrics["judged_accuracy"] = judged.of_drawn(model, split)
        details["notes"].append(judged.note(split))
    baselines = {}
    if train is not None:
        progress("measuring the baseline")
        baselines = {GaussianByPen.name: baseline_scores(preprocessor, train, split)}
    return {
        "task": model.name,
        "data": name,
        "count": int(points.sum()),
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def baseline_scores(preprocessor: StrokePreprocessor, train: Split, split: Split) -> dict[str, float]:
    """Give how likely held-out drawings are by a normal distribution for each pen state, in the same unit and with the same noise."""
    steps, held = (
        [preprocessor.encode(noisy_steps(part, row, preprocessor.noise)) for row in range(len(part))]
        for part in (train, split)
    )
    plain = GaussianByPen().fit(steps, train.pens)
    return drawing_scores([plain.log_probs(some, pens) for some, pens in zip(held, split.pens, strict=True)])


def check_judge(predictor: Any, preprocessor: StrokePreprocessor) -> None:
    """Raise `UsageError` where a predictor cannot say what drawings show, or these are not drawn by label."""
    if predictor.name != "classify":
        raise UsageError(f"judge: expected a run of classify, got one of {predictor.name}")
    if preprocessor.condition != "label":
        raise UsageError("judge: this run does not draw by label; leave --judge out")


class _Judge:
    """A classifier that is asked what drawings show; it reads steps (N, 3), dx, dy and whether the pen is lifted after, in units of the data."""

    def __init__(self, predictor: Any, preprocessor: StrokePreprocessor) -> None:
        self._predictor, self._preprocessor = predictor, preprocessor

    def of_drawn(self, model: DrawingModel, split: Split) -> float:
        """Give the share of new drawings, one for each held-out one, that the classifier gives the label they are drawn by."""
        chosen = evenly_spaced(len(split), MAX_JUDGED)
        starts = [Prefix.nothing(split.ids[row]) for row in chosen]
        drawn = model.draw_from(starts, GenerateOptions(seed=_SEED))
        values = [self._values(one.steps * self._preprocessor.unit, one.pens) for one in drawn]
        return self._accuracy(values, [split.texts[row] for row in chosen])

    def note(self, split: Split) -> str:
        """Say how the classifier does on real drawings."""
        values = [self._values(steps, pens) for steps, pens in zip(split.steps, split.pens, strict=True)]
        return f"the classifier gives {self._accuracy(values, split.texts):.1%} of the real drawings their label; new ones are drawn at temperature 1, one for each"

    @staticmethod
    def _values(steps: np.ndarray, pens: np.ndarray) -> np.ndarray:
        return np.concatenate([steps, (pens >= LIFTED)[:, None]], 1).astype(np.float32)

    def _accuracy(self, values: list[np.ndarray], labels: Sequence[str | None]) -> float:
        results = self._predictor.predict(values)
        return float(np.mean([result["label"] == label for result, label in zip(results, labels, strict=True)]))


def _drawings(model: DrawingModel, split: Split) -> dict[str, Any]:
    """Give some held-out drawings, new ones by the same labels or texts at several temperatures, and halves that were finished."""
    rows = evenly_spaced(len(split), MAX_SHOWN)
    ids = [split.ids[row] for row in rows]
    captions = [split.texts[row] or "" for row in rows] if model.preprocessor.condition != "none" else []
    shown = {
        f"{temperature:g}": [
            ink_to_json(ink) for ink, _ in draw_inks(model, [Prefix.nothing(each) for each in ids], temperature)
        ]
        for temperature in TEMPERATURES
    }
    halves = [half_of(model.preprocessor, split, row) for row in rows]
    finished = draw_inks(model, halves, TEMPERATURES[1])
    return {
        "held_out": [ink_to_json(split.inks[row]) for row in rows],
        "captions": captions,
        "samples": shown,
        "halves": {
            "known": [ink_to_json(model.preprocessor.to_ink(half.steps, half.pens)) for half in halves],
            "finished": [ink_to_json(ink) for ink, _ in finished],
        },
    }


def half_of(preprocessor: StrokePreprocessor, split: Split, row: int) -> Prefix:
    """Give the first half of a drawing's points, its last stroke as it is."""
    count = max(1, len(split.pens[row]) // 2)
    return Prefix(preprocessor.encode(split.steps[row][:count]), split.pens[row][:count], split.ids[row])


def draw_inks(
    model: DrawingModel, starts: Sequence[Prefix], temperature: float, seed: int = _SEED
) -> list[tuple[Ink, Drawn]]:
    """Go on with drawings; gives each as a whole, and what is new."""
    preprocessor = model.preprocessor
    manner = Manner(max(len(start.pens) for start in starts) + preprocessor.default_length, temperature)
    found = draw(_network(model), starts, preprocessor.condition, manner, seed)
    return [
        (
            preprocessor.to_ink(np.concatenate([start.steps, one.steps]), np.concatenate([start.pens, one.pens])),
            one,
        )
        for start, one in zip(starts, found, strict=True)
    ]


def _written(model: DrawingModel, split: Split) -> dict[str, Any]:
    """Write held-out texts, and tell how often the window comes to their end; gives where it looked in one of them."""
    rows = evenly_spaced(len(split), MAX_WRITTEN)
    starts = [Prefix.nothing(split.ids[row]) for row in rows]
    options = GenerateOptions(seed=_SEED, bias=0.75, text="written")
    drawn = model.draw_from(starts, options)
    reached = [_reaches_end(one) for one in drawn]
    shortest = min(range(len(rows)), key=lambda at: abs(len(split.texts[rows[at]] or "") - MAX_SHOWN))
    return {
        "window_reached": float(np.mean(reached)),
        "window": {"text": split.texts[rows[shortest]], "weights": _normalised(drawn[shortest].looked)},
    }


def _reaches_end(drawn: Drawn) -> bool:
    """Tell whether the pen ended a text by itself, with the window at its last letters."""
    if not drawn.is_over or drawn.looked is None:
        return False
    last = drawn.looked[-1]
    return bool(last.sum()) and float(last @ np.arange(len(last)) / last.sum()) >= len(last) - 1 - _REACHED


def _normalised(looked: np.ndarray | None) -> list[list[float]]:
    """Give weights (N, S) as at most 60 rows, each by its greatest."""
    if looked is None or not len(looked):
        return []
    some = looked[evenly_spaced(len(looked), 50)]
    return np.round(some / np.maximum(some.max(1, keepdims=True), 1e-9), 3).tolist()


def preview(model: DrawingModel, seed: int) -> str:
    """Draw something new, for a person who watches the training."""
    preprocessor = model.preprocessor
    name = None
    if preprocessor.condition == "label":
        name = preprocessor.names[seed % len(preprocessor.names)]
    elif preprocessor.condition == "text":
        letters = preprocessor.names
        name = "".join(letters[(seed + at) % len(letters)] for at in range(5))
    ((ink, _),) = draw_inks(model, [Prefix.nothing(condition_ids(name, preprocessor))], TEMPERATURES[1], seed)
    return to_lines(ink, height=24, width=48)
