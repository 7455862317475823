"""The detector."""

from recurra.tasks.detect.config import DetectorConfig
from recurra.tasks.detect.task import Detector

__all__ = ["Detector", "DetectorConfig"]
