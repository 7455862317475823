"""`recurra generate RUN`."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import typer

from recurra.errors import UsageError
from recurra.verbs.base.options import Device, Json, RunFolder, load_run, note, print_json, print_line, warn


def generate(
    run: RunFolder,
    prompt: Annotated[str, typer.Option("--prompt", "-p", help="Text to go on from.")] = "",
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Samples.")] = 1,
    length: Annotated[int, typer.Option("--length", "-l", min=1, help="Most units to write.")] = 400,
    temperature: Annotated[
        float | None,
        typer.Option("--temperature", min=0.0, help="Below 1 safer, above 1 bolder.  [dim]\\[default: 1][/dim]"),
    ] = None,
    top_k: Annotated[int | None, typer.Option("--top-k", min=1, help="Choose among the K likeliest only.")] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", help="Choose among the likeliest that make up the share P.")
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, help="Search the likeliest text, W candidates wide.")
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            "--length-penalty", help="With --beam: strength of the length normalisation.  [dim]\\[default: 0.6][/dim]"
        ),
    ] = None,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always take the likeliest unit (argmax).")] = False,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Fixes the output.")] = None,
    json: Json = False,
    device: Device = "cpu",
) -> None:
    """Write new text; it appears as it is made.

    [bold]Examples[/bold]

    recurra generate runs/shakespeare -p "ROMEO:" --temperature 0.8

    recurra generate runs/tang -n 5 --seed 7

    recurra generate runs/shakespeare -p "To be" --beam 8 --length 60
    """
    sampling = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    drawn = {**sampling, "seed": seed}
    given = [f"--{name.replace('_', '-')}" for name, value in drawn.items() if value is not None]
    if (greedy or beam is not None) and given:
        raise UsageError(f"{given[0]}: belongs to sampling; drop it, or --greedy or --beam")
    if greedy and beam is not None:
        raise UsageError("greedy, beam: expected one of the two, got both")
    if alpha is not None and beam is None:
        raise UsageError("--length-penalty: belongs to a search; drop it, or add --beam")
    loaded = load_run(run, device)
    if not hasattr(loaded.task, "write"):
        raise UsageError(f"generate: a run of {loaded.task.name!r} writes nothing; ask it with `recurra predict`")
    warn(loaded.task, prompt)
    if beam is not None:
        _print_found(
            loaded.search(prompt, beam=beam, count=count, length=length, alpha=0.6 if alpha is None else alpha),
            prompt,
            json,
        )
        return
    if greedy:
        _print_pieces(loaded.write(prompt, count=count, length=length, temperature=0.0), prompt, count, json)
        return
    drawn = secrets.randbelow(2**31) if seed is None else seed
    options = {**{name: value for name, value in sampling.items() if value is not None}, "seed": drawn}
    pieces = loaded.write(prompt, count=count, length=length, **options)
    if seed is None:
        note(f"seed {drawn}")
    _print_pieces(pieces, prompt, count, json)


def _print_found(found: list[dict[str, Any]], prompt: str, json: bool) -> None:
    for index, result in enumerate(found):
        if json:
            print_json({"text": prompt + result["text"], "log_prob": result["log_prob"], "score": result["score"]})
        else:
            print_line(("\n" if index else "") + prompt + result["text"])


def _print_pieces(pieces: Any, prompt: str, count: int, json: bool) -> None:
    """Print the first unfinished sample as it grows; the others wait for their turn."""
    texts, finished, printed = [prompt] * count, [False] * count, [0] * count
    turn = 0
    for piece in pieces:
        texts[piece.sample] += piece.text
        finished[piece.sample] |= piece.last
        while turn < count:
            if not json:
                print_line(texts[turn][printed[turn] :], end="")
                printed[turn] = len(texts[turn])
            if not finished[turn]:
                break
            print_json({"text": texts[turn]}) if json else print_line("" if turn == count - 1 else "\n")
            turn += 1
