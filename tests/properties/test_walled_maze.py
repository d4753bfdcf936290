"""The batched datasets of section 2 hold the transitions of the readable maze."""

import pytest

from deep.environments.walled_maze import basic_layouts, dataset, evaluation_layouts
from tabular.environments import WalledMaze, walled_maze

ENDED = "what follows a terminal step means nothing"


def test_the_layouts_are_those_that_the_rule_derives():
    assert set(evaluation_layouts()) == set(walled_maze.evaluation_layouts())
    assert set(basic_layouts()) == set(walled_maze.basic_layouts())


@pytest.mark.parametrize("terminal_step", ["into-goal", "from-goal"])
@pytest.mark.parametrize(
    "coverage", ["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
)
def test_every_transition_is_what_the_rule_says(coverage, terminal_step):
    rule = WalledMaze(terminal_step=terminal_step)
    expected = set()
    for state, action in walled_maze.dataset(coverage, terminal_step):
        ((_, successor, reward, terminal),) = rule.outcomes(state, action)
        after = ENDED if terminal else rule.observation(successor)
        expected.add((rule.observation(state), action, float(reward), terminal, after))
    data = dataset(coverage, terminal_step)
    batched = [
        (tuple(seen), action, reward, ended, ENDED if ended else tuple(after))
        for seen, action, reward, ended, after in zip(*(x.tolist() for x in data), strict=True)
    ]
    assert len(batched) == len(expected)
    assert set(batched) == expected
