"""What a rule is: the exact law of one step of a finite environment.

A rule gives, for a state s and an action a, the distribution p(s', r, terminal | s, a) as a tuple of
:class:`Outcome` with `Fraction` probabilities. States are plain hashable values.

A terminal outcome has no successor: its `next_state` is ``None``. The episode is over, nothing is
bootstrapped, and the next state that is acted on is drawn from `initial_distribution()`.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from numbers import Real
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

State = TypeVar("State", bound=Hashable)

MAX_SIZE = 1_000
"""Of an environment: pipes, or cells along a side."""

Factor = Hashable
"""A factor's value."""


class Outcome(NamedTuple):
    """One thing that a step may lead to; `next_state` is a state of the rule, or None at the end."""

    probability: Fraction
    next_state: Any
    reward: int | Fraction
    terminal: bool


Branches = Mapping[str, Iterable[Outcome]]
"""The outcomes of a step by their cause; the probabilities add to 1 over all causes together."""


@runtime_checkable
class Rule(Protocol[State]):
    """The least that a finite MDP is built from."""

    @property
    def num_actions(self) -> int:
        """Actions are the integers 0 to num_actions - 1, in every state."""

    def initial_distribution(self) -> Mapping[State, Fraction]:
        """Probability of each state after a reset; the probabilities are positive and add to 1."""

    def outcomes(self, state: State, action: int) -> tuple[Outcome, ...]:
        """The law of a step: distinct outcomes with positive probabilities that add to 1."""


@runtime_checkable
class FactoredRule(Rule[State], Protocol[State]):
    """A rule whose states are made of named factors."""

    @property
    def factor_names(self) -> tuple[str, ...]:
        """The name of each factor."""

    def factors(self, state: State) -> tuple[Factor, ...]:
        """The value of each factor; two states with equal factors are equal."""


class Environment(ABC, Generic[State]):
    """A factored rule that also says *why* a step goes as it does.

    `branches` splits the outcomes by their cause: the usual course, a spontaneous event (one coin
    that all factors share), a success. Factors that a shared cause makes dependent are, in these
    environments, separate again once it is given; that is what `parents` declares.
    """

    @property
    @abstractmethod
    def num_actions(self) -> int:
        """Actions are the integers 0 to num_actions - 1, in every state."""

    @property
    @abstractmethod
    def factor_names(self) -> tuple[str, ...]:
        """The name of each factor."""

    @property
    @abstractmethod
    def causes(self) -> tuple[str, ...]:
        """Every cause that `branches` may name."""

    @property
    @abstractmethod
    def max_states(self) -> int:
        """An upper bound on the number of reachable states, or about one, without reaching them."""

    @abstractmethod
    def initial_distribution(self) -> Mapping[State, Fraction]:
        """Probability of each state after a reset; the probabilities are positive and add to 1."""

    @abstractmethod
    def branches(self, state: State, action: int) -> Branches:
        """The outcomes of a step by their cause, neither merged nor cleared of impossible ones."""

    @abstractmethod
    def observation(self, state: State) -> tuple[int, ...]:
        """The flat vector of 0/1 features that an agent sees."""

    @abstractmethod
    def factors(self, state: State) -> tuple[Factor, ...]:
        """The value of each factor; two states with equal factors are equal."""

    @abstractmethod
    def parents(self, action: int, cause: str) -> Mapping[str, frozenset[str]]:
        """Declared scopes: which factors each factor of the successor depends on.

        They hold given the action and the cause, where the step is not terminal.
        """

    def outcomes(self, state: State, action: int) -> tuple[Outcome, ...]:
        """The law of a step: distinct outcomes with positive probabilities that add to 1.

        Raises:
            ValueError: `action` is not one of 0 to num_actions - 1.
        """
        if action not in range(self.num_actions):
            raise ValueError(f"action must be 0 to {self.num_actions - 1}, got {action!r}")
        return merged(
            outcome for branch in self.branches(state, action).values() for outcome in branch
        )


