"""Ink: what a pen wrote, read from files and turned into numbers."""

from recurra.ink.augment import vary_ink
from recurra.ink.features import FEATURES, SPACING, PenStream, pen_features
from recurra.ink.ink import MAX_POINTS, Ink, make_ink, parse_drawing, parse_stroke
from recurra.ink.inkml import Inked, read_inkml
from recurra.ink.unipen import Component, Segment, Unipen, is_unipen, parse_unipen, segment_ink

__all__ = [
    "FEATURES",
    "MAX_POINTS",
    "SPACING",
    "Component",
    "Ink",
    "Inked",
    "PenStream",
    "Segment",
    "Unipen",
    "is_unipen",
    "make_ink",
    "parse_drawing",
    "parse_stroke",
    "parse_unipen",
    "pen_features",
    "read_inkml",
    "segment_ink",
    "vary_ink",
]
