"""Recipes: a data set, the settings, and the figure that they should reach."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recurra.errors import UsageError


class Target(BaseModel):
    """The figure to reach, and in how many minutes.

    It is `at_most` a value or, where more is better, `at_least` one; or measured against the same figure of a baseline on
    the same data: a share `below` it (0: no more than it has), or so much `above` it.  on_each: every training has to reach
    its own bar, not only their mean.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    at_most: float | None = None
    at_least: float | None = None
    baseline: str | None = None
    below: float | None = Field(default=None, ge=0, lt=1)
    above: float | None = Field(default=None, ge=0)
    minutes: float | None = Field(default=None, gt=0)
    on_each: bool = False
    source: str

    @model_validator(mode="after")
    def _one_bar(self) -> Self:
        given = [name for name in ("at_most", "at_least", "below", "above") if getattr(self, name) is not None]
        if len(given) != 1 or (self.baseline is not None) != (given[0] in ("below", "above")):
            raise ValueError("expected one of at_most and at_least, or a baseline with below or above")
        return self

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return self.at_least is not None or self.above is not None

    def bar(self, evaluation: dict[str, Any]) -> float:
        """Give the value that has to be reached.

        >>> target = Target(metric="perplexity", baseline="bigram", below=0.25, source="-")
        >>> target.bar({"baselines": {"bigram": {"perplexity": 8.0}}})
        6.0
        """
        fixed = self.at_most if self.at_least is None else self.at_least
        if fixed is not None:
            return fixed
        plain = evaluation["baselines"].get(self.baseline, {}).get(self.metric)
        if plain is None:
            known = ", ".join(evaluation["baselines"]) or "none"
            raise UsageError(f"baseline: expected {self.baseline} with {self.metric} among those measured; got {known}")
        return plain * (1 - self.below) if self.below is not None else plain + (self.above or 0.0)

    def reached(self, figure: float, bar: float) -> bool:
        """Tell whether a figure is as good as the bar; above a baseline means more than it has.

        >>> Target(metric="accuracy", at_least=0.9, source="-").reached(0.9, 0.9)
        True
        """
        if self.above == 0.0:
            return figure > bar
        return figure >= bar if self.maximize else figure <= bar

    def in_words(self) -> str:
        """Say the bar.

        >>> Target(metric="accuracy", at_least=0.985, minutes=10, source="-").in_words()
        'accuracy ≥ 0.985 in 10 min'
        """
        if self.below is not None:
            bar = f"{self.below:.0%} below {self.baseline}" if self.below else f"≤ {self.baseline}"
        elif self.above is not None:
            bar = f"above {self.baseline}" if not self.above else f"{self.above:g} above {self.baseline}"
        else:
            bar = f"≤ {self.at_most:g}" if self.at_least is None else f"≥ {self.at_least:g}"
        return (
            f"{self.metric} {bar}" + " on each" * self.on_each + (f" in {self.minutes:g} min" if self.minutes else "")
        )


@dataclass(frozen=True)
class Part:
    """One training of a recipe: which data, with which settings; its name tells it from the others."""

    name: str
    data: str
    settings: dict[str, Any]
    group: str = ""
    """The data set, and what the settings are that vary: what its figure is averaged with, over seeds and folds."""


