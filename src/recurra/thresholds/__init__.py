"""From scores to decisions: when a score is so high that it is an alarm."""

from recurra.thresholds.base import Decision, Threshold, decide, events
from recurra.thresholds.dynamic import DynamicThreshold
from recurra.thresholds.peaks import PeaksOverThreshold, fit_tail
from recurra.thresholds.records import RecordThreshold
from recurra.thresholds.tail import AnomalyLikelihood

__all__ = [
    "AnomalyLikelihood",
    "Decision",
    "DynamicThreshold",
    "PeaksOverThreshold",
    "RecordThreshold",
    "Threshold",
    "decide",
    "events",
    "fit_tail",
]
