"""Checks whether a version in constraints.txt has a known vulnerability, by pip-audit, which asks PyPI's database.

Without pip-audit, or where the database cannot be reached, it says so in a line and passes: lint works without a network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MAX_CONNECTION_SECONDS = 5
MAX_SECONDS = 30


def command(constraints: Path) -> list[str]:
    """Give the call of pip-audit for a file that pins versions: nothing is installed or resolved for it."""
    options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json", "--timeout"]
    return [sys.executable, "-m", "pip_audit", "-r", str(constraints), *options, str(MAX_CONNECTION_SECONDS)]


def audit(call: Sequence[str], seconds: float = MAX_SECONDS) -> tuple[int, list[str]]:
    """Run pip-audit; gives the exit status, 1 where a vulnerability is known, and what there is to say."""
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return 0, [f"vulnerabilities: not checked: there was no answer within {seconds:g} s"]
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        return 0, [f"vulnerabilities: not checked: pip-audit: {reason[:200]}"]
    return summary(packages)


def summary(packages: Sequence[dict]) -> tuple[int, list[str]]:
    """Say what is known of some packages, as pip-audit's JSON has them.

    >>> summary([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "Dependency not found on PyPI"}])
    (0, ['vulnerabilities: none known of 1 package; not checked: b'])
    """
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    checked = len(packages) - len(skipped)
    if not checked:
        return 0, [f"vulnerabilities: not checked: the database knows none of {len(packages)} packages"]
    found = [
        f"{one['name']} {one['version']}: {each['id']}; {fix(each)}"
        for one in packages
        for each in one.get("vulns", [])
    ]
    left = f"; not checked: {', '.join(skipped)}" if skipped else ""
    return bool(found), found or [f"vulnerabilities: none known of {checked} package{'s' * (checked != 1)}{left}"]


def fix(vulnerability: dict) -> str:
    """Say which versions are without a vulnerability."""
    versions = ", ".join(vulnerability.get("fix_versions", []))
    return f"mended in {versions}: raise it in constraints.txt" if versions else "no version mends it yet"


def main() -> int:
    code, lines = audit(command(ROOT / "constraints.txt"))
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
