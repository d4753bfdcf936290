"""Models by counting: what they pool, and what they therefore know of pairs that were never tried."""

from collections import Counter
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabular import (
    ButtonGrid,
    CountedModel,
    Dataset,
    EmpiricalMDP,
    Experience,
    FactoredSpace,
    FiniteMDP,
    OnlineSettings,
    OpenGrid,
    PanFlute,
    ProcMaze,
    PushTree,
    PushTreeState,
    Transition,
    declared_structure,
    enumerate_factors,
    exact_structure,
    factored_structure,
    learn_offline,
    learned_structure,
    reference_performance,
    structure_of_parents,
    table_structure,
)
from tabular.environments.push_tree import CROSS, PUSH, story

RULES = [PushTree(1), PanFlute(2), PanFlute(3), ButtonGrid(1, 2), ProcMaze(2), OpenGrid(3)]
STRUCTURES = {
    "table": lambda rule, mdp, space: table_structure(mdp, space),
    "declared": declared_structure,
    "exact": exact_structure,
}


@cache
def enumerated(rule):
    mdp = FiniteMDP.from_rule(rule)
    return mdp, FactoredSpace.of(rule, mdp)


@cache
def sampled(rule, steps, seed=0):
    """A uniform walk through reached pairs, each drawn anew, by the rule itself."""
    mdp, space = enumerated(rule)
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True))
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(steps):
        state = mdp.states[generator.integers(mdp.num_states)]
        action = int(generator.integers(mdp.num_actions))
        outcomes = rule.outcomes(state, action)
        chances = [float(outcome.probability) for outcome in outcomes]
        outcome = outcomes[int(np.searchsorted(np.cumsum(chances), generator.random()))]
        following = -1 if outcome.terminal else number[outcome.next_state]
        rows.append((number[state], action, float(outcome.reward), following))
    states, actions, rewards, following = zip(*rows, strict=True)
    return Experience(np.array(states), np.array(actions), np.array(rewards), np.array(following))


def experienced(rows, mdp, space):
    """Transitions between states of a rule, by their numbers."""
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True)) | {None: -1}
    columns = zip(*((number[s], a, float(r), number[n]) for s, a, r, n in rows), strict=True)
    return Experience(*map(np.array, columns))


def fitted(structure, seen):
    model = CountedModel.empty(structure)
    for row in zip(*(column.tolist() for column in seen), strict=True):
        model.observe(*row)
    return model


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_states_are_numbered_as_their_variables_say(rule):
    mdp, space = enumerated(rule)
    assert np.array_equal(space.codes @ space.strides, np.arange(space.num_states))
    for state, number in zip(mdp.states, space.reached, strict=True):
        flat = []
        for value in rule.factors(state):
            flat += value if isinstance(value, tuple) else [value]
        codes = space.codes[number]
        assert [space.values[k][code] for k, code in enumerate(codes)] == flat


@given(st.lists(st.tuples(st.integers(0, 71), st.integers(0, 10**9)), min_size=1, max_size=60))
@settings(max_examples=50)
def test_the_model_of_a_table_is_the_empirical_mdp(draws):
    rule = PanFlute(3)
    mdp, space = enumerated(rule)
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True))
    model, stored = CountedModel.empty(table_structure(mdp, space)), []
    for pair, chance in draws:
        state, action = divmod(pair, 3)
        outcomes = rule.outcomes(mdp.states[state], action)
        outcome = outcomes[chance % len(outcomes)]
        stored.append((state, action, outcome.reward, mdp.states.index(outcome.next_state)))
        row = (number[mdp.states[state]], action, float(outcome.reward), number[outcome.next_state])
        model.observe(*row)
    empirical = EmpiricalMDP.from_dataset(
        Dataset(mdp.num_states, 3, tuple(Transition(*row) for row in stored))
    )
    for state, action in np.ndindex(mdp.num_states, 3):
        found = model.predict(int(space.reached[state]), action)
        assert (found is not None) == empirical.visited[state, action]
        if found is not None:
            law = empirical.transitions[state, action].astype(float)
            expected = {int(space.reached[k]): law[k] for k in np.flatnonzero(law)}
            assert found.next_states == pytest.approx(expected)
            assert found.reward == pytest.approx(float(empirical.rewards[state, action]))
            assert found.termination == 0


