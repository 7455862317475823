"""The linear classifier of texts: logistic regression on the TF-IDF of their n-grams of words and of characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from pydantic import field_validator
from torch import Tensor

from recurra.baselines import folds, known_targets, unit_of
from recurra.documents import Document, Finite
from recurra.formatting import abbreviate
from recurra.linear.base import LinearClassifier, State, register_linear
from recurra.linear.checks import expect_array
from recurra.linear.logistic import Problems, Rows, fit_logistic
from recurra.linear.ngram_stream import NgramStream
from recurra.linear.ngrams import NgramFamily, Unit, select_rows
from recurra.linear.targets import columns_sought, one_hot

MAX_NGRAM = 100
"""Units of the longest n-gram of a saved model."""
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0)
"""Inverses of the penalty; the one with the least log-loss on folds that were left out is taken."""
FOLDS = 5
MIN_TEXTS_LEFT_OUT, MAX_TEXTS_TO_CHOOSE = 300, 4000
"""Texts that are left out, as far as there are so many folds, and texts that take part: more tell the strengths apart no better."""
MAX_UNITS = 60_000_000
"""n-grams of the texts that are learnt from: some 2 GB."""
MAX_VALUES = 6_000_000
"""Coefficients, texts by classes, that are sought at a time; of some 40 copies, that is 1 GB."""
MIN_TEXTS_TO_LEARN = 2000
"""Texts that are learnt from however short the time is."""
TEXTS_AT_A_TIME = 256
TOLERANCE = 1e-3
STEPS = 45
"""Steps that a fit takes, about."""
SECONDS_PER_VALUE, SECONDS_PER_PRODUCT, SECONDS_PER_LOGIT, SECONDS_PER_UNIT = 4e-9, 0.8e-9, 4e-8, 3e-7
"""Time that a step takes for each stored value, for each of its products, for each logit, and that counting an n-gram takes, on one core."""

Family = tuple[Unit, int]

WORD_FAMILIES: tuple[tuple[Family, ...], ...] = (
    (("word", 2), ("char", 5)),
    (("word", 2), ("char", 3)),
    (("word", 2),),
    (("word", 1),),
)
"""n-grams for scripts with spaces between words: units, and how many at most; the first that the time allows."""
CHARACTER_FAMILIES: tuple[tuple[Family, ...], ...] = (
    (("char", 2), ("char", 4)),  # short n-grams twice: they are what texts of few words share
    (("char", 3),),
    (("char", 2),),
)


class _Settings(Document):
    families: list[list[str | int]]
    exclusive: bool
    strength: Finite

    @field_validator("families")
    @classmethod
    def _pairs(cls, families: list[list[str | int]]) -> list[list[str | int]]:
        if any(len(family) != 2 for family in families):
            raise ValueError("expected a unit and a length of each")
        return families


@register_linear
class NgramClassifier(LinearClassifier):
    """Logistic regression on the TF-IDF of n-grams: one or two words, and one to five characters; or one to four characters alone.

    The latter where most letters are of scripts without spaces between words, such as Chinese, and for what is no language, such as
    proteins. n-grams of one training text alone are left out. How strong the penalty is, a fold that is left out decides.

    >>> texts, targets = ["so good", "very good", "so bad", "very bad"] * 5, np.array([1, 1, 0, 0] * 5)
    >>> model = NgramClassifier()
    >>> model.fit(texts, targets, 2).logits(["it is good", "it is bad"]).argmax(1).tolist()
    [1, 0]
    """

    kind, title = "text", "n-grams alone"

    def __init__(self) -> None:
        self.families: list[NgramFamily] = []
        self.weights: list[np.ndarray] = []
        """Of each family's n-grams, (F, C) float32."""
        self.intercept = np.zeros(0)
        self.strength = 1.0
        self.exclusive = True
        """Whether a text has one class; else each label is a question of its own."""

    def fit(
        self,
        sequences: Sequence[str],
        targets: np.ndarray,
        classes: int,
        *,
        weights: np.ndarray | None = None,
        seconds: float | None = None,
    ) -> Self:
        known = known_targets(targets, len(sequences), classes)
        self.exclusive = known.ndim == 1
        chosen, count = choose_ngrams(sequences, columns_sought(known, classes), seconds)
        some = spread(len(sequences), count)
        sequences, known = [sequences[index] for index in some], known[some]
        weights = None if weights is None else weights[some]
        marks = known.astype(np.float32) if known.ndim == 2 else one_hot(known, classes)
        if self.exclusive and classes == 2:  # the logit of the second class, that of the first being 0
            marks = marks[:, 1:]
        counted = np.ones_like(marks) if weights is None else np.tile(weights[:, None], (1, marks.shape[1]))
        softmax = self.exclusive and marks.shape[1] > 1
        made = [NgramFamily.with_rows(sequences, *family) for family in chosen]
        self.families = [family for family, _ in made if len(family.vocabulary)]
        rows = [Rows(each) for family, each in made if len(family.vocabulary)]
        fitter = Fitter(rows, torch.from_numpy(marks), torch.from_numpy(counted.astype(np.float32)), softmax=softmax)
        some = spread(len(known), min(len(known), MAX_TEXTS_TO_CHOOSE))
        fold = torch.from_numpy(folds(known[some], FOLDS))
        self.strength = fitter.select(torch.from_numpy(some)).choose_strength(fold)
        every = torch.ones(len(known), dtype=torch.bool)
        _, coefficients, intercepts = fitter.fit([every], [self.strength])
        self.weights = [(each.weights(coefficients[:, 0].contiguous()) / len(rows)).numpy() for each in rows]
        self.intercept = (intercepts[0] + coefficients[:, 0].sum(0)).double().numpy()
        return self

    def logits(self, sequences: Sequence[str]) -> np.ndarray:
        found = np.tile(self.intercept, (len(sequences), 1))
        for start in range(0, len(sequences), TEXTS_AT_A_TIME):
            some = slice(start, start + TEXTS_AT_A_TIME)
            for family, weights in zip(self.families, self.weights, strict=True):
                found[some] += family.weighted_sums(sequences[some], weights)
        return self._complete(found)

    @np.errstate(over="ignore")
    def _complete(self, logits: np.ndarray) -> np.ndarray:
        """Give a logit for each class: of two that exclude each other one was sought."""
        if self.exclusive and logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], 1)
        return logits.astype(np.float32)

    def prior(self) -> np.ndarray:
        return self._complete(self.intercept[None])[0]

    def initial_state(self) -> State:
        return self._stream().initial_state()

    def step(self, element: str, state: State) -> tuple[np.ndarray, State]:
        logits, state = self._stream().step(element, state)
        return self._complete((self.intercept + logits)[None])[0], state

    def _stream(self) -> NgramStream:
        return NgramStream(self.families, self.weights, len(self.intercept))

    # In a run folder

    def settings(self) -> dict[str, Any]:
        families = [[family.unit, family.longest] for family in self.families]
        return {"families": families, "exclusive": self.exclusive, "strength": self.strength}

    def tensors(self) -> dict[str, Tensor]:
        found = {"intercept": torch.from_numpy(self.intercept)}
        for number, (family, weights) in enumerate(zip(self.families, self.weights, strict=True)):
            found[f"{number}.vocabulary"] = torch.from_numpy(family.vocabulary.view(np.int64))
            found[f"{number}.idf"] = torch.from_numpy(family.idf)
            found[f"{number}.weights"] = torch.from_numpy(weights)
        return found

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Self:
        read, arrays = _Settings.model_validate(settings), {name: value.numpy() for name, value in tensors.items()}
        model = cls()
        model.exclusive, model.strength = read.exclusive, read.strength
        model.intercept = expect_array(arrays, "intercept", arrays["intercept"].dtype, None).astype(np.float64)
        for number, (unit, longest) in enumerate(read.families):
            if unit not in ("word", "char") or not isinstance(longest, int):
                raise ValueError(f"families: expected word or char and a length, got {abbreviate([unit, longest], 40)}")
            vocabulary = expect_array(arrays, f"{number}.vocabulary", np.int64, None).view(np.uint64)
            size, columns = len(vocabulary), len(model.intercept)
            idf = expect_array(arrays, f"{number}.idf", arrays[f"{number}.idf"].dtype, size)
            weights = expect_array(arrays, f"{number}.weights", np.float32, size, columns)
            if not 1 <= longest <= MAX_NGRAM or (vocabulary[1:] <= vocabulary[:-1]).any() or (idf <= 0).any():
                raise ValueError("expected n-grams in ascending order, of a length from 1 on, with a weight each")
            model.families.append(NgramFamily(unit, longest, vocabulary, idf))
            model.weights.append(weights)
        return model


