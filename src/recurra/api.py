"""Training from end to end: data and settings in, a whole run folder out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from recurra.arguments import DataFrame, checked
from recurra.data.frames import FRAME, is_frame, named_as_frame, write_frame
from recurra.errors import RunError, UsageError, report_memory_errors
from recurra.files import is_file, is_folder
from recurra.runs.config import configure, load_configuration
from recurra.runs.request import Source, check_same, layers
from recurra.runs.run import Run
from recurra.runs.session import TrainingSession
from recurra.training.folder import check_new_folder, next_folder


@checked
def train(
    task: str,
    data: Source | Mapping[Any, Any] | DataFrame | Iterable[Source] = (),
    out: Source | None = None,
    *,
    config: Source | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Run:
    """Train a model of a task on data, measure it on what was held out, and give the run.

    data: files, folders, globs, or the name of a data set; or a table in memory, of pandas, polars or pyarrow, or a dict of its
    columns, which the run keeps as data.parquet.  out: the run folder to make; a new one under runs/ by default.
    config: a TOML file.  settings: any setting of the task by its name, as in `hidden=256`; they outrank the file.
    Raises `UsageError`, `DataError`, `RunError` or `DivergedError`; a training that has not begun leaves nothing behind,
    and one that diverges a run with the last good weights.

    >>> import recurra, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> text = Path(folder, "verse.txt")
    >>> _ = text.write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", text, Path(folder, "run"), quiet=True, hidden=16, layers=1, epochs=2)
    >>> round(run.evaluation["metrics"]["nll"]) < 4
    True
    """
    if is_frame(data):
        with TemporaryDirectory() as temporary:
            kept = Path(temporary, FRAME)
            write_frame(data, kept)
            with named_as_frame(kept):
                return _train_on_files(task, kept, out, config, settings, quiet=quiet, frame=kept)
    return _train_on_files(task, cast(Source | Iterable[Source], data), out, config, settings, quiet=quiet)


def _train_on_files(
    task: str,
    data: Source | Iterable[Source],
    out: Source | None,
    config: Source | None,
    settings: Mapping[str, Any],
    *,
    quiet: bool,
    frame: Path | None = None,
) -> Run:
    """Train on files; frame: the one among them that the run has to keep."""
    configuration = configure(task, *layers(task, data, config, settings))
    folder = next_folder(task) if out is None else check_new_folder(Path(out))
    session = TrainingSession(configuration, folder, quiet=quiet, numbered=out is None, frame=frame)
    with report_memory_errors():
        return _with_notes(session.start(), session)


@checked
def resume(
    folder: Source,
    data: Source | Iterable[Source] = (),
    *,
    task: str | None = None,
    config: Source | None = None,
    quiet: bool = False,
    **settings: Any,
) -> Run:
    """Go on with a training that was interrupted or killed; it ends with the very weights it would have had.

    data, task, config, settings: as for `train`, for the sake of commands that are repeated; nothing in them can be changed.
    Raises `UsageError` where they say otherwise than what the training began with, and `RunError` when there is nothing
    to go on from, the data have changed, or a file is damaged.
    """
    path = Path(folder)
    if not is_file(path / "config.toml"):
        what = "it has no config.toml" if is_folder(path) else "there is no such folder"
        raise RunError(f"{path}: expected a run folder to go on with; {what}: begin it with `recurra train`")
    configuration = load_configuration(path / "config.toml")
    if task not in (None, configuration.task):
        raise UsageError(f"task: {path} is of {configuration.task!r}, got {task!r}")
    check_same(configuration, layers(configuration.task, data, config, settings), path)
    session = TrainingSession(configuration, path, quiet=quiet)
    with report_memory_errors():
        return _with_notes(session.resume(), session)


def _with_notes(run: Run, session: TrainingSession) -> Run:
    run.notes_shown = frozenset(session.progress.notes_shown)
    return run
