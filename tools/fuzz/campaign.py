"""A campaign: cases of all families in turn, until there are enough or the time is over; what failed is kept."""

from __future__ import annotations

import json
import os
import platform
import shutil
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Any

from tools.fuzz.case import Case, Command, Failure, Folder, Result
from tools.fuzz.families import WEIGHTS, make_case
from tools.fuzz.judge import judge
from tools.fuzz.stock import Stock
from tools.fuzz.watch import Limits, run_case

KEPT_OF_A_GROUP = 3
SECONDS_OF_A_QUIET_CASE = 120.0
"""In which a case with --quiet may show no progress."""
KEPT_BYTES = 2_000_000
"""Larger inputs are not kept: the number of the case makes them again."""
REPORT_SECONDS = 20


@dataclass(frozen=True)
class Plan:
    """What a campaign is to run.  cases: how many of each family; None: in rounds, as the families weigh, until the seconds are over.

    kept: the folder for failures.  jobs: cases at a time.
    """

    seed: int
    kept: Path
    cases: Mapping[str, int] | None = None
    seconds: float = float("inf")
    jobs: int = 1

    def schedule(self, good: int) -> Iterator[tuple[str, int]]:
        """Give families and numbers of cases in their order.  good: how many good cases there are, all of which come first."""
        if self.cases is None:
            yield from (("good", number) for number in range(good))
        shares = WEIGHTS if self.cases is None else self.cases
        numbers = {family: count() for family in shares}
        for turn in count() if self.cases is None else range(max(shares.values(), default=0)):
            for family, share in shares.items():
                for _ in range(share if self.cases is None else int(turn < share)):
                    yield family, next(numbers[family])


@dataclass
class Tally:
    """What came of the cases that were run.  groups: for each root cause the cases that failed of it, as FAMILY:NUMBER."""

    counts: Counter[str] = field(default_factory=Counter)
    codes: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    groups: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    peak: int = 0
    slowest: float = 0.0

    def add(self, result: Result) -> None:
        """Count one case."""
        family = result.case.family
        self.counts[family] += 1
        self.codes[family][result.ended.code] += 1
        self.peak, self.slowest = max(self.peak, result.ended.peak), max(self.slowest, result.ended.seconds)
        if result.failure is not None:
            self.groups[result.failure.group].append(f"{family}:{result.case.number}")

    def merge(self, other: Tally) -> None:
        """Count what another tally has counted."""
        self.counts.update(other.counts)
        for family, codes in other.codes.items():
            self.codes[family].update(codes)
        for group, cases in other.groups.items():
            self.groups[group] += cases
        self.peak, self.slowest = max(self.peak, other.peak), max(self.slowest, other.slowest)

    def to_json(self) -> str:
        """Write it for another process."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """Read what `to_json` wrote."""
        found = json.loads(text)
        codes = {family: Counter({int(code): n for code, n in each.items()}) for family, each in found["codes"].items()}
        groups = defaultdict(list, found["groups"])
        return cls(Counter(found["counts"]), defaultdict(Counter, codes), groups, found["peak"], found["slowest"])

    @property
    def failures(self) -> int:
        return sum(map(len, self.groups.values()))

    def failures_of(self, family: str) -> int:
        return sum(case.startswith(f"{family}:") for cases in self.groups.values() for case in cases)

    def sorted_groups(self) -> list[tuple[str, list[str]]]:
        return sorted(self.groups.items(), key=lambda item: (-len(item[1]), item[0]))


def as_json(tally: Tally, seed: int, seconds: float) -> str:
    """Give what is stored."""
    families: dict[str, Any] = {
        family: {"cases": cases, "failures": tally.failures_of(family), "exit_codes": {str(code): n for code, n in sorted(tally.codes[family].items())}}
        for family, cases in tally.counts.items()
    }  # fmt: skip
    groups = [{"group": group, "count": len(cases), "cases": cases[:20]} for group, cases in tally.sorted_groups()]
    measured = {"peak_mib": tally.peak >> 20, "slowest_seconds": round(tally.slowest, 1), "seconds": round(seconds)}
    whole = {
        "seed": seed,
        "python": platform.python_version(),
        **measured,
        "failures": tally.failures,
        "families": families,
        "groups": groups,
    }
    return json.dumps(whole, indent=1) + "\n"


def as_table(tally: Tally, seed: int, seconds: float) -> str:
    """Give the counts as a table, and the groups of failures below it."""
    lines = [f"{'family':10} {'cases':>7} {'done':>7} {'refused':>8} {'failures':>9}"]
    for family, cases in tally.counts.items():
        codes = tally.codes[family]
        refused = sum(n for code, n in codes.items() if code > 0)
        lines.append(f"{family:10} {cases:7,} {codes[0]:7,} {refused:8,} {tally.failures_of(family):9,}")
    lines.append(
        f"seed {seed}, {seconds:.0f} s, most memory {tally.peak >> 20} MiB, slowest case {tally.slowest:.1f} s"
    )
    for group, cases in tally.sorted_groups():
        lines += [f"{len(cases):5}  {group}", f"       {' '.join(cases[:5])}"]
    return "\n".join(lines)


def run_campaign(plan: Plan, stock: Stock) -> Tally:
    """Run a campaign, in as many processes as it has jobs; a report.json grows in the folder for failures."""
    plan.kept.mkdir(parents=True, exist_ok=True)
    if plan.jobs == 1:
        return _run_job(plan, stock, 0)
    stock.make_all()
    workers = {}
    for job in range(plan.jobs):
        if (pid := os.fork()) == 0:
            status = 1
            try:
                (plan.kept / f"job-{job}").write_text(_run_job(plan, stock, job).to_json(), encoding="utf-8")
                status = 0
            except BaseException:  # noqa: BLE001  a forked process must not go on as its parent would
                traceback.print_exc()
            finally:
                os._exit(status)
        workers[job] = pid
    whole = Tally()
    for job, pid in workers.items():
        _, status = os.waitpid(pid, 0)
        if status:
            raise RuntimeError(f"job {job} of the campaign ended with status {status}")
        written = plan.kept / f"job-{job}"
        whole.merge(Tally.from_json(written.read_text(encoding="utf-8")))
        written.unlink()
    return whole


def _run_job(plan: Plan, stock: Stock, job: int) -> Tally:
    """Run each case that is this job's."""
    tally, started, reported = Tally(), time.monotonic(), time.monotonic()
    for family, number in islice(plan.schedule(stock.good), job, None, plan.jobs):
        if (now := time.monotonic()) - started > plan.seconds:
            break
        with tempfile.TemporaryDirectory(prefix="recurra-fuzz-", ignore_cleanup_errors=True) as scratch:
            try:
                result = perform(family, number, plan.seed, Folder(Path(scratch)), stock)
            except Exception as error:  # noqa: BLE001  a fault of the campaign's own counts as a failure, and ends nothing
                traceback.print_exc()
                tally.groups[f"campaign: {type(error).__name__}"].append(f"{family}:{number}")
                continue
        tally.add(result)
        if result.failure is not None and len(tally.groups[result.failure.group]) <= KEPT_OF_A_GROUP:
            _keep(result.case, result.failure, plan, stock)
        if now - reported > REPORT_SECONDS:
            reported = now
            cases = ", ".join(f"{n:,} {name}" for name, n in tally.counts.items())
            print(
                f"{now - started:.0f} s, job {job}: {cases}; {tally.failures:,} failures in {len(tally.groups)} groups",
                flush=True,
            )
            (plan.kept / f"report-{job}.json").write_text(as_json(tally, plan.seed, now - started), encoding="utf-8")
    (plan.kept / f"report-{job}.json").unlink(missing_ok=True)
    return tally


