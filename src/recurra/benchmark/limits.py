"""What the machine can do at all: contestants that take turns with the others, in the same rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch.nn.functional import linear

from recurra.benchmark.turns import Contestant, Timing, best, ratio

GEMM, READ = "GEMM", "read"
GEMM_SIZE = 2048
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def gemm(precision: str, threads: int) -> list[Contestant]:
    """A product of two large square matrices: what no recurrent layer of that precision can exceed.

    There are two ways where torch was built with oneDNN, which multiplies faster than MKL on some processors.
    """
    a, b = (torch.randn(GEMM_SIZE, GEMM_SIZE).to(_TYPES[precision]) for _ in range(2))
    c = torch.empty_like(a)
    ways: list[Callable[[], object]] = [lambda: torch.mm(a, b, out=c)]
    if precision == "float32" and torch.backends.mkldnn.is_available():
        one, other = a.to_mkldnn(), b.to_mkldnn()
        ways.append(torch.inference_mode()(lambda: linear(one, other)))
    return [Contestant(GEMM, precision, threads, way, 2 * GEMM_SIZE**3) for way in ways]


def share_of_gemm(ours: Timing, flops: int, timings: list[Timing]) -> float:
    """The share of the large product's operations a second that a step reaches."""
    return ratio(best(timings, GEMM, ours.precision), ours) * flops


def read(precision: str, size: int) -> Contestant:
    """Read weights of so many bytes on one core: what no streaming step can exceed."""
    buffer = torch.zeros(max(1, size // 4))
    return Contestant(READ, precision, 1, lambda: torch.dot(buffer, buffer), size)


def share_of_read(ours: Timing, timings: list[Timing]) -> float:
    """The share of a step's time that reading its weights alone would take."""
    limit = best(timings, READ, ours.precision)
    return ratio(limit, ours) * limit.count


def rates(timings: Iterable[Timing]) -> list[dict[str, str | int | float]]:
    """What the limits were: for each, the best of all its timings, in billions a second of operations or of bytes."""
    fastest: dict[tuple[str, str, int, int], float] = {}
    for each in timings:
        if each.name in (GEMM, READ) and each.seconds:
            key = each.name, each.precision, each.threads, each.count
            fastest[key] = max(1e-9 / each.median, fastest.get(key, 0.0))
    names = ("limit", "precision", "threads", "count")
    return [{**dict(zip(names, key, strict=True)), "rate": rate} for key, rate in sorted(fastest.items())]
