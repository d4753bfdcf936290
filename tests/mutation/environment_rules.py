"""The rules of each environment, and a way to break each in one place."""

from pathlib import Path
from typing import NamedTuple

from tests.mutation.changes import Change


class Break(NamedTuple):
    """One rule, and the one place where its code is replaced by something wrong."""

    environment: str
    rule: str
    file: str
    right: str
    wrong: str


def in_file(environment: str, file: str, *breaks: tuple[str, str, str]) -> list[Break]:
    """Breaks of several rules in one file."""
    return [Break(environment, rule, file, right, wrong) for rule, right, wrong in breaks]


BREAKS = [
    *in_file(
        "PanFlute",
        "pan_flute.py",
        ("every pipe must sound", "sounding & state.active[..., last]", "state.active[..., last]"),
        ("the reward is of the state before", "sounding.float()", "moved[..., -1].float()"),
        ("activation moves up", "moved[..., 1:] = state.active[..., :-1]", "moved.copy_(state.active)"),
        ("an action names its pipe", "action == pipe", "action == self.num_pipes - 1 - pipe"),
        ("the coin is for all pipes", "bitwise_or_(event)", "bitwise_or_(event & (pipe != 1))"),
        ("the coin's probability", "self.num_pipes**2", "(self.num_pipes**2 + 1)"),
        ("the coin can be switched off", "Fraction(int(self.spontaneous)", "Fraction(1"),
        ("all is silent at reset", "torch.zeros(shape", "torch.ones(shape"),
    ),
    *in_file(
        "ButtonGrid",
        "button_grid.py",
        ("only entering toggles", "entered = agent & ~state.agent", "entered = agent"),
        ("a button that is on goes off", "on = state.on ^ (", "on = state.on | ("),
        ("success is all buttons on", "state.on == state.buttons", "state.on & state.buttons != 0"),
        ("the reward is of the state before", "success.float()", "(on == state.buttons).float()"),
        ("success draws everything anew", "redraw = success\n", "redraw = success & event\n"),
        ("the coin's probability", "10 * self.grid.num_cells", "9 * self.grid.num_cells"),
        ("the coin can be switched off", "Fraction(int(self.spontaneous)", "Fraction(1"),
        ("the event switches all on", "torch.where(event, state.buttons, on)", "on"),
        ("the other event draws anew", "redraw = success | event", "redraw = success"),
        ("buttons are in distinct cells", "torch.full_like(cell, j)", "torch.full_like(cell, 0)"),
        ("agent and buttons are independent", "random_cell(drawn[0])", "random_cell(drawn[1])"),
        (
            "buttons start off",
            "ButtonGridState(agent, buttons, torch.zeros_like(agent))",
            "ButtonGridState(agent, buttons, buttons)",
        ),
        ("a move off the grid stays", " & self.grid.board", ""),
    ),
    *in_file(
        "ButtonGrid",
        "grid.py",
        ("1 is up, 2 is left", "(action == 1) * row + (action == 2)", "(action == 2) * row + (action == 1)"),
        ("3 is down, 4 is right", "(action == 3) * row + (action == 4)", "(action == 4) * row + (action == 3)"),
        ("the channel varies fastest", "torch.stack(members, -1)", "torch.stack(members, -2)"),
    ),
    *in_file(
        "ProcMaze",
        "proc_maze.py",
        ("walls block", "action) & state.open", "action) & self.grid.board"),
        (
            "terminal is of the state before",
            "terminal = state.agent == state.goal",
            "terminal = agent == state.goal",
        ),
        ("every step costs 1", "reward = -torch.ones_like", "reward = -2 * torch.ones_like"),
        ("the coin's probability", " - g % 2)", ")"),
        ("the coin can be switched off", "Fraction(int(self.spontaneous)", "Fraction(1"),
        ("the event puts the agent on the goal", "torch.where(event, state.goal, agent)", "agent"),
        ("the other event terminates", "terminal = terminal | event", "terminal = terminal.clone()"),
        ("start and goal are independent", "for word in drawn[:2]", "for word in drawn[[0, 0]]"),
        ("start and goal are uniform", "integers(word, count)", "integers(word, count) // 2"),
    ),
    *in_file(
        "ProcMaze",
        "maze_generation.py",
        ("the first cell is uniform", "grid.random_cell(drawn[0])", "grid.cell(drawn[0] * 0)"),
        ("touching two open cells bars a cell", "(frontier ^ (around & frontier)) | added", "frontier | added"),
        ("depth comes first", "in reversed(digits)", "in digits[:1]"),
        ("the choice is uniform", "scaled >> _FRACTION, most", "0 * scaled, most"),
        (
            "nothing is left that can expand",
            "range(1, most_open_cells(grid.size))",
            "range(1, most_open_cells(grid.size) - 1)",
        ),
    ),
    *in_file(
        "ProcMaze",
        "environment.py",
        (
            "a new episode after a terminal step",
            "select(done.terminal, noise.fresh, done.successor)",
            "done.successor",
        ),
        (
            "a new maze knows nothing of the coin",
            "self.reset(drawn[self.transition_words :])",
            "self.reset(drawn)",
        ),
    ),
    *in_file(
        "OpenGrid",
        "open_grid.py",
        (
            "the goal is the last cell",
            "(state.row == last) & (state.column == last)",
            "(state.row == last) & (state.column == 0)",
        ),
        (
            "a move off the grid stays",
            "(action == 1).long()).clamp(0, last)",
            "(action == 1).long()) % (last + 1)",
        ),
        ("every step costs 1", "-torch.ones_like", "torch.ones_like"),
        ("the coin's probability", "10 * self.grid_size)", "10 * self.grid_size**2)"),
        ("the coin can be switched off", "Fraction(int(self.spontaneous)", "Fraction(1"),
        ("the event puts the agent on the goal", "column.masked_fill(event, last)", "column"),
        ("the start is uniform", "integers(drawn, self.grid_size)", "integers(drawn[[0, 0]], self.grid_size)"),
        (
            "the position is one-hot, row by row",
            "state.row * self.grid_size + state.column",
            "state.column * self.grid_size + state.row",
        ),
    ),
    *in_file(
        "WalledMaze",
        "walled_maze.py",
        ("walls block", "action) & state.open", "action) & GRID.board"),
        ("every step costs 1", "reward = -torch", "reward = torch"),
        (
            "the last step is into the goal or from it",
            "(agent if self.terminal_step",
            "(state.agent if self.terminal_step",
        ),
        ("the layout is uniform", "integers(drawn[0], len(self.layouts))", "integers(drawn[0], 1)"),
        ("the start is uniform", "integers(drawn[1], count)", "integers(drawn[1], count) // 2"),
        ("layout and start are independent", "integers(drawn[1], count)", "integers(drawn[0], count)"),
        (
            "no episode begins on a goal that ends the step into it",
            'terminal_step == "from-goal" or cell != GOAL]',
            'terminal_step or cell != GOAL]',
        ),
        (
            "walls present come before walls absent",
            "state.open ^ GRID.board, state.open",
            "state.open, state.open ^ GRID.board",
        ),
    ),
]  # fmt: skip


def broken(environment: str, folder: Path) -> list[tuple[str, Change]]:
    """File and change of each rule of an environment, in this copy of the project."""
    found = []
    for each in (b for b in BREAKS if b.environment == environment):
        file = f"deep/environments/{each.file}"
        text = (folder / file).read_text(encoding="utf-8")
        line = text[: text.index(each.right)].count("\n") + 1
        found.append((file, Change(line, each.rule, text.replace(each.right, each.wrong))))
    return found
