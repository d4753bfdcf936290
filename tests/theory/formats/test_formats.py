"""Models written for other programs and read back: nothing is lost, and what others compute from them is the same."""

import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import (
    class_from_models,
    dot_text,
    drn_text,
    explicit,
    explicit_model,
    from_gymnasium,
    gallery_class,
    load_class,
    mdp_class,
    model_arrays,
    optimal_q,
    option,
    parse_drn,
    prism_files,
    read_prism,
    solve,
)

NAMES = ("smallest-witness", "golden-discount", "push-tree", "binary-factors-2", "gamma-one")


def written(folder, files):
    for suffix, text in files.items():
        (folder / f"model{suffix}").write_text(text)
    return folder / "model.tra"


def same(read, problem, index):
    assert read.transitions.size == 1
    assert read.transitions.table(0) == problem.transitions.table(index)
    assert (read.rewards, read.gamma) == (problem.rewards, problem.gamma)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_the_gallery_is_read_back_as_it_was(name, tmp_path):
    problem = gallery_class(name)
    for index in (0, problem.transitions.size - 1):
        model = explicit_model(problem, index)
        same(class_from_models([parse_drn(drn_text(model))], None), problem, index)
        read = read_prism(written(tmp_path, prism_files(model)))
        assert read.gamma is None
        same(class_from_models([read], problem.gamma), problem, index)


