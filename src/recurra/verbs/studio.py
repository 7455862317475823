"""`recurra studio [RUN…|FOLDER]`."""

from __future__ import annotations

import signal
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from recurra.errors import UsageError
from recurra.verbs.base.options import note

POSITION = 37
FOLDER = Path("runs")


def studio(
    named: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN…|FOLDER]", help="Runs, or folders with runs. Default: runs/.", show_default=False),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Default: the first that is free from 8765 on.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Listen for other computers too; a token is asked for then.")
    ] = "127.0.0.1",
    token: Annotated[
        bool, typer.Option("--token", help="Ask for a token on this computer too: others may use it.")
    ] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="en|zh", help="Language of the page. Default: the browser's.")
    ] = None,
) -> None:
    """Show runs, train and look inside models, in a page of this computer's browser. Ctrl-C ends it.

    Trainings that are begun in the page are made in FOLDER (the folder of the first RUN); they save when it ends, and can be resumed.

    [bold]Examples[/bold]

    recurra studio

    recurra studio runs/movies --no-browser --port 9000

    recurra studio ~/runs --lang zh
    """
    if lang not in (None, "en", "zh"):
        raise UsageError(f"lang: expected en or zh, got {lang!r}")
    from recurra.studio.app import Address, create_app, services_of
    from recurra.studio.guard import LOOPBACK, new_token
    from recurra.studio.server import bind, make_server

    opened = bind(host, port)
    chosen = opened.getsockname()[1]
    needs_token = token or host.lower() not in LOOPBACK | {"::1"}
    address = Address(host, chosen, new_token() if needs_token else None, lang)
    app = create_app(named or [FOLDER], address)
    name = f"[{host}]" if ":" in host else host
    shown = f"http://{'localhost' if name in ('0.0.0.0', '[::]') else name}:{chosen}/"
    link = shown if address.token is None else f"{shown}?token={address.token}"
    note(f"studio: {link}   (Ctrl-C ends it)")
    if browser:
        threading.Timer(0.5, webbrowser.open, [link]).start()
    services = services_of(app)
    _end_as_by_ctrl_c()
    try:
        make_server(app, services.end_streams).run(sockets=[opened])
    except KeyboardInterrupt:
        pass
    finally:
        if services.jobs.running is not None:
            note("waiting for the training to save")
        services.close()
        opened.close()


def _end_as_by_ctrl_c() -> None:
    """Let a polite kill, and a terminal that is closed, end the studio as Ctrl-C does: trainings save first."""
    # uvicorn raises a signal again when it has ended; a default handler would then end the process on the spot.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))


def register(root: typer.Typer) -> None:
    root.command("studio")(studio)