class Recipe(BaseModel):
    """One file of the folder recipes/.

    data: one data set, or several whose figures are averaged.  seeds: each gives a training of its own.  folds: of a
    cross-validation, each of which is the test once.  vary: settings with several values, of which each combination is trained.
    own: settings of single data sets.  each: bars for single data sets, as in anbn, or for one of them under one
    combination, as in anbn-lstm, beside the one for the mean.  also: other metrics to show.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    task: str
    data: str | Annotated[list[str], Field(min_length=1)]
    seeds: list[int] = Field(default=[1], min_length=1)
    folds: int | None = Field(default=None, ge=2)
    vary: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    own: dict[str, dict[str, Any]] = {}
    each: dict[str, float] = {}
    also: list[str] = []
    target: Target
    settings: dict[str, Any]

    @model_validator(mode="after")
    def _bars_of_its_sets(self) -> Self:
        groups = [self._group(data, values) for data in self.sets for values in self._combinations()]
        if other := [name for name in self.each if name not in groups]:
            raise ValueError(f"each: expected names among the data, {', '.join(groups)}; got {', '.join(other)}")
        if other := [name for name in self.own if name not in self.sets]:
            raise ValueError(f"own: expected names among the data, {', '.join(self.sets)}; got {', '.join(other)}")
        return self

    def _combinations(self) -> list[dict[str, Any]]:
        return [dict(zip(self.vary, values, strict=True)) for values in product(*self.vary.values())]

    @staticmethod
    def _group(data: str, values: dict[str, Any]) -> str:
        return "-".join(map(str, [data, *values.values()]))

    @property
    def sets(self) -> list[str]:
        """The data sets."""
        return [self.data] if isinstance(self.data, str) else self.data

    def parts(self, seed: int | None = None) -> list[Part]:
        """List the trainings; seed: instead of the recipe's own."""
        seeds = self.seeds if seed is None else [seed]
        folds = [None] if self.folds is None else list(range(1, self.folds + 1))
        parts = []
        for data, values, fold, number in product(self.sets, self._combinations(), folds, seeds):
            several = len(self.sets) > 1 or bool(values)
            group = self._group(data, values)
            named = {group: several, f"fold-{fold}": fold is not None, f"seed-{number}": len(seeds) > 1}
            settings = {**self.settings, **self.own.get(data, {}), **values}
            settings["seed"] = self.settings.get("seed", number) if seed is None else number
            if len(seeds) > 1:
                settings["seed"] = number
            if fold is not None:
                settings |= {"folds": self.folds, "fold": fold}
            parts.append(Part("-".join(name for name, wanted in named.items() if wanted), data, settings, group))
        return parts

    def check_run(self, folder: Path, seed: int | None = None) -> None:
        """Raise `UsageError` unless the run in a folder was started by this recipe, and with the seed if one is named."""
        # It brings torch, for which a list need not wait.
        from recurra.runs.config import configure, fields, load_configuration, resolve_name, setting_value

        run = load_configuration(folder / "config.toml")
        hint = f"leave --resume out and name another folder with -o to start {self.name} again"
        if run.task != self.task:
            raise UsageError(f"{folder}: expected a run of {self.name}, got one of the task {run.task}; {hint}")
        known = fields(self.task)
        wanted = configure(self.task, self.settings)
        data = [setting_value(run, "name", known), *setting_value(run, "data", known)]
        if not any(one in data or str(Path(one).absolute()) in data for one in self.sets):
            got = ", ".join(str(each) for each in data if each)
            raise UsageError(
                f"{folder}: expected a run of {self.name}, on {', '.join(self.sets)}; got one on {got}; {hint}"
            )
        # Another seed is no other recipe: the run may have been given `--seed`.
        names = {resolve_name(self.task, name, known) for name in self.settings} - {"seed"}
        for name in sorted(names):
            had, expected = (setting_value(each, name, known) for each in (run, wanted))
            if had != expected:
                raise UsageError(
                    f"{folder}: expected a run of {self.name}, with {name} = {expected}; got {name} = {had}; {hint}"
                )
        if seed is not None and seed != run.training.seed:
            raise UsageError(
                f"seed: {folder} was started with {run.training.seed}, got {seed}; leave --seed out, or {hint}"
            )


@dataclass(frozen=True)
class Measured:
    """What one training of a recipe gave."""

    part: Part
    figure: float
    bar: float
    seconds: float
    also: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a recipe gave: the figure of each training, and their mean beside the bar."""

    recipe: Recipe
    measured: list[Measured]

    @property
    def figure(self) -> float:
        return fmean(each.figure for each in self.measured)

    @property
    def bar(self) -> float:
        return fmean(each.bar for each in self.measured)

    @property
    def seconds(self) -> float:
        return sum(each.seconds for each in self.measured)

    @property
    def by_set(self) -> dict[str, float]:
        """The mean figure on each data set that has a bar of its own."""
        return {
            name: fmean(each.figure for each in self.measured if name in (each.part.data, each.part.group))
            for name in self.recipe.each
        }

    @property
    def by_group(self) -> dict[str, list[Measured]]:
        """The trainings of each data set under each combination of the settings that vary."""
        found: dict[str, list[Measured]] = {}
        for each in self.measured:
            found.setdefault(each.part.group, []).append(each)
        return found

    @property
    def reached(self) -> bool:
        target = self.recipe.target
        enough = all(target.reached(figure, self.recipe.each[data]) for data, figure in self.by_set.items())
        enough = enough and (not target.on_each or all(target.reached(one.figure, one.bar) for one in self.measured))
        in_time = target.minutes is None or self.seconds <= 60 * target.minutes
        return enough and in_time and target.reached(self.figure, self.bar)

    def to_json(self) -> dict[str, Any]:
        target = self.recipe.target
        parts = [
            {"name": each.part.name, "figure": each.figure, "bar": each.bar, "seconds": round(each.seconds, 1)}
            | each.also
            for each in self.measured
        ]
        return {
            "recipe": self.recipe.name,
            "metric": target.metric,
            "figure": self.figure,
            "at_least" if target.maximize else "at_most": self.bar,
            "source": target.source,
            "seconds": round(self.seconds, 1),
            "minutes_allowed": target.minutes,
            "reached": self.reached,
            **({"parts": parts} if len(parts) > 1 else {}),
        }


def folder() -> Path:
    """Find the recipes: inside the installed package, or in the checkout that it was installed from."""
    package = Path(__file__).parents[1]
    inside = package / "recipes"
    return inside if inside.is_dir() else package.parents[1] / "recipes"


def recipe_names() -> list[str]:
    """List the recipes."""
    return sorted(path.stem for path in folder().glob("*.toml"))


def load_recipe(name: str) -> Recipe:
    """Read a recipe; raises `UsageError` for one that is not there or not well-formed."""
    path = folder() / f"{name}.toml"
    if name not in recipe_names():
        raise UsageError(f"recipe: expected one of {', '.join(recipe_names())}; got {name!r}")
    try:
        return Recipe.model_validate({"name": name, **tomllib.loads(path.read_text(encoding="utf-8"))})
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(f"{path.name}: {error}") from None
