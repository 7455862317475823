"""sb3-contrib's RecurrentPPO on a pole to balance whose velocities are hidden, so that it must remember."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

os.environ.setdefault("KINETO_LOG_LEVEL", "9")

import gymnasium
import numpy as np
import torch
from gymnasium import ObservationWrapper, spaces
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from turns import Run, Stopwatch, arguments, take_turns

from recurra import accelerate

OBSERVED = (0, 2)
"""The place of the cart and the angle of the pole; 1 and 3 are their velocities."""


class Masked(ObservationWrapper):
    """CartPole without its velocities."""

    def __init__(self, env: gymnasium.Env) -> None:
        super().__init__(env)
        whole = env.observation_space
        assert isinstance(whole, spaces.Box)
        self.observation_space = spaces.Box(whole.low[list(OBSERVED)], whole.high[list(OBSERVED)], dtype=np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return observation[list(OBSERVED)]


class Losses(BaseCallback):
    """The loss of each update and the rewards that were collected, as the program itself logs them."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: list[float] = []
        self.rewards: list[float] = []

    def _on_step(self) -> bool:
        self.rewards += [info["episode"]["r"] for info in self.locals["infos"] if "episode" in info]
        return True

    def _on_rollout_start(self) -> None:
        self._read()

    def _on_training_end(self) -> None:
        self._read()

    def _read(self) -> None:
        if (loss := self.logger.name_to_value.get("train/loss")) is not None:
            self.losses.append(float(loss))


def main() -> int:
    parser = arguments("RecurrentPPO", 12, "updates, each after 8 x 64 steps of the environments")
    parser.add_argument("--hidden", type=int, default=256, help="units of the LSTM; the program's own choice is 256")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")

    def train(ours: bool, steps: int) -> Run:
        environments = make_vec_env("CartPole-v1", n_envs=8, seed=options.seed, wrapper_class=Masked)
        model = RecurrentPPO(
            "MlpLstmPolicy",
            environments,
            n_steps=64,
            batch_size=128,
            n_epochs=4,
            seed=options.seed,
            device="cpu",
            policy_kwargs={"lstm_hidden_size": options.hidden},
        )
        swapped = accelerate(model.policy).swapped if ours else []
        heard = Losses()
        with Stopwatch() as watch:
            model.learn(steps * 512, callback=heard)
        last: Any = heard.rewards[-50:]
        weights = torch.nn.utils.parameters_to_vector(model.policy.parameters())
        metrics = {
            "mean return of the last 50 episodes": float(np.mean(last)),
            "episodes": float(len(heard.rewards)),
            "norm of the weights": float(weights.norm()),
        }
        environments.close()
        return Run(watch.wall, watch.cpu, heard.losses, metrics, swapped)

    # An action is drawn from a probability: one that rounding tips over leads to another episode, and no two trainings
    # are alike from there on. Up to there they are the same; the returns after it agree only as those of two seeds do.
    same = take_turns(
        "sb3-contrib RecurrentPPO",
        ["sb3-contrib", "stable-baselines3", "gymnasium"],
        train,
        options,
        first=3,
        tolerance=1e-3,
        loose={"mean return of the last 50 episodes": 0.3, "episodes": 0.3, "norm of the weights": 0.02},
        profiled=2,
    )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
