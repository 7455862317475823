"""A language model of texts without labels, on the layers of the network that comes after: what it reads, and what it must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import recurra
from recurra.errors import DataError, RunError, UsageError
from recurra.tasks.classify.config import Model
from recurra.tasks.sequence.language_network import NO_TARGET, LanguageEncoder
from recurra.tasks.sequence.preprocessing import TokenPreprocessor, WordPreprocessor
from recurra.tasks.sequence.pretraining import MAX_STEPS, encode_texts
from recurra.training.step import TrainState

QUICK: dict[str, Any] = {
    "epochs": 1,
    "pretraining_epochs": 2,
    "batch": 8,
    "hidden": 6,
    "threads": 1,
    "precision": "float32",
    "quiet": True,
}
TEXTS = ["the film was good and the plot was good", "the plot was bad", "a bad film", "good"]


@pytest.fixture
def films(tmp_path: Path) -> dict[str, Any]:
    rows = [f"{'good' if n % 2 else 'bad'} film number {n},{'pos' if n % 2 else 'neg'}" for n in range(60)]
    (tmp_path / "films.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    lines = [f"a {'good' if n % 3 else 'bad'} plot {n % 11}" for n in range(100)]
    (tmp_path / "bare.txt").write_text("\n".join(lines) + "\n")
    return {"data": tmp_path / "films.csv", "unlabelled": tmp_path / "bare.txt", "out": tmp_path / "run"}


def network(layers: int = 1, *, pooling: str | None = "max", bidirectional: bool = True) -> tuple[Any, Any]:
    inputs = WordPreprocessor.build(TEXTS)
    model = Model(hidden=5, layers=layers, dropout=0.0, bidirectional=bidirectional, residual=layers > 1)
    torch.manual_seed(1)
    layer = inputs.input_layer(5)
    count = layer.table.num_embeddings
    return inputs, LanguageEncoder(layer, model, torch.full((count,), 1 / count), pooling)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_no_unit_is_predicted_from_itself_or_from_beyond(layers: int, bidirectional: bool) -> None:
    inputs, made = network(layers, pooling=None, bidirectional=bidirectional)
    made.eval()
    batch = inputs.collate([inputs.encode(TEXTS[0])])
    x = made.body.embed(batch).detach().requires_grad_()
    lengths = torch.tensor([len(x)])
    for direction in range(made.body.directions):
        for step in range(len(x)):
            (gradient,) = torch.autograd.grad(made._read(x, lengths, direction)[step].pow(2).sum(), x)
            read = gradient.abs().sum((1, 2)) > 0
            wanted = [at >= step if direction else at <= step for at in range(len(x))]
            assert read.tolist() == wanted


def test_the_loss_is_that_of_each_prediction_by_itself() -> None:
    inputs, made = network()
    made.eval()
    texts = [inputs.encode(text) for text in TEXTS]
    batch = inputs.collate(texts)
    with torch.no_grad():
        loss, count = made.loss(batch, batch.lengths, inputs.unit_ids(batch))
    table, bias = made.body.encoder.table.weight, made.output_bias
    expected, predictions = 0.0, 0
    for text in texts:
        alone = inputs.collate([text])
        ids = inputs.unit_ids(alone)[:, 0]
        outputs = [made._read(made.body.embed(alone), alone.lengths, direction)[:, 0] for direction in (0, 1)]
        scores = [(made.projections[d](y) @ table.T + bias).log_softmax(1) for d, y in enumerate(outputs)]
        pooled = torch.cat(outputs, 1).amax(0)
        whole = (made.whole(pooled) @ table.T + bias).log_softmax(0)
        for at, id in enumerate(ids):
            asked = [whole]
            if at > 0:
                asked.append(scores[0][at - 1])
            if at + 1 < len(ids):
                asked.append(scores[1][at + 1])
            expected -= sum(float(one[id].detach()) for one in asked)
            predictions += len(asked)
    assert count == predictions
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_a_sampled_softmax_leads_where_the_whole_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the model is right, no unit is pulled up or down on average, however rare it is."""
    monkeypatch.setattr("recurra.tasks.sequence.language_network.MAX_UNITS_SCORED", 0)
    monkeypatch.setattr("recurra.tasks.sequence.language_network.UNITS_SAMPLED", 100)
    torch.manual_seed(2)
    characters = "".join(map(chr, range(0x4E00, 0x4E00 + 242)))
    layer = TokenPreprocessor.build([characters] * 2, "char").input_layer(5)
    share = 1 / torch.arange(1, layer.table.num_embeddings + 1, dtype=torch.float64)
    made = LanguageEncoder(layer, Model(hidden=5, dropout=0.0), share / share.sum()).train()
    count, repeats = 50, 300
    for _ in range(repeats):
        targets = torch.multinomial(share, count, replacement=True)
        made._summed_loss(torch.zeros(count, 5), torch.arange(count), targets).backward()
    assert made.output_bias.grad is not None
    pull = made.output_bias.grad / (count * repeats)
    for units in (slice(0, 1), slice(1, 10), slice(10, 100), slice(100, None)):
        assert abs(float(pull[units].sum())) < 0.012


