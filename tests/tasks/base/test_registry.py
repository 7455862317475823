"""Tasks are found by their names, and only the one that is asked for is waited for."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import create_model

from recurra.errors import UsageError
from recurra.tasks import Settings, get_task, register_task, task_names
from recurra.tasks.base import registry

LOADED = """
import sys
from recurra.tasks import get_task
{call}
print(*sorted(name for name in sys.modules if name.startswith("recurra.tasks.") and name.endswith(".task")))
"""


def loaded(call: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(call=call)], capture_output=True, text=True, check=True, timeout=120
    )
    return [name.split(".")[2] for name in done.stdout.split()]


def test_a_task_is_loaded_without_the_others() -> None:
    assert set(loaded("get_task('lm')")) == {"base", "lm"}


def test_all_are_loaded_to_be_listed() -> None:
    listed = loaded("from recurra.tasks import task_names; assert task_names() == sorted(task_names())")
    assert set(listed) >= set(task_names())


@pytest.mark.parametrize("name", ["juggle", "", "base", "sequence", "lm.task", "../lm", "LM"])
def test_an_unknown_task_is_one_clear_line(name: str) -> None:
    with pytest.raises(
        UsageError,
        match=r"task: expected one of caption, classify, .*, grammar, lm, music, pixels, strokes, tag, transcribe, translate; got ",
    ) as caught:
        get_task(name)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_after_it_registered_its_task_fails_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = get_task("lm")

    def fail(_: str) -> None:
        register_task(type("Half", (lm,), {"name": "half"}))
        raise ImportError("of something that it needs")

    monkeypatch.setattr(registry, "_modules", lambda: ["recurra.tasks.half"])
    monkeypatch.setattr(registry.importlib, "import_module", fail)
    for _ in range(2):
        with pytest.raises(ImportError, match="of something that it needs"):
            get_task("half")


@pytest.mark.parametrize(
    ("section", "name", "reason"),
    [
        ("model", "out", "strange: model.out: expected another name, for `recurra train` has an option out"),
        ("model", "task", "strange: model.task: expected another name"),
        ("training", "width", "strange: expected another name for the section training"),
    ],
)
def test_a_name_that_is_taken_is_refused_at_once(section: str, name: str, reason: str) -> None:
    inner = create_model("Inner", __base__=Settings, **{name: (int, 1)})
    config = create_model("Strange", __base__=Settings, **{section: (inner, inner())})
    with pytest.raises(ValueError, match=reason):
        register_task(type("Strange", (get_task("lm"),), {"name": "strange", "Config": config}))
