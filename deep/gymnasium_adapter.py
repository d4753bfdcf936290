"""The environments as Gymnasium environments, single and vector.

Both run the batched functions on the host, and draw the same numbers: a vector environment that is
reset with seed s is, lane by lane, the single environments that are reset with seeds s, s + 1, ...
The life of a copy depends on its seed and its actions, never on the other copies. Terminated is
the environment's own terminal flag; truncated comes from a time limit alone, and none is set unless
asked for (`max_episode_steps`).
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
from jaxtyping import Bool, Int64, Shaped
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
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start an episode; with a seed, start the stream of random numbers anew as well.

        Args:
            seed: An integer from 0 to 2^63 - 1, or None.
            options: None are known.

        Raises:
            ValueError: The seed is none of these; the environment then is as it was.
        """
        given = _seed(seed)
        super().reset(seed=given, options=options)
        if given is not None or self._seed is None:
            drawn = _drawn_seeds(1, self.np_random)[0]
            self._seed = drawn if given is None else torch.tensor(given)
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
        self._state: State | None = None
        # Of each copy: its seed, its steps and episodes since it was given that, and the episode's steps.
        self._seed, self._time, self._episode, self._elapsed = torch.zeros(
            4, num_envs, dtype=torch.int64
        )

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        """Start an episode in the copies; those given a seed start their random streams anew as well.

        Args:
            seed: None; an integer s from 0 to 2^63 - 1, for seeds s, s + 1, ...; or an integer or None
                for each copy.
            options: {"reset_mask": mask} resets only the copies where the array of bools is True.

        Raises:
            ResetNeeded: Some copies are left out, but there was no reset of them all so far.
            ValueError: The seed or the mask is none of these; the environment then is as it was.
        """
        seeds = _seeds(seed, self.num_envs)
        chosen = _reset_mask(options, self.num_envs)
        first = self._state is None
        if first and not chosen.all():
            raise ResetNeeded("reset_mask needs a reset of every copy first")
        super().reset(seed=_seed(seed) if np.ndim(seed) == 0 else None, options=options)
        if first:
            self._seed = _drawn_seeds(self.num_envs, self.np_random)
        anew = chosen & torch.tensor([one is not None for one in seeds])
        self._seed = torch.where(anew, torch.tensor([one or 0 for one in seeds]), self._seed)
        for count in (self._time, self._episode):
            count.masked_fill_(anew, 0)
        return _features(self.environment, self._begin(chosen)), {}

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Apply an action in each copy.

        Raises:
            ResetNeeded: There was no reset.
            ValueError: The actions are not one for each copy, or one is out of range.
        """
        if self._state is None:
            raise ResetNeeded("step needs a reset first")
        chosen = _actions(actions, self.num_envs, self.environment)
        noise = self.environment.noise(self._seed, self._time)
        step = self.environment.step(self._state, chosen, noise)
        self._time += 1
        self._elapsed += 1
        self._state = step.next_state
        truncated = torch.zeros_like(step.terminal)
        if self._limit is not None:
            truncated = self._elapsed >= self._limit
            if (cut := truncated & ~step.terminal).any():
                self._begin(cut)
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

    def _begin(self, chosen: Bool[Tensor, "lane"]) -> State:
        """Start an episode in the chosen copies; returns the states of all."""
        fresh: State = self.environment.initial(self._seed, self._episode)
        self._state = fresh if self._state is None else select(chosen, fresh, self._state)
        self._episode += chosen
        self._elapsed.masked_fill_(chosen, 0)
        return self._state


def _render(environment: Environment[Any], state: State, mode: str | None) -> Any:
    if mode == "rgb_array":
        return picture(environment, state)
    return ansi(environment, state) if mode == "ansi" else None


def _features(environment: Environment[Any], state: State) -> Array:
    array: Array = environment.observe(state).numpy().astype(np.int8)
    return array


def _seed(seed: Any, copies: int = 1) -> int | None:
    """The seed as Python's integer, if it leaves room for those of `copies` copies."""
    if seed is None:
        return None
    integer = int(seed) if isinstance(seed, np.integer) else seed
    require_integer("seed", integer, 0, 2**63 - copies)
    return integer


def _seeds(seed: Any, copies: int) -> Sequence[int | None]:
    """A seed for each copy: the given ones; s, s + 1, ... from a single s; None from None."""
    if np.ndim(seed) == 0:
        first = _seed(seed, copies)
        return [None] * copies if first is None else range(first, first + copies)
    if len(seed) != copies:
        raise ValueError(f"seed must be one integer or {copies}, got {len(seed)}")
    return [_seed(one) for one in seed]


def _drawn_seeds(copies: int, random: np.random.Generator) -> Int64[Tensor, "lane"]:
    return torch.from_numpy(random.integers(2**63, size=copies))


def _reset_mask(options: dict[str, Any] | None, copies: int) -> Bool[Tensor, "lane"]:
    """Which copies a reset is for."""
    mask = np.asarray((options or {}).get("reset_mask", np.ones(copies, bool)))
    if mask.shape != (copies,) or mask.dtype != bool or not mask.any():
        raise ValueError(
            f"reset_mask must be {copies} bools, one of them True, got {mask.tolist()}"
        )
    return torch.from_numpy(mask.copy())


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
