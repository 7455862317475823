"""The anomaly detector.

Files, in the order in which they may import each other: config series scaling preprocessing defaults data batches network residuals threshold scoring
results labels baselines synthetic_anomalies stream line_stream explain predict calibrate evaluate report task.
"""

from recurra.tasks.detect.config import DetectorConfig
from recurra.tasks.detect.predict import Detector
from recurra.tasks.detect.task import AnomalyDetectionTask

__all__ = ["AnomalyDetectionTask", "Detector", "DetectorConfig"]
