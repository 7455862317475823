"""What a task is: how to train. Everything that the training loop, the run folder and the command line may ask of one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from torch import Tensor, nn

from recurra.errors import DataError, UsageError
from recurra.report import TaskDescription
from recurra.report.blocks import Block, note_blocks
from recurra.tasks.base.dataset import SplitDataset
from recurra.tasks.base.predictor import ConfigT, Predictor
from recurra.tasks.base.settings import Settings, is_file_setting
from recurra.tasks.base.transfer import PretrainedLayers


@dataclass(frozen=True)
class DatasetSummary:
    """What is known of the data once they are read.

    counts: what goes into the start of the metrics ("train_units": …).  fingerprint: changes whenever the examples do.
    """

    counts: dict[str, int]
    fingerprint: str
    notes: list[str] = field(default_factory=list)


CarriedState = Any
"""What a network hands from one batch to the next: nested tuples of tensors, or None at the beginning."""
Batch = Any
DatasetT = TypeVar("DatasetT", bound=SplitDataset)


@dataclass(frozen=True)
class Phase:
    """A training that comes before another one.

    text: what it is, for the user.  share: of the time for both, where that is limited.  epochs: passes over its data; None: by the data, or the time.
    result: what it leads to, for the user.
    """

    task: Task[Any, Any]
    text: str
    share: float
    epochs: float | None
    result: str = "language model"


class Task(ABC, Generic[ConfigT, DatasetT]):
    """One kind of work. `config` holds its sections; values of None in it are filled in by `choose_defaults`.

    A task trains; what it leaves is a `Predictor`, which needs no data. The data are read when they are first asked for.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Config: ClassVar[type[Settings]]
    Predictor: ClassVar[type[Predictor]]
    maximize: ClassVar[bool] = False
    """Whether the criterion is better the higher it is."""
    keep_last_of_equals: ClassVar[bool] = False
    """Whether of several validations with the same criterion the weights of the last are kept, as where it counts errors; else those of the first."""
    element: ClassVar[tuple[str, str]] = ("element", "elements")
    """What is counted in an evaluation and learnt from in a second: one of them, and several."""
    generated_data: ClassVar[frozenset[str]] = frozenset()
    """Names that stand for data which the task makes itself; each is named alone, and a file of that name outranks it."""
    cli_examples: ClassVar[tuple[str, ...]] = ()
    """Command lines that show how to train one, for the help."""
    samples_title: ClassVar[str] = TaskDescription.samples_title
    """What several samples of a training show, side by side in a report."""
    usage: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What can be done with a run, for its report: (purpose, command line), in which {run} stands for the folder."""

    def __init__(self, config: ConfigT) -> None:
        self.config = config
        self._preprocessor: Any = None
        self._dataset: DatasetT | None = None

    @property
    def criterion(self) -> str:
        """The validation metric that decides which weights are kept."""
        return "nll"

    # Data

    @abstractmethod
    def read_dataset(self, preprocessor: Any | None) -> DatasetT:
        """Read, split and encode all that a training needs.

        preprocessor: that of a run, which is to be used again; None: one is made from the training part.
        """

    @abstractmethod
    def count_dataset(self, dataset: DatasetT) -> dict[str, int]:
        """Count what goes into the start of the metrics."""

    def prepare(self, saved: Path | None = None) -> DatasetSummary:
        """Read the data, once. saved: a run folder whose preprocessor is to be used again; otherwise one is made."""
        if self._dataset is None:
            if saved is not None:
                self.restore(saved)
            self._dataset = self.read_dataset(self._preprocessor)
            self._preprocessor = self._dataset.preprocessor
        dataset = self._dataset
        return DatasetSummary(self.count_dataset(dataset), dataset.fingerprint, dataset.notes)

    @property
    def dataset(self) -> DatasetT:
        """The data, which are read now if they were not."""
        if self._dataset is None:
            self.prepare()
        return cast(DatasetT, self._dataset)

    @property
    def is_prepared(self) -> bool:
        """Whether the data have been read."""
        return self._dataset is not None

    @property
    def preprocessor(self) -> Any:
        """What the network's inputs and outputs mean; raises `DataError` before data were read or a run was restored."""
        if self._preprocessor is None:
            raise DataError("nothing is known of the data yet: read them or load a run first")
        return self._preprocessor

    def save(self, folder: Path) -> list[str]:
        """Write what the network's inputs and outputs mean and give the names of the files."""
        return self.preprocessor.save(folder)

    def restore(self, folder: Path) -> None:
        """Read what `save` wrote, so that the network can be built without the data."""
        self._preprocessor = self.Predictor.load_preprocessor(folder, self.config)

    @classmethod
    def file_settings(cls) -> frozenset[str]:
        """Name the settings that name files (`Files`): a run can be used from anywhere, so it remembers where they are."""
        sections = [section.annotation for section in cls.Config.model_fields.values()]
        known = [section.model_fields for section in sections if isinstance(section, type)]
        return frozenset(name for settings in known for name, setting in settings.items() if is_file_setting(setting))

    @property
    def rereadable(self) -> bool:
        """Whether the data can be read again later; standard input cannot."""
        given = [setting for section in self.config.model_dump().values() for setting in section.items()]
        return not any(name in self.file_settings() and "-" in files for name, files in given)

    @property
    def has_held_out(self) -> bool:
        """Whether the run's own data leave something to evaluate on."""
        return self.dataset.test is not None or self.dataset.valid is not None

    def held_out_split(self) -> tuple[Any, str]:
        """Give what of the run's own data is measured on, and its name: the test part, or else the validation part.

        Raises `DataError` where nothing is held out.
        """
        split = self.dataset.valid if self.dataset.test is None else self.dataset.test
        if split is None:
            raise DataError("this run has no held-out data: name some, as in `recurra evaluate RUN DATA`")
        return split, "test" if split is self.dataset.test else "valid"

    def on_part(self, part: Any) -> Self | None:  # noqa: ARG002
        """Give this task with a held-out part of its data in the place of the training part, as batches and losses see it; None where it cannot be."""
        return None

    def class_counts(self) -> dict[str, int] | None:
        """Count how often each class that the network has an output for comes in training; None where its outputs are no classes."""
        return None

    # Before training

    def fit_linear(self, seconds: float | None, progress: Callable[[str], None]) -> None:  # noqa: ARG002
        """Fit what a model holds beside its network, and learns without gradients, where there is such; seconds: for all of the training, or None."""
        return

    @abstractmethod
    def choose_defaults(self, seconds: float | None, measure_seconds: Callable[[], float]) -> float:
        """Fill in what the user left open, and give the number of epochs worth training.

        seconds: the time there is for training, or None.  measure_seconds() builds the network as configured now and
        gives the seconds that an epoch of it takes on this machine.
        """

    def default_batch_size(self, seconds: float | None) -> int:  # noqa: ARG002
        """Choose how many sequences are read side by side, given the time for training (None: as long as it takes)."""
        return 64

    def default_learning_rate(self) -> float | None:
        """Choose AdamW's learning rate, where the user has not; None: the one that suits most (`recurra.training.config`)."""
        return None

    def build_network(self) -> nn.Module:
        """Build the network, with fresh weights drawn from torch's generator."""
        return self.Predictor.build_network(self.config, self.preprocessor)

    def initialize(self, network: nn.Module) -> str | None:  # noqa: ARG002
        """Set what the training data tell of a fresh network better than chance, and say in a sentence what that is.

        Must not touch torch's generator.
        """
        return None

    # Beginning with what was learnt before

    def take_over(self, given: PretrainedLayers) -> None:
        """Take the settings that a run's weights need, before the data are read; `initialize` then copies the weights.

        Raises `UsageError` where the user has set them otherwise.
        """
        raise UsageError(f"from: a run of {self.name} cannot begin with {given.run}; leave --from out")

    def pretraining(self) -> Phase | None:
        """Give what is to be trained before, where the user asks for that; `take_pretrained` is then given its weights.

        The data are read by then; the network's sizes are chosen here.
        """
        return None

    def take_pretrained(self, weights: Mapping[str, Tensor], epochs: float) -> None:  # noqa: ARG002
        """Keep the weights that `pretraining` has led to, for `initialize`, and after how many passes it did, for the configuration."""
        raise UsageError(f"a run of {self.name} begins with no weights, got {len(weights)}")

    def layer_depths(self, network: nn.Module) -> dict[str, int]:  # noqa: ARG002
        """Give how far below the output each parameter lies, by its name, where lower layers are changed more carefully."""
        return {}

    # Training

    @abstractmethod
    def batches(self, epoch: int, *, batch: int, seed: int, start: int = 0) -> Iterator[Batch]:
        """Give the batches of an epoch from batch `start` on; the same arguments always give the same batches."""

    @abstractmethod
    def batch_count(self, epoch: int, *, batch: int, seed: int) -> int:
        """Count the batches of an epoch."""

    @abstractmethod
    def loss(self, network: nn.Module, batch: Batch, carried: CarriedState) -> tuple[Tensor, int, CarriedState]:
        """Give the summed loss of a batch, over how many elements it is summed, and what to hand to the next batch."""

    def predictor(self, network: nn.Module) -> Predictor:
        """Give the network as what a user asks: without a copy, so it sees each step of training."""
        return self.Predictor(self.config, network, self.preprocessor)

    @abstractmethod
    def validate(self, predictor: Any) -> dict[str, float] | None:
        """Measure on the validation data, `criterion` among the metrics; None where there are none."""

    def sample(self, predictor: Any, seed: int) -> str | None:  # noqa: ARG002
        """Show in a few lines what the network can do by now; must not touch torch's global generator."""
        return None

    def gradient_norms_by_lag(self, network: nn.Module, lags: int) -> list[float] | None:  # noqa: ARG002
        """Give the norm of the gradient of the last step's loss with respect to the state k steps before, k = 0 … lags."""
        return None

    # After training

    def calibrate(self, predictor: Any) -> None:
        """Set what no gradient finds, such as how sure the network may be, by the validation data; training is over."""

    @abstractmethod
    def evaluate(
        self,
        predictor: Any,
        data: list[str] | None,
        progress: Callable[[str], None],
        *,
        baselines: bool = True,
        options: Any = None,
    ) -> dict[str, Any]:
        """Measure on held-out data, beside the baselines if wanted; the object that the `evaluate` verb prints.

        data: what the user names, or None for the run's own test data.  options: an instance of the predictor's `EvaluateOptions`.
        """

    # What a report shows

    @classmethod
    def description(cls) -> TaskDescription:
        """Describe the task as a report presents it."""
        return TaskDescription(cls.title, cls.element, cls.samples_title, cls.usage)

    @classmethod
    def report_blocks(cls, evaluation: Mapping[str, Any]) -> list[Block]:
        """Give what there is to see of an evaluation beside its metrics, in the order of the report; by default its notes.

        It must not fail on an evaluation that holds something else than `evaluate` gives: what is broken is left out.
        """
        return note_blocks(evaluation)
