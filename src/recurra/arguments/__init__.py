"""The arguments of public functions: what their annotations ask for, and the gate that checks it."""

from recurra.arguments.annotations import (
    MAX_THREADS,
    Array,
    DataFrame,
    PathName,
    Positive,
    Rule,
    Signal,
    Size,
    Threads,
)
from recurra.arguments.gate import checked, explained

__all__ = [
    "MAX_THREADS",
    "Array",
    "DataFrame",
    "PathName",
    "Positive",
    "Rule",
    "Signal",
    "Size",
    "Threads",
    "checked",
    "explained",
]
