"""Each head sums to 1, a run learns scales, and what it composes is fixed by its seed, in the key, and below the melody."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import bernoulli
from typer.testing import CliRunner

import recurra
from recurra.cli import app
from recurra.decoding import Sampling, row_generators, sample
from recurra.errors import DataError, UsageError
from recurra.kernels.native import engine
from recurra.music import Piece, read_midi, write_midi
from recurra.runs.run import Run
from recurra.tasks.music.baselines import KeysByThemselves, NoteChain
from recurra.tasks.music.batches import Excerpt, collate
from recurra.tasks.music.copies import KnownMusic
from recurra.tasks.music.data import mark_leaks
from recurra.tasks.music.heads import BernoulliHead, Head, NoteHead, SubsetHead, VoiceHead
from recurra.tasks.music.predict import highest_keys
from recurra.tasks.music.preprocessing import MusicPreprocessor

SMALL: dict[str, Any] = {
    "quiet": True,
    "hidden": 48,
    "epochs": 60,
    "lr": 0.01,
    "dropout": 0.0,
    "input_dropout": 0.0,
    "threads": 1,
    "precision": "float32",
    "batch": 8,
}


def scales(count: int, seed: int = 0) -> list[list[list[int]]]:
    random = np.random.default_rng(seed)
    return [
        [[base, base + 7, base + 12 + 2 * (at % 4)] for at in range(16)]
        for base in (50 + random.integers(0, 12, count)).tolist()
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("music")
    (folder / "scales.json").write_text(json.dumps(scales(60)))
    return recurra.train("music", folder / "scales.json", folder / "run", **SMALL)


def head_and_frames(name: str) -> tuple[Head, torch.Tensor]:
    torch.manual_seed(0)
    subsets = torch.tensor(list(itertools.product((0, 1), repeat=4)))
    heads: dict[str, tuple[Head, torch.Tensor]] = {
        "note": (NoteHead(5, 4, 8, 0.0), subsets),
        "subset": (SubsetHead(5, 4), subsets),
        "bernoulli": (BernoulliHead(5, 4), subsets),
        "voice": (VoiceHead(5, 2, 3, 8, 0.0), torch.tensor(list(itertools.product(range(4), repeat=2)))),
        "one voice": (VoiceHead(5, 1, 3, 8, 0.0), torch.arange(4).unsqueeze(1)),
    }
    head, frames = heads[name]
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return head.eval(), frames


@pytest.mark.parametrize("name", ["note", "subset", "bernoulli", "voice", "one voice"])
def test_a_head_sums_to_one_and_its_loss_and_samples_agree_with_it(name: str) -> None:
    head, frames = head_and_frames(name)
    context = torch.randn(1, 5).expand(len(frames), 5)
    with torch.no_grad():
        found = head.decide(context, frames)
        assert float(found.log_probs.exp().sum()) == pytest.approx(1, abs=1e-5)
        assert float(head.loss(context, frames)) == pytest.approx(-float(found.log_probs.sum()), rel=1e-4)
        count = 4000
        generators = row_generators(1, count)

        def choose(logits: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
            return sample(logits, [generators[row] for row in rows.tolist()], Sampling())

        drawn = head.draw(context[:1].expand(count, 5), choose, None)
    shares = [(drawn == frame).all(1).float().mean().item() for frame in frames]
    assert np.abs(np.array(shares) - found.log_probs.exp().numpy()).max() < 4 * np.sqrt(0.25 / count)


def test_the_bernoulli_head_is_scipys() -> None:
    head, frames = head_and_frames("bernoulli")
    assert isinstance(head, BernoulliHead)
    context = torch.randn(len(frames), 5)
    with torch.no_grad():
        wanted = bernoulli.logpmf(frames.numpy(), head.output(context).sigmoid().numpy()).sum(1)
        assert head.decide(context, frames).log_probs.numpy() == pytest.approx(wanted, rel=1e-4)


def test_it_learns_scales(run: Run) -> None:
    assert run.evaluation is not None
    found, plain = run.evaluation["metrics"], run.evaluation["baselines"]
    assert found["nll"] < 0.5 and found["step_accuracy"] > 0.9
    assert found["nll"] < plain["per-note"]["nll"]
    good, bad = run.score([scales(1, 5)[0], [[50, 51], [90], [53, 54]] * 5])
    assert good["log_prob_per_unit"] > bad["log_prob_per_unit"] + 3
    assert len(good["units"]) == 15
    assert good["log_prob"] == pytest.approx(sum(value for _, value in good["units"]))
    copies = run.evaluation["details"]["beside"]["copies"]
    assert all(each["run"] <= 64 and 0 <= each["share"] <= 1 for each in copies)


def test_a_score_is_the_same_in_any_company_and_in_a_stream(run: Run) -> None:
    pieces = [piece[: 5 + number] for number, piece in enumerate(scales(6, 7))]
    together = [result["log_prob"] for result in run.score(pieces)]
    alone = [run.score([piece])[0]["log_prob"] for piece in pieces]
    stream: Any = run.stream(pieces[2][:1])
    live = sum(stream.step(step) for step in pieces[2][1:])
    assert live == pytest.approx(together[2], abs=1e-5)
    assert run.predict([pieces[2]])[0]["next"] == stream.likeliest()
    if engine() is not None:
        assert together == alone


def test_what_is_composed_is_fixed_by_its_seed_and_goes_on(run: Run) -> None:
    made = run.generate(bars=2, count=3, seed=4)
    assert [piece.frames.shape for piece in made] == [(32, 88)] * 3
    assert np.array_equal(run.generate(bars=2, count=2, seed=4)[1].frames, made[1].frames)
    assert not np.array_equal(made[0].frames, made[1].frames)
    given = scales(1, 9)[0]
    longer = run.generate(given, bars=1, temperature=0)[0]
    assert len(longer) == 32 and np.array_equal(longer.frames[:16], run.predictor.preprocessor.check(given).frames)
    assert np.array_equal(longer.frames[16:20], longer.frames[:4])


def test_a_melody_stays_on_top(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "melody.json"
    path.write_text(json.dumps([[[step[2]] for step in scales(1, 3)[0]]]))
    (made,) = run.generate(harmonise=str(path), seed=1)
    melody = run.predictor.read_piece(str(path))
    assert np.array_equal(highest_keys(made), highest_keys(melody))
    assert made.frames.sum() > melody.frames.sum()


def test_files_are_written_and_faults_are_one_line(run: Run, tmp_path: Path) -> None:
    def call(*words: str) -> Any:
        return CliRunner().invoke(app, ["generate", str(run.path), *words])

    midi, wav = tmp_path / "a.mid", tmp_path / "a.wav"
    result = call("--bars", "2", "--tempo", "96", "-o", str(midi), "--wav", str(wav), "--seed", "1", "--key", "D minor")
    assert result.exit_code == 0, result.output
    assert read_midi(midi.read_bytes(), "a.mid").tempo == pytest.approx(96)
    assert wav.read_bytes()[:4] == b"RIFF"
    result = call("--from", str(midi), "--bars", "1", "--seed", "2", "--json")
    assert len(json.loads(result.stdout)["steps"]) >= 17
    assert call("--bars", "2", "--seed", "1").stdout
    for words, reason in (
        (["-o", str(tmp_path / "no" / "a.mid")], "there is no folder"),
        (["-o", str(midi), "-n", "2"], "expected a folder for 2 pieces"),
        (["-o", "tune.mp3"], "expected a file that ends with .mid"),
        (["--key", "X"], "expected one such as C"),
        (["--from", str(midi), "--harmonise", str(midi)], "expected one of them, got 2"),
        (["--from", str(tmp_path / "gone.mid")], "does not exist"),
    ):
        with pytest.raises((UsageError, DataError), match=reason):
            CliRunner().invoke(app, ["generate", str(run.path), *words], catch_exceptions=False, standalone_mode=False)


def test_what_is_no_music_is_one_line(run: Run) -> None:
    for given in ([[200]], [["a"]], [3], "[[1", np.zeros((3, 88, 2)), [[True]]):
        with pytest.raises((DataError, UsageError), match=r"expected|does not exist|no file"):
            run.score([given])


def test_a_copy_is_found_in_any_key_and_a_leak_by_its_beginning() -> None:
    random = np.random.default_rng(0)
    frames = (random.random((40, 88)) < 0.05).astype(np.uint8)
    frames[:, :3] = frames[:, -3:] = 0
    frames[:, 40] = 1
    train = [Piece("notes", frames, "a"), Piece("notes", (random.random((40, 88)) < 0.05).astype(np.uint8), "b")]
    moved = np.roll(frames[10:25], 2, 1)
    own = (random.random((9, 88)) < 0.05).astype(np.uint8)
    known = KnownMusic(train)
    made = Piece("notes", np.concatenate([own, moved]), "c")
    assert 14 <= known.longest_run(made) <= 16
    assert known.nearest(made)[0] == "a"
    split = mark_leaks([Piece("notes", np.roll(frames, 1, 1), "d"), made], train)
    assert split.leaks is not None and split.leaks.tolist() == [True, False]


def test_baselines_give_probabilities() -> None:
    pieces = [
        Piece("notes", (np.random.default_rng(seed).random((30, 88)) < 0.04).astype(np.uint8), "a") for seed in range(5)
    ]
    chain, keys = NoteChain().fit(pieces[:4], 3), KeysByThemselves().fit(pieces[:4])
    log_probs, counts, right = chain.decide(pieces[4])
    assert (log_probs < 0).all() and (counts == pieces[4].frames[1:].sum(1) + 1).all() and (right <= counts).all()
    assert (keys.log_probs(pieces[4]) < 0).all()


def test_drums_are_played_as_the_training_data_are(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for number in range(40):
        hits = []
        for at in range(32):
            drum, late = (38, 5) if at % 4 == 2 else (42, -4)
            if at % 2 == 0 or random.random() < 0.5:
                hits.append((24 * (at + 1) + late, 24 * (at + 1) + 20, drum, 110 if drum == 38 else 60, 9))
        (tmp_path / f"{number}.mid").write_bytes(write_midi(np.array(hits), 96, 100))
    drummer = recurra.train("music", tmp_path, tmp_path / "run", **SMALL)
    assert drummer.evaluation is not None
    assert drummer.evaluation["metrics"]["velocity_mae"] < 0.03 and drummer.evaluation["metrics"]["offset_mae"] < 0.03
    stiff = np.array([(24 * at, 24 * at + 20, 38 if at % 4 == 2 else 42, 80, 9) for at in range(32)])
    beat = tmp_path / "beat.mid"
    beat.write_bytes(write_midi(stiff, 96, 120))
    (played,) = drummer.generate(humanize=str(beat))
    snare = played.frames[:, 1] > 0
    assert played.velocities[snare, 1].mean() > played.velocities[~snare, 2].mean() + 0.2
    assert played.offsets[snare, 1].mean() > 0.1 > -0.05 > played.offsets[~snare, 2].mean()
    (made,) = drummer.generate(bars=1, seed=1)
    assert made.velocities is not None and (made.velocities[made.frames > 0] > 0).all()


def test_a_bar_before_is_read_in_excerpts_as_in_whole_pieces() -> None:
    frames = np.arange(12, dtype=np.uint8)[:, None] % 9 + 1
    piece = Piece("voices", frames, "a", bar=4)
    preprocessor = MusicPreprocessor("voices", 1, 1, 4, last_bar=True)
    whole = collate([Excerpt(piece, 0, 12)], preprocessor).before[:, 0]
    assert whole[:, 1].tolist() == [0, 0, 0, 0, *frames[:8, 0].tolist()]
    assert whole[:, 0].tolist() == [0, *frames[:11, 0].tolist()]
    parts = [collate([Excerpt(piece, start, stop)], preprocessor).before[:, 0] for start, stop in ((0, 3), (3, 12))]
    assert torch.equal(torch.cat(parts), whole)
