"""A global forecaster of M4 hourly compared with neuralforecast's LSTM: a step of training, and 10,000 series × 48 steps forecast.

    python -m venv peer && . peer/bin/activate
    pip install -c constraints.txt torch==2.13.0 neuralforecast==3.3.0 && pip install -c constraints.txt '.[data]'
    RECURRA_DATA=data python benchmarks/forecast_peer.py -o benchmarks/forecast-peer.json

Both read the same data frame and have two layers of 128 LSTM units, 144 steps of history, 48 steps ahead at the same seven
quantiles, and as many pieces of series in a batch: neuralforecast's own sizes (3 · 48 steps, 128 pieces), and 32 pieces. "recurra" reads one
value at each step, and learns from one origin of each piece, as the peer does. "recurra, 32 origins" learns from 32, its default, of the
same pieces. Both lines are there for their time alone: ours measures what it reads by the window, and a window of one value, measured by
itself, is 0; the peer scales all 144 at once. "recurra, as it comes" reads as many values at each step as it chooses, 336, and has layer normalisation and dropout
as well. Behind the cells the peer has
two layers of 128 units that give one step ahead from each of the last 48 states, ours one layer that gives all 48 from one state.

A training is timed from the end of its first step to the end of its last, with everything in between: batches, loss, optimizer;
so neither side's start counts. A prediction is timed as a user calls it, from the data frame to the forecasts. Both take turns, each
other round backwards, with each number of threads, in float32 and in mixed bfloat16, and are shown at their best; of the peer's ways to
predict, that which is fastest in a trial takes part. A speed is the median of the rounds' ratios; "like": with the same precision.

"To the peer's error": the last 48 values of each series are held out, the peer learns for its default of 1,000 steps, and what is timed is how
long ours learns, its straight line included, at a constant rate, until its error on them is as small: the mean over the series of the medians' absolute error by
the mean seasonal step. Measuring it is not counted. It is one run of each, not a median.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import tempfile
import time
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from forecast_entrants import (
    COLUMNS,
    HORIZON,
    LENGTH,
    OURS,
    PEER,
    PRECISIONS,
    SAME,
    SEASON,
    Clock,
    ends,
    hourly,
    make_state,
    our_forecast,
    peer,
    their_forecast,
)
from measuring import Entrant, turns

import recurra
from recurra.benchmark.turns import Timing, best, check_rounds, ratio
from recurra.kernels.native import describe
from recurra.training.step import TrainState

STEPS_BETWEEN, MAX_STEPS = 10, 1_000
"""Of learning until ours is as good as the peer: between two looks at the error, and in all."""


def training(frame: pd.DataFrame, table: Path, batch: int, options: argparse.Namespace) -> list[Timing]:
    """Time a step of training."""

    def theirs(precision: str) -> float:
        clock = Clock()
        peer(batch, precision, options.steps + 1, clock).fit(frame)
        return clock.seconds()

    def ours(state: TrainState, batches: Iterator[Any]) -> float:
        state.step(next(batches), 1e-3)
        start = time.perf_counter()
        for _ in range(options.steps):
            state.step(next(batches), 1e-3)
        return (time.perf_counter() - start) / options.steps

    entrants = []
    for precision in PRECISIONS:
        for threads in options.threads:
            entrants.append(Entrant(PEER, precision, threads, lambda chosen=precision: theirs(chosen)))
            for name, settings in OURS.items():
                state, batches = make_state(table, batch, precision, settings)
                entrants.append(Entrant(name, precision, threads, lambda t=state, b=batches: ours(t, b)))
    return turns(entrants, options.rounds)


def predicting(frame: pd.DataFrame, table: Path, folder: Path, options: argparse.Namespace) -> dict[int, list[Timing]]:
    """Time a prediction of many series, and of one."""
    run = recurra.train("forecast", table, folder / "run", quiet=True, epochs=0.1, **SAME, **COLUMNS, **OURS["recurra"])
    theirs = {}
    for precision in PRECISIONS:
        for at_once in (None, 1024):
            theirs[precision, at_once] = peer(32, precision, 2, at_once=at_once)
            theirs[precision, at_once].fit(frame)
    found = {}
    for series in (options.series, 1):
        wanted, few = ends(frame, series), min(series, 1_000)
        entrants = []
        for threads in options.threads:
            torch.set_num_threads(threads)
            trial = ends(frame, few)
            spent = {way: min(their_forecast(model, trial, few) for _ in range(2)) for way, model in theirs.items()}
            entrants.append(Entrant("recurra", "float32", threads, lambda a=wanted, n=series: our_forecast(run, a, n)))
            for precision in PRECISIONS:
                way = min((each for each in theirs if each[0] == precision), key=spent.__getitem__)
                go = lambda m=theirs[way], a=wanted, n=series: their_forecast(m, a, n)  # noqa: E731
                entrants.append(Entrant(f"{PEER}, {way[1] or 32} at once", precision, threads, go))
        found[series] = turns(entrants, options.rounds)
    return found


def reaching(frame: pd.DataFrame, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Time how long ours learns until it forecasts as well as the peer does after its default number of steps."""
    precision, batch = options.precision, options.batch[0]
    torch.set_num_threads(max(options.threads))
    groups = [each["y"].to_numpy() for _, each in frame.groupby("unique_id", sort=False)]
    held = np.stack([values[-HORIZON:] for values in groups])
    known = frame.groupby("unique_id", sort=False).head(-HORIZON).reset_index(drop=True)
    steps = np.array([np.abs(values[SEASON:-HORIZON] - values[: -HORIZON - SEASON]).mean() for values in groups])

    def error(forecasts: np.ndarray) -> float:
        return float((np.abs(forecasts - held).mean(axis=1) / steps).mean())

    clock = Clock()
    rival = peer(batch, precision, MAX_STEPS, clock)
    rival.fit(known)
    forecasts = rival.predict(known)
    names = list(dict.fromkeys(frame["unique_id"]))
    median = [forecasts.loc[forecasts["unique_id"] == name, "LSTM-median"].to_numpy() for name in names]
    wanted, seconds = error(np.stack(median)), clock.ends[-1] - clock.ends[0]
    found = {"what": "to the peer's error", "precision": precision, "batch": batch}
    found[PEER] = {"steps": MAX_STEPS, "seconds": seconds, "error": wanted}
    table = folder / "known.csv"
    known.to_csv(table, index=False)
    for name in ("recurra, 32 origins", "recurra, as it comes"):
        state, batches = make_state(table, batch, precision, OURS[name])
        start = time.perf_counter()
        state.initialize()
        task, curve, spent = state.task, [], time.perf_counter() - start
        series, forecaster = task.dataset.series, task.predictor(state.network)
        origins = [np.array([len(one) - 1]) for one in series]
        while True:
            mean = np.empty_like(held)
            with state.averaged():
                for some in forecaster.backtest(series, origins):
                    mean[some.series] = some.mean[:, :, 0]
            curve.append((state.done, spent, error(mean)))
            if curve[-1][2] <= wanted or state.done >= MAX_STEPS:
                break
            start = time.perf_counter()
            for _ in range(STEPS_BETWEEN):
                state.step(next(batches), task.default_learning_rate() or 1e-3)
            spent += time.perf_counter() - start
        found[name] = {"steps": state.done, "seconds": spent, "error": curve[-1][2], "curve": curve}
        print(
            f"{found['what']:28} {name:22} {spent:9.1f} s, {state.done} steps, {curve[-1][2]:.3f} (at first {curve[0][2]:.3f})   "
            f"{PEER} {seconds:9.1f} s, {MAX_STEPS} steps, {wanted:.3f}",
            flush=True,
        )
    return found


