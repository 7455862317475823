"""What explaining takes, and whether the shares of words hold.

    python benchmarks/explain.py times RUN [--words 200] [--rounds 5]
    python benchmarks/explain.py maps [--steps 10000] [--units 256] [--rounds 5]
    python benchmarks/explain.py leave-out RUN [--data sst-2] [--sentences 300] [--share 0.2] [--fast]

RUN: a classifier of texts. `times` explains one review of so many words, of the set's test sentences put one after another, and gives seconds
beyond loading. `maps` records every gate and state of an LSTM layer over a long sequence, and draws them. `leave-out` leaves out the top share of
the words of each sentence by Shapley values, and as many at random: what each costs of the log-odds, on average. Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

import recurra
from recurra.data import locate
from recurra.data.labelled.reader import read_labelled
from recurra.explain.explanation import Method, attribute, explain_inputs
from recurra.explain.faithfulness import measure_faithfulness
from recurra.explain.gates import record
from recurra.explain.trace_blocks import heat_map
from recurra.nn import Stack
from recurra.runs.run import Run
from recurra.tasks.base.inference import eval_mode
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.classify.config import Data
from recurra.tasks.classify.data import reading_options

FEATURES = 64


def test_texts(name: str) -> list[str]:
    """Give the test sentences of a named set, in an order drawn once."""
    found = locate(name)
    files = [str(file) for file in found.test]
    texts = read_labelled(files, reading_options(Data.model_validate(found.settings))).sequences
    order = np.random.default_rng(0).permutation(len(texts))
    return [str(texts[place]) for place in order]


def seconds(work: Callable[[], Any], rounds: int) -> dict[str, float]:
    """Give what the first call takes, and the median of some more."""
    measured = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        measured.append(time.perf_counter() - start)
    return {"first": round(measured[0], 3), "median": round(median(measured[1:]), 3)}


def times(run: Run, words: int, rounds: int, data: str) -> None:
    """Time one review."""
    review = " ".join(" ".join(test_texts(data)).split()[:words])
    for name, method in (("shapley", Method()), ("fast", Method(fast=True))):
        found = explain_inputs(run.predictor, [review], {}, method)[0].attributions
        measured = seconds(lambda method=method: explain_inputs(run.predictor, [review], {}, method), rounds)
        print(json.dumps({"what": name, "words": words, "method": found.method, "seconds": measured}), flush=True)


class LongSequence(Predictor[Any]):
    """A stack and nothing else: an input is (T, I)."""

    name = "stack"

    @classmethod
    def load_preprocessor(cls, folder: Path, config: Any) -> Any:
        raise NotImplementedError

    @classmethod
    def build_network(cls, config: Any, preprocessor: Any) -> Any:
        raise NotImplementedError

    def predict_with(self, inputs: list[Any], options: Any) -> list[dict[str, Any]]:  # noqa: ARG002
        stack: Any = self.network
        with eval_mode(stack):
            stack(inputs[0].unsqueeze(1), stack.zero_state(1))
        return [{}]


def maps(steps: int, units: int, rounds: int) -> None:
    """Time the maps of a layer."""
    torch.manual_seed(0)
    x = torch.randn(steps, FEATURES)
    for cell in ("lstm", "gru"):
        predictor = LongSequence(None, Stack(cell, FEATURES, [units]), None)
        (layer,) = record(predictor, x).layers
        values = {**layer.states, **layer.gates}
        measured = {
            "record": seconds(lambda predictor=predictor: record(predictor, x), rounds),
            "draw one": seconds(lambda layer=layer: heat_map(layer.outputs), rounds),
            f"draw all {len(values)}": seconds(
                lambda values=values: [heat_map(each) for each in values.values()], rounds
            ),
        }
        print(
            json.dumps({"what": "maps", "cell": cell, "steps": steps, "units": units, "seconds": measured}), flush=True
        )


def leave_out(run: Run, data: str, sentences: int, share: float, *, fast: bool) -> None:
    """Compare what the words of the largest shares cost with what as many others cost."""
    predictor: Any = run.predictor
    tops, randoms, flips = [], [], [0, 0]
    for text in test_texts(data):
        output = predictor.explained(predictor.parse(text), predictor.ExplainOptions())
        if len(output.segments) < round(1 / share):
            continue
        shares = attribute(output, Method(fast=fast)).shares
        found = measure_faithfulness(output.values, shares, share=share)
        assert found is not None
        whole = float(output.values(np.ones((1, len(shares)), bool))[0])
        tops.append(found.top)
        randoms.append(found.random)
        flips[0] += whole > 0 > whole - found.top
        flips[1] += whole > 0 > whole - found.random
        if len(tops) == sentences:
            break
    top, random = float(np.mean(tops)), float(np.mean(randoms))
    error = float(np.std(tops, ddof=1) / np.sqrt(len(tops)))
    result = {"what": "leave-out", "method": "fast" if fast else "shapley", "sentences": len(tops), "share": share}
    costs = {
        "top": round(top, 3),
        "error": round(error, 3),
        "random": round(random, 3),
        "ratio": round(top / random, 2),
    }
    print(json.dumps({**result, **costs, "other class": flips}), flush=True)


def main() -> None:
    """Read the command line, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["times", "maps", "leave-out"])
    parser.add_argument("run", nargs="?")
    parser.add_argument("--data", default="sst-2")
    for name, default in (("words", 200), ("rounds", 5), ("steps", 10_000), ("units", 256), ("sentences", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--fast", action="store_true")
    given = parser.parse_args()
    if given.what == "maps":
        maps(given.steps, given.units, given.rounds)
        return
    if given.run is None:
        parser.error("RUN: expected the folder of a classifier of texts")
    run = recurra.load(given.run)
    if given.what == "times":
        times(run, given.words, given.rounds, given.data)
    else:
        leave_out(run, given.data, given.sentences, given.share, fast=given.fast)


if __name__ == "__main__":
    main()
