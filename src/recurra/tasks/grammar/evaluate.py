"""The metrics of a grammar learner and of a trigram on the same held-out strings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recurra.baselines import register_baseline
from recurra.metrics import LanguageScore, resampled, right_up_to
from recurra.tasks.base.options import GenerateOptions
from recurra.tasks.grammar import legality
from recurra.tasks.grammar.baselines import Trigram
from recurra.tasks.grammar.data import Split
from recurra.tasks.grammar.generate import draw_strings
from recurra.tasks.grammar.memory import MAX_STEPS, counting, counting_notes
from recurra.tasks.grammar.predict import GrammarModel
from recurra.tasks.grammar.preprocessing import MARK, StringPreprocessor

register_baseline(Trigram)
WRITTEN, LONGEST_WRITTEN = 1_000, 400
"""Strings that are written to see whether they are legal, and symbols of one."""
MAX_FAULTS_SHOWN, MAX_WRITTEN_SHOWN = 8, 10
_SEED = 0


def validation(model: GrammarModel, split: Split) -> dict[str, float]:
    """Measure on validation strings: the loss of a step, and, where the target is all that may follow, how much of a string is behind its first fault.

    That is 0 for a string that is right; so of two networks that both fail on long strings, the one that fails later is the better.
    """
    logits = model.logits(split.ids, exact=False)
    if not model.grammar_network.all_legal:
        return {"nll": _score(model, split, logits).metrics()["nll"]}
    assert split.legal is not None
    values, truth = np.concatenate(logits).astype(np.float64), np.concatenate(split.legal)
    loss = float((np.logaddexp(0, values) - truth * values).sum() / len(values))
    right = [((one >= 0) == other).all(1) for one, other in zip(logits, split.legal, strict=True)]
    behind = [0.0 if each.all() else 1 - each.argmin() / len(each) for each in right]
    return {"behind_fault": float(np.mean(behind)), "loss": loss}


def _score(model: GrammarModel, split: Split, logits: Sequence[np.ndarray]) -> LanguageScore:
    total = LanguageScore()
    for ids, values in zip(split.ids, logits, strict=True):
        total.add(model.log_shares(values)[np.arange(len(ids) + 1), [*ids.tolist(), MARK]])
    return total


def evaluate(
    model: GrammarModel,
    split: Split,
    *,
    name: str,
    train: Split | None,
    notes: Sequence[str],
    progress: Callable[[str], None],
) -> dict[str, Any]:
    """Measure a grammar learner on a split: the object that `evaluate` prints. train: what the trigram learns from; None: it is not measured."""
    progress("measuring the model")
    logits = model.logits(split.ids)
    shares = [model.probabilities(each) for each in logits]
    metrics: dict[str, float] = {}
    details: dict[str, Any] = {"notes": [f"{len(split):,} strings", *notes]}
    trigram = None if train is None else Trigram(model.preprocessor).fit(train.ids)
    if train is not None:
        progress("measuring the trigram")
    if split.legal is None:
        found = _on_own_strings(model, split, shares, trigram, details)
    else:
        found = _on_a_grammar(model, split, shares, trigram, details)
    metrics, plain = found
    if not model.grammar_network.all_legal:
        score = _score(model, split, logits).metrics()
        metrics |= score if split.legal is None else {"nll": score["nll"]}
        if trigram is not None:
            plain |= _trigram_score(trigram, split, whole=split.legal is None)
    metrics |= {key: value for key, value in validation(model, split).items() if key not in metrics}
    baselines = (
        {} if trigram is None else {trigram.name: {key: value for key, value in plain.items() if key in metrics}}
    )
    return {
        "task": model.name,
        "data": name,
        "count": int(split.lengths.sum()),
        "metrics": metrics,
        "baselines": baselines,
        "details": details,
    }


def _trigram_score(trigram: Trigram, split: Split, *, whole: bool) -> dict[str, float]:
    total = LanguageScore()
    for ids in split.ids:
        shares = trigram.shares(ids)[np.arange(len(ids) + 1), [*ids.tolist(), MARK]]
        total.add(np.log(np.maximum(shares, np.finfo(np.float64).tiny)))
    found = total.metrics()
    return found if whole else {"nll": found["nll"]}


# Strings of a grammar that is known


def _on_a_grammar(
    model: GrammarModel, split: Split, shares: list[np.ndarray], trigram: Trigram | None, details: dict[str, Any]
) -> tuple[dict[str, float], dict[str, float]]:
    preprocessor, grammar, truth = model.preprocessor, model.preprocessor.grammar, split.legal
    assert grammar is not None and truth is not None
    places = legality.of_each(split.strings, grammar.recalled_place)
    held = [each >= model.threshold for each in shares]
    verdicts = legality.judge(held, truth, places)
    sizes = [size or 0 for size in legality.of_each(split.strings, grammar.size)]
    rows = legality.by_size(sizes, verdicts)
    sized = grammar.protocol.train is not None
    metrics = legality.scores(verdicts) | ({"right_up_to": right_up_to(rows)} if sized else {})
    written = draw_strings(model.grammar_network, preprocessor, WRITTEN, _SEED, LONGEST_WRITTEN)
    metrics["written_legal"] = float(np.mean([grammar.first_fault(string) is None for string in written]))
    whole = np.array([verdict.whole for verdict in verdicts])
    details |= {
        "size_name": grammar.size_name,
        "by_size": [list(row) for row in rows],
        "faults": _faults(preprocessor, split, verdicts, held, sizes),
        "written": [preprocessor.shown(string) for string in written[:MAX_WRITTEN_SHOWN]],
        "memory": counting(model.grammar_network, preprocessor, _string_to_count(split, sizes)),
        "intervals": {"strings_right": resampled(lambda some: float(whole[some].mean()), len(whole))},
    }
    sentence = [_up_to(grammar.size_name, rows)] if sized else []
    details["notes"] = [*sentence, *details["notes"], *counting_notes(details["memory"])]
    known = _divergence(preprocessor, split, lambda at: _drawn_from(shares[at], held[at]))
    if known is not None and not model.grammar_network.all_legal:
        metrics["kl"] = known
    if trigram is None:
        return metrics, {}
    return metrics, _trigram_on_a_grammar(trigram, preprocessor, split, places, sizes)


def _trigram_on_a_grammar(
    trigram: Trigram, preprocessor: StringPreprocessor, split: Split, places: list[int | None], sizes: list[int]
) -> dict[str, float]:
    assert split.legal is not None
    verdicts = legality.judge([trigram.legal(ids) for ids in split.ids], split.legal, places)
    found = legality.scores(verdicts) | {"right_up_to": right_up_to(legality.by_size(sizes, verdicts))}
    divergence = _divergence(preprocessor, split, lambda at: trigram.shares(split.ids[at]))
    return found if divergence is None else {**found, "kl": divergence}


def _up_to(size_name: str, rows: Sequence[tuple[int, float, int]]) -> str:
    """Say up to where all strings are right, and which is the first that is not."""
    reached, tried = right_up_to(rows), rows[-1][0]
    word = "n =" if size_name == "n" else f"{size_name}"
    if reached == tried:
        return f"right up to {word} {reached:,}, the largest that was tried"
    failed = next((size, share, count) for size, share, count in rows if share < 1)
    of = "" if failed[2] == 1 else f" ({1 - failed[1]:.0%} of {failed[2]} strings)"
    before = f"right up to {word} {reached:,}; " if reached else ""
    return f"{before}first wrong at {word} {failed[0]:,}{of}"


def _divergence(preprocessor: StringPreprocessor, split: Split, shares: Callable[[int], np.ndarray]) -> float | None:
    """Give the KL divergence of a model from the grammar, nats: at each beginning of the strings exact, then averaged; None where the grammar has no probabilities."""
    total, steps = 0.0, 0
    for at, string in enumerate(split.strings):
        wanted = preprocessor.probabilities(string)
        if wanted is None:
            return None
        there = wanted > 0
        got = np.maximum(shares(at)[there], np.finfo(np.float64).tiny)
        total += float((wanted[there] * (np.log(wanted[there]) - np.log(got))).sum())
        steps += len(wanted)
    return total / steps


def _drawn_from(shares: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Give the probabilities that strings are written with: of what counts as legal alone, as `generate.legal_step` has it."""
    kept = np.where(held, shares, 0.0)
    return kept / np.maximum(kept.sum(1, keepdims=True), np.finfo(np.float64).tiny)


