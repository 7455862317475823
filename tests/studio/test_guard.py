"""Who is let in, and how much and how slowly may be sent: nothing that another page or computer sends succeeds, and none is an error of the server."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.studio.client import PREDICT, filled, refused
from tests.studio.conftest import UPLOAD_LIMIT, serve

from recurra.studio import guard, server, services

FOREIGN_HOSTS = [
    "evil.example", "evil.example:{port}", "localhost.evil.example:{port}", "127.0.0.1.nip.io:{port}", "127.0.0.1:1",
    "127.0.0.1", "[::1", "127.0.0.1:{port}@evil.example", "0.0.0.0:{port}", "127.1:{port}", "2130706433:{port}",
    "localhost:{port}/x", "localhost\t:{port}", "192.168.0.2:{port}", "",
]  # fmt: skip
FOREIGN_ORIGINS = [
    "http://evil.example", "http://localhost:1", "http://127.0.0.1", "https://127.0.0.1:{port}", "null", "file://", "",
    "http://127.0.0.1:{port}.evil.example", "http://evil.example:{port}", "chrome-extension://abc",
]  # fmt: skip


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


def test_a_server_for_other_computers_takes_addresses_and_no_names():
    async def app(*_):
        raise AssertionError

    made = guard.Guard(app, host="0.0.0.0", port=8765, token="t", upload_limit=1)
    assert made._is_own("192.168.0.2:8765")
    assert made._is_own("[fe80::1]:8765")
    assert made._is_own("localhost:8765")
    assert not made._is_own("evil.example:8765")
    assert not made._is_own("192.168.0.2")
    assert guard.Guard(app, host="pc.home", port=80, token="t", upload_limit=1)._is_own("PC.home")


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
