"""The plain classifier of series beside its nearest neighbours, on sets with a split of their own: accuracy, log loss, seconds.

    RECURRA_DATA=data python benchmarks/linear_series.py --json linear-series.json
    python benchmarks/linear_series.py --only OSULeaf,acsf1 --markdown

Splits are the archives' own. Where there is none: MSR Action 3D is split by subject (odd ones train), the character trajectories by
chance in halves, and once more with five of each letter to learn from; ECG5000's 500 labelled beats in halves. The appliances are made
here: cycles of current of eleven kinds, whose form tells the kind, at any height, phase and length, as in PLAID.

"left out" is what the logits of the training series say that `fit` gives: each by a model of the others. 1-NN with DTW is left out where
it would touch more than 2.5·10¹⁰ numbers. Seconds are those of fitting and of all test series, on one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recurra.baselines import NearestNeighbour
from recurra.benchmark.results import machine
from recurra.data.labelled.reader import read_labelled
from recurra.files import write_whole
from recurra.linear import ConvolutionRidge

ARCHIVES = ("ts-classification", "first-try")
FORMATS = re.compile(r"\.(ts|tsv|arff)(\.xz)?$")
"""Names of files of the archives, with a label for each series."""
MAX_COST = 2.5e10
"""`NearestNeighbour.cost` that 1-NN with DTW may have."""
LETTERS_OF_EACH = 5
"""Of each kind, that are learnt from where they are few."""
COLUMNS = (
    "set",
    "train",
    "test",
    "classes",
    "channels",
    "steps",
    "ours",
    "log loss",
    "left out",
    "1-nn",
    "1-nn-dtw",
    "fit s",
    "predict s",
)


@dataclass(frozen=True)
class SeriesSet:
    """Series (T, C) to learn from and to test on, with their classes as numbers."""

    name: str
    train: list[np.ndarray]
    targets: np.ndarray
    test: list[np.ndarray]
    test_targets: np.ndarray
    classes: int


def make_set(name: str, train: tuple[Sequence, Sequence], test: tuple[Sequence, Sequence]) -> SeriesSet:
    """Number the labels of both parts, (series, labels) each."""
    places = {label: place for place, label in enumerate(sorted({*train[1], *test[1]}))}
    numbers = [np.array([places[label] for label in part[1]]) for part in (train, test)]
    return SeriesSet(name, list(train[0]), numbers[0], list(test[0]), numbers[1], len(places))


def read(path: Path) -> tuple[list, list]:
    """Read a file of series with a label each."""
    found = read_labelled([path])
    return list(found.sequences), [names[0] for names in found.labels]


def some(part: tuple[list, list], places: Sequence[int] | np.ndarray) -> tuple[list, list]:
    """Take the examples at some places."""
    return [part[0][place] for place in places], [part[1][place] for place in places]


def archive_sets(folder: Path) -> Iterator[tuple[str, Callable[[], SeriesSet]]]:
    """List the sets in a folder that have a file to train on and one to test on."""
    for own in sorted(path for path in folder.glob("*/") if path.is_dir()):
        parts = [[path for path in own.glob(f"*_{part}.*") if FORMATS.search(path.name)] for part in ("TRAIN", "TEST")]
        if all(parts):
            yield own.name, lambda own=own, parts=parts: make_set(own.name, read(parts[0][0]), read(parts[1][0]))


def letters(folder: Path, few: bool) -> SeriesSet:
    """Split the character trajectories in halves; few: with five of each letter of the first half alone."""
    whole = read(folder / "character-trajectories" / "trajectories_train.mat")
    order = np.random.default_rng(0).permutation(len(whole[0]))
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    if few:
        seen: dict[str, list[int]] = {}
        for place in train:
            seen.setdefault(whole[1][place], []).append(place)
        train = np.array([place for places in seen.values() for place in places[:LETTERS_OF_EACH]])
    return make_set("letters, 5 each" if few else "letters", some(whole, train), some(whole, test))


def actions(folder: Path) -> SeriesSet:
    """Read MSR Action 3D, odd subjects to learn from."""
    found = read_labelled([folder / "msr-action3d" / "msr_action3d_skeletons.tar.xz"])
    whole = list(found.sequences), [names[0] for names in found.labels]
    subjects = np.array([int(re.search(r"_s(\d+)_", place)[1]) for place in found.places])  # pyrefly: ignore
    return make_set(
        "msr-action3d", some(whole, np.flatnonzero(subjects % 2)), some(whole, np.flatnonzero(subjects % 2 == 0))
    )


def heart_beats(folder: Path) -> SeriesSet:
    """Split the 500 labelled beats of ECG5000 in halves."""
    rows = np.loadtxt(folder / "ecg5000" / "raw" / "ECG5000_TRAIN.txt")
    whole = [row[1:, None].astype(np.float32) for row in rows], rows[:, 0].astype(int).tolist()
    order = np.random.default_rng(0).permutation(len(rows))
    return make_set("ecg5000", some(whole, order[:250]), some(whole, order[250:]))


def appliances(kinds: int = 11, harmonics: int = 6, period: int = 500) -> SeriesSet:
    """Make cycles of current: a few devices of each kind, whose odd harmonics are alike and whose height is not."""
    chance = np.random.default_rng(0)
    orders = np.arange(1, 2 * harmonics, 2)[:, None]
    parts: list[tuple[list, list]] = [([], []), ([], [])]
    for kind in range(kinds):
        form = chance.normal(size=(harmonics, 2)) / orders ** chance.uniform(0.7, 1.5)
        height = np.exp(chance.normal(0, 1.2))
        devices = [
            (form * (1 + 0.35 * chance.normal(size=form.shape)), height * np.exp(chance.normal(0, 0.5)))
            for _ in range(chance.integers(4, 12))
        ]
        count = chance.integers(6, 100)
        for series, kinds_of in parts:
            for _ in range(count):
                sizes, height_of = devices[chance.integers(len(devices))]
                steps = np.arange(chance.integers(100, 1345)) + chance.integers(0, period)
                angles = 2 * np.pi * orders * steps / period
                wave = sizes[:, 0] @ np.sin(angles) + sizes[:, 1] @ np.cos(angles)
                series.append((height_of * (wave + 0.03 * chance.normal(size=len(steps)))).astype(np.float32)[:, None])
                kinds_of.append(kind)
    return make_set("appliances (made)", *parts)


def all_sets(folder: Path) -> Iterator[tuple[str, Callable[[], SeriesSet]]]:
    """List the sets by name, and what reads each."""
    for archive in ARCHIVES:
        yield from archive_sets(folder / archive)
    yield "letters", lambda: letters(folder, few=False)
    yield "letters, 5 each", lambda: letters(folder, few=True)
    yield "msr-action3d", lambda: actions(folder)
    yield "ecg5000", lambda: heart_beats(folder)
    yield "appliances (made)", appliances


def accuracy(rows: np.ndarray, targets: np.ndarray) -> float:
    return float((rows.argmax(1) == targets).mean())


def log_loss(logits: np.ndarray, targets: np.ndarray) -> float:
    return float(torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(targets)))


def measure(own: SeriesSet, seconds: float) -> dict[str, Any]:
    """Fit ours and the neighbours, and measure them on the test series."""
    model, started = ConvolutionRidge(), time.perf_counter()
    left_out = model.fit(own.train, own.targets, own.classes, seconds=seconds).held_out
    fitted = time.perf_counter()
    logits = model.logits(own.test)
    row: dict[str, Any] = {"fit s": fitted - started, "predict s": time.perf_counter() - fitted}
    row |= {"set": own.name, "train": len(own.train), "test": len(own.test), "classes": own.classes}
    row |= {"channels": own.train[0].shape[1], "steps": int(np.median([len(each) for each in own.train]))}
    row |= {"ours": accuracy(logits, own.test_targets), "log loss": log_loss(logits, own.test_targets)}
    row |= {"left out": accuracy(left_out, own.targets), "mix": dict(model.mix), "penalty": model.penalty}
    for neighbour in (NearestNeighbour(), NearestNeighbour("dtw")):
        row[neighbour.name] = None
        if neighbour.name == "1-nn" or neighbour.cost(own.train, len(own.test)) <= MAX_COST:
            neighbour.fit(own.train, own.targets, own.classes)
            row[neighbour.name] = accuracy(neighbour.probabilities(own.test), own.test_targets)
    return row


def cells(row: dict[str, Any]) -> list[str]:
    """Write a row: shares in percent."""
    shares = {"ours", "left out", "1-nn", "1-nn-dtw"}
    return [
        "–" if row[name] is None else f"{100 * row[name]:.1f}" if name in shares
        else f"{row[name]:.3f}" if name == "log loss" else f"{row[name]:.2f}" if name.endswith(" s") else str(row[name])
        for name in COLUMNS
    ]  # fmt: skip


def totals(rows: Sequence[dict[str, Any]]) -> str:
    """Say how often ours is better than the better neighbour, level within half a point, or worse."""
    gaps = [row["ours"] - max(row[name] for name in ("1-nn", "1-nn-dtw") if row[name] is not None) for row in rows]
    won, lost = sum(gap > 0.005 for gap in gaps), sum(gap < -0.005 for gap in gaps)
    mean = 100 * np.mean([row["ours"] for row in rows])
    return f"mean {mean:.2f} %; against the better neighbour: won {won}, level {len(rows) - won - lost}, lost {lost}"


def main() -> None:
    """Measure the sets, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of sets, with a comma between; else all")
    parser.add_argument("--seconds", type=float, default=15.0, help="what fitting may take, by its estimate")
    parser.add_argument("--json", type=Path, help="file for the rows")
    parser.add_argument("--markdown", action="store_true", help="print a table in Markdown")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = {name.strip() for name in options.only.split(",") if name.strip()}
    folder, rows = Path(os.environ.get("RECURRA_DATA", "data")), []
    between = " | " if options.markdown else "  "
    widths = [19 if name == "set" else max(6, len(name)) for name in COLUMNS]
    print(between.join(name.rjust(width) for name, width in zip(COLUMNS, widths, strict=True)))
    if options.markdown:
        print(between.join("-" * width for width in widths))
    for name, load in all_sets(folder):
        if wanted and name not in wanted:
            continue
        rows.append(measure(load(), options.seconds))
        print(between.join(cell.rjust(width) for cell, width in zip(cells(rows[-1]), widths, strict=True)), flush=True)
    if rows:
        print(totals(rows))
    if options.json:
        write_whole(options.json, json.dumps({"machine": machine(), "rows": rows}, indent=1).encode())


if __name__ == "__main__":
    main()
