"""Tables and trees for the tests of labelled data."""

from __future__ import annotations

import io

import pytest

REVIEWS = [("what a mess, really", "bad"), ("很快，好吃", "good"), ("", "bad")]


def table(delimiter: str, line: str = "\n") -> str:
    rows = [f'"{text}"{delimiter}{label}{line}' for text, label in REVIEWS]
    return f"review{delimiter}sentiment{line}" + "".join(rows)


def parquet() -> bytes:
    arrow = pytest.importorskip("pyarrow")
    stream = io.BytesIO()
    texts, labels = zip(*REVIEWS, strict=True)
    records = arrow.table({"id": [1, 2, 3], "review": list(texts), "sentiment": list(labels)})
    pytest.importorskip("pyarrow.parquet").write_table(records, stream)
    return stream.getvalue()


TREES = "(3 (2 It) (4 (2 really) (4 shines)))\n(0 (2 It) (1 -LRB-sic-RRB-))\n(2 (2 A) (2 film\\/play))\n"
