"""Line charts with a caption each, and one legend for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import ClassVar

from recurra.report.blocks.base import Block
from recurra.report.chart import Chart, draw_chart, draw_legend


@dataclass(frozen=True)
class Picture:
    """A chart with its caption."""

    caption: str
    chart: Chart


@dataclass(frozen=True)
class Lines(Block):
    """Charts of the same curves, such as several forecasts; the legend is that of the first. The last curve is on top, and named first.

    note: a sentence above them.
    """

    kind: ClassVar[str] = "lines"

    pictures: Sequence[Picture]
    note: str = ""

    def draw(self) -> str:
        drawn = [(picture, chart) for picture in self.pictures if (chart := draw_chart(picture.chart))]
        if not drawn:
            return ""
        cards = "".join(
            f'<figure class="card"><figcaption>{escape(picture.caption)}</figcaption>{chart}</figure>'
            for picture, chart in drawn
        )
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return f'{note}<p class="legend">{draw_legend(drawn[0][0].chart.series[::-1])}</p>{cards}'
