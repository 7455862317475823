"""Runs as a training leaves them, made up but with the shapes of real ones."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = """task = "lm"
seed = 1

[data]
data = ["poetry/tang.json"]
text = "paragraphs"
documents = "record"
unit = "char"

[model]
cell = "lstm"
layers = 2
hidden = 512
dropout = 0.3
tied = true

[training]
optimizer = "adamw"
lr = 2e-3
batch = 64
steps = 5000
clip = 1.0
"""
POEM = "獨坐幽篁裏，\n彈琴復長嘯。\n深林人不知，\n明月來相照。\n"
SAMPLES = [
    "，的\n花山一不人。\n風日無無天，\n不不来水春。\n山。",
    "白日江山夜，\n青山月下人。\n不知春草色，\n何處是天津。\n",
    POEM + "\n空山不見人，\n但聞人語響。\n返景入深林，\n復照青苔上。\n",
]


def events(steps: int = 5000, every: int = 10, samples: list[str] = SAMPLES, size: int = 6000) -> list[dict[str, Any]]:
    """A language model's training, with all kinds of events."""
    chance = random.Random(3)
    found: list[dict[str, Any]] = [
        {
            "event": "start",
            "parameters": 5_234_816,
            "train_units": 2_310_455,
            "valid_units": 128_301,
            "test_units": 127_990,
            "steps": steps,
            "precision": "bfloat16",
            "threads": 2,
            "device": "cpu",
            "plan": f"{steps} steps of 64 × 100 units, learning rate falling to zero, in about 20 minutes.",
        }
    ]
    best = math.inf
    for step in range(every, steps + 1, every):
        done = step / steps
        loss = 1.35 + (math.log(size) - 1.35) * math.exp(-9 * done) + chance.gauss(0, 0.06)
        found.append(
            {
                "event": "train",
                "step": step,
                "epoch": 5 * done,
                "loss": loss,
                "lr": 0.002 * min(1, step / (steps * 0.05)) * 0.5 * (1 + math.cos(math.pi * done)),
                "grad_norm": abs(chance.gauss(0.7, 0.15)) + 3 * math.exp(-30 * done),
                "units_per_second": 21000 + chance.gauss(0, 700),
                "seconds": 1200 * done,
            }
        )
        if step % (steps // 20) == 0:
            nll = 1.42 + (math.log(size) - 1.42) * math.exp(-9 * done) + 0.12 * done**4
            found.append(
                {
                    "event": "valid",
                    "step": step,
                    "nll": nll,
                    "perplexity": math.exp(nll),
                    "seconds": 1200 * done,
                    "best": nll < best,
                }
            )
            best = min(best, nll)
        if step % (steps // 4) == 0:
            text = samples[min(int(done * len(samples)), len(samples) - 1)]
            found.append({"event": "sample", "step": step, "text": text})
            norms = [0.8 * math.exp(-lag / (3 + 12 * done)) for lag in range(100)]
            found.append({"event": "gradient_lags", "step": step, "norms": norms})
    found.append({"event": "end", "reason": "finished", "step": steps, "seconds": 1203.5, "best_step": steps // 5 * 4})
    found.append(evaluation(nll=1.416, baseline=1.9))
    return found


def evaluation(nll: float, baseline: float) -> dict[str, Any]:
    """What is measured on the test part, in nats, beside three baselines."""

    def row(value: float) -> dict[str, float]:
        bits = value / math.log(2)
        return {"nll": value, "perplexity": math.exp(value), "bits_per_char": bits, "bits_per_byte": bits / 3}

    baselines = {"uniform": row(math.log(6000)), "bigram": row(2.7), "kneser-ney-5": row(baseline)}
    return {
        "event": "evaluation",
        "task": "lm",
        "data": "test",
        "count": 127_990,
        "metrics": row(nll),
        "baselines": baselines,
    }


MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder from events and a configuration."""

    def make(happened: list[dict[str, Any]] | None, config: str = CONFIG) -> Path:
        folder = tmp_path / "tang"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(config, encoding="utf-8")
        if happened is not None:
            lines = "".join(json.dumps(event) + "\n" for event in happened)
            (folder / "metrics.jsonl").write_text(lines, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def language_events() -> Callable[..., list[dict[str, Any]]]:
    """Make the events of a training up."""
    return events


@pytest.fixture
def language_evaluation() -> Callable[..., dict[str, Any]]:
    """Make an evaluation up."""
    return evaluation
