"""The language model."""

from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.task import LanguageModel

__all__ = ["LanguageModel", "LanguageModelConfig"]
