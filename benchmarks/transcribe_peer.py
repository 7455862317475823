"""The transcriber compared with kraken's `ketos train` and with ONNX Runtime: an epoch of training on lines of handwriting, and a live step.

    python -m venv peer && . peer/bin/activate
    pip install -c constraints.txt torch==2.13.0 torchvision && pip install kraken==7.1.1
    pip install '.[data,export,images]' onnxscript
    RECURRA_DATA=data python benchmarks/transcribe_peer.py -o benchmarks/transcribe-peer.json

An epoch: all read the same lines of htr-lines-fr, 64 pixels high, to the pixel, 32 side by side, by three convolutions of 3 x 7 (16, 32 and 48 features, halved
both ways behind the first two) and three layers of LSTM in both directions, 200 units each; AdamW, and gradients clipped at 1; from the first batch of an epoch to
the end of its last step, so that no side's start counts. In each turn that is one epoch of some of the lines, drawn by chance (`--lines`, 0: all); what is shown is
for all.

- "recurra" is that network, which has a normalisation over the batch behind each convolution where kraken's adds a bias. "recurra, as it comes" is what `recurra train transcribe
  htr-lines-fr --layers 3` trains: GRUs, normalised, with dropout, of lines that are varied each time.
- "kraken" is its own network, data, loss, optimizer and trainer, put together as `ketos train` does, without a progress bar, checkpoints and validation; its lines
  are read once and kept as tensors, so that no reading counts. "kraken, from files" reads them again in each epoch, as it does by itself, in the process itself.

Ours puts lines of like lengths together, kraken lines as they come: what that saves in padding is in the time. The losses of a label are stored.

A step: the transcriber of a run of recipes/spoken-digits-live (`--run`, or one that is trained for a minute), 2 x 128 GRU over three frames of 40 energies, batch 1, with
the output layer; ours as its stream takes it, beside ONNX Runtime's, by plain calls and with bound buffers, over what torch exports of the same weights in
torch.nn. "recurra, network's own step" is what streams took before weights were packed for them. The probabilities of all are first held against torch's in
float64, within 1e-5.

Live: a push of 30 ms of sound through features, network and search, as a share of 30 ms on one core; how long after its last sample a recording's text is shown, when
it comes through a pipe in real time; and the memory of a process after a minute and after an hour of sound.

All that is timed takes turns in one process, each other round backwards, with each number of threads, and is shown at its best. A speed is the median of the
rounds' ratios; "like": with the same precision; "limit": how many times as fast as the other an engine would be that does our matrix products at the
speed of a large one, timed in the same rounds, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import transcribe_live
from measuring import Entrant, timed, turns
from transcribe_entrants import KRAKEN, OURS, PEER, PRECISIONS, SIZES, Lines, make_kraken, make_ours, operations, vgsl
from transcribe_live import NETWORK, latencies, pushing, recordings, stepping, waits
from transcribe_live import PEER as RUNTIME

import recurra
from recurra.benchmark.limits import gemm, share_of_gemm
from recurra.benchmark.turns import Timing, best, check_rounds, ratio
from recurra.kernels.native import describe

EPOCH_BAR, STEP_BAR = 2.0, 2.0
"""How many times as fast ours is to be."""
REAL_TIME_BAR, LATENCY_BAR, GROWTH_BAR = 0.02, 0.150, 2.0
"""The most of a core that a live stream is to take, the most seconds until a character is shown, and MiB that an hour adds to a minute's."""
MIXED = {f"{PEER}, from files": ("float32",), "recurra, as it comes": ("bfloat16",)}
"""In which precisions an entrant takes part, where it is not in all."""


