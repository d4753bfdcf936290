"""What partly covered data of the maze of section 2 settle, exactly: `mbgen env coverage`."""

from __future__ import annotations

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, table
from experiments.runs.lane_settings import require_one_of
from experiments.runs.offline_settings import TERMINAL_STEPS
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable

REACHES = ("anywhere", "beside", "ahead")


def coverage(
    *, terminal_step: str = "into-goal", reach: str = "anywhere", json: Json = None
) -> int:
    """What each dataset of the maze of section 2 settles, exactly: by H_M, by H_B, and for each agent.

    Args:
        terminal_step: into-goal, or from-goal: the last step of an episode is the one taken from the goal.
        reach: Where a step leads in a model of the class: anywhere, beside (the agent's cell or one beside it), or
            ahead (the agent's cell or the one ahead).
        json: Write the tables as JSON; "-" is standard output.
    """
    require_one_of("terminal_step", terminal_step, TERMINAL_STEPS)
    require_one_of("reach", reach, REACHES)
    require_writable(json)
    from tabular import agent_table, cell_table, class_table, coverage_answers

    answers = coverage_answers(terminal_step, reach)
    screen, content = console(json), {}
    for name, title, make in (
        ("classes", "Models left, and cells of twelve in which none of them is wrong", class_table),
        ("cells", "Greedy actions in the cells of the lower layout", cell_table),
        ("agents", "Cells settled by what each agent is trained on", agent_table),
    ):
        columns, rows = make(answers)
        screen.print(table(title, columns, rows))
        content[name] = [dict(zip(columns, row, strict=True)) for row in rows]
    told = {"terminal_step": terminal_step, "reach": reach}
    write_json(told | content, json)
    return 0
