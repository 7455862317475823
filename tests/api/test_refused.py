"""What is not gone on with, and whose folder it is: damage, other data, other settings, another training."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.api.conftest import SETTINGS, TEXT, at_step, stop, weights

import recurra
from recurra.errors import DataError, RunError, UsageError
from recurra.files import temporary_path
from recurra.runs.run import Run
from recurra.tasks.lm import LanguageModelingTask
from recurra.training.log import MetricsLog
from recurra.training.loop import Trainer


def while_it_reads(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    """Do something when a training reads its data, once."""
    prepare, calls = LanguageModelingTask.prepare, iter(range(99))

    def prepare_while_another_begins(self: LanguageModelingTask, saved: Path | None = None) -> Any:
        if next(calls) == 0:
            then()
        return prepare(self, saved)

    monkeypatch.setattr(LanguageModelingTask, "prepare", prepare_while_another_begins)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.usefixtures("slower")
def test_what_else_was_changed_in_a_training_with_a_limit_is_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stop(data, tmp_path / "run", monkeypatch) / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("epochs = 2.0", "epochs = 1.0").replace("clip = 1.0", "clip = 2.0"), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.toml: is damaged or was changed"):
        recurra.resume(path.parent, quiet=True)


def test_a_limit_that_was_changed_after_a_kill_is_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, killed = Trainer.save, tmp_path / "killed"

    def save_and_copy(loop: Trainer) -> None:
        save(loop)
        if not killed.exists():
            shutil.copytree(tmp_path / "run", killed)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "save", save_and_copy)
        recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "epochs": None, "within": "3s"})
    path = killed / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("clip = 1.0", "clip = 2.0"), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.toml: is damaged or was changed"):
        recurra.resume(killed, quiet=True)


def test_a_training_that_began_first_keeps_the_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = tmp_path / "run", {}
    part = temporary_path(folder / "model.safetensors")
    logs = []

    def start_elsewhere() -> None:
        folder.mkdir()
        logs.append(MetricsLog(folder / "metrics.jsonl"))
        (folder / "config.toml").write_text("its own")
        part.write_text("being written")
        before.update(everything(folder))

    while_it_reads(monkeypatch, start_elsewhere)
    with pytest.raises(RunError, match="another process is training there"):
        recurra.train("lm", data, folder, **SETTINGS)
    logs[0].close()
    assert everything(folder) == before


def test_a_training_that_was_faster_keeps_its_run(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    while_it_reads(monkeypatch, lambda: recurra.train("lm", data, folder, **SETTINGS))
    with pytest.raises(UsageError, match=r"expected a new folder, but .* is there already"):
        recurra.train("lm", data, folder, **{**SETTINGS, "unit": "word"})
    assert weights(recurra.load(folder)) == weights(whole)


def test_a_file_that_was_changed_while_training_is_found(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_step(monkeypatch, 12, lambda: (tmp_path / "run" / "vocabulary.json").write_text("{}"))
    with pytest.raises(RunError, match=r"vocabulary\.json: is damaged or was changed"):
        recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert not (tmp_path / "run" / "manifest.json").exists()


def test_a_training_that_runs_elsewhere_is_not_gone_on_with(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop(data, tmp_path / "run", monkeypatch)
    log = MetricsLog(tmp_path / "run" / "metrics.jsonl")
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    with pytest.raises(RunError, match="another process is training there"):
        recurra.resume(tmp_path / "run", quiet=True)
    log.close()
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["config.toml", "vocabulary.json", "metrics.jsonl", "checkpoint"])
def test_damage_is_found_before_a_training_goes_on(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    (path,) = (folder / "checkpoint").iterdir() if name == "checkpoint" else [folder / name]
    content = path.read_bytes()
    for place in (0, len(content) // 5, len(content) // 2 if name != "metrics.jsonl" else len(content) // 4):
        damaged = bytearray(content)
        damaged[place] ^= 1
        for wrong in (bytes(damaged), content[:place]):
            path.write_bytes(wrong)
            with pytest.raises(RunError, match=path.name.replace(".", r"\.")):
                recurra.resume(folder, quiet=True)
    path.unlink()
    with pytest.raises(RunError, match=name.replace(".", r"\.")):
        recurra.resume(folder, quiet=True)
    path.write_bytes(content)
    assert recurra.resume(folder, quiet=True).events("end")[0]["reason"] == "finished"


def test_other_data_are_not_gone_on_with(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.txt"
    own.write_text(TEXT, encoding="utf-8")
    folder = stop(own, tmp_path / "run", monkeypatch)
    own.write_text(TEXT.replace("rain", "snow", 1), encoding="utf-8")
    with pytest.raises(RunError, match="made from other data than is there now"):
        recurra.resume(folder, quiet=True)
    own.unlink()
    with pytest.raises(DataError, match=r"own\.txt"):
        recurra.resume(folder, quiet=True)


def test_what_there_is_nothing_to_go_on_with_says_so(whole: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="its training has ended; there is nothing to resume"):
        recurra.resume(whole.path, quiet=True)
    with pytest.raises(RunError, match="there is no such folder"):
        recurra.resume(tmp_path / "none")
    with pytest.raises(RunError, match=r"it has no config\.toml"):
        recurra.resume(tmp_path)


def test_what_a_training_began_with_is_not_changed_on_the_way(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    (tmp_path / "other.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "other.toml").write_text("[model]\ncell = 'gru'\n")
    expected = "a training is resumed with the settings it began with, in"
    for arguments, message in (
        ({"hidden": 3}, f"hidden: {expected} .* 8; got 3$"),
        ({"model.hidden": "3"}, f"hidden: {expected}"),
        ({"data": tmp_path / "other.txt"}, f"data: {expected} .*text.txt.*; got .*/"),  # long paths are cut short
        ({"valid": "none.txt"}, f"valid: {expected}"),
        ({"config": tmp_path / "other.toml"}, f"cell: {expected} .* 'lstm'; got 'gru'"),
        ({"within": "5m"}, "within: a training is resumed with the time that it was given"),
        ({"hiden": 8}, "hiden: no such setting of lm; did you mean hidden"),
        ({"task": "juggle"}, "task: .* is of 'lm', got 'juggle'"),
    ):
        with pytest.raises(UsageError, match=message):
            recurra.resume(folder, quiet=True, **arguments)
    same = {**SETTINGS, "hidden": "8", "precision": "auto", "unit": "char", "batch": None}
    assert weights(recurra.resume(folder, data, task="lm", config=whole.path / "config.toml", **same)) == weights(whole)


def test_the_folder_of_a_user_that_is_not_there_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"~nobody-has-this-name/x\.txt: does not exist"):
        recurra.train("lm", "~nobody-has-this-name/x.txt", tmp_path / "run", quiet=True)
