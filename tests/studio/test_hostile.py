"""Requests that no page of the studio makes: none succeeds, and none is an error of the server."""

from __future__ import annotations

import json
import sys

import pytest
from tests.runs.trainings import CASES
from tests.studio.client import PREDICT, filled, refused

PATHS = [
    "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/api/runs/../../etc/passwd",
    "/api/runs/..%2f..%2f..%2fetc", "/api/runs/%2fetc%2fpasswd/report", "/api/runs/%00/report", "/api/runs/..%5c..%5c/report",
    "/api/runs/{lm}/report/../../../etc/passwd", "/api/runs/./report", "/api/runs/~/report",
    "/api/runs/{lm}/trace/..%2f..%2fx", "/api/runs/{lm}/trace/0000000000000000?layer=0&signal=h", "/%ff%fe", "/api/runs/{lm}%00/curves",
    "/api/uploads/../../x", "/web/../app.py", "/app.py", "/.git/config",
]  # fmt: skip
BODIES: list[bytes] = [
    b"", b"[", b"[]", b"null", b'"x"', b"1e999", b"{}" * 3, b"\xff\xfe", b'{"inputs": "\\ud800"}', b'{"inputs": ["\\ud800"]}',
    b'{"inputs": 5}', b'{"inputs": [' + b"[" * 5000 + b"]" * 5000 + b"]}", b'{"inputs": [NaN]}', b'{"inputs": [{"a": 1}]}',
    b'{"inputs": ["a"], "options": {"k": ' + b"9" * 5000 + b"}}", b'{"inputs": ["a"], "options": {"k": [1]}}',
    b'{"inputs": ["a"], "options": []}', b'{"inputs": ["a"], "more": 1}', b'{"upload": "../../etc/passwd"}',
    b'{"upload": "/etc/passwd"}', b'{"inputs": ["a"], "upload": "b"}', b'{"inputs": ["a"], "options": {"k": -1}}',
    b'{"inputs": ["a"], "options": {"k": true}}', b'{"inputs": ["a"], "options": {"__class__": 1}}',
    b'{"inputs": [' + b'"a",' * 1200 + b'"a"]}',
]  # fmt: skip


@pytest.fixture(autouse=True)
def _names_of_files(studio):
    """Whatever was sent, the studio goes on to work."""
    yield
    assert studio.get("/api/session").status == 200


@pytest.mark.parametrize("path", PATHS)
def test_no_address_leads_to_a_file(studio, path):
    reply = studio.raw(
        f"GET {filled(studio, path)} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nConnection: close\r\n\r\n".encode()
    )
    assert reply.split(b" ", 2)[1] in (b"404", b"400"), reply[:300]
    assert b"root:" not in reply
    assert b"import" not in reply


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_none_is_refused(studio, body):
    refused(studio.post(filled(studio, PREDICT), body, Content_Type="application/json"), 400, 404)


POSTED = [
    "/api/runs/{lm}/predict", "/api/runs/{lm}/score", "/api/runs/{lm}/embed", "/api/runs/{lm}/generate", "/api/runs/{lm}/explain",
    "/api/runs/{lm}/inside", "/api/runs/{lm}/live", "/api/runs/{lm}/live/0", "/api/runs/{lm}/live/0/end", "/api/runs/{lm}/trace/0/match",
    "/api/runs/{lm}/stop", "/api/runs/{lm}/resume", "/api/command", "/api/train", "/api/runs", "/api/runs/{lm}", "/api", "/", "/api/uploads/x",
]  # fmt: skip
ASKED = [
    "/api/runs/{lm}", "/api/runs/{lm}/curves", "/api/runs/{lm}/examples", "/api/runs/{lm}/report", "/api/runs/{lm}/log", "/api/runs/{lm}/diagnosis",
    "/api/runs/{lm}/events", "/api/runs/{lm}/trace/0", "/api/runs/{lm}/trace/0/cell", "/api/runs/{lm}/trace/0/unit", "/api/tasks", "/api/datasets",
    "/api/runs/{lm}/trace/0/projection", "/api/session", "/api/uploads", "/api/train", "/api/nothing",
]  # fmt: skip
WRONG = [
    "after=x",
    "after=-5",
    f"after={'9' * 400}",
    "layer=%00",
    "x=" + "y" * 5000,
    "&".join(["a=b"] * 3000),
    "%",
    "token=x",
    "\xff",
]


@pytest.mark.parametrize("path", POSTED)
def test_nothing_that_is_posted_fails_in_the_server(studio, path):
    for body in BODIES:
        reply = studio.post(filled(studio, path), body, Content_Type="application/json")
        assert reply.status in (200, 400, 404, 405, 429), (body[:80], reply.status, reply.content[:200])


@pytest.mark.parametrize("path", ASKED)
def test_nothing_that_is_asked_for_fails_in_the_server(studio, path):
    for query in ("", *WRONG):
        sent = f"{filled(studio, path)}?{query}".encode("latin-1")
        reply = studio.raw(
            b"GET " + sent + f" HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nConnection: close\r\n\r\n".encode()
        )
        assert reply.split(b" ", 2)[1][:1] in (b"2", b"4"), (query, reply[:300])
    for id in ("0", "x" * 300, "%2e%2e", "%E2%80%AE", "000000000000"):
        reply = studio.get(path.replace("{lm}", id))
        assert reply.status < 500
        assert "{lm}" not in path or reply.status in (400, 404)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_form_is_no_request(studio, kind):
    refused(studio.post(filled(studio, PREDICT), b'{"inputs": ["a"]}', Content_Type=kind), 400)


