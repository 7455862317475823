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

    With --json each unit's own comes too. --rank sorts candidates, the likeliest first.

    [bold]Examples[/bold]

    recurra score runs/novel -t "that was phenomenal" -t "phenomenal was that" --rank

    recurra score runs/novel sentences.txt --json
    """
    check_one_source(text, source)
    loaded = load_run(run, device)
    pipe = None if text or source != "-" else standard_pipe()
    lines = enumerate(text, 1) if text else read_numbered_lines(source, pipe=pipe)
    name = input_name(text, source)
    if rank:
        _print(sorted(_scores(loaded, list(lines), name), key=_rank), json)
        return
    for batch in together(lines, LINES_PER_BATCH, None if pipe is None else pipe.waits):
        _print(_scores(loaded, batch, name), json)


def _scores(run: Run, lines: list[tuple[int, str]], name: str) -> list[dict[str, Any]]:
    try:
        with still_at_it("scoring"):
            return run.score([text for _, text in lines])
    except DataError as error:
        if error.source is not None or error.row is None:
            raise
        raise DataError(error.problem, source=name, line=lines[error.row - 1][0]) from None


def _rank(result: dict[str, Any]) -> tuple[bool, float]:
    # Nothing is certain to follow nothing: a blank line among the candidates would win against all of them.
    return not result["text"].strip(), -result["log_prob_per_unit"]


def _print(results: list[dict[str, Any]], json: bool) -> None:
    for result in results:
        if json:
            print_json(result)
        else:
            print_line(f"{result['log_prob']:.4f}\t{result['log_prob_per_unit']:.4f}\t{result['text']}")


def register(root: typer.Typer) -> None:
    root.command("score")(score)
