"""From scores to decisions: when a score is so high that it is an alarm."""

from recurra.thresholds.base import Decision, Threshold, decide, events
from recurra.thresholds.dynamic import DynamicThreshold
from recurra.thresholds.peaks import PeaksOverThreshold, fit_tail
from recurra.thresholds.records import Records
from recurra.thresholds.tail import AnomalyLikelihood

__all__ = [
    "AnomalyLikelihood",
    "Decision",
    "DynamicThreshold",
    "PeaksOverThreshold",
    "Records",
    "Threshold",
    "decide",
    "events",
    "fit_tail",
]
