"""How labelled sequences become numbers for a classifier: for its network, and for the linear classifier beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from recurra.documents import damaged
from recurra.errors import RunError
from recurra.files import write_whole
from recurra.linear import LinearClassifier, linear_classifier
from recurra.tasks.sequence.labels import LabelledPreprocessor
from recurra.tasks.sequence.preprocessing import Preprocessor
from recurra.text import normalise

LINEAR = "linear.safetensors"
ABOUT = "linear"


@dataclass(frozen=True)
class ClassifierPreprocessor(LabelledPreprocessor):
    """linear: the linear classifier whose logits are added to the network's; None where there is none."""

    linear: LinearClassifier | None = None

    def linear_logits(self, sequences: Sequence[Any]) -> np.ndarray | None:
        """Give the logits of the linear classifier, (N, C) float32; None where there is none."""
        return None if self.linear is None else self.linear.logits([linear_input(each) for each in sequences])

    def save(self, folder: Path) -> list[str]:
        names = super().save(folder)
        if self.linear is None:
            return names
        about = json.dumps({"kind": self.linear.kind, "settings": self.linear.settings()}, sort_keys=True)
        tensors = {name: tensor.contiguous() for name, tensor in self.linear.tensors().items()}
        # One entry alone: safetensors writes several in an order that differs from time to time.
        write_whole(folder / LINEAR, save(tensors, {ABOUT: about}))
        return [*names, LINEAR]

    @classmethod
    def load(cls, folder: Path, *, unit: str) -> Self:
        plain = super().load(folder, unit=unit)
        linear, classes = _load_linear(folder / LINEAR, plain.inputs.kind), len(plain.labels)
        if linear is not None and linear.prior().shape != (classes,):
            raise RunError(f"{folder / LINEAR}: is damaged: expected logits of {classes} classes, as in labels.json")
        return cls(plain.inputs, plain.labels, linear)


def _load_linear(path: Path, kind: str) -> LinearClassifier | None:
    if not path.is_file():
        return None
    try:
        with safe_open(path, "pt") as file:
            about = json.loads((file.metadata() or {})[ABOUT])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dictionary
        if about["kind"] != kind:
            raise ValueError(f"expected a linear classifier of {kind}, got {about['kind']!r:.40}")
        return linear_classifier(kind).from_state(about["settings"], tensors)
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, ArithmeticError, RuntimeError) as error:
        raise damaged(path, error) from None


def linear_input(sequence: Any) -> Any:
    """Give a sequence as the linear classifier reads it: a text in normal form, words with spaces between; a series as it is."""
    if isinstance(sequence, list) and all(isinstance(word, str) for word in sequence):
        sequence = " ".join(sequence)
    return normalise(sequence) if isinstance(sequence, str) else sequence


def linear_pieces(inputs: Preprocessor, sequence: Any) -> Iterator[Any]:
    """Give what the linear classifier reads of each element of a sequence: the characters that it adds, or the values of a step."""
    if not inputs.discrete:
        yield from sequence
        return
    before = 0
    for shown in inputs.prefixes_json(sequence):
        text = shown["text"]
        yield linear_input(f" {text[-1]}" if isinstance(text, list) else text[before:])
        before = len(text)
