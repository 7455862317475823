"""Makes the golden runs and what is expected of them; README.md says when to run it, and with which code.

python tests/golden/make.py data runs expected
python tests/golden/make.py expected            # the answers of the runs that are there, of this code, on this machine
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).parent
COMMON = {"epochs": 3, "threads": 1, "seed": 5, "precision": "float32"}
CELLS = {"hidden": 4, "dropout": 0.1}
SHARES = {"valid_share": 0.2, "test_share": 0.2, "noise": 0.05}
SHOPS = {"series": "shop", "time": "date", "target": ["sales"], "known": ["promotion"], "horizon": 7, "season": 7}
PLANT = {"time": "time", "target": ["temp", "bar"], "past": ["load"]}
WAVE = "[[0.5, 0.9], [0.8, null], [1, 0.1], [0.6, -0.4]]"
TEXTS = {"data": ["data/reviews.csv"], "embedding": 4, "max_words": 20, "noise": 0.0}

# Of each, a run folder is kept, which later code has to read.
STORED: dict[str, dict[str, Any]] = {
    "lm": {
        "task": "lm", "data": ["data/verse.txt"], "documents": "line", "batch": 8, "window": 16, "embedding": 3,
        "valid_share": 0.1, "test_share": 0.1,
    },
    "classify_text": {"task": "classify", **SHARES, **TEXTS, "unit": "char", "batch": 16},
    "classify_series": {
        "task": "classify", "data": ["data/waves.ts"], **SHARES, "bidirectional": False, "cell": "gru", "batch": 8,
    },
    "tag": {"task": "tag", "data": ["data/names.conll"], **SHARES, "embedding": 4, "characters": 2, "batch": 8},
    "embed": {"task": "embed", "data": ["data/waves.ts"], **SHARES, "size": 3, "batch": 8},
    "forecast": {
        "task": "forecast", "data": ["data/sales.csv"], **SHOPS, "past": ["visits"], "static": ["size"],
        "lookback": 7, "window": 32, "origins": 8, "batch": 4,
    },
    "detect": {
        "task": "detect", "data": ["data/plant.csv"], **PLANT, "test_share": 0.1, "ahead": 3, "window": 16,
        "batch": 4,
    },
}  # fmt: skip
# These are only trained again, and measured: other kinds of networks and settings. A classifier of words takes 72 kB, most of
# it for reading characters, so it is asked when it has just been trained; the tagger's run holds words in a folder.
TRAINED: dict[str, dict[str, Any]] = {
    "lm_words": {
        "task": "lm", "data": ["data/verse.txt"], "unit": "word", "tied": True, "layers": 2, "window": 12,
        "cell": "gru", "batch": 4, "average": 0.9,
    },
    "lm_uniform": {
        "task": "lm", "data": ["data/verse.txt"], "unit": "byte", "init": "uniform", "init_gain": 0.1,
        "optimizer": "sgd", "schedule": "decay", "hold": 1, "shift": False, "window": 24, "batch": 4,
    },
    "classify_words": {"task": "classify", **SHARES, **TEXTS, "class_weights": "balanced", "batch": 16},
    "classify_labels": {
        "task": "classify", "data": ["data/films.csv"], "text": "plot", "label": "genres", "multi_label": True,
        "unit": "char", **SHARES, "embedding": 4, "pooling": "attention", "batch": 8,
    },
    "classify_smooth": {
        "task": "classify", "data": ["data/waves.ts"], **SHARES, "smoothing": 0.1, "pooling": "mean", "cell": "rnn",
        "frame": 3, "hop": 2, "batch": 8,
    },
    "tag_series": {
        "task": "tag", "data": ["data/steps.csv"], **SHARES, "series": "walk", "time": "t", "column": "pace",
        "batch": 8,
    },
    "embed_next": {"task": "embed", **SHARES, **TEXTS, "method": "next", "unit": "char", "batch": 16},
    "embed_text": {"task": "embed", **SHARES, **TEXTS, "size": 3, "blind": 0.5, "batch": 16},
    "forecast_fed_back": {
        "task": "forecast", "data": ["data/sales.csv"], **SHOPS, "form": "autoregressive", "output": "student-t",
        "levels": [0.1, 0.5, 0.9], "paths": 20, "lookback": 7, "window": 32, "stride": 3, "batch": 4,
    },
    "forecast_together": {
        "task": "forecast", "data": ["data/sales.csv"], **{**SHOPS, "target": ["sales", "visits"]},
        "channels": "together", "output": "normal", "scale": "standard", "loss_by": "both", "end": 80, "lookback": 7,
        "window": 32, "batch": 4,
    },
    "forecast_smoothed": {
        "task": "forecast", "data": ["data/sales.csv"], **SHOPS, "smoothing": True, "scale": "none", "layers": 2,
        "dilations": [1, 3], "calendar": False, "calibrate": False, "lookback": 7, "window": 32, "batch": 4,
    },
    "detect_whole": {
        "task": "detect", "data": ["data/beats.csv"], "layout": "series", "whole": True, "pooling": "quantile",
        "ahead": 2, "valid_share": 0.3, "batch": 8,
    },
    "detect_errors": {
        "task": "detect", "data": ["data/plant.csv"], **PLANT, "test": ["data/plant_new.csv"], "label": "fault",
        "threshold": "telemanom", "smoothing": 4, "join": 3, "follow": False, "likelihood": "normal", "ahead": 2,
        "window": 16, "batch": 4,
    },
}  # fmt: skip
UNFINISHED = {**STORED["classify_series"], "checkpoint_seconds": 0}


def cli(*words: str, stdin: str | None = None) -> dict[str, Any]:
    return {"cli": list(words)} | ({} if stdin is None else {"stdin": stdin})


def python(method: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    return {"python": method, "arguments": list(arguments), "options": options}


def calls() -> dict[str, list[dict[str, Any]]]:
    """Give what each run is asked; RUN stands for its folder."""
    texts = about_texts()
    asked = {
        "lm": about_language(),
        "classify_text": texts[:1],
        "classify_words": texts,
        "classify_series": [
            cli("predict", "RUN", "data/waves_new.ts", "--json"),
            cli("predict", "RUN", "-t", WAVE, "--steps", "-k", "1", "--json"),
            python("predict", {"array": [[0.1 * n, 1 - 0.2 * n] for n in range(9)]}),
        ],
        "tag": [
            cli("predict", "RUN", "data/names_new.conll", "--json"),
            cli("predict", "RUN", "-t", "Bob left New York .", "-t", "", "--steps", "--json"),
            cli("predict", "RUN", "data/names_new.conll"),
            python("predict", [["Eve", "sees", "Aix"]], k=2),
        ],
        "embed": [
            cli("predict", "RUN", "data/waves_new.ts", "--cluster", "2", "--neighbours", "3", "--json"),
            cli("predict", "RUN", "data/waves_new.ts", "--cluster", "auto"),
            cli("predict", "RUN", "-t", WAVE, "--steps", "--json"),
            python("embed", [{"array": [[0.1 * n, 1 - 0.2 * n] for n in range(9)]}]),
        ],
        **about_time(),
    }
    new = {
        "lm": "verse_new.txt",
        "classify_text": "reviews_new.csv",
        "classify_words": "reviews_new.csv",
        "classify_series": "waves_new.ts",
        "tag": "names_new.conll",
        "embed": "waves_new.ts",
        "forecast": "sales_new.csv",
    }
    for name, file in new.items():
        asked[name].append(cli("evaluate", "RUN", f"data/{file}", "--no-baselines", "--json"))
    for own in asked.values():
        own += [cli("evaluate", "RUN", "--json"), cli("info", "RUN", "--json")]
    return asked


def about_language() -> list[dict[str, Any]]:
    return [
        cli("predict", "RUN", "-t", "the rain", "-t", "", "-k", "3", "--json"),
        cli("predict", "RUN", "-t", "a dog ☃", "--steps", "--json"),
        cli("predict", "RUN", "-", "-k", "2", stdin="no one\n床前\n"),
        cli("score", "RUN", "-t", "all ☃ day", "-t", "", "--json"),
        cli("score", "RUN", "data/verse_new.txt", "--rank"),
        cli("generate", "RUN", "--seed", "7", "-n", "3", "-l", "40", "-p", "the ", "--json"),
        cli("generate", "RUN", "--greedy", "-l", "30"),
        cli("generate", "RUN", "--beam", "3", "-n", "2", "-l", "12", "--json"),
        python("score", ["my cat", ""]),
        python("generate", "a ", length=30, seed=3, temperature=0.7, top_k=5),
        python("search", "the", beam=2, length=8),
        python("evaluate", "data/verse_new.txt", baselines=True),
    ]


def about_texts() -> list[dict[str, Any]]:
    return [
        cli("predict", "RUN", "data/reviews_new.csv", "--json"),
        cli("predict", "RUN", "-t", "warm and late, zebra", "--steps", "-k", "2", "--json"),
        cli("predict", "RUN", "data/reviews_new.csv"),
        python("predict", ["cold soup", "很好 great"], k=1),
    ]


def beginning(name: str, lines: int) -> str:
    return "".join(f"{line}\n" for line in (HERE / "data" / name).read_text(encoding="utf-8").splitlines()[:lines])


def about_time() -> dict[str, list[dict[str, Any]]]:
    return {
        "forecast": [
            cli("predict", "RUN", "data/sales_new.csv", "--json"),
            cli("predict", "RUN", "data/sales_new.csv", "-k", "3"),
            cli("predict", "RUN", "-", "--steps", "-k", "1", "--json", stdin=beginning("sales_new.csv", 13)),
        ],
        "detect": [
            cli("predict", "RUN", "data/plant_new.csv", "--json"),
            cli("predict", "RUN", "data/plant_new.csv"),
            cli("predict", "RUN", "-", "--json", stdin=beginning("plant_new.csv", 12)),
            cli("evaluate", "RUN", "data/plant_new.csv", "--no-baselines", "--label", "fault", "--json"),
        ],
    }


@contextmanager
def paths_as_given() -> Iterator[None]:
    """Have runs remember their data by relative names: no folder of the machine that made them is to be stored."""
    with mock.patch("recurra.request._absolute", lambda argument: argument):
        yield


def make_runs() -> None:
    from recurra.manifest import write_manifest

    import recurra

    for old in (HERE / "runs").glob("*"):
        shutil.rmtree(old)
    with paths_as_given():
        for name, settings in STORED.items():
            run = recurra.train(out=f"runs/{name}", quiet=True, **{**CELLS, **COMMON, **settings})
            shutil.rmtree(run.path / "checkpoint")
            # A report is larger than all the rest, and is written for people: no later code reads it.
            (run.path / "report.html").unlink()
            files = json.loads((run.path / "manifest.json").read_bytes())["files"]
            write_manifest(run.path, [file for file in files if file != "report.html"])
        make_unfinished()


def make_unfinished() -> None:
    """Leave what a training leaves that is killed in its fourth step."""
    import recurra
    from recurra.training.step import Trainer

    step: Callable[..., Any] = Trainer.step
    made = iter(range(3))

    def until_killed(*given: Any) -> Any:
        if next(made, None) is None:
            raise KeyboardInterrupt
        return step(*given)

    with mock.patch.object(Trainer, "step", until_killed):
        try:
            recurra.train(out="runs/unfinished", quiet=True, **{**CELLS, **COMMON, **UNFINISHED})
        except KeyboardInterrupt:
            return
    raise SystemExit("unfinished: expected the training to be killed, but it came to its end")


def make_expected(folder: Path) -> None:
    # Imported here, since pytest reads this file too, for doctests, and does not find its neighbours.
    from test_golden import answer, machine, trained, weights_at_first

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    asked = calls()
    for name, own in {**STORED, **TRAINED}.items():
        settings = {**CELLS, **COMMON, **own}
        with tempfile.TemporaryDirectory() as out:
            made = Path(out, "run")
            found = {"settings": settings, "initial": weights_at_first(settings), **trained(settings, made)}
            run = HERE / "runs" / name if name in STORED else made
            found["calls"] = [{**call, "gives": answer(call, run)} for call in asked.get(name, [])]
        (folder / f"{name}.json").write_text(written(found), encoding="utf-8")
        print(name)
    (folder / "machine.json").write_text(written(machine()), encoding="utf-8")


def written(value: Mapping[str, Any]) -> str:
    """Write a line for each value, and for each in its lists, so that a change shows where it is."""

    def rows(one: Any) -> str:
        texts = [json.dumps(each, ensure_ascii=False) for each in one] if isinstance(one, list) else []
        return "[\n" + ",\n".join(texts) + "\n]" if texts else json.dumps(one, ensure_ascii=False)

    return "{\n" + ",\n".join(f"{json.dumps(name)}: {rows(one)}" for name, one in value.items()) + "\n}\n"


def main() -> None:
    import torch
    from write_data import write_data

    torch.set_num_threads(1)
    os.chdir(HERE)
    for part in sys.argv[1:]:
        if part == "data":
            write_data(HERE / "data")
        elif part == "runs":
            make_runs()
        elif part == "expected":
            make_expected(HERE / "expected")
        else:
            raise SystemExit(f"expected data, runs or expected, got {part!r}")


if __name__ == "__main__":
    main()
