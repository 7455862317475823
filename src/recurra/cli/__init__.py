"""The command line: it finds the verbs, and turns what goes wrong into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from typing import Any, NoReturn

import typer

from recurra.cli.streams import prepare_streams
from recurra.errors import RecurraError, UsageError, report_memory_errors
from recurra.plugins import load_entry_points
from recurra.version import __version__

INTERRUPTED = 130
ENTRY_POINTS = "recurra.verbs"
"""The group of entry points in which another package names a module with `register(app)`, and a POSITION in the help."""

app = typer.Typer(
    name="recurra",
    result_callback=lambda *_, **__: None,  # what a verb returns is no exit code
    help="Train, measure, explain and run recurrent neural networks on the computer you have.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"recurra {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def _add_verbs() -> None:
    """Add every verb: ours are the modules in recurra.verbs, those of other packages are found by an entry point."""
    package = importlib.import_module("recurra.verbs")
    found = pkgutil.iter_modules(package.__path__, "recurra.verbs.")
    parts = [_part(importlib.import_module(module.name)) for module in found if module.name != "recurra.verbs.base"]

    def add(point: EntryPoint) -> None:
        part = _part(point.load())
        known = set[str]().union(*(_names(made) for _, made in parts))
        if again := sorted(known & _names(part[1])):
            raise ValueError(f"there is a command named {again[0]} already")
        parts.append(part)

    load_entry_points(ENTRY_POINTS, add)
    for _, part in sorted(parts, key=lambda part: part[0]):
        app.registered_commands += part.registered_commands
        app.registered_groups += part.registered_groups


def _part(verb: Any) -> tuple[tuple[int, str], typer.Typer]:
    """Give the place of a verb in the help, and its commands."""
    part = typer.Typer()
    verb.register(part)
    return (int(getattr(verb, "POSITION", 1000)), verb.__name__), part


def _names(part: typer.Typer) -> set[str]:
    return set(typer.main.get_group(part).commands)


_add_verbs()


def main() -> None:
    """Run the command line; every error a user can cause becomes one line and an exit code."""
    prepare_streams()
    # As in a training (recurra.training.threads), for the other verbs; numpy reads it when it is imported, by a verb.
    if not os.environ.keys() & {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    try:
        with report_memory_errors():
            code = app(prog_name="recurra", standalone_mode=False)
        raise SystemExit(code if isinstance(code, int) else 0)
    except RecurraError as error:
        _end_with(str(error), error.exit_code)
    except BrokenPipeError:
        _end_without_a_reader()
    except SystemExit as ended:
        # typer and rich meet the broken pipe first, and make it an exit of their own.
        if isinstance(ended.__context__, BrokenPipeError):
            _end_without_a_reader()
        raise
    except KeyboardInterrupt:
        _end_with("stopped", INTERRUPTED)
    except Exception as error:
        # By what it has: by the version of typer it is click's own, or that of the copy of click that typer has.
        if type(error).__name__ == "Abort":
            _end_with("stopped", INTERRUPTED)
        if not (hasattr(error, "format_message") and hasattr(error, "exit_code")):
            raise
        _end_with_usage(error)


def _end_with(message: str, code: int) -> NoReturn:
    print(f"recurra: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code) from None


def _end_with_usage(error: Any) -> NoReturn:
    """End with what the parser of the command line found wrong; with the help where nothing was given."""
    command = getattr(getattr(error, "ctx", None), "command_path", None) or _command_of(sys.argv[1:])
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.message, nl=False)  # the help, but for what rich has printed when the error was made
        raise SystemExit(error.exit_code) from None
    verb = command.partition(" ")[2]
    message = error.format_message().rstrip(".")
    message = f"{message[:1].lower()}{message[1:]}; see {command} --help"
    _end_with(str(UsageError(f"{verb}: {message}" if verb else message)), error.exit_code)


def _command_of(words: Sequence[str]) -> str:
    """Name the command that the words of a command line ask for, as far as they do."""
    path, command = ["recurra"], typer.main.get_command(app)
    for word in words:
        if word.startswith("-") or not hasattr(command, "get_command"):
            continue
        command = command.get_command(typer.Context(command), word)
        if command is None:
            break
        path.append(word)
    return " ".join(path)


def _end_without_a_reader() -> NoReturn:
    """End well: that the reader of a pipe has gone (`recurra generate … | head`) is no error."""
    # The interpreter flushes once more on its way out, which must not be heard.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(0) from None


__all__ = ["app", "main"]
