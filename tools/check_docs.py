"""Keep the generated pages of docs/ true: they are made from the command line, the settings and the cells themselves.

python tools/check_docs.py            compare, and fail where a page is stale
python tools/check_docs.py --write    make the pages
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from recurra import cells, errors
from recurra.cli import app
from recurra.runs.config import fields, sections
from recurra.tasks import get_task, task_names
from recurra.verbs.base.flags import click_parameters
from recurra.verbs.base.run_command import RunCommand

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "<!-- Made by tools/check_docs.py: edit the source that it is made from, then run `python tools/check_docs.py --write`. -->\n"
DIFF_LINES = 30
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}


def table(*rows: tuple[str, ...]) -> str:
    """Give a Markdown table; the first row is its head."""
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    head, *body = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"


def plain(help_text: str) -> str:
    r"""Take the console's markup out of a help text.

    >>> plain("[bold]So[/bold].  [dim]\\[default: 1][/dim]")
    'So. Default: 1.'
    """
    text = re.sub(r"\[/?(bold|dim|italic)\]", "", help_text).replace("\\[", "[")
    return re.sub(r"\s*\[default: (.*)\]$", lambda found: f" Default: {found[1]}.", text).strip()


# docs/cli.md


def cli_page() -> str:
    """Describe every verb, from the live command line."""
    root = typer.main.get_command(app)
    verbs = "".join(command_part(root, ["recurra"]))
    codes = [
        (kind.exit_code, (inspect.getdoc(kind) or "").partition("\n")[0])
        for kind in kinds_of_errors(errors.RecurraError)
    ]
    rows = [(str(code), meaning) for code, meaning in sorted(codes)]
    return (
        f"{MADE}\n# The command line\n\n"
        "Results go to standard output, everything else to standard error. `--json` prints JSON lines; see [json.md](json.md).\n"
        "`-` is standard input. `recurra --install-completion` teaches your shell the verbs and options.\n"
        f"{verbs}\n## Exit codes\n\n"
        f"{table(('code', 'what happened'), ('0', 'All went well.'), ('1', '`reproduce`: the figure was not reached. `train`: the run is whole, but a fault of the program kept it from being measured.'), *rows, ('130', 'Stopped by Ctrl-C; a training was saved first and can be resumed.'))}"
    )


def kinds_of_errors(base: type[errors.RecurraError]) -> Iterator[type[errors.RecurraError]]:
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
        yield from kinds_of_errors(kind)


def command_part(command: Any, path: list[str]) -> Iterator[str]:
    """Describe a command, then those below it."""
    shown = [each for each in command.params if not each.hidden and not each.name.endswith("_completion")]
    arguments = [each for each in shown if each.param_type_name == "argument"]
    words = " ".join([*path, *(metavar(each) for each in arguments)])
    below = getattr(command, "commands", None)
    yield f"\n## `{words}`\n\n{prose(command.help or '')}"
    yield "".join(["\n", *(f"- `{metavar(each)}`: {described(each)}\n" for each in arguments)]) if arguments else ""
    panels: dict[str, list[Any]] = {}
    for each in shown:
        if each.param_type_name == "option":
            panels.setdefault(each.rich_help_panel or "", []).append(each)
    for panel, options in panels.items():
        title = f"{panel} settings" if panel else "option"
        rows = [(f"`{flags(option)}`", described(option)) for option in options]
        yield "\n" + table((title, "what it does"), *rows)
    if isinstance(command, RunCommand):
        yield from run_options(command)
    if below is not None:
        context = command.make_context(path[-1], [], resilient_parsing=True)
        for name in command.list_commands(context):
            yield from command_part(command.get_command(context, name), [*path, name])


def run_options(command: RunCommand) -> Iterator[str]:
    """List what a run takes besides, by the task that it is of; a flag is made of the option's own settings."""
    for task in task_names():
        kind = command.options_of(task)
        if kind is None:
            continue
        options = [(flags(one), described(one)) for one in click_parameters(kind) if not one.hidden]
        if options:
            yield "\n" + table((f"a run of `{task}`", "what it does"), *((f"`{flag}`", text) for flag, text in options))


def prose(help_text: str) -> str:
    """Turn a command's help into Markdown: what follows "Examples" are commands."""
    text, _, examples = re.sub(r"(?m)^Examples:?$", "\0", plain(inspect.cleandoc(help_text))).partition("\0")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    return text.strip() + "\n" + (("\n```sh\n" + "\n".join(lines) + "\n```\n") if lines else "")


def metavar(parameter: Any) -> str:
    if parameter.metavar:
        return parameter.metavar
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def flags(option: Any) -> str:
    names = ", ".join(option.opts)
    if option.secondary_opts:
        names += " / " + ", ".join(option.secondary_opts)
    if option.is_flag:
        return names
    return f"{names} {option.metavar or value_of(option)}"


