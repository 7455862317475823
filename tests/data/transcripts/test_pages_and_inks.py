"""Lines of pages, and the strokes of a pen, are read from every format that has them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.data.transcripts.conftest import Write, page_bytes

from recurra.data.transcripts import TranscriptOptions, read_transcripts
from recurra.errors import UsageError
from recurra.ink import Ink

PAGE = """<?xml version="1.0"?><PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">
<Page imageFilename="scans/p1.png"><TextRegion>
<TextLine><Coords points="0,0 60,0 60,20 0,20"/><TextEquiv index="1"><Unicode>wrong</Unicode></TextEquiv><TextEquiv index="0"><Unicode>up</Unicode></TextEquiv></TextLine>
<TextLine><Coords points="0,20 30,20 30,40 0,40"/><Word><TextEquiv><Unicode>no</Unicode></TextEquiv></Word><TextEquiv><Unicode>down</Unicode></TextEquiv></TextLine>
<TextLine><Coords points="0,0 9,0 9,9"/></TextLine></TextRegion></Page></PcGts>"""
ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>p1.png</fileName></sourceImageInformation></Description><Layout><Page><PrintSpace><TextBlock>
<TextLine HPOS="0" VPOS="0" WIDTH="60" HEIGHT="20"><String CONTENT="up"/></TextLine>
<TextLine><Shape><Polygon POINTS="0 20 30 20 30 40 0 40"/></Shape><String CONTENT="do"/><SP/><String CONTENT="wn"/></TextLine>
</TextBlock></PrintSpace></Page></Layout></alto>"""


@pytest.mark.parametrize(("xml", "texts"), [(PAGE, ["up", "down"]), (ALTO, ["up", "do wn"])])
@pytest.mark.parametrize("name", ["p1.xml", "page/other.xml"])
def test_lines_of_a_page(write: Write, xml: str, texts: list[str], name: str) -> None:
    folder = write({name: xml, "p1.png": page_bytes()})
    read = read_transcripts([folder])
    assert [(one.text, one.place) for one in read] == list(zip(texts, (1, 2), strict=True))
    assert [(one.signal.shape, set(one.signal.ravel().tolist())) for one in read] == [  # type: ignore[union-attr]
        ((20, 60), {100}),
        ((20, 30), {200}),
    ]


UNIPEN = {
    "include/doc/kar.doc": ".COORD X Y T\n",
    "include/data/jane_doe.dat": ".WRITER_ID Jane Doe\n.PEN_DOWN\n0 0 1\n1 2 1\n.PEN_UP\n.PEN_DOWN\n3 4 1\n5 6 1\n.PEN_UP\n9 9 9\n.PEN_DOWN\n7 8 1\n",
    "data/7/jane_doe.dat": '.VERSION 1.0\n.INCLUDE doc/kar.doc\n.INCLUDE data/jane_doe.dat\n.SEGMENT WORD 0-1 OK "to"\n.SEGMENT WORD 3:0 ? "a \\"b\\""\n.SEGMENT WORD 1 OK\n',
}  # fmt: skip


def test_unipen(write: Write) -> None:
    (one, two) = read_transcripts([write(UNIPEN)])
    assert (one.text, two.text, one.kind, one.place, two.place) == ("to", 'a "b"', "ink", 4, 5)
    assert isinstance(one.signal, Ink) and isinstance(two.signal, Ink)
    assert [stroke.tolist() for stroke in one.signal.strokes] == [[[0, 0], [1, -2]], [[3, -4], [5, -6]]]
    assert [stroke.tolist() for stroke in two.signal.strokes] == [[[7, -8]]]
    assert "jane" not in f"{one.source}{one.group}".lower()


def test_unipen_of_several_levels(write: Write) -> None:
    lines = {"data/8/jane_doe.dat": UNIPEN["data/7/jane_doe.dat"].replace("WORD", "TEXT")}
    folder = write({**UNIPEN, **lines})
    with pytest.raises(
        UsageError, match=r"level: the segments are of several levels, WORD \(2\), TEXT \(2\); say --level WORD"
    ):
        read_transcripts([folder])
    assert len(read_transcripts([folder], TranscriptOptions(level="text"))) == 2
    assert {one.source.split("/")[0] for one in read_transcripts([folder], TranscriptOptions(only="data/8/**"))} == {
        "writer 53ba7f28"
    }
    with pytest.raises(UsageError, match="level: expected one of WORD, TEXT"):
        read_transcripts([folder], TranscriptOptions(level="page"))


def test_inkml(write: Write) -> None:
    whole = '<ink xmlns="http://www.w3.org/2003/InkML"><annotation type="truth">two  words</annotation><annotation type="writer">w1</annotation><traceFormat><channel name="T"/><channel name="X"/><channel name="Y"/></traceFormat><trace>9 0 1, 9 \'2 \'3, 9 1 1, 9 "1 0</trace></ink>'
    parts = '<ink><trace xml:id="a">0 0,1 1</trace><trace xml:id="b">5 5</trace><traceGroup><annotation type="truth">first</annotation><traceView traceDataRef="#a"/></traceGroup><traceGroup><annotation type="truth">second</annotation><traceView traceDataRef="#b"/></traceGroup></ink>'
    read = read_transcripts([write({"a.inkml": whole, "b.xml": parts})])
    assert [(one.text, one.place) for one in read] == [("two words", 1), ("first", 1), ("second", 2)]
    assert [[stroke.tolist() for stroke in one.signal.strokes] for one in read] == [  # type: ignore[union-attr]
        [[[0, 1], [2, 4], [3, 5], [5, 5]]],
        [[[0, 0], [1, 1]]],
        [[[5, 5]]],
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"strokes": [[[0, 1], [2, 3, 99]], [[4, 5]]]},
        {"strokes": [{"x": [0, 2], "y": [1, 3]}, {"points": [{"x": 4, "y": 5}]}]},
        {"drawing": [[[0, 2], [1, 3], [7, 8]], [[4], [5]]]},
    ],
)  # fmt: skip
def test_strokes_in_json(write: Write, record: dict[str, Any]) -> None:
    folder = write({"a.jsonl": json.dumps({**record, "word": "to", "writer": 7, "split": "dev"}) + "\n"})
    (read,) = read_transcripts([folder])
    assert (read.text, read.group, read.split, read.place) == ("to", "7", "valid", 1)
    assert [stroke.tolist() for stroke in read.signal.strokes] == [[[0, 1], [2, 3]], [[4, 5]]]  # type: ignore[union-attr]
