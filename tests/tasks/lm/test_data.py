"""What a language model reads: what is left out is reported, plain text stands in for records, metrics say only what is true."""

from __future__ import annotations

import json

import pytest

from recurra.errors import UsageError
from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask
from recurra.tasks.lm.data import read_split

ROWS = [{"t": "the cat sat on the mat"}, {"t": "春眠不覺曉"}, {"t": "the rain in spain"}] * 12
BROKEN = [{"t": "ok"}, {"u": 1}, {"t": "ok"}, {"t": 3}]


def rows(path, content):
    path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    return str(path)


def make(data, **model):
    settings = {"hidden": 8, "layers": 1, "dropout": 0.0, **model}
    return LanguageModelingTask(LanguageModelConfig.model_validate({"data": {"bptt": 8, **data}, "model": settings}))


@pytest.fixture
def records(tmp_path):
    """A task on records, with a test file of its own that has rows without text."""
    return make(
        {
            "data": [rows(tmp_path / "train.jsonl", [*ROWS, *BROKEN])],
            "test": [rows(tmp_path / "test.jsonl", BROKEN)],
            "text": "t",
            "on_error": "skip",
            "valid_share": 0.1,
        }
    )


def test_rows_that_are_left_out_are_reported_for_every_file(records, tmp_path):
    notes = records.prepare().notes
    assert [("train.jsonl" in note, "test.jsonl" in note) for note in notes] == [(True, False)] * 2 + [
        (False, True)
    ] * 2
    assert all("left out: " in note for note in notes)
    model = records.predictor(records.build_network())
    assert records.evaluate(model, None, lambda _: None, baselines=False)["skipped"] == 2
    notes = []
    many = rows(tmp_path / "many.jsonl", [{"t": "ok"}, *[{"u": 1}] * 9])
    assert records.evaluate(model, [many], notes.append, baselines=False)["skipped"] == 9
    assert sum("left out: " in note for note in notes) == 6 and any("4 more" in note for note in notes)
    whole = rows(tmp_path / "whole.jsonl", ROWS)
    assert "skipped" not in records.evaluate(model, [whole], notes.append, baselines=False)


def test_plain_text_for_a_run_on_records_is_cut_at_blank_lines_and_that_is_reported(records, tmp_path):
    records.prepare()
    (tmp_path / "plain.txt").write_text("the cat\nsat\n\nthe rain\n")
    notes = []
    split = read_split(
        [str(tmp_path / "plain.txt")], records.config.data, records.preprocessor.vocabulary, notes.append
    )
    assert split.texts == ["the cat\nsat", "the rain"] and not split.continuous
    assert len(notes) == 1 and "blank lines" in notes[0]


def test_no_other_mistake_is_read_as_plain_text(records):
    records.prepare()
    with pytest.raises(UsageError, match="empty"):
        read_split([" "], records.config.data, records.preprocessor.vocabulary)


def test_the_name_of_a_data_set_is_its_test_files(tmp_path, monkeypatch):
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 30)
    task = make({"data": [str(tmp_path / "text.txt")]})
    task.prepare()
    found = type("Found", (), {"test": [tmp_path / "text.txt"], "paths": [], "settings": {}})
    monkeypatch.setattr("recurra.data.datasets.locate.locate", lambda name: found if name == "ptb" else None)
    assert read_split(["ptb"], task.config.data, task.preprocessor.vocabulary).texts == [
        "the cat sat on the mat\n" * 30
    ]


@pytest.mark.parametrize("part", ["data", "valid", "test"])
def test_standard_input_cannot_be_read_again(part):
    assert make({"data": ["a"]}).rereadable
    assert not make({"data": ["a"], part: ["-"]}).rereadable


def test_how_words_are_cut_belongs_to_words(tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 30)
    with pytest.raises(UsageError, match=r"words: .* the unit is char"):
        make({"data": [str(tmp_path / "text.txt")], "words": "space"}).prepare()


@pytest.mark.parametrize(("unit", "unknown"), [("word", True), ("word", False), ("char", True)])
def test_bits_of_the_text_are_given_only_where_the_text_is_predicted(tmp_path, unit, unknown):
    """A model of words that predicts <unk> has not predicted which word; characters that are unknown are spelt in bytes."""
    (tmp_path / "text.txt").write_text("the cat sat on the mat\n" * 40)
    (tmp_path / "test.txt").write_text("the zebra sat on the cat\n" if unknown else "the cat sat\n")
    task = make({"data": [str(tmp_path / "text.txt")], "test": [str(tmp_path / "test.txt")], "unit": unit})
    task.prepare()
    result = task.evaluate(task.predictor(task.build_network()), None, lambda _: None)
    given = [{"bits_per_char", "bits_per_byte"} & set(m) for m in [result["metrics"], *result["baselines"].values()]]
    assert all(len(bits) == (0 if unit == "word" and unknown else 2) for bits in given)
    assert result["metrics"]["nll"] > 0
