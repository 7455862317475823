"""The settings of a forecaster, and what each of them means."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from recurra.tasks.base.config import RecurrentModel
from recurra.tasks.base.options import RankedOptions
from recurra.tasks.base.settings import Flag, Renamed, Settings
from recurra.tasks.timeseries.config import TimeSeriesData

MAX_STEPS = 10_000
"""Of a horizon, a season, a lookback and a dilation."""


class Data(TimeSeriesData):
    """What is read, how far ahead it is to be forecast, and what is held out: always the end of each series."""

    renamed: ClassVar = {"end": Renamed("max_length")}

    known: list[str] = Field(default=[], description="Columns that are known ahead, such as holidays or prices set.")
    horizon: int | None = Field(default=None, ge=1, le=MAX_STEPS, description="Steps to forecast. Default: one season.")
    season: int | None = Field(
        default=None,
        ge=1,
        le=MAX_STEPS,
        description="Steps of a season. Default: by the time stamps (24 of hours, 12 of months).",
    )
    calendar: bool = Field(default=True, description="Read hour, weekday, day and month off the time stamps too.")
    valid_share: float | None = Field(
        default=None, ge=0, lt=1, description="Share of each series' end held out for validation. Default: 0.1."
    )
    test_share: float = Field(
        default=0.1, ge=0, lt=1, description="Share of each series' end held out for the final test."
    )
    valid_steps: int | None = Field(
        default=None, ge=0, description="Steps held out for validation, instead of a share."
    )
    test_steps: int | None = Field(default=None, ge=0, description="Steps held out for the test, instead of a share.")
    max_length: int | None = Field(default=None, ge=1, description="Steps of each series that are used. Default: all.")
    window: int = Field(
        default=512,
        ge=2,
        le=100_000,
        description="Steps of a series that are trained on at once (truncated back-propagation).",
    )
    origins: int = Field(default=32, ge=1, description="Steps of a piece that are learnt from, chosen by chance.")
    stride: int | None = Field(
        default=None, ge=1, description="Steps from one origin of the backtest to the next. Default: 1; more of many."
    )


class Model(RecurrentModel):
    """The network."""

    renamed: ClassVar = {
        "form": Renamed("strategy", {"autoregressive": "recursive"}),
        "output": Renamed("likelihood"),
        "levels": Renamed("quantiles"),
        "scale": Renamed("window_scaling"),
        "loss_by": Renamed("loss_scale"),
        "channels": Renamed("multivariate", {"apart": False, "together": True}),
        "smoothing": Renamed("exponential_smoothing"),
        "paths": Renamed("samples"),
    }

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    strategy: Literal["direct", "recursive"] = Field(
        default="direct", description="All steps ahead at once, or one, which is fed back to give the next."
    )
    likelihood: Literal["quantiles", "normal", "student-t", "negative-binomial"] = Field(
        default="quantiles", description="What is learnt of each step ahead; negative-binomial: for counts."
    )
    quantiles: list[float] = Field(
        default=[0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975], description="Quantiles that a forecast gives."
    )
    lookback: int | None = Field(
        default=None,
        ge=1,
        le=MAX_STEPS,
        description="Values read at once at each step. Default: the least with which a plain linear model is as good as with more, but two seasons, and 16.",
    )
    window_scaling: Literal["last", "standard", "robust", "mean", "none"] = Field(
        default="last",
        description="What the values read are measured by: the last of them and their spread, their mean and spread, median and quartiles, their mean size, or nothing.",
    )
    transform: Literal["none", "log"] = Field(
        default="none", description="log: for values above zero that grow by shares."
    )
    loss_scale: Literal["steps", "size", "both"] = Field(
        default="steps",
        description="What errors are measured by in training: a series' mean seasonal step (as MASE does), the size of its values (as sMAPE), or both alike.",
    )
    multivariate: bool = Field(
        default=False,
        description="Several targets: all of them as one series; no: each as a series of its own by the same weights.",
    )
    exponential_smoothing: bool = Field(
        default=False,
        description="Level and season by exponential smoothing, with coefficients learnt per series (ES-RNN).",
    )
    dilations: list[int] = Field(
        default=[], description="For each layer, how many steps its recurrence goes back. Default: one."
    )
    calibrate: bool = Field(
        default=True,
        description="Make the intervals as much wider or narrower as the validation part asks for, when training is over.",
    )
    samples: int = Field(default=200, ge=2, le=100_000, description="recursive: sample paths of the future.")

    @field_validator("quantiles")
    @classmethod
    def _are_rising(cls, value: list[float]) -> list[float]:
        if not value or any(not 0 < level < 1 for level in value) or sorted(set(value)) != value:
            raise ValueError(f"expected rising numbers between 0 and 1, got {value}")
        if 0.5 not in value:
            raise ValueError("expected 0.5, the point forecast, among them")
        return value

    @field_validator("dilations")
    @classmethod
    def _are_positive(cls, value: list[int]) -> list[int]:
        if any(not 1 <= each <= MAX_STEPS for each in value):
            raise ValueError(f"expected whole numbers from 1 to {MAX_STEPS:,}, got {value}")
        return value

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.dilations and len(self.dilations) != self.layers:
            raise ValueError(f"dilations: expected one for each of {self.layers} layers, got {len(self.dilations)}")
        plain = self.window_scaling == "mean" and self.transform == "none" and not self.exponential_smoothing
        if self.likelihood == "negative-binomial" and not plain:
            raise ValueError(
                "likelihood: negative-binomial is for counts as they are; "
                "expected window_scaling = mean, no transform, no exponential_smoothing"
            )
        if self.exponential_smoothing and self.strategy == "recursive":
            raise ValueError("exponential_smoothing: expected strategy = direct")
        return self


class ForecasterConfig(Settings):
    """A forecaster: predicts the next values of series, with intervals."""

    data: Data = Data()
    model: Model = Model()


class ForecastOptions(RankedOptions):
    """What `predict` takes."""

    k: Annotated[int | None, Flag(short="-k")] = Field(
        default=None, description="How many steps ahead. Default: all that the run has learnt."
    )
    steps: bool = Field(default=False, description="Also the forecast after each step from the first value on.")
