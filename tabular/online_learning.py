"""Learning while acting: replay against learned models, all else equal.

One loop serves every learner. In each step the agent acts in the environment, stores the transition,
and makes a given number of updates

    Q(s, a) <- Q(s, a) + α (r + γ max over a' of Q(s', a') - Q(s, a)),    or r alone at the end,

the same number for every learner. What differs is where (s, a, r, s') comes from:

- *replay* draws a stored transition;
- a *model* (`tabular.factored.counted_model`) imagines it. A rollout begins in the state of a stored
  transition that is drawn likewise; its actions are uniform over those that the model knows; it ends
  after a given number of transitions, at an imagined end, or where nothing is known. An update whose
  start knows nothing is spent for nothing.

Behaviour is ε-greedy, ties broken uniformly. Q begins at 0. Every random number is a uniform one from
the seed's own generator, so that a seed gives the same run alone and among others, on any number
of threads. The compiled loops (`tabular.learning_kernels`) release the interpreter's lock: seeds run
side by side on threads.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from tabular.factored import CountedModel, Experience, FactoredSpace, ModelStructure
from tabular.finite_mdp import FiniteMDP
from tabular.learning_kernels import imagine, model_arrays, observe, replay, run_steps

Source = ModelStructure | Callable[[Experience], ModelStructure] | None
"""Where updates come from: a model of this structure, or of one that is found anew from what was
seen each time that it has grown by half; or None, the stored transitions themselves."""


@dataclass(frozen=True)
class OnlineSettings:
    """What all learners share.

    Attributes:
        updates: Updates for each step in the environment.
        rollout: The most transitions of a model's rollout.
        step_size: α, above 0 and at most 1.
        exploration: ε, the probability of a uniform action, 0 to 1.
        discount: γ, at least 0 and less than 1.

    Raises:
        ValueError: One of them is out of range.
    """

    updates: int = 10
    rollout: int = 5
    step_size: float = 0.1
    exploration: float = 0.1
    discount: float = 0.9

    def __post_init__(self) -> None:
        for name, least in (("updates", 0), ("rollout", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not 0 < self.step_size <= 1:
            raise ValueError(f"step_size must be above 0 and at most 1, got {self.step_size}")
        if not 0 <= self.exploration <= 1:
            raise ValueError(f"exploration must be 0 to 1, got {self.exploration}")
        if not 0 <= self.discount < 1:
            raise ValueError(f"discount must be at least 0 and less than 1, got {self.discount}")


class World(NamedTuple):
    """An enumerated MDP, ready to be drawn from.

    Attributes:
        first: Where the entries of each pair (state s, action a, in row s A + a) begin.
        cumulative: For each entry, the probability of it and the pair's entries before it.
        successors: The state that each entry leads to.
        rewards: The reward of each state and action.
        starts: The cumulative probability of each first state.
        numbers: The number of each state in its space, which is what learners see.
    """

    first: Int[np.ndarray, " pair_and_one"]
    cumulative: Float[np.ndarray, " entry"]
    successors: Int[np.ndarray, " entry"]
    rewards: Float[np.ndarray, "state action"]
    starts: Float[np.ndarray, " state"]
    numbers: Int[np.ndarray, " state"]

    @classmethod
    def of(cls, mdp: FiniteMDP[Any], space: FactoredSpace) -> "World":
        """From an MDP whose rewards are functions of state and action, and the space that is seen."""
        first = mdp.transitions.indptr.astype(np.int64)
        cumulative = np.concatenate(
            [np.cumsum(chances) for chances in np.split(mdp.transitions.data, first[1:-1])]
        )
        never_ends = np.flatnonzero((mdp.termination.ravel() == 0) & (np.diff(first) > 0))
        cumulative[first[never_ends + 1] - 1] = 1.0  # but for rounding
        starts = np.cumsum(mdp.initial)
        starts[np.flatnonzero(mdp.initial)[-1] :] = 1.0
        successors = mdp.transitions.indices.astype(np.int64)
        return cls(first, cumulative, successors, mdp.rewards, starts, space.reached)


class LearningRun(NamedTuple):
    """What one seed learned.

    Attributes:
        values: Q at each evaluation, in the states of the MDP.
        updates: How many updates had been made by then.
        experience: Everything that happened.
    """

    values: Float[np.ndarray, "evaluation state action"]
    updates: Int[np.ndarray, " evaluation"]
    experience: Experience


def learn_online(
    world: World,
    space: FactoredSpace,
    source: Source,
    settings: OnlineSettings,
    *,
    seed: int,
    evaluations: Iterable[int],
) -> LearningRun:
    """One seed of one learner.

    Args:
        world: Where it acts.
        space: What it tells apart.
        source: Where its updates come from.
        settings: What all learners share.
        seed: Of everything random in this run.
        evaluations: After how many steps Q is looked at, increasing; the last one ends the run.

    Raises:
        ValueError: `evaluations` is empty, negative or not increasing.
    """
    stops = list(evaluations)
    if not stops or stops[0] < 0 or any(b <= a for a, b in pairwise(stops)):
        raise ValueError(f"evaluations must be increasing numbers of steps, got {stops}")
    memory = Experience(
        np.zeros(stops[-1], dtype=np.int64),
        np.zeros(stops[-1], dtype=np.int64),
        np.zeros(stops[-1]),
        np.zeros(stops[-1], dtype=np.int64),
    )
    generator = np.random.default_rng(seed)
    q = np.zeros((space.num_states, space.num_actions))
    nothing = Experience(*(column[:0] for column in memory))
    model = CountedModel.empty(source(nothing) if callable(source) else source or _NO_STRUCTURE)
    renewals = _renewals(stops[-1]) if callable(source) else set()
    step, position, made = 0, -1, 0
    values, updates = [], []
    for stop in sorted({*stops, *renewals}):
        position, more = run_steps(
            generator, world, memory, q, model_arrays(model), source is not None, position, step, stop,
            settings.updates, settings.rollout,
            settings.step_size, settings.exploration, settings.discount,
        )  # fmt: skip
        step, made = stop, made + more
        if stop in renewals and callable(source):
            seen = Experience(*(column[:stop] for column in memory))
            model = CountedModel.empty(source(seen))
            observe(model_arrays(model), *seen)
        if stop in stops:
            values.append(q[world.numbers])
            updates.append(made)
    return LearningRun(np.stack(values), np.array(updates), memory)


def learn_offline(
    space: FactoredSpace,
    source: ModelStructure | None,
    experience: Experience,
    settings: OnlineSettings,
    *,
    seed: int,
    updates: int,
) -> Float[np.ndarray, "state action"]:
    """Q in the reached states, after so many updates from experience that does not grow.

    Args:
        space: What is told apart.
        source: The structure of a model, or None for replay.
        experience: At least one transition.
        settings: Those of them that have to do with updates.
        seed: Of what is drawn.
        updates: How many there are.

    Raises:
        ValueError: There is no transition, or one that cannot be in this space; or `updates` is
            negative.
    """
    if updates < 0:
        raise ValueError(f"updates must be at least 0, got {updates}")
    _require_experience(space, source, experience)
    generator, size = np.random.default_rng(seed), len(experience.states)
    q = np.zeros((space.num_states, space.num_actions))
    step_size, discount = settings.step_size, settings.discount
    if source is None:
        replay(generator, experience, size, q, updates, step_size, discount)
    else:
        model = model_arrays(CountedModel.empty(source))
        observe(model, *experience)
        starts, rollout = experience.states, settings.rollout
        imagine(generator, model, starts, size, q, updates, rollout, step_size, discount)
    learned: np.ndarray = q[space.reached]
    return learned


def _require_experience(
    space: FactoredSpace, source: ModelStructure | None, experience: Experience
) -> None:
    """Refuse what the kernels, which check nothing, would read or count out of bounds."""
    size = len(experience.states)
    if not size:
        raise ValueError("experience must hold at least one transition, got none")
    for name, column, least, end in (
        ("states", experience.states, 0, space.num_states),
        ("actions", experience.actions, 0, space.num_actions),
        ("rewards", experience.rewards, -np.inf, np.inf),
        ("next_states", experience.next_states, -1, space.num_states),
    ):
        if column.shape != (size,):
            raise ValueError(f"{name} must have the shape {(size,)}, got {column.shape}")
        wrong = column[~((column >= least) & (column < end) & np.isfinite(column))]
        if len(wrong):
            accepted = "finite" if name == "rewards" else f"{least} to {end - 1}"
            raise ValueError(f"{name} must be {accepted}, got {wrong[0]}")
    if source is None:
        return
    taken = np.stack([experience.states, experience.actions, experience.next_states])
    for state, action, following in np.unique(taken, axis=1).T.tolist():
        if following >= 0 and not source.allows(state, action, following):
            raise ValueError(
                f"action {action} must not lead from state {state} to {following}: "
                "the model has no place for it"
            )


# What replay hands to the kernel, which never looks at it.
_NO_STRUCTURE = ModelStructure(
    np.zeros((2, 1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64),
    np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64),
)  # fmt: skip


def _renewals(last: int) -> set[int]:
    """Step 1, and then each time that what was seen has grown by half."""
    found, step = set(), 1
    while step <= last:
        found.add(step)
        step += max(1, step // 2)
    return found
