"""How fast a layer's training step is beside its peer, and beside what the machine can do at all.

A speed is a ratio to a peer in the same process, the two taking turns, the median of several rounds: machines are
shared and noisy, and a bare time says little.
"""

from recurra.benchmark.case import DEFAULT_CELLS, QUICK_SHAPES, SHAPES, Case, Precision, Shape, cases, default_threads
from recurra.benchmark.results import Best, ComputeLimit, MemoryLimit, Report, Result
from recurra.benchmark.turns import MEMORY_SIZES, MIN_ROUNDS, check_rounds, compute_limit, measure, memory_limit

__all__ = [
    "DEFAULT_CELLS",
    "MEMORY_SIZES",
    "MIN_ROUNDS",
    "QUICK_SHAPES",
    "SHAPES",
    "Best",
    "Case",
    "ComputeLimit",
    "MemoryLimit",
    "Precision",
    "Report",
    "Result",
    "Shape",
    "cases",
    "check_rounds",
    "compute_limit",
    "default_threads",
    "measure",
    "memory_limit",
]
