"""The language model. Files, in the order in which they may import each other: config tokens defaults data network transfer scoring native_generate generate gradients stream explain predict evaluate report task."""

from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.task import LanguageModelingTask

__all__ = ["LanguageModel", "LanguageModelConfig", "LanguageModelingTask"]
