"""What all addresses of the studio share."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from recurra.errors import RecurraError
from recurra.runs.run import Run
from recurra.studio.catalog import Catalog
from recurra.studio.inputs import parse_inputs, read_upload
from recurra.studio.jobs import Jobs
from recurra.studio.models import Models
from recurra.studio.requests import Inputs
from recurra.studio.results import StudioError, describe_error
from recurra.studio.traces import Traces
from recurra.studio.uploads import KEPT, Uploads
from recurra.studio.worker import Worker

MAX_STREAMS = 48
"""Events that are sent to so many readers at once."""


class Services:
    """The runs that are served, and what is kept of them while the studio is open."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.worker, self.models, self.traces = catalog, Worker(), Models(), Traces()
        self.uploads, self.jobs = Uploads(), Jobs()
        self.closing = False
        self._streams = 0

    @property
    def private(self) -> list[str]:
        """Folders that no message may name, the longest first."""
        kept = self.catalog.home / KEPT
        uploads = [str(folder) for one in self.uploads.all() for folder in (one.path.parent, kept / one.id)]
        return [*uploads, str(self.uploads.folder), *self.catalog.private]

    def message(self, error: RecurraError) -> str:
        """Write an error for the page."""
        return describe_error(error, self.private)[1]["error"]["message"]

    def without_paths(self, value: Any) -> Any:
        """Give a value whose texts name no folder of this machine that is served."""
        if isinstance(value, dict):
            return {key: self.without_paths(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.without_paths(each) for each in value]
        if isinstance(value, str) and "/" in value:
            for folder in self.private:
                value = value.replace(f"{folder}/", "")
        return value

    def find(self, id: str) -> Path | None:
        """Give the file of an upload, or the folder of a run, by its id."""
        return self.uploads.find(id) or self.catalog.folders().get(id)

    def load(self, id: str) -> Run:
        """Load a run; in the worker alone."""
        return self.models.load(self.catalog.folder(id))

    def read(self, run: Run, body: Inputs) -> list[Any]:
        """Read what a model is asked about; in the worker alone."""
        if body.upload is None:
            return parse_inputs(run.predictor, body.inputs)
        return read_upload(run.predictor, self.uploads.get(body.upload).path)

    def counted(self, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Give a stream, unless there are too many: then raise `StudioError` (429)."""
        if self._streams >= MAX_STREAMS:
            raise StudioError(f"{MAX_STREAMS} pages are following events already; close some", 429, "busy")
        self._streams += 1
        return _Counted(parts, self._end)

    def _end(self) -> None:
        self._streams -= 1

    def end_streams(self) -> None:
        """Let every stream of events come to its end."""
        self.closing = True

    def close(self) -> None:
        """End what is going on: trainings, once they have saved, and streams; uploads are removed."""
        self.closing = True
        self.jobs.close()
        self.uploads.close()
        self.worker.close()
        self.models.clear()
        self.traces.clear()


class _Counted:
    """A stream that says once that it has ended, even where nobody has ever read of it."""

    def __init__(self, parts: AsyncIterator[bytes], end: Callable[[], None]) -> None:
        self._parts, self._end = parts, weakref.finalize(self, end)

    def __aiter__(self) -> _Counted:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await self._parts.__anext__()
        except BaseException:  # its end too
            self._end()
            raise
