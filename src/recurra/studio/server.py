"""The server: uvicorn, with connections that are bounded in number and that have to say soon what they want."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from recurra.errors import UsageError, require

HEADER_SECONDS = 10.0
"""In which a request's headers have to be there, from the connection on, or from the response before."""
MAX_CONNECTIONS = 200
MAX_HEADER_BYTES = 16 * 1024
SHUTDOWN_SECONDS = 3
FIRST_PORT, PORTS_TRIED = 8765, 20


def bind(host: str, port: int | None) -> socket.socket:
    """Open the socket that is listened at; port: None: the first that is free from 8765 on. Raises `UsageError` where it is taken."""
    wanted = [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise UsageError(f"host: {host} is no address of this machine ({error.strerror})") from None
    problem: Exception | None = None
    for number in wanted:
        opened = socket.socket(family, socket.SOCK_STREAM)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((address[0], number))
        except (OSError, OverflowError) as error:
            opened.close()
            problem = error
        else:
            return opened
    what = f"port {port}" if port is not None else f"every port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1}"
    reason = getattr(problem, "strerror", None) or problem
    raise UsageError(f"port: {what} of {host} cannot be listened at ({reason}); name another with --port")


def make_server(app: Any, on_exit: Callable[[], None] = lambda: None) -> Any:
    """Make the server of an ASGI app; `run(sockets=[…])` runs it until Ctrl-C. on_exit: is called at once then, while streams are still open."""
    uvicorn = require("uvicorn", "studio", "the studio")
    config = uvicorn.Config(
        app,
        http=_protocol(),
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_keep_alive=int(HEADER_SECONDS),
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            on_exit()
            super().handle_exit(sig, frame)

    return Server(config)


def _protocol() -> Any:
    """Make uvicorn's protocol one that closes connections which say nothing, or say it slowly."""
    base: Any = require("uvicorn.protocols.http.h11_impl", "studio", "the studio").H11Protocol

    class BoundedProtocol(base):
        _timer: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > MAX_CONNECTIONS:
                transport.abort()
                return
            self._wait_for_headers()

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before:  # the headers of a request are there
                self._stop_waiting()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                self._wait_for_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _wait_for_headers(self) -> None:
            self._stop_waiting()
            self._timer = self.loop.call_later(HEADER_SECONDS, self._give_up)

        def _stop_waiting(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _give_up(self) -> None:
            if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
                self.transport.abort()

    return BoundedProtocol
