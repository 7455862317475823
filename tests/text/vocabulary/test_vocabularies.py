"""What holds for every vocabulary."""

import json
import os
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recurra.errors import DataError, RunError, UsageError
from recurra.text.vocabulary import UNITS, BpeVocabulary, CharacterVocabulary, build_vocabulary, load_vocabulary

TEXT = (
    "The cat sat on the mat, and the \"dog\" sat too.\nIt's 3.14, isn't it? The cat sat.\n"
    "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少？春眠不觉晓。\n👩‍👩‍👧 café 👩‍👩‍👧 한국어 한국어 café\r\n"
)
EXACT = ("char", "byte", "bpe")
BUILT = {unit: build_vocabulary([TEXT], unit=unit, **({"max_size": 300} if unit == "bpe" else {})) for unit in UNITS}

# Unicode at large, and at the places where characters join.
LETTERS = "ae\u0301\u0308\u200d\ufe0f\r\n \0中春가각각क्षि👩🏽🇫🇷❤\u0600\ue000\U0010ffff\u0378<>"
JOINING = st.sampled_from([*LETTERS, "<end>", "<begin>", "👩‍👩‍👧"])
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.lists(JOINING, max_size=30).map("".join)


@pytest.mark.parametrize("unit", EXACT)
@settings(max_examples=150, deadline=None)
@given(text=ANY)
def test_any_text_comes_back(unit, text):
    vocabulary = BUILT[unit]
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int32
    assert vocabulary.decode(ids) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("unit", EXACT)
@settings(max_examples=50, deadline=None)
@given(text=ANY)
def test_normal_forms_give_the_same_ids(unit, text):
    vocabulary = BUILT[unit]
    assert vocabulary.encode(unicodedata.normalize("NFD", text)).tolist() == vocabulary.encode(text).tolist()


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=100, deadline=None)
@given(text=ANY)
def test_encode_never_makes_a_mark(unit, text):
    vocabulary = BUILT[unit]
    ids = vocabulary.encode(text)
    assert not np.isin(ids, [vocabulary.bos_id, vocabulary.eos_id]).any()
    assert len(vocabulary.unit_starts(ids)) == len(ids)


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_pushing_ids_one_by_one_is_decoding(unit, data):
    vocabulary = BUILT[unit]
    ids = data.draw(st.lists(st.integers(0, vocabulary.size - 1), max_size=40))
    decoder = vocabulary.decoder()
    for _ in range(2):  # a flushed decoder is as new
        assert "".join(decoder.push(id) for id in ids) + decoder.flush() == vocabulary.decode(ids)


@pytest.mark.parametrize("unit", UNITS)
def test_a_character_is_held_back_until_it_is_whole(unit):
    vocabulary = BUILT[unit]
    decoder = vocabulary.decoder()
    shown = [decoder.push(int(id)) for id in vocabulary.encode("cat 龘龘")]
    assert not any("\ufffd" in text for text in shown)
    assert "".join(shown) == ("cat <unk> <unk>" if unit == "word" else "cat 龘龘")


@pytest.mark.parametrize("unit", EXACT)
def test_broken_bytes_become_replacement_characters(unit):
    vocabulary = BUILT[unit]
    half = vocabulary.encode("龘")[:-1].tolist()
    ids = [*half, *vocabulary.encode("a").tolist(), *half]
    assert vocabulary.decode(ids) == "\ufffda\ufffd"


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_saved_is_loaded(unit, tmp_path):
    vocabulary = BUILT[unit]
    path = vocabulary.save(tmp_path)
    loaded = load_vocabulary(tmp_path)
    assert path.name == ("tokenizer.json" if unit == "bpe" else "vocabulary.json")
    assert loaded == vocabulary
    assert (loaded.size, loaded.line_break_id) == (vocabulary.size, vocabulary.line_break_id)
    assert loaded.encode(TEXT).tolist() == vocabulary.encode(TEXT).tolist()
    first = path.read_bytes()
    loaded.save(tmp_path)
    assert path.read_bytes() == first


