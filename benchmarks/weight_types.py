"""What the weights' type costs a language model when it streams: its perplexity on its own test text, and its speed.

    RECURRA_DATA=data python benchmarks/weight_types.py runs/shakespeare -o benchmarks/weights.json

Reads the whole test part unit by unit, as a stream does, with float32, bfloat16 and int8 weights.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import get_args

import numpy as np

import recurra
from recurra.kernels import WeightType
from recurra.kernels.native import describe


def measure(run: recurra.Run, weights: WeightType, limit: int) -> dict[str, object]:
    """Give the perplexity of the first `limit` test units, and microseconds for each."""
    model = run.network.packed(weights)
    ids = run.task.dataset.test.sequences[0][:limit]
    state, unit, total = np.zeros(model.state_size, dtype=np.float32), run.predictor.preprocessor.bos_id, 0.0
    start = time.perf_counter()
    for target in ids.tolist():
        logits = model.step_id(state, unit).astype(np.float64)
        peak = logits.max()
        total += logits[target] - peak - math.log(np.exp(logits - peak).sum())
        unit = target
    seconds = time.perf_counter() - start
    return {
        "weights": weights,
        "units": len(ids),
        "perplexity": math.exp(-total / len(ids)),
        "microseconds": seconds / len(ids) * 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a language model of one continuous text")
    parser.add_argument("-o", "--output", type=Path, help="store the figures as JSON")
    parser.add_argument("--units", type=int, default=10**9, help="read only so many")
    options = parser.parse_args()
    run = recurra.load(options.run)
    run.task.prepare()
    rows = [measure(run, weights, options.units) for weights in get_args(WeightType)]
    exact = rows[0]["perplexity"]
    for row in rows:
        row["change_percent"] = 100 * (row["perplexity"] / exact - 1)
        print(
            f"{row['weights']:9} perplexity {row['perplexity']:.4f} ({row['change_percent']:+.3f} %), {row['microseconds']:.1f} us"
        )
    if options.output:
        options.output.write_text(json.dumps({"engine": describe(), "rows": rows}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
