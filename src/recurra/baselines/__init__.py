"""Plain models that every result stands beside."""

from recurra.baselines.base import Baseline
from recurra.baselines.discounts import Discounts
from recurra.baselines.ngram import KneserNey, language_baselines
from recurra.baselines.uniform import Uniform

__all__ = ["Baseline", "Discounts", "KneserNey", "Uniform", "language_baselines"]
