"""How near texts come to the texts that they should be: BLEU and chrF as published, whole matches, edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.errors import UsageError, require
from recurra.metrics.base import Metric, register_metric, share_metric

register_metric(
    share_metric("exact", "exact", 3, "{value} are written just as they should be."),
    Metric(
        "bleu",
        "BLEU",
        rank=2,
        lower_is_better=False,
        digits=1,
        versus="difference",
        gloss="n-grams shared with the references",
    ),
    Metric("bleu_lower", "BLEU, lower-cased", lower_is_better=False, digits=1, versus="difference"),
    Metric("chrf", "chrF", rank=4, lower_is_better=False, digits=1, versus="difference"),
    Metric(
        "character_error_rate", "character error rate", rank=5, lower_is_better=True, percent=True, versus="difference"
    ),
    Metric("word_error_rate", "word error rate", lower_is_better=True, percent=True, versus="difference"),
    Metric("length_ratio", "length beside the reference", digits=3),
    Metric("repetition", "repeated", lower_is_better=True, percent=True, versus="difference"),
)

_HAN, _KANA = re.compile("[\u3400-\u9fff]"), re.compile("[\u3040-\u30ff\u0e00-\u0e7f]")
NGRAM = 4
"""Units of what counts as repeated."""


def edit_distance(first: Sequence[Any], second: Sequence[Any]) -> int:
    """Count the fewest units to put in, leave out or replace to make one sequence of the other (Levenshtein 1966).

    >>> edit_distance("kitten", "sitting"), edit_distance(["a", "b"], [])
    (3, 2)
    """
    if len(first) < len(second):
        first, second = second, first
    numbers: dict[Any, int] = {}
    columns = np.array([numbers.setdefault(unit, len(numbers)) for unit in second], np.int64)
    steps = np.arange(len(second) + 1)
    row = steps.copy()
    for count, unit in enumerate(first, 1):
        replaced = row[:-1] + (columns != numbers.get(unit, -1))
        best = np.minimum(replaced, row[1:] + 1)
        # What is left is to put units in from the left, one after another: a running minimum.
        whole = np.concatenate([[count], best]) - steps
        row = np.minimum.accumulate(whole) + steps
    return int(row[-1])


def error_rate(hypotheses: Sequence[Sequence[Any]], references: Sequence[Sequence[Any]]) -> float:
    """Give the edits of all texts by the units of all references; units: characters of a text, or words of a list.

    >>> error_rate(["abc", "x"], ["abd", "xy"])
    0.4
    """
    _check(hypotheses, references)
    edits = sum(edit_distance(one, other) for one, other in zip(hypotheses, references, strict=True))
    return edits / max(1, sum(map(len, references)))


def nearest_reference(hypothesis: str, references: Sequence[str]) -> str:
    """Give the reference that takes the fewest edits of words, and among such of characters: of several right answers, one is asked for.

    >>> nearest_reference("T AH M EY T OW", ["T AH M AA T OW", "T AH M EY T OW", "T AH M EY T OW Z"])
    'T AH M EY T OW'
    """
    if len(references) == 1:
        return references[0]
    words = hypothesis.split()
    return min(references, key=lambda one: (edit_distance(words, one.split()), edit_distance(hypothesis, one)))


def repetition(texts: Sequence[Sequence[Any]]) -> float:
    """Give the share of texts in which a piece of four units comes twice in a row.

    >>> repetition([list("abcdabcd"), list("abcde")])
    0.5
    """
    return sum(_repeats(list(text)) for text in texts) / max(1, len(texts))


def _repeats(units: list[Any]) -> bool:
    return any(
        units[start : start + NGRAM] == units[start + NGRAM : start + 2 * NGRAM]
        for start in range(len(units) - 2 * NGRAM + 1)
    )


def text_scores(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, float]:
    """Give the figures that need no library: exact matches, errors in characters and words, length, repetition.

    Raises `UsageError` where there is no reference, or not one for each.

    >>> scores = text_scores(["a man", "a dog"], ["a man", "the dog"])
    >>> scores["exact"], round(scores["character_error_rate"], 3), scores["word_error_rate"]
    (0.5, 0.25, 0.25)
    """
    _check(hypotheses, references)
    words = [text.split() for text in hypotheses]
    length = sum(map(len, references))
    return {
        "exact": sum(one == other for one, other in zip(hypotheses, references, strict=True)) / len(references),
        "character_error_rate": error_rate(hypotheses, references),
        "word_error_rate": error_rate(words, [text.split() for text in references]),
        "length_ratio": sum(map(len, hypotheses)) / max(1, length),
        "repetition": repetition([text.split() if " " in text.strip() else list(text) for text in hypotheses]),
    }


def bleu_scores(hypotheses: Sequence[str], references: Sequence[str]) -> tuple[dict[str, float], list[str]]:
    """Give BLEU (cased and lower-cased) and chrF by sacrebleu (Post 2018, arXiv:1804.08771v2), and the signatures that say which.

    Raises `MissingExtraError` without sacrebleu, and `UsageError` as `text_scores`.
    """
    _check(hypotheses, references)
    library = require("sacrebleu", "translate", "BLEU and chrF")
    known = [list(references)]
    cut = _tokenizer(references)
    found: dict[str, float] = {}
    signatures = []
    for name, metric in (
        ("bleu", library.metrics.BLEU(tokenize=cut)),
        ("bleu_lower", library.metrics.BLEU(lowercase=True, tokenize=cut)),
        ("chrf", library.metrics.CHRF()),
    ):
        found[name] = float(metric.corpus_score(list(hypotheses), known).score)
        signatures.append(f"{name}: {metric.get_signature()}")
    return found, signatures


def _tokenizer(references: Sequence[str]) -> str:
    """Choose how sacrebleu cuts words: of scripts without blanks by characters.

    >>> _tokenizer(["a man"]), _tokenizer(["一只猫"]), _tokenizer(["ねこがいる"])
    ('13a', 'zh', 'char')
    """
    text = "".join(references)
    kana, han = len(_KANA.findall(text)), len(_HAN.findall(text))
    if max(kana, han) < len(text) / 4:
        return "13a"
    return "char" if kana > han / 4 else "zh"


def resampled(
    measure: Callable[[np.ndarray], float], count: int, rounds: int = 200, seed: int = 0, level: float = 0.95
) -> list[float]:
    """Give [low, high] of a figure of examples drawn again and again; measure: takes which, with repetition (Koehn 2004)."""
    chance = np.random.default_rng(seed)
    drawn = [measure(chance.integers(0, count, count)) for _ in range(rounds)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def _check(hypotheses: Sequence[Any], references: Sequence[Any]) -> None:
    if not references or len(hypotheses) != len(references):
        raise UsageError(
            f"references: expected one for each of {len(hypotheses)} texts, and one at least; got {len(references)}"
        )
