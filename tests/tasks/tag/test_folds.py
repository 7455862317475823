"""Cross-validation of a tagger: each sentence is tested in one fold, and in no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import recurra
from recurra.errors import UsageError
from recurra.runs.config import configure
from recurra.tasks import get_task


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.conll"
    path.write_text("\n".join(f"no{n}\tPER\nsits\tO\n" for n in range(60)))
    return path


def read(path: Path, **given: Any) -> Any:
    configuration = configure("tag", {"data": [str(path)]}, given)
    task: Any = get_task("tag")(configuration.settings)
    task.prepare()
    return task.dataset


def test_each_sentence_is_tested_once(names: Path) -> None:
    tested: list[str] = []
    for fold in (1, 2, 3):
        dataset = read(names, folds=3, fold=fold, valid_share=0.2)
        splits = {name: {words[0] for words in split.sequences} for name, split in dataset.splits.items()}
        assert sum(map(len, splits.values())) == 60 and not splits["train"] & splits["test"]
        tested += splits["test"]
    assert sorted(tested) == sorted(f"no{n}" for n in range(60))


def test_a_fold_is_measured_and_one_that_is_not_there_is_refused(names: Path, tmp_path: Path) -> None:
    settings = {"hidden": 4, "epochs": 1, "quiet": True}
    run = recurra.train("tag", names, tmp_path / "run", folds=3, fold=2, **settings)
    assert run.evaluation is not None
    assert run.evaluation["count"] == 2 * len(read(names, folds=3, fold=2).test)
    with pytest.raises(UsageError, match="fold: expected 1 to 3, got 4"):
        read(names, folds=3, fold=4)
    with pytest.raises(UsageError, match="leave out --test"):
        read(names, folds=3, test=[str(names)])
