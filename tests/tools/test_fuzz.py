"""The campaign: a short one finds nothing, and one that has something to find does find it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.skipif(not (ROOT / "tools/fuzz").is_dir(), reason="the tools are not installed with the package"),
    pytest.mark.skipif(sys.platform != "linux", reason="the watch reads /proc"),
]
SHORT = "files=50,folders=36,commands=36,misuses=40"

PLANTED = {
    "raise ValueError('x')": "traceback: ValueError",
    "recurra.load('nosuch')": None,
    "import os; os.kill(os.getpid(), 11)": "signal: SIGSEGV",
    "held = np.ones(2**28)": "memory: ",
    "while True: pass": "time: ",
    "import time; time.sleep(600)": "time: ",
    "raise SystemExit(17)": "code: exit 17",
    "open('/tmp/recurra-fuzz-outside', 'w')": "outside: ",
    "import shutil; shutil.rmtree('/tmp/recurra-fuzz-outside')": "outside: ",
    "import warnings; warnings.warn('x', RuntimeWarning)": "warning: RuntimeWarning",
    "import sys; sys.stderr.write('recurra: two\\nlines\\n'); sys.exit(3)": "lines: ",
    "import sys; sys.stderr.write('recurra: x: ' + 'x' * 5000); sys.exit(2)": "lines: ",
    "import sys; sys.stderr.write('recurra: nobody knows where'); sys.exit(2)": "place: ",
    "import socket; socket.create_connection(('192.0.2.1', 80))": "traceback: OSError",
    "open('inside', 'w').write('x')": None,
}
"""What programs do, and how what they do is judged."""
TIMED = [planted for planted, group in PLANTED.items() if group == "time: "]


def run(*words: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout, check=False)  # fmt: skip


def program(source: str) -> Any:
    """Run statements in a process that has not forked before; gives what they print as JSON."""
    done = run("-c", source)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(900)
def test_a_short_campaign_finds_nothing(tmp_path: Path) -> None:
    done = run("-m", "tools.fuzz", "--seed", "1", "--cases", SHORT, "--keep", str(tmp_path / "kept"))
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    report = json.loads((tmp_path / "kept/report.json").read_text())
    wanted = {name: int(count) for name, _, count in (part.partition("=") for part in SHORT.split(","))}
    assert {family: entry["cases"] for family, entry in report["families"].items()} == wanted
    # A campaign in which nothing is read, or nothing refused, would find nothing either.
    for family, entry in report["families"].items():
        assert entry["exit_codes"].get("0", 0) >= 2, family
        assert sum(count for code, count in entry["exit_codes"].items() if code != "0") >= 2, family


def test_what_goes_wrong_is_judged_so(tmp_path: Path) -> None:
    source = f"""
import json
from pathlib import Path
import recurra.cli, recurra.errors, recurra.runs.run, torch
from tools.fuzz.case import Case, Folder, Program
from tools.fuzz.judge import judge
from tools.fuzz.watch import Limits, run_case
groups = {{}}
for number, planted in enumerate({list(PLANTED)!r}):
    folder = Folder(Path({str(tmp_path)!r}, str(number)))
    folder.work.mkdir(parents=True)
    case = Case("misuses", number, Program(planted))
    patient = Limits(resident=1 << 30, seconds_without_progress=2 if planted in {TIMED!r} else 300)
    failure = judge(case, run_case(case, folder, patient), folder.work)
    groups[planted] = failure and failure.group
print(json.dumps(groups))
"""
    for planted, group in program(source).items():
        expected = PLANTED[planted]
        assert (group is None) if expected is None else str(group).startswith(expected), (planted, group)


def test_a_training_without_a_manifest_is_lost(tmp_path: Path) -> None:
    source = f"""
import json
from pathlib import Path
from tools.fuzz.case import Case, Command, Ended
from tools.fuzz.judge import judge
work = Path({str(tmp_path)!r})
(work / "run").mkdir()
case = Case("files", 0, Command(("train", "lm", "x.txt")))
found = []
for event in ("train", "end"):
    (work / "run" / "metrics.jsonl").write_text(json.dumps({{"event": event}}))
    failure = judge(case, Ended(0, "", "", 0, 0.0), work)
    found.append(failure and failure.kind)
print(json.dumps(found))
"""
    assert program(source) == [None, "lost"]


def test_a_case_is_the_same_whenever_it_is_made(tmp_path: Path) -> None:
    source = f"""
import json
from pathlib import Path
from tools.fuzz.families import FAMILIES, make_case
from tools.fuzz.stock import Stock
stock, folder, made = Stock(Path({str(tmp_path)!r}, "stock")), Path({str(tmp_path)!r}), []
stock.run = lambda name: stock.files / "mail"  # any folder: what of it is changed is not asked here
for turn in "ab":
    cases = []
    for number in range(25):
        work = folder / f"{{turn}}{{number}}"
        work.mkdir()
        case = make_case("files", number, 3, work, stock)
        contents = {{path.relative_to(work).as_posix(): path.read_bytes().hex()[:2000] for path in sorted(work.rglob("*")) if path.is_file()}}
        cases.append([str(case.action), case.about, contents])
    made.append(cases)
print(json.dumps([made[0] == made[1], len({{str(case) for case in made[0]}})]))
"""
    assert program(source) == [True, 25]


def test_every_command_of_the_app_is_tried() -> None:
    source = """
import json
from recurra.cli import app
import typer
from tools.fuzz.families.commands import leaves, options_of
more = typer.Typer()
@more.command("frobnicate")
def frobnicate(run: str, depth: int = 3, sideways: bool = False): ...
app.registered_commands += more.registered_commands
found = {" ".join(leaf.path): [name for option in options_of(leaf, "lm") for name in option.opts] for leaf in leaves()}
print(json.dumps(found))
"""
    found = program(source)
    assert {"info", "bench", "data list", "train lm", "train detect", "frobnicate"} <= found.keys()
    assert {"--depth", "--sideways"} <= set(found["frobnicate"])
    assert {"--steps", "-k"} <= set(found["predict"]) and "--bptt" in found["train lm"]
