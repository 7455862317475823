"""Plain models that every result stands beside."""

from recurra.baselines.discounts import Discounts
from recurra.baselines.ngram import Baseline, KneserNey, Uniform, language_baselines

__all__ = ["Baseline", "Discounts", "KneserNey", "Uniform", "language_baselines"]