def test_unknown_words_and_padding_are_not_predicted() -> None:
    inputs = WordPreprocessor.build(["good film good"], max_words=1)
    batch = inputs.collate([inputs.encode("good film"), inputs.encode("good")])
    assert inputs.unit_ids(batch).tolist() == [[1, 1], [NO_TARGET, NO_TARGET]]


@pytest.mark.parametrize("inputs", [WordPreprocessor.build(TEXTS), TokenPreprocessor.build(TEXTS, "char")])
def test_long_texts_are_cut_and_nothing_of_them_is_lost(inputs: Any) -> None:
    long = " ".join(TEXTS * 20)
    pieces = inputs.pieces(inputs.encode(long), 7)
    assert [len(piece) for piece in pieces[:-1]] == [7] * (len(pieces) - 1)
    rows = [inputs.unit_ids(inputs.collate([piece]))[:, 0] for piece in pieces]
    assert torch.cat(rows).tolist() == inputs.unit_ids(inputs.collate([inputs.encode(long)]))[:, 0].tolist()
    assert max(map(len, encode_texts([long] * 3, inputs).train)) == min(MAX_STEPS, len(inputs.encode(long)))


def test_the_classifier_begins_where_the_language_model_ended(
    films: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    initial: list[dict[str, torch.Tensor]] = []
    initialize = TrainState.initialize

    def watched(self: TrainState) -> str | None:
        sentence = initialize(self)
        initial.append({name: one.clone() for name, one in self.network.state_dict().items()})
        return sentence

    monkeypatch.setattr(TrainState, "initialize", watched)
    run = recurra.train("classify", **{**films, **QUICK, "quiet": False})
    weights = load_file(run.path / "pretraining" / "model.safetensors")
    body = {name: one for name, one in initial[-1].items() if name.startswith("body.")}
    assert body and all(torch.equal(weights[name], one) for name, one in body.items())
    assert not torch.equal(initial[0]["body.stack.layers.0.weight_hh"], weights["body.stack.layers.0.weight_hh"])
    assert "plot" in run.predictor.preprocessor.inputs.vocabulary.words
    shown = capsys.readouterr().err
    train = run.events("start")[-1]["train_examples"]
    assert f"first of two: a language model of 100 texts without labels and {train} with" in shown
    assert "second of two: it begins with that language model, which has come to a perplexity of" in shown
    assert not (run.path / "pretraining" / "checkpoint").exists()
    assert run.configuration.settings.data.pretraining_epochs == 2  # type: ignore[attr-defined]
    assert recurra.load(run.path).evaluate()["metrics"] == run.evaluation["metrics"]  # type: ignore[index]


def test_nothing_is_learnt_from_what_is_held_out(films: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("text,label\na secret  masterpiece,pos\n")
    (tmp_path / "bare.txt").write_text("a secret masterpiece\nan open secret\n")
    run = recurra.train("classify", test=tmp_path / "test.csv", **films, **QUICK)
    words = run.predictor.preprocessor.inputs.vocabulary.words
    assert "open" in words and "masterpiece" not in words
    notes = run.evaluation["details"]["notes"]  # type: ignore[index]
    assert "unlabelled: 1 of 2 texts are held out to measure on, and are not read" in notes


def test_a_tagger_learns_from_plain_text_and_from_held_out_sentences_never(tmp_path: Path) -> None:
    sentences = [f"the\tDET\ncat{n}\tNOUN\nsat\tVERB\n" for n in range(40)]
    (tmp_path / "tags.conll").write_text("\n".join(sentences))
    (tmp_path / "test.conll").write_text("the\tDET\nzebra\tNOUN\n")
    (tmp_path / "bare.txt").write_text("the zebra\n" + "\n".join(f"the dog{n % 3} sat" for n in range(50)) + "\n")
    run = recurra.train(
        "tag",
        tmp_path / "tags.conll",
        tmp_path / "run",
        test=tmp_path / "test.conll",
        unlabelled=tmp_path / "bare.txt",
        **QUICK,
    )
    words = run.predictor.preprocessor.inputs.vocabulary.words
    assert "dog0" in words and "zebra" not in words
    assert (run.path / "pretraining" / "model.safetensors").is_file()


def test_an_ablation_is_the_same_training_from_scratch(films: dict[str, Any], tmp_path: Path) -> None:
    run = recurra.train("classify", ablate=True, **films, **QUICK)
    settings = {name: value for name, value in QUICK.items() if name != "pretraining_epochs"}
    alone = recurra.train("classify", films["data"], tmp_path / "alone", **settings)
    evaluation, scratch = run.evaluation, recurra.load(run.path / "ablation")
    assert evaluation is not None and alone.evaluation is not None
    assert evaluation["baselines"]["from-scratch"] == alone.evaluation["metrics"]
    for name, weight in alone.network.state_dict().items():
        assert torch.equal(scratch.network.state_dict()[name], weight), name
    assert "the same from scratch" in (run.path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", DataError, "bare.txt: is empty"),
        ("\n \n", DataError, "holds no examples"),
        (None, DataError, "bare.txt"),
        ("bad film number 0\n", DataError, None),
    ],
)
def test_files_without_texts_are_refused(
    films: dict[str, Any], content: str | None, error: type[Exception], message: str | None
) -> None:
    if content is None:
        films["unlabelled"].unlink()
    else:
        films["unlabelled"].write_text(content)
    if message is None:  # only what is held out
        films["test"], message = films["data"].parent / "test.csv", "none that is neither empty nor held out"
        films["test"].write_text("text,label\nbad film number 0,neg\n")
    with pytest.raises(error, match=message):
        recurra.train("classify", **films, **QUICK)
    assert not films["out"].exists()


def test_what_does_not_go_together_is_refused(films: dict[str, Any], tmp_path: Path) -> None:
    import numpy as np

    np.savez(tmp_path / "waves.npz", x=np.random.default_rng(1).normal(size=(20, 5, 1)), y=[0, 1] * 10)
    with pytest.raises(UsageError, match="unlabelled: is for texts, and the data with labels are series"):
        recurra.train("classify", **{**films, "data": tmp_path / "waves.npz"}, **QUICK)
    (tmp_path / "numbers.csv").write_text("a,b\n1,2\n3,4\n")
    with pytest.raises(DataError, match="unlabelled: expected texts, got series"):
        recurra.train("classify", **{**films, "unlabelled": tmp_path / "numbers.csv"}, **QUICK)
    with pytest.raises(UsageError, match="ablate: there is nothing to leave out"):
        recurra.train("classify", films["data"], films["out"], ablate=True, **QUICK)
    assert not films["out"].exists()


def test_a_first_training_of_other_texts_is_not_used(films: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from recurra.runs import session

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(session, "make_plan", killed)  # between the two
        with pytest.raises(KeyboardInterrupt):
            recurra.train("classify", **films, **QUICK)
    films["unlabelled"].write_text("other texts\nand more of them\n" * 20)
    with pytest.raises(RunError, match="was made from other data than is there now"):
        recurra.resume(films["out"], quiet=True)


def test_networks_of_language_models_have_no_vectors_of_their_own() -> None:
    _, made = network()
    names = [name for name, one in made.named_modules() if isinstance(one, nn.Embedding)]
    assert all(name.startswith("body.encoder.") for name in names)
