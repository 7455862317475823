"""The classifier."""

from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.task import Classifier

__all__ = ["Classifier", "ClassifierConfig"]
