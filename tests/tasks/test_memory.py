"""How much memory reading takes, in child processes with a limit, and what is refused because it would take more."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import recurra
from recurra.errors import DataError, UsageError, report_memory_errors
from recurra.tasks.classify.config import Data as ClassifierData
from recurra.tasks.classify.data import MAX_CLASSES, read_dataset
from recurra.tasks.classify.task import MAX_LINEAR_CLASSES
from recurra.tasks.sequence.data import MAX_STEPS
from recurra.text import Faults, Source, table_columns

MIB = 1 << 20
DATA_SIZE = 32 * MIB
LINE = b"the rain in spain falls mainly on the plain, and on some more words\n"
PARTS_HELD = 3
"""How often the data may be held, beside a constant of as much again for what a part of them needs."""

READ = """
import resource, sys
from recurra.tasks.lm.data import Data, read_dataset
unit, short, long, room = sys.argv[1:]
read_dataset(Data(data=[short], unit=unit))
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + int(room), -1))
dataset = read_dataset(Data(data=[long], unit=unit))
print(len(dataset.fingerprint), dataset.train.units)
"""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS and /proc")


@linux_only
@pytest.mark.parametrize("unit", ["char", "byte", "word"])
def test_a_text_packed_twice_is_held_three_times_at_most(tmp_path: Path, unit: str) -> None:
    short, long = tmp_path / "short.txt", tmp_path / "long.txt.gz.gz"
    short.write_bytes(LINE * 1000)
    long.write_bytes(gzip.compress(gzip.compress(LINE * (DATA_SIZE // len(LINE)), 1), 1))
    room = (PARTS_HELD + 1) * DATA_SIZE
    done = subprocess.run(
        [sys.executable, "-c", READ, unit, str(short), str(long), str(room)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert int(done.stdout.split()[1]) > DATA_SIZE // 10


@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_records_without_a_field_in_common_are_no_table(suffix: str) -> None:
    records = [{f"key {number}": number, "value": 1} for number in range(2000)]
    text = "\n".join(map(json.dumps, records)) if suffix == "jsonl" else json.dumps(records)
    source = Source(f"a.{suffix}", suffix, text.encode(), False)
    with pytest.raises(
        DataError, match=rf"^a\.{suffix}: expected records that have fields in common, got 2,001 different"
    ):
        table_columns(source, Faults("stop"))


def test_records_of_which_each_lacks_some_fields_are_a_table() -> None:
    records = [{f"key {number % 20}": number, "value": 1} for number in range(2000)]
    source = Source("a.jsonl", "jsonl", "\n".join(map(json.dumps, records)).encode(), False)
    columns, places, _ = table_columns(source, Faults("stop"))
    assert (len(columns), len(places)) == (21, 2000)


def _labelled(path: Path, classes: int, each: int = 2) -> Path:
    rows = [f"a text about thing {number},thing {number}" for _ in range(each) for number in range(classes)]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_too_many_classes_are_an_error(tmp_path: Path) -> None:
    path = _labelled(tmp_path / "a.csv", MAX_CLASSES + 1)
    with pytest.raises(DataError, match=r"a\.csv: expected at most 10,000 classes, got 10,001 in .* check --label"):
        read_dataset(ClassifierData(data=[str(path)], valid_share=0, test_share=0), None)


def test_many_classes_have_no_linear_classifier(tmp_path: Path) -> None:
    path = _labelled(tmp_path / "a.csv", MAX_LINEAR_CLASSES + 1)
    test = tmp_path / "test.csv"
    test.write_text("text,label\na text about thing 3,thing 3\na text about thing 4,thing 5\n", encoding="utf-8")
    run = recurra.train(
        "classify",
        path,
        tmp_path / "run",
        quiet=True,
        hidden=4,
        layers=1,
        epochs=0.01,
        threads=1,
        valid_share=0,
        test=[str(test)],
    )
    assert run.configuration.settings.model.linear == "none"  # type: ignore[attr-defined]
    assert "tfidf-logistic" not in run.evaluation["baselines"]
    assert "confusion" not in run.evaluation["details"]
    assert run.evaluation["details"]["mistakes"]


@pytest.mark.parametrize("task", ["embed", "tag"])
def test_a_sequence_that_is_too_long_to_train_on_is_an_error_with_its_place(tmp_path: Path, task: str) -> None:
    path = tmp_path / ("a.txt" if task == "embed" else "a.conll")
    if task == "embed":
        path.write_text("a short one\nanother short one\n" * 20 + "word " * (MAX_STEPS + 1) + "\n", encoding="utf-8")
    else:
        path.write_text("a X\nb Y\n\n" * 40 + "a X\n" * (MAX_STEPS + 1) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line \d+: expected at most 100,000 steps, .* got 100,001; cut it"):
        recurra.train(
            task, path, tmp_path / "run", quiet=True, hidden=4, layers=1, epochs=1, valid_share=0, test_share=0
        )


def test_memory_that_is_refused_is_an_error_of_one_line() -> None:
    import torch

    for allocate in (lambda: torch.empty(10**15), lambda: np.empty(10**16)):
        with (
            pytest.raises(UsageError, match=r"^memory: more is needed than there is \([^\n]+\); take[^\n]+$"),
            report_memory_errors(),
        ):
            allocate()
    with pytest.raises(RuntimeError, match="another"), report_memory_errors():
        raise RuntimeError("another")
