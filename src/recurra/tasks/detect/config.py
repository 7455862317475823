"""What can be set about a detector, what it can be asked with, and what each setting means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from recurra.tasks.base import options
from recurra.tasks.base.config import RecurrentModel
from recurra.tasks.base.settings import Files, Flag, Renamed, Settings
from recurra.tasks.timeseries.config import TimeSeriesData


def check_one_file(files: list[str]) -> list[str]:
    """Give the files back; raises `ValueError` for several."""
    if len(files) > 1:
        raise ValueError(f"expected one file, got {len(files)}")
    return files


class Data(TimeSeriesData):
    """What is read, and what of it is held out."""

    renamed: ClassVar = {"whole": Renamed("per_series"), "labels": Renamed("anomaly_labels")}

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
    anomaly_labels: Files = Field(
        default=[],
        description="File that says what is abnormal: windows (JSON), labeled_anomalies.csv, or an array; for evaluation alone.",
    )
    per_series: bool | None = Field(
        default=None,
        description="Score whole series, as heart beats, each of which is normal in training. Default: if a row is a series.",
    )
    gaps: Literal["keep", "fill"] = Field(
        default="keep",
        description="keep: a row is a step, as in a live stream, and after a gap the first starts again, without a score; fill: steps without a row are missing values.",
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

    @field_validator("anomaly_labels")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        return check_one_file(value)


class Model(RecurrentModel):
    """The network."""

    renamed: ClassVar = {"ahead": Renamed("horizon"), "follow": Renamed("persistence")}

    layers: int = Field(default=1, ge=1, le=64, description="Layers on top of each other.")
    horizon: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Steps predicted at each step; a value is scored by all predictions of it, made 1 to so many steps before.",
    )
    persistence: bool = Field(
        default=True,
        description="Predict from the value before on; no: from the cells alone, so that values as training had none stay unusual.",
    )
    likelihood: Literal["normal", "student-t"] = Field(
        default="student-t", description="What a value is taken to scatter like; student-t takes outliers calmly."
    )


class Scoring(Settings):
    """From errors to a score, and from scores to alarms."""

    renamed: ClassVar = {
        "smoothing": Renamed("error_smoothing"),
        "join": Renamed("merge_gap"),
        "pooling": Renamed("aggregation"),
    }

    threshold: Literal["pot", "telemanom", "likelihood", "record"] = Field(
        default="pot",
        description="pot: by the tail of past scores (EVT); telemanom: without a distribution; likelihood: recent scores against many; record: errors and values beyond all before.",
    )
    risk: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of normal steps that may be flagged. pot and likelihood alone. Default: 0.0001 (pot), 0.00001 (likelihood).",
    )
    error_smoothing: float = Field(
        default=0.0,
        ge=0,
        le=10_000,
        description="Steps that the error of a channel is averaged over; 0: each by itself.",
    )
    merge_gap: int = Field(
        default=10,
        ge=1,
        description="Alarms that are at most so many steps apart are one event; 1: only those in a row.",
    )
    aggregation: Literal["auto", "mean", "quantile", "max"] = Field(
        default="auto",
        description="Whole series: how the scores of their steps make one; auto: what tells corrupted normal ones best.",
    )


class DetectorConfig(Settings):
    """A detector: learns what is normal by predicting the next values, and says how far a step is from it."""

    data: Data = Data()
    model: Model = Model()
    scoring: Scoring = Scoring()


class PredictOptions(options.RankedOptions):
    """What `predict` takes beside the inputs."""

    k: Annotated[int | None, Flag(short="-k")] = Field(
        default=None,
        ge=1,
        description="How many events of a series, those with the highest scores. Default: all.",
    )
    steps: bool = Field(default=False, description="Also the score of each step.")


class EvaluateOptions(options.EvaluateOptions):
    """What `evaluate` takes beside the data: in place of the run's own settings, what says which steps are abnormal."""

    renamed: ClassVar = {"labels": Renamed("anomaly_labels")}

    label: str | None = Field(default=None, description="Column of the files that says which steps are abnormal.")
    anomaly_labels: Files = Field(default=[], description="File that says what is abnormal.")

    @field_validator("anomaly_labels", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @field_validator("anomaly_labels")
    @classmethod
    def _one_file(cls, value: list[str]) -> list[str]:
        return check_one_file(value)
