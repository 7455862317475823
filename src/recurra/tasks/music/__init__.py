"""Music. Files, in the order in which they may import each other: config preprocessing defaults data batches heads expression network results sampling stream predict baselines copies evaluate report task."""

from recurra.tasks.music.config import MusicConfig
from recurra.tasks.music.predict import Composer
from recurra.tasks.music.task import MusicTask

__all__ = ["Composer", "MusicConfig", "MusicTask"]
