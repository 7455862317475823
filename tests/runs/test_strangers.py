"""A run folder from a stranger: whatever its files hold, using it gives a result or one line with the file, soon and in little memory."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import recurra
from recurra.errors import RecurraError, RunError
from recurra.runs.manifest import MANIFEST, write_manifest
from recurra.runs.run import Run
from recurra.tasks.base.weights import load_network

GOLDEN = Path(__file__).parents[1] / "golden"
RUNS = sorted(path.name for path in (GOLDEN / "runs").iterdir() if (path / MANIFEST).is_file())
SMALL: dict[str, Any] = {"quiet": True, "hidden": 4, "layers": 1, "epochs": 1, "threads": 1, "precision": "float32"}
MADE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "classify words": ("classify", "reviews.csv", {}),
    "classify channels": ("classify", "waves.ts", {}),
    "lm words": ("lm", "verse.txt", {"unit": "word"}),
}
"""Kinds of files that the stored runs have none of."""
FILES = {"detect": "plant_new.csv", "forecast": "sales_new.csv"}
"""What runs of these tasks are asked about."""
VALUES: list[Any] = [
    None, True, 0, -1, 2, 6000, 65_536, 10**9, 2**63 - 1, 2**64, 10**30, 0.5, 1e308, float("inf"), float("nan"),
    "", "x", "auto", "a" * 5000, "../x", "\n", "none", [], [1], ["x", "x"], [[]], {}, {"a": 1}, [None], [True],
]  # fmt: skip
MUTATIONS = 40
"""Of each run."""
MAX_CHARACTERS = 900
"""Of an error's line, with the name of the file."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("made")
    for name, (task, data, settings) in MADE.items():
        recurra.train(task, GOLDEN / "data" / data, folder / name, **SMALL, **settings)
    return {**{name: GOLDEN / "runs" / name for name in RUNS}, **{name: folder / name for name in MADE}}


def copied(source: Path, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("checkpoint"))
    return target


def sign(run: Path) -> None:
    write_manifest(run, [path.name for path in run.iterdir() if path.name != MANIFEST])


def use(run: Path) -> None:
    """Do with a run what its verbs do."""
    loaded = Run.load(run)
    json.dumps(loaded.info(), allow_nan=False)
    predictor: Any = loaded.predictor
    if (task := loaded.configuration.task) in FILES:
        inputs = predictor.read_file(str(GOLDEN / "data" / FILES[task]))
    elif task == "lm" or predictor.inputs.discrete:
        inputs = ["the good rain"]
    else:
        inputs = [np.linspace(0, 1, 24).reshape(12, 2)]
    json.dumps(predictor.predict(inputs), allow_nan=False)
    if loaded.configuration.task == "lm":
        loaded.generate("the", length=3, seed=1)
        loaded.score("the rain")


def held(run: Path, what: str) -> bool:
    """Use a run, and tell whether that is refused; fails for anything but a result or an error in one line."""
    try:
        use(run)
    except RecurraError as error:
        assert "\n" not in str(error), what
        assert len(str(error)) < MAX_CHARACTERS, what
        return True
    except BaseException as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    return False


# Any value in any place


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*place, key))
    elif isinstance(value, list):
        for index in range(min(len(value), 5)):
            yield from places(value[index], (*place, index))