def _keep(case: Case, failure: Failure, plan: Plan, stock: Stock) -> None:
    """Keep what the case began with, and the command that shows it."""
    folder = plan.kept / case.name
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    make_case(case.family, case.number, plan.seed, work, stock)
    if sum(path.lstat().st_size for path in work.rglob("*") if path.is_file()) > KEPT_BYTES:
        shutil.rmtree(work)
    again = f"# python -m tools.fuzz --seed {plan.seed} --case {case.family}:{case.number}"
    text = f"# {failure.group}\n# {case.about}\n{again}\n{case.action}\n".replace("\0", "\\0")
    name = "action.sh" if isinstance(case.action, Command) else "action.py"
    (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "failure.txt").write_bytes(f"{failure.group}\n\n{failure.detail}\n".encode("utf-8", "surrogatepass"))


def limits_of(case: Case) -> Limits:
    """Give the limits of a case: one that is to be quiet shows nothing of honest work."""
    words = case.action.words if isinstance(case.action, Command) else ()
    return Limits(seconds_without_progress=SECONDS_OF_A_QUIET_CASE) if {"-q", "--quiet"} & {*words} else Limits()


def perform(family: str, number: int, seed: int, folder: Folder, stock: Stock) -> Result:
    """Make one case in a folder, perform and judge it."""
    folder.work.mkdir(parents=True, exist_ok=True)
    case = make_case(family, number, seed, folder.work, stock)
    limits = limits_of(case)
    ended = run_case(case, folder, limits)
    return Result(case, ended, judge(case, ended, folder.work) or _unloadable(case, folder, limits))


def _unloadable(case: Case, folder: Folder, limits: Limits) -> Failure | None:
    """Load the runs that a training has left whole, which must be possible."""
    if not isinstance(case.action, Command) or case.action.words[:1] != ("train",) or case.family == "folders":
        return None
    for manifest in sorted(folder.work.rglob("manifest.json")):
        if manifest.parent.name in ("RUN", "pretraining", "ablation"):
            continue
        again = Folder(folder.path / "again")
        shutil.copytree(manifest.parent, again.work / "run", dirs_exist_ok=True)
        loaded = Case(case.family, case.number, Command(("info", "run", "--json")), names=("run",))
        ended = run_case(loaded, again, limits)
        if ended.code != 0:
            return Failure("lost", "its run cannot be loaded", ended.stderr[-2000:])
    return None
