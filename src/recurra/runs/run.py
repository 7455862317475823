"""A run: the folder that a training leaves, loaded and ready to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from recurra.data.frames import is_frame
from recurra.errors import DataError, RunError, UsageError
from recurra.runs.config import Configuration, load_configuration
from recurra.runs.manifest import check_manifest
from recurra.stream import Stream
from recurra.tasks import Task, get_task
from recurra.training.device import move
from recurra.training.log import read_events


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

    def __init__(self, path: Path, configuration: Configuration, task: Task, network: nn.Module) -> None:
        self.path, self.configuration, self.task, self.network = path, configuration, task, network
        self.told: frozenset[str] = frozenset()
        """What was said of it while it was trained just now, and stands to be read."""

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Load a run folder, every file of which is checked against its sum; raises `RunError` when anything is amiss."""
        folder = Path(path)
        check_manifest(folder)
        configuration = load_configuration(folder / "config.toml")
        task = get_task(configuration.task)(configuration.settings)
        task.restore(folder)
        network = task.network()
        try:
            network.load_state_dict(load((folder / "model.safetensors").read_bytes()))
        except (OSError, SafetensorError, RuntimeError) as error:
            what = " ".join(str(error).split())
            raise RunError(f"{folder / 'model.safetensors'}: does not fit the configuration: {what}") from None
        return cls(folder, configuration, task, network.eval())

    def to(self, device: str) -> Run:
        """Move the network to another device; raises `UsageError` for one that cannot be used here."""
        move(self.network, device)
        return self

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Give the events of the training, all or of one kind ("train", "valid", "sample", …)."""
        events = read_events(self.path / "metrics.jsonl")
        return [event for event in events if kind is None or event.get("event") == kind]

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """What was measured at the end of training; None where nothing was held out."""
        found = self.events("evaluation")
        return {name: value for name, value in found[-1].items() if name != "event"} if found else None

    def info(self) -> dict[str, Any]:
        """Say what this run is."""
        start = self._start()
        end = (self.events("end") or [{}])[-1]
        return {
            "run": str(self.path),
            "task": self.configuration.task,
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "trained": start.get("began"),
            "steps": end.get("step"),
            "seconds": end.get("seconds"),
            "ended": end.get("reason"),
            "evaluation": self.evaluation,
        }

    # What a task can do; a run of another task says so.

    def evaluate(
        self,
        data: str | Path | Sequence[str | Path] = (),
        *,
        baselines: bool = True,
        progress: Callable[[str], None] = lambda _: None,
        **options: Any,
    ) -> dict[str, Any]:
        """Measure on held-out data (the run's own unless others are named), beside the baselines if wanted.

        The baselines learn from the very text that the model learnt from, which is read again.  options: further ones that the
        task takes, as in `label="fault"` of a run of detect; raises `UsageError` for others.
        """
        self.task.check_options(options, self.task.evaluate_options)
        arguments = [str(argument) for argument in ([data] if isinstance(data, str | Path) else data)]
        if baselines or not arguments:
            if not self.task.repeatable:
                raise UsageError(
                    "evaluate: the training data came from standard input, which cannot be read again; "
                    "name a file to measure on, and leave the baselines out (--no-baselines)"
                )
            self._prepare()
        return self.task.evaluate(self.network, arguments or None, progress, baselines=baselines, **options)

    def score(self, texts: str | Sequence[str]) -> list[dict[str, Any]]:
        """Give the log-probability of each text (nats), in all and for each unit."""
        return self._able("score")(self.network, [texts] if isinstance(texts, str) else list(texts))

    def predict(self, inputs: Any, k: int | None = None, *, steps: bool = False, **options: Any) -> Any:
        """Say what the task foretells: the next units of a text, the class of a text or a series, the tags of a sentence.

        inputs: one text or array, which gives one result, or a list of them, which gives a list; a data frame, or a dict of its
        columns, holds any number of series, so it gives a list too.  k: only so many units or
        classes, the likeliest.  steps: in "steps", also what is foretold after each element.  options: further ones that the
        task takes, as in `cluster=6` of a run of embed; raises `UsageError` for others.
        """
        predict = self._able("predict")
        self.task.check_options(options)
        if is_frame(inputs):
            return predict(self.network, [inputs], k=k, steps=steps, **options)
        if isinstance(inputs, str) or hasattr(inputs, "shape"):
            return predict(self.network, [inputs], k=k, steps=steps, **options)[0]
        return predict(self.network, list(inputs), k=k, steps=steps, **options)

    def embed(self, inputs: Any) -> np.ndarray:
        """Give the vector of one text or array, (D), or of each of a list of them, (N, D) float32; only of a run of embed."""
        embed = self._able("embed")
        if isinstance(inputs, str) or hasattr(inputs, "shape"):
            return embed(self.network, [inputs])[0]
        return embed(self.network, list(inputs))

    def generate(self, prompt: str = "", **options: Any) -> str:
        """Go on from a prompt; gives the prompt and what follows. For several samples or a stream of pieces, see `write`.

        Raises `UsageError` for a `count` other than one: a text can hold only one sample.
        """
        if options.get("count", 1) != 1:
            raise UsageError(
                f"count: generate gives one sample, got {options['count']}; write gives the pieces of several"
            )
        return prompt + "".join(piece.text for piece in self.write(prompt, **options))

    def write(self, prompt: str = "", **options: Any) -> Iterator[Any]:
        """Go on from a prompt, `count` times; gives pieces (sample, text, last) as they are made."""
        return self._able("write")(self.network, prompt=prompt, **options)

    def search(self, prompt: str = "", **options: Any) -> list[dict[str, Any]]:
        """Find the likeliest continuations by beam search."""
        return self._able("search")(self.network, prompt=prompt, **options)

    def stream(self, prompt: Any = "") -> Stream:
        """Give the model as a stream, having read a prompt (a text, or a series): fed one element at a time, in constant memory.

        Raises `UsageError` for a run that reads in both directions.
        """
        return self._able("stream")(self.network, prompt)

    def _prepare(self) -> None:
        """Read the data that the run was trained on; raises `DataError` when they are not the same any more."""
        facts = self.task.prepare(self.path)
        if self._start().get("fingerprint") not in (None, facts.fingerprint):
            raise DataError(
                "the data that this run was trained on have changed since",
                source=self.path,
                hint="put them back, or measure on other data without baselines (--no-baselines)",
            )

    def _start(self) -> dict[str, Any]:
        return (self.events("start") or [{}])[0]

    def _able(self, verb: str) -> Any:
        method = getattr(self.task, verb, None)
        if method is None:
            raise UsageError(f"{verb}: a run of {self.configuration.task!r} cannot do that")
        return method
