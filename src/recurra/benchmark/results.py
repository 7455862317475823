"""What a run of the benchmark found, and how it is stored."""

from __future__ import annotations

import contextlib
import platform
import statistics
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from recurra import __version__
from recurra.benchmark.case import Case, Precision, Shape, training_flops, usable_cores

TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 5e-2}
"""How far outputs may lie apart before it is said that the two did not compute the same."""


@dataclass(frozen=True)
class Result:
    """What a comparison gave: seconds of one training step in each round, and how far the outputs lay apart."""

    case: Case
    peer: str
    ours: list[float]
    theirs: list[float]
    difference: float

    @property
    def ours_ms(self) -> float:
        """Milliseconds of our training step, the median."""
        return statistics.median(self.ours) * 1e3

    @property
    def peer_ms(self) -> float:
        """Milliseconds of the peer's training step, the median."""
        return statistics.median(self.theirs) * 1e3

    @property
    def speedup(self) -> float:
        """How many times as fast as the peer: the median over the rounds, whose two samples are neighbours in time."""
        return statistics.median(peer / own for own, peer in zip(self.ours, self.theirs, strict=True))

    @property
    def agrees(self) -> bool:
        """Whether the two computed the same."""
        return self.difference <= TOLERANCE[self.case.precision]

    @property
    def gflops(self) -> float:
        """Billions of operations a second in the matrix products that the training step needs."""
        return training_flops(self.case.cell, self.case.shape) / self.ours_ms / 1e6

    def as_dict(self) -> dict[str, Any]:
        """Give what is stored as JSON."""
        case = self.case
        return {
            "cell": case.cell,
            "peer": self.peer,
            "shape": case.shape._asdict(),
            "precision": case.precision,
            "threads": case.threads,
            "ours_ms": round(self.ours_ms, 4),
            "peer_ms": round(self.peer_ms, 4),
            "speedup": round(self.speedup, 4),
            "gflops": round(self.gflops, 2),
            "difference": self.difference,
            "agrees": self.agrees,
            "ours_seconds": self.ours,
            "peer_seconds": self.theirs,
        }


@dataclass(frozen=True)
class ComputeLimit:
    """What a large product of square matrices reaches."""

    precision: Precision
    threads: int
    gflops: float


@dataclass(frozen=True)
class MemoryLimit:
    """What one core reads from a buffer of that many bytes, over and over, as a step reads its weights."""

    bytes: int
    gigabytes_per_second: float


def machine() -> dict[str, Any]:
    """Describe what the numbers were measured on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": usable_cores(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "recurra": __version__,
    }


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass
class Report:
    """All that one run of the benchmark measured; `left_out` counts the cases it had no time for."""

    machine: dict[str, Any] = field(default_factory=machine)
    compute: list[ComputeLimit] = field(default_factory=list)
    memory: list[MemoryLimit] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    left_out: int = 0

    def gemm(self, precision: Precision) -> float | None:
        """What the large matrix product reached in that precision, in billions of operations a second."""
        return max((limit.gflops for limit in self.compute if limit.precision == precision), default=None)

    def best(self) -> list[Best]:
        """For each cell, shape and precision, both contestants at their best number of threads."""
        groups: dict[tuple[str, Shape, Precision], list[Result]] = {}
        for result in self.results:
            groups.setdefault((result.case.cell, result.case.shape, result.case.precision), []).append(result)
        return [
            Best(
                ours=min(group, key=lambda result: result.ours_ms),
                theirs=min(group, key=lambda result: result.peer_ms),
                limit=self.gemm(precision),
            )
            for (_, _, precision), group in sorted(groups.items())
        ]

    def as_dict(self) -> dict[str, Any]:
        """Give what `recurra bench --output` stores."""
        return {
            "version": 1,
            "machine": self.machine,
            "compute_limits": [asdict(limit) for limit in self.compute],
            "memory_limits": [asdict(limit) for limit in self.memory],
            "results": [result.as_dict() for result in self.results],
            "left_out": self.left_out,
        }


@dataclass(frozen=True)
class Best:
    """Our stack and its peer, each at its own best number of threads; `limit` is the matrix product's, if measured."""

    ours: Result
    theirs: Result
    limit: float | None

    @property
    def speedup(self) -> float:
        """How many times as fast as the peer."""
        if self.ours is self.theirs:
            return self.ours.speedup
        return self.theirs.peer_ms / self.ours.ours_ms

    @property
    def share(self) -> float | None:
        """The share of the machine's compute limit that our training step reaches."""
        return None if self.limit is None else self.ours.gflops / self.limit
