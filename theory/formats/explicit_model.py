"""One MDP written out state by state: what the formats of other programs have in common.

A model of a class becomes one with an absorbing end, which costs and earns nothing. A discount is not known to model
checkers; *folded* into the model, every step ends with probability 1 - gamma, and the expected sum of rewards until the
end is the discounted return. In what is read every state has to have the same number of actions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from theory.classes.mdp_class import NUMBER, MDPClass, exact, mdp_class
from theory.classes.options import Option, option, option_class
from theory.classes.transition_class import TransitionClass, explicit

END = "end"


@dataclass(frozen=True)
class Choice:
    """An action in a state.

    Attributes:
        action: its name.
        reward: what it earns.
        law: the probability of each successor.
    """

    action: str
    reward: Fraction
    law: dict[int, Fraction]


@dataclass(frozen=True)
class ExplicitModel:
    """An MDP with all its states listed.

    Attributes:
        choices: for each state its actions.
        ends: the states that are the end.
        start: the state that is called initial.
        state_names: one for each state, or none.
        gamma: the discount that is said to go with it, if any.
        about: what it is, for people.
    """

    choices: tuple[tuple[Choice, ...], ...]
    ends: frozenset[int]
    start: int = 0
    state_names: tuple[str, ...] = ()
    gamma: Fraction | None = None
    about: str = ""


def explicit_model(
    problem: MDPClass, index: int, *, fold_discount: bool = False, start: int = 0
) -> ExplicitModel:
    """A model of a class, its end being the last state.

    Args:
        problem: the class.
        index: which of its models.
        fold_discount: let every step end with probability 1 - gamma.
        start: the state that is called initial.

    Raises:
        ValueError: if there is no such model or state.
    """
    model, n = problem.chosen(problem.transitions.table(index)), problem.states
    if not 0 <= start < n:
        raise ValueError(f"start is {start}; accepted: an integer from 0 to {n - 1}")
    goes_on = problem.gamma if fold_discount else Fraction(1)

    def law(option: Option) -> dict[int, Fraction]:
        steps = {x: p if x == n else p * goes_on for x, p in option.law}
        if ended := 1 - sum(steps.values()):
            steps[n] = steps.get(n, Fraction(0)) + ended
        return steps

    choices = [
        tuple(
            Choice(problem.action_name(a), option.reward, law(option))
            for a, option in enumerate(row)
        )
        for row in model
    ]
    stay = Choice("stay", Fraction(0), {n: Fraction(1)})
    return ExplicitModel(
        choices=(*choices, (stay,)),
        ends=frozenset([n]),
        start=start,
        state_names=tuple(problem.state_name(s) for s in range(n + 1)),
        gamma=None if fold_discount else problem.gamma,
        about=f"model {index} of {problem.name or 'a class'}"
        + (f", every step ending with probability {1 - goes_on}" if fold_discount else ""),
    )


def class_from_models(
    models: Sequence[ExplicitModel], gamma: Fraction | None, name: str = ""
) -> MDPClass:
    """The class of some models with the same states and actions.

    Deterministic models with the same rewards are a class of transition functions; others choose options, which are
    those that the models have. Where no state is called the end, states that can only be stayed in, for nothing, are
    it: they are worth as much.

    Args:
        models: one or more.
        gamma: the discount; the one that goes with the first model unless given.
        name: what the class is called.

    Raises:
        ValueError: naming the state that does not fit, or if no discount is known.
    """
    gamma = models[0].gamma if gamma is None else gamma
    if gamma is None:
        raise ValueError(
            "no discount goes with the model; accepted: one given beside it, by --gamma P/Q"
        )
    read = [_chosen(model) for model in models]
    first, names, there = read[0]
    n, k = len(first), len(first[0])
    for number, (rows, called, kept) in enumerate(read):
        if kept != there or len(rows[0]) != k or called != names:
            raise ValueError(
                f"model {number} has other states or actions than model 0; accepted: the same in all, by one name and"
                " in one order, and the same ends"
            )
    rewards = [[option.reward for option in row] for row in first]
    certain = all(len(o.law) == 1 for rows, *_ in read for row in rows for o in row)
    if certain and all(
        [[option.reward for option in row] for row in rows] == rewards for rows, *_ in read
    ):
        tables = [[[option.law[0][0] for option in row] for row in rows] for rows, *_ in read]
        transitions: TransitionClass = explicit(tables)
    else:
        flat = [[option for row in rows for option in row] for rows, *_ in read]
        options = [list(dict.fromkeys(column)) for column in zip(*flat, strict=True)]
        chosen = [[o.index(x) for o, x in zip(options, row, strict=True)] for row in flat]
        transitions = option_class(n, k, options, chosen)
    return mdp_class(transitions, rewards, gamma, name=name, action_names=names)


def _chosen(model: ExplicitModel) -> tuple[list[list[Option]], tuple[str, ...], list[int]]:
    """The options of each state's actions, the names of the actions, and the states that are not the end."""
    ends = model.ends or frozenset(
        s
        for s, row in enumerate(model.choices)
        if all(choice.reward == 0 and choice.law == {s: 1} for choice in row)
    )
    kept = [s for s in range(len(model.choices)) if s not in ends]
    if not kept:
        raise ValueError("every state is the end; accepted: one other state or more")
    place = {s: i for i, s in enumerate(kept)} | dict.fromkeys(ends, len(kept))
    actions = len(model.choices[kept[0]])
    rows = []
    for s in kept:
        row = model.choices[s]
        if len(row) != actions or not row:
            raise ValueError(
                f"state {s} has {len(row)} actions and state {kept[0]} has {actions}; accepted: one number of"
                " actions, 1 or more"
            )
        chosen = []
        for choice in row:
            law: dict[int, Fraction] = {}
            for x, p in choice.law.items():
                law[place[x]] = law.get(place[x], Fraction(0)) + p
            try:
                chosen.append(option(choice.reward, law, len(kept)))
            except ValueError as error:
                raise ValueError(f"state {s}, action {choice.action}: {error}") from None
        rows.append(chosen)
    names = tuple(choice.action for choice in model.choices[kept[0]])
    same = all(tuple(c.action for c in model.choices[s]) == names for s in kept)
    named = same and len(set(names)) == actions and all(name.strip() for name in names)
    return rows, names if named else (), kept


def read_text(path: Path) -> str:
    """The contents of a text file, with or without a byte-order mark.

    Raises:
        ValueError: if it cannot be read, or is no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None


def number(text: str, what: str) -> Fraction:
    """An exact number of a file: an integer, a fraction, or a decimal, taken as it is written.

    Raises:
        ValueError: if it is none.
    """
    if not NUMBER.fullmatch(text):
        raise ValueError(
            f"{what} is {text[:40]!r}; accepted: an integer, a fraction p/q, or a decimal"
        )
    return exact(text, what)


def share(text: str, what: str) -> Fraction:
    """A probability of a file, which may be one of several of one successor.

    Raises:
        ValueError: if it is no number, or below 0.
    """
    found = number(text, what)
    if found < 0:
        raise ValueError(f"{what} is {text[:40]!r}; accepted: 0 or more")
    return found


def token(name: str) -> str:
    """A name as one word, for formats whose names end at a space."""
    return re.sub(r"[^\w.,()+-]", "_", name)


def index(text: str, states: int, what: str) -> int:
    """A state number of a file.

    Raises:
        ValueError: if there is no such state.
    """
    if re.fullmatch("[0-9]{1,9}", text) and int(text) < states:
        return int(text)
    raise ValueError(f"{what} is {text[:40]!r}; accepted: an integer from 0 to {states - 1}")
