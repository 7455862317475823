"""The pages of the documentation, and what stands in their blocks."""

import re
import shlex
from pathlib import Path
from typing import Any

import typer

from recurra.cli import app
from recurra.runs.config import Configuration, configure, fields
from recurra.tasks import Settings, task_names
from recurra.verbs.base.flags import click_parameters
from recurra.verbs.base.run_command import RunCommand

ROOT = Path(__file__).resolve().parents[2]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
TRANSLATED = [(README, CHINESE), (ROOT / "docs/tour.md", ROOT / "docs/tour.zh.md")]
PAGES = sorted(
    [
        README,
        CHINESE,
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").glob("*.md"),
    ]
)


def blocks(page: Path, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"))


def python_of(page: Path) -> str:
    return "\n".join(blocks(page, "python"))


def commands_of(block: str) -> list[list[str]]:
    found = []
    for line in block.splitlines():
        for part in re.split(r" +(?:\||&&) +", line.removeprefix("$ ")):
            if part.startswith("recurra "):
                found.append(shlex.split(re.sub(r"\$\(.*?\)", "FILE", part), comments=True)[1:])
    return found


def flags_of(kind: type[Settings]) -> list[str]:
    return [flag for option in click_parameters(kind) for flag in (*option.opts, *option.secondary_opts)]


def read(words: list[str]) -> tuple[list[str], list[str]]:
    """Parse a command as the command line would; gives its verbs and its options. Raises what the parser raises."""
    verbs, _ = parsed(words)
    return verbs, sorted(word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word))


def parsed(words: list[str], **settings: Any) -> tuple[list[str], Configuration | None]:
    """Parse a command; gives its verbs and, of a training, its configuration with these settings."""
    command: Any = typer.main.get_command(app)
    verbs, rest = [], [word for word in words if word != "--help"]
    context = command.make_context("recurra", rest)
    while rest and not rest[0].startswith("-") and hasattr(command, "commands"):
        name, command, rest = command.resolve_command(context, rest)
        verbs.append(name)
        context = command.make_context(name, list(rest), parent=context)
    if isinstance(command, RunCommand):
        # A page's runs are not there, so their own options are held to those that runs of some task take.
        known = {flag for task in task_names() if (kind := command.options_of(task)) for flag in flags_of(kind)}
        known |= {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
        for word in words[1:]:
            flag = word.partition("=")[0]
            assert not re.match(r"--?[a-z]", flag) or flag in known, f"{flag}: no run of any task takes this option"
    if verbs[:1] != ["train"] or len(verbs) != 2:
        return verbs, None
    # These parse as text: the configuration is what reads them.
    known = fields(verbs[1])
    given = {name: value for name, value in context.params.items() if name in known and value not in (None, [])}
    return verbs, configure(verbs[1], given, {"data": context.params["data_arguments"] or [], **settings})