@pytest.mark.parametrize("task", ["pixels", "caption", "transcribe"])
@pytest.mark.parametrize("given", ["/etc/passwd", "../../x.png", "{folder}", "-", {"pixels": "x"}, {"pixels": [[1, 2], [3]]}, {"pixels": [[300]]}, {"pixels": []}, {"strokes": "/etc/passwd"}, {"strokes": [[["a", 1]]]}, {"file": "/etc/passwd"}])  # fmt: skip
def test_no_input_names_a_file(studio, runs, task, given):
    given = str(runs) if given == "{folder}" else given
    id = studio.ids()[task]
    for verb in ("predict", "inside", "score", "explain", "generate"):
        body = {"prompt": given} if verb == "generate" else {"inputs": [given]}
        refused(studio.post(f"/api/runs/{id}/{verb}", body), 400)


OPENED: set[str] = set()
"""Files with this name that were opened in this process."""
SECRET = "recurra-test-secret.json"


def _watch(event, arguments):
    if event == "open" and SECRET in str(arguments[0]):
        OPENED.add(str(arguments[0]))


sys.addaudithook(_watch)


@pytest.mark.parametrize("task", CASES)
def test_a_file_that_is_named_is_never_opened(studio, tmp_path, task):
    secret = tmp_path / SECRET
    secret.write_text('{"strokes": [[[0, 0], [5, 9], [9, 0]]]}')
    id, given = studio.ids()[task], str(secret)
    OPENED.clear()
    for verb in ("predict", "inside", "score", "explain", "embed", "generate"):
        for item in (given, f"{given}\ta", {"csv": given}, {"pixels": given}, {"strokes": given}, [given]):
            body = (
                {"prompt": item if isinstance(item, str | dict) else ""} if verb == "generate" else {"inputs": [item]}
            )
            if verb == "generate":
                body["options"] = {"length": 2} if task == "lm" else {}
            assert studio.post(f"/api/runs/{id}/{verb}", body).status in (200, 400)
    assert not OPENED
    secret.read_bytes()
    assert OPENED  # it would have been seen


@pytest.mark.parametrize(
    ("task", "verb", "options"),
    [
        ("caption", "predict", {"overlay": "/tmp/x.html"}),
        ("pixels", "generate", {"out": "/tmp/x.png"}),
        ("pixels", "generate", {"picture": "/etc/passwd"}),
        ("transcribe", "predict", {"words": "/etc/passwd"}),
        ("transcribe", "predict", {"lm": "/etc/passwd.arpa"}),
        ("transcribe", "predict", {"lm": "../lm"}),
        ("lm", "generate", {"length": 10**6}),
        ("lm", "generate", {"count": 60000}),
    ],
)
def test_no_option_names_a_file_or_asks_for_too_much(studio, task, verb, options):
    inputs = {
        "caption": [{"pixels": [[[9, 9, 9]] * 32] * 32}],
        "transcribe": [{"strokes": [[[0, 0], [5, 9], [9, 0]]]}],
    }.get(task)
    body = {"options": options} if verb == "generate" else {"inputs": inputs, "options": options}
    refused(studio.post(f"/api/runs/{studio.ids()[task]}/{verb}", body), 400)


def test_a_file_of_names_is_read_as_no_file(studio):
    for name in ("names.txt", "names.csv", "names.jsonl"):
        content = {"names.txt": b"/etc/passwd\n", "names.csv": b"file\n/etc/passwd\n"}.get(
            name, b'{"file": "/etc/passwd"}\n'
        )
        sent = studio.upload(name, content)
        for task in ("pixels", "caption", "transcribe"):
            refused(studio.post(f"/api/runs/{studio.ids()[task]}/predict", {"upload": sent["id"]}), 400)


@pytest.mark.parametrize(
    "name", ["..%2f..%2fevil.csv", "%2fetc%2fcron.d%2fx", "a%00b.csv", "..", "C%3a%5cx.csv", "x" * 3000 + ".csv", ""]
)
def test_a_name_of_an_upload_leads_nowhere(studio, name):
    sent = studio.upload(name, b"a,b\n1,2\n")
    assert "/" not in sent["name"]
    assert "\\" not in sent["name"]
    assert 0 < len(sent["name"]) <= 120


def test_a_trace_belongs_to_its_run(studio):
    ids = studio.ids()
    found = studio.post(f"/api/runs/{ids['lm']}/inside", {"inputs": ["the rain"]}).json
    refused(studio.get(f"/api/runs/{ids['tag']}/trace/{found['trace']}?layer=0&signal=h"), 404)
    url = f"/api/runs/{ids['lm']}/trace/{found['trace']}"
    for query in (
        "layer=9&signal=h",
        "layer=0&signal=../x",
        "layer=x&signal=h",
        "layer=0&signal=h&dtype=object",
        f"layer={'9' * 5000}",
    ):
        refused(studio.get(f"{url}?{query}"), 400)
    for query in ("layer=0&unit=99999&step=0", "layer=0&unit=-1&step=0", "layer=0&unit=0&step=99999999999999999999"):
        refused(studio.get(f"{url}/cell?{query}"), 400)
    for changed in (
        {"from": 5, "to": 2},
        {"from": -1},
        {"to": 10**30},
        {"threshold": "x"},
        {"signal": "q"},
        {"layer": None},
    ):
        body = {"layer": 0, "signal": "h", "from": 0, "to": 2, "threshold": 0.0, **changed}
        refused(studio.post(f"{url}/match", body), 400)
    refused(studio.post(f"{url}/match", json.dumps(body).replace('"signal": "h"', '"signal": NaN').encode(), Content_Type="application/json"), 400)  # fmt: skip
