"""The language model. Files, in the order in which they may import each other: config tokens spelling defaults data network transfer mixture scoring native_generate generate gradients stream explain predict calibrate adapt evaluate report task."""

from recurra.tasks.lm.config import LanguageModelConfig
from recurra.tasks.lm.predict import LanguageModel
from recurra.tasks.lm.task import LanguageModelingTask

__all__ = ["LanguageModel", "LanguageModelConfig", "LanguageModelingTask"]
