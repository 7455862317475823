"""What tasks and baselines are called, and what can be done with a run: the one place that knows any by name."""

from __future__ import annotations

import re

# A report is made from a run folder alone, whatever task it is of: a task may use the report's words, so the report cannot
# ask a task for its own (that would be a circle), and for one that is not listed here it makes do with the name.
_TASKS = {
    "forecast": "Forecaster",
    "detect": "Anomaly detector",
    "lm": "Language model",
    "classify": "Classifier",
    "embed": "Embedder",
    "tag": "Tagger",
}
_UNITS = {"forecast": "values", "detect": "steps", "classify": "examples", "embed": "sequences", "tag": "words"}
_SAMPLES = {
    "forecast": "How its forecasts change",
    "lm": "How the writing improves",
    "classify": "How its answers change",
    "tag": "How its answers change",
}
_COMMANDS = {
    "lm": (
        ("Write new text", "recurra generate {run} --length 400"),
        ("Score sentences, a line each", "recurra score {run} sentences.txt"),
        ("Complete lines", "recurra predict {run} beginnings.txt"),
    ),
    "classify": (
        ("Classify what a file holds", "recurra predict {run} FILE"),
        ("See how the answer forms, element by element", "recurra predict {run} FILE --steps"),
    ),
    "detect": (
        ("List the events in other data", "recurra predict {run} FILE"),
        ("Judge each step", "recurra predict {run} FILE --steps"),
        ("Judge a live stream, a line a step", "tail -n +1 -f live.csv | recurra predict {run} -"),
    ),
    "forecast": (("Forecast what comes after the rows of a file", "recurra predict {run} FILE"),),
    "embed": (
        ("Give what a file holds its vectors", "recurra predict {run} FILE --json"),
        ("Group it, and find what is alike", "recurra predict {run} FILE --cluster auto --neighbours 3"),
    ),
    "tag": (("Tag sentences, a line each", "recurra predict {run} sentences.txt"),),
}
_EVERY_COMMAND = (
    ("Measure it on other data", "recurra evaluate {run} DATA"),
    ("What is in it", "recurra info {run}"),
)
_BASELINES = {
    "uniform": "uniform",
    "unigram": "unigram",
    "bigram": "bigram",
    "majority": "majority class",
    "tfidf-logistic": "TF-IDF + logistic regression",
    "1-nn": "nearest neighbour",
    "1-nn-dtw": "nearest neighbour (DTW)",
    "most-frequent-tag": "most frequent tag of the word",
    "mean-of-inputs": "mean of inputs",
    "k-means-raw": "k-means on the raw series",
    "seasonal-naive": "seasonal naive",
    "naive2": "Naive2",
    "ets": "ETS",
    "rolling-gaussian": "rolling Gaussian",
    "linear": "linear",
}


def baseline_name(key: str) -> str:
    """Name a baseline for people.

    >>> baseline_name("kneser-ney-5")
    'Kneser–Ney 5-gram'
    """
    order = re.fullmatch(r"kneser-ney-(\d+)", key)
    return f"Kneser–Ney {order[1]}-gram" if order else _BASELINES.get(key, key)


def task_name(key: str) -> str:
    """Name a task for people."""
    return _TASKS.get(key, key.replace("_", " ").capitalize())


def units(task: str) -> str:
    """Name what a task's figures are over, in the plural: what a loss is summed over, and an evaluation counts.

    >>> units("lm"), units("classify"), units("tag")
    ('units', 'examples', 'words')
    """
    return _UNITS.get(task, "units")


def unit(task: str) -> str:
    """Name one of the `units` of a task."""
    return units(task).removesuffix("s")


def samples_title(task: str) -> str:
    """Say what several samples of a training show, side by side."""
    return _SAMPLES.get(task, "Samples along the way")


def commands(task: str, run: str) -> list[tuple[str, str]]:
    """List what can be done with a run: for whom, and the command line, in which `run` is already quoted."""
    known = (*_COMMANDS.get(task, ()), *_EVERY_COMMAND)
    return [(purpose, command.format(run=run)) for purpose, command in known]
