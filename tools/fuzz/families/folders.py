"""Strangers' run folders: a good run with a file that was changed, removed, or made something else, and the verbs that load it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from random import Random

from tools.fuzz.case import Case, Command
from tools.fuzz.families.copying import copy_paths, files_below
from tools.fuzz.mutation import folders, lines
from tools.fuzz.stock import RUNS, Stock

RUN = "RUN"
INPUTS = {
    "classify-series": "sound.npz",
    "tag-series": "moving.npz",
    "embed": "sound.npz",
    "forecast": "sales.csv",
    "detect": "machine.csv",
    "tag-words": "sentences.conll",
    "classify-text": "table.csv",
    "classify-char": "table.csv",
}
"""A good file for each run; all others read lines.txt."""


def questions(name: str, file: str) -> list[list[str]]:
    """List what can be asked about a run."""
    asked = [
        ["info", RUN],
        ["info", RUN, "--json"],
        ["predict", RUN, file],
        ["predict", RUN, file, "--json"],
        ["evaluate", RUN, file, "--no-baselines"],
        ["train", "--resume", RUN],
    ]
    if name.startswith("lm"):
        asked += [
            ["generate", RUN, "-p", "the rain", "-l", "20"],
            ["score", RUN, file],
            ["generate", RUN, "-p", "the", "--beam", "3", "-l", "9"],
        ]
    if name in ("forecast", "detect"):
        asked += [["evaluate", RUN, file, "--json", "--no-baselines"]]
    return asked


def change_structure(run: Path, rng: Random) -> str:
    """Remove a file of a run, or make it something else; says what."""
    name = rng.choice(files_below(run))
    path = run / name
    how = rng.choice(["missing", "empty", "folder", "link to itself", "link", "pipe", "more", "unreadable"])
    if how == "more":
        for other in ("x.bin", "漢.json", ".hidden", "model.safetensors.tmp"):
            (run / other).write_bytes(b"\x00" * 10)
        return "more files"
    path.unlink()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "folder":
        path.mkdir()
    elif how == "link to itself":
        path.symlink_to(path.name)
    elif how == "link":
        path.symlink_to(rng.choice([run, Path("/dev/null"), Path("/nosuch")]))
    elif how == "pipe":
        os.mkfifo(path)
    elif how == "unreadable":
        path.write_bytes(b"x")
        path.chmod(0)
    return f"{name}: {how}"


def change_checkpoint(run: Path, rng: Random) -> str:
    """Change the checkpoint of a run that has not ended, and give it the name that its content has."""
    (run / folders.MANIFEST).unlink()
    old = next((run / "checkpoint").glob("*.safetensors"))
    data = folders.mutate_safetensors(old.read_bytes(), rng)
    old.unlink()
    step = old.name.partition("-")[0]
    (run / "checkpoint" / f"{step}-{hashlib.sha256(data).hexdigest()}.safetensors").write_bytes(data)
    return "checkpoint"


def change_files(run: Path, rng: Random) -> str:
    """Change a file of a run, or two, and sign them."""
    names = [name for name in files_below(run) if "/" not in name and name not in (folders.MANIFEST, "report.html")]
    preferred = [name for name in names if not name.endswith(".jsonl")]
    changed = rng.sample(preferred if rng.random() < 0.9 else names, rng.choice([1, 1, 1, 2]))
    for name in changed:
        data = folders.mutate_run_file(name, (run / name).read_bytes(), rng)
        (run / name).write_bytes(data)
    if rng.random() < 0.97:
        folders.sign(run)
    return ", ".join(changed)


def make_folder(number: int, rng: Random, work: Path, stock: Stock) -> Case:
    """Make a case with a run folder that a stranger could have sent."""
    name = rng.choice(list(RUNS))
    run, file = work / RUN, INPUTS.get(name, "lines.txt")
    copy_paths(stock.run(name), files_below(stock.run(name)), run)
    copy_paths(stock.files, [file], work)
    _point_at_data(run)
    how, words = rng.random(), rng.choice(questions(name, file))
    if how < 0.08:
        about = change_structure(run, rng)
    elif how < 0.14:
        about, words = change_checkpoint(run, rng), ["train", "--resume", RUN]
    elif how < 0.19:
        about = folders.forge_manifest(run, rng)
    elif how < 0.2:
        shutil.rmtree(run)
        run.write_bytes(b"") if rng.random() < 0.5 else run.mkdir()
        about = "no run"
    else:
        about = change_files(run, rng)
    return Case(
        "folders", number, Command(tuple(words)), f"{name}: {about}", (RUN, file), good_data=words[0] != "train"
    )


def _point_at_data(run: Path) -> None:
    """Have the settings name the data by names alone, so that a training can be resumed where the case lies."""
    text = (run / "config.toml").read_text(encoding="utf-8")
    kept = [
        f'    "{Path(line.strip(chr(32) + chr(34) + ",")).name}",' if line.startswith('    "/') else line
        for line in text.split("\n")
    ]
    (run / "config.toml").write_bytes(lines.encode("\n".join(kept)))
    folders.sign(run)
