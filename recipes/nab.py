"""Score the detector on the Numenta Anomaly Benchmark, a model for each of its 58 files, as the benchmark prescribes.

    python recipes/nab.py [--data FOLDER] [--seed 1] [--scores FOLDER]

Each file is a stream of its own: a model is trained on its probationary part alone (the first 15 %, at most 750 rows), then
the whole file is scored step by step, each step by what came before it. One threshold for all files is chosen by the
benchmark's own protocol, on the same windows that it is scored by. The settings (threshold, horizon, error_smoothing) were compared on
every second file in the order of their names, beginning with the first; the score on the others, of which none was
looked at before, is printed as well. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path

import numpy as np

import recurra
from recurra.baselines import windowed_gaussian
from recurra.data import locate
from recurra.metrics import nab_probation, nab_sweep, nab_windows

SETTINGS = {
    "threshold": "record",
    "error_smoothing": 5,
    "horizon": 24,
    "hidden": 24,
    "layers": 1,
    "precision": "float32",
    "duplicates": "error",
    "target": ["value"],
}
STEPS = 300
"""Optimizer steps of each file's training; passes follow from how many rows there are."""


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Read a file of the benchmark: its time stamps and values, (T,)."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["timestamp"] for row in rows], np.array([float(row["value"]) for row in rows])


def scores(times: list[str], values: np.ndarray, folder: Path, seed: int) -> np.ndarray:
    """Train on the beginning of a stream and score all of it, (T,)."""
    rows = [f"{time},{value}" for time, value in zip(times, values.tolist(), strict=True)]
    first = nab_probation(len(rows))
    probation, whole = folder / "probation.csv", folder / "whole.csv"
    probation.write_text("timestamp,value\n" + "\n".join(rows[:first]) + "\n")
    whole.write_text("timestamp,value\n" + "\n".join(rows) + "\n")
    epochs = STEPS / max(1, round(0.8 * first / (4 * 32)))
    run = recurra.train(
        "detect", probation, folder / "run", quiet=True, seed=seed, epochs=epochs, batch=4, window=32, **SETTINGS
    )
    (series,) = run.predictor.read_file(str(whole)) or []
    steps = run.predict([series], steps=True)[0]["steps"]
    return np.array([step["score"] or 0.0 for step in steps])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the benchmark's folder, with data/ and labels/")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--scores", type=Path, help="where the scores of each file are kept, so that scoring can be resumed"
    )
    parser.add_argument("--order", type=int, default=1, help="-1: from the last file on, to share the work between two")
    given = parser.parse_args()
    folder = given.data or Path(locate("nab").paths[0]).parents[2]
    labels = json.loads((folder / "labels" / "combined_windows.json").read_text())
    start, detector, gaussian, windows = time.monotonic(), {}, {}, {}
    for name in sorted(labels)[:: given.order]:
        times, values = read(folder / "data" / name)
        windows[name] = nab_windows(np.array(times, "M8[us]"), [tuple(each) for each in labels[name]])
        kept = given.scores and given.scores / f"{Path(name).stem}-{given.seed}.npy"
        if kept and kept.is_file():
            detector[name] = np.load(kept)
        else:
            with tempfile.TemporaryDirectory() as scratch:
                detector[name] = scores(times, values, Path(scratch), given.seed)
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                np.save(kept, detector[name])
        gaussian[name] = windowed_gaussian(values)
        print(f"{name}: {len(values):,} rows", flush=True)
    parts = {"all": sorted(labels), "compared on": sorted(labels)[::2], "not looked at": sorted(labels)[1::2]}
    result = {
        part: {
            model: {
                profile: round(score.score, 2)
                for profile, score in nab_sweep(
                    {name: own[name] for name in names}, {name: windows[name] for name in names}
                ).items()
            }
            for model, own in (("detector", detector), ("windowed Gaussian", gaussian))
        }
        for part, names in parts.items()
    }
    print(json.dumps({"seconds": round(time.monotonic() - start), "seed": given.seed, **result}))


if __name__ == "__main__":
    main()
