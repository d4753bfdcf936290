"""What the explorer of Theorem 1 is told of a class: its models with their optimal values, and where to draw what.

The page does the rest by itself: which models agree with what was observed (H_M), under which q the Bellman equation
holds on it (H_B), and what each leaves open. What is observed at a pair is the number of an option; in a deterministic
class that is a successor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from experiments.figures.state_ring import places_on_ring

if TYPE_CHECKING:
    from theory import MDPClass, SolvedClass

MAX_MODELS = 5_000
MAX_STATES = 8
MAX_PAIRS = 32
MAX_OPTIONS = 31
DIGITS = "0123456789abcdefghijklmnopqrstu"
"""Of an option: one for each of them, and as many bits as JavaScript's operators have."""

RADIUS = 0.17  # of a node, where the ring of nodes has radius 1
LOOP_ANGLE = 0.95  # radians between the loops of a node
LABEL_SHIFT = 0.2  # of a curve's length between the labels of curves side by side
Point = Float[np.ndarray, " 2"]


def require_explorable(problem: MDPClass) -> None:
    """Refuse a class that is too large to explore.

    Raises:
        ValueError: naming its size and what is accepted.
    """
    options = max(len(problem.options_at(pair)) for pair in range(problem.transitions.pairs))
    for what, count, most in (
        ("models", problem.transitions.size, MAX_MODELS),
        ("states", problem.states, MAX_STATES),
        ("state-action pairs", problem.transitions.pairs, MAX_PAIRS),
        ("options at a pair", options, MAX_OPTIONS),
    ):
        if count > most:
            raise ValueError(
                f"{problem.name} has {count:,} {what}; accepted for the explorer: {most:,} or fewer"
            )


def explorer_content(
    problem: MDPClass, example: Sequence[tuple[int, int, int]] = ()
) -> dict[str, Any]:
    """Everything that the explorer needs of a class, as JSON holds it.

    Args:
        problem: The class.
        example: A dataset (s, a, option) that goes with it; the page offers to load it.

    Returns:
        names of states (the end last) and actions; `options` of each pair, in words, those that no model has being
        null; `models`, a digit for each pair; `q` of each model; `first` model of each q; `values`, the distinct
        numbers in increasing order; `action_values` of each q, a place in `values` for each pair; `consistent` of each
        q, for each pair the options that are, as bits; `greedy` of each q, for each state the optimal actions as bits;
        `nodes` and `edges` with their places in the picture.

    Raises:
        ValueError: The class is too large.
    """
    from theory import solve

    require_explorable(problem)
    solved = solve(problem)
    tables = [solved.q_table(q) for q in range(solved.value_functions)]
    values = sorted({value for table in tables for row in table for value in row})
    place = {value: index for index, value in enumerate(values)}
    bits = 1 << np.arange(problem.actions)
    links = ((p // solved.actions, t) for p, found in enumerate(_steps(solved)) for t in found)
    nodes = places_on_ring(links, solved.states)
    return {
        "name": problem.name,
        "gamma": str(problem.gamma),
        "states": [problem.state_name(s) for s in range(problem.states + 1)],
        "actions": [problem.action_name(a) for a in range(problem.actions)],
        "options": [
            [_named(problem, pair, o) if there else None for o, there in enumerate(used)]
            for pair, used in enumerate(used_options(solved))
        ],
        "models": ["".join(DIGITS[choice] for choice in row) for row in solved.models],
        "q": solved.q_of_model.tolist(),
        "first": solved.first_model.tolist(),
        "values": [str(value) for value in values],
        "action_values": [[place[v] for row in table for v in row] for table in tables],
        "consistent": (solved.consistent * (1 << np.arange(solved.options))).sum(axis=2).tolist(),
        "greedy": (solved.greedy * bits).sum(axis=2).tolist(),
        "example": [list(transition) for transition in example],
        "nodes": nodes.round(4).tolist(),
        "radius": RADIUS,
        "edges": _edges(solved, nodes),
    }


def _named(problem: MDPClass, pair: int, option: int) -> str:
    """An option in words; what it earns, where the options of its pair differ in that."""
    differ = len({other.reward for other in problem.options_at(pair)}) > 1
    return problem.choice_name(*divmod(pair, problem.actions), option, reward=differ)


def used_options(solved: SolvedClass) -> list[list[bool]]:
    """For each pair which of its options some model has."""
    return [
        np.isin(np.arange(count), solved.models[:, pair]).tolist()
        for pair, count in enumerate(solved.option_counts)
    ]


def _steps(solved: SolvedClass) -> list[dict[int, list[int]]]:
    """For each pair the successors that some model has, each with the options that may lead there."""
    steps: list[dict[int, list[int]]] = []
    for pair, used in enumerate(used_options(solved)):
        found: dict[int, list[int]] = {}
        for number, there in enumerate(used):
            law = solved.problem.option_at(*divmod(pair, solved.actions), number).law
            for successor, _ in law if there else ():
                found.setdefault(successor, []).append(number)
        steps.append(dict(sorted(found.items())))
    return steps


def _edges(solved: SolvedClass, nodes: Float[np.ndarray, "node 2"]) -> list[dict[str, Any]]:
    """Every transition that some model has: the pair, the successor, by which options, its curve, its label's place."""
    steps = _steps(solved)
    shared = Counter((p // solved.actions, t) for p, found in enumerate(steps) for t in found)
    lanes: Counter[tuple[int, int]] = Counter()
    edges = []
    for pair, found in enumerate(steps):
        s, a = divmod(pair, solved.actions)
        for successor, options in found.items():
            lane = lanes[s, successor]
            lanes[s, successor] += 1
            path, label = _curve(nodes[s], nodes[successor], lane, shared[s, successor])
            edges.append(
                {"s": s, "a": a, "t": successor, "options": options, "path": path, "label": label}
            )
    return edges


def _curve(start: Point, end: Point, lane: int, lanes: int) -> tuple[str, list[float]]:
    """An SVG path from rim to rim, and where its label stands.

    Between two nodes the lanes bend further and further; the loops of one node fan out.
    """
    if (start == end).all():
        angle = np.arctan2(start[1], start[0]) + LOOP_ANGLE * (lane - (lanes - 1) / 2)
        outward, side = (
            np.array([np.cos(turned), np.sin(turned)]) for turned in (angle, angle + np.pi / 2)
        )
        first, last = (start + RADIUS * (0.9 * outward + sign * 0.43 * side) for sign in (1, -1))
        handles = [start + RADIUS * (2.7 * outward + sign * 0.75 * side) for sign in (1, -1)]
        label = start + RADIUS * 2.6 * outward
        return _path("C", first, [*handles, last]), label.round(3).tolist()
    across = np.array([end[1] - start[1], start[0] - end[0]])
    control = (start + end) / 2 + (0.14 + 0.16 * lane) * across
    rims = [
        point + RADIUS * (control - point) / np.linalg.norm(control - point)
        for point in (start, end)
    ]
    at = 0.5 + LABEL_SHIFT * (lane - (lanes - 1) / 2)
    label = (1 - at) ** 2 * rims[0] + 2 * at * (1 - at) * control + at**2 * rims[1]
    return _path("Q", rims[0], [control, rims[1]]), label.round(3).tolist()


def _path(kind: str, first: Point, rest: Sequence[Point]) -> str:
    def text(point: Point) -> str:
        return f"{point[0]:.3f} {point[1]:.3f}"

    return f"M{text(first)}{kind}{' '.join(map(text, rest))}"
