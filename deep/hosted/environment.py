"""What an agent asks of an environment that lives on the host: sizes and, where there is one, its table."""

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, NamedTuple, NoReturn

import numpy as np
import torch
from jaxtyping import Float64, Int, Int32, Int64, UInt8
from torch import Tensor

from deep.environments import Environment, Transition
from deep.one_hot import one_hot

_WORD = 2**32


@dataclass(frozen=True)
class HostedEnvironment(Environment[Any]):
    """The sizes of an environment whose steps are made on the host.

    Episodes may always end, since nothing but a long run would tell that they do not.
    """

    actions: int
    features: int

    episodic: ClassVar[bool] = True
    reset_words: ClassVar[int] = 0
    transition_words: ClassVar[int] = 0

    @property
    def num_actions(self) -> int:
        return self.actions

    @property
    def num_features(self) -> int:
        return self.features

    def reset(self, drawn: Int32[Tensor, "word *lane"]) -> NoReturn:
        raise TypeError("this environment is stepped on the host")

    def transition(
        self, state: Any, action: Int[Tensor, "*lane"], drawn: Int32[Tensor, "word *lane"]
    ) -> Transition[Any]:
        raise TypeError("this environment is stepped on the host")

    def observe(self, state: Any) -> UInt8[Tensor, "*lane feature"]:
        raise TypeError("this environment is stepped on the host")

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> Any:
        raise TypeError("this environment is stepped on the host")


class TableState(NamedTuple):
    """The number of a state."""

    number: Int64[Tensor, "*lane"]


class OutcomeTable(NamedTuple):
    """What each state and action may lead to, the outcomes along the last axis.

    Attributes:
        until: An outcome happens if the random word, read without a sign, is below this number and
            not below the one before; a missing one has that of the last.
        successor: The state that follows.
        reward: Of the step.
        terminal: Whether it ends the episode.
    """

    until: Int64[Tensor, "state action outcome"]
    successor: Int64[Tensor, "state action outcome"]
    reward: Float64[Tensor, "state action outcome"]
    terminal: Int64[Tensor, "state action outcome"]


@dataclass(frozen=True, eq=False)
class TableEnvironment(HostedEnvironment):
    """An environment whose exact dynamics are a table, and whose observation is its state's number, one-hot.

    Attributes:
        table: Of all states and actions. A chance is a multiple of 2^-32.
    """

    table: OutcomeTable

    transition_words: ClassVar[int] = 1

    def transition(
        self,
        state: TableState,
        action: Int[Tensor, "*lane"],
        drawn: Int32[Tensor, "word *lane"],
    ) -> Transition[TableState]:
        table = OutcomeTable(*(part.to(state.number.device) for part in self.table))
        word = drawn[0].long() % _WORD
        until = table.until[state.number, action]
        chosen = (word.unsqueeze(-1) >= until).sum(-1, keepdim=True)

        def of(part: Tensor) -> Tensor:
            return part[state.number, action].gather(-1, chosen).squeeze(-1)

        return Transition(
            TableState(of(table.successor)), of(table.reward).float(), of(table.terminal).bool()
        )

    def observe(self, state: TableState) -> UInt8[Tensor, "*lane feature"]:
        return one_hot(state.number, self.features).to(torch.uint8)

    def from_observation(self, observation: UInt8[Tensor, "*lane feature"]) -> TableState:
        return TableState(observation.long().argmax(-1))


def _outcomes(where: str, found: Any) -> list[tuple[float, int, float, bool]]:
    """What a step may lead to."""
    listed = []
    for each in found:
        try:
            probability, following, gained, ended = each
            outcome = float(probability), operator.index(following), float(gained), bool(ended)
            if not (isfinite(outcome[0]) and isfinite(outcome[2])):
                raise ValueError("not finite")
        except (TypeError, ValueError):
            raise ValueError(
                f"an outcome of {where} is {each!r:.60}; accepted: (probability, state, reward, terminal)"
            ) from None
        listed.append(outcome)
    return listed


def transition_table(
    outcomes: Mapping[int, Any],
) -> OutcomeTable:
    """The table of a Gymnasium `P`: for a state and an action (probability, state, reward, terminal) each.

    Raises:
        ValueError: States or actions are not numbered from 0, an outcome is none or leads to no state, or
            probabilities are negative or do not add to 1.
    """
    states, actions = len(outcomes), len(outcomes.get(0, ()))
    for state in range(states):
        rows = outcomes.get(state)
        if not isinstance(rows, Mapping) or set(rows) != set(range(actions)):
            raise ValueError(
                f"the table has {states} states and {actions} actions, and not each of them for state {state}"
            )
    if not states or not actions:
        raise ValueError("the table has no state 0 with an action")
    listed = [
        (s, a, _outcomes(f"state {s}, action {a}", outcomes[s][a]))
        for s in range(states)
        for a in range(actions)
    ]
    most = max(len(found) for *_, found in listed)
    chance = np.zeros((states, actions, most))
    successor = np.zeros((states, actions, most), np.int64)
    reward, terminal = np.zeros_like(chance), np.zeros_like(successor)
    for state, action, found in listed:
        for index, (probability, following, gained, ended) in enumerate(found):
            chance[state, action, index] = probability
            successor[state, action, index] = following
            reward[state, action, index] = gained
            terminal[state, action, index] = ended
    total = chance.sum(-1)
    for state, action in np.argwhere(abs(total - 1) > 1e-9):
        raise ValueError(
            f"the probabilities of state {state}, action {action} add to {total[state, action]}, not 1"
        )
    for array, wrong, accepted in (
        (chance, chance < 0, "probabilities of 0 or more"),
        (successor, (successor < 0) | (successor >= states), f"states 0 to {states - 1}"),
    ):
        for state, action, index in np.argwhere(wrong):
            found = array[state, action, index]
            raise ValueError(f"state {state}, action {action} has {found}; accepted: {accepted}")
    until = np.rint(np.cumsum(chance, -1) * _WORD).astype(np.int64)
    until[..., -1] = _WORD
    # Behind the last outcome of a shorter list there is no room for chance by rounding.
    last = np.array([[len(outcomes[s][a]) - 1 for a in range(actions)] for s in range(states)])
    until[np.arange(most) >= last[..., None]] = _WORD
    return OutcomeTable(*map(torch.from_numpy, (until, successor, reward, terminal)))