def _string_to_count(split: Split, sizes: Sequence[int]) -> list[str]:
    """Choose a string on which to see the memory: the longest that can be drawn."""
    fitting = [at for at, string in enumerate(split.strings) if len(string) <= MAX_STEPS]
    return split.strings[max(fitting, key=lambda at: sizes[at])] if fitting else []


def _faults(
    preprocessor: StringPreprocessor,
    split: Split,
    verdicts: Sequence[legality.Verdict],
    held: Sequence[np.ndarray],
    sizes: Sequence[int],
) -> list[list[Any]]:
    """Give the shortest strings that are wrong: size, beginning up to the fault, what may follow, and what is held to."""
    assert split.legal is not None
    wrong = sorted((at for at, verdict in enumerate(verdicts) if not verdict.whole), key=lambda at: sizes[at])
    found = []
    for at in wrong[:MAX_FAULTS_SHOWN]:
        step = verdicts[at].first_fault or 0
        labels = [" ".join(preprocessor.label(int(number)) for number in np.flatnonzero(rows[at][step])) for rows in (split.legal, held)]  # fmt: skip
        beginning = split.strings[at][:step]
        cut = ("… " if len(beginning) > 40 else "") + preprocessor.join(beginning[-40:])
        found.append([sizes[at], step, cut, labels[0], labels[1] or "nothing"])
    return found


