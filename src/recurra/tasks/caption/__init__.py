"""The captioner. Files, in the order in which they may import each other: config preprocessing parts data defaults batches network pretraining search explain results overlay predict evaluate report task."""

from recurra.tasks.caption.config import CaptionConfig
from recurra.tasks.caption.predict import Captioner
from recurra.tasks.caption.task import CaptionTask

__all__ = ["CaptionConfig", "CaptionTask", "Captioner"]
