"""What trainings reach on a machine whose one core is taken by another program, and on a quiet one.

python benchmarks/busy_machine.py -o FILE                    lm, classify and forecast, three rounds, about 20 minutes on two cores
python benchmarks/busy_machine.py --tasks classify --rounds 5 --nice 19

Each training is a process of its own, of the same few hundred steps; its rate is steps by seconds of training, as its run folder
has them. The ways take turns, every other round from the last to the first, and the median round counts:

    default     the plain command: short waits, and the number of threads that is measured to be fastest
    one         --threads 1; on the busy machine on the other cores alone
    before      a thread on each core, also of numpy's, which waits as OpenMP does by itself (11 ms): Recurra before it could share

The other program does nothing but count, on the first core, in a session of its own as another user's would be.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

CORES = sorted(os.sched_getaffinity(0))
WAYS = ("default", "one", "before")
TASKS = {
    "lm": ["--epochs", "1", "--hidden", "128"],
    "classify": ["--epochs", "2", "--text", "text", "--label", "label"],
    "forecast": ["--epochs", "6", "--horizon", "24"],
}
SECONDS_PER_TRAINING = 300
SPIN = "import os, sys, time\nend = time.time() + float(sys.argv[1])\nos.nice(int(sys.argv[2]))\nwhile time.time() < end:\n    pass"


def write_data(folder: Path) -> dict[str, Path]:
    """Write a text, long texts of two classes, and hourly series, always the same."""
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlu", k=chance.randint(2, 8))) for _ in range(3000)]
    often = [1 / (rank + 3) for rank in range(len(words))]
    text = folder / "text.txt"
    text.write_text(" ".join(chance.choices(words, often, k=12_000)), encoding="utf-8")
    rows = []
    for number in range(500):
        some = chance.choices(words, often, k=chance.randint(100, 300))
        some[chance.randrange(len(some))] = ("good", "bad")[number % 2]
        rows.append(f"{' '.join(some)},{number % 2}\n")
    texts = folder / "texts.csv"
    texts.write_text("text,label\n" + "".join(rows), encoding="utf-8")
    lines = ["series,time,value\n"]
    for series in range(8):
        level = chance.uniform(5, 50)
        for hour in range(1000):
            value = level * (1 + 0.3 * math.sin(2 * math.pi * hour / 24)) + chance.gauss(0, 1)
            stamp = time.strftime("%Y-%m-%d %H:00:00", time.gmtime(1_700_000_000 // 3600 * 3600 + 3600 * hour))
            lines.append(f"s{series},{stamp},{value:.3f}\n")
    numbers = folder / "series.csv"
    numbers.write_text("".join(lines), encoding="utf-8")
    return {"lm": text, "classify": texts, "forecast": numbers}


@contextmanager
def busy(nice: int | None) -> Iterator[None]:
    """Keep the first core busy; with None nothing does."""
    if nice is None:
        yield
        return
    command = ["taskset", "-c", str(CORES[0]), sys.executable, "-c", SPIN, str(SECONDS_PER_TRAINING + 60), str(nice)]
    other = subprocess.Popen(command, start_new_session=True)
    try:
        time.sleep(0.5)
        yield
    finally:
        other.kill()  # also where this program is ended by SIGTERM, as `timeout` does
        other.wait()


def train(task: str, data: Path, way: str, nice: int | None) -> dict[str, Any]:
    """Train once, and give the steps a second and what the run says of its threads."""
    flags, variables = [], dict(os.environ)
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        variables.pop(name, None)
    prefix: list[str] = []
    if way == "one":
        flags = ["--threads", "1"]
        prefix = ["taskset", "-c", ",".join(map(str, CORES[1:]))] if nice is not None else []
    elif way == "before":
        flags, variables["GOMP_SPINCOUNT"] = ["--threads", str(len(CORES))], "300000"
        variables["OPENBLAS_NUM_THREADS"] = str(len(CORES))
    run = "from recurra.cli import main; main()"
    with tempfile.TemporaryDirectory() as folder, busy(nice):
        out, start = Path(folder) / "run", time.monotonic()
        subprocess.run(
            [*prefix, sys.executable, "-c", run, "train", task, str(data), "-q", "-o", str(out), *TASKS[task], *flags],
            env=variables,
            check=True,
            timeout=SECONDS_PER_TRAINING,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wall = time.monotonic() - start
        events = [json.loads(line) for line in (out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    began, end = events[0], next(event for event in events if event["event"] == "end")
    return {
        "rate": end["step"] / end["seconds"],
        "wall": wall,
        "threads": [began["threads"], *(event["threads"] for event in events if event["event"] == "threads")],
        "precision": began["precision"],
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure, print a line for each task and machine, and store every training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--nice", nargs="*", type=int, default=[0, 19], help="of the other program, each in turn")
    parser.add_argument("--no-quiet", action="store_true", help="leave out the machine without the other program")
    parser.add_argument("-o", "--output", type=Path, help="a file of JSON")
    asked = parser.parse_args()
    if len(CORES) < 2:
        sys.exit("busy_machine: expected two cores, got one")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    measured = []
    print(f"load before: {os.getloadavg()[0]:.2f}\n")
    print("| task | other program | default | one | before | default / one | default / before | threads |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        data = write_data(Path(folder))
        for task in asked.tasks:
            for nice in asked.nice if asked.no_quiet else (None, *asked.nice):
                rounds: dict[str, list[dict[str, Any]]] = {way: [] for way in asked.ways}
                for number in range(asked.rounds):
                    for way in asked.ways if number % 2 == 0 else reversed(asked.ways):
                        rounds[way].append(train(task, data[task], way, nice))
                measured.append({"task": task, "nice": nice, "rounds": rounds})
                print(line(task, nice, rounds), flush=True)
    if asked.output is not None:
        asked.output.write_text(json.dumps({"cores": len(CORES), "measured": measured}, indent=1) + "\n", "utf-8")


def line(task: str, nice: int | None, rounds: dict[str, list[dict[str, Any]]]) -> str:
    """Give a row of the table: medians of steps a second, and of each round's ratios."""

    def rate(way: str) -> str:
        return f"{median(each['rate'] for each in rounds[way]):.3g}" if way in rounds else "–"

    def ratio(way: str) -> str:
        if not {"default", way} <= rounds.keys():
            return "–"
        pairs = zip(rounds["default"], rounds[way], strict=True)
        return f"{median(ours['rate'] / other['rate'] for ours, other in pairs):.2f}"

    threads = ", ".join("→".join(map(str, each["threads"])) for each in rounds.get("default", []))
    other = "none" if nice is None else f"nice {nice}"
    shown = [*map(rate, WAYS), ratio("one"), ratio("before")]
    return f"| {task} | {other} | {' | '.join(shown)} | {threads} |"


if __name__ == "__main__":
    main()
