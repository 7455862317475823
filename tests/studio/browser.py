"""A browser that looks at the studio: what it must not see, and what accessibility tools find."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
AXE = ROOT / "studio" / "node_modules" / "axe-core" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SECONDS_TO_START = 60


def find_browser() -> str | None:
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Run `recurra studio` as a user would, and give the address that it prints."""
    command = [sys.executable, "-c", "from recurra.cli import main; main()", "studio", str(folder), "--no-browser"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        yield address_of(process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if found := re.search(r"http://([\w.]+):(\d+)", line):
            wait_for(found[1], int(found[2]))
            return found.group()
    raise AssertionError(f"the studio did not start: {told}")


def wait_for(host: str, port: int) -> None:
    """Wait until connections are accepted; the address is printed a moment before."""
    until = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            return
        except OSError:
            assert time.monotonic() < until, "the studio does not accept connections"
            time.sleep(0.1)


class Watch:
    """Keeps what a page must not do: write errors to the console, ask anyone else, fail."""

    def __init__(self, page: Any, address: str) -> None:
        self.errors, self.foreign = list[str](), list[str]()
        page.on("console", lambda message: message.type in ("error", "warning") and self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._note(request.url, address))

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.foreign.append(url)

    def check(self) -> None:
        assert self.errors == []
        assert self.foreign == []


def violations(page: Any) -> list[str]:
    """Give what axe finds, each with where."""
    # Evaluated by the debugger, which the policy of the page does not concern.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(({violations}) => violations)")
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


def overflow(page: Any) -> list[str]:
    """Give what reaches beyond the right edge of the window, but for what scrolls by itself."""
    return page.evaluate(
        """() => {
          const root = document.scrollingElement;
          if (root.scrollWidth <= root.clientWidth) return [];
          const out = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
          return out.map((one) => `${one.tagName}.${one.className}`).slice(0, 10);
        }"""
    )


def settled(page: Any) -> None:
    """Wait until the page has drawn what it asked for."""
    page.wait_for_selector(".page:not([aria-busy])")
    page.wait_for_selector("[aria-busy]", state="detached")