@given(oracle.classes(max_models=1))
@settings(deadline=None, max_examples=40)
def test_any_model_is_read_back_as_it_was(tmp_path_factory, drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    model = explicit_model(problem, 0, start=len(rewards) - 1)
    assert parse_drn(drn_text(model)).start == len(rewards) - 1
    same(class_from_models([parse_drn(drn_text(model))], None), problem, 0)
    folder = tmp_path_factory.mktemp("prism")
    same(class_from_models([read_prism(written(folder, prism_files(model)))], gamma), problem, 0)


def best_sums(model):
    """The largest expected sum of rewards on the way to the end, over all policies, by elimination."""
    inner = [s for s in range(len(model.choices)) if s not in model.ends]
    values = []
    for policy in product(*[model.choices[s] for s in inner]):
        matrix = [
            [(i == j) - c.law.get(j, 0) for j in inner] for i, c in zip(inner, policy, strict=True)
        ]
        values.append(oracle.linear_solution(matrix, [c.reward for c in policy]))
    return [max(column) for column in zip(*values, strict=True)]


@given(oracle.classes(max_models=1))
@settings(deadline=None, max_examples=30)
def test_with_the_discount_folded_in_sums_of_rewards_are_discounted_returns(drawn):
    models, rewards, gamma = drawn
    problem = mdp_class(explicit(models), rewards, gamma)
    folded = parse_drn(drn_text(explicit_model(problem, 0, fold_discount=True)))
    assert folded.gamma is None
    assert all(sum(c.law.values()) == 1 for row in folded.choices for c in row)
    expected = [max(row) for row in oracle.optimal_q(models[0], rewards, gamma)]
    assert best_sums(folded) == expected


@pytest.mark.parametrize("name", ["golden-discount", "push-tree"])
def test_storm_finds_the_same_values_exactly(name, tmp_path):
    stormpy = pytest.importorskip("stormpy")
    if not hasattr(stormpy, "Rational"):
        pytest.skip("this stormpy is older than 2.0")
    problem = gallery_class(name)
    [goal] = stormpy.parse_properties('R{"reward"}max=? [F "end"]')
    for index in range(problem.transitions.size):
        path = tmp_path / "model.drn"
        path.write_text(drn_text(explicit_model(problem, index, fold_discount=True)))
        model = stormpy.build_model_from_drn[stormpy.Rational](str(path))
        found = stormpy.model_checking(model, goal)
        q = optimal_q(problem.transitions.table(index), problem.rewards, problem.gamma)
        values = [Fraction(str(found.get_value(s))) for s in range(problem.states + 1)]
        assert values == [*map(max, q), 0]


def test_quantecon_takes_the_arrays_and_finds_the_same_values():
    markov = pytest.importorskip("quantecon.markov")
    problem = gallery_class("golden-discount")
    for index in range(problem.transitions.size):
        arrays = model_arrays(problem, index)
        process = markov.DiscreteDP(arrays["R"], arrays["Q"], float(arrays["beta"]))
        q = optimal_q(problem.transitions.table(index), problem.rewards, problem.gamma)
        expected = [*(float(max(row)) for row in q), 0.0]
        assert process.solve(method="policy_iteration").v == pytest.approx(expected, abs=1e-12)
        assert arrays["successors"].tolist() == [
            list(row) for row in problem.transitions.table(index)
        ]
        assert [list(map(Fraction, row)) for row in arrays["rewards"]] == [
            list(r) for r in problem.rewards
        ]
        assert Fraction(str(arrays["gamma"])) == problem.gamma
        assert not any(array.dtype.hasobject for array in arrays.values())


def test_a_graph_has_an_arrow_for_each_action_and_quotes_any_name():
    problem = mdp_class(
        explicit([[[0, 1]]]),
        [["-1/2", 0]],
        "1/2",
        name='a "b"',
        state_names=["\\"],
        action_names=["x", "y"],
    )
    assert dot_text(problem, 0).splitlines() == [
        'digraph "a \\"b\\"" {',
        "  rankdir=LR;",
        '  0 [label="\\\\"];',
        '  1 [label="t", shape=doublecircle];',
        '  0 -> 0 [label="x: -1/2"];',
        '  0 -> 1 [label="y: 0", style=bold];',
        "}",
    ]
    assert "bold" not in dot_text(gallery_class("gamma-one"), 0)


DRN = """@type: MDP
@parameters

@reward_models

@nr_states
3
@nr_choices
5
@model
state 0 init
	action a
		1 : 0.5
		1 : 1/2
	action b
		0 : 1.0
state 1
	action a
		2 : 1
	action b
		0 : 1
state 2
	action stay
		2 : 1
"""


def test_a_file_of_storms_without_our_labels_is_read_its_absorbing_states_being_the_end():
    problem = class_from_models([parse_drn(DRN)], Fraction(1, 2))
    assert problem.transitions.table(0) == ((1, 0), (2, 0))
    assert problem.rewards == ((0, 0), (0, 0))
    assert problem.action_names == ("a", "b")
    rewarded = DRN.replace("@reward_models\n", "@reward_models\nr").replace(
        "state 1", "state 1 [1]"
    )
    rewarded = rewarded.replace("action a\n\t\t2", "action a [-0.25]\n\t\t2")
    assert class_from_models([parse_drn(rewarded)], Fraction(1, 2)).rewards == (
        (0, 0),
        (Fraction(3, 4), 1),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("@model\n", ""), "no line '@model'; accepted: Storm's format DRN"),
        (("MDP", "POMDP"), "@type is 'POMDP'; accepted: MDP or DTMC"),
        (("@parameters\n", "@parameters\np q\n"), "the model has parameters"),
        (
            ("@reward_models\n", "@reward_models\na b\n"),
            "@reward_models is 'a b'; accepted: one or none",
        ),
        (("3\n", "three\n"), "@nr_states is 'three'; accepted: an integer"),
        (("3\n", "4\n"), "3 states are listed; accepted: @nr_states of them, 4"),
        (
            ("state 1\n", "state 2\n"),
            "line 17 is of state 2; accepted: states 0 to 2 in their order",
        ),
        (("2 : 1\n\taction b", "7 : 1\n\taction b"), "the successor in line 19 is '7'"),
        (
            ("0 : 1.0", "0 : x"),
            "the probability in line 16 is 'x'; accepted: an integer, a fraction",
        ),
        (
            ("state 0 init\n", ""),
            "line 11 is 'action a'; accepted: a state, an action or a successor",
        ),
        (("0 : 1.0", "0 : -1"), "the probability in line 16 is '-1'; accepted: 0 or more"),
        (
            ("0 : 1.0", "0 : 0.9"),
            "state 0, action b: the probabilities of a law add to 9/10; accepted: 1 exactly",
        ),
        (("0 : 1.0", "0 : 2"), "state 0, action b: the probabilities of a law add to 2; accepted"),
        (("\taction b\n\t\t0 : 1\n", ""), "4 choices are listed; accepted: @nr_choices of them, 5"),
        (
            ("@nr_choices\n5\n@model", "@nr_choices\n9\n@model"),
            "5 choices are listed; accepted: @nr_choices of",
        ),
    ],
)
def test_what_a_drn_file_must_not_have_is_named(change, message):
    assert DRN.count(change[0]) >= 1
    with pytest.raises(ValueError, match="^" + re.escape(message)) as refused:
        class_from_models([parse_drn(DRN.replace(*change, 1))], Fraction(1, 2))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({".tra": ""}, "model.tra does not begin with the numbers of states"),
        ({".tra": "0 0 0\n"}, "model.tra has 0 states; accepted: 1 to 65536"),
        (
            {".tra": "2 1 1\n0 0 1\n"},
            "line 2 of model.tra is '0 0 1'; accepted: state, choice, successor",
        ),
        ({".tra": "2 1 1\n5 0 1 1\n"}, "the state in line 2 of model.tra is '5'"),
        (
            {".tra": "2 1 1\n0 1 1 1\n"},
            "state 0 has choices [1]; accepted: 0, 1, ... without a gap",
        ),
        ({".tra": "2 1 1\n0 0 1 z\n"}, "the probability in line 2 of model.tra is 'z'"),
        (
            {".tra": "2 1 1\n0 0 1 -1\n"},
            "the probability in line 2 of model.tra is '-1'; accepted: 0 or",
        ),
        (
            {".tra": "2 2 3\n0 0 1 1\n1 0 1 1\n"},
            "model.tra has 2 transitions; accepted: as many as it",
        ),
        ({".trew": "3 0 0\n"}, "model.trew is of another number of states"),
        ({".trew": "2 1 1\n0 0 0 7\n"}, "the rewards of state 0, choice 0 depend on the successor"),
        ({".lab": '2="end"\n9: 2\n'}, "the state in line 2 of model.lab is '9'"),
        (
            {".lab": '2="end"\n0: 2\n1: 2\n'},
            "every state is the end; accepted: one other state or more",
        ),
    ],
)
def test_what_prisms_files_must_not_have_is_named(tmp_path, files, message):
    path = written(tmp_path, {".tra": "2 2 2\n0 0 1 1\n1 0 1 1.0\n"} | files)
    with pytest.raises(ValueError, match="^" + re.escape(message)) as refused:
        class_from_models([read_prism(path)], Fraction(1, 2))
    assert len(str(refused.value).splitlines()) == 1


