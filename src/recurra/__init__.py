"""Recurra trains, measures, explains and runs recurrent neural networks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from recurra.version import __version__

# Each training step takes and returns tens of megabytes, and mapping them again in small pages costs as much as the
# arithmetic (a softmax over 8,000 units: 1.4 s a step without, 0.56 s with). torch reads this at its first large allocation.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

# A thread of OpenMP that waits for its next share of work keeps its core busy for 11 ms, and one of LLVM's OpenMP for 200 ms. Where
# other programs want the core, most of a training's time is spent so. 2,000 turns take 80 µs (Zen 5): long enough for the
# gaps within a step, short enough to leave the core to others. Read when OpenMP is loaded, with torch.
if not os.environ.keys() & {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}:
    os.environ["GOMP_SPINCOUNT"] = "2000"
    os.environ["KMP_BLOCKTIME"] = "1"  # milliseconds, LLVM's and Intel's OpenMP

if TYPE_CHECKING:
    from recurra import nn
    from recurra.api import resume, train
    from recurra.kernels import exact
    from recurra.nn.accelerate import accelerate, restore
    from recurra.runs.run import Run
    from recurra.stream import ModuleStream, Stream

    load = Run.load


__all__ = [
    "ModuleStream",
    "Run",
    "Stream",
    "__version__",
    "accelerate",
    "exact",
    "load",
    "nn",
    "restore",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    # Importing torch takes seconds: `recurra --help` and `recurra data list` must not wait for it.
    if name in ("train", "resume"):
        import recurra.api

        return getattr(recurra.api, name)
    if name in ("Run", "load"):
        import recurra.runs.run

        return recurra.runs.run.Run if name == "Run" else recurra.runs.run.Run.load
    if name == "nn":
        import importlib

        return importlib.import_module("recurra.nn")
    if name in ("accelerate", "restore"):
        import recurra.nn.accelerate

        return getattr(recurra.nn.accelerate, name)
    if name in ("Stream", "ModuleStream"):
        import recurra.stream

        return getattr(recurra.stream, name)
    if name == "exact":
        import recurra.kernels

        return recurra.kernels.exact
    raise AttributeError(f"module 'recurra' has no attribute {name!r}")
