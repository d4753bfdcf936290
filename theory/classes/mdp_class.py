"""A class of MDPs with a discount and names: what Theorem 1 quantifies over.

Models choose options, a reward and a law at each pair; or they are deterministic, and share one known reward function.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from theory.classes.options import Option, PairOptions
from theory.classes.transition_class import TransitionClass

Rewards = tuple[tuple[Fraction, ...], ...]
QTable = tuple[tuple[Fraction, ...], ...]

TERMINAL_NAME = "t"

NUMBER = re.compile(
    r"-?((\d+(\.\d*)?|\.\d+)([eE](?P<exponent>[+-]?\d+))?|\d+/0*[1-9]\d*)", re.ASCII
)
# A number is written out exactly, so that its exponent is bounded as its digits are.
MAX_EXPONENT = 99
MAX_DIGITS = 200


def exact(number: object, what: str = "number") -> Fraction:
    """An integer, a Fraction, or a string "p/q" or "0.9", as the exact number that it denotes.

    Floats are refused: the float 0.9 is not 9/10. (Class files may hold decimals, which are read from their text.)

    Raises:
        ValueError: if it is none of these.
    """
    if isinstance(number, (int, Fraction)) and not isinstance(number, bool):
        return Fraction(number)
    if (
        isinstance(number, str)
        and len(number) <= MAX_DIGITS
        and (parts := NUMBER.fullmatch(number))
    ):
        exponent = int(parts["exponent"] or 0)
        if abs(exponent) > MAX_EXPONENT:
            raise ValueError(
                f"{what} is {reprlib.repr(number)}, too {'large' if exponent > 0 else 'small'}; accepted:"
                f" exponents from -{MAX_EXPONENT} to {MAX_EXPONENT}"
            )
        return Fraction(number)
    raise ValueError(
        f'{what} is {reprlib.repr(number)}; accepted: an integer, a "p/q" string, a decimal string'
    )


@dataclass(frozen=True)
class MDPClass:
    """The models of M, with a discount gamma that all of them share, and rewards r(s, a).

    Attributes:
        transitions: M, as choices of successors, or of options.
        rewards: `rewards[s][a]`, a Fraction each; options have their own.
        gamma: the discount, in (0, 1]; at 1 values are those over terminating paths.
        name: what the class is called in reports.
        state_names: one for each state, or none.
        action_names: one for each action, or none.

    Raises:
        ValueError: if the rewards do not fit the class, gamma is outside (0, 1], or a name is missing, given twice,
            blank, or a state's that of the terminal state.
    """

    transitions: TransitionClass
    rewards: Rewards
    gamma: Fraction
    name: str = ""
    state_names: tuple[str, ...] = field(default=())
    action_names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        n, k = self.states, self.actions
        if len(self.rewards) != n or any(len(row) != k for row in self.rewards):
            raise ValueError(f"rewards is not a table of {n} states by {k} actions")
        if not 0 < self.gamma <= 1:
            raise ValueError(f"gamma is {self.gamma}; accepted: a rational number in (0, 1]")
        if self.gamma == 1 and self.transitions.options is not None:
            raise ValueError("gamma is 1; accepted for a class with options: gamma < 1")
        for what, names, count in (
            ("state_names", self.state_names, n),
            ("action_names", self.action_names, k),
        ):
            if names and (len(names) != count or len(set(names)) != count):
                raise ValueError(f"{what} is {list(names)}; accepted: {count} distinct names")
            for name in names:
                if not name.strip():
                    raise ValueError(f"{what} holds {name!r}; accepted: names that can be seen")
        if TERMINAL_NAME in self.state_names:
            raise ValueError(
                f"state_names holds {TERMINAL_NAME!r}, which is how the terminal state is called;"
                " accepted: any other name"
            )

    @property
    def states(self) -> int:
        """The number of nonterminal states, n."""
        return self.transitions.states

    @property
    def actions(self) -> int:
        """The number of actions, k."""
        return self.transitions.actions

    def require_successors(self, what: str) -> None:
        """Refuse a class with options where a model has to be a map of pairs to successors.

        Raises:
            ValueError: if the class has options with laws or rewards of their own.
        """
        if self.transitions.options is not None:
            raise ValueError(
                f"{self.name or 'the class'} has options with laws or rewards of their own; accepted for {what}:"
                " classes of deterministic models with known rewards"
            )

    def option_at(self, state: int, action: int, choice: int) -> Option:
        """One option of a pair; in a deterministic class a successor, with the class's own reward."""
        if self.transitions.options is not None:
            return self.transitions.options[state * self.actions + action][choice]
        return Option(self.rewards[state][action], ((choice, Fraction(1)),))

    def options_at(self, pair: int) -> tuple[Option, ...]:
        """The options of a pair; in a deterministic class each successor with the class's own reward."""
        if self.transitions.options is not None:
            return self.transitions.options[pair]
        s, a = divmod(pair, self.actions)
        return tuple(self.option_at(s, a, successor) for successor in range(self.states + 1))

    @property
    def option_counts(self) -> list[int]:
        """How many options each pair has."""
        options = self.transitions.options
        if options is None:
            return [self.states + 1] * self.transitions.pairs
        return list(map(len, options))

    @property
    def pair_options(self) -> PairOptions:
        """The options of every pair."""
        return tuple(self.options_at(pair) for pair in range(self.transitions.pairs))

    def chosen(self, table: Sequence[Sequence[int]]) -> tuple[tuple[Option, ...], ...]:
        """The options that a model has, `table[s][a]` being their numbers."""
        return tuple(
            tuple(self.option_at(s, a, choice) for a, choice in enumerate(row))
            for s, row in enumerate(table)
        )

    def state_name(self, state: int) -> str:
        """The name of a state, its number if it has none, and "t" for the terminal state."""
        if state == self.states:
            return TERMINAL_NAME
        return self.state_names[state] if self.state_names else str(state)

    def choice_name(self, state: int, action: int, choice: int, *, reward: bool = True) -> str:
        """What a model does at a pair, in a line: a successor; or what follows by which probability, and the reward."""
        if self.transitions.options is None:
            return self.state_name(choice)
        option = self.option_at(state, action, choice)
        law = ", ".join(
            self.state_name(x) if p == 1 else f"{self.state_name(x)} by {p}" for x, p in option.law
        )
        return f"{law}, earning {option.reward}" if reward else law

    def action_name(self, action: int) -> str:
        """The name of an action, or a0, a1, ..."""
        return self.action_names[action] if self.action_names else f"a{action}"


