"""Any value in any place of any file of a run folder: a result, or one line that names the file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from tests.runs.strangers import (
    GOLDEN,
    MADE,
    MUTATIONS,
    MUTATORS,
    RUNS,
    SMALL,
    copied,
    held,
    sign,
    use,
)

import recurra
from recurra.runs.manifest import MANIFEST


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("made")
    for name, (task, data, settings) in MADE.items():
        recurra.train(task, GOLDEN / "data" / data, folder / name, **SMALL, **settings)
    return {**{name: GOLDEN / "runs" / name for name in RUNS}, **{name: folder / name for name in MADE}}


@pytest.mark.parametrize("name", [*RUNS, *MADE])
def test_any_value_in_any_file_is_a_result_or_one_line(sources: dict[str, Path], tmp_path: Path, name: str) -> None:
    chance, refused = random.Random(name), 0
    use(copied(sources[name], tmp_path / "whole"))
    for _ in range(MUTATIONS):
        run = copied(sources[name], tmp_path / "run")
        path = chance.choice(
            sorted(path for path in run.iterdir() if path.suffix in MUTATORS and path.name != MANIFEST)
        )
        what = f"{name}, {path.name}: {MUTATORS[path.suffix](path, chance)}"
        sign(run)
        refused += held(run, what)
    assert refused > MUTATIONS / 4
