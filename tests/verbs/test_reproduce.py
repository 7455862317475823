"""`recurra reproduce --resume` goes on with the recipe's own run, and with no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recurra.cli import app
from recurra.errors import RunError, UsageError
from recurra.runs.recipes import load_recipe

Write = Callable[..., None]


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write recipes whose data is a small file."""
    monkeypatch.setattr("recurra.runs.recipes.folder", lambda: tmp_path)
    for name in ("verse", "prose"):
        (tmp_path / f"{name}.txt").write_text("the rain in spain falls mainly on the plain\n" * 30)

    def write(name: str, data: str = "verse", hidden: int = 8) -> None:
        target = '[target]\nmetric = "nll"\nat_most = 5.76\nsource = "nobody"\n'
        settings = f"[settings]\nhidden = {hidden}\nlayers = 1\nepochs = 1\nwindow = 16\nbatch = 4\nseed = 1\n"
        where = json.dumps(str(tmp_path / f"{data}.txt"))
        (tmp_path / f"{name}.toml").write_text(
            f'title = "Verse"\ntask = "lm"\ndata = {where}\n{target}{settings}', encoding="utf-8"
        )

    return write


def reproduce(*arguments: object) -> dict:
    given = ["reproduce", *map(str, arguments), "-q", "--json"]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_recipe_goes_on_with_its_own_run_only(tmp_path: Path, recipes: Write) -> None:
    recipes("own")
    reproduce("own", "-o", tmp_path / "run", "--seed", 3)
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    for extra in ([], ["--seed", 3]):
        # It is the right one, but has ended.
        with pytest.raises(UsageError, match="nothing to resume"):
            reproduce("own", "--resume", "-o", tmp_path / "run", *extra)
    recipes("wider", hidden=16)
    recipes("other", data="prose")
    for name, extra, message in (
        ("own", ["--seed", 4], "seed: .* was started with 3, got 4"),
        ("wider", [], "expected a run of wider, with hidden = 16; got hidden = 8"),
        ("other", [], "expected a run of other, on .*prose.txt; got one on .*verse.txt"),
    ):
        with pytest.raises(UsageError, match=message):
            reproduce(name, "--resume", "-o", tmp_path / "run", *extra)
    assert {path: path.read_bytes() for path in before} == before


def test_a_run_of_a_data_set_belongs_by_its_name(tmp_path: Path, recipes: Write) -> None:
    recipes("own")
    recipe = load_recipe("own").model_copy(update={"data": "tinyshakespeare"})
    (tmp_path / "config.toml").write_text(
        'task = "lm"\n[data]\ndata = ["/a/input.txt"]\nname = "tinyshakespeare"\n'
        "[model]\nhidden = 8\nlayers = 1\n[training]\nepochs = 1.0\nbatch = 4\n",
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match="bptt = 16"):  # the data is right, a setting is not
        recipe.check_run(tmp_path)
    with pytest.raises(UsageError, match="on ptb"):
        recipe.model_copy(update={"data": "ptb"}).check_run(tmp_path)


def test_where_nothing_was_begun_it_says_so(tmp_path: Path, recipes: Write) -> None:
    recipes("own")
    with pytest.raises(RunError, match="expected a run folder to go on with"):
        reproduce("own", "--resume", "-o", tmp_path / "nothing")
