"""Trainings: what can be trained, on what, by which command, and how it is stopped and resumed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from recurra.data import names
from recurra.data.datasets.locate import find
from recurra.data.datasets.registry import get
from recurra.errors import RecurraError, UsageError
from recurra.files import is_file, is_folder
from recurra.runs.config import configure, fields
from recurra.runs.request import layers
from recurra.studio.commands import Wanted, arguments, faults, known_dataset, new_folder, refer, shown
from recurra.studio.options import describe_field
from recurra.studio.preview import preview
from recurra.studio.requests import TrainBody
from recurra.studio.responses import Route, json_response
from recurra.studio.results import StudioError, not_found
from recurra.studio.services import Services
from recurra.studio.suggestions import suggest
from recurra.studio.summary import RESUMABLE, state_of
from recurra.tasks import get_task, task_names
from recurra.version import __version__

EXTRAS = {"tokenizers": "text", "pyarrow": "data", "PIL": "images", "soundfile": "speech"}
"""What a task may need beside what is always installed, by the module that an extra brings."""


class TrainRoutes:
    """Answers what is asked of trainings; lang: of the page, or None."""

    def __init__(self, services: Services, lang: str | None) -> None:
        self.services, self.lang = services, lang

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("GET", "/api/session", self.session),
            Route("GET", "/api/tasks", self.tasks),
            Route("GET", "/api/datasets", self.datasets),
            Route("POST", "/api/uploads", self.upload, raw=True),
            Route("DELETE", "/api/uploads/{id}", self.remove_upload),
            Route("POST", "/api/command", self.command),
            Route("POST", "/api/train", self.train),
            Route("POST", "/api/runs/{id}/stop", self.stop),
            Route("POST", "/api/runs/{id}/resume", self.resume),
            Route("GET", "/api/runs/{id}/log", self.log),
        ]

    def session(self) -> Any:
        """Say what this studio is."""
        from importlib.util import find_spec

        missing = [extra for module, extra in EXTRAS.items() if find_spec(module) is None]
        facts = {"version": __version__, "folder": self.services.catalog.home.name, "lang": self.lang}
        limit = self.services.uploads.limit
        return json_response({**facts, "tasks": task_names(), "upload_limit": limit, "missing": missing})

    def tasks(self) -> Any:
        """List the tasks, with their settings."""
        found = []
        for name in task_names():
            task = get_task(name)
            settings = [
                {"section": section, **describe_field(key, field)} for key, (section, field) in fields(name).items()
            ]
            facts = {"name": name, "title": task.title, "about": (task.Config.__doc__ or "").strip()}
            examples = list(task.cli_examples)
            found.append({**facts, "element": list(task.element), "cli_examples": examples, "settings": settings})
        return json_response(found)

    def datasets(self) -> Any:
        """List the data sets, and whether each is on this machine."""
        found = []
        for name in names():
            one = get(name)
            here = one.builtin is not None or find(one) is not None
            facts = {"name": name, "title": one.title, "about": one.about, "task": one.task, "licence": one.licence}
            found.append({**facts, "bytes": one.size, "here": here})
        return json_response(found)

    # Uploads

    async def upload(self, request: Any) -> Any:
        """Take a file as it comes, and look into it."""
        uploads = self.services.uploads
        upload, file = uploads.receive(request.query_params.get("name") or "file")
        try:
            with file:
                async for part in request.stream():
                    upload.bytes += len(part)
                    await asyncio.to_thread(file.write, part)
            uploads.take(upload)
        except BaseException:
            uploads.drop(upload)
            raise
        look = await asyncio.to_thread(preview, upload.path)
        facts = {"id": upload.id, "name": upload.name, "bytes": upload.bytes}
        found = {**facts, "preview": look.to_json(), "suggestions": suggest(upload.name, look)}
        return json_response(self.services.without_paths(found))

    def remove_upload(self, id: str) -> Any:
        """Remove a file."""
        self.services.uploads.drop(self.services.uploads.get(id))
        return json_response({})

    # Trainings

    def _wanted(self, body: TrainBody) -> Wanted:
        get_task(body.task)
        files = [self.services.uploads.get(id).path for id in body.data.upload]
        dataset = None if body.data.dataset is None else known_dataset(body.data.dataset)
        return refer(Wanted(body.task, files, dataset, body.settings, body.name), self.services.find)

    def _shown(self, words: list[str], out: Path) -> str:
        home = self.services.catalog.home
        named = {str(one.path): one.name for one in self.services.uploads.all()}
        runs = {
            str(folder): f"{folder.parent.name}/{folder.name}" for folder in self.services.catalog.folders().values()
        }
        return shown(words, {**runs, **named, str(out): f"{home.name}/{out.name}"})

    async def command(self, body: TrainBody) -> Any:
        """Give the command line of a training, and what is wrong with it; check: also what reading the data says."""
        wanted = self._wanted(body)
        found = [{"key": one.key, "message": one.message} for one in await asyncio.to_thread(faults, wanted)]
        command = None
        try:
            out = new_folder(self.services.catalog.home, wanted.task, wanted.name)
            command = self._shown(arguments(wanted, out), out)
        except UsageError as error:
            found.append({"key": "name" if str(error).startswith("name:") else None, "message": str(error)})
        data = None
        if body.check and not found:
            try:
                data = await self.services.worker.run(_read_data, wanted)
            except RecurraError as error:
                found.append({"key": None, "message": str(error)})
        return json_response(self.services.without_paths({"command": command, "errors": found, "data": data}))

    async def train(self, body: TrainBody) -> Any:
        """Begin a training."""
        wanted = self._wanted(body)
        if found := await asyncio.to_thread(faults, wanted):
            raise UsageError(found[0].message)
        home, uploads = self.services.catalog.home, self.services.uploads
        if (other := self.services.jobs.running) is not None:
            raise StudioError(f"{other.folder.name} is being trained; wait for its end, or stop it", 429, "busy")
        out = new_folder(home, wanted.task, wanted.name)
        command = self._shown(arguments(wanted, out), out)
        used = self._used(wanted)
        kept = {str(one.path): str(await asyncio.to_thread(uploads.keep, one, home)) for one in used}
        words = [kept.get(word, word) for word in arguments(wanted, out)]
        data = wanted.dataset or ", ".join(path.name for path in wanted.data)
        id = self.services.catalog.add(out)
        self.services.jobs.start(id, out, wanted.task, data, words)
        return json_response({"run": id, "command": command})

    def _used(self, wanted: Wanted) -> list[Any]:
        values = [
            value for given in wanted.settings.values() for value in (given if isinstance(given, list) else [given])
        ]
        paths = {str(path) for path in wanted.data} | {value for value in values if isinstance(value, str)}
        return [one for one in self.services.uploads.all() if str(one.path) in paths]

    def stop(self, id: str) -> Any:
        """Ask a training to save and end."""
        self.services.catalog.folder(id)
        self.services.jobs.stop(id)
        return json_response({"state": "stopping"})

    def resume(self, id: str) -> Any:
        """Go on with a training that was interrupted."""
        catalog = self.services.catalog
        folder = catalog.folder(id)
        if not is_folder(folder) or not is_file(folder / "config.toml"):
            raise UsageError("resume: this training had not begun yet; train again")
        record = catalog.record(folder)
        state = state_of(folder, record, None)
        if state not in RESUMABLE:
            raise UsageError(f"resume: expected a training that was interrupted, this one is {state}")
        words = ["train", "--resume", str(folder)]
        self.services.jobs.start(id, folder, record.task, "", words)
        return json_response({"run": id, "command": self._shown(words, folder)})

    def log(self, id: str) -> Any:
        """Give what a training has written."""
        job = self.services.jobs.get(id)
        if job is None:  # begun elsewhere: what it wrote stands in the terminal there
            self.services.catalog.folder(id)
            return json_response({"lines": [], "running": False})
        return json_response(self.services.without_paths({"lines": job.lines, "running": job.running}))


def _read_data(wanted: Wanted) -> dict[str, Any]:
    """Read the data as the training would: how much there is, and what there is to say of it. Computes; runs in the worker."""
    data = [wanted.dataset] if wanted.dataset is not None else [str(path) for path in wanted.data]
    configuration = configure(wanted.task, *layers(wanted.task, data, None, wanted.settings))
    summary = get_task(wanted.task)(configuration.settings).prepare()
    return {"counts": summary.counts, "notes": summary.notes}
