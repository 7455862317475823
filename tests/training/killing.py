"""Trainings to be killed, and what has to be the same afterwards.

`python tests/training/killing.py 200` kills two hundred times, and more as often as it is asked to.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TIMING = {"seconds", "units_per_second", "plan", "began"}
TIMED = {"metrics.jsonl", "report.html", "manifest.json"}
"""Files that hold times, and sums of these.  Of the first the events are compared."""

EVERYTHING: dict[str, Any] = {
    "quiet": True,
    "hidden": 6,
    "layers": 2,
    "dropout": 0.3,
    "recurrent_dropout": 0.2,
    "ema": 0.9,
    "gradient_lags": 3,
    "validations": 4,
    "bptt": 8,
    "batch": 4,
    "epochs": 1.1,
    "threads": 1,
    "valid_share": 0.15,
    "test_share": 0.15,
}
CASES: dict[str, dict[str, Any]] = {
    "a long text": {"cell": "lstm", "precision": "float32", "checkpoint_seconds": 0},
    "documents": {"cell": "gru", "documents": "line", "precision": "bfloat16", "checkpoint_seconds": 0, "batch": 6},
    "few checkpoints": {"cell": "graves-lstm", "precision": "float32", "checkpoint_seconds": 0.15, "unit": "word"},
    "sgd and patience": {
        "cell": "rnn",
        "precision": "float32",
        "optimizer": "sgd",
        "schedule": "decay",
        "hold": 1,
        "lr": 20,
        "epochs": 6,
        "patience": 1,
        "ema": 0,
        "validations": 30,
        "bptt": 40,
        "checkpoint_seconds": 0.05,
    },
}


def text() -> str:
    """Make a text in two languages that has something to learn, and of which no two lines are the same."""
    lines = (f"{i} 白日依山盡，黃河入海流。the rain in spain {i * i % 101}\n" for i in range(28))
    return "".join(lines)


class Driver:
    """Runs trainings in children of one process that has torch already."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, call: str, kill: dict[str, Any] | None = None, **arguments: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"call": call, "arguments": arguments, "kill": kill}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def to_the_end(
        self,
        folder: Path,
        arguments: dict[str, Any],
        kills: list[dict[str, Any]],
        look: Callable[[Path], None] = lambda _: None,
    ) -> int:
        """Train, killed at each of the moments in turn and gone on with, to the end; gives how many kills met their mark.

        look: is given the folder as each kill has left it.
        """
        met = 0
        call: tuple[str, dict[str, Any]] = ("train", {**arguments, "out": str(folder)})
        for kill in [*kills, None]:
            reply = self(call[0], kill, **call[1])
            met += reply["killed"]
            if reply["killed"]:
                look(folder)
                if (folder / "manifest.json").is_file():
                    break  # it is written last: killed behind it, the training has ended
                # Before there is a configuration nothing has begun: the same command does it again.
                started = (folder / "config.toml").is_file()
                call = ("resume", {"folder": str(folder), "quiet": True}) if started else call
            else:
                assert reply["error"] is None and reply["status"] == 0, (folder.name, kills, reply)
                break
        return met


def moments(chance: random.Random, whole: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Choose moments over the whole life of a training, and again of what is left of it: three trainings, seven kills.

    whole: what the driver counted of a training that nobody killed.
    """

    def moment(at: str, first: float, last: float) -> dict[str, Any]:
        share = chance.uniform(first, last)
        if at == "time":
            return {"at": at, "seconds": share * whole["seconds"]}
        return {"at": at, "number": 1 + int(share * (whole[at] - 1))}

    return [
        [moment("io", 0, 0.4), moment("io", 0, 0.6)],
        [moment("event", 0, 1), moment("half", 0, 0.2)],
        [moment("line", 0, 0.8), moment("time", 0.05, 0.3), moment("io", 0.9, 1)],
    ]


@contextmanager
def driver(*modules: str) -> Iterator[Driver]:
    """Give a driver; modules: those that its children are to find imported."""
    command = [sys.executable, str(Path(__file__).with_name("kill_driver.py")), *modules]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Driver(process)
        finally:
            process.kill()


def outcome(folder: Path) -> dict[str, Any]:
    """Give all of a run that must not depend on whether it was killed."""
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "events": [{k: v for k, v in json.loads(line).items() if k not in TIMING} for line in lines],
        "files": sorted(path.name for path in folder.iterdir()),
        "left over": [path.name for path in folder.rglob(".*")],
        "checkpoints": len(list(folder.glob("checkpoint/*"))),
        **{path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in TIMED},
    }


def kill_often(kills: int, seed: int, folder: Path) -> Iterator[str]:
    """Kill as often as asked, in all cases in turn, and hold every outcome to that of a training that nobody killed."""
    chance, met = random.Random(seed), 0
    data = folder / "text.txt"
    data.write_text(text(), encoding="utf-8")
    with driver() as drive:
        wholes = {}
        for name, case in CASES.items():
            arguments: dict[str, Any] = {"task": "lm", "data": str(data), **EVERYTHING, **case}
            reply = drive("train", out=str(folder / name), **arguments)
            wholes[name] = (arguments, reply, outcome(folder / name))
        trial = 0
        while met < kills:
            for name, (arguments, counts, expected) in wholes.items():
                for plan in moments(chance, counts):
                    trial += 1
                    run = folder / f"{trial} {name}"
                    met += drive.to_the_end(run, arguments, plan)
                    differing = [key for key, value in outcome(run).items() if value != expected[key]]
                    yield f"{met} kills, {run.name}, {plan}: {f'DIFFERS in {differing}' if differing else 'the same'}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for line in kill_often(int(sys.argv[1]), int((sys.argv[2:] or ["0"])[0]), Path(scratch)):
            print(line, flush=True)
