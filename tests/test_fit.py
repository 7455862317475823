"""A training from end to end: what it leaves, how it is stopped and gone on with, and that it can be made again."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import recurra
from recurra import job
from recurra.configuration import load_configuration
from recurra.errors import DataError, DivergedError, RunError, UsageError
from recurra.files import beside
from recurra.run import Run
from recurra.tasks.lm import LanguageModel
from recurra.training.checkpoint import read_checkpoint
from recurra.training.log import MetricsLog
from recurra.training.loop import Loop
from recurra.training.plan import Plan, make_plan
from recurra.training.progress import Progress
from recurra.training.step import Trainer

TEXT = "".join(f"{i} 白日依山盡，黃河入海流。 the rain in spain {i * i % 101}\n" for i in range(40))
SETTINGS: dict[str, Any] = {
    "hidden": 8, "layers": 1, "epochs": 2.0, "window": 16, "batch": 4, "threads": 1, "dropout": 0.2, "average": 0.9,
    "precision": "float32", "validations": 3, "valid_share": 0.1, "test_share": 0.1, "quiet": True,
}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return recurra.train("lm", data, tmp_path_factory.mktemp("whole") / "run", **SETTINGS)


def weights(run: Run | Path) -> bytes:
    return ((run if isinstance(run, Path) else run.path) / "model.safetensors").read_bytes()


def at_step(monkeypatch: pytest.MonkeyPatch, step: int, then: Any) -> None:
    """Do something when a training shows the entry of a step."""
    event = Progress.event

    def watch(self: Progress, said: dict[str, Any]) -> None:
        event(self, said)
        if said.get("event") == "train" and said["step"] >= step:
            then()

    monkeypatch.setattr(Progress, "event", watch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_is_stopped_can_be_used_and_gone_on_with(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    with monkeypatch.context() as patch:
        at_step(patch, 12, lambda: os.kill(os.getpid(), number))
        stopped = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    (end,) = stopped.events("end")
    assert end["reason"] == "interrupted"
    assert end["step"] < whole.events("end")[0]["step"]
    assert stopped.evaluation is None
    assert len(stopped.generate("the", length=5, seed=1)) >= 8
    assert recurra.load(tmp_path / "run").info()["ended"] == "interrupted"
    resumed = recurra.resume(tmp_path / "run", quiet=True)
    assert weights(resumed) == weights(whole)
    assert resumed.evaluation == whole.evaluation
    assert [event["reason"] for event in resumed.events("end")] == ["finished"]


def test_a_second_ctrl_c_leaves_what_can_be_gone_on_with(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def twice() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        at_step(patch, 12, twice)
        with pytest.raises(KeyboardInterrupt):
            recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "quiet": False})
    assert f"go on with: recurra train --resume {tmp_path / 'run'}" in capsys.readouterr().err
    with pytest.raises(RunError, match="its training has not ended"):
        recurra.load(tmp_path / "run")
    assert weights(recurra.resume(tmp_path / "run", quiet=True)) == weights(whole)


def test_its_configuration_makes_the_same_model_again(data: Path, whole: Run, tmp_path: Path) -> None:
    again = recurra.train("lm", data, tmp_path / "again", config=whole.path / "config.toml", quiet=True)
    assert weights(again) == weights(whole)
    assert (again.path / "config.toml").read_bytes() == (whole.path / "config.toml").read_bytes()
    without = recurra.train("lm", out=tmp_path / "without", config=whole.path / "config.toml", quiet=True)
    assert weights(without) == weights(whole)


def test_what_was_left_open_is_written_down_and_made_again(data: Path, tmp_path: Path) -> None:
    """Precision, epochs and size that were measured here are settings there; only then is it the same training."""
    open_ = {name: value for name, value in SETTINGS.items() if name not in ("precision", "epochs", "batch", "dropout")}
    first = recurra.train("lm", data, tmp_path / "first", **open_, within="3s")
    chosen = first.configuration
    assert chosen.training.within is None
    assert chosen.training.precision in ("float32", "bfloat16")
    assert chosen.training.epochs is not None and chosen.training.batch is not None
    if first.events("plan"):
        return  # this machine turned slower on the way, so that fewer steps were made than were planned
    again = recurra.train("lm", data, tmp_path / "again", config=first.path / "config.toml", quiet=True)
    assert weights(again) == weights(first)


@pytest.fixture
def slower(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a training with a limit of time find at step 10 that only half of its steps fit into it."""

    def with_a_limit(*arguments: Any) -> Plan:
        return replace(make_plan(*arguments), seconds=3600.0)

    def fit_to_time(loop: Loop) -> None:
        if loop.position.step == 10:
            loop.plan.epochs, loop.plan.steps = loop.plan.epochs / 2, loop.plan.steps // 2
            loop.emit({"event": "plan", "step": 10, "steps": loop.plan.steps})

    monkeypatch.setattr(job, "make_plan", with_a_limit)
    monkeypatch.setattr(Loop, "_fit_to_time", fit_to_time)


