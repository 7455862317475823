"""The pages of the documentation, and what stands in their blocks."""

import re
import shlex
from pathlib import Path
from typing import Any

import typer

from recurra.cli import app
from recurra.runs.config import Configuration, configure, fields

ROOT = Path(__file__).resolve().parents[2]
README, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"
PAGES = sorted([README, CHINESE, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"))


def python_of(page: Path) -> str:
    return "\n".join(blocks(page, "python"))


def commands_of(block: str) -> list[list[str]]:
    found = []
    for line in block.splitlines():
        for part in line.removeprefix("$ ").split(" | "):
            if part.startswith("recurra "):
                found.append(shlex.split(re.sub(r"\$\(.*?\)", "FILE", part), comments=True)[1:])
    return found


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
    if verbs[:1] != ["train"] or len(verbs) != 2:
        return verbs, None
    # These parse as text: the configuration is what reads them.
    known = fields(verbs[1])
    given = {name: value for name, value in context.params.items() if name in known and value not in (None, [])}
    return verbs, configure(verbs[1], given, {"data": context.params["data_arguments"] or [], **settings})
