"""python -m tools.fuzz: run a campaign, or one case again."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy and torch are loaded: a forked process has none of its parent's threads

PRELOADED = ["recurra.api", "recurra.cli", "recurra.runs.run", "recurra.stream", "recurra.nn", "recurra.testing", "sklearn.linear_model", "scipy.io", "pyarrow.parquet", "tokenizers", "pandas", "statsforecast.models", "tomli_w", "zstandard"]  # fmt: skip
"""What a fresh process would take seconds to import."""
REPORT_SECONDS = 20


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, where no number of cases is given")
    parser.add_argument("--cases", default="", metavar="FAMILY=N,...", help="so many of each family, however long they take")
    parser.add_argument("--case", default="", metavar="FAMILY:NUMBER", help="one case again")
    parser.add_argument("--show", action="store_true", help="with --case: all that it prints; its folder is kept")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), metavar="DIR", help="where failures are kept, and report.json")
    return parser.parse_args()


def preload() -> None:
    """Import all that a case may need, once; a case is a fork of this process."""
    for name in PRELOADED:
        importlib.import_module(name)
    import torch

    from recurra.tasks import task_names

    torch.set_num_threads(1)
    task_names()
    gc.collect()
    gc.freeze()


def show(family: str, number: int, seed: int, stock_folder: Path) -> bool:
    """Run one case again and print what it was and what it printed; gives whether it failed."""
    from tools.fuzz.campaign import perform
    from tools.fuzz.case import Folder
    from tools.fuzz.stock import Stock
    from tools.fuzz.watch import Limits

    folder = Path(tempfile.mkdtemp(prefix=f"recurra-fuzz-{family}-{number}-"))
    result = perform(family, number, seed, Folder(folder), Stock(stock_folder), Limits())
    ended = result.ended
    print(f"{result.case.about}\ncd {folder / 'work'}\n{result.case.action}".encode("utf-8", "backslashreplace").decode())
    print(f"exit {ended.code} after {ended.seconds:.1f} s, {ended.peak >> 20} MiB {ended.stopped}")
    print(f"--- stdout\n{ended.stdout[-3000:]}\n--- stderr\n{ended.stderr[-6000:]}")
    print(f"--- {result.failure.group if result.failure else 'as it should be'}")
    return result.failure is not None


def main() -> int:
    """Run what the command line asks for."""
    given = read_arguments()
    preload()
    from tools.fuzz.campaign import Campaign, campaign, write_report
    from tools.fuzz.stock import Stock

    with tempfile.TemporaryDirectory(prefix="recurra-fuzz-stock-") as scratch:
        stock = Stock(Path(scratch))
        if given.case:
            family, _, number = given.case.partition(":")
            return int(show(family, int(number), given.seed, Path(scratch)))
        cases = {family: int(count) for family, _, count in (part.partition("=") for part in given.cases.split(","))} if given.cases else None
        shutil.rmtree(given.keep, ignore_errors=True)
        printed = [time.monotonic()]

        def report(made: Campaign) -> None:
            if time.monotonic() - printed[0] > REPORT_SECONDS:
                printed[0] = time.monotonic()
                counts = ", ".join(f"{count:,} {family}" for family, count in made.counts.items())
                print(f"{made.seconds:.0f} s: {counts}; {made.failures:,} failures in {len(made.groups)} groups", file=sys.stderr, flush=True)
                write_report(made, given.keep / "report.json")

        made = campaign(given.seed, stock, given.keep, cases=cases, seconds=60 * given.minutes, report=report)
        write_report(made, given.keep / "report.json")
    print(made.table())
    return int(made.failures > 0)


if __name__ == "__main__":
    sys.exit(main())
