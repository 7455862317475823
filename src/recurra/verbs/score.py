"""`recurra score RUN [FILE|-]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recurra.errors import DataError
from recurra.verbs.base.options import (
    Device,
    Json,
    Lines,
    RunFolder,
    Texts,
    check_one_source,
    input_name,
    load_run,
    naming_run,
    print_json,
    print_line,
    read_numbered_lines,
)
from recurra.verbs.base.patience import still_at_it
from recurra.verbs.base.pipe import LINES_PER_BATCH, standard_pipe, together

if TYPE_CHECKING:
    from recurra.runs.run import Run

POSITION = 40


def score(
    run: RunFolder,
    source: Lines = "-",
    json: Json = False,
    text: Texts = None,
    rank: Annotated[bool, typer.Option("--rank", help="Likeliest first; by the log-probability of a unit.")] = False,
    device: Device = "cpu",
) -> None:
    """Give the log-probability of every line, in nats: in all, for each unit, and the text.

    A run of pixels takes pictures instead: a file, a folder or an archive of them, or lines with their names. With --json each unit's own comes too. --rank sorts candidates, the likeliest first.

    [bold]Examples[/bold]

    recurra score runs/novel -t "that was phenomenal" -t "phenomenal was that" --rank

    recurra score runs/novel sentences.txt --json

    recurra score runs/digits pictures.zip --rank
    """
    from recurra.tasks.base.capabilities import ScoresFiles

    check_one_source(text, source)
    loaded = load_run(run, device)
    known = None if text or not isinstance(loaded.predictor, ScoresFiles) else loaded.predictor.read_scored(source)
    if known is not None:
        found = _scores(loaded, list(enumerate(known, 1)), source)
        _print(sorted(found, key=_rank) if rank else found, json)
        return
    pipe = None if text or source != "-" else standard_pipe()
    lines = enumerate(text, 1) if text else read_numbered_lines(source, pipe=pipe)
    name = input_name(text, source)
    if rank:
        _print(sorted(_scores(loaded, list(lines), name), key=_rank), json)
        return
    for batch in together(lines, LINES_PER_BATCH, None if pipe is None else pipe.waits):
        _print(_scores(loaded, batch, name), json)


def _scores(run: Run, inputs: list[tuple[int, Any]], name: str) -> list[dict[str, Any]]:
    """Score numbered inputs; the number of one that cannot be scored is its line."""
    try:
        with naming_run(run.path), still_at_it("scoring"):
            return run.score([one for _, one in inputs])
    except DataError as error:
        if error.source is None:
            number = None if error.row is None else inputs[error.row - 1][0]
            problem = error.problem
        else:  # what a line names
            number = next((number for number, one in inputs if isinstance(one, str) and one == error.source), None)
            problem = str(error)
        if number is None:
            raise
        raise DataError(problem, source=name, line=number) from None


def _rank(result: dict[str, Any]) -> tuple[bool, float]:
    # Nothing is certain to follow nothing: a blank line among the candidates would win against all of them.
    return not _name(result).strip(), -result["log_prob_per_unit"]


def _print(results: list[dict[str, Any]], json: bool) -> None:
    for result in results:
        if json:
            print_json(result)
        else:
            print_line(f"{result['log_prob']:.4f}\t{result['log_prob_per_unit']:.4f}\t{_name(result)}")


def _name(result: dict[str, Any]) -> str:
    """Give what was scored: a text, or where a picture stands."""
    return result["text"] if "text" in result else result["picture"]


def register(root: typer.Typer) -> None:
    root.command("score")(score)
