"""What a translator says depends on its source alone, is what it scores, and never has a unit for what is unknown."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import recurra
from recurra.errors import DataError, UsageError
from recurra.runs.run import Run
from recurra.tasks.seq2seq.config import SearchedOptions
from recurra.tasks.seq2seq.decoder import PADDING
from recurra.tasks.seq2seq.search import collate, teacher
from recurra.tasks.translate.search import longest_target

SMALL: dict[str, Any] = {"hidden": 12, "embedding": 8, "epochs": 3, "threads": 1, "precision": "float32", "quiet": True}


def pairs(folder: Path) -> Path:
    chance = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon"]
    rows = ["source\ttarget"]
    for _ in range(240):
        some = chance.choices(words, k=chance.randint(1, 6))
        rows.append(f"{' '.join(some)}\t{' '.join(word[0] for word in reversed(some))}")
    path = folder / "pairs.tsv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["general", "additive", "location", "none"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("translate")
    settings = {"attention": request.param, "cell": "lstm" if request.param == "additive" else "gru"}
    return recurra.train("translate", pairs(folder), folder / "run", **SMALL, **settings)


SOURCES = ["alpha", "beta gamma", "epsilon " * 6, "never seen 世界", "", "alpha beta gamma delta epsilon alpha beta"]


def test_a_translation_depends_on_its_source_alone(run: Run) -> None:
    alone = [run.predict(source, best=2) for source in SOURCES]
    many = (SOURCES * 13)[:64]
    chance = random.Random(3)
    for size in (2, 7, 64):
        some = many[:size]
        chance.shuffle(some)
        for source, result in zip(some, run.predict(some, best=2), strict=True):
            assert result == alone[SOURCES.index(source)]


def test_what_is_scored_is_what_was_found(run: Run) -> None:
    for source in SOURCES:
        best = run.predict(source, best=3)
        each = [best, *best["alternatives"]]
        assert [one["log_prob"] for one in each] == sorted((one["log_prob"] for one in each), reverse=True) or len(
            each
        ) == 3
        (scored,) = run.score([f"{source}\t{best['translation']}"])
        if "�" not in best["translation"] and len(scored["units"]) < longest_target(len(source)):
            assert scored["log_prob"] == pytest.approx(sum(value for _, value in scored["units"]))
            assert scored["log_prob"] >= best["log_prob"] - 1e-3  # of several ways to write a text the search found one


def test_a_wider_search_finds_no_less_likely(run: Run) -> None:
    narrow, wide = (run.predict(SOURCES, beam=beam, length_penalty=0.0) for beam in (1, 24))
    better = [two["log_prob"] - one["log_prob"] for one, two in zip(narrow, wide, strict=True)]
    assert np.mean(better) >= -1e-6


def test_a_prefix_is_kept_and_counted(run: Run) -> None:
    for source in SOURCES[:4]:
        result = run.predict(source, prefix="b a")
        assert result["translation"].startswith("b a")
        (scored,) = run.score([f"{source}\t{result['translation']}"])
        if result.get("ended", True):
            assert result["log_prob"] == pytest.approx(scored["log_prob"], abs=1e-3)
    free = run.predict(SOURCES)
    assert [one["log_prob"] for one in run.predict(SOURCES, prefix="")] == [one["log_prob"] for one in free]


def test_what_begins_with_a_prefix_is_ranked_as_a_whole(run: Run) -> None:
    """By log p / ((5 + T) / 6)^α of all units, those of the prefix and the end among them."""
    for source in SOURCES[:3]:
        found = run.predict(source, prefix="b a", best=4, beam=12, length_penalty=1.0)
        scores = []
        for one in (found, *found["alternatives"]):
            (scored,) = run.score([f"{source}\t{one['translation']}"])
            ended = one.get("ended", True)
            scores.append(one["log_prob"] / ((5 + len(scored["units"]) - (not ended)) / 6))
        assert scores == sorted(scores, reverse=True)


def test_a_sample_is_that_of_its_source_wherever_it_stands(run: Run) -> None:
    alone = run.predict(SOURCES[1], sample=True, seed=3, best=3)
    among = run.predict([*SOURCES, *SOURCES[::-1]], sample=True, seed=3, best=3)
    assert among[1] == among[-2] == alone
    assert run.predict(SOURCES[1], sample=True, seed=3)["translation"] == alone["translation"]


def test_what_is_not_known_cannot_begin_an_answer(tmp_path: Path) -> None:
    settings = {"source_unit": "word", "target_unit": "word"}
    run = recurra.train("translate", pairs(tmp_path), tmp_path / "run", **SMALL, **settings)
    with pytest.raises(UsageError, match="begin: expected what this run can write"):
        run.predict("alpha", prefix="zebra a")


def test_samples_are_drawn_alike_by_a_seed_and_as_likely_as_they_are(run: Run) -> None:
    first = run.predict(SOURCES, sample=True, seed=3, best=2, temperature=0.7)
    assert first == run.predict(SOURCES, sample=True, seed=3, best=2, temperature=0.7)
    assert first != run.predict(SOURCES, sample=True, seed=4, best=2, temperature=0.7)
    # The first source alone draws what it drew beside others, and temperature 0 draws nothing.
    assert run.predict(SOURCES[:1], sample=True, seed=3, best=2, temperature=0.7) == first[:1]
    narrow = run.predict(SOURCES, beam=1)
    argmax = run.predict(SOURCES, sample=True, temperature=0)
    assert [one["translation"] for one in argmax] == [one["translation"] for one in narrow]
    assert [one["log_prob"] for one in argmax] == pytest.approx([one["log_prob"] for one in narrow], abs=1e-3)
    with pytest.raises(UsageError, match="temperature: belongs to sampling"):
        run.predict(SOURCES[0], temperature=0.5)
    with pytest.raises(UsageError, match="coverage_penalty: belongs to the search"):
        run.predict(SOURCES[0], sample=True, coverage_penalty=0.5)


def test_a_strong_coverage_penalty_prefers_what_looks_at_all_of_the_source(run: Run) -> None:
    if run.predictor.config.model.attention == "none":
        with pytest.raises(UsageError, match="coverage_penalty: this run has no attention"):
            run.predict(SOURCES, coverage_penalty=5.0)
        return

    def looked(options: dict[str, float]) -> float:
        results = run.predict(SOURCES[:3], attention=True, beam=8, length_penalty=0.0, **options)
        weights = [np.array(one["attention"]["weights"]).sum(0) for one in results]
        return float(sum(np.log(np.minimum(np.maximum(one, 1e-12), 1)).sum() for one in weights))

    assert looked({"coverage_penalty": 20.0}) >= looked({})


def test_what_is_shown_as_it_comes_is_the_translation(run: Run) -> None:
    for options in (SearchedOptions(), SearchedOptions(sample=True, seed=5), SearchedOptions(prefix="b a")):
        pieces: list[str] = []
        result = run.predictor.predict_live(SOURCES[1], options, pieces.append)
        assert result["translation"].startswith("".join(pieces)) and pieces
        assert result == {**result, **run.predictor.translate([SOURCES[1]], options)[0]}


def test_attention_is_a_distribution_for_each_unit(run: Run) -> None:
    if run.predictor.config.model.attention == "none":
        with pytest.raises(UsageError, match="attention: this run has no attention"):
            run.predict("beta gamma alpha", attention=True)
        return
    result = run.predict("beta gamma alpha", attention=True)
    attention = result["attention"]
    weights = np.array(attention["weights"])
    assert weights.shape == (len(attention["target"]), len(attention["source"]))
    assert np.abs(weights.sum(1) - 1).max() < 2e-3
    assert attention["source"][-1] == "<end>" and (attention["target"][-1] == "<end>") == result.get("ended", True)
    assert all(int(one.split("-")[0]) < len(attention["source"]) - 1 for one in attention["alignment"])


def test_the_whole_model_has_the_gradients_of_finite_differences(run: Run) -> None:
    network: Any = run.predictor.build_network(run.predictor.config, run.predictor.preprocessor).double().eval()
    preprocessor = run.predictor.preprocessor
    sources, lengths = collate([preprocessor.encode_source(one) for one in SOURCES[:3]])
    read, written = teacher(preprocessor.target, [preprocessor.encode_target(one) for one in ("a b", "c", "d e a")])
    loss = network.loss(sources, lengths, read, written)
    loss.backward()
    chance = np.random.default_rng(1)
    for name, parameter in network.named_parameters():
        flat, gradient = parameter.data.flatten(), parameter.grad.flatten()
        at = int(gradient.abs().argmax()) if chance.random() < 0.5 else int(chance.integers(len(flat)))
        before, values = float(flat[at]), []
        for change in (1e-5, -1e-5):
            parameter.data.view(-1)[at] = before + change
            with torch.enable_grad():
                values.append(float(network.loss(sources, lengths, read, written).detach()))
        parameter.data.view(-1)[at] = before
        assert (values[0] - values[1]) / 2e-5 == pytest.approx(float(gradient[at]), rel=2e-2, abs=2e-3), name
    assert (written == PADDING).any()


def test_options_and_inputs_that_mean_nothing(run: Run) -> None:
    with pytest.raises(UsageError, match="beam: input should be greater than or equal to 1"):
        run.predict("a", beam=0)
    with pytest.raises(DataError, match="expected a text, got 3"):
        run.predict([3])
    with pytest.raises(DataError, match="row 1: expected a source, a tab and its target"):
        run.score(["no tab"])
    assert run.predict([]) == [] and SearchedOptions().beam == 5


def test_a_result_goes_on_with_other_files_than_those_of_the_training(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.x").write_text("alpha\nbeta gamma\n")
    (tmp_path / "b.y").write_text("a\ng b\n")
    result = run.evaluate([tmp_path / "a.x", tmp_path / "b.y"], baselines=False)
    assert result["details"]["pairs"] == 2 and run.predictor.read_file(tmp_path / "a.x") is None


def test_any_of_several_right_targets_is_right(run: Run, tmp_path: Path) -> None:
    right = run.predict("beta gamma")["translation"]
    (tmp_path / "pairs.tsv").write_text(
        f"source\ttarget\nbeta gamma\tz z z\nalpha\tq\nbeta gamma\t{right or 'b'}\n", encoding="utf-8"
    )
    result = run.evaluate([tmp_path / "pairs.tsv"], baselines=False)
    assert result["details"]["pairs"] == 3 and len(result["details"]["examples"]) == 2
    assert "2 sources, 1 of them with several right targets" in result["details"]["notes"]
    assert result["metrics"]["exact"] == (0.5 if right else 0.0)


def test_one_vocabulary_is_for_sides_of_one_unit(tmp_path: Path) -> None:
    settings = {"source_unit": "char", "target_unit": "word", "joint": True}
    with pytest.raises(UsageError, match="joint: expected sides of one unit, got char and word"):
        recurra.train("translate", pairs(tmp_path), tmp_path / "run", **SMALL, **settings)


@pytest.mark.parametrize("side", ["source", "target"])
def test_what_is_longer_than_in_training_is_refused(run: Run, side: str) -> None:
    """Such a text would be searched for minutes, at a quality that nobody has measured."""
    long = "alpha " * 400
    text = f"{long}\ta" if side == "source" else f"alpha\t{long}"
    with pytest.raises(
        DataError, match=rf"expected a {side} of at most 2,000 characters, got 2,400; cut it into sentences"
    ):
        run.score(["alpha\ta", text])
    with pytest.raises(DataError, match="input 2: expected a source of at most 2,000 characters, got 2,400"):
        run.predict(["alpha", long])
    with pytest.raises(DataError, match="expected a source of at most 2,000 characters, got 2,400"):
        run.predictor.parse(long)
