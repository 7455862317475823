"""What every task promises to the training loop, the run folder and the command line."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from pydantic import ValidationError
from torch import Tensor

from recurra.tasks import Settings, Task, get_task, task_names
from recurra.testing.case import TaskCase, leaves, same, untouched
from recurra.testing.evaluation import check_evaluation, check_validation
from recurra.testing.expect import expect, expect_same, one_thread
from recurra.testing.predictions import check_calibrate, check_initialize, check_loaded, check_predictions

Check = Callable[[TaskCase], None]


def check_task(
    kind: type[Task], configure: Callable[[Path], Settings], *, batch: int = 4, lines: Sequence[str] = ()
) -> None:
    """Hold a task to everything that the rest of the house takes for granted.

    configure: writes tiny data into an empty folder and gives the whole configuration of a tiny network on them, with
    something held out; the same words on the same data every time.  batch: how many sequences to read side by side.
    lines: what to ask `predict` about, as it is written in a line of a file; without any nothing is asked.
    Raises `AssertionError` that names the task, the check, what was expected and what came.

    >>> from recurra.tasks.lm import LanguageModelConfig, LanguageModelingTask
    >>> def configure(folder):
    ...     _ = (folder / "verse.txt").write_text("the rain in spain falls mainly on the plain\\n" * 40)
    ...     data = {"data": [str(folder / "verse.txt")], "bptt": 16}
    ...     return LanguageModelConfig.model_validate({"data": data, "model": {"hidden": 16, "layers": 1}})
    >>> check_task(LanguageModelingTask, configure, lines=["the rain", ""])
    """
    with tempfile.TemporaryDirectory() as folder, one_thread():
        case = TaskCase(kind, configure, Path(folder), batch, lines)
        for check in task_checks():
            try:
                check(case)
            except AssertionError as error:
                raise AssertionError(f"{kind.name}: {check.__name__}: {error}") from error


def task_checks() -> list[Check]:
    """List the checks of the suite, each of which takes a `TaskCase`, so that a test framework can show each on its own."""
    return [
        check_facts,
        check_settings,
        check_data,
        check_defaults,
        check_network,
        check_batches,
        check_loss,
        check_validation,
        check_learning,
        check_initialize,
        check_calibrate,
        check_evaluation,
        check_predictions,
        check_loaded,
        check_saved,
        check_sample,
        check_gradient_norms,
    ]


def check_facts(case: TaskCase) -> None:
    """The task is registered under its name and says what it is."""
    kind = case.kind
    expect(kind.name in task_names(), "expected the task to be registered; decorate it with register_task")
    expect(get_task(kind.name) is kind, f"expected get_task({kind.name!r}) to give this very class")
    expect(bool(kind.title.strip()), "title: expected the name that people read, got an empty one")
    expect(bool(case.ready().criterion), "criterion: expected the name of a validation metric, got none")


def check_settings(case: TaskCase) -> None:
    """Every setting is in a section, says what it means, and has a name of its own; others are refused."""
    seen: dict[str, str] = {}
    for section, field in case.kind.Config.model_fields.items():
        inner = field.annotation
        if not (isinstance(inner, type) and issubclass(inner, Settings)):
            raise AssertionError(f"{section}: expected a section (a subclass of Settings), got {inner}")
        for name, setting in inner.model_fields.items():
            expect(bool(setting.description), f"{section}.{name}: expected a description, which is its help, got none")
            expect(name not in seen, f"{section}.{name}: expected a name of its own, but {seen.get(name)} has it too")
            seen[name] = section
    try:
        case.kind.Config.model_validate({"no such section": {}})
    except ValidationError:
        return
    raise AssertionError("Config: expected an unknown section to be refused; derive it from Settings")


def check_data(case: TaskCase) -> None:
    """Reading the data twice gives the same summary, and random numbers have no part in it."""
    with untouched():
        summary, again = case.fresh().prepare(), case.fresh().prepare()
    expect(bool(summary.counts), "prepare: expected counts of what there is, got none")
    for name, count in summary.counts.items():
        expect(type(count) is int and count >= 0, f"prepare, {name}: expected a count, got {count!r}")
    expect(bool(summary.fingerprint), "prepare: expected a fingerprint of the examples, got an empty one")
    expect(summary == again, f"prepare: expected the same summary of the same data, got {summary} and {again}")
    task = case.fresh()
    expect(task.prepare() == task.prepare(), "prepare: expected the same summary when asked twice")


def check_defaults(case: TaskCase) -> None:
    """What the user left open is filled in, what the user said stays, and the number of epochs makes sense."""
    for seconds in (None, 60.0):
        task = case.fresh()
        task.prepare()
        size = task.default_batch_size(seconds)
        expect(
            type(size) is int and size >= 1,
            f"default_batch_size({seconds}): expected at least one sequence, got {size!r}",
        )
        before = _leaves_of(task.config)
        epochs = task.choose_defaults(seconds, lambda: 0.5)
        expect(0 < epochs < math.inf, f"choose_defaults({seconds}): expected a number of epochs above 0, got {epochs}")
        chosen = _leaves_of(task.config)
        changed = [name for name, value in before.items() if value is not None and chosen[name] != value]
        expect(not changed, f"choose_defaults({seconds}): expected what was set to stay, but it changed {changed}")
        task.choose_defaults(seconds, lambda: 0.5)
        expect(
            _leaves_of(task.config) == chosen,
            f"choose_defaults({seconds}): expected to choose nothing more the second time",
        )


def check_network(case: TaskCase) -> None:
    """The network's weights come from torch's generator and nothing else."""
    task = case.ready()
    one, two, other = case.network(task, 1), case.network(task, 1), case.network(task, 2)
    expect_same("two networks of one seed", list(two.state_dict().values()), list(one.state_dict().values()))
    differ = any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    expect(differ, "expected another seed to give other weights, got the same")


def check_batches(case: TaskCase) -> None:
    """The same arguments give the same batches, a start index skips, the count is right, and nothing is random."""
    for batch in (1, case.batch):
        task, twin = case.ready(), case.ready()
        for epoch in (0, 2, 1):
            with untouched():
                whole = list(task.batches(epoch, batch=batch, seed=3))
                count = task.batch_count(epoch, batch=batch, seed=3)
            where = f"epoch {epoch}, batch {batch}"
            expect(len(whole) >= 1, f"{where}: expected at least one batch, got none")
            expect(count == len(whole), f"{where}: batch_count says {count}, but there are {len(whole)} batches")
            again = list(twin.batches(epoch, batch=batch, seed=3))
            expect(same(again, whole), f"{where}: expected the same batches of the same seed, got others")
            for start in {1, len(whole) // 2, len(whole) - 1, len(whole)}:
                rest = list(task.batches(epoch, batch=batch, seed=3, start=start))
                expect(
                    same(rest, whole[start:]),
                    f"{where}: expected start={start} to give what follows {start} batches, got something else",
                )


def check_loss(case: TaskCase) -> None:
    """The loss is a finite sum over a count of elements, reaches every weight, and hands on a state cut off from its past."""
    task = case.ready()
    network = case.network(task)
    carried: Any = None
    reached: set[str] = set()  # what is read of a rare thing alone, such as unknown words, is not in every batch
    for batch in task.batches(0, batch=case.batch, seed=1):
        loss, count, carried = task.loss(network, batch, carried)
        expect(loss.shape == (), f"expected one number, got shape {tuple(loss.shape)}")
        expect(math.isfinite(loss.item()), f"expected a finite loss, got {loss.item()}")
        expect(type(count) is int and count > 0, f"expected a count of elements above 0, got {count!r}")
        for tensor in leaves(carried):
            expect(
                isinstance(tensor, Tensor), f"carried: expected tensors in nested tuples, got {type(tensor).__name__}"
            )
            expect(not tensor.requires_grad, "carried: expected tensors without a past, got one that requires grad")
        network.zero_grad()
        loss.backward()
        for name, parameter in network.named_parameters():
            if (gradient := parameter.grad) is not None:
                reached.add(name)
                expect(bool(gradient.isfinite().all()), f"{name}: expected a finite gradient, got {gradient}")
    for name, _ in network.named_parameters():
        expect(name in reached, f"{name}: expected a gradient in some batch, got none; is it used?")
    network.eval()
    first = next(iter(task.batches(0, batch=case.batch, seed=1)))
    with torch.no_grad(), untouched(network):
        values = [task.loss(network, first, None)[0] for _ in range(2)]
    expect_same("the loss of a batch in evaluation, asked twice", values[1:], values[:1])


def check_learning(case: TaskCase, steps: int = 60) -> None:
    """A few steps of training make the loss smaller on the data that it is trained on, and on what is held out."""
    task = case.ready()
    network = case.network(task)  # not initialized: from a good start there may be little left to learn
    before = cast(dict[str, float], task.validate(task.predictor(network)))[task.criterion]
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    losses: list[float] = []
    carried: Any = None
    epoch = 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        while len(losses) < steps:
            for batch in task.batches(epoch, batch=case.batch, seed=1):
                network.train()
                loss, count, carried = task.loss(network, batch, carried)
                optimizer.zero_grad()
                (loss / count).backward()
                optimizer.step()
                losses.append(loss.item() / count)
            epoch += 1
    few = max(1, len(losses) // 10)
    first, last = sum(losses[:few]) / few, sum(losses[-few:]) / few
    expect(last < 0.9 * first, f"expected {len(losses)} steps to lower the loss, got {first:.4g} and then {last:.4g}")
    after = cast(dict[str, float], task.validate(task.predictor(network)))[task.criterion]
    wanted = "more" if task.maximize else "less"
    expect(
        after > before if task.maximize else after < before,
        f"{task.criterion}: expected {wanted} after training, got {before:.4g} and then {after:.4g}",
    )


def check_saved(case: TaskCase) -> None:
    """What is saved is enough to build the network and to read the same data in the same way, and is the same each time."""
    task = case.ready()
    kept, again = case.empty_folder(), case.empty_folder()
    names = task.save(kept)
    expect(task.save(again) == names, "save: expected the same names each time")
    files = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
    expect(files == set(names), f"save: expected the names of all files written, {sorted(files)}; got {sorted(names)}")
    for name in names:
        expect(
            (kept / name).read_bytes() == (again / name).read_bytes(),
            f"save, {name}: expected the same bytes each time",
        )
    restored = case.kind(task.config.model_copy(deep=True))
    restored.restore(kept)
    network = case.network(task)
    shell = case.network(restored, 2)
    shell.load_state_dict(network.state_dict())
    summary = restored.prepare(kept)
    expect(summary == task.prepare(), "prepare(saved): expected the summary of the run, got another")
    network.eval(), shell.eval()
    for epoch in (0, 1):
        batches = list(task.batches(epoch, batch=case.batch, seed=1))
        expect(
            same(list(restored.batches(epoch, batch=case.batch, seed=1)), batches),
            "expected the restored task to read the same batches, got others",
        )
        for batch in batches[:2]:
            with torch.no_grad():
                losses = [t.loss(n, batch, None)[0] for t, n in ((restored, shell), (task, network))]
            expect_same("the loss of the restored task", losses[:1], losses[1:])


def check_sample(case: TaskCase) -> None:
    """A sample is text or None, fixed by its seed, and leaves no trace."""
    task = case.ready()
    network = case.network(task).train()
    with untouched(network):
        first, again = task.sample(task.predictor(network), 5), task.sample(task.predictor(network), 5)
    expect(first is None or isinstance(first, str), f"expected text or None, got {type(first).__name__}")
    expect(first == again, f"expected a seed to fix the sample, got {first!r} and {again!r}")


def check_gradient_norms(case: TaskCase) -> None:
    """The norms of the gradient are finite, one for each lag from 0, and leave no trace; None where there are none."""
    task = case.ready()
    network = case.network(task).train()
    with untouched(network):
        norms = task.gradient_norms_by_lag(network, 4)
    if norms is not None:
        expect(len(norms) == 5, f"expected a norm for each of the lags 0 to 4, got {len(norms)}")
        expect(all(math.isfinite(norm) and norm >= 0 for norm in norms), f"expected finite norms, got {norms}")
        expect(
            all(parameter.grad is None for parameter in network.parameters()), "expected no gradient left in a weight"
        )


def _leaves_of(config: Settings) -> dict[str, Any]:
    return {
        f"{section}.{name}": value for section, inside in config.model_dump().items() for name, value in inside.items()
    }