@pytest.mark.usefixtures("slower")
def test_the_epochs_that_were_planned_last_are_written_down(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert run.configuration.training.epochs == 1
    assert run.events("plan")[0]["steps"] == run.events("end")[0]["step"] == run.events("start")[0]["steps"] // 2
    with monkeypatch.context() as patch:
        patch.setattr(job, "write_report", lambda _: os.kill(os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            recurra.train("lm", data, tmp_path / "killed", **SETTINGS)
    assert load_configuration(tmp_path / "killed" / "config.toml").training.epochs == 1
    again = recurra.resume(tmp_path / "killed", quiet=True)
    assert weights(again) == weights(run)
    assert (again.path / "config.toml").read_bytes() == (run.path / "config.toml").read_bytes()


@pytest.mark.usefixtures("slower")
def test_what_else_was_changed_in_a_training_with_a_limit_is_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stop(data, tmp_path / "run", monkeypatch) / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("epochs = 2.0", "epochs = 1.0").replace("clip = 1.0", "clip = 2.0"), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.toml: is damaged or was changed"):
        recurra.resume(path.parent, quiet=True)


@pytest.mark.usefixtures("slower")
def test_a_plan_that_changed_is_shown_after_a_resumption(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(Progress, "event", lambda _, event: shown.append(event))
    recurra.resume(folder, quiet=True)
    assert [event["event"] for event in shown[:2]] == ["start", "plan"]
    assert [event["event"] for event in shown].count("plan") == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_its_first_checkpoint_a_training_keeps_its_limit_of_time(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A kill leaves the folder as it is just then: so a copy of it, made just then, is what a kill leaves."""
    save, killed = Loop.save, tmp_path / "killed"

    def copy_and_save(loop: Loop) -> None:
        if moment == "after":
            save(loop)
        if not killed.exists():
            shutil.copytree(tmp_path / "run", killed)
        if moment == "before":
            save(loop)

    settings = {**SETTINGS, "epochs": None, "within": "3s"}
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "save", copy_and_save)
        whole = recurra.train("lm", data, tmp_path / "run", **settings)
    assert (killed / "checkpoint").is_dir() == (moment == "after")
    left = load_configuration(killed / "config.toml").training
    assert (left.within, left.epochs, left.precision) == ("3s", None, "float32")
    run = recurra.resume(killed, quiet=True)
    plan = read_checkpoint(killed / "checkpoint").facts["plan"]  # type: ignore[union-attr]
    assert 0 < plan["seconds"] < 3
    assert run.configuration.training.within is None
    assert run.configuration.training.epochs == plan["epochs"]
    assert run.events("end")[0]["reason"] == "finished"
    assert run.configuration.task == whole.configuration.task and run.evaluation is not None


def test_a_limit_that_was_changed_after_a_kill_is_damage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, killed = Loop.save, tmp_path / "killed"

    def save_and_copy(loop: Loop) -> None:
        save(loop)
        if not killed.exists():
            shutil.copytree(tmp_path / "run", killed)

    with monkeypatch.context() as patch:
        patch.setattr(Loop, "save", save_and_copy)
        recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "epochs": None, "within": "3s"})
    path = killed / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("clip = 1.0", "clip = 2.0"), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.toml: is damaged or was changed"):
        recurra.resume(killed, quiet=True)


def test_within_is_kept_and_said_beforehand(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    settings = {**SETTINGS, "quiet": False, "epochs": None, "within": "6s", "hidden": 16}
    run = recurra.train("lm", data, tmp_path / "run", **settings)
    assert time.monotonic() - began < 60  # not a measure of speed: without the limit it would go on for many minutes
    said = capsys.readouterr().err
    assert run.events("start")[0]["plan"] in said
    assert "about" in run.events("start")[0]["plan"]
    assert run.events("end")[0]["reason"] == "finished"


def test_the_model_is_the_best_by_validation_and_averaged(data: Path, tmp_path: Path, whole: Run) -> None:
    best = [event for event in whole.events("valid") if event["best"]][-1]
    assert whole.task.prepare(whole.path).counts["valid_units"] > 0
    figures = whole.task.validate(whole.network)
    assert figures is not None
    assert figures["nll"] == pytest.approx(best["nll"], abs=1e-9)
    (checkpoint,) = (whole.path / "checkpoint").iterdir()
    tensors = load_file(checkpoint)
    last = {name.removeprefix("model/"): t for name, t in tensors.items() if name.startswith("model/")}
    kept = load_file(whole.path / "model.safetensors")
    assert kept.keys() == last.keys()
    assert best["step"] == whole.events("end")[0]["step"]  # so that the checkpoint has the average that was best
    for index, (name, _) in enumerate(whole.network.named_parameters()):
        assert torch.equal(kept[name], tensors[f"average/{index}"])
        assert not torch.equal(kept[name], last[name])


def test_files_are_remembered_wherever_the_run_is_used_from(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.txt").write_text(TEXT[: 400 if name != "train" else None], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    run = recurra.train("lm", "train.txt", "run", valid="valid.txt", test=[Path("test.txt")], **SETTINGS)
    evaluation = run.evaluation
    monkeypatch.chdir("/")
    assert recurra.load(tmp_path / "run").evaluate() == evaluation
    assert run.configuration.settings.data.valid == [str(tmp_path / "valid.txt")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("pattern", ["*.txt", "t[ex]*.txt", "~/[t]ext.txt", "text.txt", "a[1].txt"])
def test_globs_are_found_in_a_folder_with_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pattern: str
) -> None:
    folder = tmp_path / "d[1]*"
    folder.mkdir()
    (folder / ("a[1].txt" if pattern.startswith("a") else "text.txt")).write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    evaluation = recurra.train("lm", pattern, "run", **{**SETTINGS, "epochs": 0.2}).evaluation
    monkeypatch.chdir("/")
    assert recurra.load(folder / "run").evaluate() == evaluation


def test_runs_without_a_name_are_numbered(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    short = {**SETTINGS, "epochs": 0.2}
    assert [recurra.train("lm", data, **short).path for _ in range(2)] == [Path("runs/lm-1"), Path("runs/lm-2")]


def test_two_trainings_that_begin_at_once_take_two_folders(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare = LanguageModel.prepare

    def prepare_while_another_begins(self: LanguageModel, saved: Path | None = None) -> Any:
        Path("runs/lm-1").mkdir(parents=True, exist_ok=True)
        return prepare(self, saved)

    monkeypatch.setattr(LanguageModel, "prepare", prepare_while_another_begins)
    assert recurra.train("lm", data, **{**SETTINGS, "epochs": 0.2}).path == Path("runs/lm-2")


def while_it_reads(monkeypatch: pytest.MonkeyPatch, then: Any) -> None:
    """Do something when a training reads its data, once."""
    prepare, calls = LanguageModel.prepare, iter(range(99))

    def prepare_while_another_begins(self: LanguageModel, saved: Path | None = None) -> Any:
        if next(calls) == 0:
            then()
        return prepare(self, saved)

    monkeypatch.setattr(LanguageModel, "prepare", prepare_while_another_begins)


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_training_that_began_first_keeps_the_folder(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = tmp_path / "run", {}
    part = beside(folder / "model.safetensors")
    logs = []

    def begin() -> None:
        folder.mkdir()
        logs.append(MetricsLog(folder / "metrics.jsonl"))
        (folder / "config.toml").write_text("its own")
        part.write_text("being written")
        before.update(everything(folder))

    while_it_reads(monkeypatch, begin)
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


def stop(data: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave a training that was stopped in the middle, without a manifest, as a kill would."""
    with monkeypatch.context() as patch:
        at_step(patch, 12, lambda: os.kill(os.getpid(), signal.SIGTERM))
        recurra.train("lm", data, folder, **SETTINGS)
    (folder / "manifest.json").unlink()
    return folder


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
    said = "a training is resumed with the settings it began with, in"
    for arguments, message in (
        ({"hidden": 3}, f"hidden: {said} .* 8; got 3$"),
        ({"model.hidden": "3"}, f"hidden: {said}"),
        ({"data": tmp_path / "other.txt"}, f"data: {said} .*text.txt.*other.txt"),
        ({"valid": "none.txt"}, f"valid: {said}"),
        ({"config": tmp_path / "other.toml"}, f"cell: {said} .* 'lstm'; got 'gru'"),
        ({"within": "5m"}, "within: a training is resumed with the time that it was given"),
        ({"hiden": 8}, "hiden: no such setting of lm; did you mean hidden"),
        ({"task": "juggle"}, "task: .* is of 'lm', got 'juggle'"),
    ):
        with pytest.raises(UsageError, match=message):
            recurra.resume(folder, quiet=True, **arguments)
    same = {**SETTINGS, "hidden": "8", "precision": "auto", "unit": "char", "batch": None}
    assert weights(recurra.resume(folder, data, task="lm", config=whole.path / "config.toml", **same)) == weights(whole)


def test_an_unfinished_run_says_how_to_finish_it(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stop(data, tmp_path / "run", monkeypatch)
    with pytest.raises(RunError, match=f"go on with `recurra train --resume {folder}`"):
        recurra.load(folder)
    with pytest.raises(UsageError, match=f"or go on with it: recurra train --resume {folder}"):
        recurra.train("lm", data, folder, **SETTINGS)


WILD: dict[str, Any] = {
    **SETTINGS, "cell": "rnn-relu", "layer_norm": False, "optimizer": "sgd", "lr": 1e30, "clip": 1e30, "warmup": 0,
}  # fmt: skip


def test_a_training_that_diverges_leaves_its_last_good_weights(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(DivergedError, match=r"training stopped at step \d+ \(epoch 1, batch \d+\): ") as caught:
        recurra.train("lm", data, folder, **WILD)
    assert str(caught.value).endswith(f"{folder} is a run with the weights of step 0")
    (checkpoint,) = (folder / "checkpoint").iterdir()
    assert all(t.isfinite().all() for t in load_file(checkpoint).values() if t.is_floating_point())
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    assert "NaN" not in text and "Infinity" not in text
    run = recurra.load(folder)
    assert run.info()["ended"] == "diverged"
    assert all(p.isfinite().all() for p in run.network.parameters())
    assert run.evaluation is not None and run.evaluation["metrics"]["nll"] < 10
    assert len(run.generate("the", length=5, seed=1)) >= 8
    with pytest.raises(UsageError, match="has diverged, and would again; train anew with a lower lr"):
        recurra.resume(folder, quiet=True)


def ruin(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the loss infinite from a step on."""
    trained = Trainer.step

    def train_step(self: Trainer, batch: Any, lr: float) -> tuple[float, int, float]:
        if self.done >= step:
            with torch.no_grad():
                self.parameters[0].fill_(float("nan"))
        return trained(self, batch, lr)

    monkeypatch.setattr(Trainer, "step", train_step)


def test_a_training_that_diverges_late_leaves_the_best_it_had(
    data: Path, whole: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = next(event for event in whole.events("valid"))
    ruin(monkeypatch, best["step"] + 1)
    with pytest.raises(DivergedError, match=f"a run with the weights of step {best['step']}$"):
        recurra.train("lm", data, tmp_path / "run", **{**SETTINGS, "average": 0, "checkpoint_seconds": 3600})
    run = recurra.load(tmp_path / "run")
    (end,) = run.events("end")
    assert (end["best_step"], end["step"]) == (best["step"], best["step"] + 1)
    figures = run.task.validate(run.network)
    assert figures is not None
    assert figures["nll"] == pytest.approx(run.events("valid")[0]["nll"], abs=1e-9)
    assert run.evaluation is not None


def test_a_model_that_cannot_be_measured_is_a_run_all_the_same(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise DivergedError("expected finite log-probabilities")

    monkeypatch.setattr(LanguageModel, "evaluate", fail)
    run = recurra.train("lm", data, tmp_path / "run", **SETTINGS)
    assert run.evaluation is None
    assert run.info()["ended"] == "finished"


def test_a_failure_before_the_first_checkpoint_leaves_nothing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        recurra.train("lm", data, tmp_path / "a" / "b" / "run", **SETTINGS)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="No space left on device"):
        recurra.train("lm", data, tmp_path / "empty", **SETTINGS)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]
