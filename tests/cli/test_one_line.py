"""Every error is one line on standard error, whatever it holds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import Field

from recurra import cli
from recurra.errors import DataError
from recurra.tasks.base.options import RankedOptions
from recurra.verbs.base.run_command import _task_of
from recurra.verbs.predict import PredictCommand


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["train", "tag", "x", "--nosuch"], "recurra: train tag: no such option: --nosuch ("),
        (["predict"], "recurra: predict: missing argument 'RUN'; see recurra predict --help\n"),
        (["nosuch"], "recurra: no such command 'nosuch'; see recurra --help\n"),
        (
            ["evaluate", "run", "--device"],
            "recurra: evaluate: option '--device' requires an argument; see recurra evaluate --",
        ),
        (
            ["train", "lm", "x", "--hidden"],
            "recurra: train lm: option '--hidden' requires an argument; see recurra train lm --",
        ),
        (["info", "--json", "a", "b\nc"], "recurra: info: got unexpected extra argument"),
        (["x" * 5000], "recurra: no such command 'xxx"),
        (
            ["reproduce", "ptb", "--seed", "x"],
            "recurra: reproduce: invalid value for '--seed': Input should be a valid integer",
        ),
    ],
)
def test_what_the_parser_finds_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["recurra", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed, shown = capsys.readouterr()
    assert (ended.value.code, printed) == (2, "")
    assert shown.startswith(line), shown
    assert shown.count("\n") == 1 and shown.endswith("--help\n") and len(shown) < 2000


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["data"], 2), (["train"], 0)])
def test_without_arguments_there_is_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    monkeypatch.setattr(sys, "argv", ["recurra", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed, shown = capsys.readouterr()
    assert (ended.value.code, shown) == (code, "")
    assert printed.count("Usage: ") == 1


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a name\nof two lines", "a name\\nof two lines"),
        ("\x1b[31mred\u2028\x85", "\\x1b[31mred\\u2028\\x85"),
        ("x" * 9000, "x" * 1000 + " … " + "x" * 500),
    ],
)
def test_a_message_is_one_line_that_can_be_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], message: str, shown: str
) -> None:
    def fail(**options: object) -> None:
        raise DataError(message)

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr().err == f"recurra: {shown}\n"


def test_a_configuration_nested_too_deeply_is_no_run(tmp_path: Path) -> None:
    Path(tmp_path, "config.toml").write_text("a = " + "[" * 200_000, encoding="utf-8")
    assert _task_of(str(tmp_path)) is None


@pytest.mark.parametrize("name", ["~nosuchuser/a.txt", "~nosuchuser/*.txt"])
def test_a_home_of_nobody_is_a_name_like_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["recurra", "train", "lm", name])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 3
    assert name.rpartition("/")[2] in capsys.readouterr().err.splitlines()[-1]


def test_an_option_of_a_run_may_not_have_the_name_of_one_of_the_verb(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Options(RankedOptions):
        header: bool = Field(default=False, description="Of the run.")

    monkeypatch.setattr(PredictCommand, "options_of", lambda *_: Options)
    (tmp_path / "config.toml").write_text('task = "lm"\n', encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["recurra", "predict", str(tmp_path)])
    with pytest.raises(SystemExit):
        cli.main()
    assert capsys.readouterr()[1].startswith("recurra: header: the task lm has an option of this name, which is")
