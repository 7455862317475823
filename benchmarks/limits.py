"""What the machine allows: how much faster than its peer each training step would be if it ran at the speed of a matrix product.

python benchmarks/limits.py benchmarks/2026-11-21-zen5.json

`share` is how much of that speed a step reaches: the products of one step, forward and backward, at the rate of the largest
product of the same run, over the time that the step takes. So speed / share is the speed of an engine whose products run at
that rate and which does nothing else: no gates, no memory traffic of its own. What lies above it cannot be had.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path


def mean(values: list[float]) -> float:
    """Give the geometric mean."""
    return math.exp(sum(map(math.log, values)) / len(values))


def main(path: str) -> None:
    """Print a table for each precision, and the means over all cells and over the LSTM alone."""
    for table in json.loads(Path(path).read_text(encoding="utf-8"))["tables"]:
        if not table["name"].startswith("training"):
            continue
        print(
            f"\n{table['title']}\n\n| cell | shape | speed | share of the limit | speed at the limit |\n|---|---|---|---|---|"
        )
        rows = [(row["cell"], row["shape"], row["speed"], row["share"]) for row in table["rows"]]
        for cell, shape, speed, share in rows:
            print(f"| {cell} | {shape} | {speed:.2f} | {share:.0%} | {speed / share:.2f} |")
        for name, chosen in (("all", rows), ("LSTM alone", [row for row in rows if row[0] == "lstm"])):
            speeds, shares = [row[2] for row in chosen], [row[3] for row in chosen]
            limit = mean([speed / share for speed, share in zip(speeds, shares, strict=True)])
            print(f"| {name} | mean | {mean(speeds):.2f} | {mean(shares):.0%} | {limit:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1])
