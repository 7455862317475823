"""The text classifier to beat: TF-IDF of words or characters, and logistic regression on it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np

from recurra.baselines.classes import frequencies, known_targets
from recurra.baselines.majority import Majority
from recurra.baselines.titles import register_baseline
from recurra.errors import UsageError, require

STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Values of C, the inverse of the penalty's weight: tried in this order until the loss begins to rise."""
FOLDS = 5
MANY_TEXTS = 5000
"""Texts from which on C is chosen by one fold alone: a thousand texts tell its values apart, in a fifth of the time."""
_MAX_STEPS = 1000
_WORD = r"\w+|[^\w\s]"
# Scripts that set no spaces between words: Han, kana, Thai, Lao, Khmer, Burmese.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


@register_baseline
class TfidfLogistic:
    """Logistic regression on the TF-IDF of n-grams; probabilities of all labels at once, or of one against the rest.

    tf is 1 + log(count), idf = 1 + log((1 + N) / (1 + documents)), and each text's vector has length 1 (scikit-learn's
    `TfidfVectorizer`). One and two words, or one to three
    characters, make an n-gram; case does not matter. The penalty is chosen from `STRENGTHS` by the log-loss over the folds of
    the training texts alone. The same texts always give the same model.

    Args:
        unit: what n-grams are made of. None: characters where most letters are of scripts without spaces between
            words, such as Chinese; else words, each punctuation mark being one.

    Raises:
        MissingExtraError: on `fit`, when scikit-learn is not installed.

    >>> model = TfidfLogistic().fit(["good", "very good", "bad", "very bad"] * 5, np.array([1, 1, 0, 0] * 5), classes=2)
    >>> model.probabilities(["so good", "so bad"]).argmax(1).tolist()
    [1, 0]
    """

    name = "tfidf-logistic"
    title = "TF-IDF + logistic regression"

    def __init__(self, unit: Literal["word", "char"] | None = None) -> None:
        if unit not in ("word", "char", None):
            raise UsageError(f"unit: expected word, char or None (chosen by the texts), got {unit!r}")
        self.unit = unit
        self.strength: float | None = None
        """C as it was chosen; None where there was nothing to choose for."""
        self._plain: Majority | None = None
        self._vectors: Any = None
        self._models: list[Any] = []
        self._shape = (0, False)

    def fit(self, sequences: Sequence[str], targets: np.ndarray, classes: int) -> Self:
        """Learn from texts and their classes (N,), or which labels they have (N, C).

        Texts of one class alone, or without any word, leave nothing to learn but how common the classes are.

        Raises:
            MissingExtraError: scikit-learn is not installed.
            UsageError: nothing to learn from, or targets that do not fit.
        """
        learn = require("sklearn.feature_extraction.text", "learn", "the baseline TF-IDF + logistic regression")
        known = known_targets(targets, len(sequences), classes)
        self._plain = Majority().fit(sequences, known, classes)
        self._shape = (classes, known.ndim == 2)
        self._models, self.strength = [], None
        unit = self.unit or unit_of(sequences)
        words = {"analyzer": "word", "token_pattern": _WORD, "ngram_range": (1, 2)}
        characters = {"analyzer": "char", "ngram_range": (1, 3)}
        self._vectors = learn.TfidfVectorizer(
            **(words if unit == "word" else characters), sublinear_tf=True, dtype=np.float64
        )
        one_kind = (known == known[:1]).all()
        if one_kind or not any(text.strip() for text in sequences):
            return self
        rows = self._vectors.fit_transform(sequences)
        self.strength = self._choose(rows, known, classes)
        self._models = _models_for(known)
        _fit(self._models, rows, known, self.strength)
        return self

    def probabilities(self, sequences: Sequence[str]) -> np.ndarray:
        """Give the probability of each class, float64 (N, C); rows add up to 1 where each text has one.

        A class that no training text had is as likely as its count with one more (`frequencies`) makes it.
        """
        if self._plain is None:
            raise UsageError("TfidfLogistic has learnt nothing yet: call fit first")
        plain = self._plain.probabilities(sequences)
        if not self._models or not len(sequences):
            return plain
        return _probabilities(self._models, self._vectors.transform(sequences), plain, self._shape[1])

    def _choose(self, rows: Any, known: np.ndarray, classes: int) -> float:
        """Give the C with the least log-loss on folds that were left out."""
        fold = folds(known, FOLDS)
        trials = []
        for number in range(1 if len(known) > MANY_TEXTS else FOLDS):
            out = fold == number
            inside = known[~out]
            if out.any() and len(inside) and (inside.ndim == 2 or len(np.unique(inside)) > 1):
                shares = np.tile(frequencies(inside, classes), (int(out.sum()), 1))
                trials.append((rows[~out], inside, rows[out], known[out], shares, _models_for(inside)))
        best, least = 1.0, np.inf
        for strength in STRENGTHS if trials else ():
            loss = 0.0
            for inputs, inside, others, wanted, shares, models in trials:
                _fit(models, inputs, inside, strength)
                loss += _loss(_probabilities(models, others, shares, known.ndim == 2), wanted)
            if loss >= least:
                break
            best, least = strength, loss
        return best


