"""The documentation says what is so: its commands parse, its examples run, its pages are fresh, its links lead somewhere."""

import dataclasses
import doctest
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer

import recurra
from recurra.baselines.ngram import MEMORY
from recurra.cli import app
from recurra.configuration import Configuration, configure, fields
from recurra.data.timed import Panel, TimedReading, read_timed, steps_of
from recurra.series import skeletons
from recurra.tasks import get_task
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


def python_of(page: Path) -> str:
    return "\n".join(blocks(page, "python"))


def commands(page: Path) -> list[list[str]]:
    """Give the words of every `recurra ...` command in the blocks of a page; pipes and prompts left out."""
    return commands_of("\n".join(blocks(page, "sh") + blocks(page, "console")))


def commands_of(block: str) -> list[list[str]]:
    found = []
    for line in block.splitlines():
        for part in line.removeprefix("$ ").split(" | "):
            if part.startswith("recurra "):
                found.append(shlex.split(re.sub(r"\$\(.*?\)", "FILE", part), comments=True)[1:])
    return found


def files(page: Path) -> dict[str, str]:
    """Give the files that a page shows: fenced blocks that have a name."""
    return dict(re.findall(r"(?ms)^```text (\S+)\n(.*?)^```$", page.read_text(encoding="utf-8")))


def read(words: list[str]) -> tuple[list[str], list[str]]:
    """Parse a command as the command line would; gives its verbs and its options. Raises what the parser raises."""
    verbs, _ = parsed(words)
    return verbs, sorted(word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word))


def parsed(words: list[str], **settings: Any) -> tuple[list[str], Configuration | None]:
    """Parse a command; gives its verbs and, of a training, its configuration with these settings."""
    command: Any = typer.main.get_command(app)
    verbs, rest = [], [word for word in words if word != "--help"]
    context = command.make_context("recurra", rest)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)
        verbs.append(name)
        context = command.make_context(name, list(rest), parent=context)
    if verbs[:1] != ["train"] or len(verbs) != 2:
        return verbs, None
    # These parse as text: the configuration is what reads them.
    known = fields(verbs[1])
    given = {name: value for name, value in context.params.items() if name in known and value not in (None, [])}
    return verbs, configure(verbs[1], given, {"data": context.params["data_arguments"] or [], **settings})


@pytest.fixture
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to train in, with one thread: tiny trainings wait for each other with more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(skeletons, "_FORMATS", dict(skeletons._FORMATS))  # a page registers one
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
    for words in english:
        words[1][:] = [option for option in words[1] if option != "--phrases"]  # only the English reviews have some
    assert english == chinese


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
            assert (len(panel), steps_of(panel)) == PANELS[words[2]], words
            continue
        try:
            counts = get_task(task)(configuration.settings).prepare().counts
        except recurra.errors.RecurraError as error:
            pytest.fail(f"recurra {shlex.join(words)}: {error}")
        assert counts["train_examples"] == EXAMPLES.get(words[2], counts["train_examples"]), words
        assert counts["classes" if task == "classify" else "tags"] > 1, words


