"""Labelled texts are read from every form that people keep them in; what is wrong is named with its place."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from tests.data.labelled.conftest import REVIEWS, TREES, parquet, table

from recurra.data.labelled.reader import LabelledOptions, parse_renames, read_labelled
from recurra.errors import DataError, UsageError

from ...conftest import Files

RECORDS = [{"review": text, "meta": {"n": 1}, "sentiment": label} for text, label in REVIEWS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", table(",")),
        ("a.tsv", table("\t")),
        ("office.csv", "\ufeff" + table(";", "\r\n")),
        ("a.csv.gz", gzip.compress(table(",").encode())),
        ("a.jsonl", "\n".join(map(json.dumps, RECORDS))),
        ("a.json", json.dumps(RECORDS)),
        ("utf-16.csv", table(",").encode("utf-16")),
        ("a.parquet", None),
    ],
)
@pytest.mark.parametrize(
    "options", [LabelledOptions(), LabelledOptions(text="review", label="sentiment")], ids=["guessed", "named"]
)
def test_records_with_a_text_and_a_label(
    files: Files, name: str, content: str | bytes | None, options: LabelledOptions
) -> None:
    read = read_labelled(files({name: parquet() if content is None else content}), options)
    assert read.kind == "text"
    assert list(zip(read.sequences, [label for (label,) in read.labels], strict=True)) == REVIEWS
    assert len(read.places) == 3
    assert read.channels == [] == read.skipped


def test_a_spreadsheet_of_an_office_program(files: Files) -> None:
    content = '\ufeffDatum;Bewertung;Klasse\r\n1.5.;"Zu teuer;\r\nund ""laut"" dazu";schlecht\r\n2.5.;Ein sehr schöner Abend;gut\r\n'
    read = read_labelled(files({"hotel.csv": content}), LabelledOptions(text="Bewertung", label="Klasse"))
    assert read.sequences == ['Zu teuer;\nund "laut" dazu', "Ein sehr schöner Abend"]
    assert read.places == ["hotel.csv, line 2", "hotel.csv, line 4"]


@pytest.mark.parametrize(("encoding", "noted"), [("windows-1252", "windows-1252"), ("utf-16", "utf-16")])
def test_other_encodings_are_read_and_noted(files: Files, encoding: str, noted: str) -> None:
    content = "review,label\nun café très cher,neg\nà refaire,pos\n".encode(encoding)
    read = read_labelled(files({"a.csv": content}))
    assert read.sequences == ["un café très cher", "à refaire"]
    assert read.notes == [f"a.csv: read as {noted}, since it is no UTF-8"]


def test_chinese_in_gb18030_is_read_and_noted(files: Files) -> None:
    text = "中国的经济在这个时候发展得很好，人们都说这是一个大国的样子。"
    read = read_labelled(files({"a.csv": f"评论,标签\n{text},好\n{text}不,坏\n".encode("gb18030")}))
    assert read.sequences == [text, text + "不"]
    assert read.labels == [("好",), ("坏",)]
    assert read.notes == ["a.csv: read as gb18030, since it is no UTF-8"]


def test_a_doubtful_encoding_stays_an_error(files: Files) -> None:
    with pytest.raises(DataError, match=r"a\.csv: line 2: byte \d+: expected UTF-8 text"):
        read_labelled(files({"a.csv": b"review,label\n" + ("很好" * 40).encode() + b"\xff,1\n"}))


def test_a_file_per_class(files: Files) -> None:
    contents = {"rt.pos": "a fine film \n\nmoving\n", "rt.neg": "dull\ncaf\xe9s\n".encode("latin-1")}
    read = read_labelled(files(contents))
    assert read.sequences == ["a fine film", "moving", "dull", "cafés"]
    assert read.labels == [("pos",), ("pos",), ("neg",), ("neg",)]
    assert read.places == ["rt.pos, line 1", "rt.pos, line 3", "rt.neg, line 1", "rt.neg, line 2"]


def test_a_file_per_class_of_records(files: Files) -> None:
    contents = {"good.csv": "text,stars\nfine,5\n", "bad.csv": "text,stars\ndull,1\npoor,1\n"}
    read = read_labelled(files(contents), LabelledOptions(label="file"))
    assert read.labels == [("good",), ("bad",), ("bad",)]
    assert read.sequences == ["fine", "dull", "poor"]


def test_a_folder_per_class(files: Files, tmp_path: Path) -> None:
    files(
        {
            "pos/1.txt": "a fine film\nin two lines\n",
            "pos/2.txt": "1 good one",
            "neg/1.txt": "dull",
            "README.md": "about",
        }
    )
    folder = tmp_path / "data"
    read = read_labelled([folder])
    assert read.sequences == ["dull", "a fine film\nin two lines", "1 good one"]
    assert read.labels == [("neg",), ("pos",), ("pos",)]
    assert read.places == ["neg/1.txt", "pos/1.txt", "pos/2.txt"]
    assert read.skipped == [f"{folder}/README.md: documentation, by its name"]
    assert read_labelled([folder / "pos", folder / "neg"], LabelledOptions(label="folder")).labels == [
        ("pos",),
        ("pos",),
        ("neg",),
    ]


def test_trees_and_their_phrases(files: Files) -> None:
    paths = files({"train.txt": TREES})
    read = read_labelled(paths)
    assert read.sequences == ["It really shines", "It -LRB-sic-RRB-", "A film/play"]
    assert read.labels == [("3",), ("0",), ("2",)]
    two = parse_renames(["0=negative", "1=negative", "2=", "3=positive", "4=positive"])
    read = read_labelled(paths, LabelledOptions(phrases=True, rename=two))
    assert list(zip(read.sequences, read.labels, read.places, strict=True)) == [
        ("It really shines", ("positive",), "train.txt, line 1"),
        ("really shines", ("positive",), "train.txt, line 1"),
        ("shines", ("positive",), "train.txt, line 1"),
        ("It -LRB-sic-RRB-", ("negative",), "train.txt, line 2"),
        ("-LRB-sic-RRB-", ("negative",), "train.txt, line 2"),
    ]
    # "It" stands twice with the same label, and counts once; so do "really", "A", "film/play" and the third root.
    assert read.skipped == ["5 examples labelled '2' left out, as rename says"]


def test_lines_that_begin_with_their_label(files: Files) -> None:
    (path,) = files({"stsa.fine": "4 a stirring film\n0 dull , dull\n4 moving\n"})
    read = read_labelled([path])
    assert (read.sequences, read.labels) == (["a stirring film", "dull , dull", "moving"], [("4",), ("0",), ("4",)])
    words = files({"spam.txt": "ham\tsee you at 3\nspam\twin a prize\nham\tok then\n"})
    assert read_labelled(words).labels == [("ham",), ("spam",), ("ham",)]
    trec = files({"trec.txt": "DESC what is this\nNUM how many are there\n" * 10})
    assert len(set(read_labelled(trec).labels)) == 2
    fast = files({"fast.txt": "__label__food __label__good what a meal\n__label__film dull\n"})
    assert read_labelled(fast, LabelledOptions(multi_label=True)).labels == [("food", "good"), ("film",)]
    with pytest.raises(DataError, match=r"fast\.txt: line 1: expected one label, got a list of 2; .*--multi-label"):
        read_labelled(fast)
    with pytest.raises(DataError, match=r"a\.txt: line 2: expected a label and a text, got 'alone' alone"):
        read_labelled(files({"a.txt": "x one\nalone\n"}), LabelledOptions(label="line"))


def test_proteins(files: Files) -> None:
    (path,) = files({"a.fasta": ">1\nSVYDAA\nAQL\n>0\nKVAEL\n"})
    read = read_labelled([path])
    assert (read.sequences, read.labels) == (["SVYDAAAQL", "KVAEL"], [("1",), ("0",)])
    assert read.places == ["a.fasta, line 1", "a.fasta, line 4"]
    many = "".join(f">protein {number}\nSVY\n" for number in range(30))
    with pytest.raises(UsageError, match="no two headers are alike"):
        read_labelled(files({"names.fasta": many}))
    two = files({"globin.fasta": many, "other.fasta": many})
    assert {label for (label,) in read_labelled(two, LabelledOptions(label="file")).labels} == {"globin", "other"}
    with pytest.raises(DataError, match=r"b\.fasta: line 2: expected letters, got '4'"):
        read_labelled(files({"b.fasta": ">1\nSV4\n>0\nAA\n"}))
    with pytest.raises(DataError, match=r"c\.fasta: line 1: expected a line that begins with >, got 'SVY'"):
        read_labelled(files({"c.fasta": "SVY\n"}))


@pytest.mark.parametrize(
    ("cell", "labels"),
    [("a|b", ("a", "b")), ("a; b", ("a", "b")), ('"a,b,a"', ("a", "b")), ("a", ("a",)), ("", ())],
)
def test_several_labels_of_one_example(files: Files, cell: str, labels: tuple[str, ...]) -> None:
    paths = files({"a.csv": f"text,topics\na long enough text,{cell}\n"})
    assert read_labelled(paths, LabelledOptions(label="topics", multi_label=True)).labels == [labels]


def test_lists_of_labels(files: Files) -> None:
    lines = [
        '{"text": "one", "topics": ["a", "b"]}',
        '{"text": "two", "topics": []}',
        '{"text": "three", "topics": [1.0]}',
    ]
    paths = files({"a.jsonl": "\n".join(lines)})
    assert read_labelled(paths, LabelledOptions(label="topics", multi_label=True)).labels == [("a", "b"), (), ("1",)]
    with pytest.raises(DataError, match=r"a\.jsonl: line 1: expected one label, got a list of 2"):
        read_labelled(paths, LabelledOptions(label="topics"))


def test_labels_that_are_numbers_or_truth_values(files: Files) -> None:
    lines = [f'{{"text": "one", "label": {value}}}' for value in ("1", "1.0", "2.5", "true", '" e\\u0301 "')]
    assert read_labelled(files({"a.jsonl": "\n".join(lines)})).labels == [("1",), ("1",), ("2.5",), ("true",), ("é",)]


def test_standard_input(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(b'{"text": "fine", "label": 1}\n{"text": "poor", "label": 0}\n')

    monkeypatch.setattr("sys.stdin", Piped)
    read = read_labelled(["-"])
    assert (read.sequences, read.labels) == (["fine", "poor"], [("1",), ("0",)])
    assert read.places[1] == "standard input, line 2"


def test_files_whose_columns_stand_in_another_order_have_the_same_channels(files: Files) -> None:
    xy, yx = "take,t,x,y,move\n0,0,1,2,up\n0,1,3,4,up\n", "take,t,y,x,move\n1,0,2,1,down\n1,1,4,3,down\n"
    options = LabelledOptions(series="take", time="t", label="move")
    read = read_labelled(files({"a.csv": xy, "b.csv": yx}), options)
    assert read.channels == ["x", "y"]
    assert [series.tolist() for series in read.sequences] == [[[1, 2], [3, 4]]] * 2
    other = yx.replace("y,x", "y,z")
    with pytest.raises(
        DataError, match=r"b\.csv: .*expected 2 channels \(x, y\), got 2 \(y, z\).*a\.csv is read first"
    ):
        read_labelled(files({"a.csv": xy, "b.csv": other}), options)


@pytest.mark.parametrize("content", ["x,y\n1,2\n3,4\n", "v\n1\n3\n"])
def test_tables_of_numbers_in_a_folder_for_each_class_are_series(tmp_path, content):
    """The folder says the class: neither a column called y nor a single one makes texts of them."""
    for label in ("run", "walk"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.csv").write_text(content)
    read = read_labelled([tmp_path])
    assert read.kind == "series"
    assert read.labels == [("run",), ("walk",)]
    assert read.sequences[0].shape == (2, content.partition("\n")[0].count(",") + 1)