# Gymnasium's tables


def test_a_table_of_gymnasiums_is_read_with_termination_as_the_end():
    P = {
        0: {0: [(1.0, 1, 0.1, False)], 1: [(1, 0, -1, True)]},
        1: {0: [(0.5, 0, 0, False)] * 2, 1: [(1.0, 1, 0, False)]},
    }
    P[0][2] = P[1][2] = [(0.25, 0, -1, False), (0.75, 1, -1, True)]
    problem = from_gymnasium(P, "0.9", name="by chance")
    assert problem.options_at(2) == (
        option(-1, {0: Fraction(1, 4), 2: Fraction(3, 4)}, problem.states),
    )
    del P[0][2], P[1][2]
    problem = from_gymnasium(P, "0.9", name="by hand")
    assert problem.transitions.table(0) == ((1, 2), (0, 1))
    assert problem.rewards == ((Fraction(1, 10), -1), (0, 0))
    assert (problem.gamma, problem.name) == (Fraction(9, 10), "by hand")


def test_cliff_walking_has_the_values_of_value_iteration_over_its_own_table():
    gymnasium = pytest.importorskip("gymnasium")
    P = gymnasium.make("CliffWalking-v1").unwrapped.P
    problem = from_gymnasium(P, "9/10")
    q = optimal_q(problem.transitions.table(0), problem.rewards, problem.gamma)
    V = np.zeros(len(P))
    for _ in range(400):
        V = np.array(
            [
                max(sum(p * (r + 0.9 * V[x] * (not end)) for p, x, r, end in P[s][a]) for a in P[s])
                for s in P
            ]
        )
    assert [float(max(row)) for row in q] == pytest.approx(V, abs=1e-9)


