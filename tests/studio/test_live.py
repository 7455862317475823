"""Signals as they come, and what is seen of files that are dropped."""

from __future__ import annotations

import gzip
import json
import time

import numpy as np
import pytest
from tests.runs.trainings import GOLDEN, SMALL
from tests.studio.conftest import serve
from tests.verbs.conftest import call, lines

import recurra
from recurra.runs.config import configure
from recurra.studio.options import kind_of
from recurra.tasks import get_task, task_names

STROKES = [[[0, 0], [5, 9]], [[9, 0], [3, 3]]]


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A studio with a run that reads strokes forward alone; gives its client, and the run."""
    folder = tmp_path_factory.mktemp("live")
    settings = {**SMALL, "split_by": "signal", "bidirectional": False}
    recurra.train("transcribe", GOLDEN / "inks.jsonl", folder / "pen", **settings)
    for client in serve([folder / "pen"]):
        yield client, folder / "pen"


def test_strokes_are_transcribed_as_they_come(live):
    client, run = live
    (id,) = client.ids().values()
    assert client.get(f"/api/runs/{id}").json["can"]["stream"]
    url = f"/api/runs/{id}/live"
    stream = client.post(url, {"options": {"strokes": True}}).json["live"]
    found = []
    for stroke in STROKES:
        piece = json.dumps(stroke).encode() + b"\n"
        found += client.post(f"{url}/{stream}", piece, Content_Type="application/octet-stream").json["results"]
    found += client.post(f"{url}/{stream}/end").json["results"]
    given = "".join(json.dumps(stroke) + "\n" for stroke in STROKES)
    assert found == lines(call("predict", run, "-", "--strokes", "--json", text=given))
    assert client.post(f"{url}/{stream}/end").status == 404
    for options in ({}, {"rate": 16000}, {"strokes": True, "best": 3}, {"x": 1}):
        assert client.post(url, {"options": options}).status == 400


FOUND = {
    "reviews.csv": ("classify", {"text": "text", "label": "label"}),
    "sales.csv": ("forecast", {"time": "date", "series": ["shop"]}),
    "verse.txt": ("lm", {}),
    "names.conll": ("tag", {}),
    "dates.tsv": ("translate", {}),
    "inks.jsonl": ("transcribe", {}),
    "boxes.zip": ("caption", {}),
    "crosses.npy": ("pixels", {}),
    "waves.ts": ("classify", {}),
}


def test_of_a_packed_file_only_the_beginning_is_unpacked(studio):
    packed = gzip.compress(b"text,label\n" + b"good and fine and warm,yes\n" * 8_000_000)  # 216 MB in 630 kB
    began = time.monotonic()
    look = studio.upload("big.csv.gz", packed)["preview"]
    assert time.monotonic() - began < 20
    assert [one["name"] for one in look["columns"]] == ["text", "label"]
    assert look["count"] is None


def test_lists_of_words_and_tags_suggest_a_tagger(studio):
    rows = [{"tokens": ["Ada", "met", "Alan"], "ner_tags": ["P", "O", "P"]}] * 30
    sent = studio.upload("names.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    best = sent["suggestions"][0]
    assert (best["task"], best["settings"]) == ("tag", {"tokens": "tokens", "column": "ner_tags"})
    body = {"task": "tag", "data": {"upload": [sent["id"]]}, "settings": best["settings"], "check": True}
    assert "only 1 different" in str(
        studio.post("/api/command", body).json["errors"]
    )  # they were read as what they are


@pytest.mark.parametrize("name", FOUND)
def test_a_file_suggests_a_task_whose_settings_are_taken(studio, name):
    sent = studio.upload(name, (GOLDEN / name).read_bytes())
    best = sent["suggestions"][0]
    task, settings = FOUND[name]
    assert best["task"] == task
    assert settings.items() <= best["settings"].items()
    for one in sent["suggestions"]:
        configure(one["task"], one["settings"])
        assert one["why"]
    body = {"task": task, "data": {"upload": [sent["id"]]}, "settings": best["settings"], "check": True}
    reply = studio.post("/api/command", body).json
    assert reply["errors"] == []
    assert reply["data"]["counts"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b'"never closed\n'),
        ("a.json", b"[" * 10_000),
        ("a.zip", b"PK\x03\x04 no archive"),
        ("a.tar.gz", b"\x1f\x8b no archive"),
        ("a.csv.gz", b"\x1f\x8b no stream"),
        ("a.npy", b"\x93NUMPY"),
        ("a.parquet", b"PAR1"),
        ("a.txt", bytes(range(256))),
        ("a.csv", b"a,b\n" + b"x" * 500_000 + b",1\n"),
        ("a.csv", b",".join(b"c%d" % number for number in range(5000)) + b"\n"),
        ("a", np.random.default_rng(0).bytes(1000)),
    ],
)
def test_a_file_that_is_none_has_a_preview_that_says_so(studio, name, content):
    sent = studio.upload(name, content)
    assert sent["preview"]["kind"]
    assert "/tmp" not in json.dumps(sent)
    reply = studio.post("/api/command", {"task": "classify", "data": {"upload": [sent["id"]]}, "check": True})
    assert reply.status == 200
    assert reply.json["errors"] or reply.json["data"]


PLAIN_TEXTS = {
    "name", "unit", "label", "target", "text", "words", "tags", "field", "encoding", "prefix", "at", "source", "source_lang",
    "target_lang", "by", "file", "key", "label_from", "only", "valid_names", "test_names",
}  # fmt: skip


def test_every_option_that_names_a_file_or_a_run_is_known_as_one():
    """A new option with a file's name has to be marked: as `Files`, by FILE, PICTURE or RUN in its metavar, or as one that writes."""
    marked = {}
    for task in task_names():
        predictor = get_task(task).Predictor
        for name in ("PredictOptions", "GenerateOptions", "ExplainOptions"):
            for key, field in getattr(getattr(predictor, name, None), "model_fields", {}).items():
                if str in (field.annotation, *getattr(field.annotation, "__args__", ())):
                    marked[f"{task}.{key}"] = kind_of(field)
    texts = {key for key, kind in marked.items() if kind == "text"}
    assert {key.partition(".")[2] for key in texts} <= PLAIN_TEXTS
    assert marked["caption.overlay"] == marked["pixels.out"] == "written"
    assert marked["pixels.picture"] == marked["transcribe.words"] == "upload"
    assert marked["transcribe.lm"] == "run"
