"""From a dropped file to a prediction, with the trainings that are stopped and resumed on the way."""

from __future__ import annotations

import time

import pytest
from tests.runs.trainings import GOLDEN
from tests.studio.conftest import serve
from tests.verbs.conftest import call, lines

SMALL = {"hidden": 4, "layers": 1, "epochs": 2, "threads": 1, "precision": "float32", "linear": "none"}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A studio whose folder is empty; gives its client, and the folder."""
    folder = tmp_path_factory.mktemp("workshop") / "runs"
    folder.mkdir()
    for client in serve([folder]):
        yield client, folder


def wait(client, id, *states, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run = client.get(f"/api/runs/{id}").json
        if run["state"] in states:
            return run
        time.sleep(0.2)
    raise AssertionError(f"{run['state']}: {run['error']}, {client.get(f'/api/runs/{id}/log').json}")


def test_a_dropped_table_becomes_a_run_that_predicts(workshop):
    client, folder = workshop
    sent = client.upload("my%20reviews.csv", (GOLDEN / "reviews.csv").read_bytes())
    assert sent["name"] == "my reviews.csv"
    assert [one["name"] for one in sent["preview"]["columns"]] == ["text", "label"]
    assert len(sent["preview"]["rows"]) == 20
    best = sent["suggestions"][0]
    assert (best["task"], best["settings"]) == ("classify", {"text": "text", "label": "label"})
    body = {"task": "classify", "data": {"upload": [sent["id"]]}, "settings": {**best["settings"], **SMALL}}
    asked = client.post("/api/command", {**body, "check": True}).json
    assert asked["errors"] == []
    assert asked["data"]["counts"]["train_examples"] > 50
    started = client.post("/api/train", body).json
    assert started["command"] == asked["command"]
    assert started["command"].startswith(
        "recurra train classify 'my reviews.csv' -o runs/classify-1 --text text --label label"
    )
    events = client.get(f"/api/runs/{started['run']}/events").events
    assert events[-1] == ("end", {"state": "done", "error": None}), events[-1]
    kinds = [data["event"] for name, data in events if name == "message"]
    assert kinds[0] == "start"
    assert "end" in kinds
    run = client.get(f"/api/runs/{started['run']}").json
    assert run["name"] == "classify-1"
    assert run["headline"]
    found = client.post(f"/api/runs/{started['run']}/predict", {"inputs": ["a good film"]}).json["results"]
    assert found == lines(call("predict", folder / "classify-1", "-t", "a good film", "--json"))
    assert call("evaluate", folder / "classify-1", "--json")  # its data are still there


def test_a_training_is_stopped_saved_and_resumed(workshop):
    client, _ = workshop
    sent = client.upload("verse.txt", (GOLDEN / "verse.txt").read_bytes() * 20)
    settings = {"hidden": 16, "layers": 1, "epochs": 100000, "threads": 1, "precision": "float32"}
    body = {"task": "lm", "data": {"upload": [sent["id"]]}, "settings": settings, "name": "long"}
    id = client.post("/api/train", body).json["run"]
    again = client.post("/api/train", {**body, "name": "other"})
    assert again.status == 429
    assert again.json["error"]["kind"] == "busy"
    until = time.monotonic() + 120
    while not (step := client.get(f"/api/runs/{id}").json["step"]) and time.monotonic() < until:
        time.sleep(0.2)
    assert step
    assert client.post(f"/api/runs/{id}/predict", {"inputs": ["the"]}).status == 409
    assert client.post(f"/api/runs/{id}/stop").status == 200
    client.post(f"/api/runs/{id}/stop")  # a second one does not end it without saving
    run = wait(client, id, "interrupted")
    assert run["resumable"]
    assert client.post(f"/api/runs/{id}/predict", {"inputs": ["the"]}).status == 200
    resumed = client.post(f"/api/runs/{id}/resume").json
    assert resumed["command"] == "recurra train --resume runs/long"
    until = time.monotonic() + 120
    while client.get(f"/api/runs/{id}").json["step"] <= run["step"] and time.monotonic() < until:
        time.sleep(0.2)
    assert client.get(f"/api/runs/{id}").json["state"] == "running"
    client.post(f"/api/runs/{id}/stop")
    assert wait(client, id, "interrupted")["step"] > run["step"]


def test_a_training_that_fails_says_why(workshop):
    client, _ = workshop
    sent = client.upload("one.csv", b"text,label\ngood,yes\n")
    body = {
        "task": "classify",
        "data": {"upload": [sent["id"]]},
        "settings": {**SMALL, "label": "mood"},
        "name": "fails",
    }
    id = client.post("/api/train", body).json["run"]
    run = wait(client, id, "failed")
    assert "mood" in run["error"]
    assert "/" not in run["error"]
    assert client.post(f"/api/runs/{id}/resume").status == 400


def test_settings_are_checked_each_by_itself(workshop):
    client, _ = workshop
    sent = client.upload("a.csv", b"text,label\ngood,yes\nbad,no\n")
    data = {"upload": [sent["id"]]}
    found = client.post(
        "/api/command", {"task": "classify", "data": data, "settings": {"hidden": -1, "cell": "lstn"}}
    ).json
    assert {one["key"] for one in found["errors"]} == {"hidden", "cell"}
    assert "did you mean lstm?" in str(found["errors"])
    for settings in ({"valid": ["/etc/passwd"]}, {"from_run": ["../x"]}, {"data": "/etc/passwd"}, {"vectors": "a.txt"}):
        reply = client.post("/api/train", {"task": "classify", "data": data, "settings": settings})
        assert reply.status == 400, settings
    assert client.post("/api/train", {"task": "classify", "data": {"dataset": "nothing"}}).status == 400


def test_uploads_are_gone_at_the_end(tmp_path):
    (tmp_path / "runs").mkdir()
    for client in serve([tmp_path / "runs"]):
        sent = client.upload("a.txt", b"hello\n")
        assert client.ask("DELETE", f"/api/uploads/{sent['id']}").status == 200
        assert client.ask("DELETE", f"/api/uploads/{sent['id']}").status == 404
        client.upload("b.txt", b"hello\n")
    assert not (tmp_path / "runs" / "uploads").exists()
