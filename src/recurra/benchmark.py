"""How fast a layer's training step is beside its peer, and beside what the machine can do at all.

A speed is a ratio to a peer in the same process, the two taking turns, the median of several rounds: machines are
shared and noisy, and a bare time says little.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

import recurra
from recurra.cells import cell_names, get_cell
from recurra.errors import UsageError
from recurra.nn import Stack

Precision = Literal["float32", "bfloat16"]
Step = Callable[[], Tensor]

MIN_ROUNDS = 5
SAMPLE_SECONDS = (
    0.01  # a sample repeats a step until it is at least this long, so that the clock's grain does not count
)
GEMM_SIZE = 2048
MEMORY_SIZES = tuple(4**k << 10 for k in range(3, 8))  # bytes: 64 kB, inside every first cache, to 16 MB
PEERS: dict[str, Callable[..., nn.Module]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "rnn_tanh": nn.RNN,
    "rnn_relu": partial(nn.RNN, nonlinearity="relu"),
}
"""The module of torch.nn for each of the modes that a `Cell` names as `torch_mode`."""
TOLERANCE: dict[Precision, float] = {"float32": 1e-4, "bfloat16": 5e-2}
"""How far outputs may lie apart before it is said that the two did not compute the same."""


class Shape(NamedTuple):
    """I input features, H hidden units, B sequences of T steps, L layers."""

    I: int  # noqa: E741  the design's letter
    H: int
    B: int
    T: int
    L: int

    def __str__(self) -> str:
        return ", ".join(map(str, self))


SHAPES = (
    Shape(64, 64, 16, 100, 1),
    Shape(128, 128, 50, 50, 2),
    Shape(200, 200, 20, 20, 2),
    Shape(1, 130, 64, 784, 1),
    Shape(8, 128, 32, 168, 2),
    Shape(512, 512, 50, 50, 2),
    Shape(650, 650, 20, 35, 2),
    Shape(1024, 1024, 32, 35, 1),
)
QUICK_SHAPES = (Shape(64, 64, 16, 100, 1), Shape(200, 200, 20, 20, 2))


@dataclass(frozen=True)
class Case:
    """One comparison: a cell against its peer, in a shape, a precision, with a number of threads."""

    cell: str
    shape: Shape
    precision: Precision
    threads: int


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


def training_flops(cell: str, shape: Shape) -> int:
    """Operations in the matrix products of a training step: forward, and twice that backward.

    >>> training_flops("lstm", Shape(64, 64, 16, 100, 1)) == 3 * 2 * 16 * 100 * 4 * 64 * (64 + 64)
    True
    """
    rows = len(get_cell(cell).gates) * shape.H
    columns = shape.I + shape.H + (shape.L - 1) * 2 * shape.H
    return 3 * 2 * shape.B * shape.T * rows * columns


def cases(
    cells: Iterable[str], shapes: Iterable[Shape], precisions: Iterable[Precision], threads: Iterable[int]
) -> list[Case]:
    """Every combination, checked; raises `UsageError`."""
    for cell in (cells := list(cells)):
        get_cell(cell)
    for count in (threads := list(threads)):
        if not 1 <= count <= (os.cpu_count() or 1):
            raise UsageError(f"threads: expected 1 to {os.cpu_count()} (this machine's), got {count}")
    for shape in (shapes := list(shapes)):
        if min(shape) < 1:
            raise UsageError(f"shape: expected five positive integers I,H,B,T,L, got {shape}")
    precisions = list(precisions)
    return [
        Case(cell, shape, precision, count)
        for cell in cells
        for shape in shapes
        for precision in precisions
        for count in threads
    ]


def _precision(precision: Precision) -> AbstractContextManager[Any]:
    return torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else contextlib.nullcontext()


def _training_step(module: nn.Module, forward: Callable[[Tensor], Tensor], x: Tensor, precision: Precision) -> Step:
    """One forward and backward pass, with gradients for the input as below another layer; gives the outputs."""
    with _precision(precision), torch.no_grad():
        gradient = torch.randn_like(forward(x))

    def step() -> Tensor:
        x.grad = None
        module.zero_grad(set_to_none=True)
        with _precision(precision):
            y = forward(x)
        y.backward(gradient)
        return y

    return step


def _stack_step(stack: Stack, shape: Shape, x: Tensor, precision: Precision) -> Step:
    return _training_step(stack, lambda x: stack(x, stack.zero_state(shape.B))[0], x, precision)


def _contestants(case: Case) -> tuple[Step, Step, str]:
    """The training steps of our stack and of its peer, with the same weights, and the peer's name.

    A cell that torch.nn does not have is compared with our LSTM, whose results it shares while its peepholes are zero.
    """
    shape, mode = case.shape, get_cell(case.cell).torch_mode
    sizes = [shape.H] * shape.L
    x = torch.randn(shape.T, shape.B, shape.I, requires_grad=True)
    ours = Stack(case.cell, shape.I, sizes)
    if mode is not None:
        peer = PEERS[mode](shape.I, shape.H, shape.L)
        given = {
            f"layers.{name.rpartition('_l')[2]}.{name.rpartition('_l')[0]}": value
            for name, value in peer.state_dict().items()
        }
        theirs = _training_step(peer, lambda x: peer(x)[0], x, case.precision)
        called = f"torch.nn.{type(peer).__name__}"
    else:
        lstm = Stack("lstm", shape.I, sizes)
        given, called = lstm.state_dict(), "recurra lstm"
        theirs = _stack_step(lstm, shape, x, case.precision)
    own = ours.state_dict()
    ours.load_state_dict({name: given.get(name, torch.zeros_like(value)) for name, value in own.items()})
    return _stack_step(ours, shape, x, case.precision), theirs, called


def _sample(step: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - start) / repeats


def _take_turns(steps: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of each step in each round, after a round of warming up; every other round goes the other way."""
    repeats = [max(1, round(SAMPLE_SECONDS / _sample(step, 1))) for step in steps]
    repeats = [max(1, round(SAMPLE_SECONDS / _sample(step, count))) for step, count in zip(steps, repeats, strict=True)]
    samples: list[list[float]] = [[] for _ in steps]
    for number in range(rounds):
        order = range(len(steps)) if number % 2 == 0 else reversed(range(len(steps)))
        for index in order:
            samples[index].append(_sample(steps[index], repeats[index]))
    return samples


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def measure(case: Case, *, rounds: int = MIN_ROUNDS) -> Result:
    """Compare the training step of one of our stacks with its peer's.

    Raises `UsageError` for fewer than 5 rounds, of which a median says nothing.

    >>> result = measure(Case("gru", Shape(2, 3, 2, 4, 1), "float32", 1))
    >>> result.peer, result.agrees, len(result.ours)
    ('torch.nn.GRU', True, 5)
    """
    if rounds < MIN_ROUNDS:
        raise UsageError(f"rounds: expected at least {MIN_ROUNDS}, got {rounds}")
    with _threads(case.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ours, theirs, peer = _contestants(case)
        difference = (ours().float() - theirs().float()).abs().max().item()
        own, other = _take_turns([ours, theirs], rounds)
    return Result(case, peer, own, other, difference)


def compute_limit(
    precision: Precision, threads: int, *, size: int = GEMM_SIZE, rounds: int = MIN_ROUNDS
) -> ComputeLimit:
    """Measure a product of two square matrices: what no recurrent layer of that precision can exceed."""
    dtype = torch.float32 if precision == "float32" else torch.bfloat16
    with _threads(threads), torch.random.fork_rng(devices=[]):
        a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
        (samples,) = _take_turns([lambda: torch.mm(a, b)], rounds)
    return ComputeLimit(precision, threads, 2 * size**3 / statistics.median(samples) / 1e9)


def memory_limit(size: int, *, rounds: int = MIN_ROUNDS) -> MemoryLimit:
    """Measure reading a buffer of `size` bytes on one core, in the faster of two ways: its sum, and its square norm."""
    with _threads(1):
        buffer = torch.zeros(size // 4)
        ways = _take_turns([lambda: torch.sum(buffer), lambda: torch.dot(buffer, buffer)], rounds)
    return MemoryLimit(size, size / min(map(statistics.median, ways)) / 1e9)


def machine() -> dict[str, Any]:
    """Describe what the numbers were measured on."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "recurra": recurra.__version__,
    }


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


DEFAULT_CELLS = tuple(name for name in cell_names() if name != "rnn-relu")  # it costs what the other RNN costs
