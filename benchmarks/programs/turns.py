"""The same program twice, as it is and with `recurra.accelerate`, in turns: times, and whether both end with the same."""

from __future__ import annotations

import argparse
import bisect
import gc
import json
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from recurra.kernels.native import describe

SIDES = (False, True)
"""Whether `accelerate` is called."""


@dataclass
class Run:
    """One training: seconds by the clock and of this process, the loss of each step, what it ended with, what was swapped."""

    wall: float
    cpu: float
    losses: list[float]
    metrics: dict[str, float]
    swapped: list[str] = field(default_factory=list)


class Stopwatch:
    """Seconds by the clock and of this process, of what runs within it."""

    wall = cpu = 0.0

    def __enter__(self) -> Stopwatch:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self._began[0]
        self.cpu = time.process_time() - self._began[1]


def arguments(name: str, steps: int, what: str) -> argparse.ArgumentParser:
    """The options that the programs share; `what` says what --steps counts."""
    parser = argparse.ArgumentParser(description=f"{name}, as it is and with recurra.accelerate.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each side trains")
    parser.add_argument("--steps", type=int, default=steps, help=what)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="a JSON file to write")
    return parser


def take_turns(
    name: str,
    packages: list[str],
    train: Callable[[bool, int], Run],
    options: argparse.Namespace,
    *,
    first: int,
    tolerance: float,
    loose: dict[str, float],
    profiled: int,
) -> bool:
    """Train in turns, print and store what came out; True where both sides end with the same.

    first: how many losses must agree within `tolerance`, relative to the loss: rounding has not been amplified yet.
    loose: metric → how far it may differ at the end, relative to the side without `accelerate`.
    profiled: steps in which the share of the recurrent modules is measured.
    """
    if options.rounds < 1 or options.threads < 1:
        raise SystemExit("--rounds and --threads: expected at least 1")
    torch.set_num_threads(options.threads)
    runs: dict[bool, list[Run]] = {side: [] for side in SIDES}
    for turn in range(options.rounds + 1):
        for side in SIDES if turn % 2 else reversed(SIDES):
            gc.collect()
            run = train(side, options.steps)
            if turn:  # the first of each loads and compiles what both need
                runs[side].append(run)
                print(
                    f"round {turn} {_name(side):10} {run.wall:7.2f} s wall {run.cpu:7.2f} s cpu {run.metrics}",
                    flush=True,
                )
    few = min(options.steps, profiled)
    share = {_name(side): recurrent_share(partial(train, side, few)) for side in SIDES}
    result = _compare(runs, first, tolerance, loose)
    result |= {"program": name, "share_of_recurrent_modules": share, "rounds": options.rounds, "steps": options.steps}
    result |= {
        "threads": options.threads,
        "seed": options.seed,
        "engine": describe(),
        "processor": platform.processor(),
    }
    result["versions"] = {package: version(package) for package in ["recurra", "torch", *packages]}
    _show(result)
    if options.output:
        options.output.write_text(json.dumps(result, indent=1) + "\n")
    return bool(result["same"])


def _compare(runs: dict[bool, list[Run]], first: int, tolerance: float, loose: dict[str, float]) -> dict[str, Any]:
    plain, ours = runs[False][0], runs[True][0]
    gaps = [abs(a - b) / max(abs(a), 1e-6) for a, b in zip(plain.losses, ours.losses, strict=True)]
    if len(gaps) < first:
        raise SystemExit(f"--steps: expected enough for {first} losses, got {len(gaps)}")
    early = max(gaps[:first])
    ends = {
        key: {
            "torch": plain.metrics[key],
            "accelerate": ours.metrics[key],
            "difference": abs(plain.metrics[key] - ours.metrics[key]) / max(abs(plain.metrics[key]), 1e-6),
            "allowed": allowed,
        }
        for key, allowed in loose.items()
    }
    return {
        "swapped": ours.swapped,
        "wall_s": {_name(side): [run.wall for run in some] for side, some in runs.items()},
        "cpu_s": {_name(side): [run.cpu for run in some] for side, some in runs.items()},
        "speed_wall": _ratio(runs, "wall"),
        "speed_cpu": _ratio(runs, "cpu"),
        "losses": {_name(side): some[0].losses for side, some in runs.items()},
        "first_losses": {"count": first, "largest_difference": early, "allowed": tolerance},
        "largest_difference_of_losses": max(gaps),
        "ends": ends,
        "repeats": {_name(side): all(run.losses == some[0].losses for run in some) for side, some in runs.items()},
        "same": early <= tolerance and all(end["difference"] <= end["allowed"] for end in ends.values()),
    }


def _ratio(runs: dict[bool, list[Run]], clock: str) -> float:
    """The median of the rounds' ratios: a machine that slows down slows both."""
    pairs = zip(runs[False], runs[True], strict=True)
    return statistics.median(getattr(plain, clock) / getattr(ours, clock) for plain, ours in pairs)


def recurrent_share(train: Callable[[], Run]) -> float:
    """The share of the training that is spent in recurrent modules, forward and backward, by torch's profiler."""
    with _marked(), profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        run = train()
    events = profiler.events() or []
    marks = sorted((e.time_range.start, e.time_range.end) for e in events if e.name == _MARK)
    starts = [start for start, _ in marks]
    # A node of the graph has the number of the operation that made it: those made within a mark are the layers' own.
    made, spent = set(), sum(end - start for start, end in marks)
    for event in events:
        at = bisect.bisect_right(starts, event.time_range.start) - 1
        if (
            event.sequence_nr >= 0
            and at >= 0
            and event.time_range.end <= marks[at][1]
            and not event.name.startswith(_NODE)
        ):
            made.add(event.sequence_nr)
    nodes = [e for e in events if e.name.startswith(_NODE) and e.sequence_nr in made]
    spent += sum(e.time_range.elapsed_us() for e in nodes)
    return spent / 1e6 / run.wall


_MARK, _NODE = "recurrent: forward", "autograd::engine::evaluate_function: "


@contextmanager
def _marked() -> Iterator[None]:
    """Name the forward passes of recurrent modules in the profile."""
    call = nn.RNNBase.__call__

    def marked(self: nn.RNNBase, *given: Any, **named: Any) -> Any:
        with record_function(_MARK):
            return call(self, *given, **named)

    nn.RNNBase.__call__ = marked  # type: ignore[method-assign]
    try:
        yield
    finally:
        del nn.RNNBase.__call__


def _name(side: bool) -> str:
    return "accelerate" if side else "torch"


def _show(result: dict[str, Any]) -> None:
    print(
        f"\n{result['program']}: {result['speed_wall']:.2f} times as fast by the clock, {result['speed_cpu']:.2f} by processor time"
    )
    print(f"swapped: {', '.join(result['swapped'])}   engine: {result['engine']}")
    shares = result["share_of_recurrent_modules"]
    print(
        f"in recurrent modules: {shares['torch']:.0%} of the time without, {shares['accelerate']:.0%} with accelerate"
    )
    early = result["first_losses"]
    print(
        f"first {early['count']} losses differ by {early['largest_difference']:.1e} at most (allowed {early['allowed']:.0e})"
    )
    for key, end in result["ends"].items():
        print(
            f"{key}: {end['torch']:.6g} without, {end['accelerate']:.6g} with: differ by {end['difference']:.1e} "
            f"(allowed {end['allowed']:.0e})"
        )
    print("ends with the same result" if result["same"] else "DOES NOT END WITH THE SAME RESULT")