def epochs(options: argparse.Namespace) -> dict[str, Any]:
    """Time an epoch of training, and set ours beside each of the others."""
    with tempfile.TemporaryDirectory() as folder:
        lines = Lines(Path(folder), options.lines)
        entrants, facts, flops = [], {}, 0.0
        for threads in options.threads:
            for precision in PRECISIONS:
                entrants += [timed(each) for each in gemm(precision, threads)]
        for name in (*OURS, *KRAKEN):
            for precision in MIXED.get(name, tuple(PRECISIONS)):
                make = make_ours if name in OURS else make_kraken
                network, go, learnt = make(name, precision, lines)
                if name == "recurra":
                    flops = operations(network, lines.columns) / len(lines.split)
                facts.setdefault(name, {"learnt": {}, "network": network})["learnt"][precision] = learnt
                entrants += [Entrant(name, precision, threads, go) for threads in options.threads]
        timings = turns(entrants, options.rounds)
    for each in facts.values():
        each["weights"] = sum(weight.numel() for weight in each.pop("network").parameters())
    mine, speeds = best(timings, "recurra"), {}
    share = share_of_gemm(mine, flops, timings)
    for name in facts:
        speeds[name] = compared(timings, name, lines.all, share if name.startswith(PEER) else None)
    print(f"{'an epoch':16} ours is at {share:.0%} of the speed of a large matrix product", flush=True)
    stored = {"lines": len(lines.split), "all lines": lines.all, "columns": lines.columns, "flops of a line": flops}
    seconds = {"seconds are of a line": True, "timings": [each.as_dict() for each in timings]}
    return {"what": "an epoch", **stored, "entrants": facts, "speeds": speeds, "share_of_gemm": share, **seconds}


def compared(timings: list[Timing], name: str, lines: int, share: float | None) -> dict[str, Any]:
    """Set our best and our float32 beside one of the others, print a line, and give what is stored. share: of what a large product reaches."""
    mine, other = best(timings, "recurra"), best(timings, name)
    like = {}
    for precision in PRECISIONS:
        if any(each.name == name and each.precision == precision for each in timings):
            like[precision] = ratio(best(timings, name, precision), best(timings, "recurra", precision))
    speed = ratio(other, mine)
    bar = "" if share is None else f"   bar {EPOCH_BAR}, limit {speed / share:.2f}"
    print(
        f"{'an epoch':16} {name:26} {lines * other.median:8.1f} s ({other.precision}, {other.threads} threads)   ours {speed:5.2f} times as fast, like "
        + ", ".join(f"{precision} {each:.2f}" for precision, each in like.items())
        + bar,
        flush=True,
    )
    for each in timings:
        if each.name == name:
            print(
                f"{'':16} {'':26} {lines * each.median:8.1f} s ({each.precision}, {each.threads} threads)", flush=True
            )
    return {"speed": speed, "like": like, "seconds": lines * other.median, "bar": None if share is None else EPOCH_BAR}


