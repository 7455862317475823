"""Ink: what a pen wrote, read from files and turned into numbers."""

from recurra.ink.augment import vary_ink
from recurra.ink.drawn import grid_svg, ink_box, ink_paths, to_dots, to_svg
from recurra.ink.features import FEATURES, SPACING, PenStream, pen_features
from recurra.ink.ink import MAX_POINTS, Ink, make_ink, parse_drawing, parse_stroke
from recurra.ink.inkml import Inked, read_inkml
from recurra.ink.offsets import DOWN, END, LIFTED, PENS, from_offsets, parse_offsets, to_offsets
from recurra.ink.svg import read_svg
from recurra.ink.svg_path import parse_path
from recurra.ink.thin import simplify_ink, thin_ink
from recurra.ink.unipen import Component, Segment, Unipen, is_unipen, parse_unipen, segment_ink

__all__ = [
    "DOWN",
    "END",
    "FEATURES",
    "LIFTED",
    "MAX_POINTS",
    "PENS",
    "SPACING",
    "Component",
    "Ink",
    "Inked",
    "PenStream",
    "Segment",
    "Unipen",
    "from_offsets",
    "grid_svg",
    "ink_box",
    "ink_paths",
    "is_unipen",
    "make_ink",
    "parse_drawing",
    "parse_offsets",
    "parse_path",
    "parse_stroke",
    "parse_unipen",
    "pen_features",
    "read_inkml",
    "read_svg",
    "segment_ink",
    "simplify_ink",
    "thin_ink",
    "to_dots",
    "to_offsets",
    "to_svg",
    "vary_ink",
]
