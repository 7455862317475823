"""The metrics of a picture model and of plain ones on the same held-out pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from recurra.errors import UsageError
from recurra.metrics import picture_scores, resampled
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.pixels.baselines import CountedNeighbours, IndependentPixels, NearestHalf, agreement
from recurra.tasks.pixels.data import Split
from recurra.tasks.pixels.network import PixelNetwork
from recurra.tasks.pixels.predict import PictureModel
from recurra.tasks.pixels.preprocessing import PicturePreprocessor
from recurra.tasks.pixels.results import as_png_texts, to_lines
from recurra.tasks.pixels.sampling import complete, known_rows, score

MAX_COMPLETED = 500
"""Pictures of a test whose lower halves are completed, spread over all of them."""
MAX_SHOWN = 10
_SEED = 0
_GREY = 128


def likelihood(model: PictureModel, split: Split, *, exact: bool = True) -> dict[str, float]:
    """Give how likely pictures are: nats for each pixel and for each picture, and bits for each pixel."""
    found = score(cast(PixelNetwork, model.network), split.levels, in_exact_mode=exact)
    return picture_scores(found.sum((1, 2)), found[0].size)


def evaluate(
    model: PictureModel,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    judge: Any,
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a picture model on a split: the object that `evaluate` prints.

    train: what the plain ones learn from; None: none are measured.  judge: a classifier that says what completed pictures show, or None.
    """
    progress("measuring the model")
    network = cast(PixelNetwork, model.network)
    log_probs = score(network, split.levels).sum((1, 2))
    metrics = picture_scores(log_probs, split.levels[0].size)
    chosen = evenly_spaced(len(split), MAX_COMPLETED)
    originals, height = split.levels[chosen], split.levels.shape[1]
    rows = known_rows(originals, None).shape[1]
    progress(f"completing {len(chosen):,} pictures")
    likeliest, drawn = (
        complete(network, originals[:, :rows], height, temperature=temperature, seed=_SEED)
        for temperature in (0.0, 1.0)
    )
    metrics["completed_pixels"] = agreement(likeliest, originals, rows)
    details: dict[str, Any] = {
        "pictures": len(split),
        "completed": len(chosen),
        "notes": [f"{len(split):,} pictures", *notes, _completion_note(len(chosen), rows, height)],
        "intervals": {"nats_per_picture": resampled(lambda rows: -float(log_probs[rows].mean()), len(log_probs))},
        "samples": _samples(model),
        "completions": _completions(model.preprocessor, originals, likeliest, drawn, rows),
    }
    judging = None if judge is None else _Judge(judge, split, chosen, model.preprocessor)
    if judging is not None:
        progress("asking the classifier what was completed")
        metrics["judged_accuracy"] = judging.accuracy(drawn)
        details["notes"].append(judging.note(originals))
    baselines = {}
    if train is not None:
        baselines, nearest = _baselines(model.preprocessor, train, split, originals, rows, judging, progress)
        details["beside"] = nearest
    return {
        "task": model.name,
        "data": name,
        "count": split.levels.size,
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def _completion_note(count: int, rows: int, height: int) -> str:
    return f"completed pixels: rows {rows + 1} to {height} of {count:,} pictures, from the rows above, each pixel its likeliest level"


def check_judge(predictor: Any, split: Split) -> None:
    """Raise `UsageError` where a predictor cannot say what pictures show, or these have no labels."""
    if predictor.name != "classify":
        raise UsageError(f"judge: expected a run of classify, got one of {predictor.name}")
    if not split.labels:
        raise UsageError("judge: these pictures have no labels to be judged by; leave --judge out")


class _Judge:
    """A classifier that is asked what pictures show; labels: those of the chosen pictures."""

    def __init__(self, predictor: Any, split: Split, chosen: Sequence[int], preprocessor: PicturePreprocessor) -> None:
        self._predictor, self._preprocessor = predictor, preprocessor
        self._labels = [split.labels[index] for index in chosen]

    def accuracy(self, levels: np.ndarray) -> float:
        """Give the share of pictures, levels (N, H, W), that the classifier gives their labels."""
        pictures = self._preprocessor.decode(levels).astype(np.float32) / 255
        results = self._predictor.predict(list(pictures))
        return float(np.mean([result["label"] == label for result, label in zip(results, self._labels, strict=True)]))

    def note(self, originals: np.ndarray) -> str:
        """Say how the classifier does on the pictures themselves, as the model sees them."""
        return f"the classifier gives {self.accuracy(originals):.1%} of the whole pictures their label; completions are drawn, one each"


def _baselines(
    preprocessor: PicturePreprocessor,
    train: Split,
    split: Split,
    originals: np.ndarray,
    rows: int,
    judging: _Judge | None,
    progress: Callable[[str], None],
) -> tuple[dict[str, dict[str, float]], dict[str, Any]]:
    progress("measuring the baselines")
    levels = preprocessor.levels
    independent = IndependentPixels().fit(train.levels, levels)
    halves = NearestHalf().fit(train.levels, levels).complete(originals, rows)
    pixels = split.levels[0].size
    neighbours = CountedNeighbours().fit(train.levels, levels)
    found = {
        independent.name: picture_scores(independent.log_probs(split.levels), pixels)
        | {"completed_pixels": agreement(independent.complete(originals, rows), originals, rows)},
        neighbours.name: picture_scores(neighbours.log_probs(split.levels), pixels),
        NearestHalf.name: {"completed_pixels": agreement(halves, originals, rows)},
    }
    if judging is not None:
        found[NearestHalf.name]["judged_accuracy"] = judging.accuracy(halves)
    return found, {"nearest": as_png_texts(preprocessor.decode(_some(halves)))}


def _some(pictures: np.ndarray) -> np.ndarray:
    return pictures[evenly_spaced(len(pictures), MAX_SHOWN)]


def _samples(model: PictureModel) -> list[str]:
    return as_png_texts(model.preprocessor.decode(write(model, MAX_SHOWN, _SEED)))


def write(model: PictureModel, count: int, seed: int) -> np.ndarray:
    """Write new pictures, levels (count, H, W)."""
    height, width = model.preprocessor.size
    return complete(cast(PixelNetwork, model.network), np.zeros((count, 0, width), np.uint8), height, seed=seed)


def _completions(
    preprocessor: PicturePreprocessor, originals: np.ndarray, likeliest: np.ndarray, drawn: np.ndarray, rows: int
) -> dict[str, list[str]]:
    """Give some pictures, what was known of each, and two ways to go on, as PNG files."""
    known = preprocessor.decode(_some(originals))
    known[:, rows:] = _GREY
    shown = {"known": known}
    shown |= {
        name: preprocessor.decode(_some(levels))
        for name, levels in (("original", originals), ("likeliest", likeliest), ("drawn", drawn))
    }
    return {name: as_png_texts(pictures) for name, pictures in shown.items()}


def preview(model: PictureModel, seed: int) -> str:
    """Draw a new picture, for a person who watches the training."""
    return to_lines(model.preprocessor.decode(write(model, 1, seed))[0])
