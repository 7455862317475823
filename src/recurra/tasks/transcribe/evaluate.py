"""The metrics of a transcriber and of plain ones on the same held-out signals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.baselines import MostFrequentText, NearestSignal
from recurra.metrics import (
    Edits,
    Metric,
    character_confusions,
    count_edits,
    ratio_intervals,
    register_metric,
    reliability,
)
from recurra.tasks.base.inference import evenly_spaced
from recurra.tasks.transcribe.config import TranscribePredictOptions
from recurra.tasks.transcribe.data import Split, spellable
from recurra.tasks.transcribe.examples import shown_examples
from recurra.tasks.transcribe.predict import Transcriber
from recurra.tasks.transcribe.search import losses

register_metric(
    Metric(
        "greedy_character_error_rate",
        "character error rate, greedy",
        lower_is_better=True,
        percent=True,
        versus="difference",
    )
)
MAX_CONFUSIONS, MAX_GROUPS = 20, 100
MAX_COST = 2e10
"""Numbers that the nearest signals may be found with: some 50 seconds."""
MAX_TEXTS_NEAREST = 2_000
LENGTHS = (5, 20, 40, 80)
"""Characters of a text up to which texts are measured together."""


def likelihood(transcriber: Transcriber, split: Split, log_probs: Sequence[np.ndarray]) -> dict[str, float]:
    """Give how likely the texts are, over all ways to spell them: nats for each unit; of texts that cannot be spelt, nothing."""
    rows = spellable(split, transcriber.config.model, transcriber.preprocessor)
    if not rows:
        return {}
    found = losses([log_probs[row] for row in rows], [split.labels[row] for row in rows])
    return {"nll": float(found.sum() / sum(max(1, len(split.labels[row])) for row in rows))}


def validate(transcriber: Transcriber, split: Split) -> dict[str, float]:
    """Measure by the likeliest unit of each step."""
    readings = split.readings()
    log_probs = transcriber.log_probs(readings, exact=False)
    results = transcriber.transcribe(readings, log_probs, TranscribePredictOptions(beam=1))
    scores = _edits(transcriber, split, [result["text"] for result in results]).scores()
    return {**scores, **likelihood(transcriber, split, log_probs)}


def _edits(transcriber: Transcriber, split: Split, written: Sequence[str]) -> Edits:
    return count_edits(written, [transcriber.preprocessor.written(text) for text in split.texts])


def evaluate(
    transcriber: Transcriber,
    split: Split,
    options: TranscribePredictOptions,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a transcriber on a split: the object that `evaluate` prints. train: what the plain ones learn from; None: none are measured."""
    progress("measuring the model")
    readings = split.readings()
    log_probs = transcriber.log_probs(readings)
    results = transcriber.transcribe(readings, log_probs, options)
    plain = transcriber.transcribe(readings, log_probs, TranscribePredictOptions(beam=1))
    written = [result["text"] for result in results]
    references = [transcriber.preprocessor.written(text) for text in split.texts]
    edits = count_edits(written, references)
    greedy = count_edits([result["text"] for result in plain], references).scores()["character_error_rate"]
    metrics = {**edits.scores(), "greedy_character_error_rate": greedy, **likelihood(transcriber, split, log_probs)}
    details: dict[str, Any] = {
        "signals": len(split),
        "notes": [f"{len(split):,} signals", *_decoding_notes(transcriber, options), *notes],
        "intervals": _intervals(edits, split.groups),
        "groups": _by_group(edits, split.groups),
        "lengths": _by_length(edits),
        "confusions": _confusions(written, references),
        "reliability": _reliability(results, references),
        "examples": shown_examples(transcriber, split, edits, results, references, log_probs),
    }
    baselines = {} if train is None else _baselines(transcriber, train, split, progress, details)
    return {
        "task": transcriber.name,
        "data": name,
        "count": split.units,
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def _decoding_notes(transcriber: Transcriber, options: TranscribePredictOptions) -> list[str]:
    if options.beam == 1:
        return ["the likeliest unit of each step"]
    weight, bonus = transcriber.transcriber_network.fused
    weight = weight if options.lm_weight is None else options.lm_weight
    bonus = bonus if options.bonus is None else options.bonus
    language = (
        f"language model {options.lm}, weight {weight:g}, {bonus:g} for each unit" if weight else "no language model"
    )
    words = "" if options.words is None else f", words of {options.words}"
    return [f"search of {options.beam} texts, {language if options.lm != 'none' else 'no language model'}{words}"]


def _intervals(edits: Edits, groups: Sequence[str | None]) -> dict[str, list[float]]:
    """Draw speakers, writers or documents again, where they are known, else signals: errors of one hang together."""
    names = [str(number) if group is None else f"group {group}" for number, group in enumerate(groups)]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    if len(places) < 2:  # one speaker alone tells nothing of others
        places = {str(number): number for number in range(len(names))}
        names = list(places)
    rows = np.array([places[name] for name in names])

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(rows, values, len(places))

    return ratio_intervals(
        {
            "character_error_rate": (sums(edits.characters), sums(edits.character_count)),
            "word_error_rate": (sums(edits.words), sums(edits.word_count)),
            "error_free": (sums((edits.characters == 0).astype(float)), sums(np.ones(len(rows)))),
        }
    )


def _by_group(edits: Edits, groups: Sequence[str | None]) -> list[dict[str, Any]]:
    counts = Counter(group for group in groups if group is not None)
    if len(counts) < 2:
        return []
    found = []
    for group, count in counts.most_common(MAX_GROUPS):
        rows = np.array([row for row, one in enumerate(groups) if one == group])
        found.append({"group": group, "count": count, **edits.scores(rows)})
    return sorted(found, key=lambda one: -one["character_error_rate"])


def _by_length(edits: Edits) -> list[dict[str, Any]]:
    """Measure texts of like length together."""
    found, low = [], -1
    for high in (*LENGTHS, math.inf):
        rows = np.flatnonzero((edits.character_count > low) & (edits.character_count <= high))
        if len(rows):
            most = None if high == math.inf else int(high)
            found.append({"from": low + 1, "to": most, "count": len(rows), **edits.scores(rows)})
        low = low if high == math.inf else int(high)
    return found


def _confusions(written: Sequence[str], references: Sequence[str]) -> list[dict[str, Any]]:
    counts, known = character_confusions(written, references), Counter("".join(references))
    return [
        {"character": one, "written": other, "count": count, "of": known[one]}
        for (one, other), count in counts.most_common(MAX_CONFUSIONS)
    ]


def _reliability(results: Sequence[dict[str, Any]], references: Sequence[str]) -> list[dict[str, float]]:
    """Tell how often texts are right by how sure they were."""
    sure = np.array([result["confidence"] for result in results])
    right = [result["text"] == reference for result, reference in zip(results, references, strict=True)]
    rows = np.stack([1 - sure, sure], 1)
    # Of a text that is less sure than not, "wrong" is what is promised.
    return reliability(rows, np.array(right, np.int64))


def _baselines(
    transcriber: Transcriber,
    train: Split,
    split: Split,
    progress: Callable[[str], None],
    details: dict[str, Any],
) -> dict[str, dict[str, float]]:
    preprocessor = transcriber.preprocessor
    known = [preprocessor.written(text) for text in train.texts]
    frames = [preprocessor.normalised(one) for one in train.frames]
    progress(f"measuring the baseline {MostFrequentText.title}")
    written = MostFrequentText().fit(frames, known).write(split.frames)
    found = {MostFrequentText.name: _edits(transcriber, split, written).scores()}
    if preprocessor.signals.has_convolutions or len({*known}) > min(MAX_TEXTS_NEAREST, len(known) // 2):
        return found  # texts that hardly come twice are not those of a neighbour
    progress(f"measuring the baseline {NearestSignal.title}")
    nearest = NearestSignal().fit(frames, known)
    share = min(1.0, MAX_COST / max(1.0, nearest.cost(len(split))))
    rows = evenly_spaced(len(split), max(1, int(share * len(split))))
    written = nearest.write([preprocessor.normalised(split.frames[row]) for row in rows])
    references = [preprocessor.written(split.texts[row]) for row in rows]
    found[NearestSignal.name] = count_edits(written, references).scores()
    if len(rows) < len(split):
        details["fewer"] = {NearestSignal.name: len(rows)}
    return found


def preview(transcriber: Transcriber, split: Split, count: int = 3) -> str:
    """Show a few transcripts, for a person who watches the training."""
    readings = [split.readings()[row] for row in evenly_spaced(len(split), count)]
    results = transcriber.transcribe(readings, transcriber.log_probs(readings), TranscribePredictOptions(beam=1))
    lines = []
    for row, result in zip(evenly_spaced(len(split), count), results, strict=True):
        reference = transcriber.preprocessor.written(split.texts[row])
        lines.append(result["text"] + ("" if result["text"] == reference else f"  (not {reference})"))
    return "\n".join(lines)
