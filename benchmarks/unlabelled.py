"""What texts without labels give a classifier: 500 labels and all other training texts without, beside the same without these.

    python benchmarks/unlabelled.py [SET...] [--seeds 1 2 3] [--labels 500] [--out FOLDER] [--set KEY=VALUE]

Each seed draws the examples that have labels; a set without a test of its own is tested on what is left over. One command for
each: `recurra train classify LABELLED --test TEST --unlabelled OTHERS --ablate`, everything else as it is by default (seed and one
thread apart). Prints one JSON object a line, and a line in Markdown for each set at the end.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import recurra
from recurra.data import locate
from recurra.data.labelled.reader import read_labelled
from recurra.tasks.classify.config import Data
from recurra.tasks.classify.data import reading_options

Example = tuple[str, str]
POOL = 10_000
"""Texts at most that are given without labels."""


def read(files: list[Path], settings: dict[str, object]) -> list[Example]:
    """Read examples as a training would, each text once."""
    found = read_labelled([str(file) for file in files], reading_options(Data.model_validate(settings)))
    pairs = zip(found.sequences, found.labels, strict=True)
    return list({str(text): label[0] for text, label in pairs if str(text).strip()}.items())


def of_data_set(name: str) -> Callable[[], tuple[list[Example], list[Example]]]:
    """Give what reads the training and the test examples of a named data set; without a test of its own the second are none."""

    def examples() -> tuple[list[Example], list[Example]]:
        found = locate(name)
        test = read(found.test, found.settings) if found.test else []
        held_out = {text for text, _ in test}
        train = [one for one in read([*found.train, *found.valid], found.settings) if one[0] not in held_out]
        return train, test

    return examples


SETS = {name: of_data_set(name) for name in ("waimai", "chnsenticorp", "sst-2")}


def split(examples: list[Example], test: list[Example], labels: int, seed: int) -> dict[str, list[Example]]:
    """Draw the examples that have labels, and give the others as the pool and, where there is no test, as that."""
    drawn = list(examples)
    random.Random(seed).shuffle(drawn)
    rest = drawn[labels:]
    pool = min(POOL, len(rest) if test else len(rest) - max(1000, len(rest) // 10))
    return {"labelled": drawn[:labels], "unlabelled": rest[:pool], "test": test or rest[pool:]}


def measure(
    name: str, parts: dict[str, list[Example]], folder: Path, seed: int, settings: dict[str, str]
) -> dict[str, float]:
    """Train on a split with and without the pool; gives both accuracies, and those of the baselines."""
    folder.mkdir(parents=True)
    for part, examples in parts.items():
        with (folder / f"{part}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [(text,) if part == "unlabelled" else (text, label) for text, label in examples]
            csv.writer(file).writerows([("text", "label")[: len(rows[0])], *rows])
    began = time.monotonic()
    run = recurra.train(
        "classify",
        folder / "labelled.csv",
        folder / "run",
        test=folder / "test.csv",
        unlabelled=folder / "unlabelled.csv",
        ablate=True,
        **{"seed": seed, "threads": 1, "quiet": True, **settings},  # type: ignore[arg-type]
    )
    evaluation = run.evaluation or {}
    metrics = {model: row["accuracy"] for model, row in evaluation["baselines"].items()}
    sizes = {part: len(examples) for part, examples in parts.items()}
    print(
        json.dumps(
            {
                "set": name,
                "seed": seed,
                **sizes,
                "unlabelled texts too": evaluation["metrics"]["accuracy"],
                **metrics,
                "seconds": round(time.monotonic() - began),
            }
        ),
        flush=True,
    )
    return {"with": evaluation["metrics"]["accuracy"], **metrics}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(SETS)}; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--labels", type=int, default=500, help="examples that have labels")
    parser.add_argument("--out", type=Path, help="where the runs are kept; default: nowhere")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="another setting of the training"
    )
    given = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in given.set)
    lines = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.sets or SETS:
            train, test = SETS[name]()
            out = given.out or Path(temporary)
            rows = [
                measure(name, split(train, test, given.labels, seed), out / f"{name}-{seed}", seed, settings)
                for seed in given.seeds
            ]
            cells = [
                f"{100 * mean(row[key] for row in rows):.1f} %" for key in ("with", "from-scratch", "tfidf-logistic")
            ]
            gains = ", ".join(f"{100 * (row['with'] - row['from-scratch']):+.1f}" for row in rows)
            lines.append(f"| {name} | {' | '.join(cells)} | {gains} |")
    print(
        "| set | with texts without labels | the same from scratch | TF-IDF + logistic regression | points, by seed |\n|---|---|---|---|---|"
    )
    print("\n".join(lines))


if __name__ == "__main__":
    main()
