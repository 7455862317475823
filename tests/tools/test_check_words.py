"""The check of words finds those that a reader would have to look up, and lets plain English through."""

from __future__ import annotations

import doctest

import pytest
from tests.tools.conftest import Tree, load


@pytest.fixture(scope="module")
def words():
    return load("check_words")


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def told(): ...", "told"),
        ("def f(said): ...", "said"),
        ("def f(*, asking=None): ...", "asking"),
        ("class Foretold: ...", "Foretold"),
        ("told_apart = 1", "told_apart"),
        ("self.beside = 1", "beside"),
        ("for a, (answer, b) in c: ...", "answer"),
        ("x = [said for said in y]", "said"),
        ("import torch as answers", "answers"),
        ("with open(a) as begun: ...", "begun"),
        ("if (said := 1): ...", "said"),
        ("try: ...\nexcept E as said: ...", "said"),
        ("class A:\n    def settle(self): ...", "settle"),
        ("def f():\n    def go_on(): ...", "go_on"),
        ("def begin(x): ...", "begin"),
        ("MOST = 3", "MOST"),
        ("_AT_ONCE: int = 3", "_AT_ONCE"),
        ("class A:\n    FEW = 5", "FEW"),
    ],
)
def test_a_name_is_found(words, source: str, word: str) -> None:
    assert [finding.word for finding in words.in_names("src/a.py", source)] == [word]


@pytest.mark.parametrize(
    "source",
    [
        "MAX_SHOWN = MOST_WORDS = 3",
        "begin_mark = beginning = 1",
        "steps_taken = mistaken = 1",
        "x = y.said + told(z)",  # names of others; their own definitions are looked at
        "def test_what_is_said_twice(): ...",
        "resaid = 1",
        "def f(question='said'): ...",
    ],
)
def test_other_names_may_stand(words, source: str) -> None:
    assert list(words.in_names("src/a.py", source)) == []


def test_the_name_of_a_file_is_one(words) -> None:
    assert [finding.word for finding in words.in_names("src/asking.py", "")] == ["asking"]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("# what is foretold", "foretold"),
        ('"""Nothing is amiss."""', "amiss"),
        ('raise E("train\\n anew")', "anew"),
        ("# all of it in\n    # vain", "in # vain"),
        ("The channel to blame is x", "to blame"),
        ("Worth Knowing", "Worth Knowing"),
        ("a dog taken for a cat", "taken for"),
        ("what the user is told", "is told"),
        ("def test_nothing_begins_anew(): ...", "anew"),
        ('"It is kept in "\n    "vain"', 'in " "vain'),
    ],
)
def test_a_word_of_a_sentence_is_found(words, text: str, word: str) -> None:
    assert [finding.word for finding in words.in_prose("docs/a.md", text)] == [word]


@pytest.mark.parametrize(
    "text",
    [
        "A fox is told from a dog, and they are told apart.",
        "It takes for granted what was said before: a new one in Vaini.",
        "The error says what was expected and what came.",
    ],
)
def test_plain_english_may_stand(words, text: str) -> None:
    assert list(words.in_prose("docs/a.md", text)) == []


def test_a_checkout_is_searched_and_places_are_given(words, tree: Tree) -> None:
    root = tree(
        {
            "src/recurra/a.py": '"""Is fine."""\n\nsaid = "amiss"\n',
            "tests/test_a.py": "def test_foretold(): ...\n",
            "docs/a.md": "\nIt begins anew.\n",
            "native/a.h": "// amiss\n",
            "README.md": "amiss",
            "CHANGELOG.md": "amiss",  # tells what was
        }
    )
    assert [str(finding).split(": write")[0] for finding in words.findings(root)] == [
        "README.md:1: amiss",
        "docs/a.md:2: anew",
        "native/a.h:1: amiss",
        "src/recurra/a.py:3: amiss",
        "src/recurra/a.py:3: said",
        "tests/test_a.py:1: foretold",
    ]


def test_what_is_allowed_stands_and_goes_when_nothing_needs_it(words, tree: Tree, monkeypatch) -> None:
    monkeypatch.setattr(words, "ALLOWED", {("src/a.py", "said"): "why", ("src/b.py", "*"): "why"})
    root = tree({"src/a.py": "said = 1\n", "src/b.py": "said = told = 1\n"})
    assert words.findings(root) == []
    (finding,) = words.findings(tree({"src/a.py": "\n"}))
    assert (finding.path, finding.word) == ("src/a.py", "said") and "take it out" in finding.instead


def test_its_examples_run(words) -> None:
    assert doctest.testmod(words).failed == 0
