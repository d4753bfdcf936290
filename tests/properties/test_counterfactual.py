"""Known scopes are those of the readable rules, and recombined transitions are what these rules give."""

from collections import defaultdict
from functools import cache

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep import CounterfactualReplay, Replay, SimpleModel
from deep.environments import PanFlute, WalledMaze
from deep.random_streams import Purpose, Stream, lane_words, words
from deep.replay_buffer import Replayed
from tabular.environments.button_grid import Button, ButtonGridState
from tabular.environments.proc_maze import ProcMazeState
from tests.properties.registry import LARGE, SMALL
from tests.properties.test_same_law import ENDED, code, law

CASES = [case for case in SMALL if case.batched.scopes]
ALIKE = [case for case in (*CASES, *LARGE[:2], *LARGE[4:7]) if "Button" not in str(case)]


def named(name):
    (found,) = (case for case in CASES if str(case) == name)
    return found


SEED = torch.tensor([3, 4])
BATCH = 80


@cache
def visited(case):
    """Some 200 of the states that an episode can visit: the first, which are alike, some from everywhere, and on."""
    rule, first = case.rule, tuple(case.rule.initial_distribution())
    found = dict.fromkeys((*first[:60], *first[:: len(first) // 60 + 1]))
    waiting = list(found)
    while waiting and len(found) < 200:
        state = waiting.pop()
        for action in range(rule.num_actions):
            for outcome in rule.outcomes(state, action)[:20]:
                if not outcome.terminal and outcome.next_state not in found:
                    found[outcome.next_state] = None
                    waiting.append(outcome.next_state)
    return tuple(found)


@pytest.mark.parametrize("case", ALIKE, ids=str)
def test_scopes_are_those_that_the_readable_rule_declares(case):
    names, scopes = case.rule.factor_names, case.batched.scopes
    assert len(scopes.factors) == len(names)
    for action, parents in enumerate(scopes.parents):
        declared = case.rule.parents(action, "usual")
        named = {name: {names[k] for k in own} for name, own in zip(names, parents, strict=True)}
        assert named == declared


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_feature_belongs_to_one_factor(case):
    features = sorted(f for own in case.batched.scopes.factors for f in own)
    assert features == list(range(case.batched.num_features))


@pytest.mark.parametrize("case", [case for case in CASES if case in ALIKE], ids=str)
def test_the_features_of_a_factor_are_those_that_its_value_decides(case):
    seen = defaultdict(set)
    for state in visited(case):
        observation = case.rule.observation(state)
        for k, value in enumerate(case.rule.factors(state)):
            seen[k, value].add(tuple(observation[f] for f in case.batched.scopes.factors[k]))
    assert all(len(looks) == 1 for looks in seen.values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_in_its_usual_course_a_factor_depends_on_its_parents_alone(case):
    """By the exact rule, from every ordinary state that some episode can visit."""
    rule, scopes, states = case.rule, case.batched.scopes, visited(case)
    ordinary = case.batched.ordinary(case.states(*states)).tolist()
    followed = defaultdict(set)
    for state, steps in zip(states, ordinary, strict=True):
        for action in range(rule.num_actions):
            usual = [o for o in rule.branches(state, action).get("usual", ()) if o.probability]
            if not steps or not usual:
                continue
            (outcome,) = usual
            before, after = map(rule.observation, (state, outcome.next_state))
            for k, (own, parents) in enumerate(
                zip(scopes.factors, scopes.parents[action], strict=True)
            ):
                known = tuple(before[f] for p in sorted(parents) for f in scopes.factors[p])
                followed[action, k, known].add(tuple(after[f] for f in own))
    assert followed or len(states) == 1 or case.batched.event_probability == 1
    assert all(len(values) == 1 for values in followed.values())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_event_shows_wherever_it_happened(case):
    after = [
        outcome.next_state
        for state in visited(case)
        for outcome in case.rule.branches(state, 0).get("spontaneous", ())
        if outcome.probability and not outcome.terminal
    ]
    assert not after or case.batched.event_shows(case.states(*after)).all()


@cache
def met(case):
    """Every pair of a state that an episode can visit and an action, as batched tensors."""
    pairs = [(s, a) for s in visited(case) for a in range(case.rule.num_actions)]
    return case.states(*(s for s, _ in pairs)), torch.tensor([a for _, a in pairs])


def replayed(case, chosen, step=0):
    """Steps that happened, with all that chance does in them, in two lanes."""
    states, actions = met(case)
    index = torch.tensor(chosen).remainder(len(actions)).view(2, -1)
    state = type(states)(*(field[index] for field in states))
    count = case.batched.transition_words
    drawn = lane_words(Stream(SEED, torch.tensor(step), Purpose.ENVIRONMENT), count, index.shape[1])
    taken = case.batched.transition(state, actions[index], drawn)
    return Replayed(
        case.batched.observe(state), actions[index], taken.reward, taken.terminal,
        case.batched.observe(taken.successor),
    )  # fmt: skip


def rows(batch):
    """Each transition of each lane as plain values."""
    return [
        [
            tuple(map(tuple_of, row))
            for row in zip(*(field[lane] for field in batch.transitions), strict=True)
        ]
        for lane in range(2)
    ]


def tuple_of(value):
    return tuple(value.tolist()) if value.dim() else value.item()


def rule_state(case, seen):
    """The readable state that looks so, of states too that no episode visits."""
    seen = np.array(seen)
    name = type(case.rule).__name__
    if name == "ProcMaze":
        agent, goal, walls, _ = seen.reshape(-1, 4).T
        return ProcMazeState(int(agent.argmax()), int(goal.argmax()), tuple(map(bool, walls)))
    if name == "ButtonGrid":
        agent, on, off = seen.reshape(-1, 3).T
        buttons = (Button(int(cell), bool(on[cell])) for cell in np.flatnonzero(on | off))
        return ButtonGridState(int(agent.argmax()), tuple(buttons))
    if name == "OpenGrid":
        return int(seen.argmax())
    ends = np.cumsum(np.arange(1, case.rule.num_pipes + 1))[:-1]
    kind = type(visited(case)[0][0][0])
    return tuple(tuple(map(kind, pipe)) for pipe in np.split(seen, ends))


@cache
def allowed(case, seen, action):
    state = rule_state(case, seen)
    assert case.rule.observation(state) == seen
    return law(case.rule, case.rule.outcomes(state, action))


@pytest.mark.parametrize("case", CASES, ids=str)
@settings(max_examples=4)
@given(chosen=st.lists(st.integers(0, 2**20), min_size=2, max_size=BATCH), step=st.integers(0, 99))
def test_a_recombined_transition_is_one_that_the_exact_rule_gives(case, chosen, step):
    batch = replayed(case, chosen + chosen[::-1], step)
    made = CounterfactualReplay(case.batched).recombine(batch, Stream(SEED, torch.tensor(step), 0))
    for lane in rows(made):
        for before, action, reward, terminal, after in lane:
            row = (ENDED if terminal else code(after), int(reward), int(terminal))
            assert row in allowed(case, before, action)


NEW = {
    "PanFlute(num_pipes=3, spontaneous=True)": 0.1,
    "ButtonGrid(num_buttons=2, grid_size=2, spontaneous_event='switch_on')": 0.01,
    "ProcMaze(grid_size=3, spontaneous_event='goal')": 0.3,
}


@pytest.mark.parametrize("case", [named(name) for name in NEW], ids=str)
def test_much_of_what_is_recombined_was_never_met(case):
    batch = replayed(case, [k * 7919 for k in range(2 * BATCH)])
    made = CounterfactualReplay(case.batched).recombine(batch, Stream(SEED, torch.tensor(0), 0))
    for old, new in zip(rows(batch), rows(made), strict=True):
        known = set(old)
        assert sum(row not in known for row in new) > NEW[str(case)] * BATCH


def test_of_a_single_factor_there_is_nothing_to_recombine():
    """OpenGrid's transitions are exchanged whole: the distribution is that of replay."""
    case = named("OpenGrid(grid_size=3, spontaneous=True)")
    batch = replayed(case, range(2 * BATCH))
    made = CounterfactualReplay(case.batched).recombine(batch, Stream(SEED, torch.tensor(0), 0))
    for old, new in zip(rows(batch), rows(made), strict=True):
        assert set(new) <= set(old)
        assert new != old


def components(scopes, action, one, other):
    """By a graph library: the sets of factors that have to come from one transition."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(scopes.factors)))
    for factor, parents in enumerate(scopes.parents[action]):
        for parent in parents:
            if any(one[f] != other[f] for f in scopes.factors[parent]):
                graph.add_edge(factor, parent)
    return [sorted(component) for component in nx.connected_components(graph)]


@pytest.mark.parametrize("case", [named(name) for name in NEW], ids=str)
def test_recombining_is_what_plain_loops_over_graphs_make_of_the_same_words(case):
    batch = replayed(case, [k * 7919 for k in range(2 * BATCH)])
    model, scopes = CounterfactualReplay(case.batched), case.batched.scopes
    made = rows(model.recombine(batch, Stream(SEED, torch.tensor(5), 0)))
    count = 1 + len(scopes.factors)
    drawn = words(Stream(SEED, torch.tensor(5), Purpose.RECOMBINATION), count * BATCH)
    drawn = drawn.view(count, BATCH, 2).tolist()
    for lane, old in enumerate(rows(batch)):
        usual = [is_usual(case, *row) for row in old]
        for k, row in enumerate(old):
            before, action, after = row[0], row[1], row[4]
            group = [j for j in range(BATCH) if (old[j][1], usual[j]) == (action, usual[k])]
            partner = old[group[(drawn[0][k][lane] % 2**32) * len(group) >> 32]]
            new, then = list(before), list(after)
            for component in components(scopes, action, before, partner[0]):
                if drawn[1 + component[0]][k][lane] < 0:
                    for f in (f for factor in component for f in scopes.factors[factor]):
                        new[f], then[f] = partner[0][f], partner[4][f]
            state = case.batched.from_observation(torch.tensor(new, dtype=torch.uint8))
            if not (usual[k] and case.batched.ordinary(state)):
                assert made[lane][k] == row
                continue
            assert made[lane][k][:2] == (tuple(new), action)
            assert made[lane][k][4] == tuple(then)


def is_usual(case, before, action, reward, terminal, after):
    state, successor = (
        case.batched.from_observation(torch.tensor(seen, dtype=torch.uint8))
        for seen in (before, after)
    )
    shown = bool(case.batched.event_shows(successor))
    return bool(case.batched.ordinary(state)) and not shown and not terminal


def test_the_experience_is_replay_of_what_was_recombined():
    case = CASES[2]
    batch, stream = replayed(case, range(2 * BATCH)), Stream(SEED, torch.tensor(1), Purpose.ROLLOUT)
    model = CounterfactualReplay(case.batched)
    ours = model.experience((), batch, idle, stream)
    plain = Replay(case.batched).experience((), model.recombine(batch, stream), idle, stream)
    for one, other in zip(ours, plain, strict=True):
        assert torch.equal(one, other)


def idle(features, drawn):
    raise AssertionError("nothing is chosen in replay")


def test_an_environment_of_unknown_scopes_or_of_too_many_factors_is_refused():
    assert SimpleModel(WalledMaze()).environment.scopes is None
    with pytest.raises(ValueError, match="scopes are known, got WalledMaze"):
        CounterfactualReplay(WalledMaze())
    with pytest.raises(ValueError, match="takes at most 62 factors, got 63"):
        CounterfactualReplay(PanFlute(63))
