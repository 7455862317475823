"""`recurra bench` prints its table on standard output, stores JSON, and stops well."""

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
from recurra.cli.bench import bench
from recurra.errors import RecurraError, UsageError

app = typer.Typer()
app.command()(bench)
SMALL = ("--cell", "gru", "--shape", "3,4,2,5,1", "--precision", "float32", "--threads", "1")


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "MEMORY_SIZES", (1 << 16,))
    monkeypatch.setattr("recurra.benchmark.turns.SAMPLE_SECONDS", 0.001)
    limit = benchmark.ComputeLimit("float32", 1, 100.0)
    monkeypatch.setattr(benchmark, "compute_limit", lambda *_, **__: limit)


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, RecurraError):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def test_the_table_names_both_contestants() -> None:
    stdout, stderr = run(*SMALL)
    row = next(line for line in stdout.splitlines() if line.startswith("gru"))
    assert "3, 4, 2, 5, 1" in row and "float32" in row and "torch.nn.GRU" in row and "×" in row
    assert "GEMM float32, threads 1: 100 GF/s" in stdout
    assert "one core reads 64 kB at" in stdout
    assert "gru  3, 4, 2, 5, 1  float32  threads 1" in stderr


def test_the_json_lines_and_the_stored_file_say_the_same(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    stdout, stderr = run(*SMALL, "--cell", "graves-lstm", "--json", "--output", str(file))
    head, *rows = map(json.loads, stdout.splitlines())
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert rows == stored["results"]
    assert [row["peer"] for row in rows] == ["torch.nn.GRU", "recurra lstm"]
    assert head["machine"] == stored["machine"]
    assert head["compute_limits"] == [{"precision": "float32", "threads": 1, "gflops": 100.0}]
    assert str(file) in stderr


def test_ctrl_c_shows_and_stores_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = benchmark.measure

    def measure(case: benchmark.Case, **options: Any) -> benchmark.Result:
        if case.cell == "lstm":
            raise KeyboardInterrupt
        return real(case, **options)

    monkeypatch.setattr(benchmark, "measure", measure)
    file = tmp_path / "bench.json"
    stdout, stderr = run(*SMALL, "--cell", "lstm", "--output", str(file), code=130)
    assert "torch.nn.GRU" in stdout
    assert "1 of 2 comparisons were not made: interrupted" in stderr
    stored = json.loads(file.read_text(encoding="utf-8"))
    assert len(stored["results"]) == stored["left_out"] == 1


def test_quick_keeps_to_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.cli.bench.QUICK_SECONDS", -1.0)
    stdout, stderr = run(*SMALL, "--quick")
    assert "gru" not in stdout
    assert "1 of 1 comparisons were not made: the machine is too busy" in stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--shape", "1,2,3"), "--shape: expected five integers"),
        (("--shape", "1,2,3,4,x"), "--shape: expected five integers"),
        (("--shape", "1,2,3,4,0"), "positive integers"),
        (("--precision", "float64"), "precision: expected one of"),
        (("--threads", "9999"), "threads: expected 1 to"),
        (("--cell", "transformer"), "cell: expected one of"),
        (("--rounds", "2"), "rounds: expected at least 5"),
        (("--output", "/nowhere/at/all.json"), "--output: there is no folder /nowhere/at"),
    ],
)
def test_nonsense_is_refused_before_anything_is_measured(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        run(*arguments)


def test_help_has_examples() -> None:
    assert "recurra bench --quick" in run("--help")[0]


def test_neither_bench_nor_data_waits_for_torch_to_be_imported() -> None:
    # The other verbs are kept out of the way: what they import is theirs to answer for.
    program = (
        "import sys, types, recurra; package = types.ModuleType('recurra.cli');"
        "package.__path__ = [recurra.__path__[0] + '/cli']; sys.modules['recurra.cli'] = package;"
        "import recurra.cli.bench, recurra.cli.data; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
