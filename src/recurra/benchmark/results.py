"""What a run of the benchmark found, how it is judged, and how it is stored."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import geometric_mean
from typing import Any, Literal

import torch

from recurra.benchmark.case import usable_cores
from recurra.benchmark.limits import rates
from recurra.benchmark.turns import Timing, ratio
from recurra.version import __version__

Figure = Literal["speed", "time", "share"]
"""speed: how many times as fast as the peer.  time: how many times the peer's time.  share: of the machine's limit."""


@dataclass(frozen=True)
class Row:
    """One comparison: our step and its peer, each at its best, and how far apart their results lay.

    what: what was compared, by the table's headings.  share: of the machine's limit, where one was measured.
    """

    table: str
    what: dict[str, str | int]
    ours: Timing
    peer: Timing
    difference: float
    tolerance: float
    share: float | None = None

    def figure(self, name: Figure) -> float | None:
        """Give the figure of that name; a share may not have been measured."""
        if name == "share":
            return self.share
        return ratio(self.peer, self.ours) if name == "speed" else ratio(self.ours, self.peer)

    @property
    def agrees(self) -> bool:
        """Whether the two computed the same; what is not a number never does."""
        return self.difference <= self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """Give what is stored as JSON."""
        return {
            "table": self.table,
            **self.what,
            "speed": self.figure("speed"),
            "time": self.figure("time"),
            "share": self.share,
            "ours": _side(self.ours),
            "peer": _side(self.peer),
            "difference": self.difference,
            "tolerance": self.tolerance,
            "agrees": self.agrees,
        }


def _side(timing: Timing) -> dict[str, Any]:
    return {
        "name": timing.name,
        "precision": timing.precision,
        "threads": timing.threads,
        "microseconds": timing.median * 1e6,
    }


@dataclass(frozen=True)
class Target:
    """What is to be reached: a geometric mean over the rows that are meant, and a bound that no row may pass."""

    name: str
    goal: float
    bound: float | None = None
    figure: Figure = "speed"
    rows: Callable[[Row], bool] = lambda _: True

    def judge(self, rows: Sequence[Row]) -> dict[str, Any] | None:
        """Compare rows with the target; None where there are none that it is about.

        A row whose results differ from its peer's is never good enough.
        """
        meant = [(value, row) for row in rows if self.rows(row) and (value := row.figure(self.figure)) is not None]
        if not meant:
            return None
        mean = geometric_mean([value for value, _ in meant])
        low = self.figure != "time"
        worst, row = (min if low else max)(meant, key=lambda pair: pair[0])

        def passes(value: float, bound: float) -> bool:
            return value >= bound if low else value <= bound

        reached = passes(mean, self.goal) and (self.bound is None or passes(worst, self.bound))
        return {
            "target": self.name,
            "figure": self.figure,
            "rows": len(meant),
            "geometric_mean": mean,
            "worst": worst,
            "worst_row": ", ".join(map(str, row.what.values())),
            "goal": self.goal,
            "bound": self.bound,
            "differing": sum(not row.agrees for _, row in meant),
            "reached": reached and all(row.agrees for _, row in meant),
        }


@dataclass(frozen=True)
class Table:
    """Rows of one kind and what they are to reach; `figure` is what is shown of each."""

    name: str
    title: str
    targets: tuple[Target, ...]
    figure: Figure = "speed"
    limit: str | None = None


@dataclass(frozen=True)
class Measured:
    """What one group of contestants gave, who took turns with each other."""

    rows: list[Row]
    timings: list[Timing]


@dataclass(frozen=True)
class Group:
    """Contestants that take turns: a name for the display, the seconds that it will take, more or less, and the work."""

    label: str
    seconds: float
    work: Callable[[], Measured]

    def measure(self) -> Measured:
        """Do the work, with the same random numbers each time, and leave the process's own alone."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return self.work()


@dataclass
class Report:
    """All that one run measured; `left_out` says what it did not, and why."""

    tables: Sequence[Table]
    machine: dict[str, Any] = field(default_factory=lambda: machine())
    groups: dict[str, Measured] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def rows(self, table: Table) -> list[Row]:
        """Give the rows of a table, in the order in which they were measured."""
        return [row for group in self.groups.values() for row in group.rows if row.table == table.name]

    def as_dict(self) -> dict[str, Any]:
        """Give what is stored as JSON, and all that is printed."""
        tables = []
        for table in self.tables:
            if rows := self.rows(table):
                judged = [judged for target in table.targets if (judged := target.judge(rows)) is not None]
                about = {"name": table.name, "title": table.title, "figure": table.figure, "limit": table.limit}
                tables.append({**about, "targets": judged, "rows": [row.as_dict() for row in rows]})
        return {
            "version": 2,
            "machine": self.machine,
            "tables": tables,
            "limits": rates(timing for group in self.groups.values() for timing in group.timings),
            "timings": {label: [each.as_dict() for each in group.timings] for label, group in self.groups.items()},
            "left_out": self.left_out,
        }


def machine() -> dict[str, Any]:
    """Describe what the numbers were measured on."""
    from recurra.kernels.native import describe

    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cores": usable_cores(),
        "engine": describe(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnxruntime": _version("onnxruntime"),
        "recurra": __version__,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
