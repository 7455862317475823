"""Recurra at the first try: the plain command of each of many public sets, compared with the best plain baseline of its own report.

    RECURRA_DATA=data python benchmarks/first_try.py --within 2m --json first-try.json
    python benchmarks/first_try.py --task classify,tag --only subj,wikigold --markdown
    python benchmarks/first_try.py --json first-try.json --compare benchmarks/2026-11-29-first-try.json --metric accuracy,auroc

Each folder of FOLDER that has a README.md is a set; its command is the line of a code block that begins with `recurra train`. It runs in
that folder with --within and --threads, everything else at its default, with seed 1, and where that training took less than a minute
with seeds 2 and 3 too; figures are means. Runs go to a temporary folder.

The figure is the headline metric of the run's evaluation, or the first of --metric that it has. Level: within 0.5 points, or 1 % for errors
and perplexities. A baseline with a star was measured on a part of the data alone. "seconds" are those of a whole command.

With --json each set is kept once it is measured, and a second call measures what is left, and what failed. Ends with status 1 where a
command failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from first_try_table import aligned, cells, make_row, markdown, totals

from recurra.benchmark.results import machine
from recurra.errors import RecurraError
from recurra.files import write_whole
from recurra.training.config import duration
from recurra.training.folder import LOG
from recurra.training.log import read_events

SHORT_SECONDS = 60
"""A training that took less is repeated with other seeds."""
RECURRA = [sys.executable, "-c", "from recurra.cli import main; main()"]


@dataclass(frozen=True)
class FirstTrySet:
    """A set: its folder, and the words of its command after `recurra`."""

    folder: Path
    words: list[str]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def task(self) -> str:
        return self.words[1]


class CommandError(Exception):
    """A command failed, or left no evaluation; the message is its last line."""


def read_sets(folder: Path) -> list[FirstTrySet]:
    """Find the sets under a folder; raises `ValueError` for a README without a command, or with several."""
    sets = []
    for readme in sorted(folder.glob("*/README.md")):
        commands = plain_commands(readme.read_text(encoding="utf-8"))
        if len(commands) != 1 or len(commands[0]) < 3:
            raise ValueError(f"{readme}: expected a `recurra train TASK DATA` in a code block, got {len(commands)}")
        sets.append(FirstTrySet(readme.parent, commands[0]))
    if not sets:
        raise ValueError(f"{folder}: expected folders with a README.md each, got none")
    return sets


def plain_commands(text: str) -> list[list[str]]:
    r"""Give the words after `recurra` of every `recurra train` in a code block; a line that ends with a backslash goes on.

    >>> plain_commands("`recurra train lm x`\n```sh\nrecurra train tag 'a b' \\\n  --test c\n```\nrecurra train lm y")
    [['train', 'tag', 'a b', '--test', 'c']]
    """
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("recurra train ")]


def train_once(each: FirstTrySet, seed: int, options: argparse.Namespace, run: Path) -> dict[str, Any]:
    """Run a command and give what its run measured; raises `CommandError`."""
    more = ["--within", options.within, "--threads", str(options.threads), "--seed", str(seed), "-o", str(run)]
    start = time.perf_counter()
    # COLUMNS: a message is not broken into lines.
    done = subprocess.run(
        [*RECURRA, *each.words, *more],
        cwd=each.folder,
        env={**os.environ, "COLUMNS": "1000"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise CommandError(last_message(done.stderr) or f"ended with status {done.returncode} and no message")
    events = {event.get("event"): event for event in read_events(run / LOG)}
    if "evaluation" not in events:
        raise CommandError(f"was not evaluated: {last_message(done.stderr)}")
    details = events["evaluation"].get("details", {})
    return {
        "seed": seed,
        "metrics": events["evaluation"]["metrics"],
        "baselines": events["evaluation"]["baselines"],
        "fewer": list(details.get("fewer", {})),
        "shares": details.get("parts", {}).get("shares"),
        "training_seconds": events["end"]["seconds"],
        "wall_seconds": round(seconds, 3),
    }


def last_message(stderr: str) -> str:
    """Give the last line that has a word, without the frame that a usage error is drawn in.

    >>> last_message("reading\\n╭─ Error ──╮\\n│ No such option: --foo  │\\n╰──────────╯\\n")
    'No such option: --foo'
    """
    lines = [line.strip(" │\r") for line in stderr.splitlines() if re.search(r"\w", line)]
    return lines[-1] if lines else ""


def measure(each: FirstTrySet, options: argparse.Namespace, runs: Path) -> dict[str, Any]:
    """Train a set's model with each seed, and give what is stored of it."""
    found: dict[str, Any] = {"task": each.task, "command": shlex.join(["recurra", *each.words]), "runs": []}
    for seed in range(1, options.seeds + 1):
        run = runs / f"{each.name}-{seed}"
        try:
            found["runs"].append(train_once(each, seed, options, run))
        except (CommandError, RecurraError) as error:
            found["failed"] = str(error)
            break
        finally:
            shutil.rmtree(run, ignore_errors=True)
        if found["runs"][0]["training_seconds"] >= SHORT_SECONDS:
            break
    return {**found, "date": datetime.now(UTC).isoformat(timespec="seconds")}


