"""`recurra studio`, as a user starts and ends it."""

from __future__ import annotations

import builtins
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.runs.trainings import GOLDEN
from tests.studio.client import Client
from tests.verbs.conftest import call

from recurra.errors import MissingExtraError, UsageError
from recurra.studio.app import create_app
from recurra.studio.server import bind

MAIN = "from recurra.cli import main; main()"


def start(*arguments):
    """Start a studio; gives the process and the address that it prints."""
    words = [sys.executable, "-c", MAIN, "studio", *map(str, arguments), "--no-browser"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"studio: (http://\S+)", line)
    assert found, line + process.stderr.read()
    return process, found[1]


def reachable(address, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}api/session", timeout=10) as reply:
                return json.load(reply)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("it cannot be reached")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_by_ctrl_c_once_a_training_has_saved(tmp_path, number):
    process, address = start(tmp_path / "runs")
    assert reachable(address)["folder"] == "runs"
    client = Client(int(address.rstrip("/").rpartition(":")[2]))
    sent = client.upload("verse.txt", (GOLDEN / "verse.txt").read_bytes() * 20)
    settings = {"hidden": 16, "layers": 1, "epochs": 100000, "threads": 1, "precision": "float32"}
    id = client.post("/api/train", {"task": "lm", "data": {"upload": [sent["id"]]}, "settings": settings}).json["run"]
    until = time.monotonic() + 120
    while not client.get(f"/api/runs/{id}").json["step"] and time.monotonic() < until:
        time.sleep(0.2)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    info = json.loads(call("info", tmp_path / "runs" / "lm-1", "--json"))
    assert info["ended"] == "interrupted"
    assert info["steps"] > 0


def test_a_token_is_made_and_shown(tmp_path):
    process, address = start(tmp_path, "--token")
    found = re.search(r"\?token=(\S+)", address)
    assert found
    assert len(found[1]) >= 32
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_port_that_is_used_is_named(tmp_path):
    with bind("127.0.0.1", 0) as opened:
        opened.listen()
        port = opened.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 cannot be listened at"):
            bind("127.0.0.1", port)


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("fastapi"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "fastapi", raising=False)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        MissingExtraError, match=r"the studio needs the package fastapi: pip install 'recurra\[studio\]'"
    ):
        create_app([tmp_path])


def test_a_file_is_no_folder_with_runs(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(UsageError, match="which is a file"):
        create_app([tmp_path / "a.txt"])
