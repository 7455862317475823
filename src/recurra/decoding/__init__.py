"""From a model's scores to a sequence (the likeliest id, a sample, the best of many), or to decisions by a threshold."""

from recurra.decoding.beam import Hypothesis, beam_search
from recurra.decoding.generate import FINISHED, generate
from recurra.decoding.sampling import check_sampling, filter_logits, greedy, row_generators, sample
from recurra.decoding.state import State, Step, select_state
from recurra.thresholds import (
    AnomalyLikelihood,
    Decision,
    DynamicThreshold,
    PeaksOverThreshold,
    Threshold,
    decide,
    events,
    fit_tail,
)

__all__ = [
    "FINISHED",
    "AnomalyLikelihood",
    "Decision",
    "DynamicThreshold",
    "Hypothesis",
    "PeaksOverThreshold",
    "State",
    "Step",
    "Threshold",
    "beam_search",
    "check_sampling",
    "decide",
    "events",
    "filter_logits",
    "fit_tail",
    "generate",
    "greedy",
    "row_generators",
    "sample",
    "select_state",
]
