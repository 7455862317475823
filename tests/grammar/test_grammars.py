"""Legal sets against brute force, counts and entropy exactly, and strings drawn evenly."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from recurra.errors import DataError, UsageError
from recurra.grammar import END, Automaton, Grammar, Sizes, get_grammar, grammar_names, parse_automaton

BRACKETS = {"(": ")", "[": "]"}


def is_dyck(string: str) -> bool:
    while (shorter := string.replace("()", "").replace("[]", "")) != string:
        string = shorter
    return not string


def is_shuffle(string: str) -> bool:
    return all(is_dyck("".join(c for c in string if c in pair)) for pair in ("()", "[]"))


def is_blocks(string: str, letters: str) -> bool:
    n = len(string) // len(letters)
    return n > 0 and string == "".join(letter * n for letter in letters)


def value(string: str) -> int:
    """Give what an expression is modulo 5, by Python's own rules."""
    return eval(string) % 5  # noqa: S307  digits and signs of the test itself


RULES = {
    "anbn": lambda s: is_blocks(s, "ab"),
    "anbncn": lambda s: is_blocks(s, "abc"),
    "dyck-1": lambda s: is_dyck(s),
    "dyck-2": lambda s: is_dyck(s),
    "shuffle-2": lambda s: is_shuffle(s),
    "parity": lambda s: s[-2:-1] == "=" and set(s[:-2]) <= set("ab") and len(s) > 2 and s[-1] == str(s.count("b") % 2),
    "even-pairs": lambda s: s[-2:-1] == "=" and set(s[:-2]) <= set("ab") and len(s) > 2 and s[-1] == str(1 - (s[:-2].count("ab") + s[:-2].count("ba")) % 2),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_a_string_is_legal_where_its_rule_says_so(name: str) -> None:
    grammar = get_grammar(name)
    longest = 8 if len(grammar.symbols) < 4 else 6
    for length in range(longest + 1):
        for string in map("".join, itertools.product(grammar.symbols, repeat=length)):
            assert (grammar.first_fault(string) is None) == RULES[name](string), string


@pytest.mark.parametrize("name", ["anbn", "dyck-2", "shuffle-2", "parity", "reber", "embedded-reber"])
def test_what_may_follow_is_what_some_string_goes_on_with(name: str) -> None:
    grammar = get_grammar(name)
    generator = np.random.default_rng(0)
    sizes = grammar.sizes(Sizes(1, 12)) if grammar.protocol.train else [None]
    for number in range(40):
        string = grammar.draw(sizes[number % len(sizes)], generator)
        legal = grammar.legal_sets(string)
        assert len(legal) == len(string) + 1 and END in legal[-1]
        for place, symbol in enumerate(string):
            assert symbol in legal[place]
            for other in set(grammar.symbols) - legal[place]:
                assert grammar.first_fault([*string[:place], other]) == place


@pytest.mark.parametrize("name", grammar_names())
def test_a_drawn_string_is_one_of_its_size(name: str) -> None:
    grammar, generator = get_grammar(name), np.random.default_rng(1)
    sizes = grammar.sizes(Sizes(1, 30)) if grammar.protocol.train else [None] * 30
    for size in sizes:
        string = grammar.draw(size, generator)
        assert grammar.first_fault(string) is None
        assert size is None or grammar.size(string) == size
        slow = Grammar.legal_sets(grammar, string)
        assert grammar.legal_sets(string) == slow


def test_arithmetic_is_pythons() -> None:
    grammar, generator = get_grammar("modular-arithmetic"), np.random.default_rng(2)
    for size in (1, 3, 5, 9, 21):
        for _ in range(20):
            string = "".join(grammar.draw(size, generator))
            assert string[-1] == str(value(string[:-2]))


@pytest.mark.parametrize(("name", "size", "count"), [("dyck-1", 8, 14), ("dyck-2", 4, 8), ("shuffle-2", 4, 10)])
def test_strings_of_a_size_are_drawn_evenly(name: str, size: int, count: int) -> None:
    grammar, generator = get_grammar(name), np.random.default_rng(3)
    drawn = Counter("".join(grammar.draw(size, generator)) for _ in range(4000))
    assert len(drawn) == count
    spread = math.sqrt(4000 / count)
    assert all(abs(times - 4000 / count) < 4.5 * spread for times in drawn.values())


def test_an_automaton_counts_its_strings_and_knows_its_entropy() -> None:
    reber = get_grammar("reber")
    assert isinstance(reber, Automaton)
    for length in (5, 6, 7, 8):
        strings = itertools.product("TPSXV", repeat=length - 2)
        assert reber.count(length) == sum(reber.first_fault("B" + "".join(one) + "E") is None for one in strings)
    generator = np.random.default_rng(4)
    costs, lengths = [], []
    for _ in range(4000):
        string = reber.draw(None, generator)
        shares = [reber.probabilities(state) for state in reber.states(string)]
        costs.append(-sum(math.log(share[symbol]) for share, symbol in zip(shares, [*string, END], strict=True)))
        lengths.append(len(string))
    assert np.mean(costs) == pytest.approx(reber.entropy(), abs=4 * np.std(costs) / math.sqrt(4000))
    assert np.mean(lengths) == pytest.approx(reber.mean_length(), abs=4 * np.std(lengths) / math.sqrt(4000))


def test_probabilities_sum_to_one_in_every_state() -> None:
    for name in ("reber", "embedded-reber"):
        grammar = get_grammar(name)
        assert isinstance(grammar, Automaton)
        for state in grammar.visits():
            assert sum(grammar.probabilities(state).values()) == pytest.approx(1)


def test_an_automaton_is_what_it_was_after_it_was_written() -> None:
    text = "# a gate\nstart shut\nshut -open-> wide 2\nshut -knock-> shut\nwide -close-> shut\nend shut 0.5 # often\n"
    made = parse_automaton(text, "gate.automaton")
    again = parse_automaton(made.to_text())
    assert made.symbols == again.symbols == ("close", "knock", "open")
    assert (
        made.probabilities("shut")
        == again.probabilities("shut")
        == pytest.approx({"open": 4 / 7, "knock": 2 / 7, END: 1 / 7})
    )
    assert made.first_fault(["knock", "open", "close"]) is None and made.first_fault(["close"]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no arrows"),
        ("end a", "holds no arrows"),
        ("a -x-> b", "no state is an end"),
        ("a -x-> b\nb x a", "line 2: expected an arrow, got 'b x a'"),
        ("a -x-> b\na -x-> a\nend b", "line 2: a second arrow leaves a with x, after that in line 1"),
        ("a -x-> b 0\nend b", "line 1: weight: expected a number above 0, got 0"),
        ("a -x-> b nan\nend b", "line 1: weight: expected a number above 0, got nan"),
        ("a -x-> b\na -y-> c\nend b", "line 2: no end can be reached from state c"),
        ("start a b\na -x-> b\nend b", "line 1: expected one state to start in"),
    ],
)
def test_a_broken_automaton_is_one_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_automaton(text, "my.automaton")
    assert (
        message in str(caught.value)
        and str(caught.value).startswith("my.automaton: ")
        and "\n" not in str(caught.value)
    )


def test_an_automaton_that_hardly_ends_is_refused_when_drawn() -> None:
    endless = parse_automaton("a -x-> a 1e9\nend a 1e-9", "endless")
    with pytest.raises(DataError, match="more than 100,000 symbols"):
        endless.draw(None, np.random.default_rng(0))


def test_names_and_sizes_that_are_none() -> None:
    with pytest.raises(UsageError, match="did you mean anbn"):
        get_grammar("anbm")
    for text in ("", "5-2", "a", "1-", "-3", "1-2-3"):
        with pytest.raises(ValueError, match="expected"):
            Sizes.parse(text)
