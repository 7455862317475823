"""The classifier. Files, in the order in which they may import each other: config preprocessing excerpts defaults data network results stream explain predict calibrate evaluate report task."""

from recurra.tasks.classify.config import ClassifierConfig
from recurra.tasks.classify.predict import Classifier
from recurra.tasks.classify.task import ClassificationTask

__all__ = ["ClassificationTask", "Classifier", "ClassifierConfig"]
