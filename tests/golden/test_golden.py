"""Runs that were trained before answer as they did, and the same trainings still give the same weights.

What is expected was written by make.py, described in README.md.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

import recurra
from recurra.cli import main
from recurra.kernels import native

HERE = Path(__file__).parent
EXPECTED = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("expected/*.json"))}
MACHINE = EXPECTED.pop("machine", None)
STORED = [path.name for path in sorted(HERE.glob("runs/*")) if path.name in EXPECTED]
MEANINGS = ("vocabulary.json", "channels.json", "columns.json", "labels.json")
CLOCKED = ("seconds", "units_per_second", "began", "trained")
NEW_FIELDS = ("largest_norm", "clipped")
"""Of an entry of the training log, what was not recorded when the expected ones were made."""
TRAINED = 2e-3
SINCE = {"classify": {"linear": "none"}, "lm": {"ngram": "none"}}
"""Settings that leave out what trainings did not have when the expected ones were made."""
"""How near training comes elsewhere: AdamW divides a gradient by its own size, so that the noise of one that is nearly
zero moves a weight as far as a signal would. Between AVX-512 and SSE a sum of all weights differed by 1e-4."""
REWORDED: dict[str, str] = {"(--label, --labels)": "(--label, --anomaly-labels)"}
"""Words of notes that were changed on purpose, old → new. No field, no figure and no name of a file belongs here."""
RENAMED = {"search": "beam_search"}
"""Methods of a run that have another name now, old → new."""


def fresh_network(settings: Mapping[str, Any]) -> nn.Module:
    """Build the network of a training as its first step finds it, from its seed. Only this knows how a task does so."""
    from recurra.runs.config import configure
    from recurra.tasks import get_task

    given = dict(settings)
    name = given.pop("task")
    configuration = configure(name, given)
    task = get_task(name)(configuration.settings)
    task.prepare()
    task.choose_defaults(None, lambda: 0.01)
    torch.manual_seed(configuration.training.seed)
    network = task.build_network()
    if name != "forecast":  # of a forecaster the weights before its straight line were recorded
        task.initialize(network)
    return network


def machine() -> dict[str, str]:
    """Give all that the last bits of a sum depend on."""
    cpu = [line for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    return {
        "torch": torch.__version__,
        "numpy": np.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "engine": native.describe(),
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def weights(network: nn.Module) -> dict[str, Any]:
    """Give shapes, float64 sum, sums of absolute values and SHA-256 of the parameters, in their order, and of the buffers."""
    tensors = [tensor.detach() for tensor in (*network.parameters(), *network.buffers())]
    content = b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)
    return {
        "shapes": [list(tensor.shape) for tensor in tensors],
        "sum": float(sum(tensor.double().sum() for tensor in tensors)),
        "sizes": [float(f"{tensor.double().abs().sum():.6g}") for tensor in tensors],
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def weights_at_first(settings: Mapping[str, Any]) -> dict[str, Any]:
    return weights(fresh_network(settings))


def trained(settings: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Train, and give the weights in the end and what was recorded on the way, without clocks and report details."""
    run = recurra.train(out=out, quiet=True, **SINCE.get(settings["task"], {}), **settings)
    kinds = ("train", "valid", "sample", "evaluation")
    events = [event for event in run.events() if event["event"] in kinds]
    return {
        "trained": weights(run.network),
        "events": [_without(event, *CLOCKED, *NEW_FIELDS, "details") for event in events],
    }


def result_of(call: Mapping[str, Any], run: Path) -> str:
    """Ask a run, by the command line or by a method, and give the answer as text."""
    if "python" in call:
        arguments = [_given(argument) for argument in call["arguments"]]
        method = RENAMED.get(call["python"], call["python"])
        given = getattr(recurra.load(run), method)(*arguments, **call["options"])
        return json.dumps(given.tolist() if isinstance(given, np.ndarray) else given, ensure_ascii=False)
    words = [str(run) if word == "RUN" else word for word in call["cli"]]
    out = on_command_line(words, call.get("stdin", ""))
    return json.dumps(_without(json.loads(out), *CLOCKED, "engine", "run", "evaluation")) if words[0] == "info" else out


def on_command_line(words: Sequence[str], stdin: str = "") -> str:
    """Give what a command prints; anything but a good end is an error."""
    out, notes = io.StringIO(), io.StringIO()
    source = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    given = (mock.patch("sys.argv", ["recurra", *words]), mock.patch("sys.stdin", source))
    with redirect_stdout(out), redirect_stderr(notes), given[0], given[1], pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None), notes.getvalue()
    return out.getvalue()


