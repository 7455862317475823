"""What all others are made from, as it is: every good training and every question to a good run must go well."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tools.fuzz.case import Case, Command
from tools.fuzz.families.copying import copy_paths, files_below
from tools.fuzz.samples import TINY
from tools.fuzz.stock import Stock


def make_good(number: int, rng: Random, work: Path, stock: Stock) -> Case:  # noqa: ARG001  as every family is called
    """Make a case in which nothing is bad: the samples and the questions in turn."""
    at = number % (len(stock.samples) + len(stock.usages))
    if at < len(stock.samples):
        sample = stock.samples[at]
        copy_paths(stock.files, sample.paths, work)
        (work / "out").mkdir()
        return Case("good", number, Command(("train", *sample.words, *TINY, "-o", "out/run")), " ".join(sample.words))
    usage, piped = stock.usages[at - len(stock.samples)]
    copy_paths(stock.files, usage.paths, work)
    copy_paths(stock.run(usage.run), files_below(stock.run(usage.run)), work / "RUN")
    command = Command(usage.words, f"file {piped}" if piped else "empty")
    return Case("good", number, command, f"{usage.run}: {' '.join(usage.words)}", good_data=True)
