"""A campaign: cases of all families in turn, until there are enough or the time is over; what failed is kept."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.fuzz.case import Case, Command, Failure, Folder, Result
from tools.fuzz.families import WEIGHTS, make_case
from tools.fuzz.judge import judge
from tools.fuzz.stock import Stock
from tools.fuzz.watch import Limits, run_case

KEPT_OF_A_GROUP = 3
KEPT_BYTES = 2_000_000
"""Larger inputs are not kept: the number of the case makes them again."""


@dataclass
class Campaign:
    """What was run, and how it ended.  kept: the folder for failures."""

    seed: int
    kept: Path
    limits: Limits = field(default_factory=Limits)
    counts: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    groups: dict[str, list[Result]] = field(default_factory=lambda: defaultdict(list))
    peak: int = 0
    slowest: float = 0.0
    seconds: float = 0.0

    def run(self, family: str, number: int, stock: Stock) -> Result:
        """Make a case in a folder of its own, perform and judge it."""
        with tempfile.TemporaryDirectory(prefix="recurra-fuzz-", ignore_cleanup_errors=True) as scratch:
            result = perform(family, number, self.seed, Folder(Path(scratch)), stock, self.limits)
            self._count(result)
            if result.failure is not None and len(self.groups[result.failure.group]) <= KEPT_OF_A_GROUP:
                self._keep(result, result.failure, stock)
        return result

    def _count(self, result: Result) -> None:
        self.counts[result.case.family] += 1
        self.codes[result.case.family][result.ended.code] += 1
        self.peak, self.slowest = max(self.peak, result.ended.peak), max(self.slowest, result.ended.seconds)
        if result.failure is not None:
            self.groups[result.failure.group].append(result)

    def _keep(self, result: Result, failure: Failure, stock: Stock) -> None:
        """Keep what the case began with, and the command that shows it."""
        folder = self.kept / result.case.name
        shutil.rmtree(folder, ignore_errors=True)
        work = folder / "work"
        work.mkdir(parents=True)
        case = make_case(result.case.family, result.case.number, self.seed, work, stock)
        if sum(path.stat().st_size for path in work.rglob("*") if path.is_file()) > KEPT_BYTES:
            shutil.rmtree(work)
        suffix = "sh" if isinstance(case.action, Command) else "py"
        head = f"# {failure.group}\n# {case.about}\n".replace("\0", "")
        again = f"# python -m tools.fuzz --seed {self.seed} --case {case.family}:{case.number} --show\n"
        (folder / f"action.{suffix}").write_text(f"{head}{again}{case.action}\n", encoding="utf-8", errors="surrogateescape")
        (folder / "failure.txt").write_text(f"{failure.group}\n\n{failure.detail}\n", encoding="utf-8", errors="backslashreplace")

    @property
    def failures(self) -> int:
        return sum(map(len, self.groups.values()))

    def as_dict(self) -> dict[str, Any]:
        """Give what is stored as JSON."""
        families = {
            family: {"cases": count, "failures": self._failures_of(family), "exit_codes": {str(code): n for code, n in sorted(self.codes[family].items())}}
            for family, count in self.counts.items()
        }  # fmt: skip
        groups = [{"group": group, "count": len(results), "cases": [result.case.name for result in results[:20]]} for group, results in self._sorted()]
        return {
            "seed": self.seed, "seconds": round(self.seconds), "python": platform.python_version(), "families": families, "failures": self.failures,
            "peak_mib": self.peak >> 20, "slowest_seconds": round(self.slowest, 1), "groups": groups,
        }  # fmt: skip

    def table(self) -> str:
        """Give the counts as a table, and the groups of failures below it."""
        lines = [f"{'family':10} {'cases':>7} {'done':>7} {'refused':>8} {'failures':>9}"]
        for family, count in self.counts.items():
            codes = self.codes[family]
            refused = sum(n for code, n in codes.items() if code > 0)
            lines.append(f"{family:10} {count:7,} {codes[0]:7,} {refused:8,} {self._failures_of(family):9,}")
        lines.append(f"seed {self.seed}, {self.seconds:.0f} s, most memory {self.peak >> 20} MiB, slowest case {self.slowest:.1f} s")
        for group, results in self._sorted():
            cases = " ".join(f"{result.case.family}:{result.case.number}" for result in results[:5])
            lines += [f"{len(results):5}  {group}", f"       {cases}"]
        return "\n".join(lines)

    def _failures_of(self, family: str) -> int:
        return sum(result.case.family == family for results in self.groups.values() for result in results)

    def _sorted(self) -> list[tuple[str, list[Result]]]:
        return sorted(self.groups.items(), key=lambda item: (-len(item[1]), item[0]))


def perform(family: str, number: int, seed: int, folder: Folder, stock: Stock, limits: Limits) -> Result:
    """Make one case in a folder, perform and judge it."""
    folder.work.mkdir(parents=True, exist_ok=True)
    case = make_case(family, number, seed, folder.work, stock)
    ended = run_case(case, folder, limits)
    return Result(case, ended, judge(case, ended, folder.work) or _unloadable(case, folder, ended.code, limits))


def _unloadable(case: Case, folder: Folder, code: int, limits: Limits) -> Failure | None:
    """Load the runs that a training has left whole, which must be possible."""
    if not isinstance(case.action, Command) or case.action.words[:1] != ("train",) or case.family == "folders" or code == 1:
        return None
    for manifest in sorted(folder.work.rglob("manifest.json")):
        run = manifest.parent
        if run.name in ("RUN", "pretraining", "ablation"):
            continue
        again = Folder(folder.path / "again")
        again.work.mkdir(parents=True, exist_ok=True)
        shutil.copytree(run, again.work / "run", dirs_exist_ok=True)
        ended = run_case(Case(case.family, case.number, Command(("info", "run", "--json"))), again, limits)
        if ended.code != 0:
            return Failure("lost", "its run cannot be loaded", ended.stderr[-2000:])
    return None


def campaign(seed: int, stock: Stock, kept: Path, *, cases: Mapping[str, int] | None, seconds: float, report: Callable[[Campaign], None]) -> Campaign:
    """Run a campaign.  cases: how many of each family; None: in rounds, as the families weigh, until the seconds are over."""
    made, started, number = Campaign(seed, kept), time.monotonic(), Counter[str]()
    shares = WEIGHTS if cases is None else cases
    longest = None if cases is None else max(cases.values())
    rounds = 0
    while longest is None or rounds < longest:
        for family, share in shares.items():
            for _ in range(share if cases is None else int(rounds < share)):
                if cases is None and time.monotonic() - started > seconds:
                    return made
                made.run(family, number[family], stock)
                number[family] += 1
        rounds += 1
        made.seconds = time.monotonic() - started
        report(made)
    return made


def write_report(made: Campaign, path: Path) -> None:
    """Store a campaign as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made.as_dict(), indent=1) + "\n", encoding="utf-8")
