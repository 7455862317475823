"""What cases are made from: good files, and a good run of each task, which the program itself makes when they are first asked for."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from tools.fuzz import samples
from tools.fuzz.case import Case, Command, Folder, Program
from tools.fuzz.mutation.arrays import npz_bytes
from tools.fuzz.samples import TINY, Sample, Usage
from tools.fuzz.watch import Limits, run_case

RUNS = {
    "lm": "lm lines.txt --batch 4 --bptt 8",
    "lm-word": "lm lines.txt --unit word --batch 4 --bptt 8",
    "lm-bpe": "lm lines.txt --unit bpe --batch 4 --bptt 8",
    "classify-text": "classify table.csv --batch 8",
    "classify-char": "classify table.csv --unit char --batch 8 --no-bidirectional --linear none",
    "classify-series": "classify sound.npz --batch 8 --no-bidirectional",
    "tag-words": "tag sentences.conll --batch 8",
    "tag-series": "tag moving.npz --batch 8 --no-bidirectional",
    "forecast": "forecast sales.csv --series shop --known promotion --horizon 2",
    "detect": "detect machine.csv --window 8",
    "translate": "translate table.csv --source text --target label --batch 8",
    "pixels": "pixels train-images-idx3-ubyte --batch 8",
    "strokes": "strokes inks.jsonl --condition text --batch 8",
    "grammar": "grammar lines.txt --batch 8",
    "music": "music tune.mid waltz.mid --batch 4 --test-share 0",
    "caption": "caption boxes.zip --side 32 --channels 2 --batch 4",
    "transcribe": "transcribe inks.jsonl --batch 8",
    "embed": "embed sound.npz --batch 8",
    "embed-texts": "embed lines.txt --batch 8",
}
"""A good run for each kind of file that a run folder may have: what follows `recurra train`."""
PATIENT = Limits(seconds_without_progress=300)


@dataclass
class Stock:
    """A folder with good files and good runs."""

    folder: Path

    @cached_property
    def files(self) -> Path:
        """The folder with the good files."""
        place = Folder(self.folder / "files")
        if not place.work.is_dir():
            place.work.mkdir(parents=True)
            for name, text in {**samples.documented_files(), **samples.text_files()}.items():
                (place.work / name).parent.mkdir(parents=True, exist_ok=True)
                (place.work / name).write_text(text, encoding="utf-8")
            for name, data in samples.binary_files().items():
                (place.work / name).write_bytes(data)
            self._make(Program(samples.documented_programs()), place, "the files of docs/data.md")
            for path in place.work.glob("*.npz"):  # numpy writes the time of day into them
                with np.load(path) as file:
                    path.write_bytes(npz_bytes(**file))
        return place.work

    @cached_property
    def samples(self) -> list[Sample]:
        return samples.samples(self.files)

    @cached_property
    def usages(self) -> list[tuple[Usage, str]]:
        return samples.usages(self.files)

    @property
    def good(self) -> int:
        """How many good trainings and questions there are."""
        return len(self.samples) + len(self.usages)

    def run(self, name: str) -> Path:
        """Give the folder of a good run, which is trained when it is first asked for."""
        place = Folder(self.folder / "runs" / name)
        path = place.work / "run"
        if not path.is_dir():
            place.work.mkdir(parents=True)
            words = RUNS[name].split()
            for word in words:
                if (self.files / word).is_file():
                    shutil.copy(self.files / word, place.work)
            self._make(
                Command(("train", *words, *TINY, "--precision", "float32", "-o", "run", "-q")),
                place,
                f"the good run {name}",
            )
        return path

    def make_all(self) -> None:
        """Make every file and every run, for processes that are to share them."""
        for name in RUNS:
            self.run(name)

    def _make(self, action: Command | Program, place: Folder, what: str) -> None:
        ended = run_case(Case("stock", 0, action), place, PATIENT)
        if ended.code != 0:
            raise RuntimeError(f"{what} could not be made (exit {ended.code}): {action}\n{ended.stderr[-3000:]}")
