import json
from fractions import Fraction

import pytest

from theory import load_class, mdp_class, parse_class
from theory.classes.options import (
    Option,
    option,
    option_blocks,
    option_class,
    stochastic_factors,
)

HALF = Fraction(1, 2)
STAY = option(0, {0: 1}, 1)
END = option(0, {1: 1}, 1)
MAYBE = option(1, {0: HALF, 1: HALF}, 1)


def document(options, **more):
    """One state, one action, reward 3."""
    return {
        "states": 1,
        "actions": 1,
        "gamma": "1/2",
        "rewards": [[3]],
        "transitions": {"options": [[options]], **more},
    }


def test_an_option_is_read_as_a_successor_or_as_a_reward_and_a_law():
    problem = parse_class(
        document([0, {"next": {"t": 1}}, {"reward": "1/2", "next": {"0": "1/3", "1": "2/3"}}])
    )
    three = Fraction(3)
    assert problem.options_at(0) == (
        Option(three, ((0, Fraction(1)),)),
        Option(three, ((1, Fraction(1)),)),
        Option(HALF, ((0, Fraction(1, 3)), (1, Fraction(2, 3)))),
    )
    assert problem.transitions.size == 3
    assert problem.transitions.is_tabular


def test_decimals_of_a_file_are_exact(tmp_path):
    path = tmp_path / "class.json"
    path.write_text(json.dumps(document([{"next": {"0": 0.1, "t": 0.9}}])))
    (found,) = load_class(str(path)).options_at(0)
    assert found.law == ((0, Fraction(1, 10)), (1, Fraction(9, 10)))


def test_listed_models_are_merged_and_make_no_class_of_all_choices():
    problem = parse_class(document([0, 1, {"reward": 1, "next": {"t": 1}}], models=[[2], [0], [2]]))
    assert problem.transitions.models(0, 2).tolist() == [[2], [0]]
    assert problem.transitions.merged == 1
    assert not problem.transitions.is_tabular


def test_in_a_deterministic_class_an_option_is_a_successor_with_the_known_reward():
    problem = parse_class(document([0, 1]) | {"transitions": "tabular"})
    assert problem.options_at(0) == (option(3, {0: 1}, 1), option(3, {1: 1}, 1))


@pytest.mark.parametrize(
    ("options", "more", "said"),
    [
        ([{"next": {"0": "1/2", "t": "1/3"}}], {}, "add to 5/6; accepted: 1 exactly"),
        ([{"next": {"0": "3/2", "t": "-1/2"}}], {}, "successor 1 has probability -1/2"),
        ([0, {"reward": 3, "next": {"0": 1}}], {}, "the same option as number 0 and 1"),
        ([{"next": {"2": 1}}], {}, "names the successor '2'; accepted: 0 to 1, or t"),
        ([2], {}, "a successor of a law is 2; accepted: an integer from 0 to 1"),
        ([{"next": {"t": "1/2", "1": "1/2"}}], {}, "gives successor 1 twice"),
        ([{"next": [1]}], {}, "accepted: an object of probabilities by successor"),
        ([{"reward": 1}], {}, "lacks the key 'next'"),
        ([{"next": {"0": 1}, "law": 1}], {}, "unknown key 'law'"),
        ([{"next": {"0": 1.5}}], {}, "a probability of state 0, action 0 is 1.5"),
        ([], {}, "state 0, action 0 has 0 options"),
        ([0, 1], {"models": []}, "the list of models has no entry"),
        ([0, 1], {"models": [[0, 1]]}, "model 0 has 2 options; accepted: 1"),
        ([0, 1], {"models": [[2]]}, "is 2; accepted: an integer from 0 to 1"),
        ([0, 1], {"fixed": []}, "unknown key 'fixed'"),
    ],
)
def test_what_is_no_class_is_refused_with_the_reason(options, more, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        parse_class(document(options, **more))


def test_a_class_with_options_needs_a_discount_below_one():
    with pytest.raises(ValueError, match="accepted for a class with options: gamma < 1"):
        mdp_class(option_class(1, 1, [[STAY, MAYBE]]), [[0]], 1)


def test_what_takes_successors_alone_refuses_options():
    problem = mdp_class(option_class(1, 1, [[STAY, MAYBE]]), [[0]], "1/2", name="x")
    with pytest.raises(ValueError, match="accepted for export: classes of deterministic"):
        problem.require_successors("export")


def test_other_rewards_take_the_place_of_the_options_own_and_laws_stay():
    found = option_class(1, 1, [[STAY, MAYBE]], [[1]]).with_rewards([[Fraction(7)]])
    assert [o.reward for o in found.options[0]] == [7, 7]
    assert [o.law for o in found.options[0]] == [STAY.law, MAYBE.law]
    assert found.models(0, 1).tolist() == [[1]]


def test_blocks_of_options_are_multiplied_out():
    found = option_blocks(1, 2, [([0], [[STAY], [END]]), ([1], [[MAYBE]])])
    assert found.models(0, 2).tolist() == [[0, 0], [1, 0]]
    assert found.options == ((STAY, END), (MAYBE,))


def test_stochastic_factors_move_independently_by_the_values_of_their_parents():
    coin = [(HALF, HALF), (Fraction(1), Fraction(0))]
    found = stochastic_factors([2, 2], [[((0,), coin), None]], [[Fraction(0)]] * 4)
    assert found.size == 4  # one of two laws for each value of the first factor
    models = found.models(0, 4)
    for model in models:
        laws = [dict(found.options[pair][number].law) for pair, number in enumerate(model)]
        # the second factor stays, and does not matter to the first
        for first in (0, 1):
            without, with_second = laws[2 * first], laws[2 * first + 1]
            assert {x + 1: p for x, p in without.items()} == with_second
            assert set(without) <= {0, 2}
