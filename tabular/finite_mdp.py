"""Finite MDPs as sparse matrices, built from a rule by exploring what can be reached.

Symbols, here and in `tabular.solvers`: P(s' | s, a) is the probability of going on to s', and
1 - sum over s' of P(s' | s, a) that of the step being terminal; r(s, a) is the expected reward. For
values v of the states, (r + discount P v)(s, a) is the backup.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

import networkx as nx
import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from tabular.rule import Environment, Rule

State = TypeVar("State", bound=Hashable)


@dataclass(frozen=True, eq=False)
class FiniteMDP(Generic[State]):
    """A finite MDP in floating point, every state of which is reachable if it comes from a rule.

    Attributes:
        states: The states, in the order of all arrays.
        transitions: Sparse matrix P with a row for each state and action (row s * actions + a) and
            a column for each next state. A row adds to 1 less the probability of termination.
        rewards: Expected reward r of each state and action.
        initial: Probability of each state after a reset.
    """

    states: tuple[State, ...]
    transitions: sparse.csr_array
    rewards: Float[np.ndarray, "state action"]
    initial: Float[np.ndarray, " state"]

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
            ValueError: The rule is larger than allowed; the message estimates its size.
        """
        if isinstance(rule, Environment) and rule.max_states > max_states:
            raise ValueError(
                f"{rule} has up to {rule.max_states:,} states; max_states is {max_states:,}"
            )
        initial = rule.initial_distribution()
        index = {state: position for position, state in enumerate(initial)}
        states, actions = list(initial), range(rule.num_actions)
        rows: list[int] = []
        columns: list[int] = []
        chances: list[float] = []
        rewards: list[float] = []

        def go_on(row: int, state: State, probability: Fraction) -> None:
            if state not in index:
                index[state] = len(states)
                states.append(state)
            rows.append(row)
            columns.append(index[state])
            chances.append(float(probability))

        for position, state in enumerate(states):  # grows while it is read
            for action in actions:
                row, reward = position * len(actions) + action, Fraction(0)
                for outcome in rule.outcomes(state, action):
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
        transitions: Float[np.ndarray, "state action state"],
        rewards: Float[np.ndarray, "state action"],
    ) -> "FiniteMDP[int]":
        """An MDP over the states 0, 1, ... from dense arrays, with a uniform initial distribution.

        Raises:
            ValueError: A probability is negative, or some of them add to more than 1.
        """
        num_states, num_actions = rewards.shape
        flat = transitions.reshape(num_states * num_actions, num_states)
        totals = flat.sum(axis=1)
        if flat.min() < 0 or totals.max() > 1 + 1e-12:
            raise ValueError(
                "transitions must not be negative nor add to more than 1, "
                f"got a least entry of {flat.min()} and a largest sum of {totals.max()}"
            )
        return FiniteMDP(
            tuple(range(num_states)),
            sparse.csr_array(flat),
            rewards,
            np.full(num_states, 1 / num_states),
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
        """The probability that a step is terminal; rounding below 1e-12 counts as none."""
        ending: np.ndarray = 1 - self.expected(np.ones(self.num_states))
        return np.where(ending > 1e-12, ending, 0.0)

    def expected(self, values: Float[np.ndarray, " state"]) -> Float[np.ndarray, "state action"]:
        """The sum over s' of P(s' | s, a) v(s')."""
        following: np.ndarray = self.transitions @ values
        return following.reshape(self.rewards.shape)

    def backup(
        self, values: Float[np.ndarray, " state"], discount: float = 1.0
    ) -> Float[np.ndarray, "state action"]:
        """r(s, a) + discount * (sum over s' of P(s' | s, a) v(s'))."""
        return self.rewards + discount * self.expected(values)

    def chain(
        self, policy: Int[np.ndarray, " state"] | Float[np.ndarray, "state action"]
    ) -> tuple[sparse.csr_array, Float[np.ndarray, " state"]]:
        """Transition matrix and reward of each state under a policy.

        Args:
            policy: The action of each state, or the probability of each action in each state.
        """
        if policy.ndim == 1:
            policy = np.eye(self.num_actions)[policy]
        rows = np.repeat(np.arange(self.num_states), self.num_actions)
        columns = np.arange(rows.size)
        shape = (self.num_states, rows.size)
        choice = sparse.csr_array((policy.ravel(), (rows, columns)), shape=shape)
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
