"""Named datasets: what there is, where it lies, and how it gets here; splits of one's own data."""

from recurra.data.fetch import Located, cache_folder, download, locate
from recurra.data.registry import Dataset, get, names

__all__ = ["Dataset", "Located", "cache_folder", "download", "get", "locate", "names"]
