"""A run: the folder that a training leaves, loaded and ready to be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import torch
from torch import nn

from recurra.arguments import Array, DataFrame, PathName, Positive, Signal, checked
from recurra.data.frames import as_paths, is_frame
from recurra.errors import DataError, UsageError, report_memory_errors
from recurra.explain.explanation import Method, explain_inputs
from recurra.formatting import abbreviate
from recurra.runs.config import Configuration, load_configuration
from recurra.runs.events import check_event
from recurra.runs.manifest import check_manifest
from recurra.runs.measuring import measure
from recurra.stream import Stream
from recurra.tasks import Task, get_task
from recurra.tasks.base.capabilities import Chunk, Embeds, Generates, GeneratesWhole, Scores, Streams
from recurra.tasks.base.options import DEFAULT_BEAM, read_options
from recurra.tasks.base.predictor import Predictor
from recurra.tasks.base.results import is_finite
from recurra.training.device import move_to_device
from recurra.training.log import last_events, read_events

CapabilityT = TypeVar("CapabilityT")
Inputs = str | Array | Signal | Mapping[Any, Any] | DataFrame | Iterable[Any]
"""One text, array, signal or table, or several texts, arrays or signals."""


class Run:
    """A trained model with everything that is known of it.

    >>> import recurra, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "verse.txt").write_text("the rain in spain falls mainly on the plain\\n" * 60)
    >>> run = recurra.train("lm", folder / "verse.txt", folder / "run", quiet=True, hidden=32, layers=1, epochs=20)
    >>> run = recurra.load(folder / "run")
    >>> good, bad = run.score(["the rain in spain", "the rnia in psain"])
    >>> good["log_prob"] > bad["log_prob"]
    True
    >>> isinstance(run.generate("the rain", length=20, seed=1), str)
    True
    """

    @checked
    def __init__(self, path: Path, configuration: Configuration, predictor: Predictor) -> None:
        self.path, self.configuration, self.predictor = path, configuration, predictor
        self.notes_shown: frozenset[str] = frozenset()
        """Notes that were shown while it was trained just now."""

    @classmethod
    @checked
    def load(cls, path: PathName) -> Run:
        """Load a run folder, every file of which is checked against its sum; raises `RunError` when anything is wrong."""
        folder = Path(path)
        check_manifest(folder)
        configuration = load_configuration(folder / "config.toml")
        predictor = get_task(configuration.task).Predictor.load(folder, configuration.settings)
        return cls(folder, configuration, predictor)

    @property
    def network(self) -> nn.Module:
        """The network, in evaluation mode."""
        return self.predictor.network

    @cached_property
    def task(self) -> Task:
        """The task that trained it, with the run's own preprocessor: what an evaluation beside baselines needs."""
        task = get_task(self.configuration.task)(self.configuration.settings)
        task.restore(self.path)
        return task

    @checked
    def to(self, device: str | torch.device) -> Run:
        """Move the network to another device; raises `UsageError` for one that cannot be used here."""
        move_to_device(self.network, device)
        return self

    @checked
    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Give the events of the training, all or of one kind ("train", "valid", "sample", …)."""
        path = self.path / "metrics.jsonl"
        return [check_event(path, one) for one in read_events(path) if kind is None or one.get("event") == kind]

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """What was measured at the end of training; None where nothing was held out."""
        return _without_kind(self._last_events("evaluation").get("evaluation"))

    @checked
    def info(self) -> dict[str, Any]:
        """Say what this run is."""
        last = self._last_events("start", "end", "evaluation", "unmeasured")
        start, end, evaluation = last.get("start", {}), last.get("end", {}), _without_kind(last.get("evaluation"))
        unmeasured = last["unmeasured"].get("reason") if "unmeasured" in last and evaluation is None else None
        return {
            "run": str(self.path),
            "task": self.configuration.task,
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "trained": start.get("began"),
            "steps": end.get("step"),
            "seconds": end.get("seconds"),
            "ended": end.get("reason"),
            "evaluation": evaluation,
            **({} if unmeasured is None else {"unmeasured": str(unmeasured)}),
        }

    def _last_events(self, *kinds: str) -> dict[str, dict[str, Any]]:
        path = self.path / "metrics.jsonl"
        return {kind: check_event(path, event) for kind, event in last_events(path, kinds).items()}

    # What a predictor can do; one that cannot says so.

    @checked
    @report_memory_errors()
    def evaluate(
        self,
        data: PathName | Mapping[Any, Any] | DataFrame | Iterable[PathName] | None = None,
        *,
        baselines: bool = True,
        progress: Callable[[str], None] = lambda _: None,
        **options: Any,
    ) -> dict[str, Any]:
        """Measure on held-out data (the run's own unless others are named), beside the baselines if wanted.

        data: files, or a table in memory, as for `recurra.train`.  The baselines learn from the very text that the model learnt from, which is read again.  options: further ones that the
        task takes, as in `label="fault"` of a run of detect; raises `UsageError` for others.
        """
        read = read_options(self.predictor.EvaluateOptions, options, self.configuration.task)
        read.load_runs(lambda folder: Run.load(folder).predictor)
        with as_paths(() if data is None else data) as paths:
            if not paths and data is not None:
                raise UsageError(
                    "evaluate: expected files to measure on, got none; leave data out to measure on the run's own"
                )
            if baselines or not paths:
                if not self.task.rereadable:
                    raise UsageError(
                        "evaluate: the training data came from standard input, which cannot be read again; "
                        "name a file to measure on, and leave the baselines out (--no-baselines)"
                    )
                self.prepare()
            result = measure(self.task, self.predictor, paths or None, progress, baselines=baselines, options=read)
        return {**result, "data": "the data frame"} if is_frame(data) else result

    @checked
    @report_memory_errors()
    def score(self, texts: str | Array | Iterable[Any]) -> list[dict[str, Any]]:
        """Give the log-probability of each text (nats), in all and for each unit; of a run of pixels, of each picture: its file's name or an array."""
        one = isinstance(texts, str) or hasattr(texts, "shape")
        results = self._capable(Scores, "score").score([texts] if one else cast(Iterable[Any], texts))
        if not is_finite(results):
            raise DataError(
                "no score is a finite number here; the values are too far from those of training, or the run's weights are damaged"
            )
        return results

    @checked
    @report_memory_errors()
    def predict(self, inputs: Inputs, k: Positive | None = None, *, steps: bool = False, **options: Any) -> Any:
        """Predict: the next units of a text, the class of a text or a series, the tags of a sentence, the next values of a series.

        inputs: one text or array, which gives one result, or a list of them, which gives a list; a data frame, or a dict of its
        columns, holds any number of series, so it gives a list too.  k: only so many units or
        classes, the likeliest.  steps: in "steps", also the prediction after each element.  options: further ones that the
        task takes, as in `cluster=6` of a run of embed; raises `UsageError` for others.
        """
        given = options if k is None else {"k": k, **options}
        given = {"steps": True, **given} if steps else given
        read = read_options(self.predictor.PredictOptions, given, self.predictor.name)
        read.load_runs(lambda folder: Run.load(folder).predictor)
        if is_frame(inputs):
            return self.predictor.finite_results([inputs], read)
        if isinstance(inputs, str) or hasattr(inputs, "shape") or not isinstance(inputs, Iterable):
            return self.predictor.finite_results([inputs], read)[0]
        return self.predictor.finite_results(list(inputs), read)

    @checked
    @report_memory_errors()
    def explain(
        self,
        inputs: Inputs,
        *,
        fast: bool = False,
        memory: bool = False,
        permutations: Positive | None = None,
        seed: int = 0,
        **options: Any,
    ) -> Any:
        """Say what an output rests on: an `Explanation` of one text or array, or a list of those of a list; a notebook shows it as a page.

        fast: integrated gradients instead of Shapley values.  memory: also how far back the model remembers.  permutations: pairs of
        orders that are drawn.  options: which output, as in `target="positive"`; raises `UsageError` for those that the task does not take.
        """
        method = Method(fast=fast, permutations=permutations, memory=memory, seed=seed)
        one = (
            isinstance(inputs, str) or hasattr(inputs, "shape") or is_frame(inputs) or not isinstance(inputs, Iterable)
        )
        found = explain_inputs(self.predictor, [inputs] if one else list(cast(Iterable[Any], inputs)), options, method)
        return found[0] if one else found

    @checked
    @report_memory_errors()
    def embed(self, inputs: str | Array | Iterable[Any]) -> np.ndarray:
        """Give the vector of one text or array, (D), or of each of a list of them, (N, D) float32; only of a run of embed."""
        predictor = self._capable(Embeds, "embed")
        if is_frame(inputs):
            return predictor.embed([inputs])
        if isinstance(inputs, str) or hasattr(inputs, "shape"):
            return predictor.embed([inputs])[0]
        return predictor.embed(cast(Iterable[Any], inputs))

    @checked
    def generate(self, prompt: Any = "", **options: Any) -> Any:
        """Continue a prompt; gives the prompt and what follows. For several samples or a stream of chunks, see `generate_chunks`.

        A run of pixels gives pictures, uint8 (N, H, W), one of music pieces (`recurra.music.Piece`), and one of strokes inks: new ones, or what goes
        on from the prompt.
        options: count, length, temperature, top_k, top_p, seed, greedy. Raises `UsageError` for others, and for a `count` other
        than one: a text can hold only one sample.
        """
        if isinstance(self.predictor, GeneratesWhole):
            read = read_options(self.predictor.GenerateOptions, options, self.configuration.task)
            return self.predictor.generate_whole(None if isinstance(prompt, str) and not prompt else prompt, read)
        if not isinstance(prompt, str):
            raise UsageError(f"prompt: expected a text, got {abbreviate(prompt, 40)}")
        if self._count(options, "generate") != 1:
            got = f"generate gives one sample, got {options['count']}"
            raise UsageError(f"count: {got}; generate_chunks gives the chunks of several")
        return prompt + "".join(chunk.text for chunk in self.generate_chunks(prompt, **options))

    @checked
    def generate_chunks(self, prompt: str | Iterable[str] = "", **options: Any) -> Iterator[Chunk]:
        """Continue a prompt, or each of several, `count` times; gives chunks (sample, text, last) as they are made."""
        predictor = self._capable(Generates, "generate")
        prompts = [prompt] if isinstance(prompt, str) else prompt
        read = read_options(predictor.GenerateOptions, options, self.configuration.task)
        if read.beam is not None:
            raise UsageError("beam: here text is drawn by chance; beam_search finds the likeliest")
        return predictor.generate(prompts, read)

    @checked
    @report_memory_errors()
    def beam_search(
        self, prompt: str | Iterable[str] = "", *, beam: Positive | None = None, **options: Any
    ) -> list[Any]:
        """Find the likeliest continuations of a prompt by beam search, the best first; of several prompts, a list of such lists.

        beam: candidates that are kept at each step; None: 8, or `count` where that is more.  options: count, length, length_penalty.
        """
        predictor = self._capable(Generates, "beam_search")
        width = max(DEFAULT_BEAM, self._count(options, "beam_search")) if beam is None else beam
        read = read_options(predictor.GenerateOptions, {"beam": width, **options}, self.configuration.task)
        found = predictor.beam_search([prompt] if isinstance(prompt, str) else prompt, read)
        return found[0] if isinstance(prompt, str) else found

    @checked
    @report_memory_errors()
    def stream(self, prompt: Any = "") -> Stream:
        """Give the model as a stream, having read a prompt (a text, or a series): fed one element at a time, in constant memory.

        Raises `UsageError` for a run that reads in both directions.
        """
        return self._capable(Streams, "stream").stream(prompt)

    def _count(self, options: Mapping[str, Any], verb: str) -> int:
        """Read of the options of `generate` how many samples are asked for."""
        kind, given = self._capable(Generates, verb).GenerateOptions, {"count": options.get("count")}
        return read_options(kind, given, self.configuration.task).count

    @checked
    @report_memory_errors()
    def prepare(self) -> None:
        """Read the data that the run was trained on; raises `DataError` when they are not the same any more."""
        summary = self.task.prepare(self.path)
        if self._start().get("fingerprint") not in (None, summary.fingerprint):
            raise DataError(
                "the data that this run was trained on have changed since",
                source=self.path,
                hint="put them back, or measure on other data without baselines (--no-baselines)",
            )

    def _start(self) -> dict[str, Any]:
        return self._last_events("start").get("start", {})

    def _capable(self, capability: type[CapabilityT], verb: str) -> CapabilityT:
        if not isinstance(self.predictor, capability):
            raise UsageError(f"{verb}: a run of {self.configuration.task!r} cannot do that")
        return cast(CapabilityT, self.predictor)


def _without_kind(event: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if event is None else {name: value for name, value in event.items() if name != "event"}
