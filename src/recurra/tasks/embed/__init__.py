"""The embedder."""

from recurra.tasks.embed.config import EmbedderConfig
from recurra.tasks.embed.task import Embedder

__all__ = ["Embedder", "EmbedderConfig"]
