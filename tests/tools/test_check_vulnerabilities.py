"""What is known to be vulnerable fails the check; what cannot be known does not, and is said in a line."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from tests.tools.conftest import TOOLS, load

check = load("check_vulnerabilities")
GOOD: dict[str, Any] = {"name": "torch", "version": "2.13.0", "vulns": []}
BAD: dict[str, Any] = {"name": "numpy", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1", "2.0"]}]}
OPEN: dict[str, Any] = {"name": "regex", "version": "1.0", "vulns": [{"id": "PYSEC-2", "fix_versions": []}]}
SKIPPED: dict[str, Any] = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def run(code: str, seconds: float = 30) -> tuple[int, list[str]]:
    return check.audit([sys.executable, "-c", code], seconds)


def printing(*packages: dict[str, Any], code: int = 0) -> str:
    return f"import sys; print({json.dumps(json.dumps({'dependencies': packages}))}); sys.exit({code})"


def test_a_known_vulnerability_fails() -> None:
    assert run(printing(GOOD, BAD, OPEN, code=1)) == (
        1,
        [
            "numpy 1.0: PYSEC-1; mended in 1.1, 2.0: raise it in constraints.txt",
            "regex 1.0: PYSEC-2; no version mends it yet",
        ],
    )


def test_none_known_passes_and_says_what_was_left_out() -> None:
    assert run(printing(GOOD)) == (0, ["vulnerabilities: none known of 1 package"])
    assert run(printing(GOOD, SKIPPED)) == (0, ["vulnerabilities: none known of 1 package; not checked: rich"])


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import sys; sys.exit('ERROR: no connection')", "pip-audit: ERROR: no connection"),
        ("raise OSError('first\\nlast')", "pip-audit: last"),
        ("print('[]')", "pip-audit: it says nothing"),
        (printing(SKIPPED), "the database knows none of 1 packages"),
    ],
)
def test_what_cannot_be_known_passes_in_one_line(code: str, reason: str) -> None:
    assert run(code) == (0, [f"vulnerabilities: not checked: {reason}"])


def test_it_ends_in_time() -> None:
    code, lines = run("import time; time.sleep(60)", seconds=0.5)
    assert (code, lines) == (0, ["vulnerabilities: not checked: there was no answer within 0.5 s"])


def test_lint_runs_it() -> None:
    makefile = (TOOLS.parent / "Makefile").read_text(encoding="utf-8")
    lint = makefile.split("\nlint:")[1].split("\n\n")[0]
    assert "tools/check_vulnerabilities.py" in lint