def is_measured(each: FirstTrySet, found: dict[str, Any] | None, seeds: int) -> bool:
    """Whether a set needs no training more: its command is still the same, it did not fail, and has as many seeds as it should."""
    if found is None or found.get("failed") or found["command"] != shlex.join(["recurra", *each.words]):
        return False
    return len(found["runs"]) >= seeds or found["runs"][0]["training_seconds"] >= SHORT_SECONDS


def measure_all(sets: Sequence[FirstTrySet], kept: dict[str, Any], options: argparse.Namespace) -> None:
    """Measure the sets that are not yet, several at a time, and keep each once it is done."""
    missing = [each for each in sets if not is_measured(each, kept["sets"].get(each.name), options.seeds)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(measure, each, options, Path(folder)): each for each in missing}
        try:
            for number, future in enumerate(as_completed(waiting), 1):
                name, found = waiting[future].name, future.result()
                kept["sets"][name] = found
                if options.json:
                    write_whole(options.json, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
                row = make_row(name, found, options.metric)
                line = f"{number} of {len(waiting)}: {name}: {row.verdict}"
                print(f"{line}: {row.failed}" if row.failed else line, file=sys.stderr, flush=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def load(path: Path) -> dict[str, Any]:
    """Read a stored table; raises `ValueError` where it is none."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from None
    if not isinstance(stored, dict) or not isinstance(stored.get("sets"), dict):
        raise ValueError(f"{path}: expected what --json has written")
    return stored


def open_table(options: argparse.Namespace) -> dict[str, Any]:
    """Read what an earlier call has kept, or start a table; raises `ValueError` where it was measured in another way."""
    settings = {"within": options.within, "threads": options.threads, "jobs": options.jobs}
    if not options.json or not options.json.exists():
        return {"settings": settings, "machine": machine(), "sets": {}}
    kept = load(options.json)
    if kept.get("settings") != settings:
        raise ValueError(
            f"{options.json}: expected what was measured with {_in_words(settings)}, got {_in_words(kept.get('settings', {}))}; "
            "give the same options, or another file"
        )
    return kept


def _in_words(settings: dict[str, Any]) -> str:
    return " ".join(f"--{name} {value}" for name, value in settings.items())


def choose(sets: list[FirstTrySet], options: argparse.Namespace) -> list[FirstTrySet]:
    """Give the sets that were asked for; raises `ValueError` for a name that none has."""
    for flag, wanted, known in (
        ("--only", options.only, [each.name for each in sets]),
        ("--task", options.task, sorted({each.task for each in sets})),
    ):
        if unknown := [name for name in wanted if name not in known]:
            raise ValueError(f"{flag}: expected some of {', '.join(known)}; got {', '.join(unknown)}")
    some = [each for each in sets if not options.only or each.name in options.only]
    return [each for each in some if not options.task or each.task in options.task]


def show(names: Sequence[str], kept: dict[str, Any], older: dict[str, Any], options: argparse.Namespace) -> bool:
    """Print the table, the totals and the machine; whether nothing failed."""
    rows = [make_row(name, kept["sets"][name], options.metric) for name in names]
    print(*(markdown if options.markdown else aligned)(cells(rows, older)), "", sep="\n")
    print(*totals(rows, older), "", sep="\n")
    about = kept["machine"]
    print(f"{_in_words(kept['settings'])}; {about['processor']}, cores: {about['cores']}; engine: {about['engine']}")
    print(f"torch {about['torch']}, recurra {about['recurra']}; {about['date']}")
    return all(row.verdict != "failed" for row in rows)


def _names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, got {text!r}")
    return int(text)


def _time(text: str) -> str:
    try:
        duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(os.environ.get("RECURRA_DATA", "data")) / "first-try"
    parser.add_argument("folder", type=Path, nargs="?", default=default, help="default: $RECURRA_DATA/first-try")
    parser.add_argument("--within", type=_time, default="3m", help="of each training; default: 3m")
    parser.add_argument("--threads", type=_positive, default=1, help="of each training; default: 1")
    parser.add_argument("--jobs", type=_positive, default=2, help="trainings at a time; default: 2")
    parser.add_argument("--seeds", type=_positive, default=3, help="of a training under a minute; default: 3")
    parser.add_argument("--task", type=_names, default=[], help="only sets of these tasks: classify,tag")
    parser.add_argument("--only", type=_names, default=[], help="only these sets: NAME,NAME")
    parser.add_argument("--metric", type=_names, default=[], help="compare these instead of the headline: KEY,KEY")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep each set here, and continue with what it lacks")
    parser.add_argument("--compare", type=Path, metavar="OLD", help="a file of --json to show the older figures of")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    options = parser.parse_args(arguments)
    try:
        sets = choose(read_sets(options.folder), options)
        older = load(options.compare)["sets"] if options.compare else {}
        kept = open_table(options)
    except ValueError as error:
        parser.error(str(error))
    if not sets:
        parser.error("--only, --task: expected a set that is named and of that task, got none")
    measure_all(sets, kept, options)
    return 0 if show([each.name for each in sets], kept, older, options) else 1


if __name__ == "__main__":
    sys.exit(main())