@pytest.mark.parametrize("kind", STRUCTURES)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_with_much_data_each_output_has_its_true_distribution(rule, kind):
    mdp, space = enumerated(rule)
    seen = sampled(rule, 10_000)
    model = fitted(STRUCTURES[kind](rule, mdp, space), seen)
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True))
    for state in mdp.states[:: 1 + mdp.num_states // 8]:
        for action in range(mdp.num_actions):
            found = model.predict(number[state], action)
            assert found is not None
            outcomes = rule.outcomes(state, action)
            ends = float(sum(o.probability for o in outcomes if o.terminal))
            tries = model.totals[model.structure.rows[-2, number[state], action]]
            assert abs(found.termination - ends) <= 5 * np.sqrt(ends * (1 - ends) / tries)
            assert found.reward == pytest.approx(
                float(sum(o.probability * o.reward for o in outcomes))
            )
            for variable in range(len(space.names)):
                true, learned = Counter(), Counter()
                for outcome in outcomes:
                    if not outcome.terminal:
                        code = space.codes[number[outcome.next_state], variable]
                        true[code] += float(outcome.probability) / (1 - ends)
                for following, share in found.next_states.items():
                    learned[space.codes[following, variable]] += share
                assert learned.keys() <= true.keys()
                row = model.structure.rows[min(variable, len(model.structure.rows) - 3)]
                tries = model.totals[row[number[state], action]]
                for code, share in true.items():
                    deviation = np.sqrt(share * (1 - share) / tries)
                    assert abs(learned[code] - share) <= 5 * deviation + 1e-9


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_an_exact_context_holds_one_law_alone(rule):
    mdp, space = enumerated(rule)
    structure = exact_structure(rule, mdp, space)
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True))
    laws = {}
    for state in mdp.states:
        for action in range(mdp.num_actions):
            outcomes = rule.outcomes(state, action)
            alive = sum(o.probability for o in outcomes if not o.terminal)
            rows = structure.rows[:, number[state], action].tolist()
            ending = 1 - alive
            reward = (
                frozenset(Counter({o.reward: o.probability for o in outcomes}).items())
                if len({o.reward for o in outcomes}) > 1
                else outcomes[0].reward
            )
            assert laws.setdefault(rows[-2], ending) == ending
            assert laws.setdefault(rows[-1], reward) == reward
            for variable, row in enumerate(rows[:-2]):
                law = Counter()
                for o in outcomes:
                    if not o.terminal:
                        law[space.codes[number[o.next_state], variable]] += o.probability / alive
                if law:
                    assert laws.setdefault(row, frozenset(law.items())) == frozenset(law.items())


def test_pooling_is_less_than_a_table_where_there_is_factored_structure():
    for rule, least in [(PanFlute(3), 3), (ButtonGrid(1, 3), 5), (PushTree(3), 5)]:
        mdp, space = enumerated(rule)
        structure = exact_structure(rule, mdp, space)
        contexts = max(len(np.unique(rows)) for rows in structure.rows)
        assert contexts * least < mdp.num_states * mdp.num_actions, rule


def test_what_was_seen_apart_is_put_together_for_a_pair_never_tried():
    rule = PushTree()
    mdp, space = enumerated(rule)
    number = dict(zip(mdp.states, space.reached.tolist(), strict=True))
    seen = experienced(story(), mdp, space)
    standing = number[PushTreeState(False, True, ())]
    fallen = number[PushTreeState(True, True, ())]
    factored = fitted(exact_structure(rule, mdp, space), seen)
    found = factored.predict(standing, PUSH)
    assert found is not None
    assert (found.reward, found.termination, found.next_states) == (0.0, 0.0, {fallen: 1.0})
    assert fitted(table_structure(mdp, space), seen).predict(standing, PUSH) is None


