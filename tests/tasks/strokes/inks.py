"""Small drawings for tests: zigzags and loops of different length, and words of two letters."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recurra.ink import Ink


def zigzag(seed: int, *, loop: bool = False) -> Ink:
    """Draw one or two strokes of some points; loops turn, zigzags go up and down."""
    random = np.random.default_rng([seed, loop])
    count = int(random.integers(5, 9))
    turn = np.linspace(0, 5, count)[:, None]
    shape = np.concatenate([np.cos(turn), np.sin(turn)], 1) if loop else np.stack([turn[:, 0], np.arange(count) % 2], 1)
    stroke = shape * 8 + random.normal(0, 0.4, shape.shape)
    strokes = [stroke.astype(np.float32)]
    if seed % 3 == 0:
        strokes.append((stroke[:2] + 9).astype(np.float32))
    return Ink(tuple(strokes))


def write_jsonl(path: Path, count: int, *, condition: str = "label") -> Path:
    """Write drawings as JSON lines: zigzags are "z" or "zz…", loops "o"."""
    lines = []
    for seed in range(count):
        loop = bool(seed % 2)
        text = ("o" if loop else "z") if condition == "label" else ("zo" if loop else "oz") + "z" * (seed % 3)
        strokes = [stroke.round(3).tolist() for stroke in zigzag(seed, loop=loop).strokes]
        lines.append(json.dumps({"strokes": strokes} | ({} if condition == "none" else {"text": text})))
    path.write_text("\n".join(lines) + "\n")
    return path
