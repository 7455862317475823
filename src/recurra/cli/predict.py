"""`recurra predict RUN [INPUT|-]`."""

from __future__ import annotations

from typing import Annotated

import typer

from recurra.cli.options import (
    Device,
    Json,
    Lines,
    RunFolder,
    Texts,
    load_run,
    print_json,
    print_line,
    read_lines,
    warn,
)


def predict(
    run: RunFolder,
    source: Lines = "-",
    json: Json = False,
    text: Texts = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many of the likeliest.")] = 5,
    device: Device = "cpu",
) -> None:
    """Give the likeliest next units after every line, with their probabilities.

    [bold]Examples[/bold]

    recurra predict runs/novel -t "To be, or not to " -k 3

    echo 床前明月 | recurra predict runs/tang --json
    """
    loaded = load_run(run, device)
    for line in text or read_lines(source):
        warn(loaded.task, line)
        result = loaded.predict(line, k)
        if json:
            print_json(result)
        else:
            print_line(loaded.task.prediction_line(result))