@settings(max_examples=60, deadline=None)
@given(unit=st.sampled_from(["char", "word"]), split=st.sampled_from(["space", "punctuation"]), text=ANY.filter(bool))
def test_the_vocabulary_of_any_text_is_saved_and_loaded(unit, split, text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("any")
    vocabulary = build_vocabulary([text], unit=unit, min_count=1, split=split if unit == "word" else None)
    vocabulary.save(folder)
    assert load_vocabulary(folder) == vocabulary


@pytest.mark.parametrize("unit", UNITS)
def test_every_id_has_a_label(unit):
    vocabulary = BUILT[unit]
    labels = [vocabulary.label(id) for id in range(vocabulary.size)]
    assert labels[:2] == ["<begin>", "<end>"]
    assert all(isinstance(label, str) and label for label in labels)
    if unit != "word":
        assert "<0xE4>" in labels


@pytest.mark.parametrize("unit", UNITS)
def test_the_line_break_is_the_id_of_a_line_break(unit):
    vocabulary = BUILT[unit]
    assert vocabulary.encode("\n").tolist() == [vocabulary.line_break_id]
    assert vocabulary.encode("cat\n\n").tolist()[-2:] == [vocabulary.line_break_id] * 2


@pytest.mark.parametrize("unit", UNITS)
def test_half_a_character_is_refused(unit):
    with pytest.raises(DataError, match=r"character 3: .*U\+D83D"):
        BUILT[unit].encode("abc\ud83d")
    if unit != "byte":
        with pytest.raises(DataError, match=r"U\+D83D"):
            build_vocabulary(["\ud83d"], unit=unit)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("ids", [[-1], [10**6], [0.5], [[1]]])
def test_ids_that_are_none_are_refused(unit, ids):
    vocabulary = BUILT[unit]
    for call in (vocabulary.decode, vocabulary.unit_starts):
        with pytest.raises(UsageError, match="ids: expected"):
            call(ids)
    if isinstance(ids[0], int):
        for call in (vocabulary.label, vocabulary.decoder().push):
            with pytest.raises(UsageError, match="id: expected 0 to"):
                call(ids[0])


@pytest.mark.parametrize("unit", UNITS)
def test_marks_and_nothing(unit):
    vocabulary = BUILT[unit]
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode([]) == "" == vocabulary.decode([0, 1, 0])
    assert vocabulary.unit_starts([]).tolist() == []
    assert vocabulary.unit_starts([0, 1]).tolist() == [True, True]


def test_settings_are_checked():
    for unit, arguments in {
        "letter": {},
        "byte": {"min_count": 2},
        "char": {"split": "space"},
        "bpe": {"max_size": 257},
        "word": {"split": "comma"},
    }.items():
        with pytest.raises(UsageError, match=r"expected|leave it out"):
            build_vocabulary(["text"], unit=unit, **arguments)
    for name in ("min_count", "max_size"):
        for unit in ("char", "word", "bpe"):
            for value in (0, -3, 1.5, True, "9"):
                with pytest.raises(UsageError, match=f"{name}: expected a whole number"):
                    build_vocabulary(["text"], unit=unit, **{name: value})
    with pytest.raises(UsageError, match="list of texts"):
        build_vocabulary("text")
    for nothing in ([], [""]):
        with pytest.raises(DataError, match="got none"):
            build_vocabulary(nothing)


def _saved(unit: str) -> dict:
    return json.loads(json.dumps(BUILT[unit].to_json()))


def _damages():
    yield "char", lambda d: d.pop("units"), "expected the keys"
    yield "char", lambda d: d.update(extra=1), "expected the keys"
    yield "char", lambda d: d.update(version=2), "version"
    yield "char", lambda d: d.update(unit="letter"), "unit: expected"
    yield "char", lambda d: d.update(unit=["char"]), "unit: expected"
    yield "char", lambda d: d.update(units="abc"), "expected a list"
    yield "char", lambda d: d["units"].append(d["units"][0]), "twice"
    yield "char", lambda d: d["units"].append(7), "got 7"
    yield "char", lambda d: d["units"].append(""), "not empty"
    yield "char", lambda d: d["units"].append("\ud800"), "not empty"
    yield "char", lambda d: d["units"].append("ab"), "one character"
    yield "byte", lambda d: d.update(units=[]), "expected the keys"
    yield "word", lambda d: d.update(split="auto"), "split"
    yield "word", lambda d: d["words"].append("<unk>"), "one word"
    yield "word", lambda d: d["words"].append("two words"), "one word"
    yield "word", lambda d: d["words"].append(None), "got None"
    yield "bpe", lambda d: d.pop("model"), "byte-pair"
    yield "bpe", lambda d: d["model"].update(merges={}), "list of pairs"
    yield "bpe", lambda d: d["model"].update(vocab=[]), "model.vocab"
    yield "bpe", lambda d: d["model"]["merges"].append(["a"]), "two pieces"
    yield "bpe", lambda d: d["model"]["merges"].append(["q", "q"]), "is not in"
    yield "bpe", lambda d: d["model"]["vocab"].update({"<begin>": 1}), "id of its own"
    yield "bpe", lambda d: d["model"]["vocab"].update({"!": 10**9}), "id of its own"
    yield "bpe", lambda d: d["model"]["vocab"].update({"é ": len(d["model"]["vocab"])}), "byte alphabet"
    yield "bpe", lambda d: d["model"]["vocab"].update({"<mask>": d["model"]["vocab"].pop("<begin>")}), "ids 0 and 1"
    yield "bpe", lambda d: d["model"]["vocab"].update({"!!": d["model"]["vocab"].pop("!")}), "all 256"
    yield "bpe", lambda d: d["model"].update(dropout=0.1), "settings that Recurra writes"
    yield "bpe", lambda d: d.update(added_tokens=[{"id": 1}]), "settings that Recurra writes"


@pytest.mark.parametrize(("unit", "damage", "message"), list(_damages()))
def test_a_damaged_vocabulary_is_found(unit, damage, message, tmp_path):
    document = _saved(unit)
    damage(document)
    path = tmp_path / BUILT[unit].file
    path.write_text(json.dumps(document))
    with pytest.raises(RunError, match=message) as caught:
        load_vocabulary(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"unit": "byte", "unit": "byte", "version": 1}'])
@pytest.mark.parametrize("name", ["vocabulary.json", "tokenizer.json"])
def test_what_is_no_vocabulary_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RunError, match=name):
        load_vocabulary(tmp_path)


