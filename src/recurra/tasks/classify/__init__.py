"""The classifier. Files, in the order in which they may import each other: config defaults data network results stream predict evaluate report task."""

from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.predict import Classifier
from recurra.tasks.classify.task import ClassificationTask

__all__ = ["ClassificationTask", "Classifier", "ClassifierConfig"]
