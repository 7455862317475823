"""What the comparisons with other programs share: turns of those who hold the clock themselves, and the memory of a process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from recurra.benchmark.turns import Contestant, Timing


@dataclass(frozen=True)
class Entrant:
    """What takes turns; `go` gives seconds."""

    name: str
    precision: str
    threads: int
    go: Callable[[], float]


def turns(entrants: Sequence[Entrant], rounds: int) -> list[Timing]:
    """Let each go in every round, after one that is not counted; every other round goes the other way."""
    samples: dict[int, list[float]] = {number: [] for number in range(len(entrants))}
    trial = [_timed(each) for each in entrants]
    for turn in range(rounds):
        for number in sorted(samples, reverse=bool(turn % 2)):
            samples[number].append(_timed(entrants[number]))
    return [
        Timing(each.name, each.precision, each.threads, 1, once, seconds)
        for each, once, seconds in zip(entrants, trial, samples.values(), strict=True)
    ]


def _timed(entrant: Entrant) -> float:
    torch.set_num_threads(entrant.threads)
    return entrant.go()


def timed(contestant: Contestant) -> Entrant:
    """Give what takes turns by `take_turns` as one that holds the clock itself; its seconds are those of one of its units."""

    def go() -> float:
        start = time.perf_counter()
        contestant.step()
        return (time.perf_counter() - start) / contestant.count

    return Entrant(contestant.name, contestant.precision, contestant.threads, go)


def held(what: str) -> int:
    """Give the KiB that this process holds ("VmRSS"), or the most that it held ("VmHWM"); `getrusage` would count what its parent held, too."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])
