"""Drawings and handwriting as the strokes of a pen, with or without a label or a text, in every layout they come in."""

from recurra.data.drawings.options import Drawing, DrawingOptions
from recurra.data.drawings.reader import drawing_kind, read_drawings

__all__ = ["Drawing", "DrawingOptions", "drawing_kind", "read_drawings"]
