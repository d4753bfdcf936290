"""PRISM's explicit files: transitions, states, labels and transition rewards of one model.

- .tra: a line with the numbers of states, choices and transitions; then `state choice successor probability action`;
- .trew: likewise, with the reward of each transition in place of its probability, where it is not 0;
- .lab: the labels with their numbers; then for each state that has any `state: label ...`;
- .sta: the variables, then `state:(value)`.

Reading needs the .tra alone; rewards and the end are taken from the files of the same name beside it.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from fractions import Fraction
from pathlib import Path

from theory.formats.explicit_model import (
    END,
    Choice,
    ExplicitModel,
    index,
    number,
    read_text,
    share,
    token,
)

LABELS = ("init", "deadlock", END)
MAX_STATES = 65_536
LONG = Context(prec=200)


def prism_files(model: ExplicitModel) -> dict[str, str]:
    """The text of each file, by its suffix."""
    steps = [
        (s, c, successor, probability, choice)
        for s, row in enumerate(model.choices)
        for c, choice in enumerate(row)
        for successor, probability in sorted(choice.law.items())
    ]
    states, choices = len(model.choices), sum(map(len, model.choices))
    rewarded = [step for step in steps if step[4].reward]
    labels = {model.start: [0]}
    for s in model.ends:
        labels.setdefault(s, []).append(LABELS.index(END))
    return {
        ".tra": _lines(
            f"{states} {choices} {len(steps)}",
            *(f"{s} {c} {x} {_decimal(p)} {token(choice.action)}" for s, c, x, p, choice in steps),
        ),
        ".trew": _lines(
            f"{states} {choices} {len(rewarded)}",
            *(f"{s} {c} {x} {_decimal(choice.reward)}" for s, c, x, _, choice in rewarded),
        ),
        ".lab": _lines(
            " ".join(f'{i}="{label}"' for i, label in enumerate(LABELS)),
            *(f"{s}: {' '.join(map(str, numbers))}" for s, numbers in sorted(labels.items())),
        ),
        ".sta": _lines("(s)", *(f"{s}:({s})" for s in range(states))),
    }


def read_prism(path: Path) -> ExplicitModel:
    """The model of a .tra file, and of the .trew and .lab files beside it.

    Raises:
        ValueError: if a file cannot be read, or a line is not understood; it is named.
    """
    states, steps = _transitions(path)
    choices: list[dict[int, Choice]] = [{} for _ in range(states)]
    for place, words in steps:
        s, c = _pair(words, states, path, place)
        action = words[4] if len(words) == 5 else f"a{c}"
        law = choices[s].setdefault(c, Choice(action, Fraction(0), {})).law
        successor = index(words[2], states, f"the successor in line {place} of {path.name}")
        probability = share(words[3], f"the probability in line {place} of {path.name}")
        law[successor] = law.get(successor, Fraction(0)) + probability
    rewards = _rewards(path.with_suffix(".trew"), states, choices)
    for s, row in enumerate(choices):
        if sorted(row) != list(range(len(row))):
            raise ValueError(
                f"state {s} has choices {sorted(row)}; accepted: 0, 1, ... without a gap"
            )
    start, ends = _labels(path.with_suffix(".lab"), states)
    return ExplicitModel(
        choices=tuple(
            tuple(
                Choice(row[c].action, rewards.get((s, c), Fraction(0)), row[c].law)
                for c in range(len(row))
            )
            for s, row in enumerate(choices)
        ),
        ends=ends,
        start=start,
    )


def _rewards(
    path: Path, states: int, choices: list[dict[int, Choice]]
) -> dict[tuple[int, int], Fraction]:
    """The reward of each choice, all of whose successors have to earn the same."""
    earned: dict[tuple[int, int], dict[int, Fraction]] = {}
    if path.exists():
        there, lines = _transitions(path)
        if there != states:
            raise ValueError(
                f"{path.name} is of another number of states than the .tra file: {states}"
            )
        for place, words in lines:
            s, c = _pair(words, states, path, place)
            successor = index(words[2], states, f"the successor in line {place} of {path.name}")
            reward = number(words[3], f"the reward in line {place} of {path.name}")
            earned.setdefault((s, c), {})[successor] = reward
    for (s, c), rewards in earned.items():
        law = choices[s][c].law if c in choices[s] else {}
        if set(rewards) != set(law) or len(set(rewards.values())) > 1:
            raise ValueError(
                f"the rewards of state {s}, choice {c} depend on the successor; accepted: one for each choice"
            )
    return {pair: next(iter(rewards.values())) for pair, rewards in earned.items()}


def _transitions(path: Path) -> tuple[int, list[tuple[int, list[str]]]]:
    """The number of states, and the words of each line with its number."""
    lines = read_text(path).splitlines()
    head = lines[0].split() if lines else []
    if len(head) != 3 or not all(re.fullmatch("[0-9]{1,9}", word) for word in head):
        raise ValueError(
            f"{path.name} does not begin with the numbers of states, choices and transitions"
        )
    if not 0 < int(head[0]) <= MAX_STATES:
        raise ValueError(f"{path.name} has {head[0]} states; accepted: 1 to {MAX_STATES}")
    listed = [(place, line.split()) for place, line in enumerate(lines[1:], 2) if line.strip()]
    if len(listed) != int(head[2]):
        raise ValueError(
            f"{path.name} has {len(listed)} transitions; accepted: as many as it says, {head[2]}"
        )
    return int(head[0]), listed


def _pair(words: list[str], states: int, path: Path, place: int) -> tuple[int, int]:
    if len(words) not in (4, 5) or not re.fullmatch("[0-9]{1,9}", words[1]):
        raise ValueError(
            f"line {place} of {path.name} is {' '.join(words)[:60]!r}; accepted: state, choice, successor, number"
        )
    return index(words[0], states, f"the state in line {place} of {path.name}"), int(words[1])


def _labels(path: Path, states: int) -> tuple[int, frozenset[int]]:
    """The initial state and the ends; 0 and none where there is no file."""
    start, ends = 0, set[int]()
    if path.exists():
        lines = read_text(path).splitlines()
        names = dict(re.findall(r'(\d+)="([^"]*)"', lines[0] if lines else ""))
        for place, line in enumerate(lines[1:], 2):
            state, _, numbers = line.partition(":")
            if line.strip():
                s = index(state.strip(), states, f"the state in line {place} of {path.name}")
                labels = {names.get(i) for i in numbers.split()}
                start = s if "init" in labels else start
                if END in labels:
                    ends.add(s)
    return start, frozenset(ends)


def _decimal(value: Fraction) -> str:
    """A decimal where one is exact, as older versions of PRISM read no fractions; p/q elsewhere."""
    decimal = LONG.divide(Decimal(value.numerator), Decimal(value.denominator))
    return format(decimal, "f") if Fraction(decimal) == value else str(value)


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
