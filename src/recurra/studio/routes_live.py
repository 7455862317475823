"""A signal that is sent piece by piece, and transcribed meanwhile."""

from __future__ import annotations

from typing import Any

from recurra.studio.live import LiveStreams
from recurra.studio.requests import LiveBody
from recurra.studio.responses import Route, bytes_response
from recurra.studio.services import Services

LIVE = "/api/runs/{id}/live"


class LiveRoutes:
    """Answers what is sent live."""

    def __init__(self, services: Services) -> None:
        self.services, self.streams = services, LiveStreams()

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("POST", LIVE, self.start),
            Route("POST", f"{LIVE}/{{live}}", self.push, raw=True),
            Route("POST", f"{LIVE}/{{live}}/end", self.finish),
        ]

    async def start(self, id: str, body: LiveBody) -> Any:
        """Open a stream."""
        self.services.catalog.folder(id)

        def work() -> bytes:
            return self.streams.start(id, self.services.load(id), body.options, self.services.find)

        return bytes_response(await self.services.worker.run(work))

    async def push(self, request: Any) -> Any:
        """Read a piece."""
        given = request.path_params
        data = await request.body()
        return bytes_response(await self.services.worker.run(self.streams.push, given["id"], given["live"], data))

    async def finish(self, id: str, live: str) -> Any:
        """End a stream."""
        return bytes_response(await self.services.worker.run(self.streams.finish, id, live))
