"""What the page of one run shows: its settings, what it can do and what it takes, and inputs of its own held-out part."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from recurra.errors import RecurraError, UsageError
from recurra.nn.stack import Layer
from recurra.report.record import Record
from recurra.runs.config import fields
from recurra.runs.run import Run
from recurra.studio.inputs import read_upload
from recurra.studio.options import describe_options
from recurra.tasks import get_task
from recurra.tasks.base.capabilities import (
    Embeds,
    Explains,
    Generates,
    GeneratesPictures,
    Scores,
    ScoresFiles,
    Streams,
    StreamsBytes,
)
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.settings import is_file_setting

ABILITIES = (
    "predict", "generate", "generate_pictures", "score", "embed", "explain", "inside", "stream", "steps", "pictures",
    "live_sound",
)  # fmt: skip
MAX_EXAMPLES = 12
MAX_EXAMPLE_NUMBERS = 20_000
MAX_EXAMPLE_BYTES = 64 * 2**20
"""Of a file that examples are taken from: it is read as a whole."""


def settings_of(record: Record) -> list[dict[str, Any]]:
    """List every setting of a run; files by their names alone."""
    try:
        known = fields(record.task)
    except UsageError:
        return []
    found = []
    for name, (section, field) in known.items():
        values = record.config.get(section)
        value = values.get(name) if isinstance(values, dict) else None
        if is_file_setting(field) and isinstance(value, list):
            value = [Path(str(one)).name for one in value]
        default = field.get_default(call_default_factory=True)
        found.append(
            {"section": section, "key": name, "value": value, "default": default, "help": field.description or ""}
        )
    return found


def options_of(task: str) -> dict[str, list[dict[str, Any]]]:
    """Give the options that runs of a task take."""
    kinds = {"predict": "PredictOptions", "generate": "GenerateOptions", "explain": "ExplainOptions"}
    try:
        predictor = get_task(task).Predictor
    except UsageError:
        return {verb: [] for verb in kinds}
    return {verb: describe_options(getattr(predictor, name, None)) for verb, name in kinds.items()}


def abilities(predictor: Predictor | None) -> dict[str, bool]:
    """Say what a model can be asked; None: of a run that cannot be loaded."""
    if predictor is None:
        return dict.fromkeys(ABILITIES, False)
    kind, options = predictor.input_kind, type(predictor).PredictOptions.model_fields
    streams = isinstance(predictor, Streams) and predictor.why_not_streamable() is None
    of_files = kind in ("sound", "picture", "pen")
    found = {
        "predict": True,
        "generate": isinstance(predictor, Generates),
        "generate_pictures": isinstance(predictor, GeneratesPictures),
        # A caption is scored beside the name of its picture's file, which no page may give.
        "score": isinstance(predictor, ScoresFiles if of_files else Scores),
        "embed": isinstance(predictor, Embeds),
        "explain": isinstance(predictor, Explains),
        "inside": any(isinstance(module, Layer) for module in predictor.network.modules()),
        "stream": streams,
        "steps": "steps" in options,
        "pictures": kind == "picture" or "attention" in options,
        "live_sound": streams and kind == "sound" and isinstance(predictor, StreamsBytes),
    }
    return {name: found[name] for name in ABILITIES}


def input_of(predictor: Predictor | None) -> dict[str, Any]:
    """Say what a model reads."""
    if predictor is None:
        return {"kind": "none", "channels": []}
    preprocessor = predictor.preprocessor
    inputs = getattr(preprocessor, "inputs", None)
    columns = getattr(inputs, "channel_names", None) or getattr(preprocessor, "targets", None) or []
    return {"kind": predictor.input_kind, "channels": [str(name) for name in columns]}


def labels_of(predictor: Predictor | None) -> list[str]:
    """Name the classes or tags that a model tells apart; none of one that has no such."""
    found = getattr(getattr(predictor, "preprocessor", None), "labels", None)
    return [str(label) for label in found] if isinstance(found, list) else []


def command_lines(name: str, can: dict[str, bool], *, resumable: bool) -> dict[str, str]:
    """Give command lines that do the same, for the folder in which the run is."""
    run = shlex.quote(name if not name.startswith("-") else f"./{name}")
    lines = {"predict": f"recurra predict {run} INPUT"} if can["predict"] else {}
    lines |= {"explain": f"recurra explain {run} INPUT"} if can["explain"] else {}
    return lines | ({"resume": f"recurra train --resume {run}"} if resumable else {})


def examples(run: Run) -> list[Any]:
    """Give inputs of a run's own data as a page hands them over: of its test files, else of those for validation, else of all.

    None where the files are gone, too large to be read for that, or hold what is handed over as a file.
    """
    data = getattr(run.configuration.settings, "data", None)
    files = [
        Path(file)
        for name in ("test", "valid", "data")
        for file in getattr(data, name, None) or []
        if file != "-" and Path(file).is_file()
    ]
    for file in files[:1]:
        if file.stat().st_size > MAX_EXAMPLE_BYTES or run.predictor.input_kind in ("sound", "picture"):
            return []
        try:
            items = read_upload(run.predictor, file)
        except RecurraError:
            return []
        return list(islice(_for_page(items), MAX_EXAMPLES))
    return []


def _for_page(items: Iterable[Any]) -> Iterable[Any]:
    for item in items:
        if isinstance(item, str):
            if item.strip():
                yield item
            continue
        values = getattr(item, "values", item)  # a series in time has a grid around its values
        if isinstance(values, np.ndarray) and values.size <= MAX_EXAMPLE_NUMBERS and values.dtype.kind == "f":
            plain = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
            yield (
                [None if number != number else number for number in plain.tolist()]
                if plain.ndim == 1
                else [[None if number != number else number for number in row] for row in plain.tolist()]
            )
