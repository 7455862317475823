"""Taking turns: a stack and its peer, again and again, and the limits of the machine in between."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recurra.benchmark.case import Case, Precision, Shape
from recurra.benchmark.results import ComputeLimit, MemoryLimit, Result
from recurra.cells import get_cell
from recurra.errors import UsageError
from recurra.nn import Stack

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


def check_rounds(rounds: int) -> None:
    """Raise `UsageError` for fewer rounds than a median needs."""
    if rounds < MIN_ROUNDS:
        raise UsageError(f"rounds: expected at least {MIN_ROUNDS}, got {rounds}")


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
    check_rounds(rounds)
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
