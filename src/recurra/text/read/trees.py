"""Labelled trees: a sentence a line, "(3 (2 It) (4 shines))", every phrase with its label."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recurra.errors import DataError
from recurra.text.read.decode import find_defect
from recurra.text.read.faults import Faults
from recurra.text.read.labelled_text import LabelledText
from recurra.text.read.lines import numbered_lines
from recurra.text.read.sources import Source

_TOKEN = re.compile(r"\(|\)|[^()\s]+")
_TREE = re.compile(r"\(\s*[^()\s]+\s+[^\s].*\)$")
_ESCAPES = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}


def is_tree(line: str) -> bool:
    """Say whether a line looks like a labelled tree.

    >>> is_tree("(3 (2 It) (4 shines))"), is_tree("(see below)"), is_tree("3 it shines")
    (True, False, False)
    """
    return _TREE.match(line) is not None and line.count("(") == line.count(")") and line.count("(") > 1


def read_trees(source: Source, faults: Faults, *, phrases: bool = False) -> Iterator[LabelledText]:
    r"""Yield the sentence of every tree with the label of its root; with `phrases`, the labelled phrases below it too.

    Words are parted by one space; the escapes of the Penn Treebank (-LRB-, \/) are undone. A phrase that occurs again
    with the same label, in this file, is yielded once; a sentence is always. Raises `DataError`, with the line, for a
    tree that is not closed or has no label.

    >>> tree = Source("a.txt", "text", b"(3 (2 It) (4 (2 really) (4 shines)))", False)
    >>> [(piece.text, piece.label) for piece in read_trees(tree, Faults("stop"), phrases=True)]
    [('It really shines', '3'), ('It', '2'), ('really shines', '4'), ('really', '2'), ('shines', '4')]
    """
    seen: set[tuple[str, str]] = set()
    for number, line in numbered_lines(source, faults):
        try:
            nodes = _nodes(line)
        except ValueError as error:
            faults.handle(DataError(f"broken tree: {error}", source=source.name, line=number))
            continue
        label, words = nodes[0]
        root = " ".join(words)
        problem = find_defect(root)
        if problem:
            faults.handle(DataError(problem, source=source.name, line=number))
            continue
        seen.add((root, label))
        yield LabelledText(root, label, {"line": number})
        for label, words in nodes[1:] if phrases else ():
            phrase = " ".join(words)
            if (phrase, label) not in seen:
                seen.add((phrase, label))
                yield LabelledText(phrase, label, {"line": number})


def _nodes(line: str) -> list[tuple[str, list[str]]]:
    """Give the label and the words of every node, the root first, those within before those after."""
    nodes: list[tuple[str, list[str]]] = []
    opened: list[tuple[str, list[str]]] = []
    tokens = _TOKEN.findall(line)
    at = 0
    while at < len(tokens):
        token = tokens[at]
        if token == "(":
            if at + 1 == len(tokens) or tokens[at + 1] in "()":
                raise ValueError("a bracket that no label follows")
            if nodes and not opened:
                raise ValueError("a second tree begins on the line")
            opened.append((tokens[at + 1], []))
            nodes.append(opened[-1])
            at += 1
        elif not opened:
            raise ValueError(f"{token!r} stands outside of the brackets")
        elif token == ")":
            _, words = opened.pop()
            if not words:
                raise ValueError("a phrase without words")
        else:
            word = _ESCAPES.get(token, token.replace("\\/", "/").replace("\\*", "*"))
            for _, words in opened:
                words.append(word)
        at += 1
    if opened or not nodes:
        raise ValueError(f"{len(opened)} brackets are not closed" if opened else "no brackets")
    return nodes
