"""What a baseline can do: of a classifier, of a language model; that of a forecaster is in forecasts.py.

A baseline is a file here: a class with `name` and `title`, `fit` and what is measured of it, and before it `@register_baseline`, which
makes its title known to the report. What a result is compared with is chosen by each task: `evaluate.py` or `baselines.py` in its folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np


class ClassBaseline(Protocol):
    """A plain classifier: learns from sequences and their classes, then says how likely each class of others is.

    Attributes:
        name: under which its metrics are given, such as "majority".
        title: what people call it.
    """

    name: str
    title: str

    def fit(self, sequences: Sequence, targets: np.ndarray, classes: int) -> Self: ...

    def probabilities(self, sequences: Sequence) -> np.ndarray: ...


class LanguageBaseline(Protocol):
    """What every language baseline can do: learn from sequences of ids, then give how likely the ids of another are, and which
    of them it would have guessed.

    Attributes:
        trained_on: units that it learnt from, ends of documents included; fewer than there were where a limit is set.
    """

    trained_on: int

    def fit(self, sequences: Sequence[np.ndarray], size: int, bos_id: int, eos_id: int | None) -> Self: ...

    def log_probs(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray: ...

    def top1(self, sequence: np.ndarray, context: np.ndarray | None = None) -> np.ndarray: ...
