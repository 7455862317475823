"""Named datasets: what there is, where it lies, and how it gets here; splits of one's own data."""

from recurra.data.datasets.locate import DatasetFiles, cache_folder, download, locate
from recurra.data.datasets.registry import Dataset, get, names

__all__ = ["Dataset", "DatasetFiles", "cache_folder", "download", "get", "locate", "names"]
