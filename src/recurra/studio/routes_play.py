"""A run that is asked: predictions, scores, new text, explanations, and what goes on inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from recurra.errors import UsageError
from recurra.explain.explanation import Method
from recurra.runs.run import Run
from recurra.studio import play
from recurra.studio.inputs import parse_inputs, read_upload
from recurra.studio.requests import ExplainBody, GenerateBody, Inputs, InsideBody, MatchBody, PredictBody
from recurra.studio.responses import Route, bytes_response, stream_response
from recurra.studio.routes_runs import with_error_event
from recurra.studio.services import Services
from recurra.tasks.base.capabilities import Generates, GeneratesPictures

TRACE = "/api/runs/{id}/trace/{trace}"


class PlayRoutes:
    """Answers what a model is asked; all that computes is done in the worker."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("POST", "/api/runs/{id}/predict", self.predict),
            Route("POST", "/api/runs/{id}/score", self.score),
            Route("POST", "/api/runs/{id}/embed", self.embed),
            Route("POST", "/api/runs/{id}/generate", self.generate),
            Route("POST", "/api/runs/{id}/explain", self.explain),
            Route("POST", "/api/runs/{id}/inside", self.inside),
            Route("GET", TRACE, self.values),
            Route("GET", f"{TRACE}/cell", self.cell),
            Route("GET", f"{TRACE}/unit", self.unit),
            Route("POST", f"{TRACE}/match", self.match),
            Route("GET", f"{TRACE}/projection", self.projection),
        ]

    async def _ask(self, id: str, body: Inputs, ask: Callable[[Run, list[Any]], bytes]) -> Any:
        self.services.catalog.folder(id)  # an unknown one need not wait

        def work() -> bytes:
            run = self.services.load(id)
            return ask(run, self.services.read(run, body))

        return bytes_response(await self.services.worker.run(work))

    async def predict(self, id: str, body: PredictBody) -> Any:
        """Predict, as `recurra predict --json` does."""
        return await self._ask(
            id, body, lambda run, inputs: play.predict(run, inputs, body.options, self.services.find)
        )

    async def score(self, id: str, body: Inputs) -> Any:
        """Score, as `recurra score --json` does."""
        return await self._ask(id, body, play.score)

    async def embed(self, id: str, body: Inputs) -> Any:
        """Give vectors."""
        return await self._ask(id, body, play.embed)

    async def explain(self, id: str, body: ExplainBody) -> Any:
        """Explain, as `recurra explain --json` does."""
        method = Method(body.fast, body.permutations, body.memory, body.seed)
        return await self._ask(id, body, lambda run, inputs: play.explain(run, inputs, body.options, method))

    async def generate(self, id: str, body: GenerateBody) -> Any:
        """Write text, as events; or pictures."""
        self.services.catalog.folder(id)
        find = self.services.find
        predictor = (await self.services.worker.run(self.services.load, id)).predictor
        if isinstance(predictor, GeneratesPictures):

            def draw() -> bytes:
                given = read_upload(predictor, self.services.uploads.get(body.upload).path)[:1] if body.upload else []
                if isinstance(body.prompt, dict):
                    given = parse_inputs(predictor, [body.prompt])
                elif body.prompt:
                    raise UsageError('prompt: expected {"pixels": [[…]]}, got a text')
                return play.generate_pictures(predictor, given[0] if given else None, body.options, find)

            return bytes_response(await self.services.worker.run(draw))
        if not isinstance(body.prompt, str) or body.upload is not None:
            raise UsageError("prompt: expected a text")
        prompt, options = body.prompt, play.generation(predictor, body.options, find)

        def write() -> Iterator[bytes]:
            return play.generate(cast(Generates, predictor), prompt, options)

        parts = self.services.worker.stream(write)
        return stream_response(self.services.counted(with_error_event(parts, self.services)))

    # Inside

    async def inside(self, id: str, body: InsideBody) -> Any:
        """Record all gates and states, as `recurra explain --gates --json` does, and keep them."""
        how = {"unit": body.unit, "dynamics": body.dynamics, "full": body.full}
        return await self._ask(id, body, lambda run, inputs: self.services.traces.record(id, run, inputs, **how))

    async def values(self, id: str, trace: str, layer: int = 0, signal: str = "h", dtype: str = "float16") -> Any:
        """Give the values of a signal, steps × units."""
        found = await self.services.worker.run(self.services.traces.values, id, trace, layer, signal, dtype)
        return bytes_response(found.content, "application/octet-stream", found.headers)

    async def cell(self, id: str, trace: str, layer: int = 0, unit: int = 0, step: int = 0) -> Any:
        """Give one step of one unit."""
        return bytes_response(await self.services.worker.run(self.services.traces.cell, id, trace, layer, unit, step))

    async def unit(self, id: str, trace: str, layer: int = 0, unit: int = 0) -> Any:
        """Give one unit."""
        return bytes_response(await self.services.worker.run(self.services.traces.unit, id, trace, layer, unit))

    async def match(self, id: str, trace: str, body: MatchBody) -> Any:
        """Find where else the units of a stretch are high."""
        steps = body.first, body.last
        return bytes_response(
            await self.services.worker.run(
                self.services.traces.match, id, trace, body.layer, body.signal, steps, body.threshold
            )
        )

    async def projection(self, id: str, trace: str, layer: int = -1) -> Any:
        """Give the states of a layer on a plane."""
        return bytes_response(await self.services.worker.run(self.services.traces.projection, id, trace, layer))
