"""Series: reading them, with their labels, from the files that archives and instruments write."""

from recurra.series.arff import read_arff
from recurra.series.arrays import labels_name as array_labels_name
from recurra.series.arrays import pairs_of, read_arrays, read_npy, read_npz
from recurra.series.bare import bare_cells, begins_with_label, is_bare, read_bare, read_matrix
from recurra.series.base import Series, channel_names, channel_order, numbers
from recurra.series.columns import column_numbers, finite
from recurra.series.idx import is_idx, read_idx, read_images
from recurra.series.idx import labels_name as image_labels_name
from recurra.series.long import read_long
from recurra.series.matlab import read_mat
from recurra.series.parse import parse_series
from recurra.series.skeletons import SkeletonFormat, read_skeleton, register_skeletons, skeleton_format
from recurra.series.tables import INDICES, is_missing, is_number, numeric_columns, read_steps, read_wide, value_columns
from recurra.series.ts import read_ts

__all__ = [
    "INDICES",
    "Series",
    "SkeletonFormat",
    "array_labels_name",
    "bare_cells",
    "begins_with_label",
    "channel_names",
    "channel_order",
    "column_numbers",
    "finite",
    "image_labels_name",
    "is_bare",
    "is_idx",
    "is_missing",
    "is_number",
    "numbers",
    "numeric_columns",
    "pairs_of",
    "parse_series",
    "read_arff",
    "read_arrays",
    "read_bare",
    "read_idx",
    "read_images",
    "read_long",
    "read_mat",
    "read_matrix",
    "read_npy",
    "read_npz",
    "read_skeleton",
    "read_steps",
    "read_ts",
    "read_wide",
    "register_skeletons",
    "skeleton_format",
    "value_columns",
]
