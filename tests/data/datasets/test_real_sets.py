"""The data sets hold what their sources say, to the example."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recurra.data import DatasetFiles, get, locate, names
from recurra.data.labelled.reader import Labelled, LabelledOptions, parse_renames, read_labelled
from recurra.data.labelled.tagged import Tagged, TaggedOptions, read_tagged
from recurra.data.pairs import PairOptions, read_pairs
from recurra.data.timeseries.reader import Panel, TimeSeriesOptions, read_time_series

FOLDER = Path(os.environ.get("RECURRA_DATA", ""))
OTHERS = ("digits", "two-objects", "flickr8k")


def located(name: str) -> DatasetFiles:
    dataset = get(name)
    if "RECURRA_DATA" not in os.environ or not (FOLDER / dataset.folder).is_dir():
        pytest.skip(f"RECURRA_DATA has no {dataset.folder}")
    return locate(dataset)


@pytest.fixture(autouse=True, scope="module")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The folder of real data, in the place of the empty one that the other tests have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RECURRA_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def read(name: str, part: str, **changes: Any) -> Labelled:
    found = located(name)
    known = {key: value for key, value in found.settings.items() if key in ("text", "label", "images")}
    known["rename"] = parse_renames(found.settings.get("rename", []))
    return read_labelled(getattr(found, part), LabelledOptions(**known, **changes))


def counts(labelled: Labelled) -> dict[str, int]:
    return dict(Counter(label for (label,) in labelled.labels))


def test_every_set_is_looked_at_here() -> None:
    ours = {name for name in names() if get(name).task in ("classify", "tag", "forecast", "detect", "caption")}
    assert ours == {*TEXTS, *SERIES_SETS, *PROTEINS, *TAGS, *TIMED, *OTHERS}


# name: part: its classes with their counts
TEXTS: dict[str, dict[str, dict[str, int]]] = {
    "rt-polarity": {"train": {"pos": 5331, "neg": 5331}},
    "sst-5": {
        "train": {"very negative": 1092, "negative": 2218, "neutral": 1624, "positive": 2322, "very positive": 1288},
        "valid": {"very negative": 139, "negative": 289, "neutral": 229, "positive": 279, "very positive": 165},
        "test": {"very negative": 279, "negative": 633, "neutral": 389, "positive": 510, "very positive": 399},
    },
    "sst-3": {
        "train": {"negative": 3310, "neutral": 1624, "positive": 3610},
        "valid": {"negative": 428, "neutral": 229, "positive": 444},
        "test": {"negative": 912, "neutral": 389, "positive": 909},
    },
    "sst-2": {
        "train": {"negative": 3310, "positive": 3610},
        "valid": {"negative": 428, "positive": 444},
        "test": {"negative": 912, "positive": 909},
    },
    "chnsenticorp": {"train": {"positive": 5322, "negative": 2444}},
    "waimai": {"train": {"positive": 4000, "negative": 7987}},
}


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in TEXTS for part in TEXTS[name]])
def test_texts(name: str, part: str) -> None:
    labelled = read(name, part)
    assert labelled.kind == "text"
    assert counts(labelled) == TEXTS[name][part]
    assert len(labelled.places) == len(labelled.sequences)
    assert sum(not text for text in labelled.sequences) == (name == "chnsenticorp")


# For each name: how many train and test, the channels, the shortest and the longest, the classes.
SERIES_SETS = {
    "arrow-head": (36, 175, 1, 251, 251, 3),
    "basic-motions": (40, 40, 6, 100, 100, 4),
    "chinatown": (20, 343, 1, 24, 24, 2),
    "ecg200": (100, 100, 1, 96, 96, 2),
    "ering": (30, 270, 4, 65, 65, 6),
    "gun-point": (50, 150, 1, 150, 150, 2),
    "italy-power-demand": (67, 1029, 1, 24, 24, 2),
    "japanese-vowels": (270, 370, 12, 7, 29, 9),
    "natops": (180, 180, 24, 51, 51, 6),
    "osu-leaf": (200, 242, 1, 427, 427, 6),
    "pickup-gesture-wiimote-z": (50, 50, 1, 29, 361, 10),
    "synthetic-control": (300, 300, 1, 60, 60, 6),
    "character-trajectories": (1429, 0, 3, 109, 205, 20),
    "ecg5000": (500, 0, 1, 140, 140, 5),
    "ecg5000-anomaly": (2665, 0, 1, 140, 140, 2),
    "mnist-rows": (60000, 10000, 28, 28, 28, 10),
    "mnist-pixels": (60000, 10000, 1, 784, 784, 10),
    "msr-action3d": (284, 273, 60, 13, 76, 20),
}


@pytest.mark.parametrize("name", SERIES_SETS)
def test_series(name: str) -> None:
    train, test, channels, shortest, longest, classes = SERIES_SETS[name]
    parts = [read(name, part) for part, count in (("train", train), ("test", test)) if count]
    assert [len(part.sequences) for part in parts] == [count for count in (train, test) if count]
    series = [sequence for part in parts for sequence in part.sequences]
    assert all(isinstance(one, np.ndarray) and one.dtype == np.float32 and one.shape[1] == channels for one in series)
    lengths = [len(one) for one in series]
    assert (min(lengths), max(lengths)) == (shortest, longest)
    assert {len(counts(part)) for part in parts} == {classes}
    assert not any(np.isnan(one).any() for one in series)
    assert [len(part.channels) for part in parts] == [channels] * len(parts)


def test_counts_that_were_published() -> None:
    assert counts(read("ecg5000", "train")) == {"1": 292, "2": 177, "3": 10, "4": 19, "5": 2}
    assert counts(read("ecg5000-anomaly", "train")) == {"normal": 584, "anomaly": 2081}
    vowels = counts(read("japanese-vowels", "test"))
    assert [vowels[str(speaker)] for speaker in range(1, 10)] == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    digits = counts(read("mnist-rows", "test"))
    assert [digits[str(digit)] for digit in range(10)] == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_persons_of_msr_action3d_do_not_cross() -> None:
    found = located("msr-action3d")
    persons = [{int(path.name[5:7]) for path in part} for part in (found.train, found.test)]
    assert persons == [{1, 3, 5, 7, 9}, {2, 4, 6, 8, 10}]


# superfamily: (train, of it, test, of it)
PROTEINS = {
    "protein-scop-1-1": (2339, 1150, 1235, 8),
    "protein-scop-1-34": (2075, 866, 1237, 6),
    "protein-scop-2-1": (5992, 4763, 1070, 120),
    "protein-scop-2-8": (1241, 56, 1239, 8),
    "protein-scop-2-19": (1345, 110, 1215, 9),
    "protein-scop-2-31": (2298, 1063, 1202, 8),
    "protein-scop-2-34": (1501, 286, 1237, 6),
    "protein-scop-2-41": (1427, 192, 1219, 6),
    "protein-scop-3-19": (2103, 922, 1238, 7),
    "protein-scop-3-25": (2395, 1187, 1242, 11),
    "protein-scop-3-33": (1680, 466, 1238, 7),
    "protein-scop-3-50": (1336, 105, 1213, 8),
}


@pytest.mark.parametrize("name", PROTEINS)
def test_proteins(name: str) -> None:
    parts = [read(name, part) for part in ("train", "test")]
    counted = [number for part in parts for number in (len(part.sequences), counts(part)["1"])]
    assert tuple(counted) == PROTEINS[name]
    letters = {letter for part in parts for text in part.sequences for letter in text}
    assert letters <= {*"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "x"}  # x: an amino acid that is not known


# name: part: (sentences, words, tags)
TAGS = {
    "ud-ewt": {"train": (12544, 204577, 17), "valid": (2001, 25147, 17), "test": (2077, 25094, 17)},
    "wnut17": {"train": (3394, 62730, 13), "valid": (1009, 15733, 13), "test": (1287, 23394, 13)},
}


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in TAGS for part in TAGS[name]])
def test_tags(name: str, part: str) -> None:
    found = located(name)
    tagged: Tagged = read_tagged(getattr(found, part), TaggedOptions(column=found.settings["column"]))
    kinds = {tag for tags in tagged.tags for tag in tags}
    words = sum(len(sentence) for sentence in tagged.sentences)
    assert (len(tagged.sentences), words, len(kinds)) == TAGS[name][part]
    assert [len(tags) for tags in tagged.tags] == [len(sentence) for sentence in tagged.sentences]
    assert tagged.skipped == []


@pytest.mark.parametrize(("source", "target"), [("de", "en"), ("en", "de")])
def test_translations(source: str, target: str) -> None:
    found = located(f"multi30k-{source}-{target}")
    options = PairOptions(source=found.settings["source"], target=found.settings["target"])
    parts = [read_pairs(part, options) for part in (found.train, found.valid, found.test)]
    assert [len(part.sources) for part in parts] == [29_000, 1014, 1000]
    first = {
        "de": "Ein Mann mit einem orangefarbenen Hut, der etwas anstarrt.",
        "en": "A man in an orange hat starring at something.",
    }
    assert (parts[2].sources[0], parts[2].targets[0]) == (first[source], first[target])


# name: part: (series, steps of all, the shortest and the longest, channels, values that are missing, spacing)
TIMED: dict[str, dict[str, tuple[int, int, int, int, int, int, str]]] = {
    "m4-hourly": {"train": (414, 353_500, 700, 960, 1, 0, "None"), "test": (414, 19_872, 48, 48, 1, 0, "None")},
    "m4-weekly": {"train": (359, 366_912, 80, 2597, 1, 0, "None"), "test": (359, 4667, 13, 13, 1, 0, "None")},
    "ett-h1": {"train": (1, 17_420, 17_420, 17_420, 7, 0, "1h")},
    "exchange-rate": {"train": (1, 7588, 7588, 7588, 8, 0, "None")},
    "airline-passengers": {"train": (1, 144, 144, 144, 1, 0, "1m")},
    "monthly-shampoo-sales": {"train": (1, 36, 36, 36, 1, 0, "None")},
    "monthly-sunspots": {"train": (1, 2820, 2820, 2820, 1, 0, "1m")},
    "daily-min-temperatures": {"train": (1, 3652, 3652, 3652, 1, 2, "1d")},  # the last days of two leap years
    "daily-max-temperatures": {"train": (1, 3652, 3652, 3652, 1, 2, "1d")},
    "beijing-pm25": {"train": (1, 43_824, 43_824, 43_824, 1, 2067, "1h")},
    "nab": {"train": (58, 365_558, 1127, 22_695, 1, 0, "None")},
    "smap-msl": {"train": (82, 196_746, 312, 4308, 1, 0, "None"), "test": (82, 510_225, 670, 8640, 1, 0, "None")},
    "ecg5000-normal": {
        "train": (2335, 326_900, 140, 140, 1, 0, "None"),
        "test": (2665, 373_100, 140, 140, 1, 0, "None"),
    },
}


def timed(name: str, part: str) -> Panel:
    found = located(name)
    wanted = ("time", "series", "target", "known", "past", "static", "layout")
    options: dict[str, Any] = {key: value for key, value in found.settings.items() if key in wanted}
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in options.items()}
    gaps: Any = "keep" if get(name).task == "detect" else "fill"
    return read_time_series(getattr(found, part), TimeSeriesOptions(**options, gaps=gaps))


@pytest.mark.parametrize(("name", "part"), [(name, part) for name in TIMED for part in TIMED[name]])
def test_series_in_time(name: str, part: str) -> None:
    panel = timed(name, part)
    lengths = [len(one) for one in panel.series]
    gone = sum(int(np.isnan(one.values).sum()) for one in panel.series)
    channels = panel.series[0].values.shape[1]
    found = (len(panel), sum(map(len, panel.series)), min(lengths), max(lengths), channels, gone, str(panel.frequency))
    assert found == TIMED[name][part]
    assert all(one.values.dtype == np.float64 and len(one.times) == len(one) for one in panel.series)
    assert len(set(panel.names)) == len(panel)


def test_values_that_were_published() -> None:
    hourly = timed("m4-hourly", "train")
    assert hourly.names[0] == "H1" and hourly.series[0].values[:3, 0].tolist() == [605, 586, 586]
    assert timed("m4-hourly", "test").series[0].values[0, 0] == 619
    airline = timed("airline-passengers", "train").series[0]
    assert airline.values[[0, -1], 0].tolist() == [112, 432] and str(airline.times[-1])[:7] == "1960-12"
    dust = timed("beijing-pm25", "train")
    assert dust.past == ("DEWP", "TEMP", "PRES", "Iws", "Is", "Ir") and dust.series[0].values[24, 0] == 129
    oil = timed("ett-h1", "train").series[0]
    assert oil.values[0, -1] == 30.5310001373291 and str(oil.times[-1]) == "2018-06-26T19:00:00.000000"


def test_labels_of_anomalies_fit_the_series() -> None:
    found = located("nab")
    windows = json.loads((found.folder / "labels/combined_windows.json").read_text())
    series = {one.place: one for one in timed("nab", "train").series}
    assert {f"data/{name}" for name in windows} == set(series)
    assert sum(map(len, windows.values())) == 116
    for name, pairs in windows.items():
        times = series[f"data/{name}"].times
        assert all(np.datetime64(start) in times and np.datetime64(end) in times for start, end in pairs)
    found = located("smap-msl")
    with next(path for path in found.train if path.suffix == ".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    lengths = {one.name: len(one) for one in timed("smap-msl", "test").series}
    assert set(lengths) - {row["chan_id"] for row in rows} == {"T-10"}  # nothing is labelled there
    for row in rows:
        assert all(0 <= start <= end <= lengths[row["chan_id"]] for start, end in json.loads(row["anomaly_sequences"]))
