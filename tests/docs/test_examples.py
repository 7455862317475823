"""The examples of the documentation run, and every form of data that it shows is read."""

import dataclasses
import doctest
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.docs.conftest import CHINESE, README, ROOT, blocks, commands_of, parsed, python_of

import recurra
from recurra.data.timeseries.reader import Panel, TimeSeriesOptions, read_time_series
from recurra.series import skeletons
from recurra.tasks import get_task

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the documentation is not installed with the package")


def files(page: Path) -> dict[str, str]:
    """Give the files that a page shows: fenced blocks that have a name."""
    return dict(re.findall(r"(?ms)^```text (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8")))


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to train in, with one thread: tiny trainings wait for each other with more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(skeletons, "_FORMATS", dict(skeletons._FORMATS))  # a page registers one
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "page",
    [page for page in [README, CHINESE, *(ROOT / "docs").glob("*.md")] if blocks(page, "python")],
    ids=lambda page: page.name,
)
def test_the_examples_run(page: Path, in_a_folder: Path) -> None:
    source = python_of(page)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    assert test.examples
    reported: list[str] = []
    doctest.DocTestRunner(optionflags=options).run(test, out=reported.append)
    assert not reported, "".join(reported)


def test_every_form_of_data_is_read(in_a_folder: Path) -> None:
    page = ROOT / "docs/data.md"
    for name, text in files(page).items():
        (in_a_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (in_a_folder / name).write_text(text, encoding="utf-8")
    exec("\n".join(example.source for example in doctest.DocTestParser().get_examples(python_of(page))), {})
    trainings = [words for block in blocks(page, "sh") for words in commands_of(block) if words[0] == "train"]
    assert len(trainings) > 20
    for words in trainings:
        (_, task), configuration = parsed(words, valid_share=0, test_share=0)
        assert configuration is not None
        if task in ("forecast", "detect"):
            panel = timed(configuration.settings.data)
            assert (len(panel), sum(map(len, panel.series))) == PANELS[words[2]], words
            continue
        try:
            counts = get_task(task)(configuration.settings).prepare().counts
        except recurra.errors.RecurraError as error:
            pytest.fail(f"recurra {shlex.join(words)}: {error}")
        assert counts["train_examples"] == EXAMPLES.get(words[2], counts["train_examples"]), words
        assert counts["classes" if task == "classify" else "tags"] > 1, words


def timed(data: Any) -> Panel:
    """Read series in time as a task with these settings does."""
    names = {field.name for field in dataclasses.fields(TimeSeriesOptions)}
    held = {name: value for name, value in data if name in names}
    return read_time_series(
        data.data, TimeSeriesOptions(**{k: tuple(v) if isinstance(v, list) else v for k, v in held.items()})
    )


PANELS = {  # series, and steps of all of them
    "pumps.csv": (2, 7),
    "air.csv": (1, 5),
    "hourly.csv": (2, 7),
    "visits.csv": (2, 8),
    "rates.txt": (1, 10),
    "beats.npy": (30, 1200),
    "A-1.npy": (1, 300),
    "walks.npz": (2, 80),
}
EXAMPLES = {
    "reviews.csv": 4,
    "movies.pos": 4,
    "mail": 3,
    "activity": 2,
    "long.csv": 2,
    "ragged.npz": 3,
    "frames.csv": 2,
}
WORKED = """
import math
from pathlib import Path
import torch
torch.set_num_threads(1)
import cell, task
import recurra
from recurra.testing import check_cell, check_task

check_cell(cell.CoupledLSTM)
wave = "\\n".join(f"{10 + 3 * math.sin(t / 3) + math.cos(t / 2):.4f}" for t in range(120))

def configure(folder):
    (folder / "wave.txt").write_text(wave)
    return task.ValueConfig.model_validate({"data": {"data": [str(folder / "wave.txt")]}})

check_task(task.ValueTask, configure, lines=["10.5 11 12", "3"])
Path("wave.txt").write_text(wave)
recurra.train("value", "wave.txt", "run", epochs=100, lr=0.01, cell="coupled-lstm", quiet=True)
run = recurra.load("run")
result = run.evaluate()
assert result["metrics"]["mse"] < result["baselines"]["last value"]["mse"], result
assert 5 < run.predict([[10.0, 11.0, 12.0]])[0]["next"] < 15
"""


COMMAND = """
import cell, task
from recurra.cli import main

main()
"""


def test_the_worked_examples_keep_every_promise(tmp_path: Path) -> None:
    cell, task = blocks(ROOT / "CONTRIBUTING.md", "python")
    (tmp_path / "cell.py").write_text(cell, encoding="utf-8")
    (tmp_path / "task.py").write_text(task, encoding="utf-8")
    (tmp_path / "worked.py").write_text(WORKED, encoding="utf-8")
    (tmp_path / "command.py").write_text(COMMAND, encoding="utf-8")
    # Processes of their own: what is registered stays registered.
    run([sys.executable, "worked.py"], tmp_path)
    command = [sys.executable, "command.py"]
    flags = ["-o", "by-command", "--epochs", "2", "--hidden", "4", "-q"]
    run([*command, "train", "value", "wave.txt", *flags], tmp_path)
    assert run([*command, "predict", "by-command", "-t", "10.5 11 12", "--steps"], tmp_path).count("next") >= 1
    assert "last value" in run([*command, "evaluate", "by-command"], tmp_path)


def run(command: list[str], folder: Path) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout
