"""What settings declare: which name files, and what is meant by a word that is none of the choices."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import Field, ValidationError

from recurra.errors import UsageError
from recurra.runs.config import configure
from recurra.tasks import Files, Settings, Task, get_task, task_names, unknown_choice_message
from recurra.tasks.base.config import LabelledData
from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask
from recurra.tasks.timeseries.config import TimeSeriesData


class Recordings(Settings):
    clips: Files = Field(default=[])
    tags: list[str] = Field(default=[])
    rates: list[int] = Field(default=[])
    loudest: Literal["left", "right"] = "left"


class Listener(Task):
    class Config(Settings):
        recordings: Recordings = Recordings()

    name, title = "listener", "Listener"
    read_dataset = count_dataset = choose_defaults = batches = batch_count = loss = validate = evaluate = None  # type: ignore[assignment]


def test_a_task_knows_its_files_by_their_type() -> None:
    assert Listener.file_settings() == {"clips"}
    assert LanguageModelingTask.file_settings() == {"data", "valid", "test", "from_run"}


@pytest.mark.parametrize(
    ("given", "rereadable"),
    [({"clips": ["a.wav"]}, True), ({"clips": ["a.wav", "-"]}, False), ({"clips": ["a-b"], "tags": ["-"]}, True)],
)
def test_only_standard_input_cannot_be_read_again(given: dict[str, Any], rereadable: bool) -> None:
    assert Listener(Listener.Config(recordings=Recordings(**given))).rereadable == rereadable


@pytest.mark.parametrize("name", ["data", "valid", "test"])
def test_a_text_from_standard_input_cannot_be_read_again(name: str) -> None:
    data = {"data": ["a.txt"], name: ["-"]}
    assert not LanguageModelingTask(LanguageModelConfig.model_validate({"data": data})).rereadable


@pytest.mark.parametrize(
    ("value", "known", "meant"),
    [
        ("lsmt", ["rnn", "gru", "lstm"], "; did you mean lstm?"),
        ("Char", ["char", "byte"], "; did you mean char?"),
        ("chr", ["char", "byte", "word", "bpe"], "; did you mean char?"),
        ("cls", ["lm", "classify"], "; did you mean classify?"),
        ("quatsch", ["rnn", "gru", "lstm"], ""),
        ("", ["lm"], ""),
    ],
)
def test_what_was_probably_meant(value: str, known: list[str], meant: str) -> None:
    assert unknown_choice_message(value, known) == f"expected one of {', '.join(known)}; got {value!r}{meant}"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("cell", "lsmt", "model.cell: expected one of rnn, .*; got 'lsmt'; did you mean lstm\\?$"),
        ("unit", "chars", "data.unit: expected one of char, byte, word, bpe; got 'chars'; did you mean char\\?$"),
        ("init", "orthgonal", "model.init: .*; did you mean orthogonal\\?$"),
        ("optimizer", "adam", "^optimizer: expected one of adamw, sgd; got 'adam'; did you mean adamw\\?$"),
    ],
)
def test_every_setting_with_a_choice_says_what_there_is(setting: str, value: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        configure("lm", {setting: value})


def test_a_choice_is_checked_when_it_is_set_later_too() -> None:
    recordings = Recordings(loudest="right")
    with pytest.raises(ValidationError, match="expected one of left, right; got 'rihgt'; did you mean right"):
        recordings.loudest = "rihgt"  # type: ignore[assignment]
    with pytest.raises(ValidationError, match="Input should be 'left' or 'right'"):
        Recordings(loudest=3)  # type: ignore[arg-type]


def test_one_word_will_do_where_several_may_stand() -> None:
    assert Recordings(tags="quiet").tags == ["quiet"]
    assert Recordings(clips="a.wav").clips == ["a.wav"]
    with pytest.raises(ValidationError, match="valid list"):
        Recordings(rates="16000")  # type: ignore[arg-type]


def test_an_unknown_task_says_which_there_are() -> None:
    with pytest.raises(UsageError, match=f"^task: expected one of {', '.join(task_names())}; got 'ml'"):
        get_task("ml")


def test_one_column_of_series_may_stand_alone_as_older_runs_have_it() -> None:
    assert [section(series="store").series for section in (TimeSeriesData, LabelledData)] == [["store"], ["store"]]
    assert TimeSeriesData().reading().series_columns == ()