def _given(argument: Any) -> Any:
    """Turn an argument that JSON holds into what Python is given; an array is float64."""
    if isinstance(argument, dict):
        return np.array(argument["array"])
    return [_given(one) for one in argument] if isinstance(argument, list) else argument


def _without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def agree(got: Any, wanted: Any, *, within: float = 1e-4) -> None:
    """Compare two answers, or two records: byte for byte on the machine that the expected one is of.

    Elsewhere all but numbers with a point has to be the same, and those within a share of them, or of 1: other
    instruction sets add in another order. Between AVX-512 and SSE answers differed by 1.4e-5.
    """
    here, there = (_text(value) for value in (got, wanted))
    for old, new in REWORDED.items():
        there = there.replace(old, new)
    if machine() == MACHINE:
        assert here == there
        return
    # Where t-SNE puts the points of a map is chaotic in the last bit; a sum of bytes holds only byte for byte.
    here, there = (re.sub(r'"(x|y|sha256)": ("\w+"|-?[\d.e-]+)', r'"\1": 0', text) for text in (here, there))
    number = r"-?\d+\.\d+(?:e-?\d+)?|-?\d+e-\d+"
    assert re.sub(number, "#", here) == re.sub(number, "#", there)
    near = [[float(one) for one in re.findall(number, text)] for text in (here, there)]
    assert near[0] == pytest.approx(near[1], rel=within, abs=within)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs remember their data by names that are relative to this folder."""
    monkeypatch.chdir(HERE)


def _needs(name: str) -> None:
    if EXPECTED[name]["settings"]["task"] == "embed":
        pytest.importorskip("sklearn", reason="embed's clusters and figures were made with scikit-learn")


@pytest.mark.parametrize(
    ("name", "call"),
    [(name, call) for name in STORED for call in EXPECTED[name]["calls"]],
    ids=lambda given: _id(given),
)
def test_a_run_of_before_answers_as_it_did(name: str, call: dict[str, Any]) -> None:
    _needs(name)
    agree(result_of(call, HERE / "runs" / name), call["gives"])


def _id(given: Any) -> str:
    if isinstance(given, str):
        return given
    words = given["cli"] if "cli" in given else [given["python"], *given["options"]]
    return "-".join(word.strip("-").replace("/", ".") for word in words if word.strip("-"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_network_begins_with_the_same_weights(name: str) -> None:
    agree(weights_at_first(EXPECTED[name]["settings"]), EXPECTED[name]["initial"])


@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_training_ends_with_the_same_weights_and_figures(name: str, tmp_path: Path) -> None:
    _needs(name)
    expected, out = EXPECTED[name], tmp_path / "run"
    found = trained(expected["settings"], out)
    agree(found["trained"], expected["trained"], within=TRAINED)
    agree(found["events"], expected["events"], within=TRAINED)
    if name not in STORED:
        for call in expected["calls"]:
            agree(result_of(call, out), call["gives"], within=TRAINED)
    meanings = [path for path in (HERE / "runs" / name).glob("*.json") if path.name in MEANINGS]
    assert bool(meanings) == (name in STORED)
    for path in meanings:
        agree((out / path.name).read_text(encoding="utf-8"), path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", STORED)
def test_a_stored_run_has_the_weights_that_its_training_ended_with(name: str) -> None:
    # The very bytes, on any machine: nothing is computed.
    assert weights(recurra.load(f"runs/{name}").network)["sha256"] == EXPECTED[name]["trained"]["sha256"]


@pytest.mark.parametrize("name", ["forecast", "detect_errors"])
def test_a_training_by_flags_ends_with_the_same_weights(name: str, tmp_path: Path) -> None:
    expected = EXPECTED[name]
    given = dict(expected["settings"])
    words = ["train", given.pop("task"), *given.pop("data"), "-o", str(tmp_path / "run"), "-q"]
    for setting, value in given.items():
        flag = setting.replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            words += ([f"--{flag}"] if one else [f"--no-{flag}"]) if isinstance(one, bool) else [f"--{flag}", str(one)]
    on_command_line(words)
    agree(weights(recurra.load(tmp_path / "run").network), expected["trained"], within=TRAINED)


def test_no_folder_of_the_machine_that_made_them_is_in_the_fixtures() -> None:
    files = [path for path in HERE.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".md")]
    assert len(files) > 50
    assert not [path for path in files if re.search(rb"/(tmp|work|home|root|Users)/", path.read_bytes())]
