"""The tagger. Files, in the order in which they may import each other: config defaults data network results stream explain predict calibrate evaluate report task."""

from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.predict import Tagger
from recurra.tasks.tag.task import TaggingTask

__all__ = ["Tagger", "TaggerConfig", "TaggingTask"]
