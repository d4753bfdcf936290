"""Gymnasium's table P of its toy-text environments: P[s][a] lists (probability, successor, reward, terminated).

What terminates leads to the terminal state. A float stands for its shortest decimal: 0.1 is 1/10.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from theory.classes.mdp_class import MDPClass, exact
from theory.classes.transition_class import checked_index
from theory.formats.explicit_model import Choice, ExplicitModel, class_from_models


def from_gymnasium(P: Any, gamma: object, *, name: str = "") -> MDPClass:
    """The class of the one model in a table P.

    Args:
        P: `P[s][a]`, lists or mappings by number, as `env.unwrapped.P` is.
        gamma: the discount.
        name: what the class is called.

    Raises:
        ValueError: naming the entry that is not understood.
    """
    return class_from_models([gymnasium_model(P)], exact(gamma, "gamma"), name)


def gymnasium_model(P: Any) -> ExplicitModel:
    """The model in a table P; its end is one state more.

    Raises:
        ValueError: naming the entry that is not understood.
    """
    rows = [_in_order(row, f"P[{s}]") for s, row in enumerate(_in_order(P, "P"))]
    end = len(rows)
    choices = [
        tuple(_choice(outcomes, f"P[{s}][{a}]", f"a{a}", end) for a, outcomes in enumerate(row))
        for s, row in enumerate(rows)
    ]
    stay = Choice("stay", Fraction(0), {end: Fraction(1)})
    return ExplicitModel((*choices, (stay,)), frozenset([end]))


def _choice(outcomes: Any, where: str, action: str, end: int) -> Choice:
    law: dict[int, Fraction] = {}
    rewards = set()
    for outcome in _in_order(outcomes, where):
        if not isinstance(outcome, Sequence) or isinstance(outcome, str) or len(outcome) != 4:
            raise ValueError(
                f"{where} holds {outcome!r:.60}; accepted: [probability, successor, reward, terminated]"
            )
        probability, successor, reward, terminated = outcome
        at = checked_index(successor, end - 1, f"a successor of {where}")
        if not isinstance(terminated, (bool, np.bool_)):
            raise ValueError(f"{where} is terminated: {terminated!r:.40}; accepted: true or false")
        share = _exact(probability, f"a probability of {where}")
        if share < 0:
            raise ValueError(f"a probability of {where} is {share}; accepted: 0 or more")
        if share:
            at = end if terminated else at
            law[at] = law.get(at, Fraction(0)) + share
            rewards.add(_exact(reward, f"a reward of {where}"))
    if len(rewards) > 1:
        raise ValueError(f"{where} has outcomes that earn differently; accepted: one reward a pair")
    return Choice(action, rewards.pop() if rewards else Fraction(0), law)


def _exact(number: Any, what: str) -> Fraction:
    plain = number.item() if isinstance(number, np.generic) else number
    return exact(repr(plain) if isinstance(plain, float) else plain, what)


def _in_order(rows: Any, what: str) -> list[Any]:
    """The entries of a list, or of a mapping from 0, 1, ..."""
    if isinstance(rows, Mapping):
        by_number = {str(key): row for key, row in rows.items()}
        if set(by_number) == {str(i) for i in range(len(by_number))}:
            return [by_number[str(i)] for i in range(len(by_number))]
    elif isinstance(rows, Sequence) and not isinstance(rows, str):
        return list(rows)
    raise ValueError(f"{what} is {rows!r:.60}; accepted: a list, or entries numbered from 0")
