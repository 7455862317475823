"""`recurra reproduce [NAME]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recurra.cli.options import Json, Quiet, note, print_json, print_line
from recurra.recipe import Outcome, Recipe, load_recipe, recipe_names


def reproduce(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A recipe; without one they are listed.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="RUN", help="The run folder. Default: runs/NAME.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Another seed than the recipe's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a recipe that was interrupted.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run a recipe from beginning to end, and print its figure beside the published one.

    Exit status 1 when the figure is not reached. recipes/RESULTS.md holds what was measured for each.

    [bold]Examples[/bold]

    recurra reproduce

    recurra reproduce ptb-small
    """
    if name is None:
        _list([load_recipe(known) for known in recipe_names()], json)
        return
    recipe = load_recipe(name)
    folder = out or Path("runs") / name
    outcome = _run(recipe, folder, seed, resume, quiet)
    if json:
        print_json(outcome.to_json())
    else:
        target = recipe.target
        print_line(
            f"{recipe.title}: {target.metric} {outcome.figure:.4g}, to reach ≤ {outcome.bar:.4g} ({target.source})"
        )
        allowed = f" of {target.minutes:g} min allowed" if target.minutes else ""
        print_line(
            f"trained in {outcome.seconds / 60:.1f} min{allowed}: {'reached' if outcome.reached else 'NOT reached'}"
        )
    note(f"run: {folder}   report: {folder / 'report.html'}")
    if not outcome.reached:
        raise typer.Exit(1)


def _run(recipe: Recipe, folder: Path, seed: int | None, resume: bool, quiet: bool) -> Outcome:
    from recurra import fit
    from recurra.errors import UsageError

    settings: dict[str, Any] = {**recipe.settings, **({"seed": seed} if seed is not None else {})}
    if resume:
        if (folder / "config.toml").is_file():
            recipe.check_begun(folder, seed)
        run = fit.resume(folder, quiet=quiet)
    else:
        run = fit.train(recipe.task, recipe.data, folder, quiet=quiet, **settings)
    end = run.events("end")[-1]
    if end["reason"] == "interrupted" or run.evaluation is None:
        raise UsageError(
            f"{recipe.name}: was interrupted; go on with `recurra reproduce {recipe.name} --resume -o {folder}`"
        )
    evaluation = run.evaluation
    return Outcome(recipe, evaluation["metrics"][recipe.target.metric], recipe.target.bar(evaluation), end["seconds"])


def _list(recipes: list[Recipe], json: bool) -> None:
    if json:
        for recipe in recipes:
            print_json(recipe.model_dump())
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("recipe", "what", "to reach", "source"):
        table.add_column(heading)
    for recipe in recipes:
        target = recipe.target
        bar = f"≤ {target.at_most:g}" if target.at_most is not None else f"{target.below:.0%} below {target.baseline}"
        minutes = f" in {target.minutes:g} min" if target.minutes else ""
        table.add_row(*map(Text, (recipe.name, recipe.title, f"{target.metric} {bar}{minutes}", target.source)))
    Console(highlight=False).print(table)
