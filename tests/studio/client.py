"""Requests as the page makes them, and as others would."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content as JSON."""
        return json.loads(self.content)

    @property
    def events(self) -> list[tuple[str, Any]]:
        """The events of a stream: name (message without one) and data."""
        found = []
        for part in self.content.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in part.split("\n") if ": " in line and not line.startswith(":"))
            if "data" in lines:
                found.append((lines.get("event", "message"), json.loads(lines["data"])))
        return found


class Client:
    """Asks one studio; each request has a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; body: JSON, or bytes as they are.  headers: instead of those that a browser sends, _ for -; "" for none."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} if body is not None and not isinstance(body, bytes) else {}
        sent |= {"Origin": self.origin} if method not in ("GET", "HEAD") else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                if value:
                    connection.putheader(name, value)
            if content is not None and "Content-Length" not in sent and "Transfer-Encoding" not in sent:
                connection.putheader("Content-Length", str(len(content)))
            connection.endheaders(content)
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        """Ask for something."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        """Change, or compute, something."""
        return self.ask("POST", path, {} if body is None else body, **headers)

    def ids(self) -> dict[str, str]:
        """Give the ids of the runs by their names."""
        return {run["name"]: run["id"] for run in self.get("/api/runs").json}

    def upload(self, name: str, content: bytes) -> Any:
        """Send a file."""
        reply = self.post(f"/api/uploads?name={name}", content, Content_Type="application/octet-stream")
        assert reply.status == 200, reply.content
        return reply.json

    def raw(self, content: bytes, seconds: float = 5.0) -> bytes:
        """Send bytes, and give what comes back until the connection ends, or so many seconds have passed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(content)
            found = b""
            try:
                while part := connection.recv(65536):
                    found += part
            except (TimeoutError, ConnectionResetError):
                return found
            return found


PREDICT = "/api/runs/{lm}/predict"


def filled(studio: Client, text: str) -> str:
    """Give an address with the port, and the id of the run of lm, in their places."""
    return text.replace("{port}", str(studio.port)).replace("{lm}", studio.ids()["lm"])


def refused(reply: Reply, *statuses: int) -> None:
    """Expect an error in the form of all errors."""
    assert reply.status in statuses, (reply.status, reply.content[:300])
    assert reply.json["error"]["message"]
    assert reply.json["error"]["kind"]
    assert b"root:" not in reply.content
