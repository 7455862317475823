"""A run folder from a stranger: whatever its files hold, using it gives a result or one line with the file, soon and in little memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from safetensors.torch import load_file, save_file
from tests.runs.strangers import (
    GOLDEN,
    MAX_CHARACTERS,
    RUNS,
    copied,
    put,
    sign,
    use,
)

from recurra.errors import RunError
from recurra.runs.manifest import MANIFEST
from recurra.runs.run import Run


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
    (with_content("lm", "config.toml", b"a." * 30_000 + b"b = 1"), r"config\.toml: expected TOML with up to 40 levels of nesting, got"),
    (with_content("lm", "config.toml", b"'a'." * 30_000 + b"b"), r"config\.toml: expected TOML with up to 40 levels of nesting, got"),
    (with_content("lm", "config.toml", b"x='a'\n[" + b"a . " * 50 + b"b]"), r"config\.toml: expected TOML with up to 40 levels"),
    (with_content("lm", "config.toml", b"[a.a.a.a.a.a]\n" * 9000), r"config\.toml: not valid TOML: expected up to 20,000 keys"),
    (with_content("lm", "config.toml", b"# " + b"x" * 5_000_000), r"config\.toml: expected TOML of up to 4,194,304 bytes"),
    (with_content("embed", "channels.json", b"[" * DEEP), r"channels\.json: expected JSON with up to 40 levels"),
    (with_content("forecast", "columns.json", b'{"a":' * DEEP), r"columns\.json: expected JSON with up to 40 levels"),
    (with_content("classify_text", "labels.json", b"[" * DEEP), r"labels\.json: expected JSON with up to 40 levels"),
    (with_content("lm", "vocabulary.json", b"[" * DEEP), r"vocabulary\.json: expected JSON with up to 40 levels"),
    (with_content("lm", "metrics.jsonl", b"[" * DEEP + b"\n"), r"metrics\.jsonl: line 1"),
    (with_content("lm", "metrics.jsonl", b'{"event": "evaluation", "metrics": 3}\n'), r"metrics\.jsonl: is damaged: data: field required"),
    (with_content("lm", "metrics.jsonl", b'{"event": "end"}\n' * 4_200_000), r"metrics\.jsonl: expected up to 67,108,864 bytes, got 71"),
    (with_content("lm", "metrics.jsonl", b"[" + b"[]," * 4_000_000 + b"[]]\n"), r"metrics\.jsonl: line 1: expected up to 8,388,608"),
    (with_content("lm", "vocabulary.json", b'["' + b"x" * 17_000_000 + b'"]'), r"vocabulary\.json: expected JSON of up to 16,777,216"),
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


def test_many_events_are_read_in_the_memory_of_one(tmp_path: Path) -> None:
    run = with_content("lm", "metrics.jsonl", b'{"event": "end", "step": 3}\n' * 20_000)(tmp_path)
    loaded = Run.load(run)
    tracemalloc.start()
    try:
        assert loaded.info()["steps"] == 3
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


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
@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 7, 8, 14, 17, 19, 21])
def test_refusing_takes_a_second_and_little_memory(tmp_path: Path, number: int) -> None:
    run = FOUND[number][0](tmp_path)
    command = [sys.executable, "-c", INFO, str(GOLDEN / "runs" / "lm"), str(run)]
    line, measured = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    seconds, megabytes = map(float, measured.split())
    assert line.startswith(str(run))
    assert seconds < 1.0
    assert megabytes < 100
