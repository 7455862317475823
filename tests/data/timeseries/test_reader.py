"""Series in time are read from every form, and what was assumed is noted."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data.timeseries.reader import Panel, TimeSeriesOptions, read_time_series
from recurra.errors import DataError, UsageError


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(path: Path | list[Path], **options: Any) -> Panel:
    return read_time_series(path if isinstance(path, list) else [path], TimeSeriesOptions(**options))


def values(panel: Panel, at: int = 0) -> list[Any]:
    return [None if np.isnan(value) else value for value in panel.series[at].values.ravel().tolist()]


def days(panel: Panel, at: int = 0) -> list[str]:
    return panel.series[at].times.astype("M8[D]").astype(str).tolist()


LONG = """pump,time,bar,flow,holiday,kind,built
a,2024-05-31 13:00,1.5,10,0,big,1999
b,2024-05-31 13:00,7,20,0,small,2010
a,2024-05-31 13:10,1.25,11,0,big,1999
b,2024-05-31 13:10,8,,1,small,2010
a,2024-05-31 13:30,2,12,1,big,1999
b,2024-05-31 13:20,9,22,1,small,2010
"""


def test_a_row_a_step_of_several_series(tmp_path: Path) -> None:
    options: dict[str, Any] = {"series": "pump", "target": ("bar",), "past": ("flow",), "static": ("kind", "built")}
    panel = read(write(tmp_path, "pumps.csv", LONG), **options)
    assert panel.names == ["a", "b"] and len(panel) == 2 and sum(map(len, panel.series)) == 7
    assert str(panel.frequency) == "10min"
    assert values(panel) == [1.5, 1.25, None, 2.0] and values(panel, 1) == [7.0, 8.0, 9.0]
    a, b = panel.series
    assert a.values.dtype == np.float64 and a.times.dtype == np.dtype("M8[us]")
    assert a.past.shape == (4, 1) and np.isnan(b.past[1, 0])
    assert a.static == ("big", 1999.0) and b.static == ("small", 2010.0)
    assert (a.place, b.place) == ("pumps.csv, line 2", "pumps.csv, line 3")
    assert (
        "series a: 1 gap, 1 of 4 steps are missing, the longest from 2024-05-31 13:20 to 2024-05-31 13:20"
        in panel.notes
    )
    assert "pumps.csv: column 'time' holds the times" in panel.notes
    assert "pumps.csv: left out: holiday" in panel.notes


def test_what_is_known_continues_after_the_last_value(tmp_path: Path) -> None:
    text = "ds,y,sale\n2024-01-01,3,0\n2024-01-02,,1\n2024-01-03,5,0\n2024-01-04,,1\n2024-01-05,,true\n"
    panel = read(write(tmp_path, "shop.csv", text), known=("sale",))
    (one,) = panel.series
    assert values(panel) == [3.0, None, 5.0]
    assert one.known.ravel().tolist() == [0, 1, 0, 1, 1] and len(one.times) == 5 and len(one) == 3
    assert panel.targets == ("y",) and panel.known == ("sale",)


def test_a_wide_table_with_times_has_a_channel_a_column(tmp_path: Path) -> None:
    panel = read(write(tmp_path, "plant.csv", "时间,温度,压力\n2024-05-31 13:00,20.5,1\n2024-05-31 14:00,21,\n"))
    assert panel.targets == ("温度", "压力") and panel.series[0].values.shape == (2, 2)
    assert panel.series[0].name == "plant" and str(panel.frequency) == "1h"
    panel = read(tmp_path / "plant.csv", target=("压力",))
    assert values(panel) == [1.0, None]


M4 = '"V1","V2","V3","V4","V5"\n"H1","605","586","586",""\n"H2","3124","","2990","2862"\n"H3","","","",""\n'


def test_a_row_a_series(tmp_path: Path) -> None:
    panel = read(write(tmp_path, "Hourly-train.csv", M4))
    assert panel.names == ["H1", "H2", "H3"] and [len(one) for one in panel.series] == [3, 4, 0]
    assert values(panel, 1) == [3124.0, None, 2990.0, 2862.0]
    assert panel.series[0].times.tolist() == [0, 1, 2] and panel.frequency is None
    assert panel.series[1].place == "Hourly-train.csv, line 3"
    assert "Hourly-train.csv: a row is a series, named by column 'V1'" in panel.notes
    assert "1 series have fewer than two values: H3" in panel.notes


def test_a_row_a_series_with_dates_above(tmp_path: Path) -> None:
    text = "page,lang,2024-01-31,2024-02-29,2024-03-31\nA,de,1,2,3\nB,zh,4,,\n"
    panel = read(write(tmp_path, "visits.csv", text), static=("lang",))
    assert str(panel.frequency) == "1m" and days(panel) == ["2024-01-31", "2024-02-29", "2024-03-31"]
    assert panel.series[1].static == ("zh",) and values(panel, 1) == [4.0]


def test_a_row_a_series_by_option(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "name,spring,summer,autumn\nA,1,2,3\nB,4,5,6\n")
    assert len(read(path)) == 1
    panel = read(path, layout="series")
    assert panel.names == ["A", "B"] and values(panel, 1) == [4.0, 5.0, 6.0]


def test_numbered_columns_without_names_are_open(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "t1,t2,t3,t4\n1,2,3,4\n5,6,7,8\n")
    with pytest.raises(
        UsageError, match=r"2 rows is a step of 4 channels or a series of 4 steps; say --layout steps or --l"
    ):
        read(path)
    assert len(read(path, layout="series")) == 2 and len(read(path, layout="steps")) == 1
    assert len(read(write(tmp_path, "y.csv", "t1,t2,t3,t4\n1,2,3,\n5,6,7,8\n"))) == 2  # rows that end early are series


def test_numbered_sensors_with_times_are_channels(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "time,s1,s2,s3,s4\n2024-01-01,1,2,3,4\n2024-01-02,5,6,7,8\n")
    assert read(path).series[0].values.shape == (2, 4)


def test_lines_of_numbers_without_a_header(tmp_path: Path) -> None:
    lines = "".join(f"{step}.5,{step}\n" for step in range(20))
    path = tmp_path / "rates.txt.gz"
    path.write_bytes(gzip.compress(lines.encode()))
    panel = read(path)
    assert panel.names == ["rates"] and panel.targets == ("channel 1", "channel 2")
    assert panel.series[0].values.shape == (20, 2) and panel.series[0].values[3].tolist() == [3.5, 3.0]
    assert "rates.txt.gz: has no header: each of its 20 lines is read as a step of time" in panel.notes
    with pytest.raises(UsageError, match=r"say --layout steps or --layout series"):
        read(write(tmp_path, "square.txt", "1 2 3\n4 5 6\n7 8 9\n"))
    assert len(read(tmp_path / "square.txt", layout="series")) == 3
    assert [len(one) for one in read(write(tmp_path, "ragged.txt", "1 2 3\n4 5\n")).series] == [3, 2]
    assert values(read(write(tmp_path, "one.txt", "1\n2\nNaN\n4\n"))) == [1.0, 2.0, None, 4.0]


def test_arrays(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    np.save(tmp_path / "A-1.npy", rng.normal(size=(30, 3)))
    np.save(tmp_path / "walk.npy", np.arange(7))
    np.save(tmp_path / "many.npy", rng.normal(size=(4, 9, 2)))
    np.save(tmp_path / "beats.npy", rng.normal(size=(5, 140)))
    panel = read(tmp_path / "A-1.npy")
    assert panel.names == ["A-1"] and panel.series[0].values.shape == (30, 3)
    assert np.array_equal(panel.series[0].values, np.load(tmp_path / "A-1.npy"))
    assert values(read(tmp_path / "walk.npy")) == list(range(7))
    assert [one.values.shape for one in read(tmp_path / "many.npy").series] == [(9, 2)] * 4
    with pytest.raises(UsageError, match=r"5 rows is a step of 140 channels or a series of 140 steps"):
        read(tmp_path / "beats.npy")
    assert len(read(tmp_path / "beats.npy", layout="series")) == 5
    np.savez(tmp_path / "two.npz", a=np.arange(3.0), b=np.arange(5.0))
    assert [len(one) for one in read(tmp_path / "two.npz").series] == [3, 5]
    np.savez(tmp_path / "ragged.npz", x=np.arange(8.0), lengths=[3, 5])
    assert [values(read(tmp_path / "ragged.npz"), at) for at in (0, 1)] == [[0, 1, 2], [3, 4, 5, 6, 7]]


def test_arrays_of_other_widths_need_the_name_of_a_channel(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((30, 3)))
    np.save(tmp_path / "b.npy", np.ones((30, 5)))
    with pytest.raises(DataError, match=r"b.npy: has 5 channels, .*a.npy has 3; .*--target 'channel 1'"):
        read([tmp_path / "a.npy", tmp_path / "b.npy"])
    assert len(read([tmp_path / "a.npy", tmp_path / "b.npy"], target=("channel 1",))) == 2


def test_files_are_series_and_files_of_one_name_are_kept_apart(tmp_path: Path) -> None:
    for folder, value in (("north", 1), ("south", 2)):
        write(tmp_path, f"{folder}/wind.csv", f"time,v\n2024-01-01,{value}\n2024-01-02,{value}\n")
    write(tmp_path, "README.md", "What this is, and 1 number")
    panel = read(tmp_path)
    assert panel.names == ["north/wind", "south/wind"]
    assert [one.place for one in panel.series] == ["north/wind.csv", "south/wind.csv"]
    assert any("README.md: documentation" in line for line in panel.skipped)


def test_a_series_continues_from_file_to_file(tmp_path: Path) -> None:
    write(tmp_path, "2023.csv", "time,site,v\n2023-12-30,a,1\n2023-12-31,a,2\n")
    write(tmp_path, "2024.csv", "time,site,v\n2024-01-01,a,3\n2024-01-02,b,9\n2024-01-03,b,8\n")
    panel = read(tmp_path, series="site")
    assert panel.names == ["a", "b"] and values(panel) == [1.0, 2.0, 3.0]


def test_labels_beside_the_series_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "data/cpu.csv", "timestamp,value\n2024-01-01,1\n2024-01-02,2\n")
    write(tmp_path, "labels/combined_windows.json", json.dumps({"cpu.csv": [["2024-01-01", "2024-01-02"]]}))
    panel = read(tmp_path)
    assert panel.names == ["cpu"] and any("labels, by its name" in line for line in panel.skipped)


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "json", "parquet", "semicolon", "utf-16"])
def test_every_kind_of_table_reads_the_same(tmp_path: Path, kind: str) -> None:
    rows = [dict(zip(LONG.split("\n")[0].split(","), line.split(","), strict=True)) for line in LONG.split("\n")[1:-1]]
    typed: list[dict[str, Any]] = [
        {k: None if v == "" else float(v) if k in ("bar", "flow", "holiday", "built") else v for k, v in row.items()}
        for row in rows
    ]
    if kind == "jsonl":
        path = write(tmp_path, "p.jsonl", "\n".join(map(json.dumps, typed)))
    elif kind == "json":
        path = write(tmp_path, "p.json", json.dumps(typed))
    elif kind == "parquet":
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        stream = io.BytesIO()
        parquet.write_table(arrow.Table.from_pylist(typed), stream)
        path = write(tmp_path, "p.parquet", stream.getvalue())
    elif kind == "semicolon":
        path = write(tmp_path, "p.csv", LONG.replace(",", ";").replace(".", ","))
    elif kind == "utf-16":
        path = write(tmp_path, "p.csv", LONG.encode("utf-16"))
    else:
        path = write(tmp_path, f"p.{kind}", LONG.replace(",", "\t") if kind == "tsv" else LONG)
    options: dict[str, Any] = {"series": "pump", "static": ("kind", "built"), "known": ("holiday",), "target": ("bar",)}
    found = read(path, **options)
    wanted = read(write(tmp_path, "w.csv", LONG), **options)
    assert found.names == wanted.names and found.frequency == wanted.frequency
    for one, other in zip(found.series, wanted.series, strict=True):
        assert np.array_equal(one.values, other.values, equal_nan=True)
        assert np.array_equal(one.times, other.times) and one.static == other.static
        assert np.array_equal(one.known, other.known, equal_nan=True)


def test_what_a_row_holds_can_be_asked_for_by_the_name_that_reading_gave_it(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("id,V2,V3,V4\na,1,2,3\nb,4,5,\n")
    first = read_time_series([path])
    again = read_time_series([path], TimeSeriesOptions(target=first.targets))
    assert [one.values[:, 0].tolist() for one in again.series] == [[1.0, 2.0, 3.0], [4.0, 5.0]]


def test_a_broken_cell_is_refused_where_it_is_and_does_not_cost_its_column(tmp_path: Path) -> None:
    rows = [
        f"2024-01-{1 + n // 24:02} {n % 24:02}:00,{n % 7},{n % 5},{'hall' if n % 3 else 'cellar'}" for n in range(100)
    ]
    path = tmp_path / "plant.csv"

    def read(number: int, row: str, **options: Any) -> Panel:
        path.write_text("\n".join(["time,temp,load,room", *rows[:number], row, *rows[number + 1 :]]) + "\n")
        return read_time_series([path], TimeSeriesOptions(**options))

    with pytest.raises(
        DataError, match=r"plant.csv: line 52: column 'temp': expected a number, got '1.2.3'"
    ) as refused:
        read(50, "2024-01-03 02:00,1.2.3,1,hall")
    assert "--on-error skip" in str(refused.value) and "--target" in str(refused.value)
    with pytest.raises(DataError, match=r"plant.csv: line 52: column 'time': expected a time"):
        read(50, "soon,1,1,hall")
    skipped = read(50, "2024-01-03 02:00,1.2.3,1,hall", on_error="skip")
    assert skipped.targets == ("temp", "load") and "line 52" in skipped.skipped[0]
    assert np.isnan(skipped.series[0].values[50]).all() and len(skipped.series[0]) == 100
    assert read(50, "2024-01-03 02:00,1.2.3,1,hall", target=("load",)).targets == ("load",)


def test_a_broken_cell_does_not_cost_a_step_of_all_series(tmp_path: Path) -> None:
    rows = [[f"s{series}", *(f"{series + step / 10:.1f}" for step in range(20))] for series in range(6)]
    rows[3][11] = "1.2.3"
    path = tmp_path / "wide.csv"
    names = ["id", *(f"t{step}" for step in range(1, 21))]
    path.write_text("\n".join(",".join(row) for row in [names, *rows]) + "\n")
    with pytest.raises(DataError, match=r"wide.csv: line 5: series s3: column 't11': expected a number, got '1.2.3'"):
        read_time_series([path])
    panel = read_time_series([path], TimeSeriesOptions(on_error="skip"))
    assert panel.names == ["s0", "s1", "s2", "s4", "s5"] and all(len(one) == 20 for one in panel.series)
