"""The suite for tasks finds what is wrong with a task, and says which check it was."""

from __future__ import annotations

import pytest
import torch
from tests.testing.line_task import Line, LineConfig, LinePredictor, Scale, configure
from torch import nn

from recurra.report.blocks import Matrix
from recurra.tasks import Settings, register_task
from recurra.tasks.base import registry
from recurra.testing import check_task


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch):
    monkeypatch.setattr(registry, "_tasks", dict(registry._tasks))


def test_a_task_of_a_plug_in_passes():
    check_task(register_task(Line), configure, lines=["1 2 3", "0.5"])


def test_a_task_that_nobody_registered():
    with pytest.raises(AssertionError, match=r"line: check_facts: .*registered"):
        check_task(Line, configure)


def test_a_name_is_given_once():
    register_task(Line)
    with pytest.raises(ValueError, match="'line' is registered already"):
        register_task(Line)


def broken(check, words, **members):
    """Break one thing of the task, and expect the suite to say so."""
    kind = register_task(type("Broken", (Line,), {"name": "broken", **members}))
    with pytest.raises(AssertionError, match=rf"broken: {check}: .*{words}"):
        check_task(kind, configure, lines=["1 2 3"])


def test_a_setting_without_a_description():
    class Silent(Settings):
        """Says nothing."""

        file: str = ""

    class Config(LineConfig):
        """Its configuration."""

        data: Silent = Silent()

    broken("check_settings", "data.file: expected a description", Config=Config)


def test_a_choice_that_overrules_the_user():
    def choose_defaults(self, seconds, measure_seconds):
        self.config.data.file += "x"
        return Line.choose_defaults(self, seconds, measure_seconds)

    broken("check_defaults", "data.file", choose_defaults=choose_defaults)


def test_a_batch_of_nothing():
    broken("check_defaults", "at least one sequence, got 0", default_batch_size=lambda self, seconds: 0)


def test_batches_that_are_drawn_at_random():
    def batches(self, epoch, *, batch, seed, start=0):
        shuffled = torch.randperm(len(self.train) - 1)[start * batch :]
        for rows in shuffled.split(batch):
            yield self.train[rows], self.train[rows + 1]

    broken("check_batches", "random state untouched", batches=batches)


def test_a_start_index_that_is_ignored():
    def batches(self, epoch, *, batch, seed, start=0):
        return Line.batches(self, epoch, batch=batch, seed=seed)

    broken("check_batches", "expected start=", batches=batches)


def test_a_count_that_is_one_too_few():
    def batch_count(self, epoch, *, batch, seed):
        return (len(self.train) - 2) // batch

    broken("check_batches", "batch_count says", batch_count=batch_count)


def test_a_carried_state_that_drags_its_past_along():
    def loss(self, network, batch, carried):
        value, count, _ = Line.loss(self, network, batch, carried)
        return value, count, (network(batch[0][:, None]),)

    broken("check_loss", "tensors without a past", loss=loss)


def test_a_weight_that_is_never_used():
    def build_network(self):
        built = Line.build_network(self)
        built.register_parameter("idle", nn.Parameter(torch.zeros(1)))
        return built

    broken("check_loss", "idle: expected a gradient", build_network=build_network)


def test_a_loss_that_goes_the_wrong_way():
    def loss(self, network, batch, carried):
        value, count, carried = Line.loss(self, network, batch, carried)
        return -value, count, carried

    broken("check_learning", "less after training|to lower the loss", loss=loss)


def test_a_validation_that_forgets_to_go_back_to_training():
    def validate(self, predictor):
        predictor.network.eval()
        return Line.validate(self, predictor)

    broken("check_validation", "training mode", validate=validate)


def test_a_validation_without_the_criterion():
    broken("check_validation", "expected 'mse2' among the metrics", criterion="mse2")


def test_an_evaluation_with_another_shape():
    def evaluate(self, predictor, data, progress, *, baselines=True, options=None):
        result = Line.evaluate(self, predictor, data, progress, baselines=baselines)
        return {**result, "seconds": 1.0}

    broken("check_evaluation", "expected details and skipped at most", evaluate=evaluate)


def test_a_baseline_that_is_measured_by_something_else():
    def evaluate(self, predictor, data, progress, *, baselines=True, options=None):
        result = Line.evaluate(self, predictor, data, progress, baselines=baselines)
        return {**result, "baselines": {"mean": {"mae": 1.0}} if baselines else {}}

    broken("check_evaluation", "baselines, mean: expected metrics that the model has too", evaluate=evaluate)


def test_a_file_that_is_not_named():
    def save(self, folder):
        (folder / "extra").write_text("")
        return Line.save(self, folder)

    broken("check_saved", "names of all files", save=save)


def test_a_predictor_that_its_folder_does_not_bring_back():
    class Predictor(LinePredictor):
        def predict_with(self, inputs, options):
            return [{**one, "scale": self.preprocessor.factor} for one in super().predict_with(inputs, options)]

        @classmethod
        def load_preprocessor(cls, folder, config):
            return Scale(2.0)

    broken("check_loaded", "predictions of the network that was saved", Predictor=Predictor)


def test_a_sample_that_its_seed_does_not_fix():
    numbers = iter(range(100))
    broken("check_sample", "a seed to fix the sample", sample=lambda self, predictor, seed: str(next(numbers)))


def test_norms_for_too_few_lags():
    broken("check_gradient_norms", "each of the lags", gradient_norms_by_lag=lambda self, network, lags: [1.0] * lags)


def test_a_report_that_cannot_be_drawn():
    def report_blocks(self, evaluation):
        return [Matrix("Confusion matrix", ["a"], [[1], [2], [3]])]

    broken("check_evaluation", "report: expected one that can be drawn, got ValueError", report_blocks=report_blocks)


def test_a_command_line_that_names_no_run():
    broken("check_evaluation", "usage: expected {run} in a command line, got 'curl'", usage=(("As JSON", "curl"),))
