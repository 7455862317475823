"""The runs: listed, looked at, and followed while they train."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from recurra.baselines import baseline_title
from recurra.errors import RecurraError, RunError
from recurra.files import is_file
from recurra.runs.manifest import MANIFEST
from recurra.studio.curves import EventTail, curves, progress
from recurra.studio.details import abilities, command_lines, examples, input_of, labels_of, options_of, settings_of
from recurra.studio.guard import REPORT_POLICY
from recurra.studio.play import diagnosis
from recurra.studio.responses import Route, bytes_response, json_response, stream_response
from recurra.studio.results import describe_error, not_found, to_event, to_json
from recurra.studio.services import Services
from recurra.studio.summary import metric_titles, state_of, summarize
from recurra.tasks import get_task
from recurra.training.folder import LOG

EVENT_SECONDS = 0.5
"""Between two looks at what a training has written."""
QUIET_SECONDS = 15
"""After which a stream sends an empty line, so that a reader which has gone is noticed."""


class RunRoutes:
    """Answers what is asked of runs."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("GET", "/api/runs", self.list_runs),
            Route("GET", "/api/runs/{id}", self.show),
            Route("GET", "/api/runs/{id}/examples", self.examples),
            Route("GET", "/api/runs/{id}/curves", self.curves),
            Route("GET", "/api/runs/{id}/events", self.events),
            Route("GET", "/api/runs/{id}/report", self.report),
            Route("GET", "/api/runs/{id}/diagnosis", self.diagnosis),
        ]

    def list_runs(self) -> Any:
        """Give all runs, the newest first."""
        catalog, jobs = self.services.catalog, self.services.jobs
        found = []
        for id, folder in catalog.folders().items():
            job = jobs.get(id)
            if job is None and not folder.is_dir():  # a training that failed before it had a folder, in an earlier list
                continue
            found.append(summarize(catalog, id, folder, None if job is None else job.facts))
        found.sort(key=lambda run: (run["state"] == "running", run["began"] or ""), reverse=True)
        return json_response(self.services.without_paths(found))

    async def show(self, id: str) -> Any:
        """Give all that the page of a run shows, but for its curves."""
        catalog, job = self.services.catalog, self.services.jobs.get(id)
        folder = catalog.folder(id)
        summary = await asyncio.to_thread(summarize, catalog, id, folder, None if job is None else job.facts)
        loaded, reason = None, None
        if is_file(folder / MANIFEST):
            try:
                loaded = self.services.models.loaded(folder)  # what is known need not wait for others' requests
                loaded = loaded or await self.services.worker.run(self.services.models.load, folder)
            except RecurraError as error:
                reason = self.services.message(error)
        else:
            reason = "its training has not ended"
        predictor = None if loaded is None else loaded.predictor
        can = abilities(predictor)
        try:
            config = settings_of(catalog.record(folder))
        except RunError:
            config = []
        keys = list(
            dict.fromkeys([*summary["metrics"], *(key for one in summary["baselines"].values() for key in one)])
        )
        shown = {
            **summary,
            "config": config,
            "can": can,
            "options": options_of(summary["task"]),
            "input": {**input_of(predictor), "example": None},
            "labels": labels_of(predictor),
            "reason": reason,
            "titles": metric_titles(keys),
            "baseline_titles": {name: baseline_title(name) for name in summary["baselines"]},
            "report": is_file(folder / "report.html"),
            "commands": command_lines(folder.name, can, resumable=summary["resumable"]),
        }
        return json_response(self.services.without_paths(shown))

    async def examples(self, id: str) -> Any:
        """Give inputs of the run's own data."""
        folder = self.services.catalog.folder(id)

        def find() -> bytes:
            return to_json({"examples": examples(self.services.models.load(folder))})

        return bytes_response(await self.services.worker.run(find))

    def curves(self, id: str) -> Any:
        """Give the curves of a training, as far as it is."""
        record = self.services.catalog.record(self.services.catalog.folder(id))
        try:
            units = get_task(record.task).element[1]
        except RecurraError:
            units = "units"
        return json_response(curves(record, units))

    def report(self, id: str) -> Any:
        """Give the report, which is of no origin and fetches nothing."""
        path = self.services.catalog.folder(id) / "report.html"
        if not is_file(path):
            raise not_found("report")
        headers = {"content-security-policy": REPORT_POLICY}
        return bytes_response(path.read_bytes(), "text/html; charset=utf-8", headers)

    async def diagnosis(self, id: str) -> Any:
        """Give what is good and what is wrong with a run."""
        folder = self.services.catalog.folder(id)
        return bytes_response(await self.services.worker.run(lambda: diagnosis(self.services.models.load(folder))))

    async def events(self, id: str, after: int = 0) -> Any:
        """Give the events of a training as they are written."""
        folder = self.services.catalog.folder(id)
        return stream_response(self.services.counted(self._events(id, EventTail(folder / LOG, max(0, after)))))

    async def _events(self, id: str, tail: EventTail) -> AsyncIterator[bytes]:
        catalog, folder, quiet = self.services.catalog, tail.path.parent, 0.0
        while not self.services.closing:
            job = self.services.jobs.get(id)
            facts = None if job is None else job.facts
            state = await asyncio.to_thread(self._state, folder, facts)
            found = await asyncio.to_thread(tail.read)
            for number, event in found:
                yield to_event(event, number=number)
            if state != "running" and not found:
                yield to_event({"state": state, "error": None if facts is None else facts.error}, "end")
                return
            if found:
                record = await asyncio.to_thread(catalog.record, folder)
                yield to_event(progress(record), "progress")
            quiet = 0.0 if found else quiet + EVENT_SECONDS
            if quiet >= QUIET_SECONDS:
                quiet = 0.0
                yield b": still there\n\n"
            await asyncio.sleep(EVENT_SECONDS)

    def _state(self, folder: Any, facts: Any) -> str:
        try:
            record = self.services.catalog.record(folder)
        except RunError:
            record = None
        return state_of(folder, record, facts)


async def with_error_event(parts: AsyncIterator[bytes], services: Services) -> AsyncIterator[bytes]:
    """Give a stream, and at its end an event that says so, or what went wrong."""
    try:
        async for part in parts:
            yield part
    except RecurraError as error:
        _, content = describe_error(error, services.private)
        yield to_event(content, "error")
    else:
        yield to_event({}, "end")
