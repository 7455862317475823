"""What can be set about a detector, and what each setting means."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from recurra.tasks.base.config import RecurrentModel, TimedData
from recurra.tasks.base.settings import Files, Settings


class Data(TimedData):
    """What is read, and what of it is held out."""

    valid_share: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="Share held out, which sets the score's scale and threshold: each series' end, or whole ones of short series.",
    )
    test_share: float = Field(
        default=0.0, ge=0, lt=1, description="Share held out for the final test behind it, where no test files are."
    )
    label: str | None = Field(
        default=None, description="Column that says which steps are abnormal; it is used in evaluation alone."
    )
    labels: Files = Field(
        default=[],
        description="File that says what is abnormal: windows (JSON), labeled_anomalies.csv, or an array; for evaluation alone.",
    )
    whole: bool | None = Field(
        default=None,
        description="Judge whole series, as heart beats, each of which is normal in training. Default: if a row is a series.",
    )
    gaps: Literal["keep", "fill"] = Field(
        default="keep",
        description="keep: a row is a step, as in a live stream, and after a hole the first begins anew, unjudged; fill: steps without a row are missing values.",
    )
    scale: Literal["data", "series", "none"] = Field(
        default="data", description="Scaled by what all training series are like, each by its own past, or not."
    )
    differences: bool = Field(default=True, description="Read each value's change since the step before too.")
    calendar: bool = Field(default=True, description="Read the hour, weekday and so on, where there are time stamps.")
    window: int | None = Field(
        default=None,
        ge=2,
        le=100_000,
        description="Steps that the gradient is carried back. Default: by the data, 32 to 256.",
    )

    @field_validator("labels")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        if len(value) > 1:
            raise ValueError(f"expected one file, got {len(value)}")
        return value


class Model(RecurrentModel):
    """The network."""

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    ahead: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Steps foretold at each step; a value is judged by all that was foretold of it, 1 to so many steps before.",
    )
    follow: bool = Field(
        default=True,
        description="Foretell from the value before on; no: from the cells alone, so that values as training had none stay unusual.",
    )
    likelihood: Literal["normal", "student-t"] = Field(
        default="student-t", description="What a value is taken to scatter like; student-t takes outliers calmly."
    )


class Scoring(Settings):
    """From errors to a score, and from scores to alarms."""

    threshold: Literal["pot", "telemanom", "likelihood", "record"] = Field(
        default="pot",
        description="pot: by the tail of past scores (EVT); telemanom: without a distribution; likelihood: recent scores against many; record: errors and values beyond all before.",
    )
    risk: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of normal steps that may be flagged. Default: 0.0001 (pot), 0.001 (likelihood).",
    )
    smoothing: float = Field(
        default=0.0,
        ge=0,
        le=10_000,
        description="Steps that the error of a channel is averaged over; 0: each by itself.",
    )
    join: int = Field(
        default=10,
        ge=1,
        description="Alarms that are at most so many steps apart are one event; 1: only those in a row.",
    )
    pooling: Literal["auto", "mean", "quantile", "max"] = Field(
        default="auto",
        description="Whole series: how their steps make one score; auto: what tells spoilt normal ones best.",
    )


class DetectorConfig(Settings):
    """A detector: learns what is normal by foretelling the next values, and says how far a step is from it."""

    data: Data = Data()
    model: Model = Model()
    scoring: Scoring = Scoring()
