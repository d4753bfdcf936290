"""Section 2 asked exactly: of the evaluation mazes, what do the four datasets settle, and for whom?

A model is a function from the agent's cell, the action and what is ahead (open, a wall, or nothing: the border, or the
agent's own cell) to the cell where it says that the agent will be. Walls never change, so the layout is context, and
all layouts share one function. It may say of any step that it ends the episode, and of any that it leads into a wall,
from where it goes on by the same function.

An agent that replays is trained on the data, one with a model on what its rollouts may visit; since the data of every
set leave the class a single model, these are transitions of the true maze. Two readings say what an agent may know of a
state: what all functions that obey the Bellman equation at all trained pairs have in common (no generalization of
values); and what those have in common that are optimal values of a model of the class.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool

from tabular.argument_checks import require_one_of
from tabular.environments.grid import ACTION_NAMES, NUM_ACTIONS, cell_name, neighbours, target
from tabular.environments.walled_maze import (
    GOAL,
    SIZE,
    Coverage,
    TerminalStep,
    WalledMaze,
    WalledMazeState,
    basic_layouts,
    dataset,
    evaluation_layouts,
)
from tabular.tied_moves import (
    LeftOpen,
    TiedMoves,
    agreeing_models,
    agreeing_values,
    rollout_pairs,
    settled_states,
)

Reach = Literal["anywhere", "beside", "ahead"]
"""Where a model may say that a step leads, besides where it does: to any cell, and the end; to the agent's own cell and
those beside it; or to its own and the one ahead."""

Agent = Literal["dqn", "1-step", "10-step"]
ROLLOUTS: Mapping[Agent, int | None] = {"dqn": None, "1-step": 1, "10-step": 10}
"""The agents of section 2: steps of a model's rollout, or None for replay of the data themselves."""

PAPER_FAILS: Mapping[Coverage, Mapping[Agent, bool]] = {
    "all-evaluation": {"dqn": False, "1-step": False, "10-step": False},
    "path-to-goal": {"dqn": True, "1-step": False, "10-step": False},
    "single-cell": {"dqn": True, "1-step": True, "10-step": False},
    "no-evaluation": {"dqn": True, "1-step": True, "10-step": True},
}
"""Which agents fail in figure 1, as the paper expects them to."""

LAYOUTS = (*basic_layouts(), *evaluation_layouts())
"""The contexts of the class: the basic layouts, then the two evaluation layouts."""

Table = tuple[Sequence[str], Sequence[Sequence[object]]]

_FIRST = len(basic_layouts())
_CELLS = SIZE**2
_LOWER = 1
"""The evaluation layout that the paper speaks of; the other is its mirror image."""


class AgentAnswer(NamedTuple):
    """What an agent may know that is trained on transitions of the true maze.

    Attributes:
        trained: The pairs of the evaluation layouts on which its values are trained.
        settled: Where all functions that obey the Bellman equation at all trained pairs agree.
        in_class: What those of them say that are optimal values of a model of the class.
    """

    trained: Bool[np.ndarray, "layout cell action"]
    settled: Bool[np.ndarray, "layout cell"]
    in_class: LeftOpen


class CoverageAnswer(NamedTuple):
    """What one dataset settles in the evaluation layouts.

    Attributes:
        coverage: The dataset.
        asked: The open cells but the goal.
        optimal: The optimal actions in them.
        model: What H_M(D) says.
        agents: What each agent may know. Replay trains on the data alone, and so its `in_class` is H_B(D).
        sufficient_rollout: The least length of rollouts that settle all; None if none does.
    """

    coverage: Coverage
    asked: Bool[np.ndarray, "layout cell"]
    optimal: Bool[np.ndarray, "layout cell action"]
    model: LeftOpen
    agents: Mapping[Agent, AgentAnswer]
    sufficient_rollout: int | None


def maze_moves(terminal_step: TerminalStep = "into-goal", reach: Reach = "anywhere") -> TiedMoves:
    """The class of models over all layouts; its places are the cells and the end.

    Args:
        terminal_step: As of :class:`WalledMaze`. If it is the one into the goal, the goal is the end; if it is the
            one from there, the end is a place after the last cell.
        reach: Where a model may say that a step leads.

    Raises:
        ValueError: An argument is not one of those listed.
    """
    require_one_of("reach", reach, get_args(Reach))
    rule = WalledMaze(LAYOUTS, terminal_step)
    end = GOAL if terminal_step == "into-goal" else _CELLS
    places = max(_CELLS, end + 1)
    keys = np.zeros((len(LAYOUTS), places, NUM_ACTIONS), dtype=int)
    numbers: dict[tuple[int, int, str], int] = {}
    truth: list[int] = []
    allowed: list[set[int]] = []
    for context, walls in enumerate(LAYOUTS):
        for cell, action in np.ndindex(_CELLS, NUM_ACTIONS):
            if cell == end:
                continue
            ahead = target(cell, action, SIZE)
            seen = "nothing" if ahead == cell else "wall" if walls[ahead] else "open"
            number = numbers.setdefault((cell, action, seen), len(numbers))
            keys[context, cell, action] = number
            if number == len(truth):
                ((_, after, _, _),) = rule.outcomes(WalledMazeState(cell, walls), action)
                truth.append(end if after is None else after.agent)
                allowed.append({truth[-1], *_reach(reach, cell, ahead, places)})
    mask = np.array([[place in some for place in range(places)] for some in allowed])
    return TiedMoves(keys, np.array(truth), mask, end)