@pytest.mark.parametrize(
    ("P", "message"),
    [
        (5, "P is 5; accepted: a list, or entries numbered from 0"),
        ({1: {}}, "P is {1: {}}; accepted: a list"),
        (
            [[[(1.0, 0, 0)]]],
            "P[0][0] holds (1.0, 0, 0); accepted: [probability, successor, reward, term",
        ),
        ([[[(1.0, 3, 0, False)]]], "a successor of P[0][0] is 3; accepted: an integer from 0 to 0"),
        ([[[(1.0, 0, 0, 1)]]], "P[0][0] is terminated: 1; accepted: true or false"),
        ([[[(1.0, 0, "x", True)]]], "a reward of P[0][0] is 'x'"),
        (
            [[[(0.5, 0, 0, False), (0.5, 0, 1, False)]]],
            "P[0][0] has outcomes that earn differently; accepted: one",
        ),
        (
            [[[(0.5, 0, 0, False)]]],
            "state 0, action a0: the probabilities of a law add to 1/2; accepted: 1 exactly",
        ),
        ([[]], "state 0 has 0 actions and state 0 has 0; accepted"),
    ],
)
def test_what_is_no_table_is_refused(P, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        from_gymnasium(P, "1/2")


# As classes in files


def test_models_in_files_are_classes(tmp_path):
    problem = gallery_class("smallest-witness")
    for index in (0, 1):
        (tmp_path / f"T{index}.drn").write_text(drn_text(explicit_model(problem, index)))
    path = tmp_path / "both.json"
    path.write_text('{"imported": ["T0.drn", "T1.drn"]}')
    both = load_class(str(path))
    assert (both.rewards, both.gamma, both.name) == (problem.rewards, problem.gamma, "both")
    assert solve(both).value_functions == 2
    assert load_class(str(path), "1/3").gamma == Fraction(1, 3)
    assert load_class(str(tmp_path / "T1.drn")).transitions.table(0) == problem.transitions.table(1)
    path.write_text('{"P": {"0": {"0": [[1, 0, -1, true]]}}, "gamma": 0.5}')
    assert load_class(str(path)).transitions.table(0) == ((1,),)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"imported": ["T.drn"], "states": 2}', "both.json: a class has the unknown key 'states'"),
        ('{"imported": []}', "both.json: imported is empty; accepted: one file or more"),
        ('{"imported": [1]}', "both.json: imported holds 1; accepted: names of files"),
        ('{"imported": ["T.txt"]}', "both.json: T.txt: no model's name; accepted: .drn, .tra"),
        ('{"imported": ["none.drn"]}', "none.drn cannot be read"),
        (
            '{"imported": ["T.drn", "U.drn"]}',
            "both.json: model 1 has other states or actions",
        ),
        (
            '{"imported": ["T.drn", "V.drn"]}',
            "both.json: model 1 has other states or actions",
        ),
        (
            '{"imported": ["T.drn", "W.drn"]}',
            "both.json: model 1 has other states or actions",
        ),
        (
            '{"P": [[[[1, 0, 0, true]]]]}',
            "both.json: no discount goes with the model; accepted: one given",
        ),
        ('{"P": [[[[1, 0, 0, true]]]], "gamma": 2}', "both.json: gamma is 2; accepted"),
    ],
)
def test_files_of_models_that_do_not_go_together_are_refused(tmp_path, content, message):
    (tmp_path / "T.drn").write_text(drn_text(explicit_model(gallery_class("smallest-witness"), 0)))
    (tmp_path / "U.drn").write_text(drn_text(explicit_model(gallery_class("push-tree"), 0)))
    model = explicit_model(gallery_class("smallest-witness"), 0)
    *states, end = model.choices
    renamed = replace(
        model,
        choices=tuple(
            tuple(replace(c, action=f"other {c.action}") for c in row) for row in model.choices
        ),
    )
    (tmp_path / "V.drn").write_text(drn_text(renamed))
    other_end = replace(model, choices=(end, *states), ends=frozenset([0]))
    (tmp_path / "W.drn").write_text(drn_text(other_end))
    (tmp_path / "both.json").write_text(content)
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        load_class(str(tmp_path / "both.json"))
    assert len(str(refused.value).splitlines()) == 1


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200), st.integers(0, 200))
def test_no_text_is_read_as_a_model_or_refused_in_more_than_a_line(text, place):
    for garbled in (text, DRN[:place] + text + DRN[place:]):
        try:
            class_from_models([parse_drn(garbled)], Fraction(1, 2))
        except ValueError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - it may also be read
