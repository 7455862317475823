"""The page that ships is what its sources give."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES, BUILT = ROOT / "studio", ROOT / "src" / "recurra" / "studio" / "web"


def test_the_page_that_ships_is_what_its_sources_give(tmp_path: Path) -> None:
    if shutil.which("npm") is None or not (SOURCES / "node_modules" / "vite").is_dir():
        pytest.skip("npm or the packages of studio/package-lock.json are not here: cd studio && npm install")
    command = ["npm", "run", "build", "--", "--outDir", str(tmp_path / "web"), "--logLevel", "error"]
    done = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

    built, again = contents(BUILT), contents(tmp_path / "web")

    assert sorted(built) == sorted(again)
    assert [name for name in built if built[name] != again[name]] == [], "stale: make studio, and commit what it builds"


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_the_page_has_no_inline_script_or_style_and_names_no_other_origin() -> None:
    page = (BUILT / "index.html").read_text(encoding="utf-8")

    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page) == []
    for file in BUILT.rglob("*"):
        if file.is_file():
            found = set(re.findall(r"https?://[\w.-]+", file.read_text(encoding="utf-8")))
            assert found <= {"http://www.w3.org"}, file.name  # the name of SVG, which nobody fetches


def test_every_version_is_pinned_and_the_lock_agrees() -> None:
    package = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))

    for kind in ("dependencies", "devDependencies"):
        for name, version in package[kind].items():
            assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name} is not pinned"
            assert lock["packages"][f"node_modules/{name}"]["version"] == version