MAX_WORD_LENGTH = 20
"""Letters of a word, on average, beyond which it is none in any language."""


def unit_of(texts: Sequence[str], sample: int = 100_000) -> Literal["word", "char"]:
    """Choose characters where most letters are of scripts that set no spaces between words, or words are no words: proteins, codes.

    >>> unit_of(["房间很干净", "早餐 OK"]), unit_of(["a clean room", "房"]), unit_of(["MKVLAAGIVGLCAKSWERTYNNDDPQ"])
    ('char', 'word', 'char')
    """
    letters = unspaced = words = 0
    for text in texts:
        letters += sum(map(str.isalpha, text))
        unspaced += len(_UNSPACED.findall(text))
        words += len(text.split())
        if letters > sample:
            break
    return "char" if 2 * unspaced > letters or letters > MAX_WORD_LENGTH * words else "word"


def folds(known: np.ndarray, count: int) -> np.ndarray:
    """Deal examples out into folds, (N,), each with its share of every class; the same examples always in the same way.

    >>> folds(np.array([0, 0, 1, 1]), 2).reshape(2, 2).sum(1).tolist()
    [1, 1]
    """
    chance = np.random.default_rng(0)
    kind = known if known.ndim == 1 else np.zeros(len(known), np.int64)
    order = np.lexsort((chance.random(len(known)), kind))
    fold = np.empty(len(known), np.int64)
    fold[order] = np.arange(len(known)) % count
    return fold


def _models_for(known: np.ndarray) -> list[Any]:
    """Make one model for the classes, or one for each label; None for a label that all have or none has."""
    linear = require("sklearn.linear_model", "learn", "the baseline TF-IDF + logistic regression")
    columns = [known] if known.ndim == 1 else list(known.T)
    # Each fit goes on from the weights of the one before: the next C is never far.
    return [
        linear.LogisticRegression(max_iter=_MAX_STEPS, warm_start=True) if len(np.unique(column)) > 1 else None
        for column in columns
    ]


def _fit(models: list[Any], rows: Any, known: np.ndarray, strength: float) -> None:
    columns = [known] if known.ndim == 1 else list(known.T)
    with warnings.catch_warnings():
        # A weak penalty can take more than _MAX_STEPS steps; what is left to gain then is far below any figure's last digit.
        warnings.filterwarnings("ignore", "lbfgs failed to converge")
        # That labels may be measurements is said where they are read (`data.labelled.label_columns.check_labels`).
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%", UserWarning)
        for model, column in zip(models, columns, strict=True):
            if model is not None:
                model.set_params(C=strength).fit(rows, column)


def _probabilities(models: list[Any], rows: Any, plain: np.ndarray, multi: bool) -> np.ndarray:
    found = plain.copy()
    if multi:
        for label, model in enumerate(models):
            if model is not None:
                found[:, label] = model.predict_proba(rows)[:, 1]
        return found
    seen = models[0].classes_
    rest = 1 - np.delete(plain, seen, axis=1).sum(1, keepdims=True)
    found[:, seen] = rest * models[0].predict_proba(rows)
    return found


def _loss(predicted: np.ndarray, known: np.ndarray) -> float:
    likely = np.where(known, predicted, 1 - predicted) if known.ndim == 2 else predicted[np.arange(len(known)), known]
    return float(-np.log(np.maximum(likely, np.finfo(np.float64).eps)).sum())
