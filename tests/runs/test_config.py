"""Settings: one name each, from the lowest layer to the highest, into a file and back."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import create_model

from recurra.errors import RunError, UsageError
from recurra.runs.config import configure, fields, load_configuration, read_settings, sections
from recurra.tasks import Settings, get_task, task_names
from recurra.verbs.base.flags import takes_list


@pytest.mark.parametrize("task", task_names())
def test_every_setting_has_a_name_of_its_own_and_says_what_it_is(task: str) -> None:
    names = Counter(name for kind in sections(task).values() for name in kind.model_fields)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(field.description for _, field in fields(task).values())
    assert not set(names) & {"config", "out", "quiet", "resume", "set"}  # flags of `train` itself


def test_later_layers_outrank_earlier_ones() -> None:
    made = configure("lm", {"hidden": 1, "lr": 0.1}, {"model.hidden": 2, "weight-decay": 0.5}, {"hidden": 3})
    assert (made.settings.model.hidden, made.training.lr, made.training.weight_decay) == (3, 0.1, 0.5)  # type: ignore[attr-defined]


def test_time_and_epochs_answer_one_question() -> None:
    made = configure("lm", {"epochs": 3.0}, {"within": "5m"})
    assert (made.training.epochs, made.training.within) == (None, "5m")
    made = configure("lm", {"within": "5m"}, {"training.epochs": 3.0})
    assert (made.training.epochs, made.training.within) == (3.0, None)
    assert configure("lm", {"within": None, "epochs": 3.0}).training.epochs == 3.0
    with pytest.raises(UsageError, match="within, epochs: expected one of the two, got both"):
        configure("lm", {"within": "5m", "epochs": 3.0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hiden": 3}, "hiden: no such setting of lm; did you mean hidden?"),
        ({"model.hiden": 3}, "model.hiden: no such setting of lm; did you mean hidden?"),
        ({"data.hidden": 3}, "data.hidden: no such setting of lm; did you mean model.hidden?"),
        ({"xyzzy": 3}, "xyzzy: no such setting of lm; `recurra train lm --help` lists them"),
        ({"": 3}, ": no such setting of lm"),
        ({"hidden": "many"}, "model.hidden: input should be a valid integer"),
        ({"hidden": 0}, "model.hidden: input should be greater than or equal to 1, got 0"),
        ({"hidden": 2.5}, "model.hidden: input should be a valid integer"),
        ({"lr": "-1"}, "lr: input should be greater than 0, got '-1'"),
        ({"lr": "nan"}, "lr: input should be"),
        ({"epochs": "inf"}, "epochs: input should be a finite number, got 'inf'"),
        ({"cell": "lstn"}, "model.cell: expected one of "),
        ({"within": "soon"}, "within: expected a time such as 90s, 20m or 1h30m; got 'soon'"),
        ({"schedule": "steps"}, "schedule: expected one of cosine, linear, constant, decay; got 'steps'"),
        ({"tied": "perhaps"}, "model.tied: input should be a valid boolean"),
        ({"valid": 3}, "data.valid: input should be a valid list, got 3"),
        ({"text": ["x"] * 1000}, "data.text: input should be a valid string, got ['x', 'x'"),
    ],
)
def test_what_does_not_fit_is_said_in_one_short_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure("lm", settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


values = st.fixed_dictionaries(
    {
        "hidden": st.none() | st.integers(1, 65_536),
        "dropout": st.none() | st.floats(0, 0.999),
        "tied": st.booleans(),
        "cell": st.sampled_from(["lstm", "gru", "rnn"]),
        "text": st.none() | st.text(),
        "valid": st.lists(st.text()),
        "lr": st.none() | st.floats(1e-300, 1e30),
        "epochs": st.none() | st.floats(1e-9, 1e9),
        "seed": st.integers(0, 2**63 - 1),
        "checkpoint_seconds": st.floats(0),
    }
)


@examples(deadline=None)  # each writes a file
@given(settings=values)
def test_a_configuration_comes_back_from_its_file(settings: dict[str, Any], tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("config") / "config.toml"
    made = configure("lm", settings)
    path.write_text(made.to_toml(), encoding="utf-8")
    assert load_configuration(path) == made
    assert configure("lm", read_settings(path, "lm")) == made


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[model]\nhidden = ", "not valid TOML"),
        (b"\xff\xfe", "not valid TOML"),
        (b"hidden = 3", "hidden: expected in a section, one of data, model, training"),
        (b"[model]\nhiden = 3", "config.toml: model.hiden: no such setting of lm; did you mean hidden?"),
        (b"[modl]\nhidden = 3", "config.toml: modl.hidden: no such setting of lm; did you mean model.hidden?"),
        (b"[model]\nhidden = 'x'", "config.toml: model.hidden: input should be a valid integer"),
        (b"task = 'tag'", "is the configuration of a tag run, not of lm"),
        (b"[training]\nwithin = '5m'\nepochs = 2", "config.toml: within, epochs: expected one of the two"),
    ],
)
def test_a_file_that_does_not_fit_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_settings(path, "lm")
    assert "config.toml" in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read: No such file"):
        read_settings(tmp_path / "none.toml", "lm")
    with pytest.raises(RunError, match=r"none\.toml: cannot be read: No such file"):
        load_configuration(tmp_path / "none.toml")


def test_lists_are_known() -> None:
    assert [name for name, (_, field) in fields("lm").items() if takes_list(field)] == [
        "data",
        "valid",
        "test",
        "from_run",
    ]


def test_clipping_can_be_left_out() -> None:
    assert configure("lm", {"clip": "inf"}).training.clip == float("inf")


def test_a_setting_with_the_name_of_a_training_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = create_model("Inner", __base__=Settings, lr=(int, 1))
    config = create_model("Twice", __base__=Settings, model=(inner, inner()))
    monkeypatch.setattr(get_task("lm"), "Config", config)
    with pytest.raises(UsageError, match=r"lm: expected one setting named lr, got two: model\.lr and training\.lr"):
        fields("lm")
