"""The families of cases: each makes case number N of a seed in a folder, from the stock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from tools.fuzz.case import Case
from tools.fuzz.families.commands import make_command
from tools.fuzz.families.files import make_file
from tools.fuzz.families.folders import make_folder
from tools.fuzz.families.good import make_good
from tools.fuzz.families.misuses import make_misuse
from tools.fuzz.stock import Stock

Make = Callable[[int, Random, Path, Stock], Case]
"""(number, the case's own random numbers, the folder to write to, the stock) → the case."""

FAMILIES: dict[str, Make] = {
    "good": make_good,
    "files": make_file,
    "folders": make_folder,
    "commands": make_command,
    "misuses": make_misuse,
}
WEIGHTS = {"files": 4, "folders": 2, "commands": 2, "misuses": 1}
"""Cases of each family in a round, which comes after all good ones."""


def make_case(family: str, number: int, seed: int, work: Path, stock: Stock) -> Case:
    """Make a case, the same for the same family, number and seed."""
    return FAMILIES[family](number, Random(f"{seed}/{family}/{number}"), work, stock)
