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

PRELOADED = [
    "recurra.api", "recurra.cli", "recurra.runs.run", "recurra.stream", "recurra.nn", "recurra.report", "recurra.kernels.native", "recurra.verbs.base.evaluation", "torch._dynamo", "sklearn.linear_model", "sklearn.feature_extraction.text", "scipy.io",
    "pyarrow.parquet", "tokenizers", "pandas", "statsforecast.models", "tomli_w", "zstandard", "ctypes.util", "pydantic.type_adapter", "rich._emoji_codes", "encodings.utf_32_le", "encodings.ascii",
]  # fmt: skip
"""What a fresh process would take seconds to import."""


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long, where no number of cases is given")
    parser.add_argument(
        "--cases", default="", metavar="FAMILY=N,...", help="so many of each family, however long they take"
    )
    parser.add_argument("--case", default="", metavar="FAMILY:NUMBER", help="one case again, with all that it prints")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="cases at a time")
    parser.add_argument(
        "--keep", type=Path, default=Path("build/fuzz"), metavar="DIR", help="where failures are kept, and report.json"
    )
    return parser.parse_args()


def preload() -> None:
    """Import all that a case may need, once; a case is a fork of this process."""
    for name in PRELOADED:
        importlib.import_module(name)
    import torch

    from recurra.kernels.native import engine
    from recurra.tasks import task_names

    torch.set_num_threads(1)
    task_names()
    engine()
    gc.collect()
    gc.freeze()


def show(family: str, number: int, seed: int, stock: Path) -> bool:
    """Run one case again and print what it was and what it printed; gives whether it failed."""
    from tools.fuzz.campaign import perform
    from tools.fuzz.case import Folder
    from tools.fuzz.stock import Stock

    folder = Folder(Path(tempfile.mkdtemp(prefix=f"recurra-fuzz-{family}-{number}-")))
    result = perform(family, number, seed, folder, Stock(stock))
    ended = result.ended
    shown = [result.case.about, f"cd {folder.work}", str(result.case.action)]
    shown += [f"exit {ended.code} after {ended.seconds:.1f} s, {ended.peak >> 20} MiB {ended.stopped}"]
    shown += ["--- stdout", ended.stdout[-3000:], "--- stderr", ended.stderr[-6000:]]
    shown += [f"--- {result.failure.group}" if result.failure else "--- as it should be"]
    print("\n".join(shown).encode("utf-8", "backslashreplace").decode())
    return result.failure is not None


def main() -> int:
    """Run what the command line asks for."""
    given = read_arguments()
    preload()
    from tools.fuzz.campaign import Plan, as_json, as_table, run_campaign
    from tools.fuzz.stock import Stock

    with tempfile.TemporaryDirectory(prefix="recurra-fuzz-stock-") as scratch:
        if given.case:
            family, _, number = given.case.partition(":")
            return int(show(family, int(number), given.seed, Path(scratch)))
        counts = [part.partition("=") for part in given.cases.split(",") if part]
        cases = {family: int(count) for family, _, count in counts}
        shutil.rmtree(given.keep, ignore_errors=True)
        plan = Plan(given.seed, given.keep, cases or None, float("inf") if cases else 60 * given.minutes, given.jobs)
        started = time.monotonic()
        tally = run_campaign(plan, Stock(Path(scratch)))
        seconds = time.monotonic() - started
    (given.keep / "report.json").write_text(as_json(tally, given.seed, seconds), encoding="utf-8")
    print(as_table(tally, given.seed, seconds))
    return int(tally.failures > 0)


if __name__ == "__main__":
    sys.exit(main())
