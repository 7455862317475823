"""What the studio says of runs is what the command line says."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.runs.trainings import CASES, GOLDEN
from tests.verbs.conftest import call, lines

INPUTS = {
    "lm": ("the rain", "the rain"),
    "classify": ("a good film", "a good film"),
    "tag": ("Anna lives in Rome", "Anna lives in Rome"),
    "embed": ([[1, 1.5]] * 9, json.dumps([[1, 1.5]] * 9)),
    "translate": ("3 May 2004", "3 May 2004"),
    "transcribe": ({"strokes": [[[0, 0], [5, 9], [9, 0]]]}, '{"strokes": [[[0, 0], [5, 9], [9, 0]]]}'),
}
"""For each task an input as a page gives it, and as the command line takes it; pictures and tables are files."""


def asked(studio, task, file=False):
    """Give the body of a request, and the arguments of the command that asks the same."""
    if task in INPUTS and not file:
        page, line = INPUTS[task]
        return {"inputs": [page]}, ["-t", line]
    given = CASES[task][2]
    if isinstance(given, str) and not file:
        return {"inputs": [given]}, ["-t", given]
    path = GOLDEN / CASES[task][0]
    return {"upload": studio.upload(path.name, path.read_bytes())["id"]}, [path]


def test_a_run_of_every_task_is_listed_with_its_metrics(studio, runs):
    listed = {run["name"]: run for run in studio.get("/api/runs").json}
    assert listed.keys() == CASES.keys()
    for name, run in listed.items():
        assert run["state"] == "done"
        info = json.loads(call("info", runs / name, "--json"))
        assert run["parameters"] == info["parameters"]
        assert run["step"] == info["steps"]
        assert run["metrics"] == info["evaluation"]["metrics"]
        assert run["baselines"] == info["evaluation"]["baselines"]
        assert run["headline"]["value"] == run["metrics"][run["headline"]["metric"]]


@pytest.mark.parametrize("task", CASES)
def test_a_page_of_a_run_says_what_it_can_do(studio, task):
    run = studio.get(f"/api/runs/{studio.ids()[task]}").json
    assert run["can"]["predict"]
    assert run["can"]["inside"]
    assert run["reason"] is None
    assert run["config"]
    assert all("/" not in str(one["value"]) for one in run["config"] if one["key"] in ("data", "valid", "test"))
    assert {"key", "help", "type", "choices", "default", "list", "flag"} == run["options"]["predict"][0].keys()
    assert not {"out", "overlay"} & {one["key"] for options in run["options"].values() for one in options}


def test_curves_have_every_measurement(studio, runs):
    found = studio.get(f"/api/runs/{studio.ids()['lm']}/curves").json
    events = [json.loads(line) for line in (runs / "lm" / "metrics.jsonl").read_text().splitlines()]
    loss = next(one for one in found["series"] if one["key"] == "loss" and one["part"] == "train")
    assert loss["points"] == [[one["step"], one["loss"]] for one in events if one["event"] == "train"]
    held = next(one for one in found["series"] if one["key"] == "nll" and one["part"] == "valid")
    assert held["points"] == [[one["step"], one["nll"]] for one in events if one["event"] == "valid"]


def test_events_are_the_lines_of_the_record(studio, runs):
    events = studio.get(f"/api/runs/{studio.ids()['classify']}/events").events
    recorded = [json.loads(line) for line in (runs / "classify" / "metrics.jsonl").read_text().splitlines()]
    assert [data for name, data in events if name == "message"] == recorded
    assert events[-1] == ("end", {"state": "done", "error": None})
    later = studio.get(f"/api/runs/{studio.ids()['classify']}/events?after=2").events
    assert [data for name, data in later if name == "message"] == recorded[2:]


def test_the_report_runs_in_a_sandbox(studio, runs):
    reply = studio.get(f"/api/runs/{studio.ids()['lm']}/report")
    assert reply.content == (runs / "lm" / "report.html").read_bytes()
    assert reply.headers["content-security-policy"].startswith("sandbox")
    assert "connect-src" not in reply.headers["content-security-policy"]


@pytest.mark.parametrize("task", CASES)
def test_predictions_are_those_of_the_command_line(studio, runs, task):
    body, arguments = asked(studio, task)
    reply = studio.post(f"/api/runs/{studio.ids()[task]}/predict", body)
    assert reply.status == 200, reply.json
    expected = lines(call("predict", runs / task, *arguments, "--json"))
    found = reply.json["results"]
    for one in (*found, *expected):  # a file is called by where it lies
        if "image" in one:
            one["image"] = one["image"].rpartition("/")[2]
    assert found == expected


def test_options_are_those_of_the_command_line(studio, runs):
    url = f"/api/runs/{studio.ids()['lm']}/predict"
    found = studio.post(url, {"inputs": ["the rain"], "options": {"k": 3, "steps": True}}).json["results"]
    assert found == lines(call("predict", runs / "lm", "-t", "the rain", "-k", 3, "--steps", "--json"))
    reply = studio.post(url, {"inputs": ["the rain"], "options": {"j": 3}})
    assert reply.status == 400
    assert reply.json["error"]["message"] == "j: a run of 'lm' does not take this option; it takes k, steps"
    assert reply.json["error"]["key"] == "j"


@pytest.mark.parametrize(
    ("task", "page", "line"),
    [
        ("lm", "the rain", "the rain"),
        ("translate", "3 May 2004\t2004-05-03", "3 May 2004\t2004-05-03"),
    ],
)
def test_scores_are_those_of_the_command_line(studio, runs, task, page, line):
    found = studio.post(f"/api/runs/{studio.ids()[task]}/score", {"inputs": [page]}).json["results"]
    assert found == lines(call("score", runs / task, "-t", line, "--json"))


@pytest.mark.parametrize("task", ["lm", "classify", "tag", "embed", "translate", "forecast", "detect"])
def test_explanations_are_those_of_the_command_line(studio, runs, task):
    body, arguments = asked(studio, task)
    reply = studio.post(f"/api/runs/{studio.ids()[task]}/explain", {**body, "memory": task == "classify"})
    assert reply.status == 200, reply.json
    more = ["--memory"] if task == "classify" else []
    assert reply.json["results"] == lines(call("explain", runs / task, *arguments, "--json", *more))


@pytest.mark.parametrize("task", CASES)
def test_diagnoses_are_those_of_the_command_line(studio, runs, task):
    found = studio.get(f"/api/runs/{studio.ids()[task]}/diagnosis").json
    assert found == json.loads(call("explain", runs / task, "--json"))


@pytest.mark.parametrize("task", ["lm", "tag", "embed", "transcribe", "forecast"])
def test_what_goes_on_inside_is_what_the_command_line_says(studio, runs, task):
    id = studio.ids()[task]
    body, arguments = asked(studio, task)
    found = studio.post(f"/api/runs/{id}/inside", {**body, "full": True}).json
    expected = json.loads(call("explain", runs / task, *arguments, "--gates", "--json"))
    assert found["json"] == expected
    assert found["saturation"] == expected["saturation"]
    url = f"/api/runs/{id}/trace/{found['trace']}"
    for layer, one in zip(found["layers"], expected["layers"], strict=True):
        for signal in layer["signals"]:
            values = one["states" if signal["kind"] == "state" else "gates"][signal["name"]]
            name = signal["name"].replace(" ", "%20")
            reply = studio.get(f"{url}?layer={layer['layer']}&signal={name}&dtype=float32")
            shape = int(reply.headers["x-steps"]), int(reply.headers["x-units"])
            read = np.frombuffer(reply.content, "<f4").reshape(shape)
            assert np.abs(read - np.array(values)).max() <= 1e-6
    step = studio.get(f"{url}/cell?layer=0&unit=1&step=0").json
    assert step["svg"].startswith("<svg")
    assert studio.get(f"{url}/unit?layer=0&unit=1").json["unit"] == "0.1"


def test_text_is_written_as_the_command_line_writes_it(studio, runs):
    body = {"prompt": "the ", "options": {"count": 2, "length": 12, "seed": 5}}
    events = studio.post(f"/api/runs/{studio.ids()['lm']}/generate", body).events
    assert events[0] == ("begin", {"seed": 5, "prompts": ["the ", "the "]})
    assert events[-1] == ("end", {})
    texts = ["the ", "the "]
    for name, data in events:
        if name == "message":
            texts[data["sample"]] += data["text"]
    expected = lines(call("generate", runs / "lm", "-p", "the ", "-n", 2, "-l", 12, "--seed", 5, "--json"))
    assert texts == [one["text"] for one in expected]
    found = studio.post(f"/api/runs/{studio.ids()['lm']}/generate", {"options": {"beam": 2, "length": 5}}).events
    assert found[0][0] == "found"
    assert found[0][1]["results"] == lines(call("generate", runs / "lm", "--beam", 2, "-l", 5, "--json"))


def test_pictures_are_drawn_as_the_command_line_draws_them(studio, runs):
    body = {"options": {"count": 2, "seed": 3}}
    reply = studio.post(f"/api/runs/{studio.ids()['pixels']}/generate", body).json
    expected = lines(call("generate", runs / "pixels", "-n", 2, "--seed", 3, "--json"))
    assert [one["pixels"] for one in reply["pictures"]] == [one["picture"] for one in expected]
    assert all(one["png"].startswith("data:image/png;base64,") for one in reply["pictures"])


def test_examples_are_inputs_that_can_be_asked(studio):
    for task in ("lm", "classify", "tag", "embed", "forecast", "translate", "detect"):
        id = studio.ids()[task]
        found = studio.get(f"/api/runs/{id}/examples").json["examples"]
        assert found
        assert studio.post(f"/api/runs/{id}/predict", {"inputs": found[:2]}).status == 200