def value_of(option: Any) -> str:
    """Name what an option takes; newer releases of typer keep its annotation, older ones a type of click."""
    if not hasattr(option, "type_descriptor"):
        choices = getattr(option.type, "choices", None)
        of_kind = {"integer": "N", "integer range": "N", "float": "X", "float range": "X", "path": "PATH"}
        return "|".join(map(str, choices)) if choices else of_kind.get(option.type.name, "TEXT")
    annotation = option.type_descriptor.annotation
    for kind in get_args(annotation):
        annotation = annotation if get_origin(annotation) is Literal or kind is NoneType else kind
    if get_origin(annotation) is Literal:
        return "|".join(map(str, get_args(annotation)))
    return {int: "N", float: "X", Path: "PATH"}.get(annotation, "TEXT")


def described(parameter: Any) -> str:
    text = plain(parameter.help or "")
    default = parameter.default
    if (
        parameter.show_default
        and not isinstance(default, bool)
        and isinstance(default, str | int | float)
        and default != ""
    ):
        text += f" Default: {default}."
    return text


# docs/settings.md


def settings_page() -> str:
    """List every setting of every task, from the configuration's own fields."""
    parts = [
        f"{MADE}\n# Settings\n\n"
        "A setting is a flag (`--hidden 256`), a line of a TOML file (`--config`), `--set model.hidden=256`, or an argument in\n"
        "Python (`hidden=256`). Later ones outrank earlier ones: the default, the data set's own, the file, the flags.\n"
        "What was used, or chosen for you, is written to `config.toml` of the [run folder](run-folder.md).\n"
    ]
    for task in task_names():
        parts.append(f"\n## {get_task(task).title}: `recurra train {task}`\n")
        for section, kind in sections(task).items():
            rows = [
                (f"`{name}`", kind_of(field), default_of(field), field.description or "")
                for name, (of, field) in fields(task).items()
                if of == section
            ]
            heading = f"\n### `[{section}]`\n\n{inspect.getdoc(kind)}\n\n"
            parts.append(heading + table(("setting", "type", "default", "what it means"), *rows))
    return "".join(parts)


def kind_of(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if get_origin(annotation) is list:
        return "list of texts"
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    kind = kinds[0] if kinds and get_origin(annotation) is not Literal else annotation  # what may be left open, too
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    return KINDS.get(kind, str(kind)) + bounds(field)


def bounds(field: FieldInfo) -> str:
    found = [
        (sign, getattr(each, name)) for each in field.metadata for name, sign in BOUNDS.items() if hasattr(each, name)
    ]
    shown = ", ".join(f"{sign} {bound if bound < 2**40 else f'2^{bound.bit_length() - 1}'}" for sign, bound in found)
    return f" {shown}" if shown else ""


def default_of(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == []:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# docs/cells.md


def cells_page() -> str:
    """Describe every registered cell, from its own definition."""
    known = [cells.get_cell(name) for name in cells.cell_names()]
    rows = [
        (
            f"`{cell.name}`",
            cell.title,
            ", ".join(cell.gates),
            ", ".join(cell.states),
            ", ".join(cell.peepholes) or "–",
            f"`{cell.torch_mode}`" if cell.torch_mode else "its own `step`",
            f"`{cell.onnx.name}`" if hasattr(cell, "onnx") else "–",
        )
        for cell in known
    ]
    head = ("`--cell`", "cell", "gates, in the order of the rows", "states", "peepholes", "computed by torch's", "ONNX")
    return (
        f"{MADE}\n# Cells\n\n"
        "A cell is the equations of one step; everything else about it is derived from its definition in `src/recurra/cells/`.\n"
        "x is the input, h the output; a dash marks what they are after the step. W and b are the weights and the bias of the input,\n"
        "R and c those of the last output, with the gate as their index; in the LSTMs, c without an index is the memory.\n"
        "σ is the logistic function, ∘ the product of each element with its own.\n\n"
        + table(head, *rows)
        + "".join(f"\n## {cell.title}\n\n{equations(inspect.getdoc(cell) or '')}" for cell in known)
    )


def equations(docstring: str) -> str:
    """Turn a docstring into Markdown: what is set in are equations, the example is left out.

    >>> equations("A cell.\\n\\n    h' = x\\n\\n>>> 1\\n1")
    "A cell.\\n\\n```text\\nh' = x\\n```\\n"
    """
    text = docstring.partition(">>>")[0].strip("\n")
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip()]
    return (
        "\n\n".join(f"```text\n{inspect.cleandoc(b)}\n```" if b.startswith("    ") else b.strip() for b in blocks)
        + "\n"
    )


PAGES = {"cli.md": cli_page, "settings.md": settings_page, "cells.md": cells_page}


def main(arguments: list[str]) -> int:
    """Compare or write the pages; gives the exit code."""
    if arguments not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for name, make in PAGES.items():
        path, wanted = DOCS / name, make()
        found = path.read_text(encoding="utf-8") if path.is_file() else ""
        if found == wanted:
            continue
        if arguments:
            path.write_text(wanted, encoding="utf-8")
            print(f"docs/{name}: written")
            continue
        stale += 1
        diff = list(
            difflib.unified_diff(
                found.splitlines(), wanted.splitlines(), f"docs/{name}", "as it should be", "", "", 1, ""
            )
        )
        print(f"docs/{name} is stale; run: python tools/check_docs.py --write", *diff[:DIFF_LINES], sep="\n")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
