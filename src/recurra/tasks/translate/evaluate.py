"""The metrics of a translator and of plain ones on the same held-out pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from recurra.baselines import NearestSource, WordByWord, register_title
from recurra.errors import MissingExtraError
from recurra.metrics import bleu_scores, error_rate, nearest_reference, resampled, text_scores
from recurra.tasks.base.inference import evenly_spaced, spread_and_worst
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.translate.data import Split
from recurra.tasks.translate.network import TranslationNetwork
from recurra.tasks.translate.predict import Translator
from recurra.tasks.translate.preprocessing import MAX_SYMBOLS, TranslationPreprocessor
from recurra.tasks.translate.search import score
from recurra.text import normalise

MAX_SHOWN, MAX_MAPS = 8, 4
MAX_NEAREST = 2_000
"""Pairs of a test beyond which the plain translators are measured on some of them alone, spread over all."""
COPY = "copy"
register_title(COPY, "the source itself")
LENGTHS = (10, 20, 40, 80)
"""Units of a source up to which sources are measured together."""


def likelihood(translator: Translator, split: Split, *, exact: bool = True) -> dict[str, float]:
    """Give how likely the references are: nats for each unit of a target, its end among them."""
    values, right = score(
        cast(TranslationNetwork, translator.network),
        translator.preprocessor,
        split.encoded_sources,
        split.encoded_targets,
        in_exact_mode=exact,
    )
    units = sum(map(len, values))
    nll = -sum(float(one.sum()) for one in values) / units
    return {
        "nll": nll,
        "perplexity": math.exp(min(nll, 700.0)),
        "accuracy": sum(int(one.sum()) for one in right) / units,
    }


@dataclass(frozen=True)
class Asked:
    """What is asked: the first row of a split for each source, and the references that are right for it."""

    rows: list[int]
    references: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def nearest(self, written: Sequence[str]) -> list[str]:
        """Give what each text is measured by: of several references the nearest."""
        return [nearest_reference(one, known) for one, known in zip(written, self.references, strict=True)]


def group_by_source(split: Split, preprocessor: TranslationPreprocessor, sentences: bool) -> Asked:
    """Ask each source once, any of its targets being right; sentences: each pair by itself, as BLEU is published."""
    references = [as_written(text, preprocessor) for text in split.targets]
    groups = [[row] for row in range(len(split))] if sentences else split.rows_by_source()
    several = sum(len(rows) > 1 for rows in groups)
    notes = [f"{len(groups):,} sources, {several:,} of them with several right targets"] if several else []
    return Asked([rows[0] for rows in groups], [[references[row] for row in rows] for rows in groups], notes)


def evaluate(
    translator: Translator,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a translator on a split: the object that `evaluate` prints. train: what the plain ones learn from; None: none are measured."""
    progress("measuring the model")
    preprocessor = translator.preprocessor
    sentences = writes_sentences(preprocessor, translator.config.data.target_unit)
    asked = group_by_source(split, preprocessor, sentences)
    results = translator.translate([split.sources[row] for row in asked.rows], SearchedOptions())
    written = [result["translation"] for result in results]
    references = asked.nearest(written)
    metrics, signatures = _scores(written, references, sentences)
    metrics |= likelihood(translator, split)
    details: dict[str, Any] = {
        "pairs": len(split),
        "notes": [f"{len(split):,} pairs", *asked.notes, *notes, *signatures],
    }
    details["intervals"] = _intervals(written, references)
    details["lengths"] = _by_length(split, asked.rows, written, references)
    details["examples"] = _examples(split, asked.rows, written, references)
    for example in details["examples"][:MAX_MAPS]:
        example["attention"] = translator.translate([example["source"]], SearchedOptions(attention=True))[0][
            "attention"
        ]
    baselines = {} if train is None else _baselines(preprocessor, train, split, asked, sentences, progress, details)
    return {
        "task": translator.name,
        "data": name,
        "count": split.units,
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def as_written(text: str, preprocessor: TranslationPreprocessor) -> str:
    """Give a reference as a translator could write it: in Unicode's normal form C, of words with one blank between them."""
    text = normalise(preprocessor.check(text))
    return " ".join(text.split()) if preprocessor.target.unit == "word" else text


def writes_sentences(preprocessor: TranslationPreprocessor, unit: str) -> bool:
    """Tell whether targets are sentences, which BLEU was made for: not by characters, nor a few symbols."""
    return unit == "bpe" or (unit == "word" and preprocessor.target.size > MAX_SYMBOLS + len(["bos", "eos", "unknown"]))


def _scores(written: Sequence[str], references: Sequence[str], sentences: bool) -> tuple[dict[str, float], list[str]]:
    plain = text_scores(written, references)
    if not sentences:
        return plain, []
    try:
        found, signatures = bleu_scores(written, references)
    except MissingExtraError as error:
        return plain, [f"BLEU and chrF are left out: {error}"]
    return found | plain, signatures


def _intervals(written: Sequence[str], references: Sequence[str]) -> dict[str, list[float]]:
    exact = np.array([one == other for one, other in zip(written, references, strict=True)], float)
    return {"exact": resampled(lambda rows: float(exact[rows].mean()), len(exact))}


def _by_length(
    split: Split, asked: Sequence[int], written: Sequence[str], references: Sequence[str]
) -> list[dict[str, Any]]:
    """Measure sources of like length together."""
    found, low = [], 0
    lengths = [len(split.encoded_sources[row]) - 1 for row in asked]
    for high in (*LENGTHS, math.inf):
        rows = [index for index, length in enumerate(lengths) if low < length <= high]
        if rows:
            some, known = [written[row] for row in rows], [references[row] for row in rows]
            exact = sum(one == other for one, other in zip(some, known, strict=True)) / len(rows)
            found.append(
                {
                    "from": low + 1,
                    "to": None if high == math.inf else int(high),
                    "count": len(rows),
                    "exact": exact,
                    "character_error_rate": error_rate(some, known),
                }
            )
        low = int(high) if high != math.inf else low
    return found


def _examples(
    split: Split, asked: Sequence[int], written: Sequence[str], references: Sequence[str]
) -> list[dict[str, Any]]:
    """Show some pairs spread over all, and of the others those that are furthest off."""
    rates = [error_rate([one], [other]) for one, other in zip(written, references, strict=True)]
    return [
        {
            "kind": kind,
            "source": split.sources[asked[row]],
            "reference": references[row],
            "translation": written[row],
            "place": split.places[asked[row]],
            "character_error_rate": rates[row],
        }
        for kind, row in spread_and_worst(rates, MAX_SHOWN)
    ]


def _baselines(
    preprocessor: TranslationPreprocessor,
    train: Split,
    split: Split,
    asked: Asked,
    sentences: bool,
    progress: Callable[[str], None],
    details: dict[str, Any],
) -> dict[str, dict[str, float]]:
    chosen = evenly_spaced(len(asked.rows), MAX_NEAREST)
    rows = [asked.rows[index] for index in chosen]
    known = Asked(rows, [asked.references[index] for index in chosen])
    sources = [split.encoded_sources[row][:-1].tolist() for row in rows]

    def scores(texts: list[str]) -> dict[str, float]:
        return _scores(texts, known.nearest(texts), sentences)[0]

    found = {COPY: scores([as_written(split.sources[row], preprocessor) for row in rows])}
    for kind in (NearestSource, WordByWord):
        progress(f"measuring the baseline {kind.title}")
        baseline = kind().fit(
            [ids[:-1].tolist() for ids in train.encoded_sources], [ids.tolist() for ids in train.encoded_targets]
        )
        found[kind.name] = scores([preprocessor.target.decode(ids) for ids in baseline.translate(sources)])
    if len(chosen) < len(asked.rows):
        details["fewer"] = dict.fromkeys(found, len(chosen))
    return found


def preview(translator: Translator, split: Split, count: int = 3) -> str:
    """Show a few translations, for a person who watches the training."""
    chosen = evenly_spaced(len(split), count)
    results = translator.translate([split.sources[row] for row in chosen], SearchedOptions(beam=1))
    return "\n".join(
        f"{split.sources[row]} → {result['translation']}"
        + (
            ""
            if result["translation"] == as_written(split.targets[row], translator.preprocessor)
            else f"  (not {split.targets[row]})"
        )
        for row, result in zip(chosen, results, strict=True)
    )
