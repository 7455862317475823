"""From a model's scores to a sequence: the likeliest id, a sample, or the best of many by beam search."""

from recurra.decoding.beam import Hypothesis, beam_search
from recurra.decoding.generate import FINISHED, generate
from recurra.decoding.sampling import check_sampling, filter_logits, greedy, row_generators, sample
from recurra.decoding.state import State, Step, select_state

__all__ = [
    "FINISHED",
    "Hypothesis",
    "State",
    "Step",
    "beam_search",
    "check_sampling",
    "filter_logits",
    "generate",
    "greedy",
    "row_generators",
    "sample",
    "select_state",
]