def choose_ngrams(texts: Sequence[str], columns: int, seconds: float | None) -> tuple[tuple[Family, ...], int]:
    """Give the first of the families of n-grams that the time allows, or else the last, and how many of the texts to learn from.

    columns: logits that are sought.

    >>> choose_ngrams(["so good", "so bad"] * 20, 1, seconds=10.0), choose_ngrams(["so good", "so bad"] * 20, 1, seconds=0.0)
    (((('word', 2), ('char', 5)), 40), ((('word', 1),), 40))
    """
    letters = sum(map(len, texts))
    words = sum(text.count(" ") + 1 for text in texts)
    choices = WORD_FAMILIES if unit_of(texts) == "word" else CHARACTER_FAMILIES
    most = min(len(texts), max(1, MAX_VALUES // columns))
    for families in choices:
        sizes = [(letters if unit == "char" else words) * longest for unit, longest in families]
        count = min(most, int(len(texts) * MAX_UNITS / max(1, *sizes, MAX_UNITS)))
        expected = _seconds(sum(sizes) / len(texts), count, columns)
        if count == most and (seconds is None or expected <= seconds):
            break
    if seconds is not None and expected > seconds:
        count = min(count, max(MIN_TEXTS_TO_LEARN, int(count * seconds / expected)))
    return families, count


def _seconds(ngrams: float, texts: int, columns: int) -> float:
    """Estimate how long a fit takes on one core: of so many texts with so many n-grams each."""
    some, problems = min(texts, MAX_TEXTS_TO_CHOOSE), len(STRENGTHS) * folds_to_leave_out(texts)
    steps = sum(
        count * (ngrams * SECONDS_PER_VALUE + logits * (ngrams * SECONDS_PER_PRODUCT + SECONDS_PER_LOGIT))
        for count, logits in ((some, columns * problems), (texts, columns))
    )
    return STEPS * steps + texts * ngrams * SECONDS_PER_UNIT


def spread(count: int, some: int) -> np.ndarray:
    """Give the places of some of so many, spread evenly: files are often sorted by class.

    >>> spread(10, 4).tolist()
    [0, 2, 5, 7]
    """
    return np.arange(some) * count // some


def folds_to_leave_out(texts: int) -> int:
    """Give how many of the folds are left out, one after another, to choose the strength.

    >>> [folds_to_leave_out(count) for count in (60, 800, 10_000)]
    [5, 2, 1]
    """
    return min(FOLDS, -(-MIN_TEXTS_LEFT_OUT * FOLDS // texts))


class Fitter:
    """Fits of logistic regressions over the same rows.

    rows: of each family, which count alike.  marks: (N, C), ones and zeros.  counted: (N, C), what each counts.
    softmax: whether there is a logit for each of several classes that exclude each other; else each is the logit of a yes.
    """

    def __init__(self, rows: list[Rows], marks: Tensor, counted: Tensor, *, softmax: bool) -> None:
        self.rows, self.marks, self.counted, self.softmax = rows, marks, counted, softmax

    def select(self, places: Tensor) -> Fitter:
        """Give the same over some of the rows, in their order."""
        rows = [Rows(select_rows(each.rows, places)) for each in self.rows]
        return Fitter(rows, self.marks[places], self.counted[places], softmax=self.softmax)

    def choose_strength(self, fold: Tensor) -> float:
        """Give the strength with the least log-loss on folds that are left out; fold: of each row, (N,)."""
        losses = torch.zeros(len(STRENGTHS))
        for number in range(folds_to_leave_out(len(self.marks))):
            out = fold == number
            if out.any() and not out.all():
                logits, _, _ = self.fit([~out] * len(STRENGTHS), STRENGTHS)
                losses += torch.tensor([self._loss(logits[out, each], out) for each in range(len(STRENGTHS))])
        return STRENGTHS[int(losses.argmin())]

    def _loss(self, logits: Tensor, which: Tensor) -> float:
        marks, counted = self.marks[which], self.counted[which]
        if self.softmax:
            return float(-(logits.log_softmax(1) * marks * counted).sum())
        return float(((F.softplus(logits) - logits * marks) * counted).sum())

    def fit(self, inside: list[Tensor], strengths: Sequence[float]) -> tuple[Tensor, Tensor, Tensor]:
        """Fit a model to each of some sets of rows: logits of all rows (N, P, C), coefficients (N, P, C), intercepts (P, C)."""
        at_once = max(1, MAX_VALUES // max(1, self.marks.numel()))
        parts = []
        for start in range(0, len(inside), at_once):
            some = torch.stack(inside[start : start + at_once], 1).float()[:, :, None]
            counted = some * self.counted[:, None]
            penalty = 1 / torch.tensor(strengths[start : start + at_once])
            problems = Problems(self.marks[:, None], counted, self._intercepts(counted), penalty, self.softmax)
            found = fit_logistic(self._gram, problems, tolerance=TOLERANCE)
            parts.append((found.logits, found.coefficients, problems.intercepts))
        logits, coefficients, intercepts = zip(*parts, strict=True)
        return torch.cat(logits, 1), torch.cat(coefficients, 1), torch.cat(intercepts)

    def _intercepts(self, counted: Tensor) -> Tensor:
        """Give the logits of how common each class is in each problem, (P, C), each with one more."""
        positive = (counted * self.marks[:, None]).sum(0) + 1
        if self.softmax:
            return (positive / positive.sum(1, keepdim=True)).log()
        return (positive / ((counted * (1 - self.marks[:, None])).sum(0) + 1)).log()

    def _gram(self, values: Tensor) -> Tensor:
        """Give (X Xᵀ + 1) A, the families' rows side by side and of length 1 together."""
        total = values.sum(0).expand_as(values).clone()
        for each in self.rows:
            total += each.gram(values) / len(self.rows)
        return total
