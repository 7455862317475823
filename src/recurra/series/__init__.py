"""Series: reading them, with their labels, from the files that archives and instruments write."""

from recurra.series.arff import read_arff
from recurra.series.arrays import (
    are_concatenated,
    array_labels_name,
    check_lengths,
    match_arrays,
    read_arrays,
    read_nested_npz,
    read_npy,
    read_npz,
)
from recurra.series.base import Series, channel_names, channel_order, parse_numbers
from recurra.series.columns import column_numbers, mask_infinite
from recurra.series.headerless import cell_number, find_label, is_headerless, read_headerless, read_matrix, split_cells
from recurra.series.idx import image_labels_name, is_idx, read_idx, read_images
from recurra.series.long import NAME_SEPARATOR, join_names, read_long
from recurra.series.mat5 import Unread, read_mat5
from recurra.series.matlab import read_mat
from recurra.series.numbers import to_numbers
from recurra.series.parse import parse_series
from recurra.series.skeletons import SkeletonFormat, read_skeleton, register_skeletons, skeleton_format
from recurra.series.tables import (
    INDEX_NAMES,
    is_missing,
    is_number,
    numeric_columns,
    read_steps,
    read_wide,
    value_columns,
)
from recurra.series.ts import read_ts

__all__ = [
    "INDEX_NAMES",
    "NAME_SEPARATOR",
    "Series",
    "SkeletonFormat",
    "Unread",
    "are_concatenated",
    "array_labels_name",
    "cell_number",
    "channel_names",
    "channel_order",
    "check_lengths",
    "column_numbers",
    "find_label",
    "image_labels_name",
    "is_headerless",
    "is_idx",
    "is_missing",
    "is_number",
    "join_names",
    "mask_infinite",
    "match_arrays",
    "numeric_columns",
    "parse_numbers",
    "parse_series",
    "read_arff",
    "read_arrays",
    "read_headerless",
    "read_idx",
    "read_images",
    "read_long",
    "read_mat",
    "read_mat5",
    "read_matrix",
    "read_nested_npz",
    "read_npy",
    "read_npz",
    "read_skeleton",
    "read_steps",
    "read_ts",
    "read_wide",
    "register_skeletons",
    "skeleton_format",
    "split_cells",
    "to_numbers",
    "value_columns",
]
