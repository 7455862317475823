"""The kinds of blocks that a report is made of: each knows its data, its JSON and how it is drawn.

A task says what there is to see by giving blocks; the report draws them without knowing the task. A new kind is one file with one
class, here or in the package of a task.
"""

from recurra.report.blocks.attention import AttentionMap
from recurra.report.blocks.base import Block
from recurra.report.blocks.drawings import DrawingRow, Drawings
from recurra.report.blocks.images import ImageRow, Images
from recurra.report.blocks.lines import Lines, Picture
from recurra.report.blocks.matrix import Matrix
from recurra.report.blocks.overlay import Overlay, Overlays, draw_overlay
from recurra.report.blocks.picture_shares import SharedPicture
from recurra.report.blocks.reliability import Bin, Reliability
from recurra.report.blocks.scatter import Dot, Grouping, Scatter
from recurra.report.blocks.shares import SharedText
from recurra.report.blocks.sounds import SoundRow, Sounds
from recurra.report.blocks.table import Column, Table
from recurra.report.blocks.text import Text, note_blocks
from recurra.report.blocks.timeline import Timeline, Track, thin_columns
from recurra.report.chart import Band, Chart, Series

__all__ = [
    "AttentionMap",
    "Band",
    "Bin",
    "Block",
    "Chart",
    "Column",
    "Dot",
    "DrawingRow",
    "Drawings",
    "Grouping",
    "ImageRow",
    "Images",
    "Lines",
    "Matrix",
    "Overlay",
    "Overlays",
    "Picture",
    "Reliability",
    "Scatter",
    "Series",
    "SharedPicture",
    "SharedText",
    "SoundRow",
    "Sounds",
    "Table",
    "Text",
    "Timeline",
    "Track",
    "draw_overlay",
    "note_blocks",
    "thin_columns",
]
