"""`recurra reproduce [NAME]`."""

from __future__ import annotations


def reproduce() -> None:
    """Run a recipe."""
