"""From a model's scores to a sequence (the likeliest id, a sample, the best of many), or to decisions by a threshold."""

from recurra.decoding.beam import Hypothesis, SearchOptions, beam_search
from recurra.decoding.ctc import CtcHypothesis, CtcSearch, PrefixBeam, prefix_beam
from recurra.decoding.ctc_alignment import Alignment, align
from recurra.decoding.generate import FINISHED, generate
from recurra.decoding.language import Lexicon, PrefixLanguage
from recurra.decoding.ngrams import LabelNgrams, WordNgrams, ngram_language, to_token
from recurra.decoding.sampling import Sampling, filter_logits, greedy, row_generators, sample
from recurra.decoding.state import State, Step, concat_states, select_state
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
    "Alignment",
    "AnomalyLikelihood",
    "CtcHypothesis",
    "CtcSearch",
    "Decision",
    "DynamicThreshold",
    "Hypothesis",
    "LabelNgrams",
    "Lexicon",
    "PeaksOverThreshold",
    "PrefixBeam",
    "PrefixLanguage",
    "Sampling",
    "SearchOptions",
    "State",
    "Step",
    "Threshold",
    "WordNgrams",
    "align",
    "beam_search",
    "concat_states",
    "decide",
    "events",
    "filter_logits",
    "fit_tail",
    "generate",
    "greedy",
    "ngram_language",
    "prefix_beam",
    "row_generators",
    "sample",
    "select_state",
    "to_token",
]
