"""The embedder. Files, in the order in which they may import each other: config defaults data targets network results clustering stream explain predict baselines evaluate report task."""

from recurra.tasks.embed.config import EmbedderConfig
from recurra.tasks.embed.predict import Embedder
from recurra.tasks.embed.task import EmbeddingTask

__all__ = ["Embedder", "EmbedderConfig", "EmbeddingTask"]
