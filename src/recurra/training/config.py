"""What can be set about training, for every task alike."""

from __future__ import annotations

import math
import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from recurra.arguments import MAX_THREADS
from recurra.tasks.base.settings import Renamed, Settings

DEFAULTS = {"adamw": {"lr": 0.003, "weight_decay": 0.01}, "sgd": {"lr": 1.0, "weight_decay": 0.0}}
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class Training(Settings):
    """How the weights are found."""

    renamed: ClassVar = {"average": Renamed("ema")}

    # Two settings that answer one question: a layer that says one outranks what a lower layer says of the other.
    either: ClassVar[dict[str, str]] = {"within": "epochs", "epochs": "within"}

    # Numbers that may be infinite: --clip inf clips nothing, --checkpoint-seconds inf waits for the end.
    endless: ClassVar = frozenset({"clip", "checkpoint_seconds"})

    within: str | None = Field(
        default=None, description="Time for the whole training, as in 90s, 20m or 1h30m; the plan is made to fit."
    )
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="Passes over the data. Default: by the data, or by --within.",
    )
    batch: int | None = Field(default=None, ge=1, description="Sequences read side by side. Default: by the task.")
    optimizer: Literal["adamw", "sgd"] = Field(default="adamw", description="How a gradient changes the weights.")
    lr: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Learning rate. Default: 0.003 for adamw, 1 for sgd."
    )
    beta1: float = Field(default=0.9, ge=0, lt=1, description="AdamW: how long the mean of gradients remembers.")
    beta2: float = Field(
        default=0.99, ge=0, lt=1, description="AdamW: how long the mean of squared gradients remembers."
    )
    weight_decay: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Pull of weights towards zero; biases are left alone. Default: 0.01 for adamw, 0 for sgd.",
    )
    schedule: Literal["cosine", "linear", "constant", "decay"] = Field(
        default="cosine",
        description="Course of the learning rate; decay: times --decay each epoch after --hold epochs.",
    )
    warmup: float = Field(
        default=0.05, ge=0, lt=1, description="Share of the training in which the learning rate rises."
    )
    final_lr: float = Field(
        default=0.0, ge=0, le=1, description="Share of the learning rate left at the end of cosine or linear."
    )
    decay: float = Field(default=0.5, gt=0, le=1, description="Factor of the schedule decay.")
    hold: int = Field(default=4, ge=0, description="Epochs before the schedule decay begins.")
    clip: float = Field(default=1.0, gt=0, description="Largest norm of the gradient of all weights together.")
    ema: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Keep an exponential moving average of the weights with this memory (0.999, say), and use it; 0: off.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Type of the matrix products in training; auto: bfloat16 where it is measured to be faster.",
    )
    patience: int | None = Field(
        default=None, ge=1, description="Stop after so many validations without a better one. Default: never."
    )
    validations: int | None = Field(
        default=None,
        ge=1,
        description="How often to validate in the whole training, and at least once an epoch. Default: 20, or fewer by --within.",
    )
    seed: int = Field(
        default=1, ge=0, lt=2**63, description="Fixes the initial weights, the dropout and the order of the data."
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=MAX_THREADS,
        description="CPU threads. Default: as many as are measured to be fastest, again where the rate falls.",
    )
    device: str = Field(default="cpu", description="Where to train: cpu, cuda, cuda:1, mps.")
    checkpoint_seconds: float = Field(default=30.0, ge=0, description="Time between checkpoints; 0: after every step.")
    gradient_lags: int = Field(
        default=0, ge=0, le=100_000, description="Record the gradient's norm this many steps back at each validation."
    )

    @property
    def seconds(self) -> float | None:
        """The time for the whole training, in seconds, where it is limited."""
        return None if self.within is None else duration(self.within)

    @field_validator("within")
    @classmethod
    def _is_duration(cls, value: str | None) -> str | None:
        if value is not None:
            duration(value)
        return value


def duration(text: str) -> float:
    """Read a time in seconds; raises `ValueError`.

    >>> duration("1h30m"), duration("45s"), duration("2.5m")
    (5400.0, 45.0, 150.0)
    """
    if not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text.strip().lower()):
        raise ValueError(f"expected a time such as 90s, 20m or 1h30m; got {text!r}")
    seconds = sum(float(number) * UNITS[unit] for number, _, unit in re.findall(r"(\d+(\.\d+)?)([smhd])", text.lower()))
    if seconds <= 0:
        raise ValueError(f"expected a time above zero; got {text!r}")
    return seconds


def learning_rate(training: Training, epochs_done: float, epochs: float) -> float:
    """Give the learning rate after so many epochs (with their fraction) of a training of `epochs`.

    >>> t = Training(optimizer="sgd", lr=1.0, schedule="decay", decay=0.5, hold=4, warmup=0)
    >>> [learning_rate(t, e, 13) for e in (0, 3.9, 4, 5.5)]
    [1.0, 1.0, 0.5, 0.25]
    """
    peak = DEFAULTS[training.optimizer]["lr"] if training.lr is None else training.lr
    share = min(1.0, epochs_done / epochs)
    if training.schedule == "decay":
        return peak * training.decay ** max(int(epochs_done) + 1 - training.hold, 0)
    if share < training.warmup:
        return peak * max(share / training.warmup, 0.01)
    if training.schedule == "constant":
        return peak
    rest = (share - training.warmup) / (1 - training.warmup)
    fall = 0.5 * (1 + math.cos(math.pi * rest)) if training.schedule == "cosine" else 1 - rest
    return peak * (training.final_lr + (1 - training.final_lr) * fall)
