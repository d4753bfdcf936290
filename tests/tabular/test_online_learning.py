"""The compiled learners against plain ones, and what must hold of any run."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import (
    Bootstrap,
    ButtonGrid,
    CountedModel,
    Dataset,
    EmpiricalMDP,
    FactoredSpace,
    FiniteMDP,
    OnlineSettings,
    OpenGrid,
    PanFlute,
    ProcMaze,
    PushTree,
    Transition,
    World,
    certainty_equivalence,
    declared_structure,
    exact_structure,
    greedy_performance,
    learn_online,
    learned_structure,
    q_learning_replay,
    reference_performance,
    structure_of_parents,
    table_structure,
)
from tabular.solvers import discounted

RULES = [PushTree(1), PanFlute(3), ButtonGrid(1, 2), ProcMaze(2), OpenGrid(3)]
SOURCES = {
    "replay": lambda rule, mdp, space: None,
    "table": lambda rule, mdp, space: table_structure(mdp, space),
    "declared": declared_structure,
    "exact": exact_structure,
}


def prepared(rule):
    mdp = FiniteMDP.from_rule(rule)
    space = FactoredSpace.of(rule, mdp)
    return mdp, space, World.of(mdp, space)


class Plain:
    """The same learner in plain Python: it draws from the rule's outcomes, and from dictionaries."""

    def __init__(self, mdp, space, structure, chosen, seed):
        self.mdp, self.space, self.chosen = mdp, space, chosen
        self.random = np.random.default_rng(seed).random
        self.q = np.zeros((space.num_states, space.num_actions))
        self.model = None if structure is None else CountedModel.empty(structure)
        self.stored, self.made = [], 0
        self.position = self.first()

    def first(self):
        return self.drawn(self.mdp.initial)

    def drawn(self, chances):
        """The entry at which the running sum passes a uniform number; None if it never does."""
        chance, total = self.random(), 0.0
        for entry, probability in enumerate(chances):
            total += probability
            if chance < total - 1e-15:
                return entry
        return None

    def behave(self, values):
        explores, choice = self.random() < self.chosen.exploration, self.random()
        best = range(len(values)) if explores else np.flatnonzero(values == values.max())
        return int(best[int(choice * len(best))])

    def step(self):
        number = int(self.space.reached[self.position])
        action = self.behave(self.q[number])
        reward = float(self.mdp.rewards[self.position, action])
        row = self.mdp.transitions[[self.position * self.mdp.num_actions + action]].tocoo()
        entry = self.drawn(row.data)
        following = -1
        if entry is None:
            self.position = self.first()
        else:
            self.position = int(row.col[entry])
            following = int(self.space.reached[self.position])
        self.stored.append((number, action, reward, following))
        if self.model is None:
            for _ in range(self.chosen.updates):
                self.update(*self.stored[int(self.random() * len(self.stored))])
        else:
            self.model.observe(number, action, reward, following)
            self.imagine()

    def imagine(self):
        state, left = None, 0
        for _ in range(self.chosen.updates):
            known = [] if left == 0 else self.known(state)
            if not known:
                state = self.stored[int(self.random() * len(self.stored))][0]
                left, known = self.chosen.rollout, self.known(state)
            if not known:
                left = 0
                continue
            action = known[int(self.random() * len(known))]
            following = self.imagined(state, action)
            self.update(state, action, self.model.predict(state, action).reward, following)
            left = 0 if following < 0 else left - 1
            state = following

    def known(self, state):
        actions = range(self.space.num_actions)
        return [a for a in actions if self.model.predict(state, a) is not None]

    def imagined(self, state, action):
        """Draw termination, then each variable, from the counts in its context."""
        model, structure = self.model, self.model.structure
        *variables, termination, _ = structure.rows[:, state, action].tolist()
        begin = structure.first_slot[termination]
        if self.random() * model.totals[termination] < model.counts[begin + 1]:
            return -1
        following = 0
        for row, stride in zip(variables, structure.strides.tolist(), strict=True):
            slots = range(structure.first_slot[row], structure.first_slot[row + 1])
            bag = [structure.slot_values[slot] for slot in slots for _ in range(model.counts[slot])]
            following += int(bag[int(self.random() * len(bag))]) * stride
        return following

    def update(self, state, action, reward, following):
        self.made += 1
        target = reward
        if following >= 0:
            target += self.chosen.discount * self.q[following].max()
        self.q[state, action] += self.chosen.step_size * (target - self.q[state, action])


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_compiled_learner_does_what_the_plain_one_does(rule, kind):
    mdp, space, world = prepared(rule)
    source = SOURCES[kind](rule, mdp, space)
    chosen = OnlineSettings(updates=7, rollout=3, step_size=0.3, exploration=0.2)
    run = learn_online(world, space, source, chosen, seed=5, evaluations=[150])
    plain = Plain(mdp, space, source, chosen, seed=5)
    for _ in range(150):
        plain.step()
    np.testing.assert_array_equal(np.array(plain.stored).T, np.stack(run.experience))
    np.testing.assert_array_equal(run.values[0], plain.q[space.reached])
    assert run.updates[0] == plain.made > 0