def live(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure all of a live stream, by a run or by one that is trained now."""
    with tempfile.TemporaryDirectory() as folder:
        run = options.run
        if run is None:
            run = Path(folder, "run")
            recurra.train("transcribe", "free-spoken-digits", run, quiet=True, bidirectional=False, within="1m", seed=1)
        predictor = recurra.load(run).predictor
        sounds = recordings(predictor)
        found = []
        if "step" in options.only:
            found.append(steps(predictor, options))
        if "push" in options.only:
            found.append(pushes(predictor, sounds, options))
        if "latency" in options.only:
            torch.set_num_threads(1)
            found.append(latency(predictor, sounds))
        if "memory" in options.only:
            command = [sys.executable, transcribe_live.__file__, str(run), str(options.minutes)]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ).stdout
            found.append({"what": "memory", **json.loads(printed.splitlines()[-1])})
            report_memory(found[-1])
    return found


def steps(predictor: Any, options: argparse.Namespace) -> dict[str, Any]:
    """Set our step beside the others', print a line for each, and give what is stored."""
    timings, facts = stepping(predictor, options)
    mine, speeds = best(timings, "recurra"), {}
    rival = min((best(timings, name) for name in facts["apart"] if name.startswith(RUNTIME)), key=lambda t: t.median)
    for name in facts["apart"]:
        other = best(timings, name)
        speeds[name] = {"speed": ratio(other, mine), "bar": STEP_BAR if name == rival.name else None}
        bar = f"   bar {STEP_BAR}" if name == rival.name else ""
        print(
            f"{'a live step':16} {name:26} {1e6 * other.median:8.1f} µs ({other.threads} threads)   ours {speeds[name]['speed']:5.2f} times as fast, "
            f"{facts['apart'][name]:.0e} apart{bar}",
            flush=True,
        )
    before = {"ours before": NETWORK}
    return {"what": "a live step", "speeds": speeds, **facts, **before, "timings": [each.as_dict() for each in timings]}


def pushes(predictor: Any, sounds: list[Any], options: argparse.Namespace) -> dict[str, Any]:
    """Print what share of the time of the sound a push takes, and give what is stored."""
    timings = pushing(predictor, sounds, options)
    factors = {each.name: each.median / 0.03 for each in timings}
    for each in timings:
        print(
            f"{'live':16} {each.name:26} {1e6 * each.median:8.1f} µs   real-time factor {factors[each.name]:.4f}   bar {REAL_TIME_BAR}",
            flush=True,
        )
    stored = [each.as_dict() for each in timings]
    return {"what": "a push", "real-time factors": factors, "bar": REAL_TIME_BAR, "timings": stored}


def latency(predictor: Any, sounds: list[Any]) -> dict[str, Any]:
    """Print how long a character takes to be shown, and give what is stored."""
    most, found = waits(predictor), latencies(predictor, sounds)
    total = most + found["computation, median"]
    print(
        f"{'latency':16} at most {1e3 * most:.0f} ms of window, stack and piece, and {1e3 * found['computation, median']:.2f} ms of computation: {1e3 * total:.0f} ms"
        f"   bar {1e3 * LATENCY_BAR:.0f}\n"
        f"{'':16} from a recording's last sample to its text: median {1e3 * found['median']:.0f} ms, 95 % within {1e3 * found['95 %']:.0f}, "
        f"most {1e3 * found['most']:.0f} ({found['read right']} of {found['recordings']} are read right)",
        flush=True,
    )
    return {"what": "latency", "of window, stack and piece": most, "in all": total, "bar": LATENCY_BAR, **found}


def report_memory(found: dict[str, Any]) -> None:
    """Print what an hour of sound costs."""
    grown = found["MiB after all"] - found["MiB after a minute"]
    print(
        f"{'memory':16} {found['MiB after a minute']:.1f} MiB after a minute of sound, {grown:+.1f} after {found['minutes']}   bar +{GROWTH_BAR:.0f}   "
        f"real-time factor {found['real-time factor']:.4f}, of the processor's time {found['real-time factor, processor']:.4f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ["epoch", "step", "push", "latency", "memory"]
    parser.add_argument("-o", "--output", type=Path, help="store the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=0, help="of an epoch in a turn; 0: all")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument(
        "--run", type=Path, help="of recipes/spoken-digits-live; by default one is trained for a minute"
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="of sound that is pushed in a turn")
    parser.add_argument("--minutes", type=int, default=60, help="of sound whose memory is measured")
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    check_rounds(options.rounds)
    results = [epochs(options)] if "epoch" in options.only else []
    results += live(options) if set(options.only) - {"epoch"} else []
    if options.output:
        packages = ("torch", "kraken", "lightning", "onnxruntime", "numpy")
        facts = {
            "settings": {**SIZES, "ours": OURS, "vgsl": vgsl()},
            "rounds": options.rounds,
            "engine": describe(),
            "machine": platform.machine(),
            "processor": platform.processor(),
            "versions": {package: version(package) for package in packages},
        }
        options.output.write_text(json.dumps({**facts, "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
