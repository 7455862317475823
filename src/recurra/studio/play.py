"""A model asked from a page: predictions, scores, vectors, new text and pictures, explanations. All of it computes, and runs in the worker."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from recurra.errors import DataError, UsageError
from recurra.explain.diagnosis import diagnose
from recurra.explain.diagnosis import to_json as diagnosis_to_json
from recurra.explain.explanation import Method, explain_inputs
from recurra.images import encode_png, enlarge
from recurra.runs.run import Run
from recurra.studio.options import Reference, given_options
from recurra.studio.results import to_event, to_json
from recurra.tasks.base.capabilities import Embeds, Generates, GeneratesPictures, Scores, ScoresFiles
from recurra.tasks.base.options import ExplainOptions, read_options
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.results import is_finite

MAX_GENERATED = 20_000
"""Units of all samples together, or pixels of all pictures."""
MAX_GENERATED_PIXELS = 4_000_000
MAX_PERMUTATIONS = 10_000
PICTURE_SIDE = 96
"""Pixels that a picture is enlarged to, about."""


def predict(run: Run, inputs: list[Any], given: Mapping[str, Any], find: Reference) -> bytes:
    """Give what `recurra predict --json` prints, and what there is to note of the inputs."""
    predictor = run.predictor
    kind = predictor.PredictOptions
    options = read_options(kind, given_options(kind, given, find), predictor.name)
    options.load_runs(lambda folder: Run.load(folder).predictor)
    notes = list(dict.fromkeys(note for item in inputs for note in predictor.input_warnings(item)))
    return to_json({"results": predictor.finite_results(inputs, options), "notes": notes})


def can_score(predictor: Predictor) -> bool:
    """Tell whether a page can have inputs scored: a caption is scored beside the name of its picture's file, which no page may give."""
    of_files = predictor.input_kind in ("sound", "picture", "pen", "json")
    return isinstance(predictor, ScoresFiles if of_files else Scores)


def score(run: Run, inputs: list[Any]) -> bytes:
    """Give what `recurra score --json` prints."""
    if not can_score(run.predictor):
        raise UsageError(f"score: a run of {run.configuration.task!r} cannot do that here")
    return to_json({"results": run.score(inputs)})


def embed(run: Run, inputs: list[Any]) -> bytes:
    """Give the vectors of sequences."""
    if not isinstance(run.predictor, Embeds):
        raise UsageError(f"embed: a run of {run.configuration.task!r} cannot do that")
    return to_json({"vectors": run.embed(inputs).tolist()})


def generation(predictor: Predictor, given: Mapping[str, Any], find: Reference) -> Any:
    """Read how to continue a prompt; raises `UsageError` where that cannot be, before anything is sent."""
    if not isinstance(predictor, Generates):
        raise UsageError(f"generate: a run of {predictor.name!r} writes nothing; ask it with predict")
    kind = predictor.GenerateOptions
    options: Any = read_options(kind, given_options(kind, given, find), predictor.name)
    if options.count * max(1, options.length) > MAX_GENERATED:
        raise UsageError(f"length: expected at most {MAX_GENERATED:,} units in all samples here; take fewer")
    return options


def generate(predictor: Generates, prompt: str, options: Any) -> Iterator[bytes]:
    """Continue a prompt: events for each chunk as it is made; of a search, one with all that was found."""
    if options.beam is not None:
        found = predictor.beam_search([prompt], options)[0]
        results = [{"text": prompt + one["text"], "log_prob": one["log_prob"], "score": one["score"]} for one in found]
        yield to_event({"results": results}, "found")
        return
    if options.seed is None and not options.greedy:
        options.seed = secrets.randbelow(2**31)
    yield to_event({"seed": options.seed, "prompts": [prompt] * options.count}, "begin")
    for chunk in predictor.generate([prompt], options):
        yield to_event({"sample": chunk.sample, "text": chunk.text, "last": chunk.last})


def generate_pictures(predictor: Predictor, picture: Any, given: Mapping[str, Any], find: Reference) -> bytes:
    """Write pictures, or complete one; each as its pixels and as a file."""
    if not isinstance(predictor, GeneratesPictures):
        raise UsageError(f"generate: a run of {predictor.name!r} writes no pictures")
    kind = predictor.GenerateOptions
    if "out" in given:
        raise UsageError("out: files are written by the command line alone; leave it out")
    options: Any = read_options(kind, given_options(kind, given, find), predictor.name)
    if options.seed is None and options.temperature > 0:
        options.seed = secrets.randbelow(2**31)
    height, width = predictor.preprocessor.size
    if options.count * height * width > MAX_GENERATED_PIXELS:
        raise UsageError(f"count: expected at most {MAX_GENERATED_PIXELS:,} pixels in all; take fewer pictures")
    made = predictor.generate_pictures(picture, options)
    scale = max(1, PICTURE_SIDE // max(height, width))
    files = [base64.b64encode(encode_png(enlarge(one, scale))).decode() for one in made]
    pictures = [
        {"pixels": one.tolist(), "png": f"data:image/png;base64,{file}"} for one, file in zip(made, files, strict=True)
    ]
    return to_json({"seed": options.seed, "pictures": pictures})


def explain(run: Run, inputs: list[Any], given: Mapping[str, Any], method: Method) -> bytes:
    """Give what `recurra explain RUN INPUT --json` prints, for each input."""
    if method.permutations is not None and not 1 <= method.permutations <= MAX_PERMUTATIONS:
        raise UsageError(f"permutations: expected 1 to {MAX_PERMUTATIONS:,}, got {method.permutations}")
    kind = getattr(run.predictor, "ExplainOptions", ExplainOptions)
    options = given_options(kind, given, lambda _: None)
    found = [one.to_json() for one in explain_inputs(run.predictor, inputs, options, method)]
    if not is_finite(found):
        raise DataError("no explanation is a finite number here; the run's weights are damaged")
    return to_json({"results": found})


def diagnosis(run: Run) -> bytes:
    """Give what `recurra explain RUN --json` prints."""
    return to_json(diagnosis_to_json(diagnose(run)))