def test_after_the_story_only_the_factored_model_pushes_the_tree():
    rule = PushTree()
    mdp, space = enumerated(rule)
    seen = experienced(story(), mdp, space)
    standing = mdp.states.index(PushTreeState(False, True, ()))
    learned = {
        kind: learn_offline(space, source, seen, OnlineSettings(), seed=0, updates=1000)[standing]
        for kind, source in (
            ("replay", None),
            ("table", table_structure(mdp, space)),
            ("factored", exact_structure(rule, mdp, space)),
        )
    }
    assert learned["replay"].tolist() == learned["table"].tolist() == [0.0, 0.0]
    assert learned["factored"][PUSH] == pytest.approx(0.9, abs=1e-3)
    assert 0 < learned["factored"][CROSS] < learned["factored"][PUSH]


def test_nothing_is_learned_offline_from_nothing():
    _, space = enumerated(PushTree())
    none = np.zeros(0, dtype=np.int64)
    nothing = Experience(none, none, np.zeros(0), none)
    with pytest.raises(ValueError, match="at least one transition, got none"):
        learn_offline(space, None, nothing, OnlineSettings(), seed=0, updates=1)


def test_a_pair_is_unknown_until_each_of_its_contexts_was_seen():
    rule = PanFlute(2)
    mdp, space = enumerated(rule)
    model = CountedModel.empty(exact_structure(rule, mdp, space))
    state, action = int(space.reached[0]), 0
    assert model.predict(state, action) is None
    model.observe(state, action, 0.0, int(space.reached[1]))
    assert model.predict(state, action) is not None


def test_a_parent_that_is_no_factor_is_refused():
    mdp, space = enumerated(PushTree())
    parents = {name: [("action",), ("action",)] for name in (*space.names, "terminal", "reward")}
    assert structure_of_parents(space, parents).rows.shape == (4, 4, 2)
    with pytest.raises(ValueError, match="'food' has the parent 'fish', which is no variable"):
        structure_of_parents(space, parents | {"food": [("fish",), ()]})
    with pytest.raises(ValueError, match="parents of 'food' must be given for 2 actions"):
        structure_of_parents(space, parents | {"food": [()]})

    class Wrong(PushTree):
        def parents(self, action, cause):
            return super().parents(action, cause) | {"food": frozenset(["fish"])}

    with pytest.raises(ValueError, match="'food' has the parent 'fish', which is no factor"):
        declared_structure(Wrong(), mdp, space)


def test_spaces_that_are_too_large_are_refused():
    rule = PanFlute(4)
    with pytest.raises(ValueError, match="1,024 combinations of values; at most 1,000"):
        FactoredSpace.of(rule, FiniteMDP.from_rule(rule), max_states=1_000)


def test_variables_of_one_name_are_refused():
    class Coins(PushTree):  # a pair of coins, whose first is called like the third
        factor_names = ("p", "p 0")

        def factors(self, state):
            return ((state.food,), state.fallen)

    rule = Coins()
    with pytest.raises(ValueError, match="two variables are called 'p 0'; accepted: each name on"):
        FactoredSpace.of(rule, FiniteMDP.from_rule(rule))


@pytest.mark.parametrize("bystanders", [0, 1, 3])
def test_bystanders_change_nothing_about_the_best_and_the_random_meal(bystanders):
    rule = PushTree(bystanders)
    # At (1,1) eat at once; at (0,1) push, and eat unless night falls, which it does one time in four.
    best = (1 + Fraction(3, 4)) / 4
    # x = 1/2 + 1/2 3/4 x at (1,1), and y = 1/2 3/4 (x + y) at (0,1).
    x = Fraction(1, 2) / (1 - Fraction(3, 8))
    y = Fraction(3, 8) * x / (1 - Fraction(3, 8))
    assert reference_performance(rule, "optimal").value == pytest.approx(float(best))
    assert reference_performance(rule, "uniform").value == pytest.approx(float((x + y) / 4))


