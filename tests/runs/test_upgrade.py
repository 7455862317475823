"""What was written before settings had their present names goes on to work: run folders, files and command lines."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any, ClassVar

import pytest
import tomli_w
from pydantic import Field
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

import recurra
from recurra import api
from recurra.cli import app
from recurra.errors import RunError, UsageError
from recurra.runs.config import configure, fields, load_configuration, read_settings, renamed, sections
from recurra.runs.upgrade import upgrade
from recurra.tasks import task_names
from recurra.tasks.base.settings import Renamed, Settings

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


class Model(Settings):
    """A section some of whose settings have had other names."""

    renamed: ClassVar = {"form": Renamed("strategy", {"autoregressive": "recursive"}), "paths": Renamed("samples")}

    strategy: str = Field(default="direct", description="How.")
    samples: int = Field(default=10, description="How many.")


def test_names_and_values_of_before_become_those_of_today() -> None:
    old = {"model": {"form": "autoregressive", "paths": 5}, "training": {"seed": 1}}
    today = {"model": {"strategy": "recursive", "samples": 5}, "training": {"seed": 1}}
    assert upgrade({"model": Model}, old) == today
    assert upgrade({"model": Model}, today) == today
    assert old == {"model": {"form": "autoregressive", "paths": 5}, "training": {"seed": 1}}


def test_what_is_unknown_stays_to_be_refused() -> None:
    odd = {"model": 3, "elsewhere": {"form": "autoregressive"}, "training": {"form": 1}}
    assert upgrade({"model": Model}, odd) == odd


@pytest.mark.parametrize("task", task_names())
def test_a_name_of_before_is_no_name_of_today_in_its_section(task: str) -> None:
    old = [name for kind in sections(task).values() for name in kind.renamed]
    assert len(old) == len(set(old))
    for kind in sections(task).values():
        assert not kind.renamed.keys() & kind.model_fields.keys()
        assert {new.name for new in kind.renamed.values()} <= kind.model_fields.keys()


def a_value(new: Renamed, field: FieldInfo) -> Any:
    """Give a value that a setting took under its name of before, and that is not its default."""
    if new.values:
        return next(old for old, today in new.values.items() if today != field.default)
    choices: dict[str, list[Any]] = {"bool": [not field.default], "int": [3, 4], "float": [0.25, 0.5], "list[float]": [[0.2, 0.5, 0.8]], "list[str]": [["x"]]}  # fmt: skip
    kind = getattr(field.annotation, "__name__", str(field.annotation))
    plain = next((key for key in choices if key == kind or str(field.annotation).startswith((key, f"{key} |"))), None)
    if plain is not None:
        return next(value for value in choices[plain] if value != field.default)
    words = [
        word for word in getattr(field.annotation, "__args__", ()) if isinstance(word, str) and word != field.default
    ]
    return words[0] if words else "x"


ALIASES = [(task, old) for task in task_names() for old in renamed(task)]
BESIDES: dict[tuple[str, str], dict[str, Any]] = {("embed", "method"): {"bidirectional": False}}
"""What else a value of before asks for."""


@pytest.mark.parametrize(("task", "old"), ALIASES)
def test_a_run_of_before_is_loaded(task: str, old: str, tmp_path: Path) -> None:
    section, new = renamed(task)[old]
    value = a_value(new, fields(task)[new.name][1])
    others = BESIDES.get((task, old), {})
    expected = configure(task, {"seed": 7, new.name: new.value(value), **others})
    document = tomllib.loads(configure(task, {"seed": 7, **others}).to_toml())
    assert document.pop("format") == 2
    document[section].pop(new.name, None)
    document[section][old] = value
    path = tmp_path / "config.toml"
    path.write_text(tomli_w.dumps(document), encoding="utf-8")
    before = path.read_bytes()
    loaded = load_configuration(path)
    assert loaded.format == 1
    assert (loaded.settings, loaded.training) == (expected.settings, expected.training)
    assert path.read_bytes() == before
    assert configure(task, read_settings(path, task)) == expected  # as a file that a user names


class Called(Exception):
    """The training would begin now."""


@pytest.mark.parametrize(("task", "old"), ALIASES)
def test_a_name_of_before_is_a_flag_that_no_help_lists(task: str, old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    section, new = renamed(task)[old]
    known = fields(task)
    if old in known:
        pytest.skip("it is the name of another setting today")
    given: dict[str, Any] = {}

    def train(*_: Any, **settings: Any) -> None:
        given.update(settings)
        raise Called

    monkeypatch.setattr(api, "train", train)
    flag, value = f"--{old.replace('_', '-')}", a_value(new, known[new.name][1])
    assert f" {flag} " not in CliRunner().invoke(app, ["train", task, "--help"], env={"COLUMNS": "200"}).output
    words = [word for one in (value if isinstance(value, list) else [value]) for word in (flag, str(one))]
    if known[new.name][1].annotation is bool and not new.values:
        words = [flag if value else f"--no-{flag[2:]}"]
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    for arguments in (words, ["--set", f"{old}={text}"], ["--set", f"{section}.{old}={text}"]):
        given.clear()
        result = CliRunner().invoke(app, ["train", task, "data.txt", *arguments, "--seed", "3"])
        assert isinstance(result.exception, Called), result.output
        settings = {name: value for name, value in given.items() if name not in ("config", "quiet")}
        made = configure(task, {**settings, **BESIDES.get((task, old), {})})
        part = made.training if section == "training" else getattr(made.settings, section)
        assert (getattr(part, new.name), made.training.seed) == (new.value(value), 3)


def test_old_names_reach_a_training(tmp_path: Path) -> None:
    rows = [f"{'good' if n % 2 else 'bad'} film {n},{'pos' if n % 2 else 'neg'}" for n in range(40)]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]))
    flags = ["--hidden", "4", "--epochs", "1", "-q", "-o", str(tmp_path / "run")]
    old = ["--average", "0.5", "--smoothing", "0.1", "--set", "training.average=0.25"]
    result = CliRunner().invoke(app, ["train", "classify", str(tmp_path / "reviews.csv"), *flags, *old])
    assert result.exit_code == 0, result.output
    written = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert (written["format"], written["training"]["ema"], written["model"]["label_smoothing"]) == (2, 0.25, 0.1)
    assert "average" not in written["training"] and "smoothing" not in written["model"]


def test_an_old_and_a_new_name_of_one_setting_are_refused_together() -> None:
    for layer in ({"window": 16, "bptt": 32}, {"bptt": 32, "data.window": 16}):
        with pytest.raises(UsageError, match="expected one of the two, which are the same setting; got both"):
            configure("lm", layer)
    assert configure("lm", {"window": 16, "bptt": None}).settings.data.bptt == 16
    assert configure("lm", {"window": 16}, {"bptt": 32}).settings.data.bptt == 32


def test_a_file_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(configure("classify").to_toml().replace("format = 2", "format = 3"))
    with pytest.raises(RunError, match=r"was written by a newer Recurra \(.*\), this is .*; install that one"):
        load_configuration(path)
    with pytest.raises(UsageError, match="was written by a newer Recurra"):
        read_settings(path, "classify")


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    """A training of format 1 that was interrupted, beside its data."""
    shutil.copytree(GOLDEN / "data", tmp_path / "data")
    return Path(shutil.copytree(GOLDEN / "runs" / "unfinished", tmp_path / "run"))


def test_a_training_of_before_is_not_gone_on_with(unfinished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(unfinished.parent)
    before = {path: path.read_bytes() for path in unfinished.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=r"begun by an earlier version .*; finish it with that one, or train again"):
        recurra.resume(unfinished, quiet=True)
    result = CliRunner().invoke(app, ["train", "--resume", str(unfinished)])
    assert isinstance(result.exception, RunError) and "\n" not in str(result.exception)
    assert {path: path.read_bytes() for path in unfinished.rglob("*") if path.is_file()} == before


def test_a_run_of_before_keeps_its_file_and_says_its_settings_by_the_present_names(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN / "runs" / "classify_text", tmp_path / "run"))
    before = (folder / "config.toml").read_bytes()
    run = recurra.load(folder)
    assert run.configuration.format == 1
    assert run.configuration.training.ema == 0.0
    assert (folder / "config.toml").read_bytes() == before