def test_a_folder_has_exactly_one_vocabulary(tmp_path):
    with pytest.raises(RunError, match="got neither"):
        load_vocabulary(tmp_path)
    for unit in ("char", "bpe"):
        BUILT[unit].save(tmp_path)
    with pytest.raises(RunError, match="got both"):
        load_vocabulary(tmp_path)


def test_bpe_merges_are_the_same_in_every_process(tmp_path):
    code = (
        "import sys, pathlib; from recurra.text.vocabulary import BpeVocabulary as B; "
        "B.build([sys.argv[1]] * 3, max_size=400).save(pathlib.Path(sys.argv[2]))"
    )
    saved = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, TEXT, str(folder)], check=True, env=environment, timeout=60)
        saved.append((folder / "tokenizer.json").read_bytes())
    assert saved[0] == saved[1] == BpeVocabulary.build([TEXT] * 3, max_size=400).save(tmp_path).read_bytes()


def test_bpe_encodes_by_blocks_as_if_whole(monkeypatch):
    text = TEXT * 20 + "no line's end,  two  spaces 12345 words " * 30 + "春眠不觉晓，" * 50
    whole = BUILT["bpe"].encode(text).tolist()
    for size in (1, 7, 64):
        monkeypatch.setattr("recurra.text.vocabulary.bpe._BLOCK_CHARACTERS", size)
        assert BUILT["bpe"].encode(text).tolist() == whole


def test_bpe_learns_chinese_words_and_copes_with_one_endless_line():
    vocabulary = BpeVocabulary.build(["我们喜欢春天" * 300], max_size=300)
    assert len(vocabulary.encode("我们喜欢春天")) <= 3
    assert vocabulary.decode(vocabulary.encode("喜欢我们")) == "喜欢我们"
    assert BpeVocabulary.build(["a" * 300_000], max_size=300).size <= 300


def test_equal_means_of_the_same_kind_with_the_same_units():
    assert CharacterVocabulary(["a"]) == CharacterVocabulary(["a"])
    assert CharacterVocabulary(["a"]) != CharacterVocabulary(["b"])
    assert BUILT["char"] != BUILT["byte"]


@pytest.mark.parametrize("unit", ["byte", "char"])
def test_a_hostile_run_of_marks_is_encoded_in_linear_time(unit):
    """Marks in the wrong order, which the standard library sorts by insertion: this would take minutes."""
    hostile = "a" + "\u0301\u0327" * 150_000
    start = time.process_time()
    ids = BUILT[unit].encode(hostile)
    assert time.process_time() - start < 10
    assert BUILT[unit].decode(ids[-2:].tolist()) == "\u0301"
