"""The grammar learner. Files, in the order in which they may import each other: config preprocessing defaults data network generate predict legality memory baselines calibrate evaluate report task."""

from recurra.tasks.grammar.config import GrammarConfig
from recurra.tasks.grammar.predict import GrammarModel
from recurra.tasks.grammar.task import GrammarTask

__all__ = ["GrammarConfig", "GrammarModel", "GrammarTask"]
