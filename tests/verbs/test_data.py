"""`recurra data` prints results on standard output, everything else on standard error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recurra.data import get, names
from recurra.errors import DataError, RecurraError, UsageError
from recurra.verbs.data import app

SHIJING = b'[{"title": "\xe9\x97\x9c\xe9\x9b\x8e"}]'


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("RECURRA_DATA", raising=False)


def run(*arguments: str) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RecurraError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout, result.stderr


def test_list_shows_every_set() -> None:
    stdout, stderr = run("list")
    lines = {line.split()[0]: line for line in stdout.splitlines()[1:]}
    assert set(names()) <= set(lines)
    assert "built in" in lines["python-docs"]
    assert "1.1 MB" in lines["tinyshakespeare"] and "not here" in lines["tinyshakespeare"]
    assert "not offered" in lines["ptb"]
    assert stderr == ""


def test_list_as_json_lines() -> None:
    rows = [json.loads(line) for line in run("list", "--json")[0].splitlines()]
    assert [row["name"] for row in rows] == names()
    first = next(row for row in rows if row["name"] == "tang-poems")
    assert first["title"] == "Complete Tang Poems (全唐詩)"
    assert first["size"] == 25585610
    assert first["where"] is None


def test_list_finds_by_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chinese-poetry").mkdir()
    (tmp_path / "chinese-poetry/shijing.json").write_bytes(SHIJING)
    monkeypatch.setenv("RECURRA_DATA", str(tmp_path))
    rows = {row["name"]: row for row in map(json.loads, run("list", "--json")[0].splitlines())}
    assert rows["shijing"]["where"] == "data folder"
    assert rows["chuci"]["where"] is None
    with pytest.raises(DataError, match="SHA-256"):
        run("path", "shijing")


def test_path_prints_one_path_a_line() -> None:
    stdout, stderr = run("path", "python-docs")
    assert Path(stdout.rstrip("\n")).read_text(encoding="utf-8").startswith("The")
    assert stderr == ""
    assert run("path", "python-docs", "--split", "train")[0] == stdout
    assert run("path", "python-docs", "--split", "valid")[0] == ""


def test_path_as_json() -> None:
    printed = json.loads(run("path", "python-docs", "--json")[0])
    assert printed["name"] == "python-docs"
    assert printed["where"] == "built in"
    assert len(printed["train"]) == 1
    assert printed["valid"] == printed["test"] == []
    assert printed["settings"]["unit"] == "char"


def test_get_shows_licence_and_citation_on_standard_error() -> None:
    stdout, stderr = run("get", "python-docs")
    assert stdout == run("path", "python-docs")[0]
    assert f"licence: {get('python-docs').licence}\n" in stderr
    assert "cite: " in stderr


def test_get_of_what_is_not_offered() -> None:
    with pytest.raises(DataError, match="not offered for download; the Linguistic Data Consortium"):
        run("get", "ptb")


@pytest.mark.parametrize("name", names())
def test_info(name: str) -> None:
    flat = " ".join(run("info", name)[0].split())
    assert get(name).title in flat
    assert get(name).licence in flat


def test_info_as_json_gives_every_address() -> None:
    printed = json.loads(run("info", "tang-poems", "--json")[0])
    assert len(printed["files"]) == 58
    assert all(file["url"].endswith(file["path"]) for file in printed["files"])
    assert printed["settings"] == {"unit": "char", "text": "paragraphs"}


@pytest.mark.parametrize("command", ["get", "path", "info"])
def test_an_unknown_name(command: str) -> None:
    with pytest.raises(UsageError, match="did you mean tinyshakespeare"):
        run(command, "shakespeare")


@pytest.mark.parametrize("command", ["list", "get", "path", "info"])
def test_help_has_examples(command: str) -> None:
    assert f"recurra data {command}" in run(command, "--help")[0]
