"""What the validation part chooses: what the language model counts, and how sure words may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from recurra.metrics import count_edits, edit_pairs
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.transcribe.config import TranscribePredictOptions
from recurra.tasks.transcribe.data import Split
from recurra.tasks.transcribe.predict import Transcriber
from recurra.tasks.transcribe.search import Searcher

WEIGHTS = (0.2, 0.4, 0.6, 0.9)
BONUSES = (0.0, 0.6, 1.2)
MAX_STEPS = 12_000
"""Steps of the network that each pair of them is tried on."""
MAX_SIGNALS = 400
MIN_WORDS, MIN_WRONG = 30, 5
"""Words, right and wrong ones, from which on their confidence is calibrated."""
NEWTON_STEPS, SMALLEST_STEP, RIDGE = 25, 1e-9, 1e-2


def calibrate(transcriber: Transcriber, split: Split) -> None:
    """Set the network's `fusion` and `confidence` by the validation part."""
    rows, preprocessor, network = _some(split), transcriber.preprocessor, transcriber.transcriber_network
    readings = [split.readings()[row] for row in rows]
    log_probs = transcriber.log_probs(readings)
    references = [preprocessor.written(split.texts[row]) for row in rows]

    def texts(options: TranscribePredictOptions) -> list[str]:
        searcher = Searcher(network, preprocessor, options)
        return [preprocessor.decode(searcher.find(values)[0].ids) for values in log_probs]

    def edits(options: TranscribePredictOptions) -> float:
        return float(count_edits(texts(options), references).characters.sum())

    # Without a language model first: one that helps nothing is left out.
    tried = [(0.0, 0.0, edits(TranscribePredictOptions(lm="none")))]
    if tried[0][2]:
        tried += [
            (weight, bonus, edits(TranscribePredictOptions(lm_weight=weight, bonus=bonus)))
            for weight in WEIGHTS
            for bonus in BONUSES
        ]
    weight, bonus, _ = min(tried, key=lambda one: one[2])
    network.fusion.copy_(torch.tensor([weight, bonus], dtype=torch.float64))
    found = Searcher(network, preprocessor, TranscribePredictOptions())
    likely, right = [], []
    for values, reference in zip(log_probs, references, strict=True):
        words = transcriber.writer.words(values, found.find(values)[0].ids)
        likely += [word.likely for word in words]
        right += right_words([word.text for word in words], reference.split())
    network.confidence.copy_(torch.tensor(fit_confidence(np.array(likely), np.array(right)), dtype=torch.float64))


def _some(split: Split) -> list[int]:
    """Give signals spread over all: as many as there is time for."""
    rows = evenly_spaced(len(split), MAX_SIGNALS)
    lengths = split.lengths[rows]
    share = min(1.0, MAX_STEPS / max(1, int(lengths.sum())))
    return rows if share == 1 else [rows[place] for place in evenly_spaced(len(rows), max(1, int(share * len(rows))))]


def right_words(written: Sequence[str], reference: Sequence[str]) -> list[bool]:
    """Tell of each word that was written whether it stands in the reference, by the fewest edits.

    >>> right_words(["a", "man", "runs"], ["a", "men", "runs"])
    [True, False, True]
    """
    return [known == word for known, word in edit_pairs(written, reference) if word]


def fit_confidence(likely: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Fit how often words that are so likely are right: σ(a · logit p + b) (Platt 1999), by Newton's steps with a little pull to 1 and 0.

    Of too few words, or where nearly all are right or wrong, nothing is learnt: (1, 0).

    >>> fit_confidence(np.full(10, 0.9), np.ones(10, bool))
    (1.0, 0.0)
    >>> slope, offset = fit_confidence(np.full(1000, 0.9), np.arange(1000) % 2 == 0)
    >>> round(float(1 / (1 + np.exp(-(slope * np.log(9) + offset)))), 2)
    0.5
    """
    wrong = int((~right.astype(bool)).sum())
    if len(right) < MIN_WORDS or min(wrong, len(right) - wrong) < MIN_WRONG:
        return 1.0, 0.0
    share = likely.clip(1e-6, 1 - 1e-6)
    inputs = np.stack([np.log(share / (1 - share)), np.ones(len(share))], 1)
    start = np.array([1.0, 0.0])
    weights = start.copy()

    def loss(weights: np.ndarray) -> float:
        logits = inputs @ weights
        return float((np.logaddexp(0, logits) - right * logits).sum() + RIDGE / 2 * ((weights - start) ** 2).sum())

    for _ in range(NEWTON_STEPS):
        sure = 1 / (1 + np.exp(-(inputs @ weights).clip(-30, 30)))
        gradient = inputs.T @ (sure - right) + RIDGE * (weights - start)
        curvature = (inputs * (sure * (1 - sure))[:, None]).T @ inputs + RIDGE * np.eye(2)
        step, before = np.linalg.solve(curvature, gradient), loss(weights)
        while loss(weights - step) > before and abs(step).max() > SMALLEST_STEP:
            step = step / 2  # far from the least loss a whole step goes beyond it, further each time
        weights = weights - step
    return float(max(0.0, weights[0])), float(weights[1])
