"""Grammars: exact legal continuations, strings drawn from them, entropy and counts. Libraries without a task and without torch."""

from recurra.grammar.automaton import Automaton, looks_like_automaton, parse_automaton
from recurra.grammar.base import END, Grammar, Protocol, Sizes
from recurra.grammar.registry import get_grammar, grammar_names

__all__ = [
    "END",
    "Automaton",
    "Grammar",
    "Protocol",
    "Sizes",
    "get_grammar",
    "grammar_names",
    "looks_like_automaton",
    "parse_automaton",
]
