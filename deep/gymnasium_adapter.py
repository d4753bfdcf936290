"""The environments as Gymnasium environments, single and vector.

Both run the batched functions on the host, and draw the same numbers: a vector environment that is
reset with seed s is, lane by lane, the single environments that are reset with seeds s, s + 1, ...
Terminated is the environment's own terminal flag; truncated comes from a time limit alone, and none
is set unless asked for (`max_episode_steps`).
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Discrete, MultiBinary
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from jaxtyping import Shaped
from torch import Tensor

from deep.argument_checks import require_integer, require_one_of
from deep.environments import ENVIRONMENTS, Environment, Noise, at, make, select
from deep.rendering import ansi, picture

_MODULE = "deep.gymnasium_adapter"
_RENDER_MODES = ("rgb_array", "ansi")
_STEPS_DRAWN_AT_ONCE = 64

Array = Shaped[np.ndarray, "..."]
State = tuple[Tensor, ...]


def register() -> None:
    """Make the environments known to Gymnasium as mbgen/PanFlute-v0 and so on."""
    for name in ENVIRONMENTS:
        if f"mbgen/{name}-v0" not in gymnasium.registry:
            gymnasium.register(
                f"mbgen/{name}-v0",
                entry_point=f"{_MODULE}:SingleEnvironment",
                vector_entry_point=f"{_MODULE}:VectorEnvironment",
                kwargs={"name": name},
            )


class SingleEnvironment(gymnasium.Env[Array, Any]):
    """One copy of an environment.

    Args:
        name: One of `deep.environments.ENVIRONMENTS`.
        render_mode: "rgb_array", "ansi" or None.
        **options: The environment's own settings, such as `num_pipes=7` or `spontaneous=False`.

    Raises:
        ValueError: A setting is unknown or out of range.
    """

    metadata = {"render_modes": list(_RENDER_MODES), "render_fps": 6}  # noqa: RUF012

    def __init__(self, name: str, render_mode: str | None = None, **options: Any) -> None:
        self.environment = make(name, **options)
        self.observation_space = MultiBinary(self.environment.num_features)
        self.action_space = Discrete(self.environment.num_actions)
        require_one_of("render_mode", render_mode, (None, *_RENDER_MODES))
        self.render_mode = render_mode
        self._seed: Tensor | None = None
        self._state: State | None = None
        self._fresh: State | None = None  # after a terminal step: the next episode's first state

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start an episode; with a seed, start the stream of random numbers anew as well."""
        super().reset(seed=seed, options=options)
        if seed is not None or self._seed is None:
            (self._seed,) = _seeds(seed, 1, self.np_random)
            self._time = self._episode = 0
            self._fresh = None
        if self._fresh is None:
            self._state = self.environment.initial(self._seed, torch.tensor(self._episode))
            self._episode += 1
        else:
            self._state, self._fresh = self._fresh, None
        return _features(self.environment, self._state), {}

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Apply an action.

        Raises:
            ResetNeeded: There was no reset, or none since the episode terminated.
            ValueError: The action is out of range.
        """
        if self._state is None or self._fresh is not None:
            raise ResetNeeded("step needs a reset first: at the start and after termination")
        (chosen,) = _actions([action], 1, self.environment)
        step = self.environment.step(self._state, chosen, self._next_noise())
        self._state = step.successor
        terminated = bool(step.terminal)
        if terminated:
            self._fresh = step.next_state
        return _features(self.environment, self._state), float(step.reward), terminated, False, {}

    def render(self) -> Any:
        """The state as pixels or as text, by the render mode.

        Raises:
            ResetNeeded: There was no reset.
        """
        if self._state is None:
            raise ResetNeeded("render needs a reset first")
        return _render(self.environment, self._state, self.render_mode)

    def _next_noise(self) -> Noise[State]:
        ahead = self._time % _STEPS_DRAWN_AT_ONCE
        if ahead == 0:
            assert self._seed is not None
            times = self._time + torch.arange(_STEPS_DRAWN_AT_ONCE)
            self._noise = self.environment.noise(self._seed, times)
        self._time += 1
        return at(self._noise, ahead)


class VectorEnvironment(VectorEnv[Array, Any, Array]):
    """Many copies in one batch, each reset in the very step in which its episode ends.

    The observation returned is then the first of the new episode, and `infos["final_obs"]` holds
    the last of the old one, where `infos["_final_obs"]` is true.

    Args:
        name: One of `deep.environments.ENVIRONMENTS`.
        num_envs: The number of copies.
        render_mode: "rgb_array", "ansi" or None.
        max_episode_steps: Truncate episodes after so many steps; None: never.
        **options: The environment's own settings.

    Raises:
        ValueError: A setting is unknown or out of range.
    """

    metadata = {  # noqa: RUF012
        "render_modes": list(_RENDER_MODES),
        "render_fps": 6,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        name: str,
        num_envs: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        require_integer("num_envs", num_envs, 1)
        if max_episode_steps is not None:
            require_integer("max_episode_steps", max_episode_steps, 1)
        self.environment = make(name, **options)
        self.num_envs = num_envs
        require_one_of("render_mode", render_mode, (None, *_RENDER_MODES))
        self.render_mode = render_mode
        self.single_observation_space = MultiBinary(self.environment.num_features)
        self.single_action_space = Discrete(self.environment.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._limit = max_episode_steps
        self._seed: Tensor | None = None
        self._state: State | None = None

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Start an episode in every copy; with a seed, start the random streams anew as well."""
        super().reset(seed=seed if isinstance(seed, int) else None, options=options)
        if seed is not None or self._seed is None:
            self._seed = _seeds(seed, self.num_envs, self.np_random)
            self._time = self._episode = 0
        self._state = self._first_states(self._seed)
        self._elapsed = torch.zeros(self.num_envs, dtype=torch.int64)
        return _features(self.environment, self._state), {}

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Apply an action in each copy.

        Raises:
            ResetNeeded: There was no reset.
            ValueError: The actions are not one for each copy, or one is out of range.
        """
        if self._state is None or self._seed is None:
            raise ResetNeeded("step needs a reset first")
        chosen = _actions(actions, self.num_envs, self.environment)
        noise = self.environment.noise(self._seed, torch.tensor(self._time))
        step = self.environment.step(self._state, chosen, noise)
        self._time += 1
        self._elapsed += 1
        self._state = step.next_state
        truncated = torch.zeros_like(step.terminal)
        if self._limit is not None:
            truncated = self._elapsed >= self._limit
            if (cut := truncated & ~step.terminal).any():
                self._state = select(cut, self._first_states(self._seed), self._state)
        ended = (step.terminal | truncated).numpy()
        self._elapsed[ended] = 0
        infos = {}
        if ended.any():
            last = _features(self.environment, step.successor)
            final = np.full(self.num_envs, None, dtype=object)
            for lane in np.flatnonzero(ended):
                final[lane] = last[lane]
            infos = {"final_obs": final, "_final_obs": ended}
        return (
            _features(self.environment, self._state),
            step.reward.double().numpy(),
            step.terminal.numpy(),
            truncated.numpy(),
            infos,
        )

    def render(self) -> Any:
        """The states as pixels or as text, one for each copy, by the render mode.

        Raises:
            ResetNeeded: There was no reset.
        """
        if self._state is None:
            raise ResetNeeded("render needs a reset first")
        states = [
            type(self._state)(*(field[lane] for field in self._state))
            for lane in range(self.num_envs)
        ]
        return tuple(_render(self.environment, state, self.render_mode) for state in states)

    def _first_states(self, seed: Tensor) -> State:
        state: State = self.environment.initial(seed, torch.tensor(self._episode))
        self._episode += 1
        return state


def _render(environment: Environment[Any], state: State, mode: str | None) -> Any:
    if mode == "rgb_array":
        return picture(environment, state)
    return ansi(environment, state) if mode == "ansi" else None


def _features(environment: Environment[Any], state: State) -> Array:
    array: Array = environment.observe(state).numpy().astype(np.int8)
    return array


def _seeds(
    seed: int | Sequence[int | None] | None, lanes: int, random: np.random.Generator
) -> Tensor:
    """A seed for each lane: the given ones; s, s + 1, ... from a single s; random where None."""
    given = [seed] * lanes if seed is None else seed
    if isinstance(given, int):
        given = range(given, given + lanes)
    if len(given) != lanes:
        raise ValueError(f"seed must be one integer or {lanes}, got {len(given)}")
    return torch.tensor([int(random.integers(2**63)) if s is None else s for s in given])


def _actions(actions: Any, lanes: int, environment: Environment[Any]) -> Tensor:
    chosen = np.asarray(actions)
    if chosen.shape != (lanes,) or not np.issubdtype(chosen.dtype, np.integer):
        raise ValueError(
            f"an action must be an integer for each of {lanes} copies, got {actions!r}"
        )
    if chosen.min() < 0 or chosen.max() >= environment.num_actions:
        raise ValueError(
            f"actions must be 0 to {environment.num_actions - 1}, "
            f"got {chosen.min()} to {chosen.max()}"
        )
    return torch.from_numpy(chosen.astype(np.int64))
