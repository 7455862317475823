"""Find the anomalies of spacecraft telemetry, a model for each channel, and count them as telemanom does.

    python recipes/smap_msl.py [--data FOLDER] [--seed 1] [--first 0] [--every 4]

Every fourth channel in the order of labeled_anomalies.csv, from the first on (21 of 82, of both spacecraft; chosen before any
figure was seen). A model learns a channel's train part: column 0 is watched, the others, commands, are read along. The events
of the test part are found from the scores by telemanom's own threshold as published (windows judged at their end, pruned);
earlier settings were compared on the channels from the third on (--first 2), the present ones set and their errors compared on those
from the second on and looked at on those from the fourth on (--first 1, 3): none of these. Beside them: telemanom's own counts
on the same channels, from khundman/telemanom, results/2018-05-19_15.00.10.csv. Prints one JSON object.

With seed 1, 2026-11-21, event F1 (found, false, missed), which stays below telemanom's but for the channels it was set on:

    --first 0, the 21: 0.656 (20, 13, 8), telemanom 0.893 (25, 3, 3)
    --first 1:         0.857 (21, 3, 4),  telemanom 0.816 (20, 4, 5)
    --first 3:         0.824 (21, 5, 4),  telemanom 0.939 (23, 1, 2)
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import recurra
from recurra.data import locate
from recurra.decoding import DynamicThreshold
from recurra.metrics import event_counts

SETTINGS = {
    "hidden": 64, "ahead": 10, "layers": 1, "dropout": 0.2, "likelihood": "normal", "follow": False, "differences": False,
    "precision": "float32", "layout": "steps", "threshold": "telemanom",
}  # fmt: skip
STEPS, LANES, WINDOW = 400, 8, 64
TELEMANOM = """P-1 3 1 0, S-1 1 0 0, E-1 2 1 0, E-2 1 0 0, E-3 1 0 0, E-4 1 0 0, E-5 1 0 0, E-6 1 0 0, E-7 1 0 0, E-8 1 0 0,
E-9 1 0 0, E-10 2 1 0, E-11 2 1 0, E-12 2 1 0, E-13 2 0 1, A-1 1 0 0, D-1 1 0 0, P-2 1 0 0, P-3 1 0 0, D-2 1 0 0, D-3 1 0 0,
D-4 1 0 0, A-2 1 2 0, A-3 1 0 0, A-4 1 0 0, G-1 0 1 1, G-2 1 0 0, D-5 1 0 0, D-6 1 0 0, D-7 1 0 0, F-1 0 1 1, P-4 3 0 0,
G-3 1 1 0, T-1 1 2 1, T-2 1 0 0, D-8 0 0 1, D-9 1 0 0, F-2 1 0 0, G-4 1 0 0, T-3 2 0 0, D-11 1 0 0, D-12 1 0 0, B-1 1 0 0,
G-6 1 0 0, G-7 3 0 0, P-7 1 0 0, R-1 1 0 0, A-5 1 0 0, A-6 1 0 0, A-7 1 0 0, D-13 1 0 0, P-2 1 0 0, A-8 1 0 0, A-9 0 0 1,
F-3 0 0 1, M-6 1 0 0, M-1 0 0 1, M-2 0 0 1, S-2 1 0 0, P-10 1 0 0, T-4 0 0 1, T-5 1 0 0, F-7 2 1 1, M-3 1 0 0, M-4 1 0 0,
M-5 1 0 0, P-15 1 0 0, C-1 1 0 1, C-2 1 0 1, T-12 1 0 0, T-13 0 0 2, F-4 1 0 0, F-5 1 0 0, D-14 1 0 1, T-9 0 0 2, P-14 1 0 0,
T-8 2 0 0, P-11 2 0 0, D-15 1 0 0, D-16 1 0 0, M-7 1 0 0, F-8 1 0 0"""
"""Of each row of labeled_anomalies.csv: the channel, and how many events were found, false, and missed."""


def prepared(path: Path, columns: np.ndarray, to: Path) -> Path:
    """Write those columns of an array that say something in training."""
    np.save(to, np.load(path)[:, columns])
    return to


def found(folder: Path, channel: str, seed: int, scratch: Path) -> tuple[list[tuple[int, int]], int]:
    """Train on a channel and find the events of its test part; gives them and how many steps it has."""
    train = np.load(folder / "train" / f"{channel}.npy")
    columns = np.array([0, *(1 + np.flatnonzero(train[:, 1:].std(0) > 0))])
    begin = prepared(folder / "train" / f"{channel}.npy", columns, scratch / "train.npy")
    test = prepared(folder / "test" / f"{channel}.npy", columns, scratch / "test.npy")
    # A single column is a series without a name for its channel.
    names = [f"channel {number + 1}" for number in range(len(columns))] if len(columns) > 1 else []
    epochs = STEPS / max(1, round(0.8 * len(train) / (LANES * WINDOW)))
    run = recurra.train(
        "detect", begin, scratch / "run", quiet=True, seed=seed, epochs=epochs, batch=LANES, window=WINDOW,
        target=names[:1], past=names[1:], **SETTINGS,
    )  # fmt: skip
    (series,) = run.task.inputs(str(test)) or []
    # The errors that are scored, before they are smoothed and judged: telemanom's method does both itself.
    errors = run.task.errors(run.network, [series])[0][:, 0]
    return DynamicThreshold(least=1.0).events(np.nan_to_num(errors)), len(series)


def f1(tp: int, fp: int, fn: int) -> float:
    """Give the F1 of counts.

    >>> f1(2, 1, 1)
    0.6666666666666666
    """
    return 2 * tp / max(1, 2 * tp + fp + fn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with train/, test/ and labeled_anomalies.csv")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--every", type=int, default=4)
    given = parser.parse_args()
    folder = given.data or next(
        Path(path).parents[1] for path in locate("smap-msl").paths if Path(path).suffix == ".npy"
    )
    with (folder / "labeled_anomalies.csv").open() as file:
        rows = list(csv.DictReader(file))
    published = [line.split() for line in TELEMANOM.replace("\n", " ").split(",")]
    assert [row["chan_id"] for row in rows] == [line[0] for line in published]
    began, mine, theirs, channels = time.monotonic(), np.zeros(3, int), np.zeros(3, int), {}
    for number in range(given.first, len(rows), given.every):
        channel = rows[number]["chan_id"]
        true = [(first, last + 1) for first, last in ast.literal_eval(rows[number]["anomaly_sequences"])]
        with tempfile.TemporaryDirectory() as scratch:
            events, steps = found(folder, channel, given.seed, Path(scratch))
        counts = event_counts(true, events)
        channels[channel] = [counts[key] for key in ("tp", "fp", "fn")]
        mine, theirs = mine + channels[channel], theirs + [int(count) for count in published[number][1:]]
        print(f"{channel}: {steps:,} steps, true {true}, found {events}", flush=True)
    result = {
        name: {"f1": round(f1(*map(int, counts)), 4), "tp": int(counts[0]), "fp": int(counts[1]), "fn": int(counts[2])}
        for name, counts in (("detector", mine), ("telemanom", theirs))
    }
    seconds = round(time.monotonic() - began)
    print(json.dumps({"seconds": seconds, "seed": given.seed, **result, "channels": channels}))


if __name__ == "__main__":
    main()