def test_the_scopes_that_a_push_tree_declares_are_the_smallest():
    structure = factored_structure(enumerate_factors(PushTree(2)))
    declared = [scope for scope in structure.scopes if scope.declared is not None]
    assert declared
    assert all(scope.declared in scope.smallest for scope in declared)
    assert structure.scope("reward", CROSS, None).smallest == (frozenset({"fallen", "food"}),)


@pytest.mark.parametrize("bystanders", [-1, 11])
def test_a_push_tree_has_few_bystanders(bystanders):
    with pytest.raises(ValueError, match="num_bystanders must be an integer of 0 to 10"):
        PushTree(bystanders)


def test_with_much_data_the_learned_structure_of_a_flute_is_the_exact_one():
    rule = PanFlute(3)
    mdp, space = enumerated(rule)
    learned = learned_structure(space, sampled(rule, 10_000), false_alarms=1e-6)
    exact = exact_structure(rule, mdp, space)
    for output in range(len(space.names)):
        pairs = zip(
            learned.rows[output, space.reached].ravel().tolist(),
            exact.rows[output, space.reached].ravel().tolist(),
            strict=True,
        )
        coarser = {}
        for mine, true in pairs:  # actions that share a law may be pooled by what is learned
            assert coarser.setdefault(true, mine) == mine


def test_nothing_seen_leaves_everything_pooled():
    _, space = enumerated(PanFlute(2))
    none = np.zeros(0, dtype=np.int64)
    structure = learned_structure(space, Experience(none, none, np.zeros(0), none))
    assert [len(np.unique(rows)) for rows in structure.rows] == [1] * (len(space.names) + 2)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("states", 4, "states must be 0 to 3, got 4"),
        ("states", -1, "states must be 0 to 3, got -1"),
        ("actions", 5, "actions must be 0 to 4, got 5"),
        ("next_states", -2, "next_states must be -1 to 3, got -2"),
        ("next_states", 4, "next_states must be -1 to 3, got 4"),
        ("rewards", float("nan"), "rewards must be finite, got nan"),
    ],
)
@pytest.mark.parametrize("kind", ["replay", "table", "exact"])
def test_transitions_that_are_none_of_the_space_are_refused(kind, column, value, message):
    rule = OpenGrid(2)
    mdp = FiniteMDP.from_rule(rule)
    space = FactoredSpace.of(rule, mdp)
    source = {
        "replay": None,
        "table": table_structure(mdp, space),
        "exact": exact_structure(rule, mdp, space),
    }[kind]
    seen = Experience(*(np.zeros(3, dtype=kind) for kind in (int, int, float, int)))
    learn_offline(space, source, seen, OnlineSettings(), seed=0, updates=1)
    getattr(seen, column)[1] = value
    with pytest.raises(ValueError, match=f"^{message}$"):
        learn_offline(space, source, seen, OnlineSettings(), seed=0, updates=1)


def test_a_transition_that_the_model_has_no_place_for_is_refused():
    rule = OpenGrid(3)
    mdp = FiniteMDP.from_rule(rule)
    space = FactoredSpace.of(rule, mdp)
    stays, up, leaps = (np.array([0]), np.array([1]), np.array([7]))
    settings = OnlineSettings()
    seen = Experience(stays, up, np.zeros(1), leaps)
    with pytest.raises(ValueError, match=r"^action 1 must not lead from state 0 to 7: the model"):
        learn_offline(space, table_structure(mdp, space), seen, settings, seed=0, updates=1)
    assert learn_offline(space, None, seen, settings, seed=0, updates=1).shape == (9, 5)
