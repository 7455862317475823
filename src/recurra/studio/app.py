"""The app: every address, the errors, the page's files, and the guard before all of it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recurra.errors import RecurraError, require
from recurra.studio.catalog import Catalog
from recurra.studio.guard import Guard
from recurra.studio.responses import Route, json_response
from recurra.studio.results import describe_error
from recurra.studio.routes_live import LiveRoutes
from recurra.studio.routes_play import PlayRoutes
from recurra.studio.routes_runs import RunRoutes
from recurra.studio.routes_train import TrainRoutes
from recurra.studio.services import Services
from recurra.studio.uploads import MAX_UPLOAD_BYTES

WEB = Path(__file__).with_name("web")
"""The files of the page, built from studio/."""


@dataclass(frozen=True)
class Address:
    """Where the studio is, and who may come in: token: None: everyone who reaches it.  lang: of the page; None: the browser's."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str | None = None
    lang: str | None = None
    upload_limit: int = MAX_UPLOAD_BYTES


def create_app(named: Sequence[Path], address: Address = Address()) -> Guard:
    """Make the app that serves some runs, or folders with runs.

    Raises `MissingExtraError` without the extra `studio`, and `UsageError` for what is no folder.
    """
    fastapi = require("fastapi", "studio", "the studio")
    services = Services(Catalog(named))
    services.uploads.limit = address.upload_limit

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        services.closing = True

    app = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan, redirect_slashes=False)
    app.state.services = services
    _handle_errors(app, services)
    parts = (RunRoutes(services), PlayRoutes(services), LiveRoutes(services), TrainRoutes(services, address.lang))
    for route in (route for part in parts for route in part.routes()):
        _add(app, route)
    if WEB.is_dir():
        from fastapi.staticfiles import StaticFiles

        app.mount("/", StaticFiles(directory=WEB, html=True))
    limits = {"token": address.token, "upload_limit": address.upload_limit}
    return Guard(app, host=address.host, port=address.port, **limits)


def services_of(guard: Guard) -> Services:
    """Give what an app holds, to close it at the end."""
    app: Any = guard.app
    return app.state.services


def _add(app: Any, route: Route) -> None:
    if route.raw:
        app.add_route(route.path, route.endpoint, methods=[route.method])
        return
    # No response model: what an endpoint gives is a response already.
    app.add_api_route(route.path, _plain(route.endpoint), methods=[route.method], response_model=None)


def _plain(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function whose annotations are types, not their names: the endpoint is a method of another module."""
    hints = inspect.get_annotations(endpoint, eval_str=True)
    signature = inspect.signature(endpoint)
    parameters = [one.replace(annotation=hints.get(one.name, one.annotation)) for one in signature.parameters.values()]

    if inspect.iscoroutinefunction(endpoint):

        @functools.wraps(endpoint)
        async def call(**given: Any) -> Any:
            return await endpoint(**given)
    else:

        @functools.wraps(endpoint)
        def call(**given: Any) -> Any:
            return endpoint(**given)

    call.__signature__ = signature.replace(parameters=parameters, return_annotation=Any)  # type: ignore[attr-defined]
    return call


def _handle_errors(app: Any, services: Services) -> None:
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

    @app.exception_handler(RecurraError)
    async def _(_: Any, error: RecurraError) -> Any:
        status, content = describe_error(error, services.private)
        return json_response(content, status)

    @app.exception_handler(RequestValidationError)
    async def _(_: Any, error: RequestValidationError) -> Any:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part not in ("body", "query", "path")]
        message = first["msg"].removeprefix("Value error, ")
        key = ".".join(place)[:100]
        named = f"{key}: {message[:1].lower()}{message[1:]}" if key else message
        content = {"message": named[:500], "kind": "usage", **({"key": key} if key else {})}
        return json_response({"error": content}, 400)

    @app.exception_handler(HTTPException)
    async def _(_: Any, error: HTTPException) -> Any:
        kinds = {404: "not found", 405: "usage", 413: "too large"}
        message = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
        return json_response(
            {"error": {"message": message, "kind": kinds.get(error.status_code, "usage")}}, error.status_code
        )

    @app.exception_handler(Exception)
    async def _(_: Any, error: Exception) -> Any:
        # A fault of ours: its text may name anything, and is for the terminal, where the server shows it.
        content = {"message": f"the studio failed ({type(error).__name__}); its terminal says more", "kind": "fault"}
        return json_response({"error": content}, 500)
