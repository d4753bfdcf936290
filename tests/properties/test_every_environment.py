"""What holds for every batched environment, at the sizes that agents meet."""

import networkx as nx
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deep.environments import Grid, at
from deep.environments.maze_generation import maze_words, most_open_cells, random_maze
from deep.random_streams import Stream, words
from tests.properties.registry import LARGE, SMALL, reachable

SEEDS = st.integers(-(2**63), 2**63 - 1)
TIME = 40


def trajectory(environment, seeds, steps=TIME):
    """Observations, rewards and terminals under actions that are the same for every lane."""
    seed = torch.tensor(seeds)
    state = environment.initial(seed, torch.tensor(0))
    seen = [environment.observe(state)]
    rewards, terminals = [], []
    for time in range(steps):
        action = torch.full(seed.shape, (time * 7 + time // 3) % environment.num_actions)
        step = environment.step(state, action, environment.noise(seed, torch.tensor(time)))
        state = step.next_state
        seen.append(environment.observe(state))
        rewards.append(step.reward)
        terminals.append(step.terminal)
    return torch.stack(seen), torch.stack(rewards), torch.stack(terminals)


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_a_lane_alone_lives_the_same_life_as_among_thirty(case):
    together = trajectory(case.batched, list(range(100, 130)))
    for lane in (0, 17, 29):
        alone = trajectory(case.batched, [100 + lane])
        for all_lanes, one in zip(together, alone, strict=True):
            assert torch.equal(all_lanes[:, lane], one[:, 0])


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_different_seeds_lead_different_lives(case):
    seen, _, _ = trajectory(case.batched, list(range(30)), steps=200)
    lives = {tuple(life.flatten().tolist()) for life in seen.unbind(1)}
    assert len(lives) > 15  # where only a rare coin is tossed, some lives are still the same


@pytest.mark.parametrize("case", LARGE, ids=str)
@settings(max_examples=5)
@given(seeds=st.lists(SEEDS, min_size=1, max_size=3), start=st.integers(0, 2**31))
def test_noise_for_many_steps_at_once_is_the_noise_of_each(case, seeds, start):
    seed, steps = torch.tensor(seeds), start + torch.arange(3)
    ahead = case.batched.noise(seed, steps.unsqueeze(1))
    for time, step in enumerate(steps):
        expected, taken = case.batched.noise(seed, step), at(ahead, time)
        assert torch.equal(expected.words, taken.words)
        assert (taken.fresh is None) == (expected.fresh is None) == (not case.batched.episodic)
        for one, other in zip(expected.fresh or (), taken.fresh or (), strict=True):
            assert torch.equal(one, other)


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_the_noise_of_a_step_lies_in_memory_alike_however_many_steps_are_drawn(case):
    layouts = set()
    for steps in (1, 2, 50):
        noise = case.batched.noise(torch.arange(5), torch.arange(steps).unsqueeze(1))
        taken = at(noise, steps - 1)
        layouts.add(tuple(field.stride() for field in (taken.words, *(taken.fresh or ()))))
    assert len(layouts) == 1


@pytest.mark.parametrize("case", LARGE, ids=str)
@settings(max_examples=5)
@example(shape=[2, 3], seed=0)
@given(shape=st.lists(st.integers(0, 3), max_size=3), seed=SEEDS)
def test_any_leading_shape_is_the_flat_batch_reshaped(case, shape, seed):
    environment = case.batched
    count = int(torch.tensor(shape).prod()) if shape else 1
    seeds = torch.arange(count) + (seed >> 8)
    action = torch.arange(count) % environment.num_actions
    results = []
    for seed_, action_ in ((seeds, action), (seeds.view(shape), action.view(shape))):
        state = environment.initial(seed_, torch.tensor(0))
        step = environment.step(state, action_, environment.noise(seed_, torch.tensor(1)))
        results.append([environment.observe(step.next_state), step.reward, step.terminal])
    for flat, shaped in zip(*results, strict=True):
        assert shaped.shape[: len(shape)] == tuple(shape)
        assert torch.equal(flat, shaped.reshape(flat.shape))


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_every_reachable_state_looks_as_the_rule_says_and_survives_the_round_trip(case):
    expected = [case.rule.observation(state) for state in reachable(case)]
    state = case.states(*reachable(case))
    assert case.batched.observe(state).tolist() == [list(features) for features in expected]


@pytest.mark.parametrize("case", LARGE, ids=str)
@settings(max_examples=10)
@given(seed=SEEDS)
def test_a_state_is_recovered_from_its_observation(case, seed):
    lane = torch.tensor(seed)
    state = case.batched.initial(lane, torch.tensor(0))
    for time in range(10):
        action, now = torch.tensor(time % case.batched.num_actions), torch.tensor(time)
        state = case.batched.step(state, action, case.batched.noise(lane, now)).next_state
        seen = case.batched.observe(state)
        assert seen.shape == (case.batched.num_features,)
        for field, back in zip(state, case.batched.from_observation(seen), strict=True):
            assert torch.equal(field, back)


@pytest.mark.parametrize("case", [case for case in LARGE if case.channels], ids=str)
@settings(max_examples=20)
@given(seed=SEEDS, data=st.data())
def test_turning_or_reflecting_the_grid_and_the_action_commutes_with_the_step(case, seed, data):
    environment = case.batched
    features, actions = data.draw(st.sampled_from(case.symmetries()))
    seeds = torch.arange(200) + (seed >> 8)
    seen = environment.observe(environment.initial(seeds, torch.tensor(0)))
    action = torch.arange(200) % environment.num_actions
    drawn = words(Stream(seeds, torch.tensor(1), 0), environment.transition_words)

    turned = seen[:, features.copy()]
    here = environment.transition(environment.from_observation(seen), action, drawn)
    there = environment.transition(
        environment.from_observation(turned), torch.from_numpy(actions)[action], drawn
    )
    assert torch.equal(here.reward, there.reward)
    assert torch.equal(here.terminal, there.terminal)
    assert torch.equal(
        environment.observe(here.successor)[:, features.copy()],
        environment.observe(there.successor),
    )


@settings(max_examples=60)
@given(size=st.integers(1, 7), seed=SEEDS)
def test_the_open_cells_of_a_maze_form_a_tree_that_cannot_grow(size, seed):
    grid = Grid(size)
    drawn = words(Stream(torch.tensor([seed]), torch.tensor(0), 0), maze_words(size))
    opened, count = random_maze(grid, drawn)
    cells = [cell for cell, is_open in enumerate(grid.features(opened)[0].tolist()) if is_open]
    lattice = nx.convert_node_labels_to_integers(nx.grid_2d_graph(size, size), ordering="sorted")
    assert nx.is_tree(lattice.subgraph(cells))
    assert len(cells) == int(count) <= most_open_cells(size)
    for wall in set(lattice) - set(cells):
        assert len(set(lattice[wall]) & set(cells)) != 1
