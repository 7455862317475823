"""The documentation says what is so: its commands parse, its examples run, its pages are fresh, its links lead somewhere."""

import doctest
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import typer

import recurra
from recurra.baselines.ngram import MEMORY
from recurra.cli import app
from recurra.configuration import configure, fields
from recurra.tasks.lm.examples import WATCHED
from recurra.text.read.sources import _DEPTH

ROOT = Path(__file__).resolve().parents[1]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
PAGES = sorted([README, CHINESE, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
VERSE = "the rain in spain falls mainly on the plain\n"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the documentation is not installed with the package")


def blocks(page: Path, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"))


def commands(page: Path) -> list[list[str]]:
    """Give the words of every `recurra ...` command in the blocks of a page; pipes and prompts left out."""
    found = []
    for line in "\n".join(blocks(page, "sh") + blocks(page, "console")).splitlines():
        for part in line.removeprefix("$ ").split(" | "):
            if part.startswith("recurra "):
                found.append(shlex.split(re.sub(r"\$\(.*?\)", "FILE", part), comments=True)[1:])
    return found


def read(words: list[str]) -> tuple[list[str], list[str]]:
    """Parse a command as the command line would; gives its verbs and its options. Raises what the parser raises."""
    command: Any = typer.main.get_command(app)
    verbs, rest = [], [word for word in words if word != "--help"]
    context = command.make_context("recurra", rest)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)
        verbs.append(name)
        context = command.make_context(name, list(rest), parent=context)
    if verbs[:1] == ["train"] and len(verbs) == 2:  # these parse as text: the configuration is what reads them
        known = fields(verbs[1])
        given = {name: value for name, value in context.params.items() if name in known and value not in (None, [])}
        configure(verbs[1], given)
    return verbs, sorted(word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word))


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to train in, with one thread: tiny trainings wait for each other with more."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_parses(page: Path) -> None:
    for words in commands(page):
        try:
            read(words)
        except Exception as error:  # noqa: BLE001  whatever the parser says is the failure
            pytest.fail(f"{page.name}: recurra {shlex.join(words)}: {error}")


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = ([read(words) for words in commands(page)] for page in (README, CHINESE))
    assert len(english) > 8
    assert english == chinese


@pytest.mark.parametrize(
    "page",
    [page for page in [README, CHINESE, *(ROOT / "docs").glob("*.md")] if blocks(page, "python")],
    ids=lambda page: page.name,
)
def test_the_examples_run(page: Path, in_a_folder: Path) -> None:
    source = "\n".join(blocks(page, "python"))
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    test = doctest.DocTestParser().get_doctest(source, {}, page.name, str(page), 0)
    assert test.examples
    reported: list[str] = []
    doctest.DocTestRunner(optionflags=options).run(test, out=reported.append)
    assert not reported, "".join(reported)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(work|home|root|tmp|Users)/", page.read_text(encoding="utf-8"))


def test_made_pages_are_fresh() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "tools/check_docs.py"], capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


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

check_task(task.Value, configure)
Path("wave.txt").write_text(wave)
recurra.train("value", "wave.txt", "run", epochs=100, lr=0.01, cell="coupled-lstm", quiet=True)
figures = recurra.load("run").evaluate()
assert figures["metrics"]["mse"] < figures["baselines"]["last value"]["mse"], figures
"""


def test_the_worked_examples_keep_every_promise(tmp_path: Path) -> None:
    cell, task = blocks(ROOT / "CONTRIBUTING.md", "python")
    (tmp_path / "cell.py").write_text(cell, encoding="utf-8")
    (tmp_path / "task.py").write_text(task, encoding="utf-8")
    (tmp_path / "worked.py").write_text(WORKED, encoding="utf-8")
    # A process of its own: what is registered stays registered.
    result = subprocess.run(
        [sys.executable, "worked.py"], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[recurra.Run]:
    folder = tmp_path_factory.mktemp("docs")
    (folder / "verse.txt").write_text(VERSE * 40)
    threads = torch.get_num_threads()
    settings: dict[str, Any] = {"hidden": 8, "layers": 1, "epochs": 2, "batch": 4, "window": 16, "gradient_lags": 4}
    yield recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, threads=1, **settings)
    torch.set_num_threads(threads)


def test_the_run_folder_is_as_described(run: recurra.Run) -> None:
    page = (ROOT / "docs/run-folder.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"(?m)^\| `([\w./]+)` \| (.*) \|$", page))
    files = {name for name in described if "." in name or name.endswith("/")}
    assert files == {path.name + "/" * path.is_dir() for path in run.path.iterdir()}
    for event in run.events():
        row = re.search(rf"(?m)^\| `{event['event']}` \| (.*)$", page)
        assert row, event
        if event["event"] != "evaluation":
            assert set(event) - {"event"} <= set(re.findall(r"`(\w+)`", row[1])), event


def test_the_json_is_as_described(run: recurra.Run) -> None:
    page = ROOT / "docs/json.md"
    evaluate, score, predict, generate, beam = map(json.loads, blocks(page, "json"))
    assert keys(evaluate) == keys(run.evaluation)
    assert keys(score) == keys(run.score("a list")[0])
    assert keys(predict) == keys(run.predict("a"))
    assert set(beam) - {"text"} == set(run.search("a", beam=2, length=3)[0]) - {"text"}
    assert set(generate) == {"text"}


def test_every_variable_of_the_environment_is_described() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    described = set(re.findall(r"(?m)^\| `(RECURRA_\w+)` \|", page))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    build = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("CMakeLists.txt", "pyproject.toml"))
    read = re.findall(r"\"(RECURRA_[A-Z_]+)\"", code) + re.findall(r"env[.{](RECURRA_[A-Z_]+)", build, re.IGNORECASE)
    assert described == set(read)


def test_limits_are_what_the_code_has() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    most = {name: fields("lm")[name][1].metadata for name in ("window", "layers", "hidden")}
    window, layers, hidden = (next(each.le for each in most[name] if hasattr(each, "le")) for name in most)
    rows = dict(re.findall(r"(?m)^\| ([^|`]+?)(?: \(`[^|]*`\))? \| ([^|]+) \|", page.partition("## Limits")[2]))
    assert rows["validation while training a language model"].startswith(f"{WATCHED / 1e6} million")
    assert rows["archives within archives"] == f"{_DEPTH} deep"
    assert rows["memory for counting n-grams, the baselines"] == f"{MEMORY // 2**30} GiB"
    assert rows["steps that the gradient is carried back"] == f"{window:,}"
    assert rows["layers, hidden units"] == f"{layers}, and {hidden:,}"


def keys(value: Any) -> Any:
    """Give the shape of a JSON value: names all the way down."""
    return {name: keys(each) for name, each in value.items()} if isinstance(value, dict) else type(value).__name__
