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
from recurra.studio.play import can_score
from recurra.tasks import get_task
from recurra.tasks.base.capabilities import (
    Embeds,
    Explains,
    Generates,
    GeneratesPictures,
    Streams,
    StreamsBytes,
)
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.settings import is_file_setting
from recurra.text import file_lines

ABILITIES = (
    "predict", "generate", "generate_pictures", "score", "embed", "explain", "inside", "stream", "steps", "pictures",
    "live_sound",
)  # fmt: skip
MAX_EXAMPLES = 12
MAX_EXAMPLE_ROWS = 1000
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
    found = {
        "predict": True,
        "generate": isinstance(predictor, Generates),
        "generate_pictures": isinstance(predictor, GeneratesPictures),
        "score": can_score(predictor),
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
            if run.predictor.input_kind == "table":
                return [{"csv": text}] if (text := _table_end(file)) else []
            items = read_upload(run.predictor, file)
        except RecurraError:
            return []
        return list(islice(_for_page(items), MAX_EXAMPLES))
    return []


def _table_end(file: Path) -> str | None:
    """Give the names of a table's columns, and its last rows; None of what is no CSV file."""
    if not file.name.lower().endswith(".csv"):
        return None
    head, *rows = file_lines(str(file))
    return "\n".join([head, *rows[-MAX_EXAMPLE_ROWS:]]) + "\n"


def _for_page(items: Iterable[Any]) -> Iterable[Any]:
    for item in items:
        text = " ".join(item) if isinstance(item, list) and all(isinstance(word, str) for word in item) else item
        if isinstance(text, str):
            if text.strip():
                yield text
            continue
        if isinstance(item, np.ndarray) and item.size <= MAX_EXAMPLE_NUMBERS and item.dtype.kind == "f":
            plain = item[:, 0] if item.ndim == 2 and item.shape[1] == 1 else item
            yield (
                [None if number != number else number for number in plain.tolist()]
                if plain.ndim == 1
                else [[None if number != number else number for number in row] for row in plain.tolist()]
            )
