"""`recurra explain RUN [INPUT]`."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from recurra.errors import UsageError, escape_controls
from recurra.files import is_folder, write_whole
from recurra.formatting import shorten, visible
from recurra.tasks.base.options import ExplainOptions
from recurra.verbs.base.options import (
    Device,
    Json,
    RunFolder,
    check_one_source,
    load_run,
    naming_input,
    naming_run,
    note,
    print_json,
    print_line,
    read_numbered_lines,
)
from recurra.verbs.base.patience import still_at_it
from recurra.verbs.base.run_command import RunCommand, given_options
from recurra.verbs.predict import parse_lines

if TYPE_CHECKING:
    from recurra.explain.explanation import Explanation, Method
    from recurra.report.blocks import Block
    from recurra.tasks.base.predictor import Predictor

POSITION = 35
ROWS_SHOWN, CHARACTERS_SHOWN = 12, 60
"""Of the table below a shaded text."""
POSITIVE, NEGATIVE = (230, 223, 216, 209, 202), (195, 159, 117, 75, 33)
"""Colours of the 256 of a terminal, from faint to strong: orange for what added, blue for what took."""


class ExplainCommand(RunCommand):
    attribute, usual = "ExplainOptions", ExplainOptions


Source = Annotated[
    str | None,
    typer.Argument(
        metavar="[INPUT|-]",
        help="A file of inputs, as `recurra predict` takes them; - is standard input.",
        show_default=False,
    ),
]
Permutations = Annotated[
    int | None,
    typer.Option("--permutations", metavar="N", help="Pairs of orders that are drawn. Default: by the input's length."),
]
Page = Annotated[
    Path | None,
    typer.Option("--page", "-o", metavar="FILE.html", help="Write a page that needs nothing outside itself."),
]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--text", "-t", help="A text, or the numbers of a series, instead of a file; may be repeated."),
]


Fast = Annotated[bool, typer.Option("--fast", help="Integrated gradients instead of Shapley values.")]
WithMemory = Annotated[
    bool, typer.Option("--memory", help="Also how far back the model remembers, and how far the gradient reaches.")
]
Gates = Annotated[
    bool, typer.Option("--gates", help="What goes on inside instead: gates, states, and the units that tell most.")
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        metavar="LAYER.INDEX",
        help="With --gates: the unit that is shown step by step. Default: the most telling one.",
    ),
]
Dynamics = Annotated[
    bool, typer.Option("--dynamics", help="With --gates: also where the state comes to rest, and where states lie.")
]


class Asked(NamedTuple):
    """What is explained, and where to."""

    run: Path
    device: str
    source: str
    text: list[str] | None
    page: Path | None
    json: bool


def explain(
    context: typer.Context,
    run: RunFolder,
    source: Source = None,
    json: Json = False,
    text: Inputs = None,
    fast: Fast = False,
    memory: WithMemory = False,
    permutations: Permutations = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Of what is drawn. Default: 0.")] = None,
    page: Page = None,
    gates: Gates = False,
    unit: Unit = None,
    dynamics: Dynamics = False,
    device: Device = "cpu",
) -> None:
    """Say what an output of a model rests on, what goes on inside it (--gates), or, without an input, what is wrong with a run.

    With an input: how much each word, character or step of it added to the output.
    The shares are Shapley values (exact for up to 12 parts, else with a standard error), and add up to the output less what it is
    where everything is left out. Each explanation says whether it holds: what leaving out the top tenth costs, beside as many at random.
    `recurra explain RUN --help` lists how this run names the output that is explained.

    [bold]Examples[/bold]

    recurra explain runs/movies -t "that was phenomenal" --target positive

    recurra explain runs/novel -t "To be, or not to " --memory

    recurra explain runs/movies reviews.txt -o why.html

    recurra explain runs/novel -t "(to be (or not))" --gates -o inside.html

    recurra explain runs/novel
    """
    from recurra.explain.explanation import Method

    if (unit is not None or dynamics) and not gates:
        raise UsageError("unit, dynamics: belong to --gates; add it, or leave them out")
    if page is not None and not is_folder(page.parent):
        raise UsageError(
            f"page: {page} would stand in a folder that is not there: {page.parent}; make it, or name another"
        )
    asked, method = Asked(run, device, source or "-", text, page, json), Method(fast, permutations, memory, seed or 0)
    options = given_options(context)
    of_outputs = bool(options) or seed is not None or method != Method()
    if source is None and not text:
        if gates or of_outputs:
            raise UsageError('explain: expected an input, such as -t "that was phenomenal" or a file')
        if _is_piped():
            note("explain: standard input is not read; to explain what comes there, name it: recurra explain RUN -")
        _diagnose(asked)
        return
    check_one_source(text, asked.source)
    if not gates:
        _explain_outputs(asked, options, method)
    elif of_outputs:
        raise UsageError("gates: shows what goes on inside for no output in particular; leave the other options out")
    else:
        _look_inside(asked, unit, dynamics=dynamics)


def _is_piped() -> bool:
    """Tell whether something is handed over at standard input, by a pipe or a file."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):  # closed, or in the memory
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


