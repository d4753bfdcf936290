"""The batched datasets of section 2 hold the transitions of the readable maze."""

import pytest

from deep.environments.walled_maze import dataset
from tabular.environments import WalledMaze, walled_maze


@pytest.mark.parametrize(
    "coverage", ["all-evaluation", "path-to-goal", "single-cell", "no-evaluation"]
)
def test_every_transition_is_what_the_rule_says(coverage):
    rule = WalledMaze()
    expected = set()
    for state, action in walled_maze.dataset(coverage):
        ((_, successor, reward, terminal),) = rule.outcomes(state, action)
        seen = rule.observation(state)
        after = seen if terminal else rule.observation(successor)
        expected.add((seen, action, float(reward), terminal, after))
    data = dataset(coverage)
    batched = zip(
        map(tuple, data.observation.tolist()),
        data.action.tolist(),
        data.reward.tolist(),
        data.terminal.tolist(),
        map(tuple, data.next_observation.tolist()),
        strict=True,
    )
    assert set(batched) == expected
