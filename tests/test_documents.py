"""Documents of a run folder: what a key is, is decided as TOML does, in strings, comments and numbers as well."""

from __future__ import annotations

from pathlib import Path

import pytest

from recurra.documents import MAX_LEVELS, MAX_TOML_KEYS, check_toml_keys, read_toml
from recurra.errors import RunError

DOTS = ".".join("a" * 60)


@pytest.mark.parametrize(
    "text",
    [
        f'a = "{DOTS} = 1"',
        f"a = '{DOTS} = 1'",
        f'a = """\n{DOTS} = "" 1"""""\nb = 1',
        f"a = '''\n{DOTS} = '' 1'''''\nb = 1",
        f"a = 1 # {DOTS} = 1\nb = 1",
        f'"{DOTS}" = 1',
        'a = "\\\\"\nb = "\\""',
        ".".join("a" * MAX_LEVELS) + " = 1",
        f"a = [{'1.5, ' * (MAX_TOML_KEYS + 1)}]",
        "\n".join(f"a{number} = 1" for number in range(MAX_TOML_KEYS)),
    ],
)
def test_only_dots_between_keys_count(text: str) -> None:
    check_toml_keys(text)


@pytest.mark.parametrize(
    "before", ["", "a = 'x'\n", 'b = """c"""""\n', "c = '''\nd'''''\n", "d = 1.5 # e\n", 'e = "\\\\"\n']
)
@pytest.mark.parametrize(
    "key", [f"{DOTS} = 1", f"[{DOTS}]", " . ".join(["'a.b'"] * 60), f"[[{DOTS}]]", f"x = {{{DOTS} = 1}}"]
)
def test_a_key_of_many_parts_is_refused_before_it_is_parsed(tmp_path: Path, before: str, key: str) -> None:
    (tmp_path / "config.toml").write_text(before + key, encoding="utf-8")
    with pytest.raises(RunError, match=r"expected TOML with up to 40 levels of nesting, got more"):
        read_toml(tmp_path / "config.toml")


@pytest.mark.parametrize(
    "text", ['"' * 200_000, "x = '" + "\\'" * 100_000, '"\n' * 100_000, "a " * 100_000, "a" + " " * 200_000]
)
def test_the_keys_are_counted_in_linear_time(text: str) -> None:
    check_toml_keys(text)
