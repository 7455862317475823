"""Figures that say how good a model is."""

from recurra.metrics.language import LanguageScore

__all__ = ["LanguageScore"]
