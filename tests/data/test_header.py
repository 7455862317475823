"""Whether the first row of a table names its columns: one rule, for all that reads tables."""

from __future__ import annotations

import pytest

from recurra.data.header import find_header, has_header
from recurra.text import Source

ROWS = "{},{}\n2,cold and late\n4,warm\n2,never again\n"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("stars,review\n1,good soup\n2,bad\n", True),  # a word above numbers
        ("1,good soup\n2,bad\n4,fine\n", False),
        ("good;x y z\nbad;u v w\ngood;r s t\n", False),  # a word that comes again
        ("plot;genre\nu v w;crime\nr s t;horror\n", True),  # nothing tells
        ("y;u v w\nn;r s t\ny;k l m\n", False),  # a usual name, but a value of its column
        ("label,text\ngood,x\nbad,y\n", True),
        ("2024-01-01,5\n2024-01-02,6\n", False),
        ("day,sold\n2024-01-01,5\n", True),
        ("place,1990,2000,2010\nRome,3.5,4,4.5\nBonn,1,2,7\n", True),  # years are names
        ("place,2019\nRome,3.5\nBonn,1\n", True),
        ("Rome,3.5,4,9\nBonn,1,2,7\n", False),
        ("id,2024-01-31,2024-02-29\na,3,4\nb,5,6\n", True),
        ("0,1\nwhat a mess,3\nso good,5\n", True),  # a frame of pandas without names
        (",0\n0,3.5\n1,2.5\n", True),  # and with its index
        ("0,1,2,3,4\n0.5,1,7,3,2\n0.5,2,1,5,4\n", True),
        ("1990,1991,1992,1993\n0.5,7,3,1\n1.5,1,5,0\n", True),  # years above numbers alone
        ("1990,1995,2005\n500,7,3\n2100,1,5\n", True),
        (",1990,1991,1992\n0,0.5,7,3\n1,1.5,1,5\n", True),
        ("1990,1991,1992\n1950,1960,1990\n7,1,5\n", False),  # a row like it is below
        ("1992,1990,1991\n0.5,7,3\n1.5,1,5\n", False),
        ("1990,1991\n0.5,7\n1.5,1\n", False),  # too few for a sign
        ("3,1,4,1,5\n9,2,6,5,3\n", False),
        ("1.5,2,?\n0.5,,2\n", False),
        ("x,y\nNA,1\n,2\n", True),
        ("评论,标签\n很好吃,1\n太慢了,0\n", True),
        ("很好吃,1\n太慢了,0\n还行,1\n", False),
        ("zeta,the film was long and slow\nbeta,a cold room and a warm bed\ngamma,it rained for days\n", False),
        ("甲,这部电影拍得太慢了\n乙,房间很冷但是床很暖\n丙,雨一直下了好几天\n", False),  # a text, not a name
        ("kind,opinion\nzeta,a cold room and a warm bed\nbeta,it rained for days\n", True),  # a word above texts
        ("类,评语\n甲,房间很冷但是床很暖\n乙,雨一直下了好几天\n", True),
        (
            f"kind,what people thought then\nzeta,{'a cold room and a warm bed ' * 9}\nbeta,{'it rained for days ' * 9}\n",
            True,
        ),
        ("one,a cold room and a warm bed\n" + "two,it rained for days\n" * 5, False),  # sorted by class
        ("only,names\n", True),
        ("a text,3\n", False),  # one row that is no names
    ],
)
def test_what_the_first_row_is(table: str, expected: bool) -> None:
    source = find_header(Source("a.csv", "csv", table.encode(), False), "auto", (), notes := [])
    assert source.header is expected
    assert [note for note in notes if "no header" in note and "a.csv" in note] == notes * (not expected)
    assert bool(notes) is not expected or "--header no:" in notes[0]


@pytest.mark.parametrize(
    ("table", "noted"),
    [
        ("plot;genre\nu v w;crime\nr s t;horror\n", True),
        ("one,cold soup\ntwo,warm bread\ntwo,slow hand\n", True),
        ("kind,opinion\nzeta,a cold room and a warm bed\nbeta,it rained for days\n", False),
        ("stars,review\n1,good soup\n2,bad\n", False),
        ("label,text\ngood,x\nbad,y\n", False),
    ],
)
def test_names_that_nothing_shows_to_be_names_are_noted(table: str, noted: bool) -> None:
    source = find_header(Source("a.csv", "csv", table.encode(), False), "auto", (), notes := [])
    assert source.header
    assert ["a.csv: the first row is treated as the names" in note and "--header no" in note for note in notes] == [
        True
    ] * noted


def test_the_user_decides() -> None:
    rows = [["good", "x"], ["bad", "y"], ["good", "z"]]
    assert not has_header(rows) and has_header(rows, ["good"])
    assert not has_header([["1", "x"], ["2", "y"]], ["1", "last"])  # positions are no names
    for header, expected in (("yes", True), ("no", False)):
        for table in (b"1,x\n2,y\n", b"n,text\n2,y\n"):
            assert find_header(Source("a.csv", "csv", table, False), header, (), notes := []).header is expected
            assert not notes


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet", "text", "ts"])
def test_only_tables_have_one(kind: str) -> None:
    source = Source("a", kind, b"1,2\n3,4\n", False)
    assert find_header(source, "no", (), []) is source


def test_a_comment_is_no_data() -> None:
    rows = [["# made by me in a year"], ["the film was long and slow", "1"], ["a cold room and a bed", "0"]]
    assert has_header(rows)
    assert not has_header([["#1 film of a whole year", "1"], *rows[1:]])
