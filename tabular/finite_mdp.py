"""Finite MDPs as sparse matrices, built from a rule by exploring what can be reached.

Symbols, here and in `tabular.solvers`: P(s' | s, a) is the probability of going on to s', and
1 - sum over s' of P(s' | s, a) that of the step being terminal; r(s, a) is the expected reward. For
values v of the states, (r + discount P v)(s, a) is the backup.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, Literal, TypeVar, get_args

import networkx as nx
import numpy as np
from jaxtyping import Float, Int, Num
from numpy.typing import ArrayLike
from scipy import sparse

from tabular.argument_checks import require_one_of, require_positive_integer
from tabular.rule import Environment, Rule, require_initial_distribution, require_law

State = TypeVar("State", bound=Hashable)

Layout = Literal["state action state", "action state state"]
"""The order of the axes of dense transition probabilities; the last one is the next state."""

Policy = Num[np.ndarray, " state"] | Num[np.ndarray, "state action"]
"""The action of each state, or the probability of each action in each state."""

MAX_REWARD = 1e100
"""The largest size of a reward, so that no value, square or product of values overflows."""

_ROUNDING = 1e-12
"""By how much a few probabilities that add to 1 may miss it in floating point."""


@dataclass(frozen=True, eq=False)
class FiniteMDP(Generic[State]):
    """A finite MDP in floating point, every state of which is reachable if it comes from a rule.

    Attributes:
        states: The states, in the order of all arrays.
        transitions: Sparse matrix P with a row for each state and action (row s * actions + a) and
            a column for each next state. A row adds to 1 less the probability of termination.
        rewards: Expected reward r of each state and action.
        initial: Probability of each state after a reset.

    Raises:
        ValueError: The arrays do not belong together, some are no probabilities, or a reward is not
            a number of at most `MAX_REWARD` in size. In particular, no reward may be infinite: an
            action that is not allowed in a state can repeat the row and reward of one that is.
    """

    states: tuple[State, ...]
    transitions: sparse.csr_array
    rewards: Float[np.ndarray, "state action"]
    initial: Float[np.ndarray, " state"]

    def __post_init__(self) -> None:
        pairs = (self.num_states * self.num_actions, self.num_states)
        if not pairs[0]:
            raise ValueError(
                f"an MDP needs a state and an action, got rewards of shape {self.rewards.shape}"
            )
        for name, shape, expected in (
            ("states", (len(self.states),), pairs[1:]),
            ("transitions", self.transitions.shape, pairs),
            ("initial", self.initial.shape, pairs[1:]),
        ):
            if shape != expected:
                raise ValueError(
                    f"{name} must have the shape {expected}, as rewards has {self.rewards.shape}, "
                    f"got {shape}"
                )
        paid, law = self.rewards.ravel(), self.transitions
        large = np.flatnonzero(~(np.abs(paid) <= MAX_REWARD))  # NaN is not at most anything
        self._refuse(large, paid[large], f"rewards must be finite and at most {MAX_REWARD:g}")
        wrong = np.flatnonzero(~((law.data >= 0) & (law.data < np.inf)))
        rows = np.searchsorted(law.indptr, wrong, side="right") - 1
        self._refuse(rows, law.data[wrong], "transition probabilities must be at least 0")
        sums = law @ np.ones(self.num_states)
        above = np.flatnonzero(sums > 1 + self._rounding)
        self._refuse(above, sums[above], "transition probabilities must add to at most 1")
        if not ((self.initial >= 0).all() and abs(self.initial.sum() - 1) <= 1e-9):
            raise ValueError(
                "initial probabilities must be at least 0 and add to 1, got a least one of "
                f"{self.initial.min()} and a sum of {self.initial.sum()}"
            )

    def _refuse(
        self, rows: Int[np.ndarray, " wrong"], numbers: Float[np.ndarray, " wrong"], accepted: str
    ) -> None:
        """Raise ValueError about the first pair that is wrong, if there is one."""
        if rows.size:
            position, action = divmod(int(rows[0]), self.num_actions)
            raise ValueError(
                f"{accepted}, got {numbers[0]} in state {self.states[position]!r} with action {action}"
            )

    @classmethod
    def from_rule(
        cls,
        rule: Rule[State],
        *,
        restart: bool = False,
        max_states: int = 100_000,
        max_transitions: int = 10_000_000,
    ) -> "FiniteMDP[State]":
        """Enumerate the states that `rule` reaches from its initial distribution.

        Args:
            rule: The rule of the environment.
            restart: Whether a terminal step leads on to a new initial state, which makes a
                continuing task of an episodic one, instead of to no state.
            max_states: The most states to enumerate.
            max_transitions: The most entries of P to enumerate.

        Raises:
            ValueError: The rule is larger than allowed, the message estimating its size; or what it
                gives is no law (see :func:`tabular.rule.require_law`).
        """
        require_positive_integer("num_actions", rule.num_actions)
        if isinstance(rule, Environment) and rule.max_states > max_states:
            raise ValueError(
                f"{rule} has up to {rule.max_states:,} states; max_states is {max_states:,}"
            )
        initial = rule.initial_distribution()
        require_initial_distribution(initial)
        index = {state: position for position, state in enumerate(initial)}
        states, actions = list(initial), range(rule.num_actions)
        rows: list[int] = []
        columns: list[int] = []
        chances: list[float] = []
        rewards: list[float] = []

        def go_on(row: int, state: State, probability: Fraction | int) -> None:
            if state not in index:
                index[state] = len(states)
                states.append(state)
            rows.append(row)
            columns.append(index[state])
            chances.append(float(probability))

        for position, state in enumerate(states):  # grows while it is read
            for action in actions:
                row, reward = position * len(actions) + action, Fraction(0)
                outcomes = rule.outcomes(state, action)
                require_law(outcomes, state, action)
                for outcome in outcomes:
                    if not outcome.probability:
                        continue
                    reward += outcome.probability * outcome.reward
                    if outcome.next_state is not None:
                        go_on(row, outcome.next_state, outcome.probability)
                    elif restart:
                        for start, chance in initial.items():
                            go_on(row, start, outcome.probability * chance)
                rewards.append(float(reward))
            if len(states) > max_states or len(rows) > max_transitions:
                estimate = len(rows) * len(states) // (position + 1)
                raise ValueError(
                    f"{rule} has at least {len(states):,} states and about {estimate:,} or more "
                    f"transitions; allowed are {max_states:,} and {max_transitions:,}"
                )
        shape = (len(states) * len(actions), len(states))
        start_probabilities = np.zeros(len(states))
        start_probabilities[: len(initial)] = [float(chance) for chance in initial.values()]
        return cls(
            tuple(states),
            sparse.csr_array((chances, (rows, columns)), shape=shape),
            np.array(rewards).reshape(len(states), len(actions)),
            start_probabilities,
        )

    @classmethod
    def from_arrays(
        cls,
        transitions: ArrayLike,
        rewards: ArrayLike,
        *,
        layout: Layout = "state action state",
    ) -> "FiniteMDP[int]":
        """An MDP over the states 0, 1, ... from dense arrays, with a uniform initial distribution.

        Args:
            transitions: Probability of each next state, whose axes are in the order of `layout`.
                What a row lacks of 1 is the probability of termination.
            rewards: Expected reward of each state and action, always in the order state, action.
            layout: "state action state", or "action state state", in which other packages keep
                one matrix for each action.

        Raises:
            ValueError: The arrays have other shapes, are not in double precision, in which a row
                that should add to 1 does, or hold what is no probability or no reward.
        """
        require_one_of("layout", layout, get_args(Layout))
        law, paid = (_double(array) for array in (transitions, rewards))
        if paid.ndim != 2:
            raise ValueError(f"rewards must have the axes (state, action), got shape {paid.shape}")
        num_states, num_actions = paid.shape
        sizes = {"state": num_states, "action": num_actions}
        expected = tuple(sizes[axis] for axis in layout.split())
        if law.shape != expected:
            raise ValueError(
                f"transitions must have the axes ({layout.replace(' ', ', ')}) and so the shape "
                f"{expected}, as rewards has {paid.shape}, got {law.shape}; "
                f"layout may be one of {get_args(Layout)}"
            )
        if layout == "action state state":
            law = law.swapaxes(0, 1)
        return FiniteMDP(
            tuple(range(num_states)),
            sparse.csr_array(law.reshape(num_states * num_actions, num_states)),
            paid,
            np.full(num_states, 1 / max(num_states, 1)),
        )

    @property
    def num_states(self) -> int:
        """The number of states."""
        return int(self.rewards.shape[0])

    @property
    def num_actions(self) -> int:
        """The number of actions, the same in every state."""
        return int(self.rewards.shape[1])

    @property
    def termination(self) -> Float[np.ndarray, "state action"]:
        """The probability that a step is terminal; what rounding may leave counts as none."""
        ending: np.ndarray = 1 - self.expected(np.ones(self.num_states))
        return np.where(ending > self._rounding, ending, 0.0)

    @property
    def _rounding(self) -> float:
        """By how much probabilities that add to 1 may miss it: each of a long row may be rounded."""
        return max(_ROUNDING, float(np.finfo(float).eps) * self.num_states)

    def expected(self, values: Float[np.ndarray, " state"]) -> Float[np.ndarray, "state action"]:
        """The sum over s' of P(s' | s, a) v(s')."""
        following: np.ndarray = self.transitions @ values
        return following.reshape(self.rewards.shape)

    def backup(
        self, values: Float[np.ndarray, " state"], discount: float = 1.0
    ) -> Float[np.ndarray, "state action"]:
        """r(s, a) + discount * (sum over s' of P(s' | s, a) v(s'))."""
        return self.rewards + discount * self.expected(values)

    def action_probabilities(self, policy: Policy) -> Float[np.ndarray, "state action"]:
        """What a policy is to every function that takes one.

        Args:
            policy: The action of each state, as solvers return it, in whole numbers; or the
                probability of each action in each state.

        Raises:
            ValueError: It is neither.
        """
        if policy.shape == (self.num_states,) and policy.dtype.kind in "iu":
            if not ((policy >= 0) & (policy < self.num_actions)).all():
                raise ValueError(
                    f"the actions of a policy must be 0 to {self.num_actions - 1}, got "
                    f"{policy.min()} to {policy.max()}"
                )
            return np.eye(self.num_actions)[policy]
        if policy.shape != self.rewards.shape:
            raise ValueError(
                f"a policy must be {self.num_states} whole numbers, the action of each state, or "
                f"probabilities of shape {self.rewards.shape}, got {policy.dtype} of shape "
                f"{policy.shape}"
            )
        sums = policy.sum(axis=1)
        if not ((policy >= 0).all() and (np.abs(sums - 1) <= 1e-9).all()):
            raise ValueError(
                "the probabilities of a policy must be at least 0 and add to 1 in each state, got "
                f"a least one of {policy.min()} and sums of {sums.min()} to {sums.max()}"
            )
        return policy.astype(float)

    def chain(self, policy: Policy) -> tuple[sparse.csr_array, Float[np.ndarray, " state"]]:
        """Transition matrix and reward of each state under a policy.

        Args:
            policy: The action of each state, or the probability of each action in each state.

        Raises:
            ValueError: It is no policy.
        """
        rows = np.repeat(np.arange(self.num_states), self.num_actions)
        columns = np.arange(rows.size)
        shape = (self.num_states, rows.size)
        chances = self.action_probabilities(policy).ravel()
        choice = sparse.csr_array((chances, (rows, columns)), shape=shape)
        choice.eliminate_zeros()
        return choice @ self.transitions, choice @ self.rewards.ravel()

    def uniform_policy(self) -> Float[np.ndarray, "state action"]:
        """Every action as likely, in every state."""
        return np.full(self.rewards.shape, 1 / self.num_actions)

    def transition_graph(self) -> "nx.MultiDiGraph[Hashable]":
        """The states, and the node "end" for the end of an episode, joined by possible transitions.

        Edges have the action for their key, and the attribute `probability`.
        """
        graph: nx.MultiDiGraph[Hashable] = nx.MultiDiGraph()
        graph.add_nodes_from(self.states)
        entries = self.transitions.tocoo()
        for row, column, probability in zip(entries.row, entries.col, entries.data, strict=True):
            position, action = divmod(int(row), self.num_actions)
            graph.add_edge(
                self.states[position],
                self.states[column],
                key=action,
                probability=float(probability),
            )
        ending = self.termination
        for position, action in np.argwhere(ending).tolist():
            graph.add_edge(
                self.states[position],
                "end",
                key=action,
                probability=float(ending[position, action]),
            )
        return graph


def _double(numbers: ArrayLike) -> Float[np.ndarray, "..."]:
    """Whole numbers, and floating-point ones in double precision, as the latter."""
    array = np.asarray(numbers)
    if array.dtype.kind not in "iub" and array.dtype != np.float64:
        raise ValueError(f"arrays must hold whole numbers or float64, got {array.dtype}")
    return array.astype(float)
