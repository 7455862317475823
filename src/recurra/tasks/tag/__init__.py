"""The tagger."""

from recurra.tasks.tag.config import TaggerConfig
from recurra.tasks.tag.task import Tagger

__all__ = ["Tagger", "TaggerConfig"]
