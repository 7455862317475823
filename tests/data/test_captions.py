"""Captions are read from every form that they are published in, and what is wrong with them is said with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recurra.data.captions import CaptionOptions, read_captions, read_names
from recurra.errors import DataError, UsageError

EXPECTED = {"a/1.jpg": ["A dog runs .", "the dog"], "2.png": ["two men"]}
KARPATHY = {
    "images": [
        {
            "filename": "1.jpg",
            "filepath": "a",
            "split": "train",
            "sentences": [{"raw": "A dog runs ."}, {"raw": "the dog"}],
        },
        {"filename": "2.png", "split": "val", "sentences": [{"raw": "two men", "tokens": ["two", "men"]}]},
    ]
}
COCO = {
    "images": [{"id": 7, "file_name": "a/1.jpg"}, {"id": 9, "file_name": "2.png"}],
    "annotations": [
        {"image_id": 7, "caption": "A dog runs ."},
        {"image_id": 9, "caption": "two men"},
        {"image_id": 7, "caption": "the dog"},
    ],
}
FORMS = {
    "captions.csv": "image,caption\na/1.jpg,A dog runs .\na/1.jpg,the dog\n2.png,two men\n",
    "captions.txt": "image,caption\na/1.jpg,A dog runs .\na/1.jpg,the dog\n2.png,two men\n",
    "bare.tsv": "a/1.jpg\tA dog runs .\na/1.jpg\tthe dog\n2.png\ttwo men\n",
    "Flickr8k.token.txt": "a/1.jpg#0\tA dog runs .\na/1.jpg#1\tthe dog\n2.png#0\ttwo men\n",
    "captions.jsonl": "".join(
        json.dumps({"file_name": name, "text": text}) + "\n" for name, texts in EXPECTED.items() for text in texts
    ),
    "dataset.json": json.dumps(KARPATHY),
    "coco.json": json.dumps(COCO),
}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_the_same(name: str, tmp_path: Path) -> None:
    read = read_captions([write(tmp_path, name, FORMS[name])])
    assert dict(zip(read.names, read.captions, strict=True)) == EXPECTED and not read.skipped
    assert read.splits == (["train", "valid"] if name == "dataset.json" else [None, None])


def test_a_folder_may_hold_pictures_lists_and_words_about_them(tmp_path: Path) -> None:
    write(tmp_path, "captions.csv", FORMS["captions.csv"])
    write(tmp_path, "README.md", "about")
    write(tmp_path, "Flickr_8k.trainImages.txt", "2.png\n")
    write(tmp_path, "devImages.txt", "a/1.jpg\n")
    write(tmp_path, "others.txt", "3.jpg\n")
    (tmp_path / "2.png").write_bytes(b"\x89PNG\0")
    read = read_captions([tmp_path])
    assert read.lists == {"train": ["2.png"], "valid": ["a/1.jpg"]} and len(read) == 2
    assert [one.rsplit(": ", 1)[1] for one in read.skipped] == ["a list of names, without captions"]
    assert read.notes == [
        "Flickr_8k.trainImages.txt: says which pictures are train",
        "devImages.txt: says which pictures are valid",
    ]
    assert read_names([tmp_path / "others.txt"]) == ["3.jpg"]


def changed(document: Any, **changes: Any) -> str:
    return json.dumps({**document, **changes})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "a.csv",
            "image,caption\n1.jpg,  \n",
            "a.csv: line 2: the caption of 1.jpg is empty; write one, or leave it out",
        ),
        ("a.csv", "image,caption\n,dog\n", "a.csv: line 2: the name of the picture is empty"),
        (
            "a.csv",
            f"image,caption\n1.jpg,{'x' * 2001}\n",
            "line 2: expected a caption of at most 2,000 characters, got 2,001",
        ),
        (
            "a.csv",
            "image,caption\n1.jpg,!?\n",
            "a.csv: line 2: expected words in the caption of 1.jpg, got marks alone",
        ),
        ("a.csv", "id,x,caption\n1,2,dog\n", "which column is the picture's name, and which the caption"),
        ("a.txt", "1.jpg#0\ta dog\nno tab\n", "a.txt: line 2: expected a picture, a tab and its caption"),
        ("a.json", "{", "a.json: is no valid JSON"),
        ("a.json", changed(COCO, annotations=3), "a.json: annotations: expected a list"),
        ("a.json", changed(COCO, annotations=[{"image_id": 1, "caption": "x"}]), "annotation 1: no image has the id 1"),
        ("a.json", changed(KARPATHY, images=[{"filename": "1.jpg"}]), "row 1: expected an object with 'sentences'"),
        ("a.json", changed(KARPATHY, images=[3]), "row 1: expected an object with 'filename', got int"),
        ("a.jsonl", '{"image": "1.jpg", "caption": 3}\n', "line 1: field 'caption' is no text"),
        ("a.csv", "image,caption,split\n1.jpg,dog,half\n", "line 2: split: expected one of train, restval, val"),
    ],
)
def test_a_fault_is_said_with_its_place(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises((DataError, UsageError)) as caught:
        read_captions([write(tmp_path, name, text)])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_faults_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "image,caption\n1.jpg,\n2.jpg,a dog\n")
    read = read_captions([path], CaptionOptions(on_error="skip"))
    assert read.names == ["2.jpg"] and len(read.skipped) == 1
    with pytest.raises(DataError, match="expected the name of a picture"):
        read_names([path])


def test_token_files_as_they_are_published(tmp_path: Path) -> None:
    text = "1.jpg#0\ta dog\u2028runs\x0b.\r\n2258277193_586949ec62.jpg.1#0\tsome people\r\n1.jpg\tno number\r\n"
    path = tmp_path / "Flickr8k.token.txt"
    path.write_bytes(text.encode())
    read = read_captions([path])
    assert read.names == ["1.jpg", "2258277193_586949ec62.jpg.1"]
    assert read.captions == [["a dog\u2028runs\x0b.", "no number"], ["some people"]] and read.places[1].endswith(
        "line 2"
    )
    (tmp_path / "list.txt").write_bytes(b"1.jpg\r\n\r\n2.jpg\r\n")
    assert read_names([tmp_path / "list.txt"]) == ["1.jpg", "2.jpg"]
