"""How much a classifier's network should count beside its linear classifier: rules compared on small parts of sets of texts.

    RECURRA_DATA=data python benchmarks/shares.py --json shares.json
    python benchmarks/shares.py --json shares.json --examples 400,800 --valid-share 0

Of each set so many texts are drawn to learn from and up to 2,500 others to test on, so that the tests tell half a point apart. A classifier is
trained within 40 s on one thread, and each rule then weighs the same logits of its network and of its linear classifier. With validation examples the rules
are so many standard errors of the best, and fixed weights; without, fixed weights alone, as they are. `--json` keeps each
training once it is done: the same call again trains what is left.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import recurra
from recurra.benchmark.results import machine
from recurra.data.datasets.locate import resolve_files
from recurra.data.labelled.options import LabelledOptions
from recurra.data.labelled.reader import read_labelled
from recurra.files import write_whole
from recurra.metrics.calibration import fit_temperature
from recurra.tasks.classify.calibrate import SHARES, log_losses

SETS: dict[str, tuple[Sequence[str], dict[str, Any]]] = {
    "ag-news-test": (["ag_news_test.csv"], {"label": "class", "text": "description"}),
    "banking77": (["train.csv", "test.csv"], {}),
    "gnad10-test": (["gnad10_test.csv.xz"], {"label": "label", "text": "text"}),
    "shopping-zh": (["shopping_zh.csv.xz"], {"text": "review", "label": "cat"}),
    "subj": (["subj.objective", "subj.subjective"], {}),
    "uci-sentences": (["amazon_cells_labelled.txt", "imdb_labelled.txt", "yelp_labelled.txt"], {"label": "line"}),
    "rt-polarity": ([], {}),
    "chnsenticorp": ([], {}),
}
"""Files in the set's folder of `first-try`, and how they are read; without files a data set that Recurra knows by name."""
MAX_TEST = 2500
FIXED = (0.0, 0.03, 0.05, 0.1, 0.15, 0.25, 0.5, 0.75, 1.0)
STANDARD_ERRORS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
Example = tuple[str, str]


def read_set(name: str, root: Path) -> list[Example]:
    """Give all texts of a set with their labels."""
    files, settings = SETS[name]
    paths = [str(root / "first-try" / name / each) for each in files] or resolve_files([name])[0]
    read = read_labelled(paths, LabelledOptions(**settings))
    return [(str(text), labels[0]) for text, labels in zip(read.sequences, read.labels, strict=True)]


def train_part(examples: list[Example], count: int, seed: int, valid_share: float | None) -> dict[str, Any]:
    """Train on some of the examples, and give the right labels and both logits of what is held out."""
    drawn = random.Random(seed * 7919 + count).sample(examples, min(len(examples), count + MAX_TEST))
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("train", drawn[:count]), ("test", drawn[count:])):
            with Path(folder, f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("text", "label"), *part])
        files, options = f"{folder}/train.csv", {} if valid_share is None else {"valid_share": valid_share}
        options |= {"test": f"{folder}/test.csv", "text": "text", "label": "label", "within": "40s", "threads": 1}
        run = recurra.train("classify", files, f"{folder}/run", seed=seed, quiet=True, **options)
        run.task.prepare(run.path)
        splits = {name: split for name, split in run.task.dataset.splits.items() if name != "train"}
        found: dict[str, Any] = {"tfidf": run.evaluation["baselines"]["tfidf-logistic"]["accuracy"]}
        for name, split in splits.items():
            known = split.targets >= 0
            network = run.predictor.network_logits(split.encoded, exact=False)
            found[name] = {"targets": split.targets[known].tolist(), "network": network[known].tolist()}
            found[name]["linear"] = split.linear[known].tolist()
    return found


def weigh(part: dict[str, Any], share: float, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Give the log-losses and what is right of a part."""
    targets = np.array(part["targets"])
    logits = (share * np.array(part["network"]) + np.array(part["linear"])) / temperature
    return log_losses(logits, targets), logits.argmax(1) == targets


def outcomes(found: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Give for each rule the points right above the linear classifier alone, and the log-loss above its own."""
    plain_loss, plain_right = weigh(found["test"], 0.0)
    if "valid" not in found:
        for share in FIXED:
            loss, right = weigh(found["test"], share)
            yield f"{share:g}", 100 * (right.mean() - plain_right.mean()), loss.mean() - plain_loss.mean()
        return
    valid, targets = found["valid"], np.array(found["valid"]["targets"])
    tried = []
    for share in SHARES:
        logits = share * np.array(valid["network"]) + np.array(valid["linear"])
        temperature = fit_temperature(logits, targets)
        loss, right = weigh(found["test"], share, temperature)
        tried.append((log_losses(logits / temperature, targets), loss.mean(), 100 * right.mean()))
    best = min(tried, key=lambda each: each[0].mean())[0]
    behind = [each[0] - best for each in tried]
    chosen = {f"{share:g}": number for number, share in enumerate(SHARES)}
    for count in STANDARD_ERRORS:
        level = [each.mean() <= count * each.std() / np.sqrt(len(each)) for each in behind]
        chosen[f"{count:g} standard errors"] = level.index(True)
    for name, number in chosen.items():
        yield name, tried[number][2] - tried[0][2], tried[number][1] - tried[0][1]


def table(results: Sequence[dict[str, Any]]) -> str:
    """Give the rules with their averages, the worst, and how many lose more than half a point against the linear classifier alone."""
    rules: dict[str, list[tuple[float, float]]] = {}
    for each in results:
        for name, right, loss in each["outcomes"]:
            rules.setdefault(name, []).append((right, loss))
    lines = ["| rule | right, points | worst | lost | log-loss |", "|---|---|---|---|---|"]
    for name, rows in rules.items():
        right, loss = np.array(rows).T
        lines.append(
            f"| {name} | {right.mean():+.2f} | {right.min():+.2f} | {(right < -0.5).sum()} of {len(right)} | {loss.mean():+.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("shares.json"))
    parser.add_argument("--only", default=",".join(SETS))
    parser.add_argument("--examples", default="1000,2500")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--valid-share", type=float)
    options = parser.parse_args()
    torch.set_num_threads(1)
    root = Path(os.environ.get("RECURRA_DATA", "data"))
    kept = json.loads(options.json.read_text())["results"] if options.json.exists() else []
    done = {(each["set"], each["examples"], each["seed"]) for each in kept}
    for seed in range(1, options.seeds + 1):
        for count in map(int, options.examples.split(",")):
            for name in options.only.split(","):
                if (name, count, seed) in done:
                    continue
                examples = read_set(name, root)
                if len(examples) < 1.25 * count:
                    continue
                found = train_part(examples, count, seed, options.valid_share)
                row = {"set": name, "examples": count, "seed": seed, "tfidf": found["tfidf"]}
                kept.append(row | {"outcomes": list(outcomes(found))})
                write_whole(options.json, json.dumps({"machine": machine(), "results": kept}, indent=1).encode())
                print(name, count, seed, flush=True)
    for count in sorted({each["examples"] for each in kept}):
        print(f"\n{count:,} examples\n\n{table([each for each in kept if each['examples'] == count])}")


if __name__ == "__main__":
    main()