def timed(data: Any) -> Panel:
    """Read series in time as a task with these settings does."""
    names = {field.name for field in dataclasses.fields(TimedReading)}
    held = {name: value for name, value in data if name in names}
    return read_timed(data.data, TimedReading(**{k: tuple(v) if isinstance(v, list) else v for k, v in held.items()}))


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
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, recurra.Run]]:
    """A run of each task: texts, series and sentences."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "verse.txt").write_text(VERSE * 40)
    (folder / "films.csv").write_text("text,label\n" + "".join(f"a film {n},{n % 2}\n" for n in range(40)))
    np.savez(folder / "waves.npz", x=np.random.default_rng(1).normal(size=(40, 5, 2)), y=[0, 1] * 20)
    days = (f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7 + n % 3}.5" for n in range(28))
    (folder / "sales.csv").write_text("day,sales\n" + "\n".join(days) + "\n")
    faults = (f"2024-{1 + n // 28:02}-{1 + n % 28:02},{n % 7}.5,{n % 3},{int(n == 80)}" for n in range(84))
    (folder / "plant.csv").write_text("day,temp,bar,fault\n" + "\n".join(faults) + "\n")
    (folder / "names.conll").write_text("Ann\tB-person\nleft\tO\n\n" * 3 + "Bob\tB-person\n\n" * 3)
    threads = torch.get_num_threads()
    tiny: dict[str, Any] = {"hidden": 8, "layers": 1, "epochs": 2, "batch": 4, "quiet": True, "threads": 1}
    held: dict[str, Any] = {**tiny, "test_share": 0.3, "valid_share": 0.3}
    yield {
        "lm": recurra.train("lm", folder / "verse.txt", folder / "lm", window=16, gradient_lags=4, **tiny),
        "films": recurra.train("classify", folder / "films.csv", folder / "films", **held),
        "waves": recurra.train("classify", folder / "waves.npz", folder / "waves", **held),
        "vectors": recurra.train("embed", folder / "waves.npz", folder / "vectors", **held),
        "sales": recurra.train("forecast", folder / "sales.csv", folder / "sales", horizon=2, **tiny),
        "plant": recurra.train("detect", folder / "plant.csv", folder / "plant", label="fault", **held),
        "names": recurra.train("tag", folder / "names.conll", folder / "names", test=[folder / "names.conll"], **tiny),
    }
    torch.set_num_threads(threads)


def test_the_run_folder_is_as_described(runs: dict[str, recurra.Run]) -> None:
    page = (ROOT / "docs/run-folder.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"(?m)^\| `([\w./]+)` \| (.*) \|$", page))
    files = {name for name in described if "." in name or name.endswith("/")}
    assert files == {path.name + "/" * path.is_dir() for run in runs.values() for path in run.path.iterdir()}
    for event in (event for run in runs.values() for event in run.events()):
        row = re.search(rf"(?m)^\| `{event['event']}` \| (.*)$", page)
        assert row, event
        if event["event"] != "evaluation":
            assert set(event) - {"event"} <= set(re.findall(r"`(\w+)`", row[1])), event


def test_the_json_is_as_described(runs: dict[str, recurra.Run]) -> None:
    page = ROOT / "docs/json.md"
    lm, films, names = runs["lm"], runs["films"], runs["names"]
    shown = json_under_headings(page)
    (of_lm,), (of_films,), (of_names,) = (shown[f"evaluate {kind}"] for kind in KINDS)
    (score,), (units,), (label, steps), (tags,) = shown["score"], *(shown[f"predict {kind}"] for kind in KINDS)
    generate, beam = shown["generate"]
    assert keys(of_lm) == keys(lm.evaluation)
    assert figures(of_films) == figures(films.evaluation)
    assert figures(of_names) == figures(names.evaluation)
    assert keys(score) == keys(lm.score("a list")[0])
    assert keys(units) == keys(lm.predict("a"))
    assert set(label) == set(films.predict("a film"))
    assert set(steps) == set(films.predict("a film", steps=True))
    assert {*map(frozenset, steps["steps"])} == {*map(frozenset, films.predict("a film", steps=True)["steps"])}
    assert keys(tags) == keys(names.predict([["Ann", "left"]])[0])
    assert set(tags["spans"][0]) == set(names.predict([["Ann", "left", "Bob"] * 20])[0]["spans"][0])
    assert set(beam) - {"text"} == set(lm.search("a", beam=2, length=3)[0]) - {"text"}
    assert set(generate) == {"text"}


def test_the_json_of_an_embedder_is_as_described(runs: dict[str, recurra.Run]) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["vectors"]
    (measured,), (asked,) = shown["evaluate Of an embedder"], shown["predict Of an embedder"]
    given: Any = run.evaluation
    assert [set(measured[name]) for name in ("metrics", "baselines", "details")] == [
        set(given[name]) for name in ("metrics", "baselines", "details")
    ]
    assert set(measured["details"]["map"]["points"][0]) == set(given["details"]["map"]["points"][0])
    said = run.predict([np.zeros((3, 2)), np.ones((4, 2))], cluster=2, neighbours=1)[0]
    assert set(asked) == set(said)
    assert set(asked["neighbours"][0]) == set(said["neighbours"][0])


def test_the_json_of_a_forecaster_is_as_described(runs: dict[str, recurra.Run], tmp_path: Path) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["sales"]
    (measured,), (asked,) = shown["evaluate Of a forecaster"], shown["predict Of a forecaster"]
    given: Any = run.evaluation
    assert list(measured["metrics"]) == list(given["metrics"])
    assert set(measured["details"]) == set(given["details"])
    assert set(measured["details"]["by_step"]) == set(given["details"]["by_step"])
    assert set(measured["details"]["forecasts"][0]) == set(given["details"]["forecasts"][0])
    (tmp_path / "new.csv").write_text("day,sales\n2024-03-01,4\n2024-03-02,5.5\n")
    (said,) = run.predict(run.task.inputs(str(tmp_path / "new.csv")))
    assert list(asked) == list(said)


def test_the_json_of_a_detector_is_as_described(runs: dict[str, recurra.Run]) -> None:
    shown, run = json_under_headings(ROOT / "docs/json.md"), runs["plant"]
    (measured,), (asked, whole, line) = shown["evaluate Of a detector"], shown["predict Of a detector"]
    given: Any = run.evaluation
    assert list(measured["metrics"]) == list(given["metrics"])
    assert keys(measured["baselines"]).keys() == given["baselines"].keys()
    assert set(measured["details"]) == set(given["details"])
    drawn, own = measured["details"]["timelines"][0], given["details"]["timelines"][0]
    assert set(drawn) == set(own) and set(drawn["curves"]) == set(own["curves"])
    odd = {"day": [f"2024-05-{n:02}" for n in range(1, 13)], "temp": [2.5] * 11 + [1e6], "bar": [1.0] * 12}
    (said,) = run.predict(odd, steps=True)
    assert list(asked) == [name for name in said if name != "steps"]
    assert list(asked["events"][0]) == list(said["events"][0])
    assert list(line)[:-1] == list(said["steps"][1])
    following = run.task.line_stream(run.network)
    assert following is not None and following("day,temp,bar") is None
    assert list(following("2024-05-01,2.5,") or {}) == list(line)
    assert list(whole) == [*list(asked)[:3], "threshold", "anomaly", "channel"]


KINDS = ("Of a language model", "Of a classifier", "Of a tagger")


def json_under_headings(page: Path) -> dict[str, list[Any]]:
    """Give the JSON that a page shows, by the two headings that it stands under."""
    found: dict[str, list[Any]] = {}
    for part in re.split(r"(?m)^## ", page.read_text(encoding="utf-8"))[1:]:
        head, *inner = re.split(r"(?m)^### ", part)
        for place, text in [
            (head.split("\n")[0], head),
            *((f"{head.splitlines()[0]} {one.splitlines()[0]}", one) for one in inner),
        ]:
            found[place] = [json.loads(block) for block in re.findall(r"(?ms)^```json\n(.*?)^```$", text)]
    return found


def figures(evaluation: Any) -> Any:
    """Give the names in an evaluation that no data choose."""
    details, baselines = evaluation["details"], evaluation["baselines"]
    lists = {name: sorted(details[name][0]) for name in ("mistakes", "reliability") if details.get(name)}
    return (
        list(evaluation),
        list(evaluation["metrics"]),
        keys(baselines),
        set(details),
        lists,
        set(details["intervals"]),
    )


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
