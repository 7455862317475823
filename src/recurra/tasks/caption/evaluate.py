"""The metrics of a captioner and of plain ones on the same held-out pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from recurra.baselines import ConstantCaption, NearestPicture
from recurra.metrics import CaptionScores, bleu_of, caption_words, resampled
from recurra.tasks.base.inference import evenly_spaced, spread_and_worst
from recurra.tasks.caption.config import CaptionPredictOptions
from recurra.tasks.caption.data import Split
from recurra.tasks.caption.predict import Captioner
from recurra.tasks.caption.preprocessing import Picture
from recurra.tasks.caption.search import score
from recurra.text import normalise

MAX_SHOWN, MAX_OVERLAYS = 8, 4
MIN_TO_COMPARE = 2
"""Pictures from which on their captions can be exchanged."""
NEAR_SIDE = 12
"""Pixels of a picture's side that pictures are compared by."""
Words = Sequence[str]


def likelihood(captioner: Captioner, split: Split, *, exact: bool = True) -> dict[str, float]:
    """Give how likely the references are: nats for each word of a caption, its end among them."""
    values, right = score(
        captioner.caption_network, captioner.preprocessor, split.inputs, split.encoded, in_exact_mode=exact
    )
    units = sum(map(len, values))
    nll = -sum(float(one.sum()) for one in values) / units
    return {
        "nll": nll,
        "perplexity": math.exp(min(nll, 700.0)),
        "accuracy": sum(int(one.sum()) for one in right) / units,
    }


def evaluate(
    captioner: Captioner,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a captioner on a split: the object that `evaluate` prints. train: what the plain ones learn from; None: none are measured."""
    progress("measuring the model")
    pictures = pictures_of(split)
    results, _ = captioner.describe(pictures, CaptionPredictOptions())
    references = [[words_of(caption) for caption in some] for some in split.captions]
    scores = CaptionScores(references)
    written = [words_of(result["caption"]) for result in results]
    metrics = scores.measure(written) | _shuffled(scores, written)
    metrics["distinct"] = len({tuple(words) for words in written}) / len(written)
    metrics |= likelihood(captioner, split)
    details: dict[str, Any] = {
        "pictures": len(split),
        "notes": [f"{len(split):,} pictures, {split.caption_count:,} captions", *notes],
        "intervals": _intervals(scores, written),
        "examples": _examples(split, scores, written, results),
        "overlays": _overlays(captioner, pictures, split),
    }
    baselines = {} if train is None else _baselines(scores, train, split, progress)
    return {
        "task": captioner.name,
        "data": name,
        "count": split.units,
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def words_of(caption: str) -> list[str]:
    """Give the words of a caption as captions are compared by."""
    return caption_words(normalise(caption))


def pictures_of(split: Split) -> list[Picture]:
    """Give the pictures of a split as `predict` takes them."""
    features = split.features
    return [
        Picture(name, pixels, None if features is None else features[number])
        for number, (name, pixels) in enumerate(zip(split.names, split.pixels, strict=True))
    ]


def _shuffled(scores: CaptionScores, written: Sequence[Words]) -> dict[str, float]:
    """Measure each caption beside the references of another picture: what is gained without looking at the picture."""
    if len(written) < MIN_TO_COMPARE:
        return {}
    half = len(written) // 2
    exchanged = [*written[half:], *written[:half]]
    found = scores.measure(exchanged)
    return {"shuffled_bleu_4": found["bleu_4"], "shuffled_cider": found["cider"]}


def _intervals(scores: CaptionScores, written: Sequence[Words]) -> dict[str, list[float]]:
    if len(written) < MIN_TO_COMPARE:
        return {}
    terms, cider = scores.bleu_terms(written), scores.cider(written)
    return {
        "cider": resampled(lambda rows: float(cider[rows].mean()), len(cider)),
        "bleu_4": resampled(lambda rows: bleu_of(terms[rows].sum(0))[-1], len(terms)),
    }


def _examples(
    split: Split, scores: CaptionScores, written: Sequence[Words], results: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Show some pictures spread over all, and of the others those whose captions are furthest off."""
    values = scores.cider(written)
    return [
        {
            "kind": kind,
            "image": split.names[row],
            "caption": results[row]["caption"],
            "references": split.captions[row],
            "place": split.places[row],
            "cider": float(values[row]),
        }
        for kind, row in spread_and_worst(values.max() - values, MAX_SHOWN)
    ]


def _overlays(captioner: Captioner, pictures: Sequence[Picture], split: Split) -> list[dict[str, Any]]:
    """Show where was looked for each word of some captions, with the pictures themselves."""
    chosen = evenly_spaced(len(pictures), MAX_OVERLAYS)
    results, _ = captioner.describe([pictures[row] for row in chosen], CaptionPredictOptions(attention=True))
    return [
        asdict(captioner.overlay(pictures[row], result, split.captions[row]))
        for row, result in zip(chosen, results, strict=True)
    ]


def _baselines(
    scores: CaptionScores, train: Split, split: Split, progress: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    known = [[words_of(caption) for caption in some] for some in train.captions]
    found = {}
    for kind in (ConstantCaption, NearestPicture):
        progress(f"measuring the baseline {kind.title}")
        written = kind().fit(as_vectors(train), known).write(as_vectors(split))
        measured = scores.measure(written)
        found[kind.name] = measured | {"distinct": len({tuple(words) for words in written}) / len(written)}
    return found


def as_vectors(split: Split) -> np.ndarray:
    """Give pictures as vectors (N, D) that are near each other where they are alike: a few pixels, or the mean of the features."""
    if split.features is not None:
        mean = split.features.astype(np.float32).mean(1)
        return mean / np.maximum(1e-9, np.linalg.norm(mean, axis=1, keepdims=True))
    count, side = split.pixels.shape[:2]
    places = np.linspace(0, side, NEAR_SIDE + 1).round().astype(int)[:-1]
    sums = np.add.reduceat(np.add.reduceat(split.pixels.astype(np.float32), places, 1), places, 2)
    return sums.reshape(count, -1) / (side / NEAR_SIDE) ** 2


def preview(captioner: Captioner, split: Split, count: int = 3) -> str:
    """Show a few captions, for a person who watches the training."""
    chosen = evenly_spaced(len(split), count)
    pictures = pictures_of(split)
    results, _ = captioner.describe([pictures[row] for row in chosen], CaptionPredictOptions(beam=1))
    return "\n".join(
        f"{split.names[row]} → {result['caption']}  (people: {split.captions[row][0]})"
        for row, result in zip(chosen, results, strict=True)
    )
