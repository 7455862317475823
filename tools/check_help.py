"""Ask an installed command for its verbs, and each of them, and theirs, for its help: none may fail.

python tools/check_help.py .venv/bin/recurra
"""

from __future__ import annotations

import re
import subprocess
import sys

# Verbs stand in "Commands", or in a table of a title of their own; a row begins with the verb, or with blanks where it goes
# on with the last one, and a row of options with dashes.
PANEL = re.compile(r"^╭─ (?!Arguments).*?^╰", re.MULTILINE | re.DOTALL)
VERB = re.compile(r"^│ ([a-z][a-z0-9-]*) ", re.MULTILINE)


def visit(command: list[str]) -> int:
    """Show that a command has a help text, then visit its verbs; give how many commands there are in all."""
    done = subprocess.run([*command, "--help"], capture_output=True, encoding="utf-8", check=False)
    if done.returncode or done.stderr or "Usage:" not in done.stdout:
        sys.exit(f"{' '.join(command)} --help: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    verbs = [verb for panel in PANEL.findall(done.stdout) for verb in VERB.findall(panel)]
    return 1 + sum(visit([*command, verb]) for verb in verbs)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/check_help.py COMMAND")
    count = visit([sys.argv[1]])
    if count == 1:
        sys.exit(f"{sys.argv[1]} --help: no verbs were found in it")
    print(f"{count} help texts of {sys.argv[1]}")
