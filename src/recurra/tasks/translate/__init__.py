"""The translator. Files, in the order in which they may import each other: config preprocessing defaults data dropout network search results explain predict evaluate report task."""

from recurra.tasks.translate.config import TranslatorConfig
from recurra.tasks.translate.predict import Translator
from recurra.tasks.translate.task import TranslationTask

__all__ = ["TranslationTask", "Translator", "TranslatorConfig"]
