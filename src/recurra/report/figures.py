"""What each figure is called, which way is better and how it is written: the one place that knows any by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from recurra.report.numbers import PER_CENT, decimal, finite, per_cent


@dataclass(frozen=True)
class Figure:
    """One measured quantity, as people read it.

    >>> figure("perplexity").write(4.1234), figure("accuracy").write(0.873), figure("some_new_score").name
    ('4.12', '87.3\\xa0%', 'some new score')
    """

    key: str
    name: str
    lower: bool | None = None
    """Whether lower is better; None where nobody has said."""
    digits: int = 3
    unit: str = ""
    percent: bool = False
    versus: Literal["ratio", "difference"] = "ratio"
    """How two values are compared: a ratio needs a true zero."""
    logarithmic: bool = False
    """Bars are drawn by the logarithm, from 1: for figures that span orders of magnitude."""
    is_loss: bool = False
    """On the same scale as the training loss, so that both belong into one picture."""
    gloss: str = ""
    """What it means, with {value} for the value."""

    def write(self, value: object) -> str:
        """Write a value; what is no finite number becomes a dash."""
        number = finite(value)
        if number is None:
            return "–"
        return per_cent(number) if self.percent else decimal(number, self.digits)


_FIGURES = (
    Figure(
        "perplexity",
        "perplexity",
        lower=True,
        digits=2,
        logarithmic=True,
        gloss="At each step the model is as unsure as if it had to choose among {value} equally likely units.",
    ),
    # Before the accuracy: most words are in no span, so a tagger that finds none is right nearly everywhere.
    Figure(
        "f1",
        "span F1",
        lower=False,
        percent=True,
        versus="difference",
        gloss="The harmonic mean of how many of the spans that it marked are right (precision) and how many of those that are "
        "there it found (recall).",
    ),
    Figure("accuracy", "accuracy", lower=False, percent=True, versus="difference", gloss="{value} were right."),
    Figure(
        "micro_f1",
        "micro F1",
        lower=False,
        percent=True,
        versus="difference",
        gloss="The harmonic mean of how many of the labels that it gave are right and how many of those that hold it gave.",
    ),
    Figure(
        "exact_match",
        "exact match",
        lower=False,
        percent=True,
        versus="difference",
        gloss="{value} were given just the labels that they have.",
    ),
    Figure(
        "macro_f1",
        "macro F1",
        lower=False,
        percent=True,
        versus="difference",
        gloss="The mean of the F1 of each class, however rare it is.",
    ),
    Figure(
        "balanced_accuracy",
        "balanced accuracy",
        lower=False,
        percent=True,
        versus="difference",
        gloss="The mean share of each class's examples that was found, however rare the class is.",
    ),
    Figure(
        "adjusted_rand",
        "adjusted Rand index",
        lower=False,
        versus="difference",
        gloss="How far its clusters agree with the labels, which it never saw: 1 is wholly, 0 no more than by chance.",
    ),
    Figure("mutual_information", "mutual information", lower=False, versus="difference"),
    Figure(
        "neighbour_accuracy",
        "neighbour accuracy",
        lower=False,
        percent=True,
        versus="difference",
        gloss="{value} have the label of the one that is nearest to them.",
    ),
    Figure(
        "event_f1",
        "event F1",
        lower=False,
        percent=True,
        versus="difference",
        gloss="The harmonic mean of how many of its alarms were in an event that is abnormal (precision) and how many of these "
        "events it found (recall).",
    ),
    Figure("event_precision", "event precision", lower=False, percent=True, versus="difference"),
    Figure("event_recall", "event recall", lower=False, percent=True, versus="difference"),
    Figure("average_precision", "average precision", lower=False, versus="difference"),
    Figure("precision", "precision", lower=False, percent=True, versus="difference"),
    Figure("recall", "recall", lower=False, percent=True, versus="difference"),
    Figure(
        "auroc",
        "AUROC",
        lower=False,
        versus="difference",
        gloss="In {value} of the pairs of an example of a class and one of another, the first has the higher probability.",
    ),
    Figure(
        "owa",
        "OWA",
        lower=True,
        gloss="Beside 1 for the naive forecast that knows the season (the M4 competition's measure).",
    ),
    Figure(
        "mase",
        "MASE",
        lower=True,
        gloss="Its error is {value} times the mean step of a series from one season to the next, in training.",
    ),
    Figure(
        "scaled_crps", "scaled CRPS", lower=True, gloss="How good the intervals are: the CRPS, measured as the MASE is."
    ),
    Figure("scaled_mse", "scaled MSE", lower=True),
    Figure("scaled_mae", "scaled MAE", lower=True),
    Figure("smape", "sMAPE", lower=True, digits=2, unit="%"),
    Figure("crps", "CRPS", lower=True),
    Figure("auc", "area under the ROC curve", lower=False, versus="difference"),
    Figure("wer", "word error rate", lower=True, percent=True, versus="difference"),
    Figure("cer", "character error rate", lower=True, percent=True, versus="difference"),
    Figure("bleu", "BLEU", lower=False, digits=1, versus="difference"),
    Figure("mse", "mean squared error", lower=True),
    Figure("mae", "mean absolute error", lower=True),
    Figure("rmse", "root mean squared error", lower=True),
    Figure("reward", "mean reward", lower=False, versus="difference"),
    Figure("bits_per_char", "bits per character", lower=True, unit="bits"),
    Figure("bits_per_byte", "bits per byte", lower=True, unit="bits"),
    Figure("nll", "nll", lower=True, unit="nats", versus="difference", is_loss=True),
    Figure(
        "calibration_error",
        "calibration error",
        lower=True,
        percent=True,
        versus="difference",
        gloss="How far what it says of its certainty is from how often it is right, on average.",
    ),
    Figure("flagged", "flagged", percent=True, versus="difference"),
    Figure("alarms", "alarms", digits=0, versus="difference"),
    Figure("loss", "loss", lower=True, versus="difference", is_loss=True),
)
FIGURES: Mapping[str, Figure] = {each.key: each for each in _FIGURES}
"""Known figures by key, the one to put into a headline first."""


def figure(key: str) -> Figure:
    """Look a figure up; one that nobody has described yet keeps its own name and claims no direction."""
    if share := re.fullmatch(r"coverage_([\d.]+)", key):
        return Figure(key, f"inside the {share[1]}{PER_CENT} interval", percent=True, versus="difference")
    return FIGURES.get(key) or Figure(key, key.replace("_", " "))


def headline(metrics: Mapping[str, object]) -> Figure | None:
    """Choose the figure that speaks for a set of metrics: the first known one that is finite, else the first of all.

    >>> headline({"nll": 1.42, "perplexity": 4.12}).name
    'perplexity'
    """
    keys = [key for key in metrics if finite(metrics[key]) is not None]
    ranks = {key: rank for rank, key in enumerate(FIGURES)}
    return figure(min(keys, key=lambda key: ranks.get(key, len(ranks)))) if keys else None


def compare(what: Figure, model: float, other: float) -> tuple[str, bool | None]:
    """Say how a model stands to a baseline, and whether it is better (None: level, or no direction known).

    >>> compare(figure("perplexity"), 4.12, 6.6)
    ('38\\xa0% below', True)
    >>> compare(figure("accuracy"), 0.75, 0.8)
    ('5.0\\xa0points below', False)
    """
    difference = model - other
    if what.versus == "ratio" and other > 0:
        # Small advantages are claimed to a tenth of a per cent, never rounded up to a whole one.
        share = 100 * difference / other
        size, unit = f"{abs(share):.{0 if abs(share) >= 10 else 1}f}", "%"
    elif what.percent:
        size, unit = f"{100 * abs(difference):.1f}", "points"
    else:
        size, unit = decimal(abs(difference), what.digits), what.unit
    if not float(size.replace(",", "")):
        return "level with", None
    words = [f"{size}\u00a0{unit}".strip(), "below" if difference < 0 else "above"]
    return " ".join(words), None if what.lower is None else (difference < 0) == what.lower


def write_between(what: Figure, between: object) -> str:
    """Write an interval [low, high] of a figure; "" where it is none.

    >>> write_between(figure("accuracy"), [0.735, 0.788]), write_between(figure("nll"), [0.5, 0.625]), write_between(figure("nll"), 3)
    ('73.5–78.8\xa0%', '0.500–0.625', '')
    """
    ends = [finite(end) for end in between] if isinstance(between, list | tuple) else []
    if len(ends) != 2 or None in ends:
        return ""
    low, high = (what.write(end) for end in ends)
    return f"{low.removesuffix(PER_CENT) if what.percent else low}–{high}"
