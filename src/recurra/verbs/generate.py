"""`recurra generate RUN [PROMPTS|-]`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from recurra.errors import UsageError
from recurra.tasks.base.options import GenerateOptions, read_options
from recurra.verbs.base.drawings import write_drawings
from recurra.verbs.base.music import write_music
from recurra.verbs.base.options import (
    Device,
    Json,
    RunFolder,
    load_run,
    naming_run,
    note,
    print_json,
    print_line,
    read_lines,
    warn,
)
from recurra.verbs.base.patience import still_at_it
from recurra.verbs.base.pictures import write_pictures
from recurra.verbs.base.run_command import RunCommand, given_options

if TYPE_CHECKING:
    from recurra.tasks.base.capabilities import Chunk, Generates, GeneratesWhole

POSITION = 50


class GenerateCommand(RunCommand):
    attribute, usual = "GenerateOptions", GenerateOptions


def generate(
    context: typer.Context,
    run: RunFolder,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[PROMPTS|-]",
            help="A file with a prompt a line, which are continued together; - is standard input.",
            show_default=False,
        ),
    ] = None,
    prompt: Annotated[
        list[str] | None, typer.Option("--prompt", "-p", help="Text to continue; may be repeated.", show_default=False)
    ] = None,
    json: Json = False,
    device: Device = "cpu",
) -> None:
    """Write new text; it appears as it is made.

    Without a prompt the text begins as those that were learnt from do. A run of pixels writes pictures, new ones or
    completions of a given one; one of music composes, one of strokes draws and writes by hand. `recurra generate RUN --help`
    lists what this run takes.

    [bold]Examples[/bold]

    recurra generate runs/shakespeare -p "ROMEO:" --temperature 0.8

    recurra generate runs/tang -n 5 --seed 7

    recurra generate runs/shakespeare -p "To be" --beam 8 --length 60

    recurra generate runs/novel prompts.txt --json

    recurra generate runs/digits -n 16 -o new.png

    recurra generate runs/digits --from half.png -n 4 -o whole.png

    recurra generate runs/tunes --bars 16 --key "D minor" -o tune.mid --wav tune.wav

    recurra generate runs/kanji -n 9 -o grid.svg
    """
    from recurra.tasks.base.capabilities import Generates, GeneratesWhole

    if prompt and source is not None:
        raise UsageError(
            f"prompt: expected --prompt or a file, got both (--prompt and {source}); leave one of them out"
        )
    predictor = load_run(run, device).predictor
    if isinstance(predictor, GeneratesWhole):
        with naming_run(run):
            _write_whole(predictor, bool(prompt) or source is not None, given_options(context), json)
        return
    if not isinstance(predictor, Generates):
        raise UsageError(f"generate: a run of {predictor.name!r} writes nothing; ask it with `recurra predict`")
    options = read_options(predictor.GenerateOptions, given_options(context), predictor.name)
    prompts = prompt or ([""] if source is None else list(read_lines(source)))
    for text in prompts:
        warn(predictor, text)
    with naming_run(run):
        _write(predictor, prompts, options, json)


def _write_whole(predictor: GeneratesWhole, prompted: bool, given: dict[str, Any], json: bool) -> None:
    from recurra.tasks.base.capabilities import Composes, GeneratesDrawings

    write: Callable[..., None] = write_pictures
    how = "complete a picture with --from PICTURE"
    if isinstance(predictor, GeneratesDrawings):
        write, how = write_drawings, "finish a drawing with --continue FILE"
    elif isinstance(predictor, Composes):
        write, how = write_music, "go on with a piece with --from FILE"
    if prompted:
        raise UsageError(f"prompt: a run of {predictor.name} begins with no text; {how}")
    write(cast(Any, predictor), given, json=json)


def _write(predictor: Generates, prompts: Sequence[str], options: GenerateOptions, json: bool) -> None:
    if options.beam is not None:
        with still_at_it("searching"):
            found = predictor.beam_search(prompts, options)
        _print_found(found, prompts, json)
        return
    chosen = options.seed is None and not options.greedy
    if chosen:
        options.seed = secrets.randbelow(2**31)
    chunks = predictor.generate(prompts, options)
    if chosen:
        note(f"seed {options.seed}")
    samples = [text for text in prompts for _ in range(options.count)]
    _print_chunks(cast("Iterator[Chunk]", chunks), samples, json)


def _print_found(found: Sequence[Sequence[dict[str, Any]]], prompts: Sequence[str], json: bool) -> None:
    results = [
        {"text": prompt + one["text"], "log_prob": one["log_prob"], "score": one["score"]}
        for prompt, hypotheses in zip(prompts, found, strict=True)
        for one in hypotheses
    ]
    for index, result in enumerate(results):
        if json:
            print_json(result)
        else:
            print_line(("\n" if index else "") + result["text"])


def _print_chunks(chunks: Iterator[Chunk], samples: Sequence[str], json: bool) -> None:
    """Print the first unfinished sample as it grows; the others wait for their turn. samples: what each begins with."""
    count = len(samples)
    texts, finished, printed = list(samples), [False] * count, [0] * count
    turn = 0
    for chunk in chunks:
        texts[chunk.sample] += chunk.text
        finished[chunk.sample] |= chunk.last
        while turn < count:
            if not json:
                print_line(texts[turn][printed[turn] :], end="")
                printed[turn] = len(texts[turn])
            if not finished[turn]:
                break
            print_json({"text": texts[turn]}) if json else print_line("" if turn == count - 1 else "\n")
            turn += 1


def register(root: typer.Typer) -> None:
    root.command("generate", cls=GenerateCommand)(generate)
