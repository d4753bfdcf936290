"""Storm's explicit format DRN: one model as text, with exact numbers.

After a head that gives the type, the names of rewards and the number of states, each state has a line, each of its
actions one below it, and each successor one below that. `// gamma: p/q` in a comment is read back as the discount.
"""

from __future__ import annotations

import re
from fractions import Fraction

from theory.formats.explicit_model import END, Choice, ExplicitModel, index, number, share, token

REWARD = "reward"
TYPES = ("MDP", "DTMC")

_STATE = re.compile(r"state (\d+)(?:\s+\[([^\]]*)\])?((?:\s+[^\s\[\]]+)*)")
_ACTION = re.compile(r"action (\S+)(?:\s+\[([^\]]*)\])?")
_STEP = re.compile(r"(\d+)\s*:\s*(\S+)")
_GAMMA = re.compile(r"//\s*gamma:\s*(\S+)")


def drn_text(model: ExplicitModel) -> str:
    """A model as the text of a .drn file."""
    head = [f"// {model.about}"] if model.about else []
    if model.gamma is not None:
        head.append(f"// gamma: {model.gamma}")
    head += [f"// state {s} is {name}" for s, name in enumerate(model.state_names)]
    lines = [
        *head,
        "@type: MDP",
        "@parameters",
        "",
        "@reward_models",
        REWARD,
        "@nr_states",
        str(len(model.choices)),
        "@nr_choices",
        str(sum(map(len, model.choices))),
        "@model",
    ]
    for s, row in enumerate(model.choices):
        labels = [
            label for label, there in (("init", s == model.start), (END, s in model.ends)) if there
        ]
        lines.append(" ".join([f"state {s} [0]", *labels]))
        for choice in row:
            lines.append(f"\taction {token(choice.action)} [{choice.reward}]")
            lines += [f"\t\t{x} : {p}" for x, p in sorted(choice.law.items())]
    return "\n".join(lines) + "\n"


def parse_drn(text: str) -> ExplicitModel:
    """The model in the text of a .drn file.

    Raises:
        ValueError: naming the line that is not understood, or what the model has that is not read here.
    """
    head, found, body = text.partition("@model\n")
    if not found:
        raise ValueError("no line '@model'; accepted: Storm's format DRN")
    gamma = _GAMMA.search(head)
    entries = _head(head)
    kind = entries.get("@type:", "")
    if kind not in TYPES:
        raise ValueError(f"@type is {kind!r}; accepted: {' or '.join(TYPES)}")
    if entries.get("@parameters", ""):
        raise ValueError("the model has parameters; accepted: numbers")
    if len(entries.get("@reward_models", "").split()) > 1:
        raise ValueError(f"@reward_models is {entries['@reward_models']!r}; accepted: one or none")
    size = entries.get("@nr_states", "")
    if not re.fullmatch("[0-9]{1,7}", size):
        raise ValueError(f"@nr_states is {size!r}; accepted: an integer")
    model = _states(
        body.splitlines(),
        head.count("\n") + 2,
        int(size),
        number(gamma[1], "gamma") if gamma else None,
    )
    choices = sum(map(len, model.choices))
    if entries.get("@nr_choices", str(choices)) != str(choices):
        raise ValueError(
            f"{choices} choices are listed; accepted: @nr_choices of them, {entries['@nr_choices']}"
        )
    return model


def _head(head: str) -> dict[str, str]:
    """What follows each keyword, on its line or below it."""
    entries: dict[str, str] = {}
    keyword = ""
    for line in map(str.strip, head.splitlines()):
        if line.startswith("@"):
            keyword, _, rest = line.partition(" ")
            entries[keyword] = rest.strip()
        elif line and not line.startswith("//") and keyword:
            entries[keyword] = f"{entries[keyword]} {line}".strip()
    return entries


def _states(lines: list[str], first: int, states: int, gamma: Fraction | None) -> ExplicitModel:
    choices: list[list[Choice]] = []
    ends, start = set[int](), 0
    for place, line in enumerate(map(str.strip, lines), first):
        if not line or line.startswith("//"):
            continue
        if parts := _STATE.fullmatch(line):
            if int(parts[1]) != len(choices) or len(choices) == states:
                raise ValueError(
                    f"line {place} is of state {parts[1]}; accepted: states 0 to {states - 1} in their order"
                )
            earned = _reward(parts[2], place)
            choices.append([])
            labels = parts[3].split()
            if END in labels:
                ends.add(len(choices) - 1)
            if "init" in labels:
                start = len(choices) - 1
        elif choices and (parts := _ACTION.fullmatch(line)):
            choices[-1].append(Choice(parts[1], earned + _reward(parts[2], place), {}))
        elif choices and choices[-1] and (parts := _STEP.fullmatch(line)):
            law = choices[-1][-1].law
            successor = index(parts[1], states, f"the successor in line {place}")
            probability = share(parts[2], f"the probability in line {place}")
            law[successor] = law.get(successor, Fraction(0)) + probability
        else:
            raise ValueError(
                f"line {place} is {line[:60]!r}; accepted: a state, an action or a successor"
            )
    if len(choices) != states:
        raise ValueError(
            f"{len(choices)} states are listed; accepted: @nr_states of them, {states}"
        )
    return ExplicitModel(tuple(map(tuple, choices)), frozenset(ends), start, gamma=gamma)


def _reward(text: str | None, place: int) -> Fraction:
    """The one reward in brackets; 0 if there is none."""
    return number(text.strip(), f"the reward in line {place}") if text else Fraction(0)