def test_compiled_replay_is_the_readable_one():
    _, space, world = prepared(OpenGrid(3))
    chosen = OnlineSettings(updates=5, step_size=0.5, exploration=1.0)
    run = learn_online(world, space, None, chosen, seed=1, evaluations=[40])
    generator = np.random.default_rng(1)
    generator.random()
    order = []
    for step in range(40):
        ended = run.experience.next_states[step] < 0
        generator.random(4 if ended else 3)
        order.append([int(generator.random() * (step + 1)) for _ in range(5)])
    rows = [
        Transition(s, a, r, None if n < 0 else n)
        for s, a, r, n in zip(*(column.tolist() for column in run.experience), strict=True)
    ]
    values = np.zeros((9, 5))
    dataset = Dataset(9, 5, tuple(rows))
    for drawn in order:
        values = q_learning_replay(dataset, drawn, values, Bootstrap(0.9), step_size=0.5)
    np.testing.assert_allclose(run.values[0], values[space.reached], rtol=1e-12)


@pytest.mark.parametrize("kind", ["replay", "table"])
def test_many_updates_in_a_deterministic_world_are_certainty_equivalence(kind):
    rule = ProcMaze(2, spontaneous=False)
    mdp, space, world = prepared(rule)
    chosen = OnlineSettings(updates=4000, step_size=1.0, exploration=0.3)
    source = SOURCES[kind](rule, mdp, space)
    run = learn_online(world, space, source, chosen, seed=2, evaluations=[60])
    place = {number: k for k, number in enumerate(space.reached.tolist())}
    rows = [
        Transition(place[s], a, r, None if n < 0 else place[n])
        for s, a, r, n in zip(*(column.tolist() for column in run.experience), strict=True)
    ]
    model = EmpiricalMDP.from_dataset(Dataset(mdp.num_states, 5, tuple(rows)))
    solved = certainty_equivalence(model, np.zeros((mdp.num_states, 5)), Bootstrap(0.9))
    assert 5 < model.visited.sum() < 180
    np.testing.assert_allclose(run.values[0], solved, atol=1e-9)


def test_a_factored_model_values_pairs_never_tried_as_the_truth_does():
    rule = ProcMaze(2, spontaneous=False)
    mdp, space, world = prepared(rule)
    chosen = OnlineSettings(updates=300, step_size=1.0, exploration=1.0)
    run = learn_online(
        world, space, exact_structure(rule, mdp, space), chosen, seed=0, evaluations=[400]
    )
    values = discounted.policy_iteration(mdp, 0.9).values
    truth = mdp.backup(values, 0.9)
    tried = np.zeros((space.num_states, 5), dtype=bool)
    tried[run.experience.states, run.experience.actions] = True
    untried = ~tried[space.reached]
    exactly = np.isclose(run.values[0], truth)
    assert untried.sum() > 5
    assert exactly[untried].mean() > 0.5


def test_without_factors_the_factored_model_is_the_table():
    rule = OpenGrid(3)
    mdp, space, world = prepared(rule)
    pairs = [("position", "action")] * 5
    own = structure_of_parents(space, {"position": pairs, "terminal": pairs, "reward": pairs})
    chosen = OnlineSettings()
    runs = [
        learn_online(world, space, source, chosen, seed=3, evaluations=[500])
        for source in (table_structure(mdp, space), own)
    ]
    np.testing.assert_array_equal(runs[0].experience.states, runs[1].experience.states)
    np.testing.assert_array_equal(runs[0].values, runs[1].values)


