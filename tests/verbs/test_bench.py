"""`recurra bench` prints its tables on standard output, stores JSON, shows it again, and stops well."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from recurra import benchmark
from recurra.benchmark import stream
from recurra.errors import MissingExtraError, RecurraError, UsageError
from recurra.verbs.bench import SECTIONS, bench

app = typer.Typer()
app.command()(bench)
SMALL = ("training", "--cell", "gru", "--shape", "3,4,2,5,1", "--precision", "float32", "--threads", "1")


@pytest.fixture(autouse=True)
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.benchmark.limits.GEMM_SIZE", 64)
    monkeypatch.setattr("recurra.benchmark.turns.SAMPLE_SECONDS", 0.0)


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RecurraError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def test_the_table_names_both_contestants_and_says_what_was_reached() -> None:
    stdout, stderr = run(*SMALL)
    row = next(line for line in stdout.splitlines() if line.startswith("gru"))
    assert "3, 4, 2, 5, 1" in row and "torch.nn float32" in row and "×" in row and "%" in row
    assert "every shape: geometric mean" in stdout and "target ≥ 2.00×" in stdout
    assert "GEMM float32, 1 thread:" in stdout
    assert "1 comparisons, about 1 min" in stderr
    assert "training  gru  3, 4, 2, 5, 1" in stderr


def test_a_stored_file_shows_what_was_printed(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    printed, stderr = run(*SMALL, "graves", "--cell", "lstm", "--output", str(file))
    assert str(file) in stderr
    assert "Graves LSTM" in printed
    assert run("--show", str(file)) == (printed, "")


def test_the_json_lines_and_the_stored_file_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    stdout, _ = run(*SMALL, "--json", "--output", str(file))
    head, *rows, last = map(json.loads, stdout.splitlines())
    stored = json.loads(file.read_text(encoding="utf-8"))
    (table,) = stored["tables"]
    assert rows == table["rows"]
    assert head["machine"] == stored["machine"]
    assert last == {"limits": stored["limits"], "targets": {"training float32": table["targets"]}}


def test_ctrl_c_shows_and_stores_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = benchmark.Group.measure

    def measure(group: benchmark.Group) -> benchmark.Measured:
        if "lstm" in group.label:
            raise KeyboardInterrupt
        return real(group)

    monkeypatch.setattr(benchmark.Group, "measure", measure)
    file = tmp_path / "bench.json"
    stdout, stderr = run(*SMALL, "--cell", "lstm", "--output", str(file), code=130)
    assert "torch.nn float32" in stdout
    assert "not measured: training  lstm  3, 4, 2, 5, 1: interrupted" in stderr
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert len(stored["tables"][0]["rows"]) == len(stored["left_out"]) == 1


def test_what_breaks_a_comparison_does_not_take_the_others_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = benchmark.Group.measure

    def measure(group: benchmark.Group) -> benchmark.Measured:
        if "lstm" in group.label:
            raise MemoryError
        return real(group)

    monkeypatch.setattr(benchmark.Group, "measure", measure)
    file = tmp_path / "bench.json"
    run(*SMALL, "--cell", "lstm", "--output", str(file), code=1)
    assert len(json.loads(file.read_text(encoding="utf-8"))["tables"][0]["rows"]) == 1


def test_quick_keeps_to_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.verbs.bench.QUICK_SECONDS", -1.0)
    stdout, stderr = run(*SMALL, "--quick")
    assert "gru" not in stdout
    assert "not measured: training  gru  3, 4, 2, 5, 1: the machine is too busy for --quick" in stderr


def test_text_is_generated_as_torch_generates_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.benchmark.generate.UNITS", 40)
    stdout, _ = run("generate", "--threads", "1", "--json")
    row = json.loads(stdout.splitlines()[1])
    assert row["peer"]["name"] == "torch.nn.LSTM loop"
    assert row["agrees"]


def test_without_its_peer_a_section_is_left_out_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise MissingExtraError("pip install 'recurra[export]'")

    monkeypatch.setattr(stream, "check_installed", absent)
    with pytest.raises(MissingExtraError, match="export"):
        run("stream", "--threads", "1")
    monkeypatch.setattr("recurra.verbs.bench.SECTIONS", ("training", "stream"))
    stdout, stderr = run(*SMALL[1:])
    assert "torch.nn" in stdout
    assert "not measured: stream: pip install 'recurra[export]'" in stderr


def test_every_section_has_tables() -> None:
    for name in SECTIONS:
        tables = getattr(benchmark, name).TABLES
        assert tables and all(table.targets for table in tables), name


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("trainig",), "section: expected some of training, graves"),
        (("--shape", "1,2,3"), "--shape: expected five integers"),
        (("--shape", "1,2,3,4,x"), "--shape: expected five integers"),
        (("--shape", "1,2,3,4,0"), "positive integers"),
        (("--hidden", "0"), "hidden: expected a positive"),
        (("--precision", "float64"), "precision: expected one of"),
        (("--threads", "9999"), "threads: expected 1 to"),
        (("--cell", "transformer"), "cell: expected one of"),
        (("training", "--cell", "graves-lstm"), "--cell: graves-lstm has no peer in training"),
        (("--rounds", "2"), "rounds: expected at least 5"),
        (("--output", "/nowhere/at/all.json"), "--output: there is no folder /nowhere/at"),
        (("--show", "/nowhere/at/all.json"), "--show: /nowhere/at/all.json cannot be read"),
        (("--show", __file__), "was not stored by `recurra bench --output`"),
    ],
)
def test_nonsense_is_refused_before_anything_is_measured(
    arguments: tuple[str, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("something was measured")

    monkeypatch.setattr(benchmark.Group, "measure", never)
    with pytest.raises(UsageError, match=problem):
        run(*arguments)


def test_help_has_examples() -> None:
    assert "recurra bench --quick" in run("--help")[0]


def test_neither_bench_nor_data_waits_for_torch_to_be_imported() -> None:
    # The other verbs are kept out of the way: what they import is theirs to answer for.
    program = (
        "import sys, types, recurra; package = types.ModuleType('recurra.cli');"
        "package.__path__ = [recurra.__path__[0] + '/cli']; sys.modules['recurra.cli'] = package;"
        "import recurra.verbs.bench, recurra.verbs.data; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