def compared(timings: list[Timing], what: str) -> dict[str, Any]:
    """Set our best against the peer's best, print a line for each of ours, and give what is stored."""
    rivals = [each for each in timings if each.name.startswith(PEER)]
    rival = min(rivals, key=lambda each: each.median)
    speeds, like = {}, {}
    for name in dict.fromkeys(each.name for each in timings if each.name.startswith("recurra")):
        mine = best(timings, name)
        speeds[name] = ratio(rival, mine)
        for own in [each for each in timings if each.name == name]:
            other = min((each for each in rivals if each.precision == own.precision), key=lambda each: each.median)
            like.setdefault(name, {})[own.precision] = ratio(other, own)
        print(
            f"{what:24} {name:20} {1e3 * mine.median:9.1f} ms ({mine.precision}, {mine.threads} threads)   {rival.name} "
            f"{1e3 * rival.median:9.1f} ms ({rival.precision}, {rival.threads})   {speeds[name]:5.2f} times as fast, like "
            + ", ".join(f"{precision} {speed:.2f}" for precision, speed in like[name].items()),
            flush=True,
        )
    return {"what": what, "speeds": speeds, "like": like, "timings": [each.as_dict() for each in timings]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="store the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=10, help="of training, in a turn")
    parser.add_argument("--batch", type=int, nargs="+", default=[128, 32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--series", type=int, default=10_000, help="to forecast")
    parser.add_argument("--precision", choices=list(PRECISIONS), default="bfloat16", help="to the peer's error")
    parser.add_argument("--only", choices=["training", "predicting", "reaching"])
    options = parser.parse_args()
    check_rounds(options.rounds)
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    frame, results = hourly(), []
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "hourly.csv")
        frame.to_csv(table, index=False)
        if options.only in (None, "training"):
            for batch in options.batch:
                results.append(compared(training(frame, table, batch, options), f"a step of {batch} × {LENGTH}"))
        if options.only in (None, "predicting"):
            for series, timings in predicting(frame, table, Path(folder), options).items():
                results.append(compared(timings, f"{series:,} series × {HORIZON} ahead"))
        if options.only in (None, "reaching"):
            results.append(reaching(frame, Path(folder), options))
    if options.output:
        packages = ("recurra", "torch", "neuralforecast", "pytorch-lightning", "numpy", "pandas")
        facts = {
            "settings": {**SAME, "ours": OURS},
            "rounds": options.rounds,
            "steps": options.steps,
            "engine": describe(),
            "machine": platform.machine(),
            "processor": platform.processor(),
            "versions": {package: version(package) for package in packages},
        }
        options.output.write_text(json.dumps({**facts, "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
