"""Keep words out that a reader would have to look up: in names, in docstrings and messages, and in the documentation.

python tools/check_words.py            list what is found, and fail where there is anything
python tools/check_words.py --counts   only how much is found in each file
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ["src/**/*.py", "tests/**/*.py", "tools/**/*.py", "recipes/*.py", "benchmarks/**/*.py"]
TEXT = ["README*.md", "CONTRIBUTING.md", "docs/*.md", "native/**/*.h", "native/**/*.cpp", "recipes/*.toml"]

NAMES = {
    "amiss": "wrong, faults",
    "anew": "again",
    "answer": "result, prediction",
    "answers": "results, predictions",
    "asking": "predict",
    "begun": "started, initialized",
    "beside": "baselines, or what it is beside",
    "figures": "metrics",
    "foretell": "predict, forecast",
    "foretelling": "predict, forecast",
    "foretold": "predicted, forecast",
    "hole": "gap",
    "holes": "gaps",
    "nought": "zero",
    "said": "output, reported, or what was said",
    "settle": "calibrate, choose",
    "settled": "calibrated, chosen",
    "settling": "calibrate",
    "spoil": "corrupt",
    "spoils": "corruptions",
    "spoilt": "corrupted",
    "told": "notes, reported, predicted",
}
"""Words that are no part of a name, and what to write instead."""

WHOLE_NAMES = {
    "taken": "used, validated, or what was taken",
    "begin": "start, initialize",
    "go_on": "resume, continue",
    "tell": "report",
    "say": "report, describe",
    "says": "reports",
}
"""Names that say too little by themselves; as a part of a longer one the words may stand."""

CONSTANTS = {
    "AHEAD", "AS_WELL", "AT_ONCE", "ENOUGH", "FEW", "LEAST", "LIMIT", "LOOKING", "LOOKS", "MANY", "MEASURING", "MOST",
    "MOST_WORK", "NEVER", "SERIES", "SHOWN", "SOME", "VALIDATING", "WATCHED",
}  # fmt: skip
"""Names of constants that do not say what is counted or limited."""

PROSE = {
    r"foretell\w*|foretold": "predict, forecast",
    r"amiss": "wrong",
    r"in vain": "without effect",
    r"anew": "again",
    r"noughts?": "zero",
    r"spoilt|spoils?|spoiling": "corrupt",
    r"taken for": "predicted as, treated as",
    r"to blame": "responsible",
    r"stands? beside": "is compared with",
    r"(?:is|are|was) told(?! from| apart)": "is reported, is a note, is given",
    r"is said after": "the prediction after",
    r"worth knowing": "notes",
    r"what it takes for what": "confusion matrix",
    r"its probabilities hold": "calibration",
    r"how far ahead it sees": "error by horizon",
    r"forecasts? and what came": "forecasts and actual values",
    r"what it found unusual": "detected anomalies",
    r"surest": "most confident",
    r"how it learned": "learning curves",
    r"where it ran, and on what": "environment",
}
"""Words that are no part of a sentence, as regular expressions without regard to case, and what to write instead."""

_FIGURES = "charts, each of which is a `Figure`"
ALLOWED: dict[tuple[str, str], str] = {
    ("tools/check_words.py", "*"): "the list itself",
    ("tests/tools/test_check_words.py", "*"): "plants what is to be found",
}
"""Where a word may stand all the same: (file, word as it is found, or * for all of them) → why."""


@dataclass(frozen=True)
class Finding:
    """A word in a file, and what to write instead."""

    path: str
    line: int
    word: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word}: write {self.instead}"


def parts(name: str) -> list[str]:
    """Give the words that a name is made of.

    >>> parts("_read_toldThings"), parts("NLLOutput")
    (['read', 'told', 'things'], ['nll', 'output'])
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return [word.lower() for word in words]


def defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give every name that a source defines, with its line: of functions, classes, parameters, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield node.lineno, name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def in_names(path: str, source: str) -> Iterator[Finding]:
    """Find words in the names that a file defines, and in its own; the name of a test is a sentence, and not looked at here."""
    names = [(1, Path(path).stem), *defined_names(ast.parse(source))]
    for line, name in names:
        if name.startswith("test_"):
            continue
        bare = name.strip("_")
        if bare in CONSTANTS:
            yield Finding(path, line, name, "what is counted or limited, as in MAX_CLASSES_SHOWN")
        elif bare.lower() in WHOLE_NAMES:
            yield Finding(path, line, name, WHOLE_NAMES[bare.lower()])
        else:
            yield from (Finding(path, line, name, NAMES[word]) for word in parts(name) if word in NAMES)


def in_prose(path: str, text: str) -> Iterator[Finding]:
    """Find words in all that a file says, in its code, its comments and its messages; a phrase may go on in the next line."""
    spaced = text.replace("_", " ")
    for pattern, instead in PROSE.items():
        words = pattern.replace(" ", r"[\s#\"']+")
        for found in re.finditer(rf"\b(?:{words})\b", spaced, re.IGNORECASE):
            yield Finding(path, text.count("\n", 0, found.start()) + 1, " ".join(found[0].split()), instead)


def findings(root: Path) -> list[Finding]:
    """Give all that is found in a checkout, and an entry of `ALLOWED` that nothing needs any more."""
    found: list[Finding] = []
    used: set[tuple[str, str]] = set()
    for pattern in [*PYTHON, *TEXT]:
        for file in sorted(root.glob(pattern)):
            path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")
            names = in_names(path, text) if file.suffix == ".py" else iter(())
            for finding in {(one.line, one.word.lower()): one for one in [*in_prose(path, text), *names]}.values():
                keys = {(path, finding.word), (path, "*")} & ALLOWED.keys()
                used |= keys
                if not keys:
                    found.append(finding)
    stale = [Finding(path, 0, word, f"nothing here: take it out of ALLOWED in {Path(__file__).name}")
             for path, word in ALLOWED.keys() - used if (root / path).is_file()]  # fmt: skip
    return sorted(found, key=lambda one: (one.path, one.line, one.word)) + stale


def main(arguments: list[str]) -> int:
    found = findings(ROOT)
    if "--counts" in arguments:
        for path, count in sorted(Counter(one.path for one in found).items()):
            print(f"{count:5} {path}")
        print(f"{len(found):5} in all")
    else:
        print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
