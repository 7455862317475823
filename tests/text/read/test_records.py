"""Records to texts: every format gives the same texts, and every fault is reported with its line or row."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurra.errors import DataError
from recurra.text.read.decode import normalise
from recurra.text.read.faults import Faults
from recurra.text.read.records import iter_rows, read_records, record_kind_from_content, text_fields
from recurra.text.read.sources import Source

texts = st.text(st.characters(exclude_characters="\0\r\ufeff", exclude_categories=["Cs"]), min_size=1).filter(str.strip)


def pack(kind: str, rows: list[dict[str, Any]]) -> bytes:
    if kind == "json":
        return json.dumps(rows).encode()
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    if kind == "parquet":
        stream = pyarrow.BufferOutputStream()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), stream)
        return stream.getvalue().to_pybytes()
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), delimiter="\t" if kind == "tsv" else ",")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8-sig")


def read(kind: str, data: str | bytes, field: str = "text", on_error: str = "stop") -> tuple[list[str], list[str]]:
    source = Source("a", kind, data.encode() if isinstance(data, str) else data, False)
    faults = Faults(on_error)  # type: ignore[arg-type]
    return [record.text for record in read_records(source, field, faults)], faults.skipped


def message(kind: str, data: str | bytes, field: str = "text") -> str:
    with pytest.raises(DataError) as caught:
        read(kind, data, field)
    assert "\n" not in str(caught.value)
    return str(caught.value)


kinds = pytest.mark.parametrize("kind", ["json", "jsonl", "csv", "tsv", "parquet"])


@kinds
@given(st.lists(texts, min_size=1, max_size=5))
def test_every_format_gives_back_its_texts(kind: str, values: list[str]) -> None:
    rows = [{"id": str(number), "text": value} for number, value in enumerate(values)]
    assert read(kind, pack(kind, rows)) == ([normalise(value) for value in values], [])


@kinds
def test_a_missing_field_is_reported_with_those_there_are(kind: str) -> None:
    problem = message(kind, pack(kind, [{"id": "1", "texts": "春"}]))
    assert problem.endswith("field 'text' is missing; the fields there are: id, texts; did you mean 'texts'?")
    assert problem.startswith(
        {"json": "a: row 1: ", "jsonl": "a: line 1: ", "parquet": "a: f"}.get(kind, "a: line 1: ")
    )


@kinds
def test_records_without_text_are_listed_not_an_error(kind: str) -> None:
    found, skipped = read(kind, pack(kind, [{"text": "one"}, {"text": " \n "}, {"text": "two"}]))
    place = {"json": "row 2", "parquet": "row 2", "jsonl": "line 2"}.get(kind, "line 3")
    assert (found, skipped) == (["one", "two"], [f"a: {place}: empty text"])


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet"])
@pytest.mark.parametrize(
    ("value", "got"),
    [
        (None, "null"),
        (2.5, r"a number \(2.5\)"),
        (True, r"a truth value \(True\)"),
        ([1], r"a list with a number \(1\)"),
    ],
)
def test_a_field_that_is_no_text_is_an_error(kind: str, value: Any, got: str) -> None:
    with pytest.raises(
        DataError, match=rf"(row|line) 1: field 'text': expected a string or a list of strings, got {got}$"
    ):
        read(kind, pack(kind, [{"text": value}]))


@pytest.mark.parametrize("kind", ["json", "jsonl", "parquet"])
def test_lists_of_lines_and_nested_fields(kind: str) -> None:
    data = pack(kind, [{"poem": {"lines": ["白日依山盡", "黃河入海流"], "a.b": "dotted"}, "x.y": "top"}])
    assert read(kind, data, "poem.lines")[0] == ["白日依山盡\n黃河入海流"]
    assert read(kind, data, "poem.a.b")[0] == ["dotted"]
    assert read(kind, data, "x.y")[0] == ["top"]
    assert "the fields there are: poem.lines, poem.a.b" in message(kind, data, "poem.line")
    assert text_fields(Source("a", kind, data, False)) == (["poem.lines", "poem.a.b", "x.y"], "poem.lines")


def test_faults_that_are_skipped_are_listed_and_the_rest_is_read() -> None:
    lines = ['{"text": "one"}', '{"text": ', '{"text": null}', "[]", "", '{"other": 1}', '{"text": "two"}']
    data = "\n".join(lines).encode() + b'\n{"text": "caf\xe9"}\n'
    found, skipped = read("jsonl", data, on_error="skip")
    assert found == ["one", "two"]
    starts = ["2: broken JSON", "3: field 'text': expected", "4: expected an object", "6: field 'text' is missing"]
    starts += ["8: field 'text' expected UTF-8 text, got byte 0xe9"]
    assert len(skipped) == len(starts)
    assert all(line.startswith(f"a: line {start}") for line, start in zip(skipped, starts, strict=True))


def test_one_json_object_is_one_record() -> None:
    assert read("json", '{\n "text": "one"\n}') == (["one"], [])


def test_broken_json_is_reported_with_line_and_column() -> None:
    assert message("json", '[\n{"text": "a",}\n]').startswith("a: line 2: broken JSON: ")
    assert "column" in message("json", '[\n{"text": "a",}\n]')
    assert "name the file .jsonl" in message("json", '{"text": "a"}\n{"text": "b"}')
    assert "Name the file .json" in message("jsonl", '{\n"text": "a"}')
    assert message("jsonl", '{"text": "a"}\n{"text": "b"').startswith("a: line 2: broken JSON: ")
    assert message("json", "[" * 100_000) == "a: JSON nested too deeply"
    assert message("json", "1" * 10_000) == "a: a number of more than 4,300 digits"
    assert message("json", '["a"]') == "a: row 1: expected an object with fields, got str"
    assert message("json", '{"text": "\\ud83d"}') == "a: row 1: field 'text' holds half of a surrogate pair, \\ud83d"


def test_json_strings_may_hold_other_line_ends() -> None:
    assert read("jsonl", '{"text": "a\u2028b\\r\\nc"}\n')[0] == ["a\u2028b\nc"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_by_the_header(delimiter: str) -> None:
    data = f'id{delimiter}text{delimiter}n\r\n1{delimiter}"a, b; ""c""\r\nd"{delimiter}2\r\n\r\n'
    assert read("csv", data) == (['a, b; "c"\nd'], [])


def test_a_single_column_and_a_header_with_two_readings() -> None:
    assert read("csv", "text\none\ntwo\n")[0] == ["one", "two"]
    assert read("csv", "a,b;text\n1,2;春\n")[0] == ["春"]


def test_rows_that_do_not_fit_the_header() -> None:
    assert message("csv", 'id,text\n1,"a\nb"\n2,a,b\n') == (
        "a: line 4: the row has 3 cells, the header 2; a cell that holds a delimiter (',') must be quoted"
    )
    assert message("csv", "id,text\n1\n") == "a: line 2: the row has 1 cells, the header 2"
    assert read("csv", "id,text\n1,a,,\n")[0] == ["a"]
    assert read("csv", "id,text\n1,a,b\n2,c\n", on_error="skip")[0] == ["c"]
    assert "stands twice in the header" in message("csv", "text,text\na,b\n")


def test_quotes_that_are_broken() -> None:
    assert message("csv", 'id,text\n1,a\n2,"b\nc\nd').startswith(
        "a: line 3: a quoted cell in the row that begins here is"
    )
    assert message("csv", 'id,text\n1,"a"b\n').startswith("a: line 2: broken CSV: a delimiter expected after")


def test_tsv_files_without_quoting_keep_their_quotation_marks() -> None:
    assert read("tsv", 'id\ttext\n1\t"one" he said\n2\t"two\n3\tthree\n')[0] == ['"one" he said', '"two', "three"]
    assert read("tsv", 'id\ttext\n1\t"one\n2"\n')[0] == ["one\n2"]


def test_a_long_cell_leaves_the_limit_of_the_csv_module_alone() -> None:
    before = csv.field_size_limit()
    assert len(read("csv", "text\n" + "x" * 1_000_000)[0][0]) == 1_000_000
    assert csv.field_size_limit() == before


def test_empty_files_and_files_without_records() -> None:
    assert message("json", "") == "a: is empty"
    assert message("jsonl", " \n ") == "a: holds only white space"
    for kind, data in (("json", "[]"), ("csv", "id,text\n"), ("parquet", empty_parquet())):
        assert message(kind, data) == "a: holds no records"


def empty_parquet() -> bytes:
    stream = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), stream)
    return stream.getvalue().to_pybytes()


def test_damaged_parquet() -> None:
    data = pack("parquet", [{"text": "春" * 100}])
    assert message("parquet", data[:-10]).startswith("a: the Parquet data is cut off or damaged (")
    assert message("parquet", b"id,text\n").startswith("a: is no Parquet file, whatever its name says (")
    for place in range(0, len(data), 5):
        flipped = bytearray(data)
        flipped[place] ^= 16
        try:
            read("parquet", bytes(flipped))
        except DataError:
            continue


def test_a_parquet_string_that_is_no_utf8_is_reported_with_its_row() -> None:
    column = pyarrow.array([b"one", b"caf\xe9"], pyarrow.binary()).view(pyarrow.string())
    stream = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"text": column}), stream)
    data = stream.getvalue().to_pybytes()
    assert message("parquet", data) == "a: row 2: expected UTF-8 text, got byte 0xe9"
    assert read("parquet", data, on_error="skip") == (["one"], ["a: row 2: expected UTF-8 text, got byte 0xe9"])


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'\xef\xbb\xbf {"text": "a"}\n{"text": "b"}', "jsonl"),
        (b'{\n  "text": "a"\n}', "json"),
        (b'\n[{"text": "a"}]', "json"),
        (b"id,text\n", "csv"),
        (b"PAR1....", "parquet"),
    ],
)
def test_the_format_of_a_pipe_is_recognised_by_its_start(data: bytes, kind: str) -> None:
    assert record_kind_from_content(data) == kind


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@pytest.mark.parametrize("mode", ["stop", "skip"])
@pytest.mark.parametrize(
    ("first", "problem"),
    [
        (",,", "line 1: the first row, which names the columns, has only empty cells; delete it"),
        (" , ,", "line 1: the first row, which names the columns, has only empty cells"),
        (
            "\n# made in 2024",
            "line 2: the first row looks like a comment: it begins with #, and its number of cells is 1, the second's 3; delete it",
        ),
        ("# a, b", "its number of cells is 2, the second's 3; delete it"),
    ],
)
def test_a_first_row_that_names_nothing(first: str, problem: str, mode: str, kind: str) -> None:
    table = f"{first}\n" + "".join(f"{row},the film was slow {row},{row % 2}\n" for row in range(20))
    data = (table.replace(",", "\t") if kind == "tsv" else table).encode()
    with pytest.raises(DataError) as caught:
        list(iter_rows(Source("a", kind, data, False), (), Faults(mode)))
    assert problem in str(caught.value)


def test_a_name_may_begin_with_a_number_sign() -> None:
    rows = list(iter_rows(Source("a", "csv", b"#id,text\n1,good\n", False), (), Faults("stop")))
    assert [row.cells for row in rows] == [{"#id": "1", "text": "good"}]


def test_a_number_without_end_is_named_without_advice_on_python() -> None:
    source = Source("a.jsonl", "jsonl", b'{"a": "b"}\n{"a": ' + b"9" * 5000 + b"}\n", False)
    with pytest.raises(DataError, match=r"^a\.jsonl: line 2: a number of more than 4,300 digits$"):
        list(read_records(source, "a", Faults("stop")))