def mdp_class(
    transitions: TransitionClass,
    rewards: Iterable[Iterable[object]],
    gamma: object,
    *,
    name: str = "",
    state_names: Sequence[str] = (),
    action_names: Sequence[str] = (),
) -> MDPClass:
    """An `MDPClass` from plain numbers: integers, Fractions, "p/q" and decimal strings.

    Raises:
        ValueError: if a number is none of these, or the sizes do not fit.
    """
    table = tuple(tuple(exact(reward, "a reward") for reward in row) for row in rewards)
    return MDPClass(
        transitions, table, exact(gamma, "gamma"), name, tuple(state_names), tuple(action_names)
    )


def sparse_rewards(states: int, actions: int) -> Rewards:
    """All 0 but 1 for the last action of the last state."""
    last = (states - 1, actions - 1)
    return tuple(tuple(Fraction((s, a) == last) for a in range(actions)) for s in range(states))


def cost_rewards(states: int, actions: int) -> Rewards:
    """All -1: a shortest-path problem."""
    return ((Fraction(-1),) * actions,) * states


def zero_sum_choice(rewards: Rewards) -> dict[int, int] | None:
    """States, each with one action, whose rewards sum to zero; None if there are none.

    At gamma = 1 the Bellman optimality equation has a unique finite solution if no such choice exists:
    the greedy policy of a solution cannot run in a cycle, whose rewards would have to sum to zero.
    """
    reached: dict[Fraction, dict[int, int]] = {}
    for s, row in enumerate(rewards):
        longer = {
            total + reward: choice | {s: a}
            for total, choice in [(Fraction(0), dict[int, int]()), *reached.items()]
            for a, reward in enumerate(row)
        }
        reached = longer | reached
    return reached.get(Fraction(0))
