"""What the long campaign of `make fuzz` has found once, and is as it should be since."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch
import typer
from safetensors.torch import load_file, save_file
from tests.runs.strangers import GOLDEN, copied, sign

import recurra
from recurra import cli
from recurra.data.timeseries.anomaly_labels import read_label_column
from recurra.data.timeseries.grid import infer_frequency
from recurra.data.timeseries.reader import TimeSeriesOptions
from recurra.errors import DataError, RunError, UsageError
from recurra.runs.run import Run
from recurra.series import is_number
from recurra.tasks.base.options import GenerateOptions, read_options
from recurra.text import Faults, Source, sample_records
from recurra.verbs.base.options import naming_input

SMALL: dict[str, Any] = {"hidden": 4, "layers": 1, "epochs": 1, "threads": 1, "quiet": True}


@pytest.mark.parametrize(("task", "settings"), [("forecast", {"horizon": 2}), ("detect", {})])
def test_series_may_have_the_name_of_a_file_that_is_no_text(
    tmp_path: Path, task: str, settings: dict[str, Any]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    path = Path(os.fsdecode(os.fsencode(folder) + b"/\xff.csv"))
    path.write_text("v\n" + "".join(f"{np.sin(step):.3f}\n" for step in range(80)))
    run = recurra.train(task, folder, tmp_path / "run", **SMALL, **settings)
    assert Run.load(run.path).configuration.task == task
    with pytest.raises(UsageError, match=r"data: expected names in UTF-8, .*, got .*\\udcff\.csv"):
        recurra.train(task, path, tmp_path / "other", **SMALL, **settings)


def test_steps_whose_difference_no_float32_holds_are_refused(tmp_path: Path) -> None:
    series = np.tile(np.array([3e38, -3e38])[:, None], (12, 3, 1))
    series[:, :, 0] *= np.linspace(0.9, 1, 12)[:, None]
    np.savez(tmp_path / "s.npz", x=series)
    with pytest.raises(DataError, match=r"s\.npz.*: expected steps that differ by no more than 32 bits hold"):
        recurra.train("embed", tmp_path / "s.npz", tmp_path / "run", scale="none", **SMALL)


def test_a_pooling_that_there_is_not_is_damage(tmp_path: Path) -> None:
    run = copied(GOLDEN / "runs" / "detect", tmp_path / "run")
    path = run / "model.safetensors"
    tensors = load_file(path)
    tensors["pooling"] += 9
    save_file(tensors, path)
    sign(run)
    with pytest.raises(RunError, match=r"model\.safetensors: pooling: expected 0 to 2, got 9"):
        Run.load(run)


def test_vectors_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    run = Run.load(GOLDEN / "runs" / "embed")
    for parameter in run.network.parameters():
        parameter.data.fill_(1e38)
    with pytest.raises(DataError, match="no vector is of finite numbers"):
        run.evaluate([GOLDEN / "data" / "waves.ts"], baselines=False)


def test_a_tensor_of_several_numbers_is_no_option() -> None:
    with pytest.raises(UsageError, match="count: expected one value, got array"):
        read_options(GenerateOptions, {"count": np.zeros((2, 3))}, "lm")
    assert read_options(GenerateOptions, {"count": np.array(3)}, "lm").count == 3


def test_a_file_of_faults_is_looked_at_no_longer_than_a_file_of_records() -> None:
    source = Source("a.jsonl", "jsonl", b"no record\n" * 100_000, False)
    with pytest.raises(DataError, match="line"):
        sample_records(source)
    faults = Faults("skip", most=3)
    for _ in range(3):
        faults.handle(DataError("no record"))
    with pytest.raises(DataError):
        faults.handle(DataError("no record"))


def test_weights_that_give_no_numbers_are_those_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.load(GOLDEN / "runs" / "lm")
    run.network.embedding.weight.data.fill_(float("nan"))
    monkeypatch.setattr("recurra.verbs.generate.load_run", lambda *_: run)
    monkeypatch.setattr("sys.argv", ["recurra", "generate", "a-run", "-l", "3", "--greedy"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == RunError.exit_code
    assert "recurra: a-run: expected finite scores from the model" in capsys.readouterr().err


@pytest.mark.parametrize("returned", [3, True, "text"])
def test_what_a_verb_returns_is_no_exit_code(returned: object, monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer(result_callback=cli.app.info.result_callback)
    app.command("one")(lambda: returned)
    app.command("two")(lambda: None)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr("sys.argv", ["recurra", "one"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0


def test_paths_of_any_make_are_paths() -> None:
    folder = GOLDEN / "runs" / "classify_text"
    run = recurra.load(PurePosixPath(folder))
    data = GOLDEN / "data" / "reviews.csv"
    with os.scandir(folder.parent) as entries:
        assert all(recurra.load(entry).path for entry in entries if entry.name == "classify_text")
    assert run.predictor.read_file(data) == run.predictor.read_file(str(data))


def test_an_item_of_a_list_that_is_wrong_is_named() -> None:
    run = Run.load(GOLDEN / "runs" / "lm")
    with pytest.raises(UsageError, match=r"^texts\[2\]: expected a text, got 3$"):
        run.score(["the", "rain", 3])  # type: ignore[list-item]


@pytest.mark.timeout(20)
def test_a_cell_of_many_digits_is_looked_at_once() -> None:
    """Trying each place where a fraction could begin took minutes."""
    assert not is_number("1" * 300_000 + "x") and is_number("1" * 300_000 + ".5e-3")


def test_no_setting_has_half_a_surrogate_pair(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"name: expected a text in Unicode, as UTF-8 can write it, got '\\udcff'"):
        recurra.train("detect", "nosuch.csv", tmp_path / "run", name="\udcff")


def test_labels_in_a_column_that_arrays_do_not_have(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.sin(np.arange(60.0)).reshape(3, 10, 2))
    with pytest.raises(DataError, match=r"a\.npz: has no column 'fault', which says what is abnormal"):
        read_label_column([tmp_path / "a.npz"], TimeSeriesOptions(), "fault")


def test_static_columns_that_arrays_do_not_have(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.sin(np.arange(60.0)).reshape(3, 10, 2))
    with pytest.raises(UsageError, match=r"static: expected a table, got the series of an array: .*a\.npz"):
        recurra.train("detect", tmp_path / "a.npz", tmp_path / "run", static=["shop"], quiet=True)


def test_a_setting_is_no_array_of_an_unknown_form() -> None:
    run = Run.load(GOLDEN / "runs" / "lm")
    with pytest.raises(UsageError, match="length: expected one value"):
        run.beam_search("the", beam=2, length=type("T", (), {"shape": 3})())


def test_hidden_sizes_of_a_stack_are_numbers() -> None:
    with pytest.raises(UsageError, match="hidden_sizes: expected at least one layer, got none"):
        recurra.nn.Stack("lstm", 3, torch.zeros(0))  # type: ignore[arg-type]


def test_more_tags_than_memory_holds() -> None:
    with pytest.raises(UsageError, match="count: expected a whole number from 1 to 10,000, got a number of more"):
        recurra.nn.CRF(count=10**5000)
    with pytest.raises(UsageError, match="query_size: expected a whole number from 1 to 65,536"):
        recurra.nn.Attention("general", 2**31, 2)


def test_times_that_hardly_differ_have_a_spacing() -> None:
    found = infer_frequency(np.array([1e-320, 2e-320, 3e-320]))
    assert found is not None and found.difference > 0


def test_what_no_memory_holds_is_no_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise MemoryError

    run = Run.load(GOLDEN / "runs" / "lm")
    monkeypatch.setattr(type(run.predictor), "stream", fail)
    with pytest.raises(UsageError, match="memory: more is needed than there is"):
        run.stream()


def test_an_input_is_named_by_where_it_is_from() -> None:
    with pytest.raises(DataError, match=r"^--text: holds nothing$"), naming_input(["a"], "-"):
        raise DataError("holds nothing", source="input")
