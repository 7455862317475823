"""How fast Recurra trains, streams and writes beside its peers, and beside what the machine can do at all.

A speed is a ratio to a peer in the same process, the two taking turns, the median of several rounds: machines are
shared and noisy, and a bare time says little.
"""

from recurra.benchmark import generate, graves, ragged, stream, training
from recurra.benchmark.case import CELLS, Precision, Scope, Shape, default_threads
from recurra.benchmark.results import Group, Measured, Report, Row, Table, Target
from recurra.benchmark.turns import MIN_ROUNDS, Contestant, Timing, check_rounds, take_turns

__all__ = [
    "CELLS",
    "MIN_ROUNDS",
    "Contestant",
    "Group",
    "Measured",
    "Precision",
    "Report",
    "Row",
    "Scope",
    "Shape",
    "Table",
    "Target",
    "Timing",
    "check_rounds",
    "default_threads",
    "generate",
    "graves",
    "ragged",
    "stream",
    "take_turns",
    "training",
]
