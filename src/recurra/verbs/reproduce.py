"""`recurra reproduce [NAME]`."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from recurra.runs.recipes import Measured, Outcome, Part, Recipe, load_recipe, recipe_names
from recurra.verbs.base.options import Json, Quiet, note, print_json, print_line

if TYPE_CHECKING:
    from recurra.metrics import Metric
    from recurra.runs.run import Run  # slow to load, and a list need not wait

POSITION = 80


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
    """Run a recipe from beginning to end, and compare its figure with the published one.

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
        _show(outcome)
    note(f"run: {folder}" + (f"   report: {folder / 'report.html'}" if len(outcome.measured) == 1 else ""))
    if not outcome.reached:
        raise typer.Exit(1)


def _show(outcome: Outcome) -> None:
    target = outcome.recipe.target
    sign = "≥" if target.maximize else "≤"
    if outcome.recipe.vary:
        _show_groups(outcome)
    elif len(outcome.measured) > 1:
        for each in outcome.measured:
            print_line(f"{each.part.name}\t{each.figure:.4f}\t{sign} {each.bar:.4f}\t{each.seconds:.0f} s")
    for data, figure in outcome.by_set.items():
        print_line(f"{data}: {target.metric} {figure:.4g}, to reach {sign} {outcome.recipe.each[data]:g}")
    mean = f", the mean of {len(outcome.measured)}" if len(outcome.measured) > 1 else ""
    print_line(
        f"{outcome.recipe.title}: {target.metric} {outcome.figure:.4g}{mean}, "
        f"to reach {sign} {outcome.bar:.4g} ({target.source})"
    )
    allowed = f" of {target.minutes:g} min allowed" if target.minutes else ""
    print_line(f"trained in {outcome.seconds / 60:.1f} min{allowed}: {'reached' if outcome.reached else 'NOT reached'}")


def _show_groups(outcome: Outcome) -> None:
    """Set what each combination of data and settings gave in a row: over its seeds the mean and the best, or median and best of the other metrics."""
    from recurra.metrics import get_metric

    target, also = get_metric(outcome.recipe.target.metric), [get_metric(name) for name in outcome.recipe.also]
    table = Table(box=None, pad_edge=False)
    for heading in ("", "trainings", f"{target.title}: mean", "best", *(word for one in also for word in (f"{one.title}: median", "best"))):  # fmt: skip
        table.add_column(heading, justify="right" if heading else "left")
    for group, measured in outcome.by_group.items():
        values = [each.figure for each in measured]
        row = [group, str(len(measured)), target.format(fmean(values)), target.format(_best(target, values))]
        for metric in also:
            values = [each.also[metric.key] for each in measured if metric.key in each.also]
            row += [metric.format(median(values)), metric.format(_best(metric, values))] if values else ["", ""]
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _best(metric: Metric, values: list[float]) -> float:
    return min(values) if metric.lower_is_better else max(values)


def _run(recipe: Recipe, folder: Path, seed: int | None, resume: bool, quiet: bool) -> Outcome:
    parts = recipe.parts(seed)
    if len(parts) == 1:
        return Outcome(recipe, [_train(recipe, parts[0], folder, seed, resume, quiet)])
    measured = []
    for number, part in enumerate(parts, 1):
        note(f"{recipe.name} {number} of {len(parts)}: {part.name}")
        measured.append(_train_one_of_many(recipe, part, folder / part.name, resume, quiet))
    return Outcome(recipe, measured)


def _train_one_of_many(recipe: Recipe, part: Part, folder: Path, resume: bool, quiet: bool) -> Measured:
    """Train one of several; resumed, those that have ended are read, and those that have not been started are started."""
    from recurra.runs.run import Run

    if resume and (folder / "manifest.json").is_file():
        run = Run.load(folder)
        if run.events("end")[-1]["reason"] != "interrupted":
            recipe.check_run(folder, part.settings["seed"])
            return _measured(recipe, part, run)
    return _train(recipe, part, folder, part.settings["seed"], resume and (folder / "config.toml").is_file(), quiet)


def _train(recipe: Recipe, part: Part, folder: Path, seed: int | None, resume: bool, quiet: bool) -> Measured:
    from recurra import api

    if resume:
        if (folder / "config.toml").is_file():
            recipe.check_run(folder, seed)
        run = api.resume(folder, quiet=quiet)
    else:
        run = api.train(recipe.task, part.data, folder, quiet=quiet, **part.settings)
    return _measured(recipe, part, run)


def _measured(recipe: Recipe, part: Part, run: Run) -> Measured:
    from recurra.errors import UsageError

    end = run.events("end")[-1]
    if end["reason"] == "interrupted" or run.evaluation is None:
        raise UsageError(
            f"{recipe.name}: was interrupted; go on with `recurra reproduce {recipe.name} --resume -o {run.path}`"
        )
    target, evaluation = recipe.target, run.evaluation
    if target.metric not in evaluation["metrics"]:
        raise UsageError(f"metric: expected one of {', '.join(evaluation['metrics'])}; got {target.metric!r}")
    metrics = evaluation["metrics"]
    also = {name: metrics[name] for name in recipe.also if name in metrics}
    return Measured(part, metrics[target.metric], target.bar(evaluation), end["seconds"], also)


def _list(recipes: list[Recipe], json: bool) -> None:
    if json:
        for recipe in recipes:
            print_json(recipe.model_dump())
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("recipe", "what", "to reach", "source"):
        table.add_column(heading)
    for recipe in recipes:
        table.add_row(*map(Text, (recipe.name, recipe.title, recipe.target.in_words(), recipe.target.source)))
    Console(highlight=False).print(table)


def register(root: typer.Typer) -> None:
    root.command("reproduce")(reproduce)