@cache
def coverage_answers(
    terminal_step: TerminalStep = "into-goal", reach: Reach = "anywhere"
) -> tuple[CoverageAnswer, ...]:
    """What each of the four datasets settles.

    Args:
        terminal_step: As of :class:`WalledMaze`.
        reach: Where a model may say that a step leads.

    Raises:
        ValueError: An argument is not one of those listed.
    """
    moves = maze_moves(terminal_step, reach)
    return tuple(_answer(moves, coverage, terminal_step) for coverage in PAPER_FAILS)


def cell_table(answers: Sequence[CoverageAnswer]) -> Table:
    """Which actions are left open in each cell of the lower evaluation layout, to the class and to any function."""
    columns = ("data", "cell", "optimal", "H_M", "H_B", "always in H_B", *ROLLOUTS)
    rows = []
    for answer in answers:
        replayed = answer.agents["dqn"].in_class
        for cell in map(int, np.flatnonzero(answer.asked[_LOWER])):
            sets = (answer.optimal, answer.model.possible, replayed.possible, replayed.certain)
            settled = (bool(known.settled[_LOWER, cell]) for known in answer.agents.values())
            names = (_names(pairs[_LOWER, cell]) for pairs in sets)
            rows.append((answer.coverage, cell_name(cell, SIZE), *names, *settled))
    return columns, rows


def class_table(answers: Sequence[CoverageAnswer]) -> Table:
    """What the class makes of each dataset: how many models are left, and of how many cells they know the way."""
    columns = ("data", "H_M: models", "H_M: cells", "H_B: models", "H_B: cells", "rollouts needed")
    rows = []
    for answer in answers:
        row: list[object] = [answer.coverage]
        for left in (answer.model, answer.agents["dqn"].in_class):
            row += [left.models, int(_determined(answer, left).sum())]
        rows.append((*row, answer.sufficient_rollout))
    return columns, rows


def agent_table(answers: Sequence[CoverageAnswer]) -> Table:
    """Which agents know the way in all cells without generalization of values; within the class; and in the paper."""
    columns = ("data", "agent", "settled", "in the class", "of cells", "exactly", "paper")
    rows = []
    for answer in answers:
        for agent, known in answer.agents.items():
            cells = int(answer.asked.sum())
            settled = int((known.settled & answer.asked).sum())
            in_class = int(_determined(answer, known.in_class).sum())
            verdicts = (settled < cells, PAPER_FAILS[answer.coverage][agent])
            words = ("fails" if fails else "succeeds" for fails in verdicts)
            rows.append((answer.coverage, agent, settled, in_class, cells, *words))
    return columns, rows


def _answer(moves: TiedMoves, coverage: Coverage, terminal_step: TerminalStep) -> CoverageAnswer:
    asked = np.zeros(moves.keys.shape[:2], dtype=bool)
    asked[_FIRST:, :_CELLS] = ~np.array(evaluation_layouts())
    asked[:, GOAL] = False
    everything = np.ones_like(moves.keys, dtype=bool)
    observed = ~everything
    for state, action in dataset(coverage, terminal_step):
        observed[LAYOUTS.index(state.walls), state.agent, action] = True
    agents = {}
    for agent, length in ROLLOUTS.items():
        trained = observed if length is None else rollout_pairs(moves, observed, length)
        settled = settled_states(moves, trained)
        in_class = agreeing_values(moves, trained, asked)
        agents[agent] = AgentAnswer(_shown(trained), _shown(settled), _open_cells(in_class))
    enough = (
        length
        for length in range(1, moves.keys.shape[1] + 1)
        if settled_states(moves, rollout_pairs(moves, observed, length))[asked].all()
    )
    return CoverageAnswer(
        coverage,
        _shown(asked),
        _shown(agreeing_models(moves, everything, asked).certain),
        _open_cells(agreeing_models(moves, observed, asked)),
        agents,
        next(enough, None),
    )


def _reach(reach: Reach, cell: int, ahead: int, places: int) -> Iterable[int]:
    match reach:
        case "anywhere":
            return range(places)
        case "beside":
            return (cell, *neighbours(cell, SIZE))
        case "ahead":
            return (cell, ahead)


def _shown(
    mask: Bool[np.ndarray, "context place *action"],
) -> Bool[np.ndarray, "layout cell *action"]:
    """Of the evaluation layouts and their cells."""
    shown: np.ndarray = mask[_FIRST:, :_CELLS]
    return shown


def _open_cells(left: LeftOpen) -> LeftOpen:
    return LeftOpen(left.models, _shown(left.possible), _shown(left.certain))


def _determined(answer: CoverageAnswer, left: LeftOpen) -> Bool[np.ndarray, "layout cell"]:
    """Where every action left open is optimal."""
    determined: np.ndarray = answer.asked & (left.possible <= answer.optimal).all(axis=-1)
    return determined


def _names(actions: Bool[np.ndarray, " action"]) -> str:
    if actions.all():
        return "any"
    return " ".join(np.array(ACTION_NAMES)[actions]) or "none"
