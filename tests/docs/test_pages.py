"""The pages say what is so: commands parse, links lead somewhere, variables and limits are those of the code."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.conftest import PAGES, README, ROOT, TRANSLATED, blocks, commands_of, read

from recurra.baselines.ngram import MEMORY
from recurra.runs.config import fields
from recurra.tasks.lm.data import MAX_VALIDATION_CHARACTERS
from recurra.text.read.sources import _MAX_ARCHIVE_DEPTH

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the documentation is not installed with the package")


def commands(page: Path) -> list[list[str]]:
    """Give the words of every `recurra ...` command in the blocks of a page; pipes and prompts left out."""
    return commands_of("\n".join(blocks(page, "sh") + blocks(page, "console")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_parses(page: Path) -> None:
    for words in commands(page):
        try:
            read(words)
        except Exception as error:  # noqa: BLE001  whatever the parser says is the failure
            pytest.fail(f"{page.name}: recurra {shlex.join(words)}: {error}")


@pytest.mark.parametrize("pages", TRANSLATED, ids=lambda pages: pages[0].name)
def test_a_page_and_its_translation_show_the_same_commands(pages: tuple[Path, Path]) -> None:
    english, chinese = ([read(words) for words in commands(page)] for page in pages)
    assert len(english) > 8
    for words in english:
        words[1][:] = [option for option in words[1] if option != "--phrases"]  # only the English reviews have some
    assert english == chinese


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_a_place_of_one_machine(page: Path) -> None:
    assert not re.search(r"(?<![\w.])/(work|home|root|tmp|Users)/", page.read_text(encoding="utf-8"))


def test_made_pages_are_fresh() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "tools/check_docs.py"], capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_variable_of_the_environment_is_described() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    described = set(re.findall(r"(?m)^\| `(RECURRA_\w+)` \|", page))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    build = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("CMakeLists.txt", "pyproject.toml"))
    read = re.findall(r"\"(RECURRA_[A-Z_]+)\"", code) + re.findall(r"env[.{](RECURRA_[A-Z_]+)", build, re.IGNORECASE)
    assert described == set(read)


def test_limits_are_what_the_code_has() -> None:
    page = (ROOT / "docs/environment.md").read_text(encoding="utf-8")
    most = {name: fields("lm")[name][1].metadata for name in ("bptt", "layers", "hidden")}
    bptt, layers, hidden = (next(each.le for each in most[name] if hasattr(each, "le")) for name in most)
    rows = dict(re.findall(r"(?m)^\| ([^|`]+?)(?: \(`[^|]*`\))? \| ([^|]+) \|", page.partition("## Limits")[2]))
    assert rows["validation while training a language model"].startswith(f"{MAX_VALIDATION_CHARACTERS / 1e6} million")
    assert rows["archives within archives"] == f"{_MAX_ARCHIVE_DEPTH} deep"
    assert rows["memory for counting n-grams, the baselines"] == f"{MEMORY // 2**30} GiB"
    assert rows["steps that the gradient is carried back"] == f"{bptt:,}"
    assert rows["layers, hidden units"] == f"{layers}, and {hidden:,}"
