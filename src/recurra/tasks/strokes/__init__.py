"""The model of drawings and handwriting. Files, in the order in which they may import each other: config preprocessing defaults data batches network sampling results stream predict baselines evaluate report task."""

from recurra.tasks.strokes.config import DrawingConfig
from recurra.tasks.strokes.predict import DrawingModel
from recurra.tasks.strokes.task import DrawingTask

__all__ = ["DrawingConfig", "DrawingModel", "DrawingTask"]