def _explain_outputs(asked: Asked, options: dict[str, Any], method: Method) -> None:
    """Say what an output rests on, for each input."""
    from recurra.explain.explanation import explain_inputs, page_of

    predictor, found = load_run(asked.run, asked.device).predictor, []
    together = method.memory or asked.page is not None  # else each is printed as soon as it is there
    inputs = _read(predictor, asked)
    for some in [inputs] if together else ([one] for one in inputs):
        with naming_run(asked.run), naming_input(asked.text, asked.source), still_at_it("explaining"):
            found = explain_inputs(predictor, some, options, method)
        if asked.page is not None:
            write_whole(asked.page, page_of(found, asked.run.name))
            note(f"wrote {asked.page}")
        for one in found:
            if asked.json:
                print_json(one.to_json())
            else:
                _print(one)
    if not asked.json and method.memory and found and found[0].memory is not None:
        from recurra.explain.blocks import memory_sentences

        for sentence in memory_sentences(found[0].memory):
            print_line(sentence)


def _diagnose(asked: Asked) -> None:
    """Say what is good and what is wrong with a run."""
    from recurra.explain.diagnosis import describe, diagnose, diagnosis_blocks, to_json

    loaded = load_run(asked.run, asked.device)
    with naming_run(asked.run), still_at_it("looking at the run"):
        findings = diagnose(loaded)
    _write_page(asked, "Diagnosis", lambda: diagnosis_blocks(findings))
    if asked.json:
        print_json(to_json(findings))
    else:
        print_line(describe(findings))


def _look_inside(asked: Asked, unit: str | None, *, dynamics: bool) -> None:
    """Say what goes on inside while a model reads some inputs."""
    from recurra.explain.inside import look_inside

    predictor = load_run(asked.run, asked.device).predictor
    with naming_run(asked.run), naming_input(asked.text, asked.source), still_at_it("looking inside"):
        found = look_inside(predictor, _read(predictor, asked), unit, dynamics=dynamics)
    _write_page(asked, "Inside", found.blocks)
    if asked.json:
        print_json(found.to_json())
    else:
        for sentence in found.sentences():
            print_line(escape_controls(sentence))


def _write_page(asked: Asked, kind: str, blocks: Callable[[], Sequence[Block]]) -> None:
    """Write a page of blocks that needs nothing outside itself, where one is asked for."""
    if asked.page is None:
        return
    from recurra.report.page import blocks_page

    write_whole(asked.page, blocks_page(kind, asked.run.name, [("", blocks())]))
    note(f"wrote {asked.page}")


def _read(predictor: Predictor, asked: Asked) -> list[Any]:
    """Give the inputs, as `predict` takes them."""
    known = None if asked.text or asked.source == "-" else predictor.read_file(asked.source)
    if known is not None:
        return known
    lines = enumerate(asked.text, 1) if asked.text else read_numbered_lines(asked.source)
    return list(parse_lines(predictor, lines, None if asked.text else asked.source))


def _print(one: Explanation) -> None:
    """Write an explanation for people: in a terminal the text is shaded, elsewhere all is a table."""
    from recurra.explain.blocks import sentences

    for sentence in sentences(one.target, one.attributions, one.faithfulness):
        print_line(escape_controls(sentence))
    coloured = _takes_colours()
    if coloured and one.text is not None:
        _write_shaded(one)
    chosen = one.ranked[:ROWS_SHOWN] if coloured else one.ranked
    found = one.attributions
    print_line("share\tpart" if found.errors is None else "share\terror\tpart")
    for number in chosen:
        error = [] if found.errors is None else [f"{found.errors[number]:.4f}"]
        part = visible(shorten(one.segments[number].text, CHARACTERS_SHOWN))
        print_line("\t".join([f"{found.shares[number]:+.4f}", *error, escape_controls(part)]))


def _takes_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write_shaded(one: Explanation) -> None:
    from recurra.explain.blocks import parts_of_text

    top = max(map(abs, one.attributions.shares.tolist()), default=0.0) or 1.0
    pieces = [shade(part, share, top) for part, share in parts_of_text(one.segments, one.text or "", one.attributions)]
    sys.stdout.write("".join(pieces) + "\n")
    sys.stdout.flush()


def shade(text: str, share: float | None, top: float) -> str:
    """Colour a part of a text for a terminal by its share; top: the largest there is.

    >>> shade("good", 1.0, 1.0)
    '\\x1b[30;48;5;202mgood\\x1b[0m'
    >>> shade("good", 0.01, 1.0)
    'good'
    """
    safe = escape_controls(text)
    level = 0 if share is None else round(len(POSITIVE) * abs(share) / top)
    if share is None or not level:
        return safe
    colour = (POSITIVE if share > 0 else NEGATIVE)[level - 1]
    return f"\x1b[30;48;5;{colour}m{safe}\x1b[0m"


def register(root: typer.Typer) -> None:
    root.command("explain", cls=ExplainCommand)(explain)
