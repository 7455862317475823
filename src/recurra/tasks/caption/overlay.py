"""A page that shows on pictures where each word came from."""

from __future__ import annotations

from collections.abc import Sequence

from recurra.report.blocks import Overlay, Overlays

TITLE = "Where each word came from"
_STYLE = "body{font:15px/1.45 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}.note{color:#666}"


def overlay_page(shown: Sequence[Overlay]) -> str:
    """Write it as HTML that needs no network."""
    drawn = Overlays(TITLE, shown).draw()
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title><style>{_STYLE}</style></head>'
        f"<body><h1>{TITLE}</h1>{drawn}</body></html>\n"
    )
