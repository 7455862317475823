"""Series: reading them, with their labels, from the files that archives and instruments write."""

from recurra.series.base import Series, channel_names, numbers
from recurra.series.ts import read_ts

__all__ = ["Series", "channel_names", "numbers", "read_ts"]
