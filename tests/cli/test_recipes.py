"""Recipes of several trainings: data sets, folds and seeds, and a bar for their mean or for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from recurra.cli import app
from recurra.errors import UsageError
from recurra.runs.recipes import Measured, Outcome, Part, Recipe, Target, load_recipe, recipe_names


def recipe(**changes: object) -> Recipe:
    target = {"metric": "accuracy", "at_least": 0.9, "source": "nobody"}
    whole = {"name": "x", "title": "X", "task": "classify", "data": "digits", "target": target, "settings": {}}
    return Recipe.model_validate({**whole, **changes})


def test_every_recipe_of_the_project_is_well_formed() -> None:
    from recurra.runs.config import configure

    assert len(recipe_names()) > 10
    for name in recipe_names():
        read = load_recipe(name)
        for part in read.parts():
            configure(read.task, part.settings)


def test_parts_are_the_product_of_sets_folds_and_seeds() -> None:
    assert [part.name for part in recipe().parts()] == [""]
    many = recipe(data=["digits", "gun-point"], seeds=[1, 2])
    assert [part.name for part in many.parts()] == [
        "digits-seed-1",
        "digits-seed-2",
        "gun-point-seed-1",
        "gun-point-seed-2",
    ]
    assert [part.settings for part in recipe(folds=2).parts(7)] == [
        {"seed": 7, "folds": 2, "fold": 1},
        {"seed": 7, "folds": 2, "fold": 2},
    ]
    assert [part.settings["seed"] for part in recipe(seeds=[4, 5]).parts()] == [4, 5]


def test_bars_above_and_below() -> None:
    above = Target(metric="accuracy", baseline="majority", above=0.0, source="-")
    bar = above.bar({"baselines": {"majority": {"accuracy": 0.6}}})
    assert (above.reached(0.6, bar), above.reached(0.61, bar)) == (False, True)
    assert not Target(metric="nll", at_most=1.0, source="-").reached(1.1, 1.0)
    for wrong in ({}, {"at_most": 1.0, "at_least": 1.0}, {"baseline": "majority"}, {"above": 0.1}):
        with pytest.raises(ValidationError, match="expected one of at_most and at_least, or a baseline"):
            Target.model_validate({"metric": "nll", "source": "-", **wrong})


def test_the_mean_and_each_bar_and_the_time_have_to_be_reached() -> None:
    target = {"metric": "accuracy", "at_least": 0.9, "minutes": 1, "source": "nobody"}
    both = recipe(data=["digits", "gun-point"], each={"digits": 0.95}, target=target)
    digits, gun = (Part(name, name, {}) for name in ("digits", "gun-point"))

    def outcome(one: float, other: float, seconds: float = 20.0) -> Outcome:
        return Outcome(both, [Measured(digits, one, 0.9, seconds), Measured(gun, other, 0.9, seconds)])

    assert outcome(0.96, 0.86).reached
    assert not outcome(0.94, 0.99).reached  # digits has a bar of its own
    assert not outcome(0.96, 0.80).reached  # the mean
    assert not outcome(0.96, 0.90, 40.0).reached  # the time of both together
    assert [part["name"] for part in outcome(1.0, 1.0).to_json()["parts"]] == ["digits", "gun-point"]


def test_many_trainings_are_resumed_where_they_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recurra.runs.recipes.folder", lambda: tmp_path)
    rows = "".join(f"a {word} day {n},{word}\n" for n in range(40) for word in ("fine", "grey"))
    (tmp_path / "days.csv").write_text("text,label\n" + rows)
    where = json.dumps(str(tmp_path / "days.csv"))
    (tmp_path / "days.toml").write_text(
        f'title = "Days"\ntask = "classify"\ndata = {where}\nfolds = 2\n'
        '[target]\nmetric = "accuracy"\nat_least = 0.0\nsource = "nobody"\n'
        "[settings]\nhidden = 4\nembedding = 4\nepochs = 1\nbatch = 8\n"
    )
    out = tmp_path / "runs"
    first = CliRunner().invoke(app, ["reproduce", "days", "-o", str(out), "-q", "--json"], catch_exceptions=False)
    assert first.exit_code == 0, first.output
    kept = {path: path.read_bytes() for path in (out / "fold-1").rglob("*") if path.is_file()}
    for path in sorted((out / "fold-2").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (out / "fold-2").rmdir()
    again = CliRunner().invoke(app, ["reproduce", "days", "-o", str(out), "-q", "--json", "--resume"])
    resumed, before = json.loads(again.stdout), json.loads(first.stdout)
    assert resumed["figure"] == before["figure"]
    assert {path: path.read_bytes() for path in kept} == kept


def test_what_a_recipe_cannot_be_measured_by() -> None:
    target = Target(metric="accuracy", baseline="1-nn", above=0.0, source="-")
    with pytest.raises(UsageError, match="baseline: expected 1-nn with accuracy among those measured; got majority"):
        target.bar({"baselines": {"majority": {"accuracy": 0.5}}})
    with pytest.raises(ValidationError, match="each: expected names among the data, digits; got letters"):
        recipe(each={"letters": 0.9})
    with pytest.raises(ValidationError, match="at least 1 item"):
        recipe(data=[])
