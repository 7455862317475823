"""The translator compared with plain torch and with joeynmt's recurrent model: a step of training, its memory, and the search for translations.

    python -m venv peer && . peer/bin/activate
    pip install -c constraints.txt torch==2.13.0 '.[text]' && pip install joeynmt==2.3.0 importlib_metadata
    RECURRA_DATA=data python benchmarks/translate_peer.py -o benchmarks/translate-peer.json

All read the same pairs of Multi30k, German to English, by one vocabulary of 8,000 pieces of words for both sides (`--seeded`: pairs drawn by chance, of like
lengths, where those are not there). All have an encoder of one layer of GRU in both directions, 320 units each, vectors of 256 numbers, attention
of the general kind, and no dropout, no label smoothing and no average of the weights; the same batches, AdamW in torch's fused form, and gradients clipped at 1.

- "recurra" has two decoder layers with the attention between them, so that no step waits in Python for the one before it. "recurra, input feed" waits. "recurra, as
  it comes" has dropout, label smoothing and the average of the weights as they are by default for these data.
- "torch, step by step" is the plain loop: nn.GRU, then nn.GRUCell and attention for each unit. "torch, all steps at once" is our own network in torch.nn.
- "joeynmt" has Luong's attention without input feeding, the fastest that it has; its others are named. "joeynmt, accelerate" runs after `recurra.accelerate`: its GRUs are
  then ours, so it is no peer, and its speed is shown beside the others. Its output layer reads 320 numbers, which it cannot tie to the vectors; ours and
  torch's reads 256, and is tied. Its optimizer is made fused, which it is not by itself.

A step is forward, backward, clipping and the optimizer's. "Alike": batches as our training cuts them, of like lengths; "mixed": as they come.
The search has 256 sources in batches of 64, sorted by length, for each, or one of 12 words; a beam of 5; and weights as they are made, so that hardly anything ends: each
translation goes on to 20 units, which is checked. Ours searches in exact mode, as users do, in float32. All take turns in one process, each other round backwards, with each number of
threads, in float32 and in mixed bfloat16, and are shown at their best. A speed is the median of the rounds' ratios; "like": with the same precision.

"Limit": how many times as fast as the other an engine would be that does our matrix products at the speed of a large one, timed in the same rounds, and nothing else.

Memory: the most that a process of its own held in three steps, less what it held before the network was made; on one thread, Linux alone.
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
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import held
from translate_entrants import (
    BEAM,
    JOEY,
    OURS,
    PEER,
    SIZES,
    TORCH,
    UNITS_WRITTEN,
    joey,
    joey_translations,
    make_state,
    make_step,
    never_end,
    our_translations,
)
from translate_pairs import ROWS, SENTENCES, WORDS, Pairs, multi30k, seeded

from recurra.benchmark.limits import GEMM, gemm, share_of_gemm
from recurra.benchmark.turns import Contestant, Timing, best, check_rounds, ratio, take_turns
from recurra.kernels.native import describe
from recurra.tasks.translate.task import PairBatch

PRECISIONS = ("float32", "bfloat16")
BARS = {TORCH[0]: 2.5, PEER: 2.0}
"""Of a step of training: how many times as fast ours is to be."""
SEARCH_BAR, SENTENCE_SECONDS = 3.0, 0.015
MEMORY_STEPS = 3


def products(network: torch.nn.Module, sources: int, read: int, written: int) -> int:
    """Count the operations of our matrix products, forward, for so many positions: of sources, of what the decoder reads, of what it writes."""
    found = 0
    for name, weight in network.named_parameters():
        if weight.dim() == 2 and "bridge" not in name:
            of_sources = name.startswith("body.stack") or name.endswith("attention.key.weight")
            positions = written if name.endswith("table.weight") else sources if of_sources else read
            found += 2 * positions * weight.numel()
    return found


def limits(options: argparse.Namespace) -> list[Contestant]:
    """Give the large matrix products that take part, to show what the machine allows."""
    return [each for precision in PRECISIONS for threads in options.threads for each in gemm(precision, threads)]


def training(pairs: Pairs, kind: str, options: argparse.Namespace) -> tuple[list[Timing], dict[str, Any]]:
    """Time a step of training; gives also the last loss of each, the number of its weights, and the operations of ours."""
    batches = pairs.batches(kind, options.batches)
    contestants, facts, flops = limits(options), {}, 0
    for name in (*OURS, *TORCH, *JOEY):
        for precision in PRECISIONS:
            network, step = make_step(name, precision, pairs.folder, pairs.unit)
            if name == "recurra":
                counts = [(each.sources.numel(), each.read.numel(), each.units) for each in batches]
                flops = 3 * sum(products(network, *each) for each in counts) // len(batches)
            mine = facts.setdefault(name, {"weights": sum(p.numel() for p in network.parameters()), "loss": {}})

            def go(step: Any = step, losses: dict[str, float] = mine["loss"], precision: str = precision) -> None:
                losses[precision] = sum(map(step, batches)) / len(batches)

            contestants += [Contestant(name, precision, threads, go, len(batches)) for threads in options.threads]
    return take_turns(contestants, options.rounds), {"entrants": facts, "flops": flops}


def searching(pairs: Pairs, batches: list[list[np.ndarray]], options: argparse.Namespace) -> tuple[list[Timing], Any]:
    """Time a search for translations; gives also how many units those of each have, in the mean."""
    state, written = never_end(make_state("recurra", "float32", pairs.folder, pairs.unit)), {}
    models = {name: joey(**JOEY[name]) for name in (PEER, f"{PEER}, accelerate")}
    contestants = limits(options)

    def ours() -> None:
        written["recurra"] = float(np.mean(our_translations(state, batches)))

    def theirs(name: str, precision: str) -> None:
        written[f"{name}, {precision}"] = float(np.mean(joey_translations(models[name], precision, batches)))

    for threads in options.threads:
        contestants.append(Contestant("recurra", "float32", threads, ours))
        for name in models:
            for precision in PRECISIONS:
                go = lambda name=name, precision=precision: theirs(name, precision)  # noqa: E731
                contestants.append(Contestant(name, precision, threads, go))
    timings = take_turns(contestants, options.rounds)
    for name, units in written.items():
        if units != UNITS_WRITTEN:
            raise SystemExit(
                f"{name}: expected translations of {UNITS_WRITTEN} units, got {units:.1f}: it did other work"
            )
    hypotheses = sum(map(len, batches)) * BEAM * UNITS_WRITTEN
    sources = sum(len(some) * max(map(len, some)) for some in batches)
    return timings, {"units_written": written, "flops": products(state.network, sources, hypotheses, hypotheses)}


def compared(timings: list[Timing], what: str, bars: dict[str, float], facts: dict[str, Any]) -> dict[str, Any]:
    """Set ours beside each of the others and beside the limit, print a line for each, and give what is stored."""
    mine, speeds = best(timings, "recurra"), {}
    share = share_of_gemm(mine, facts["flops"], timings)
    for name in dict.fromkeys(each.name for each in timings if each.name != GEMM):
        other = best(timings, name)
        like = {}
        for precision in PRECISIONS:
            if {"recurra", name} <= {each.name for each in timings if each.precision == precision and each.seconds}:
                like[precision] = ratio(best(timings, name, precision), best(timings, "recurra", precision))
        speeds[name] = {"speed": ratio(other, mine), "like": like, "bar": bars.get(name)}
        bar = f"   bar {bars[name]}, limit {speeds[name]['speed'] / share:.2f}" if name in bars else ""
        print(
            f"{what:28} {name:26} {1e3 * other.median:9.2f} ms ({other.precision}, {other.threads} threads)   ours {speeds[name]['speed']:5.2f} times as fast, like "
            + ", ".join(f"{precision} {speed:.2f}" for precision, speed in like.items())
            + bar,
            flush=True,
        )
    print(
        f"{what:28} ours is at {share:.0%} of the speed of a large matrix product ({facts['flops'] / 1e9:.1f} GFLOP)",
        flush=True,
    )
    stored = [each.as_dict() for each in timings]
    return {"what": what, "speeds": speeds, "share_of_gemm": share, **facts, "timings": stored}


def memory(pairs: Pairs) -> dict[str, Any]:
    """Give the MiB that a step of training of each takes, measured in a process of its own."""
    batch = pairs.batches("mixed", 1)[0]
    np.savez(pairs.folder / "batch.npz", *[part.numpy() for part in batch[:4]])
    found: dict[str, dict[str, float]] = {}
    for name in (*OURS, *TORCH, *JOEY):
        for precision in PRECISIONS:
            command = [sys.executable, __file__, "--memory-of", name, precision, str(pairs.folder), pairs.unit]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ).stdout
            found.setdefault(name, {})[precision] = json.loads(printed.splitlines()[-1])
        print(
            f"{'memory of a step':28} {name:26} " + ", ".join(f"{p} {m:.0f} MiB" for p, m in found[name].items()),
            flush=True,
        )
    return {"what": "memory of a step, MiB", "rows": ROWS, "memory": found}


def memory_of(name: str, precision: str, folder: str, unit: str) -> float:
    """Give the MiB of a few steps of this process, which does nothing else."""
    torch.set_num_threads(1)
    arrays = np.load(Path(folder, "batch.npz"), allow_pickle=False)
    parts = [torch.from_numpy(arrays[file]) for file in arrays.files]
    batch = PairBatch(parts[0], parts[1], parts[2], parts[3], int((parts[3] >= 0).sum()))
    before = held("VmRSS")
    _, step = make_step(name, precision, Path(folder), unit)
    for _ in range(MEMORY_STEPS):
        step(batch)
    return (held("VmHWM") - before) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, help="store the figures as JSON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=2, help="of training, in a turn")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seeded", action="store_true", help="pairs drawn by chance instead of Multi30k's")
    parser.add_argument("--only", nargs="+", choices=["alike", "mixed", "many", "one", "memory"])
    parser.add_argument("--memory-of", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    if options.memory_of:
        print(json.dumps(memory_of(*options.memory_of)))
        return
    check_rounds(options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        pairs = Pairs(*(seeded() if options.seeded else multi30k()), "word" if options.seeded else "bpe", Path(folder))
        results = measure(pairs, options)
    if options.output:
        packages = ("torch", "joeynmt", "numpy")
        facts = {
            "settings": {
                **SIZES,
                "vocabulary": pairs.preprocessor.target.size,
                "beam": BEAM,
                "ours": OURS,
                "joeynmt": JOEY,
            },
            "lengths": [float(np.mean(list(map(len, side)))) for side in (pairs.sources, pairs.targets)],
            "rounds": options.rounds,
            "engine": describe(),
            "machine": platform.machine(),
            "processor": platform.processor(),
            "versions": {package: version(package) for package in packages},
        }
        options.output.write_text(json.dumps({**facts, "results": results}, indent=1) + "\n", encoding="utf-8")


def measure(pairs: Pairs, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure what is asked for, and print it."""
    wanted = options.only or ["memory", "alike", "mixed", "many", "one"]
    results = [memory(pairs)] if "memory" in wanted else []
    for kind in ("alike", "mixed"):
        if kind in wanted:
            timings, facts = training(pairs, kind, options)
            results.append(compared(timings, f"a step of {ROWS} pairs, {kind}", BARS, facts))
    for what, batches, bars in (
        ("many", pairs.sorted_sources(), {PEER: SEARCH_BAR}),
        ("one", [[pairs.sentence]], {}),
    ):
        if what in wanted:
            timings, facts = searching(pairs, batches, options)
            name = f"{SENTENCES} sentences, beam {BEAM}" if what == "many" else f"a sentence of {WORDS} words"
            results.append(compared(timings, name, bars, facts))
    return results


if __name__ == "__main__":
    main()
