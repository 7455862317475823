"""The picture model. Files, in the order in which they may import each other: config preprocessing defaults data network sampling explain results predict baselines evaluate report task."""

from recurra.tasks.pixels.config import PictureConfig
from recurra.tasks.pixels.predict import PictureModel
from recurra.tasks.pixels.task import PictureModelingTask

__all__ = ["PictureConfig", "PictureModel", "PictureModelingTask"]