@given(st.sets(st.integers(0, 59)), st.sampled_from(["replay", "table", "learned"]))
@settings(max_examples=20)
def test_looking_more_often_changes_nothing(stops, kind):
    rule = PanFlute(2)
    mdp, space, world = prepared(rule)
    sources = {"table": table_structure(mdp, space), "learned": partial(learned_structure, space)}
    once, often = (
        learn_online(
            world, space, sources.get(kind), OnlineSettings(), seed=4, evaluations=evaluations
        )
        for evaluations in ([60], [*sorted(stops), 60])
    )
    np.testing.assert_array_equal(once.values[-1], often.values[-1])
    assert once.updates[-1] == often.updates[-1] > 0


def test_a_seed_is_the_same_alone_and_among_others_on_many_threads():
    rule = PanFlute(3)
    mdp, space, world = prepared(rule)
    structure = exact_structure(rule, mdp, space)

    def learned(seed):
        return learn_online(
            world, space, structure, OnlineSettings(), seed=seed, evaluations=[100]
        ).values

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(learned, range(8)))
    for seed in (0, 5):
        np.testing.assert_array_equal(together[seed], learned(seed))
    assert not np.array_equal(together[0], together[1])


def test_learning_leaves_numpys_global_generator_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    rule = PanFlute(2)
    _, space, world = prepared(rule)
    learn_online(world, space, None, OnlineSettings(), seed=0, evaluations=[10])
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_what_is_drawn_has_the_law_of_the_rule(rule):
    mdp, space, world = prepared(rule)
    chosen = OnlineSettings(updates=0, exploration=1.0)
    seen = learn_online(world, space, None, chosen, seed=0, evaluations=[40_000]).experience
    place = np.full(space.num_states, -1)
    place[space.reached] = np.arange(mdp.num_states)
    counts = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states + 1))
    following = np.where(seen.next_states < 0, mdp.num_states, place[seen.next_states])
    np.add.at(counts, (place[seen.states], seen.actions, following), 1)
    law = np.zeros_like(counts)
    law[:, :, :-1] = mdp.transitions.toarray().reshape(law[:, :, :-1].shape)
    law[:, :, -1] = mdp.termination
    assert not counts[law == 0].any()
    tries = counts.sum(axis=2, keepdims=True)
    spread = np.sqrt(tries * law * (1 - law))
    assert (np.abs(counts - tries * law) <= 6 * spread + 6).all()
    actions = np.bincount(seen.actions, minlength=mdp.num_actions) / 40_000
    np.testing.assert_allclose(actions, 1 / mdp.num_actions, atol=0.02)


def test_every_learner_learns():
    rule = PanFlute(2)
    mdp, space, world = prepared(rule)
    best = reference_performance(rule, "optimal").value
    for kind in ("replay", "table", "declared", "exact"):
        source = SOURCES[kind](rule, mdp, space)
        run = learn_online(world, space, source, OnlineSettings(), seed=0, evaluations=[0, 2000])
        before, after = greedy_performance(mdp, run.values, 100)
        assert run.updates.tolist() == [0, 20_000], kind
        assert before < best - 0.1, kind
        assert after > best - 0.02, kind


@pytest.mark.parametrize("stops", [[], [-1, 3], [3, 3], [5, 2]])
def test_evaluations_increase(stops):
    rule = PanFlute(2)
    _, space, world = prepared(rule)
    with pytest.raises(ValueError, match="evaluations must be increasing"):
        learn_online(world, space, None, OnlineSettings(), seed=0, evaluations=stops)


@pytest.mark.parametrize(
    "setting",
    [
        {"updates": -1},
        {"rollout": 0},
        {"step_size": 0.0},
        {"step_size": 1.5},
        {"exploration": -0.1},
        {"discount": 1.0},
    ],
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match=f"{next(iter(setting))} must be"):
        OnlineSettings(**setting)
