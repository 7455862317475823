"""The transcriber. Files, in the order in which they may import each other: config signals sound picture pen preprocessing parts data defaults batches network language search explain results stream live predict calibrate examples evaluate report task."""

from recurra.tasks.transcribe.config import TranscriberConfig
from recurra.tasks.transcribe.predict import Transcriber
from recurra.tasks.transcribe.task import TranscriptionTask

__all__ = ["Transcriber", "TranscriberConfig", "TranscriptionTask"]
