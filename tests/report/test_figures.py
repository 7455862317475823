"""Names, directions and the wording of comparisons."""

from __future__ import annotations

import math

import pytest

from recurra.report.figures import FIGURES, compare, figure, headline
from recurra.report.numbers import count, finite


@pytest.mark.parametrize(
    ("key", "model", "other", "words", "better"),
    [
        ("perplexity", 4.12, 6.6, "38 % below", True),
        ("perplexity", 120.0, 100.0, "20 % above", False),
        ("perplexity", 99.7, 100.0, "0.3 % below", True),
        ("perplexity", 5.0, 5.0, "level with", None),
        ("accuracy", 0.91, 0.85, "6.0 points above", True),
        ("auroc", 0.9, 0.85, "0.050 above", True),
        ("calibration_error", 0.09, 0.02, "7.0 points above", False),
        ("exact_match", 0.4, 0.5, "10.0 points below", False),
        ("nll", 1.4, 1.7, "0.300 nats below", True),
        ("some_score", 2.0, 1.0, "100 % above", None),
    ],
)
def test_comparisons(key: str, model: float, other: float, words: str, better: bool | None) -> None:
    assert compare(figure(key), model, other) == (
        words.replace(" %", "\u00a0%").replace(" points", "\u00a0points").replace(" nats", "\u00a0nats"),
        better,
    )


def test_the_headline_is_the_first_known_figure_that_is_finite() -> None:
    def chosen(**metrics: object) -> str | None:
        found = headline(metrics)
        return found.key if found else None

    assert chosen(nll=1.0, bits_per_char=1.4, perplexity=2.7) == "perplexity"
    assert chosen(nll=1.0, perplexity=math.nan) == "nll"
    assert chosen(zzz=3.0) == "zzz"
    assert chosen(nll=0.5, accuracy=0.8, balanced_accuracy=0.7, macro_f1=0.7, auroc=0.9) == "accuracy"
    assert chosen(nll=0.1, accuracy=0.95, precision=0.5, recall=0.4, f1=0.45) == "f1"
    assert chosen(nll=0.2, exact_match=0.5, micro_f1=0.7, macro_f1=0.6, auroc=0.9) == "micro_f1"
    assert chosen(nll=None, perplexity="4") is None


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "4", True, 10**400, 1e300])
def test_what_is_no_finite_number_is_a_dash(value: object) -> None:
    assert finite(value) is None
    assert count(value) == "–"
    assert all(each.write(value) == "–" for each in FIGURES.values())
