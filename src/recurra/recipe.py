"""Recipes: a data set, the settings, and the figure that they should reach."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from recurra.errors import UsageError

if TYPE_CHECKING:
    from recurra.configuration import Configuration  # at run time it brings torch, for which a list need not wait


class Target(BaseModel):
    """The figure to reach: `at_most` a value, or a share `below` the same figure of a baseline; and in how many minutes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    at_most: float | None = None
    baseline: str | None = None
    below: float | None = Field(default=None, gt=0, lt=1)
    minutes: float | None = Field(default=None, gt=0)
    source: str

    @model_validator(mode="after")
    def _one_bar(self) -> Self:
        if (self.at_most is None) == (self.below is None) or (self.below is None) != (self.baseline is None):
            raise ValueError("expected at_most, or below and baseline")
        return self

    def bar(self, evaluation: dict[str, Any]) -> float:
        """Give the value that may not be exceeded.

        >>> target = Target(metric="perplexity", baseline="bigram", below=0.25, source="-")
        >>> target.bar({"baselines": {"bigram": {"perplexity": 8.0}}})
        6.0
        """
        if self.at_most is not None:
            return self.at_most
        return evaluation["baselines"][self.baseline][self.metric] * (1 - (self.below or 0))


class Recipe(BaseModel):
    """One file of the folder recipes/."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    task: str
    data: str
    target: Target
    settings: dict[str, Any]

    def check_begun(self, folder: Path, seed: int | None = None) -> None:
        """Raise `UsageError` unless the run in a folder was begun by this recipe, and with the seed if one is named."""
        from recurra.configuration import configure, fields, load_configuration

        begun = load_configuration(folder / "config.toml")
        hint = f"leave --resume out and name another folder with -o to begin {self.name} anew"
        if begun.task != self.task:
            raise UsageError(f"{folder}: expected a run of {self.name}, got one of the task {begun.task}; {hint}")
        known = fields(self.task)
        wanted = configure(self.task, self.settings)

        def value(of: Configuration, name: str) -> Any:
            section = known[name][0]
            return getattr(of.training if section == "training" else getattr(of.settings, section), name)

        data = [value(begun, "name"), *value(begun, "data")]
        if self.data not in data and str(Path(self.data).absolute()) not in data:
            got = ", ".join(str(each) for each in data if each)
            raise UsageError(f"{folder}: expected a run of {self.name}, on {self.data}; got one on {got}; {hint}")
        # Another seed is no other recipe: `--seed` may have been there when it was begun.
        names = {name.rpartition(".")[2] for name in self.settings} - {"seed"}
        different = [name for name in sorted(names) if value(begun, name) != value(wanted, name)]
        if different:
            name = different[0]
            raise UsageError(
                f"{folder}: expected a run of {self.name}, with {name} = {value(wanted, name)}; "
                f"got {name} = {value(begun, name)}; {hint}"
            )
        if seed is not None and seed != begun.training.seed:
            raise UsageError(
                f"seed: {folder} was begun with {begun.training.seed}, got {seed}; leave --seed out, or {hint}"
            )


@dataclass(frozen=True)
class Outcome:
    """What a recipe gave: the figure, the bar it was held to, and how long the training took."""

    recipe: Recipe
    figure: float
    bar: float
    seconds: float

    @property
    def reached(self) -> bool:
        minutes = self.recipe.target.minutes
        return self.figure <= self.bar and (minutes is None or self.seconds <= 60 * minutes)

    def to_json(self) -> dict[str, Any]:
        return {
            "recipe": self.recipe.name,
            "metric": self.recipe.target.metric,
            "figure": self.figure,
            "at_most": self.bar,
            "source": self.recipe.target.source,
            "seconds": round(self.seconds, 1),
            "minutes_allowed": self.recipe.target.minutes,
            "reached": self.reached,
        }


def folder() -> Path:
    """Find the recipes: inside the installed package, or in the checkout that it was installed from."""
    inside = Path(__file__).with_name("recipes")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "recipes"


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
