"""What a task is: everything that the training loop, the run folder and the command line may ask of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor, nn

from recurra.errors import UsageError
from recurra.tasks.base.settings import Settings, names_files, unknown


@dataclass(frozen=True)
class Facts:
    """What is known of the data once it is read.

    counts: what goes into the start of the metrics ("train_units": …).  fingerprint: changes whenever the examples do.
    """

    counts: dict[str, int]
    fingerprint: str
    notes: list[str] = field(default_factory=list)


Carry = Any
"""What a network hands from one batch to the next: nested tuples of tensors, or None at the beginning."""
Batch = Any
ConfigT = TypeVar("ConfigT", bound=Settings)


class Task(ABC, Generic[ConfigT]):
    """One kind of work. `config` holds its sections; values of None in it are filled in by `choose`."""

    name: ClassVar[str]
    title: ClassVar[str]
    Config: ClassVar[type[Settings]]
    higher: ClassVar[bool] = False
    """Whether the criterion is better the higher it is."""
    commands: ClassVar[tuple[str, ...]] = ()
    """Command lines that show how to train one, for the help."""
    predict_options: ClassVar[frozenset[str]] = frozenset()
    """What `predict` takes beside `k` and `steps`; with one of these an answer may depend on all that is asked at once."""
    evaluate_options: ClassVar[frozenset[str]] = frozenset()
    """What `evaluate` takes beside the data and `baselines`."""

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    # Training

    @property
    def criterion(self) -> str:
        """The validation figure that decides which weights are kept."""
        return "nll"

    @abstractmethod
    def prepare(self, saved: Path | None = None) -> Facts:
        """Read the data. `saved` is a run folder whose vocabulary is to be used again; otherwise one is made."""

    @abstractmethod
    def save(self, folder: Path) -> list[str]:
        """Write what the network's inputs and outputs mean (a vocabulary) and give the names of the files."""

    @abstractmethod
    def restore(self, folder: Path) -> None:
        """Read what `save` wrote, so that `network` can be called without the data."""

    @abstractmethod
    def choose(self, seconds: float | None, measure: Callable[[], float]) -> float:
        """Fill in what the user left open, and give the number of epochs worth training.

        seconds: the time there is for training, or None.  measure() builds the network as configured now and gives
        the seconds that an epoch of it takes on this machine.
        """

    def batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        """Choose how many sequences are read side by side, given the time for training (None: as long as it takes)."""
        return 64

    def learning_rate(self) -> float | None:
        """Choose AdamW's learning rate, where the user has not; None: the one that suits most (`recurra.training.config`)."""
        return None

    @abstractmethod
    def network(self) -> nn.Module:
        """Build the network, with fresh weights drawn from torch's generator."""

    @abstractmethod
    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of an epoch from batch `start` on; the same arguments always give the same batches."""

    @abstractmethod
    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        """Count the batches of an epoch."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Batch, carry: Carry) -> tuple[Tensor, int, Carry]:
        """Give the summed loss of a batch, over how many elements it is summed, and what to hand to the next batch."""

    @abstractmethod
    def validate(self, network: nn.Module) -> dict[str, float] | None:
        """Measure on the validation data, `criterion` among the figures; None where there is none."""

    def sample(self, network: nn.Module, seed: int) -> str | None:  # noqa: ARG002
        """Show in a few lines what the network can do by now; must not touch torch's global generator."""
        return None

    def begin(self, network: nn.Module) -> str | None:  # noqa: ARG002
        """Set what a network begins to learn from, where the data tell better than chance, and say what it is.

        Must not touch torch's generator.
        """
        return None

    def settle(self, network: nn.Module) -> None:
        """Set what no gradient finds, such as how sure the network may be, by the validation data; training is over."""

    def gradient_lags(self, network: nn.Module, lags: int) -> list[float] | None:  # noqa: ARG002
        """Give the norm of the gradient of the last step's loss with respect to the state k steps before, k = 0 … lags."""
        return None

    # After training

    @classmethod
    def files(cls) -> frozenset[str]:
        """Name the settings that name files (`Files`): a run can be used from anywhere, so it remembers where they are."""
        sections = [section.annotation for section in cls.Config.model_fields.values()]
        known = [section.model_fields for section in sections if isinstance(section, type)]
        return frozenset(name for settings in known for name, setting in settings.items() if names_files(setting))

    @property
    def repeatable(self) -> bool:
        """Whether the data can be read again later; standard input cannot."""
        given = [setting for section in self.config.model_dump().values() for setting in section.items()]
        return not any(name in self.files() and "-" in files for name, files in given)

    @property
    @abstractmethod
    def held_out(self) -> bool:
        """Whether the run's own data leave something to evaluate on."""

    @abstractmethod
    def evaluate(
        self, network: nn.Module, data: list[str] | None, progress: Callable[[str], None], *, baselines: bool = True
    ) -> dict[str, Any]:
        """Measure on held-out data, beside the baselines if wanted; the object that the `evaluate` verb prints.

        data: what the user names, or None for the run's own test data.
        """

    def parse(self, line: str) -> Any:
        """Read one line, of a pipe or a file, as what `predict` takes; raises `DataError` for one that cannot be read so."""
        return line

    def inputs(self, source: str) -> list[Any] | None:  # noqa: ARG002
        """Read a file that holds what `predict` takes in a form of its own; None where each line is one."""
        return None

    def piped(self, first: bytes, rest: Callable[[], bytes]) -> list[Any] | None:  # noqa: ARG002
        """Read the whole of a pipe as `inputs` does a file, where its first line says that it is one; None where each line is one.

        rest: gives what follows the first line, and waits for its end.
        """
        return None

    def line_stream(self, network: nn.Module) -> Callable[[str], Mapping[str, Any] | None] | None:  # noqa: ARG002
        """Give what answers the lines of a pipe, where each is the next step of one stream; None where each is a whole input.

        It is called with every line in turn, and gives None for one that has no answer, such as a header.
        """
        return None

    def check_options(self, names: Iterable[str], known: frozenset[str] | None = None) -> None:
        """Raise `UsageError` for an option that this task does not take.  known: those of a verb; by default `predict`'s."""
        known = self.predict_options if known is None else known
        for name in names:
            if name not in known:
                taken = ", ".join(sorted(known)) or "none of its own"
                raise UsageError(f"{name}: a run of {self.name!r} does not take this option; it takes {taken}")

    def warnings(self, item: Any) -> list[str]:  # noqa: ARG002
        """Say, in a sentence each, why little may be expected for what `predict` is given; nothing in most cases."""
        return []

    def prediction_line(self, result: Mapping[str, Any]) -> str:
        """Write what `predict` gave in a line for people, or one for each step; by default all of it, as it is."""
        return "\t".join(f"{name}: {value}" for name, value in result.items())

    def prediction_header(self, result: Mapping[str, Any]) -> str | None:  # noqa: ARG002
        """Name the columns of the table that `prediction_line` writes of such results, tabs between; None where it is no table."""
        return None


_tasks: dict[str, type[Task]] = {}
TaskT = TypeVar("TaskT", bound=Task)


def register_task(task: type[TaskT]) -> type[TaskT]:
    """Make a task known under its name; used as a class decorator."""
    if task.name in _tasks:
        raise ValueError(f"a task named {task.name!r} is registered already")
    _tasks[task.name] = task
    return task


def task_names() -> list[str]:
    """List the names of all registered tasks."""
    return list(_tasks)


def get_task(name: str) -> type[Task]:
    """Find a task by its name; raises `UsageError` for an unknown one."""
    if name not in _tasks:
        raise UsageError(f"task: {unknown(name, _tasks)}")
    return _tasks[name]
