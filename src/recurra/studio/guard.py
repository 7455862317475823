"""What every request goes through first: whose it is, how large and how slow it may be, and what its answer may do in a browser."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from recurra.studio.results import StudioError, describe_error, to_json

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::", "[::]"})
MAX_JSON_BYTES = 32 * 2**20
BODY_SECONDS, MIN_BODY_RATE = 10.0, 64 * 1024
"""A body may pause so long, and has to come so fast (bytes a second) after as long again."""
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-src 'self'; frame-ancestors 'none'"
)
REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; media-src data:; "
    "frame-ancestors 'self'"
)
"""Of a report: what it draws stands in it; it can fetch nothing, and is of no origin."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(self), geolocation=()"),
)
_FORBIDDEN_IN_PATH = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.\.(?:/|$)")


def new_token() -> str:
    """Make a token."""
    return secrets.token_urlsafe(24)


class Guard:
    """Stands before the app; pure ASGI, so that streams and disconnects go through as they are.

    host, port: that the server listens at.  token: that a browser has to show once; None: everyone who reaches it may come in.
    upload_limit: bytes of a body under /api/uploads.
    """

    def __init__(self, app: App, *, host: str, port: int, token: str | None, upload_limit: int) -> None:
        self.app, self.port, self.token, self.upload_limit = app, port, token, upload_limit
        self.any_address = host in ANY_ADDRESS
        self.hosts = LOOPBACK | ({f"[{host}]" if ":" in host else host.lower()} - ANY_ADDRESS)
        self.cookie = f"recurra_studio_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on, one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        if scope["type"] != "http":
            return
        exchange = _Exchange(receive, send, self._limit(scope))
        try:
            self._check(scope)
            self._check_length(scope, exchange.limit)
        except StudioError as error:
            await exchange.refuse(error)
            return
        if self.token is not None and (given := _query(scope).get("token")) and scope["path"] == "/":
            await self._let_in(given[0], exchange)
            return
        try:
            await self.app(scope, exchange.receive, exchange.send)
        except Exception:
            if not exchange.gone:  # nobody is there to be answered, and that is no fault
                raise

    def _limit(self, scope: Scope) -> int:
        return self.upload_limit if scope["type"] == "http" and scope["path"] == "/api/uploads" else MAX_JSON_BYTES

    def _check(self, scope: Scope) -> None:
        """Raise `StudioError` for a request that is not the page's."""
        method, path = scope["method"], scope["path"]
        if method not in METHODS:
            raise StudioError(f"method: expected one of {', '.join(sorted(METHODS))}", 405, "usage")
        if _FORBIDDEN_IN_PATH.search(path):
            raise StudioError("address: expected one of the page's own", 400, "usage")
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            raise StudioError("host: this is not the address that the studio was started at", 403, "forbidden")
        own = f"{scope.get('scheme', 'http')}://{hosts[0].lower()}"
        origins = _values(scope, b"origin")
        if any(origin.lower() != own for origin in origins):
            raise StudioError("origin: another page may not do that", 403, "forbidden")
        if method not in ("GET", "HEAD") and len(origins) != 1:
            raise StudioError("origin: expected the page's own, got none", 403, "forbidden")
        site = _values(scope, b"sec-fetch-site")
        if path.startswith("/api/") and any(one not in ("same-origin", "none") for one in site):
            raise StudioError("origin: another page may not do that", 403, "forbidden")
        if self.token is not None and not self._is_known(scope) and not (path == "/" and "token" in _query(scope)):
            raise StudioError("token: open the address that `recurra studio` has printed", 403, "forbidden")

    def _is_own(self, host: str) -> bool:
        """Tell whether a Host header is of this server: a name that leads here by another's will is none."""
        match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?", host)
        if match is None or int(match[2] or 80) != self.port:
            return False
        return match[1].lower() in self.hosts or (self.any_address and _is_address(match[1]))

    def _is_known(self, scope: Scope) -> bool:
        for header in _values(scope, b"cookie"):
            try:
                found = SimpleCookie(header).get(self.cookie)
            except CookieError:
                continue
            if found is not None and self._fits(found.value):
                return True
        return False

    def _fits(self, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "replace"), (self.token or "").encode())

    def _check_length(self, scope: Scope, limit: int) -> None:
        lengths = _values(scope, b"content-length")
        if any(not length.isdecimal() for length in lengths) or len(set(lengths)) > 1:
            raise StudioError("content-length: expected a number", 400, "usage")
        if lengths and int(lengths[0][:20]) > limit:
            raise StudioError(f"body: expected at most {limit:,} bytes", 413, "too large")

    async def _let_in(self, token: str, exchange: _Exchange) -> None:
        if not self._fits(token):
            await exchange.refuse(StudioError("token: it is not the one that was printed last", 403, "forbidden"))
            return
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Lax; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode()), (b"content-length", b"0")]
        await exchange.send({"type": "http.response.start", "status": 303, "headers": headers})
        await exchange.send({"type": "http.response.body", "body": b""})


class _Exchange:
    """A request and its response: the body is bounded while it is read, and the response gets its headers."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive, self._send, self.limit = receive, send, limit
        self._bytes, self._complete, self._refused, self._started = 0, False, False, False
        self.gone = False
        """Whether the connection has ended, or was ended."""
        self._since = asyncio.get_running_loop().time()

    async def receive(self) -> Message:
        """Give the next part of the body; of one that is too long or too slow the end of the connection."""
        if self._refused:
            return {"type": "http.disconnect"}
        try:
            message = await asyncio.wait_for(self._receive(), None if self._complete else BODY_SECONDS)
        except TimeoutError:
            return await self._cut(StudioError("body: it came too slowly", 408, "timeout"))
        self.gone = self.gone or message["type"] == "http.disconnect"
        self._bytes += len(message.get("body", b""))
        self._complete = self._complete or not message.get("more_body", False)
        if self._bytes > self.limit:
            return await self._cut(StudioError(f"body: expected at most {self.limit:,} bytes", 413, "too large"))
        late = asyncio.get_running_loop().time() - self._since - BODY_SECONDS
        if not self._complete and late > 0 and self._bytes < late * MIN_BODY_RATE:
            return await self._cut(StudioError("body: it came too slowly", 408, "timeout"))
        return message

    async def _cut(self, error: StudioError) -> Message:
        if not self._started:
            await self.refuse(error)
        self._refused = self.gone = True
        return {"type": "http.disconnect"}

    async def refuse(self, error: StudioError) -> None:
        """Answer with an error, and close the connection: what is left of the body is not read."""
        status, content = describe_error(error)
        body = to_json(content)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})
        self._refused = True

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if self._refused:
            return
        if message["type"] == "http.response.start":
            self._started = True
            message = {**message, "headers": _with_headers(message.get("headers", ()))}
        await self._send(message)


def _with_headers(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    headers = [(name.lower(), value) for name, value in given if name.lower() != b"server"]
    names = {name for name, _ in headers}
    usual = [*HEADERS, (b"content-security-policy", PAGE_POLICY.encode()), (b"cache-control", b"no-store")]
    return headers + [(name, value) for name, value in usual if name not in names]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


def _query(scope: Scope) -> dict[str, list[str]]:
    try:
        return parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=100)
    except ValueError:
        return {}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