# Strings of one's own


def _on_own_strings(
    model: GrammarModel, split: Split, shares: list[np.ndarray], trigram: Trigram | None, details: dict[str, Any]
) -> tuple[dict[str, float], dict[str, float]]:
    """Measure how many held-out strings are accepted, and how many of them are refused once a symbol is changed."""
    preprocessor = model.preprocessor
    generator = np.random.Generator(np.random.PCG64(_SEED))
    known = {tuple(ids.tolist()) for ids in split.ids}
    changed = [legality.change_one(ids, len(preprocessor.symbols), generator) for ids in split.ids if len(ids)]
    changed = [ids for ids in changed if tuple(ids.tolist()) not in known]
    metrics = {"accepted": legality.accepted(shares, split.ids, model.threshold)}
    if changed:
        others = [model.probabilities(logits) for logits in model.logits(changed)]
        metrics["refused"] = 1 - legality.accepted(others, changed, model.threshold)
    written = draw_strings(model.grammar_network, preprocessor, MAX_WRITTEN_SHOWN, _SEED, LONGEST_WRITTEN)
    details["written"] = [preprocessor.shown(string) for string in written]
    details["notes"].append(
        f"a string is accepted where each of its symbols has a probability of {model.threshold:.2g} at least; "
        f"{len(changed):,} strings with one symbol changed, left out, doubled or moved should be refused"
    )
    details["least_likely"] = _least_likely(preprocessor, split, shares)
    if trigram is None:
        return metrics, {}
    plain = {"accepted": float(np.mean([_seen(trigram, ids) for ids in split.ids]))}
    if changed:
        plain["refused"] = 1 - float(np.mean([_seen(trigram, ids) for ids in changed]))
    return metrics, plain


def _seen(trigram: Trigram, ids: np.ndarray) -> bool:
    """Tell whether each symbol of a string came in training behind the two before it."""
    return bool(trigram.legal(ids)[np.arange(len(ids) + 1), [*ids.tolist(), MARK]].all())


def _least_likely(preprocessor: StringPreprocessor, split: Split, shares: Sequence[np.ndarray]) -> list[list[Any]]:
    """Give the strings with the least likely symbols: the string, the symbol, where it stands, and its probability."""
    rows = []
    for string, ids, share in zip(split.strings, split.ids, shares, strict=True):
        likely = share[np.arange(len(ids) + 1), [*ids.tolist(), MARK]]
        place = int(likely.argmin())
        symbol = string[place] if place < len(string) else preprocessor.label(MARK)
        rows.append([preprocessor.shown(string), symbol, place + 1, float(likely[place])])
    return sorted(rows, key=lambda row: row[-1])[:MAX_FAULTS_SHOWN]


def preview(model: GrammarModel, seed: int) -> str:
    """Write some strings, for a person who watches the training."""
    options = GenerateOptions(count=3, length=60, seed=seed)
    preprocessor = model.preprocessor
    written = draw_strings(model.grammar_network, preprocessor, options.count, seed, options.length)
    return "\n".join(preprocessor.shown(string) or "(nothing)" for string in written)
