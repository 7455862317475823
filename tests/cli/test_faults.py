"""What users do wrong: one line that says it, the exit code of its kind, and nothing left behind."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recurra import cli

TEXT = "".join(f"{i} 白日依山盡，黃河入海流。 the rain in spain {i * i % 101}\n" for i in range(40))
TINY = ["-q", "--hidden", "8", "--layers", "1", "--epochs", "1", "--bptt", "16", "--batch", "4", "--threads", "1",
        "--precision", "float32"]  # fmt: skip

Call = Callable[..., str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, with one good text, away from any data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECURRA_CACHE", str(tmp_path / ".cache"))
    monkeypatch.delenv("RECURRA_DATA", raising=False)
    threads = torch.get_num_threads()
    (tmp_path / "good.txt").write_text(TEXT, encoding="utf-8")
    yield tmp_path
    torch.set_num_threads(threads)


@pytest.fixture
def fails(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Give a function that runs `recurra`, which has to fail in one line and leave the folder as it was."""

    def call(*arguments: object, code: int) -> str:
        before = tree(here)
        monkeypatch.setattr(sys, "argv", ["recurra", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        message = capsys.readouterr()
        assert message.out == ""
        lines = message.err.splitlines()
        assert len(lines) == 1, message.err
        assert lines[0].startswith("recurra: ")
        assert ended.value.code == code, lines[0]
        assert len(lines[0]) < 600
        assert tree(here) == before
        return lines[0].removeprefix("recurra: ")

    return call


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


def train(*arguments: object) -> list[object]:
    return ["train", "lm", *arguments, "-o", "run", *TINY]


# Data


def test_bytes_that_are_no_utf8_are_said_with_their_place(fails: Call, here: Path) -> None:
    (here / "bad.txt").write_bytes("好 text\n".encode() * 3 + b"caf\xe9 au lait\n" * 40)
    message = fails(*train("bad.txt"), code=3)
    assert "bad.txt" in message and "byte 30" in message and "0xe9" in message


@pytest.mark.parametrize("content", [b"", b"\n", b"   \n\n", b"x", "字".encode(), b"\xef\xbb\xbf"])
def test_a_file_with_nothing_to_learn_from_says_so(fails: Call, here: Path, content: bytes) -> None:
    (here / "little.txt").write_bytes(content)
    assert fails(*train("little.txt"), code=3)


@pytest.mark.parametrize("documents", ["none", "line"])
def test_one_character_over_and_over_is_learnt(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], documents: str
) -> None:
    (here / "same.txt").write_text(
        "字" * 900 if documents == "none" else "".join("字" * i + "\n" for i in range(1, 99))
    )
    monkeypatch.setattr(sys, "argv", ["recurra", *map(str, train("same.txt", "--documents", documents))])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (0, None)
    events = [json.loads(line) for line in (here / "run" / "metrics.jsonl").read_text().splitlines()]
    assert 0 <= events[-1]["metrics"]["nll"] < 3


def test_a_field_that_is_not_there_is_named(fails: Call, here: Path) -> None:
    (here / "poems.jsonl").write_text('{"title": "a", "body": "b"}\n' * 30)
    message = fails(*train("poems.jsonl", "--text", "paragraphs"), code=3)
    assert "paragraphs" in message and "poems.jsonl" in message and "title" in message and "body" in message
    assert "--text title" in fails(*train("poems.jsonl"), code=2)


def test_a_file_that_was_cut_off_is_named(fails: Call, here: Path) -> None:
    packed = gzip.compress(TEXT.encode() * 20)
    (here / "text.txt.gz").write_bytes(packed[: len(packed) // 2])
    assert "text.txt.gz" in fails(*train("text.txt.gz"), code=3)
    (here / "text.txt.gz").write_bytes(b"no gzip at all")
    assert "text.txt.gz" in fails(*train("text.txt.gz"), code=3)


def test_a_folder_without_text_says_so(fails: Call, here: Path) -> None:
    (here / "empty").mkdir()
    assert "empty" in fails(*train("empty"), code=3)
    (here / "empty" / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    assert "empty" in fails(*train("empty"), code=3)


def test_a_name_that_is_nothing_is_said_with_the_likeliest(fails: Call) -> None:
    assert "good.txt" in fails(*train("god.txt"), code=3)
    assert "nothing-like-it: does not exist" in fails(*train("nothing-like-it"), code=3)
    assert fails(*train("*.csv"), code=3)
    assert "did you mean the data set python-docs?" in fails(*train("python-doc"), code=3)
    assert "name the data set python-docs alone" in fails(*train("good.txt", "python-docs"), code=3)


def test_a_data_set_that_is_not_here_says_how_to_get_it(fails: Call) -> None:
    assert "recurra data get tinyshakespeare" in fails(*train("tinyshakespeare"), code=3)
    assert "not on this machine" in fails(*train("ptb"), code=3)


def test_standard_input_without_text_says_so(fails: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert "standard input" in fails(*train("-"), code=3)


def test_validation_data_of_another_kind_or_none_say_so(fails: Call, here: Path) -> None:
    (here / "empty.txt").touch()
    assert "empty.txt" in fails(*train("good.txt", "--valid", "empty.txt"), code=3)
    assert "none.txt" in fails(*train("good.txt", "--test", "none.txt"), code=3)


# Settings


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--set", "hiden=5"], "did you mean hidden?"),
        (["--set", "model.hiden=5"], "did you mean hidden?"),
        (["--set", "training.hidden=5"], "did you mean model.hidden?"),
        (["--set", "hidden"], "expected KEY=VALUE, got 'hidden'"),
        (["--set", "=5"], "no such setting"),
        (["--set", "hidden=many"], "model.hidden: input should be a valid integer"),
        (["--hidden", "0"], "model.hidden: input should be greater than or equal to 1, got"),
        (["--lr", "fast"], "lr: input should be a valid number"),
        (["--epochs", "inf"], "epochs: "),
        (["--within", "5m"], "within, epochs: expected one of the two, got both"),
        (["--set", "epochs=0", "--set", "within=soon"], "within, epochs: "),
        (["--patience", "soon"], "patience: input should be a valid integer"),
        (["--cell", "lstn"], "model.cell: expected one of"),
        (["--unit", "letter"], "data.unit: "),
        (["--dropout", "1"], "model.dropout: "),
        (["--valid-share", "0.6", "--test-share", "0.5"], "leave nothing to train on"),
        (["--device", "quantum"], "device: 'quantum' cannot be used here"),
        (["--device", "meta"], "device: 'meta' cannot be used here"),
        (["--forget-bias", "nan"], "model.forget_bias: expected a finite number, got nan"),
        (["--forget-bias=-inf"], "model.forget_bias: expected a finite number, got -inf"),
        (["--init-gain", "inf"], "model.init_gain: expected a finite number, got inf"),
        (["--clip", "nan"], "clip: input should be greater than 0"),
        (["--config", "none.toml"], "none.toml: cannot be read"),
        (["--gradient-lags", "99999"], "gradient_lags"),
        (["--unit", "byte", "--max-size", "100"], "max_size"),
    ],
)
def test_settings_that_make_no_sense_are_named(fails: Call, arguments: list[str], expected: str) -> None:
    assert expected in fails(*train("good.txt"), *arguments, code=2)


def test_a_device_that_torch_was_not_built_for_is_named(fails: Call) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one here")
    assert "device: 'cuda' cannot be used here" in fails(*train("good.txt", "--device", "cuda"), code=2)


def test_a_configuration_that_does_not_fit_is_named(fails: Call, here: Path) -> None:
    (here / "mine.toml").write_text("[model]\nhiden = 3\n")
    assert "mine.toml: model.hiden: no such setting" in fails(*train("good.txt", "--config", "mine.toml"), code=2)
    (here / "mine.toml").write_text("[model\n")
    assert "mine.toml: not valid TOML" in fails(*train("good.txt", "--config", "mine.toml"), code=2)


# Folders


@pytest.mark.parametrize("out", ["good.txt", "good.txt/run", "good.txt/a/run", "/proc/run"])
def test_a_folder_that_cannot_be_made_is_named_before_training(fails: Call, out: str) -> None:
    arguments = ["run" if a is None else a for a in train("good.txt")]
    arguments[arguments.index("run")] = out
    assert out in fails(*arguments, code=2)


def test_a_folder_in_use_stays_as_it_is(fails: Call, here: Path) -> None:
    (here / "run").mkdir()
    (here / "run" / "thesis.txt").write_text("years of work")
    assert "is there already" in fails(*train("good.txt"), code=2)


@pytest.mark.parametrize("verb", [["evaluate"], ["score"], ["generate"], ["predict"], ["info"], ["train", "--resume"]])
def test_what_is_no_run_is_named(fails: Call, here: Path, verb: list[str]) -> None:
    (here / "folder").mkdir()
    for name in ("nothing", "folder", "good.txt"):
        assert name in fails(*verb, name, *(["-q"] if verb[0] == "train" else []), code=4)


def test_resume_needs_a_run(fails: Call) -> None:
    assert "as in -o RUN --resume" in fails("train", "lm", "--resume", code=2)
    assert "the run folder alone" in fails("train", "--resume", "run", "lm", "good.txt", code=2)


def test_resume_refuses_what_contradicts_the_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fails: Call
) -> None:
    monkeypatch.setattr(sys, "argv", ["recurra", *map(str, train("good.txt"))])
    with pytest.raises(SystemExit):
        cli.main()
    capsys.readouterr()
    assert "data: a training is resumed" in fails(*train("none.txt", "--resume"), code=2)
    assert "cell: a training is resumed" in fails(*train("good.txt", "--resume", "--cell", "gru"), code=2)
    assert "cell: a training is resumed" in fails("train", "lm", "-o", "run", "--resume", "--set", "cell=gru", code=2)
    assert "nothing to resume" in fails(*train("good.txt", "--resume"), code=2)


# Numbers


def test_a_training_that_diverges_stops_with_its_place(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--cell", "rnn-relu", "--no-layer-norm", "--optimizer", "sgd", "--lr", "1e30", "--clip", "1e30"]
    monkeypatch.setattr(sys, "argv", ["recurra", *map(str, train("good.txt", *flags, "--warmup", "0"))])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 6
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("recurra: training stopped at step ") and "batch" in line and "try a lower --lr" in line
    assert "NaN" not in (here / "run" / "metrics.jsonl").read_text()
    assert len(list((here / "run" / "checkpoint").iterdir())) == 1
    assert line.endswith("run is a run with the weights of step 0")
    monkeypatch.setattr(sys, "argv", ["recurra", "generate", "run", "--length", "5"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (0, None)


# Names


def test_an_unknown_task_says_which_there_are(fails: Call) -> None:
    assert (
        fails("train", "ml", "good.txt", code=2)
        == "task: expected one of caption, classify, detect, embed, forecast, grammar, lm, music, pixels, strokes, tag, transcribe, translate; got 'ml'; did you mean lm?"
    )
    assert (
        fails("train", "zzz", code=2)
        == "task: expected one of caption, classify, detect, embed, forecast, grammar, lm, music, pixels, strokes, tag, transcribe, translate; got 'zzz'"
    )


@pytest.mark.parametrize(("data", "task"), [("good.txt", "TASK"), ("-", "TASK"), ("tinyshakespeare", "lm")])
def test_data_without_a_task_say_where_it_stands(fails: Call, data: str, task: str) -> None:
    message = fails("train", data, "--cell", "gru", code=2)
    assert (
        message
        == f"task: expected one of caption, classify, detect, embed, forecast, grammar, lm, music, pixels, strokes, tag, transcribe, translate before the data, as in `recurra train {task} {data}`"
    )


@pytest.mark.parametrize(
    ("flag", "value", "meant"),
    [("--cell", "lsmt", "lstm"), ("--unit", "chr", "char"), ("--precision", "bf16", "bfloat16")],
)
def test_an_unknown_choice_says_which_there_are_and_which_was_meant(
    fails: Call, flag: str, value: str, meant: str
) -> None:
    message = fails("train", "lm", "good.txt", flag, value, code=2)
    assert "expected one of" in message and message.endswith(f"got {value!r}; did you mean {meant}?")
