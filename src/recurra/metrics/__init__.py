"""Figures that say how good a model is."""

from recurra.metrics.bootstrap import intervals, ratio_intervals
from recurra.metrics.calibration import fit_temperature, reliability
from recurra.metrics.classes import classification, confusion, multi_label, per_class, worst
from recurra.metrics.language import LanguageScore
from recurra.metrics.spans import marks_spans, span_counts, span_scores, spans, tag_scores

__all__ = [
    "LanguageScore",
    "classification",
    "confusion",
    "fit_temperature",
    "intervals",
    "marks_spans",
    "multi_label",
    "per_class",
    "ratio_intervals",
    "reliability",
    "span_counts",
    "span_scores",
    "spans",
    "tag_scores",
    "worst",
]