def merged(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Equal outcomes added up, impossible ones left out, in order of first appearance."""
    total: dict[tuple[Hashable, int | Fraction, bool], Fraction] = {}
    for probability, next_state, reward, terminal in outcomes:
        if probability:
            key = (next_state, reward, terminal)
            total[key] = total.get(key, Fraction(0)) + probability
    return tuple(Outcome(probability, *key) for key, probability in total.items())


def require_law(outcomes: Iterable[object], state: object, action: int) -> None:
    """Refuse outcomes that are not the law of a step.

    Args:
        outcomes: Everything that the step may lead to.
        state: Where the step begins, for the message.
        action: What is done there, for the message.

    Raises:
        ValueError: The probabilities are no Fractions, negative, or do not add to 1, an outcome both ends and goes
            on, or neither, a reward is no finite number, or a next state cannot be hashed.
    """
    if fault := _fault(outcomes):
        raise ValueError(f"in state {state!r} with action {action} {fault}")


def _fault(outcomes: Iterable[object]) -> str | None:
    """What is wrong with the law of a step; None if nothing is."""
    total = Fraction(0)
    for outcome in outcomes:
        if not isinstance(outcome, Outcome):
            return f"each outcome must be an Outcome, got {outcome!r}"
        probability, next_state, reward, terminal = outcome
        if not isinstance(probability, (Fraction, int)) or probability < 0:
            return f"probabilities must be Fractions of at least 0, got {probability!r}"
        if not is_finite(reward):
            return f"rewards must be finite numbers, got {reward!r}"
        if bool(terminal) != (next_state is None):
            return (
                "each outcome must either be terminal or name a next state, got "
                f"terminal {terminal!r} and next state {next_state!r}"
            )
        if not _is_hashable(next_state):
            return f"next states must be hashable, got {next_state!r}"
        total += probability
    return None if total == 1 else f"the probabilities must add to 1, got {total}"


def require_initial_distribution(initial: Mapping[State, Fraction]) -> None:
    """Refuse probabilities of first states that are not positive or do not add to 1.

    Raises:
        ValueError: One of them is out of range, or their sum is not 1.
    """
    for state, probability in initial.items():
        if not isinstance(probability, (Fraction, int)) or probability <= 0:
            raise ValueError(
                f"the initial probability of state {state!r} must be a positive Fraction, got "
                f"{probability!r}"
            )
    if (total := sum(initial.values(), Fraction(0))) != 1:
        raise ValueError(f"the initial probabilities must add to 1, got {total}")


def require_certain_rewards(rule: Rule[State], states: Iterable[State]) -> None:
    """Refuse a reward that state and action do not decide.

    Raises:
        ValueError: There is one in these states.
    """
    for state in states:
        for action in range(rule.num_actions):
            rewards = {outcome.reward for outcome in rule.outcomes(state, action)}
            if len(rewards) > 1:
                raise ValueError(
                    f"in {rule}, the reward of action {action} in state {state!r} is "
                    f"{' or '.join(map(str, sorted(rewards)))} by chance; accepted: rewards that "
                    "state and action decide"
                )


def factors_of(rule: FactoredRule[State], state: State) -> tuple[Factor, ...]:
    """The value of each factor.

    Raises:
        ValueError: There is not one for each name, or one cannot be hashed.
    """
    factors = rule.factors(state)
    if not isinstance(factors, tuple) or len(factors) != len(rule.factor_names):
        raise ValueError(
            f"the factors of state {state!r} must be a tuple of {len(rule.factor_names)}, one for "
            f"each of factor_names, got {factors!r}"
        )
    if not _is_hashable(factors):
        raise ValueError(f"the factors of state {state!r} must be hashable, got {factors!r}")
    return factors


def is_finite(number: object) -> bool:
    """Whether it is a real number that a float can be near to."""
    try:
        return isinstance(number, Real) and math.isfinite(number)
    except OverflowError:
        return False


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