def put(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    *outer, last = place
    inner = document
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return document


def mutate_toml(path: Path, chance: random.Random) -> str:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    place = chance.choice([place for place in places(document) if place])
    value = chance.choice([each for each in VALUES if each not in (None, [None], 2**64, 10**30)])
    path.write_text(tomli_w.dumps(put(document, place, value)), encoding="utf-8")
    return f"{place} = {value!r:.60}"


def mutate_json(path: Path, chance: random.Random) -> str:
    document = json.loads(path.read_text(encoding="utf-8"))
    place, value = chance.choice(list(places(document))), chance.choice(VALUES)
    path.write_text(json.dumps(put(document, place, value)), encoding="utf-8")
    return f"{place} = {value!r:.60}"


def mutate_lines(path: Path, chance: random.Random) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    number = chance.choice([0, len(lines) - 1, len(lines) - 2, chance.randrange(len(lines))])
    document = json.loads(lines[number])
    place, value = chance.choice(list(places(document))), chance.choice(VALUES)
    lines[number] = json.dumps(put(document, place, value))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return f"line {number + 1}, {place} = {value!r:.60}"


def mutate_tensors(path: Path, chance: random.Random) -> str:
    with safe_open(path, "pt") as file:
        about = dict(file.metadata() or {})
    tensors = load_file(path)
    name = chance.choice(list(tensors))
    old, kind = tensors[name], chance.choice(["nan", "shape", "type", "drop", "add", "zero", "huge", "about"])
    if kind == "nan" and old.is_floating_point():
        tensors[name] = old * float("nan")
    elif kind == "shape":
        tensors[name] = torch.cat([old.reshape(-1), old.reshape(-1)[:1]])
    elif kind == "type":
        tensors[name] = old.to(chance.choice([torch.float16, torch.float64, torch.int8, torch.bool]))
    elif kind == "drop":
        del tensors[name]
    elif kind == "add":
        tensors["x" * 5000] = torch.zeros(3)
    elif kind == "zero":
        tensors[name] = torch.zeros_like(old)
    elif kind == "huge" and old.dtype != torch.bool:
        tensors[name] = torch.full_like(old, 1e30 if old.is_floating_point() else 2**40)
    elif "linear" in about:
        document = json.loads(about["linear"])
        place, value = chance.choice(list(places(document))), chance.choice(VALUES)
        about["linear"] = json.dumps(put(document, place, value))
        kind = f"{place} = {value!r:.60}"
    save_file(tensors, path, about)
    return f"{name}: {kind}"


MUTATORS: dict[str, Callable[[Path, random.Random], str]] = {
    ".toml": mutate_toml,
    ".json": mutate_json,
    ".jsonl": mutate_lines,
    ".safetensors": mutate_tensors,
}


@pytest.mark.parametrize("name", [*RUNS, *MADE])
def test_any_value_in_any_file_is_a_result_or_one_line(sources: dict[str, Path], tmp_path: Path, name: str) -> None:
    chance, refused = random.Random(name), 0
    use(copied(sources[name], tmp_path / "whole"))
    for _ in range(MUTATIONS):
        run = copied(sources[name], tmp_path / "run")
        path = chance.choice(
            sorted(path for path in run.iterdir() if path.suffix in MUTATORS and path.name != MANIFEST)
        )
        what = f"{name}, {path.name}: {MUTATORS[path.suffix](path, chance)}"
        sign(run)
        refused += held(run, what)
    assert refused > MUTATIONS / 4


# Each kind that was found, by its name


def changed(name: str, file: str, change: Callable[[Any], None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        run = copied(GOLDEN / "runs" / name, folder / "run")
        path = run / file
        if path.suffix == ".toml":
            document: Any = tomllib.loads(path.read_text(encoding="utf-8"))
            change(document)
            path.write_text(tomli_w.dumps(document), encoding="utf-8")
        elif path.suffix == ".safetensors":
            document = load_file(path)
            change(document)
            save_file(document, path)
        else:
            document = json.loads(path.read_text(encoding="utf-8"))
            change(document)
            path.write_text(json.dumps(document), encoding="utf-8")
        sign(run)
        return run

    return make


def with_content(name: str, file: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        run = copied(GOLDEN / "runs" / name, folder / "run")
        (run / file).write_bytes(content)
        sign(run)
        return run

    return make


def model(**settings: Any) -> Callable[[Any], None]:
    return lambda document: document["model"].update(settings)


def entry(*place: Any, value: Any) -> Callable[[Any], None]:
    return lambda document: put(document, place, value) and None


DEEP = 200_000
FOUND: list[tuple[Callable[[Path], Path], str]] = [
    (changed("lm", "config.toml", model(hidden=6000)), r"model\.safetensors: does not fit the configuration: .*size mismatch"),
    (changed("lm", "config.toml", model(hidden=65_536, layers=64)), r"model\.safetensors: does not fit the configuration: "),
    (changed("tag", "config.toml", model(embedding=65_536)), r"model\.safetensors: does not fit the configuration: "),
    (changed("embed", "config.toml", model(size=65_536)), r"does not fit the configuration"),
    (changed("detect", "config.toml", model(ahead=1000)), r"does not fit the configuration"),
    (with_content("lm", "config.toml", b"task = " + b"[" * DEEP), r"config\.toml: expected TOML with up to 40 levels"),
    (with_content("lm", "config.toml", b"task = " + b"9" * 5000), r"config\.toml: not valid TOML"),
    (with_content("lm", "config.toml", b'task = "lm"\nx' + b".x" * 5000 + b" = 1"), r"config\.toml: expected TOML with up to 40"),
    (with_content("lm", "config.toml", b"# " + b"x" * 5_000_000), r"config\.toml: expected TOML of up to 4,194,304 bytes"),
    (with_content("embed", "channels.json", b"[" * DEEP), r"channels\.json: expected JSON with up to 40 levels"),
    (with_content("forecast", "columns.json", b'{"a":' * DEEP), r"columns\.json: expected JSON with up to 40 levels"),
    (with_content("classify_text", "labels.json", b"[" * DEEP), r"labels\.json: expected JSON with up to 40 levels"),
    (with_content("lm", "vocabulary.json", b"[" * DEEP), r"vocabulary\.json: expected JSON with up to 40 levels"),
    (with_content("lm", "metrics.jsonl", b"[" * DEEP + b"\n"), r"metrics\.jsonl: line 1"),
    (with_content("lm", "metrics.jsonl", b'{"event": "evaluation", "metrics": 3}\n'), r"metrics\.jsonl: is damaged: data: field required"),
    (changed("forecast", "columns.json", entry("targets", value=[3])), r"columns\.json: is damaged: targets\.0: .*string, got 3"),
    (changed("forecast", "columns.json", entry("horizon", value="7")), r"columns\.json: is damaged: horizon: .*integer, got '7'"),
    (changed("forecast", "columns.json", entry("horizon", value=10**9)), r"columns\.json: is damaged: horizon: .*10000"),
    (changed("forecast", "columns.json", entry("spreads", "size", value=[1.0])), r"columns\.json: is damaged: spreads"),
    (changed("forecast", "columns.json", entry("calendar", value=["moon sin"])), r"columns\.json: is damaged: .*moon sin"),
    (changed("forecast", "columns.json", entry("step", value={"count": 1, "unit": "x"})), r"columns\.json: is damaged: step\.unit"),
    (changed("detect", "channels.json", entry("mean", value=None)), r"channels\.json: is damaged: mean: .*list, got None"),
    (changed("detect", "channels.json", entry("spread", 0, value=0.0)), r"channels\.json: is damaged: spread\.0: .*greater than 0"),
    (changed("detect", "channels.json", entry("spread", 0, value=float("nan"))), r"channels\.json: is damaged: spread\.0: .*finite"),
    (changed("detect", "channels.json", entry("static", value=[[1, 2, 3, 4]])), r"channels\.json: is damaged: static"),
    (changed("detect", "channels.json", entry("each", value={"a": [[0.0], [1.0]]})), r"channels\.json: is damaged: expected as many"),
    (changed("embed", "channels.json", entry("channels", value=[None, "b"])), r"channels\.json: is damaged: channels\.0: .*string"),
    (changed("embed", "channels.json", entry("cutting", "frame", value=0)), r"channels\.json: is damaged: cutting\.frame"),
    (changed("tag", "labels.json", entry(0, value=7)), r"labels\.json: is damaged: expected a list of names"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(FOUND)))
def test_what_was_found_is_one_line_with_its_file(tmp_path: Path, number: int) -> None:
    make, message = FOUND[number]
    run = make(tmp_path)
    with pytest.raises(RunError, match=message) as caught:
        use(run)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < MAX_CHARACTERS


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("name", RUNS)
def test_weights_that_are_not_finite_are_named(tmp_path: Path, name: str, value: float) -> None:
    run = copied(GOLDEN / "runs" / name, tmp_path / "run")
    tensors = load_file(run / "model.safetensors")
    first = next(key for key in tensors if tensors[key].is_floating_point() and tensors[key].numel())
    tensors[first].view(-1)[-1:] = value
    save_file(tensors, run / "model.safetensors")
    sign(run)
    with pytest.raises(RunError, match=rf"model\.safetensors: {first}: expected finite numbers, got NaN or infinity"):
        Run.load(run)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int8])
def test_weights_of_another_type_are_named(tmp_path: Path, dtype: torch.dtype) -> None:
    def retype(tensors: dict[str, torch.Tensor]) -> None:
        name = next(iter(tensors))
        tensors[name] = tensors[name].to(dtype)

    with pytest.raises(RunError, match=r"does not fit the configuration: .*: expected torch\.float32, got "):
        Run.load(changed("lm", "model.safetensors", retype)(tmp_path))


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/hostname", "a/b", "a\\b", "..", ".", "", "x" * 5000, "字" * 100, "a\nb", "a\0b"]
)
def test_a_manifest_names_files_of_its_folder_alone(tmp_path: Path, name: str) -> None:
    run = copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    files = {**json.loads((run / MANIFEST).read_bytes())["files"], name: "0" * 64}
    from recurra.runs.manifest import _render

    (run / MANIFEST).write_bytes(_render(files))
    with pytest.raises(RunError, match=r"manifest\.json: expected the name of a file in the folder, got ") as caught:
        Run.load(run)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < MAX_CHARACTERS


def test_a_file_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    run = copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    shutil.move(run / "vocabulary.json", tmp_path / "vocabulary.json")
    (run / "vocabulary.json").symlink_to(tmp_path / "vocabulary.json")
    with pytest.raises(RunError, match=r"vocabulary\.json: leads out of the run folder"):
        Run.load(run)


def test_a_file_that_leads_to_itself_is_missing(tmp_path: Path) -> None:
    run = copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    (run / "vocabulary.json").unlink()
    (run / "vocabulary.json").symlink_to("vocabulary.json")
    with pytest.raises(RunError, match=r"vocabulary\.json: is missing"):
        Run.load(run)


def test_a_run_that_is_reached_by_a_link_is_loaded(tmp_path: Path) -> None:
    copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    (tmp_path / "link").symlink_to(tmp_path / "run", target_is_directory=True)
    use(tmp_path / "link")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    run = copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    (run / "config.toml").unlink()
    os.mkfifo(run / "config.toml")
    with pytest.raises(RunError, match=r"config\.toml: is missing"):
        Run.load(run)


def test_a_manifest_beyond_its_size_is_not_read(tmp_path: Path) -> None:
    run = copied(GOLDEN / "runs" / "lm", tmp_path / "run")
    with (run / MANIFEST).open("r+b") as file:
        file.truncate(2**40)  # of which the disk holds nothing
    with pytest.raises(RunError, match=r"manifest\.json: is damaged"):
        Run.load(run)


# Building


def test_a_network_is_built_without_numbers_before_it_is_built(tmp_path: Path) -> None:
    """No memory is taken for what the file does not hold, and torch's generator is left alone."""
    layer = torch.nn.Linear(3, 2)
    save_file(layer.state_dict(), tmp_path / "w.safetensors")
    before = torch.get_rng_state()
    loaded = load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(3, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(loaded.weight, layer.weight) and loaded.weight.requires_grad and not loaded.training
    with pytest.raises(RunError, match="size mismatch"):
        load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(10**6, 10**6))
    with pytest.raises(RunError, match="does not fit the configuration"):
        load_network(tmp_path / "w.safetensors", lambda: torch.nn.Linear(2**62, 2**62))


def test_what_stands_in_two_places_stays_one(tmp_path: Path) -> None:
    def tied() -> torch.nn.Module:
        made = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])
        made[1].weight = made[0].weight
        return made

    network = tied()
    save_file({name: tensor.clone() for name, tensor in network.state_dict().items()}, tmp_path / "w.safetensors")
    loaded = load_network(tmp_path / "w.safetensors", tied)
    assert loaded[0].weight is loaded[1].weight  # type: ignore[index]


def test_a_buffer_that_is_not_saved_is_computed(tmp_path: Path) -> None:
    class Positions(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.register_buffer("places", torch.arange(5), persistent=False)

    save_file(Positions().state_dict(), tmp_path / "w.safetensors")
    assert load_network(tmp_path / "w.safetensors", Positions).get_buffer("places").tolist() == [0, 1, 2, 3, 4]


INFO = """
import resource, sys, time
import recurra.runs.run, recurra.tasks
from recurra.errors import RecurraError
recurra.load(sys.argv[1])
before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    recurra.load(sys.argv[2]).info()
except RecurraError as error:
    print(error)
print(time.process_time() - began, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the greatest use of memory has another unit elsewhere")
@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 7, 10, 13])
def test_refusing_takes_a_second_and_little_memory(tmp_path: Path, number: int) -> None:
    run = FOUND[number][0](tmp_path)
    command = [sys.executable, "-c", INFO, str(GOLDEN / "runs" / "lm"), str(run)]
    line, figures = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    seconds, megabytes = map(float, figures.split())
    assert line.startswith(str(run))
    assert seconds < 1.0
    assert megabytes < 100
