"""Requests that no page of the studio makes: none succeeds, and none is an error of the server."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.studio.conftest import UPLOAD_LIMIT, serve

from recurra.studio import guard, services

FOREIGN_HOSTS = [
    "evil.example", "evil.example:{port}", "localhost.evil.example:{port}", "127.0.0.1.nip.io:{port}", "127.0.0.1:1",
    "127.0.0.1", "[::1", "127.0.0.1:{port}@evil.example", "0.0.0.0:{port}", "127.1:{port}", "2130706433:{port}",
    "localhost:{port}/x", "localhost\t:{port}", "192.168.0.2:{port}", "",
]  # fmt: skip
FOREIGN_ORIGINS = [
    "http://evil.example", "http://localhost:1", "http://127.0.0.1", "https://127.0.0.1:{port}", "null", "file://", "",
    "http://127.0.0.1:{port}.evil.example", "http://evil.example:{port}", "chrome-extension://abc",
]  # fmt: skip
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
PREDICT = "/api/runs/{lm}/predict"


@pytest.fixture(autouse=True)
def _names_of_files(studio):
    """Whatever was sent, the studio goes on to work."""
    yield
    assert studio.get("/api/session").status == 200


def filled(studio, text):
    return text.replace("{port}", str(studio.port)).replace("{lm}", studio.ids()["lm"])


def refused(reply, *statuses):
    assert reply.status in statuses, (reply.status, reply.content[:300])
    assert reply.json["error"]["message"]
    assert reply.json["error"]["kind"]
    assert b"root:" not in reply.content


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_another_host_is_refused(studio, host):
    sent = filled(studio, host)
    lines = f"Host: {sent}\r\n" if host else ""
    reply = studio.raw(f"GET /api/runs HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())
    assert reply.split(b" ", 2)[1] in (b"403", b"400"), reply
    assert b"metrics" not in reply


def test_two_hosts_are_refused(studio):
    own = f"127.0.0.1:{studio.port}"
    reply = studio.raw(
        f"GET /api/runs HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode()
    )
    assert reply.split(b" ", 2)[1] in (b"403", b"400")


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_another_origin_changes_nothing(studio, origin):
    for path in (PREDICT, "/api/train", "/api/uploads?name=x", "/api/runs/{lm}/stop"):
        refused(studio.post(filled(studio, path), {"inputs": ["a"]}, Origin=filled(studio, origin)), 403)
    if origin:
        refused(studio.get("/api/runs", Origin=filled(studio, origin)), 403)


def test_a_page_elsewhere_cannot_read_or_embed(studio):
    for site in ("cross-site", "same-site"):
        refused(studio.get("/api/runs", Sec_Fetch_Site=site), 403)
    reply = studio.ask("OPTIONS", "/api/train", Origin="http://evil.example", Access_Control_Request_Method="POST")
    refused(reply, 405)
    own = studio.get("/api/runs")
    assert not [name for name in own.headers if name.startswith("access-control")]
    assert own.headers["x-content-type-options"] == "nosniff"
    assert own.headers["cross-origin-resource-policy"] == "same-origin"
    policy = own.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy


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


def test_too_large_a_body_is_refused_while_it_comes(studio):
    head = "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nOrigin: {}\r\nContent-Type: application/json\r\n"
    upload, predict = "/api/uploads?name=x", filled(studio, PREDICT)
    for path, limit in ((upload, UPLOAD_LIMIT), (predict, guard.MAX_JSON_BYTES)):
        sent = head.format(path, studio.port, studio.origin)
        assert b" 413 " in studio.raw(f"{sent}Content-Length: {limit + 1}\r\n\r\n".encode())
        assert b" 400 " in studio.raw(f"{sent}Content-Length: -1\r\n\r\n".encode())
        assert b" 400 " in studio.raw(f"{sent}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello".encode())
    chunked = head.format(upload, studio.port, studio.origin) + "Transfer-Encoding: chunked\r\n\r\n"
    piece = b"40000\r\n" + b"a" * 0x40000 + b"\r\n"
    assert b" 413 " in studio.raw(chunked.encode() + piece * (UPLOAD_LIMIT // 0x40000 + 1))
    assert b" 400 " in studio.raw(
        f"{head.format(upload, studio.port, studio.origin)}Content-Length: {'9' * 400}\r\n\r\n".encode()
    )


def test_more_than_was_promised_is_another_request_and_none(studio):
    head = f"POST {filled(studio, PREDICT)} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nOrigin: {studio.origin}\r\nContent-Type: application/json\r\n"
    reply = studio.raw(f"{head}Content-Length: 2\r\n\r\n{{}}GET /api/runs HTTP/1.0\r\n\r\n".encode())
    statuses = [part.split(b" ", 1)[0] for part in reply.split(b"HTTP/1.1 ")[1:]]
    assert all(status.startswith(b"4") for status in statuses), statuses
    assert b"metrics" not in reply


def test_slow_headers_and_bodies_are_cut(studio, monkeypatch):
    from recurra.studio import server

    monkeypatch.setattr(server, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.5)
    began = time.monotonic()
    assert studio.raw(b"GET /api/runs HTTP/1.1\r\nHost: ", 20) == b""
    assert studio.raw(b"", 20) == b""
    head = f"POST /api/uploads?name=x HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\nOrigin: {studio.origin}\r\nContent-Length: 100\r\n\r\nabc"
    assert b" 408 " in studio.raw(head.encode(), 20)
    assert time.monotonic() - began < 15
    assert len(studio.raw(b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n").split(b"\r\n")[0]) < 60


def test_a_flood_of_events_is_bounded(studio, monkeypatch):
    monkeypatch.setattr(services, "MAX_STREAMS", 4)
    monkeypatch.setattr("recurra.studio.routes_runs.state_of", lambda *_: "running")  # a training that does not end
    address, statuses = f"/api/runs/{studio.ids()['lm']}/events", []
    request = f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n\r\n".encode()
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda _: studio.raw(request, 3.0), range(24)))
    statuses = [one.split(b" ", 2)[1] for one in found]
    assert set(statuses) == {b"200", b"429"}, statuses
    assert statuses.count(b"200") <= 4 * 3  # those that began when others had ended
    time.sleep(1.5)
    assert studio.raw(request, 1.0).split(b" ", 2)[1] == b"200"


def test_many_calls_wait_or_are_refused_and_none_fails(studio):
    body, statuses = {"inputs": ["the rain " * 40]}, []

    def ask():
        statuses.append(studio.post(filled(studio, PREDICT), body).status)

    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    assert studio.get("/api/session").status == 200  # the loop is free meanwhile
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 429}
    assert 200 in statuses


def test_a_token_is_asked_for(runs):
    for client in serve([runs], token="secret-token"):
        assert client.get("/api/runs").status == 403
        for wrong in ("", "x", "secret-toke", "%ff"):
            assert client.get(f"/?token={wrong}").status == 403
        assert client.get("/api/runs?token=secret-token").status == 403
        let_in = client.get("/?token=secret-token")
        assert let_in.status == 303
        assert "HttpOnly" in let_in.headers["set-cookie"]
        cookie = let_in.headers["set-cookie"].partition(";")[0]
        assert client.get("/api/runs", Cookie=cookie).status == 200
        assert client.get("/api/runs", Cookie=cookie.replace("secret", "public")).status == 403
        assert client.get("/api/runs", Cookie=cookie, Host=f"evil.example:{client.port}").status == 403
        assert client.get("/api/session", Cookie=cookie).status == 200


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
