"""Ink: what a pen wrote, read from files and turned into numbers."""

from recurra.ink.ink import MAX_POINTS, Ink, make_ink, parse_drawing, parse_stroke

__all__ = ["MAX_POINTS", "Ink", "make_ink", "parse_drawing", "parse_stroke"]
