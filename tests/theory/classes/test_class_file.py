"""Class, dataset and reward files: every form, and that anything else is one line of ValueError."""

import json
import re
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import MDPClass, check_class, load_class, load_dataset, load_rewards, parse_class

VALID = {
    "states": 3,
    "actions": 2,
    "gamma": "9/10",
    "rewards": [[0, 0], [0, 0], [0, 1]],
    "transitions": "tabular",
}
TWO_BY_ONE = {"states": 2, "actions": 1, "gamma": "1/2", "rewards": [[0], [1]]}
FACTORED = VALID | {
    "states": 4,
    "rewards": [[0, 0]] * 4,
    "transitions": {
        "factored": {
            "sizes": [2, 2],
            "actions": [[[[0], "same"], ["same", [1]]], [["same", [0, 1]]]],
            "fixed": [[3, 1, 4]],
        }
    },
}
EXPLICIT = VALID | {
    "transitions": {"models": [[[0, 1], [1, 2], [2, 3]], [[3, 3], [3, 3], [3, 3]]]},
    "state_names": ["here", "there", "home"],
    "action_names": ["left", "right"],
}
RESTRICTED = VALID | {"transitions": {"tabular": {"successors": [0, 3], "fixed": [[0, 1, 2]]}}}
WHOLE_FILES = [json.dumps(d) for d in (VALID, FACTORED, EXPLICIT, RESTRICTED)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classes")


def read(folder, text):
    path = folder / "class.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return load_class(str(path))


def class_or_one_line(folder, text):
    """The class in a file; None if it was refused as bad input should be."""
    try:
        return read(folder, text)
    except ValueError as error:
        refused = error
    assert type(refused) is ValueError
    assert len(str(refused).splitlines()) == 1
    return None


def models_of(problem):
    return [problem.transitions.table(i) for i in range(problem.transitions.size)]


# Every form.


def test_a_file_gives_the_class_that_it_describes_and_its_name(folder):
    problem = read(folder, json.dumps(VALID))
    assert problem.name == "class"
    assert problem.gamma == Fraction(9, 10)
    assert problem.rewards == ((0, 0), (0, 0), (0, 1))
    assert problem.transitions.is_tabular
    assert check_class(problem).value_functions == 1_439


def test_a_name_of_the_gallery_is_a_class():
    assert load_class("push-tree").transitions.size == 49


def test_tabular_with_allowed_successors_and_fixed_pairs():
    problem = parse_class(
        TWO_BY_ONE | {"transitions": {"tabular": {"successors": [2, 0], "fixed": [[1, 0, 1]]}}}
    )
    assert models_of(problem) == [((2,), (1,)), ((0,), (1,))]
    assert models_of(parse_class(TWO_BY_ONE | {"transitions": {"tabular": {}}})) == list(
        oracle.all_models(2, 1)
    )


def test_an_explicit_list_is_kept_in_order_and_repetitions_are_counted():
    listed = [[[0], [2]], [[1], [0]], [[0], [2]]]
    problem = parse_class(TWO_BY_ONE | {"transitions": {"models": listed}})
    assert models_of(problem) == [((0,), (2,)), ((1,), (0,))]
    assert check_class(problem).merged == 1


def test_factors_and_their_parents():
    """Two bits; action 0 maps one bit by itself and keeps the other, action 1 sets the second from both."""
    problem = parse_class(FACTORED)
    ways = list(product((0, 1), repeat=2))
    first = {tuple(2 * f[s >> 1] + (s & 1) for s in range(4)) for f in ways}
    first |= {tuple((s & 2) + f[s & 1] for s in range(4)) for f in ways}
    second = {(*((s & 2) + f[s] for s in range(3)), 4) for f in product((0, 1), repeat=4)}
    expected = {tuple(zip(a, b, strict=True)) for a in first for b in second}
    assert set(models_of(problem)) == expected
    assert problem.transitions.size == len(expected)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.9", Fraction(9, 10)),
        ('"0.9"', Fraction(9, 10)),
        ('"9/10"', Fraction(9, 10)),
        ("0.30000000000000001", Fraction(30000000000000001, 10**17)),
        ("1e-3", Fraction(1, 1000)),
        ("5E-1", Fraction(1, 2)),
        ("1", Fraction(1)),
    ],
)
def test_numbers_are_read_from_their_text_and_are_exact(folder, text, number):
    assert read(folder, json.dumps(VALID).replace('"9/10"', text)).gamma == number
    rewards = json.dumps(VALID).replace("[0, 1]", f"[0, {text}]")
    assert read(folder, rewards).rewards[2][1] == number


def test_a_byte_order_mark_is_read_past(folder):
    assert read(folder, "\ufeff" + json.dumps(VALID)).gamma == Fraction(9, 10)


def test_names_are_kept(folder):
    problem = read(folder, json.dumps(EXPLICIT))
    assert [problem.state_name(s) for s in range(4)] == ["here", "there", "home", "t"]
    assert [problem.action_name(a) for a in range(2)] == ["left", "right"]


# Bad input.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stats": 3}, "a class has the unknown key 'stats'; accepted: keys states, actions"),
        ({"states": 0}, "states is 0; accepted: an integer of at least 1"),
        ({"states": -1}, "states is -1; accepted: an integer of at least 1"),
        ({"states": 3.0}, "states is '3.0'; accepted: an integer"),
        ({"states": True}, "states is True; accepted: an integer"),
        ({"states": "3"}, "states is '3'; accepted: an integer"),
        ({"actions": None}, "actions is None; accepted: an integer"),
        ({"states": 4}, "rewards has 3 rows of lengths [2]; accepted: 4 rows (states) of 2"),
        ({"rewards": []}, "rewards has 0 rows"),
        ({"rewards": [[0, 0], [0], [0, 1]]}, "rewards has 3 rows of lengths [1, 2]"),
        ({"rewards": [0, 0, 0]}, "a row of rewards is 0; accepted: a list"),
        ({"rewards": {"a": 1}}, "rewards is {'a': 1}; accepted: a list"),
        ({"rewards": [[0, 0], [0, 0], [0, "one"]]}, "a reward is 'one'; accepted: an integer"),
        ({"rewards": [[0, 0], [0, 0], [0, None]]}, "a reward is None; accepted: an integer"),
        ({"rewards": [[0, 0], [0, 0], [0, [1]]]}, "a reward is [1]; accepted: an integer"),
        ({"gamma": "0"}, "gamma is 0; accepted: a rational number in (0, 1]"),
        ({"gamma": 1.1}, "gamma is 11/10; accepted: a rational number in (0, 1]"),
        ({"gamma": -0.5}, "gamma is -1/2; accepted: a rational number in (0, 1]"),
        ({"gamma": "1/0"}, "gamma is '1/0'; accepted: an integer"),
        ({"gamma": "nine tenths"}, "gamma is 'nine tenths'; accepted"),
        ({"gamma": None}, "gamma is None; accepted"),
        ({"gamma": [[[[[[[[[[9]]]]]]]]]]}, "gamma is [[[[[[[...]]]]]]]; accepted"),
        ({"transitions": "tabula"}, "transitions is 'tabula'; accepted: \"tabular\", or"),
        ({"transitions": []}, "transitions is []; accepted"),
        ({"transitions": {}}, "transitions is {}; accepted"),
        ({"transitions": {"modles": []}}, "transitions is {'modles': []}; accepted"),
        ({"transitions": {"models": [], "tabular": {}}}, "accepted: \"tabular\", or an object with the one key"),
        ({"transitions": {"tabular": []}}, "transitions.tabular is []; accepted: a JSON object"),
        ({"transitions": {"tabular": {"succ": []}}}, "transitions.tabular has the unknown key 'succ'"),
        ({"transitions": {"tabular": {"successors": [4]}}}, "successor is 4; accepted: an integer from 0 to 3"),
        ({"transitions": {"tabular": {"successors": [-1]}}}, "an entry of successors is -1; accepted"),
        ({"transitions": {"tabular": {"successors": [1, 1]}}}, "successors [1, 1] repeats a state"),
        ({"transitions": {"tabular": {"successors": []}}}, "the class is empty"),
        ({"transitions": {"tabular": {"fixed": [[0, 0]]}}}, "transition [0, 0] has 2 entries"),
        ({"transitions": {"tabular": {"fixed": [[3, 0, 0]]}}}, "state of transition [3, 0, 0] is 3"),
        ({"transitions": {"tabular": {"fixed": [[0, 0, 0], [0, 0, 1]]}}}, "state 0, action 0 is fixed twice"),
        ({"transitions": {"tabular": {"fixed": 7}}}, "fixed is 7; accepted: a list"),
        ({"transitions": {"models": []}}, "the class is empty: the list of models has no entry"),
        ({"transitions": {"models": 1}}, "models is 1; accepted: a list"),
        ({"transitions": {"models": [[[0, 0]]]}}, "model 0 has 1 rows of lengths [2]; accepted: 3 rows"),
        ({"transitions": {"models": [[[0, 0], [0, 0], [0]]]}}, "model 0 has 3 rows of lengths [1, 2]"),
        ({"transitions": {"models": [[[0, 0], [0, 0], [0, 4]]]}}, "successor of transition [2, 1, 4] is 4"),
        ({"transitions": {"models": [[[0, 0], [0, 0], [0, "t"]]]}}, "an entry of a row of a model is 't'"),
        ({"transitions": {"factored": {"sizes": [3]}}}, "transitions.factored lacks the key 'actions'"),
        ({"transitions": {"factored": {"sizes": [2], "actions": []}}}, "factors of sizes [2] with 0 actions; accepted"),
        ({"transitions": {"factored": {"sizes": [3], "actions": [[], []]}}}, "action 0 has no structure"),
        ({"transitions": {"factored": {"sizes": [3], "actions": [[["moves"]], [["same"]]]}}}, "parents (a list, or \"same\") is 'moves'"),  # noqa: E501
        ({"transitions": {"factored": {"sizes": [3], "actions": [[[[1]]], [["same"]]]}}}, "parents [1] of factor 0"),
        ({"state_names": ["a", "b"]}, "state_names is ['a', 'b']; accepted: 3 distinct names"),
        ({"state_names": ["a", "b", "a"]}, "state_names is ['a', 'b', 'a']; accepted: 3 distinct names"),
        ({"state_names": ["a", "b", 1.5]}, "a name in state_names is '1.5'; accepted: printable strings"),
        ({"state_names": ["a", "b", 3]}, "a name in state_names is 3; accepted: printable strings"),
        ({"action_names": ["up", "do\nwn"]}, "a name in action_names is 'do\\nwn'; accepted: printable strings"),
        ({"state_names": ["s", "t", "u"]}, "state_names holds 't', which is how the terminal state is called"),
        ({"state_names": ["a", "", "c"]}, "state_names holds ''; accepted: names that can be seen"),
        ({"action_names": ["up", " "]}, "action_names holds ' '; accepted: names that can be seen"),
        ({"action_names": "up"}, "action_names is 'up'; accepted: a list"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named_with_what_is_accepted(folder, change, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        read(folder, json.dumps(VALID | change))
    assert type(refused.value) is ValueError
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("key", VALID)
def test_a_missing_key_is_named(folder, key):
    document = {k: v for k, v in VALID.items() if k != key}
    with pytest.raises(
        ValueError, match=rf"class\.json: a class lacks the key '{key}'; accepted: keys states"
    ):
        read(folder, json.dumps(document))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON: Expecting value"),
        ("{", "is not JSON: Expecting property name"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("[]", "a class is []; accepted: a JSON object with keys states"),
        ("null", "a class is None; accepted: a JSON object"),
        (json.dumps(VALID) + "x", "is not JSON: Extra data"),
        (
            '{"a\\nb": 1, "a\\nb": 2}',
            "class.json: an object has the key 'a\\nb' twice; accepted: once",
        ),
        ('{"actions": 1, "states": 1, "states": 2}', "an object has the key 'states' twice"),
        (json.dumps(VALID).replace('"9/10"', "NaN"), "NaN"),
        (json.dumps(VALID).replace('"9/10"', "-Infinity"), "-Infinity"),
        (
            json.dumps(VALID).replace('"9/10"', "1e400"),
            "class.json: gamma is '1e400', too large; accepted",
        ),
        (json.dumps(VALID).replace('"9/10"', "1e-400"), "gamma is '1e-400', too small; accepted"),
        (json.dumps(VALID).replace('"9/10"', "9" * 5000), "an integer of 5000 digits"),
        ("[" * 10**5, "is nested too deeply"),
    ],
)
def test_what_is_not_json_is_refused_in_one_line(folder, text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        read(folder, text)
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_cannot_be_read_is_refused_in_one_line(folder):
    with pytest.raises(ValueError, match=r"nowhere.json cannot be read: No such file"):
        load_class(str(folder / "nowhere.json"))
    (folder / "folder.json").mkdir()
    with pytest.raises(ValueError, match=r"folder.json cannot be read: Is a directory"):
        load_class(str(folder / "folder.json"))


@pytest.mark.parametrize("text", WHOLE_FILES)
def test_every_truncation_is_refused(folder, text):
    assert isinstance(read(folder, text), MDPClass)
    for end in range(len(text)):
        assert class_or_one_line(folder, text[:end]) is None


@pytest.mark.parametrize("text", WHOLE_FILES)
def test_every_single_damaged_character_gives_a_class_or_one_line(folder, text):
    outcomes = [
        class_or_one_line(folder, text[:i] + character + text[i + 1 :])
        for i in range(len(text))
        for character in ('"', "9", "-", "]", "\n", "")
    ]
    assert None in outcomes
    assert any(outcomes)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["tabular", "same", "9/10", 0, 1, 2, 3]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(json_values)
@settings(deadline=None)
def test_any_document_gives_a_class_or_one_line(folder, document):
    class_or_one_line(folder, json.dumps(document))


@given(st.sampled_from([FACTORED, EXPLICIT, RESTRICTED]), st.lists(st.integers(0, 5)), json_values)
@example(VALID, [4], {"tabular": {"successors": None}})
@settings(deadline=None, max_examples=300)
def test_any_part_of_a_document_exchanged_gives_a_class_or_one_line(folder, document, way, part):
    """`way` says which entry to go down to from the top, and where to stop."""
    changed = json.loads(json.dumps(document))
    at = changed
    for step in way or [0]:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        key = keys[step % len(keys)]
        if not isinstance(at[key], (dict, list)) or not at[key]:
            break
        parent, at = at, at[key]
    else:
        at, key = parent, key
    at[key] = part
    class_or_one_line(folder, json.dumps(changed))


@pytest.mark.parametrize("depth", [10, 900, 980, 990, 991, 992, 993, 994, 995, 1000])
def test_deep_nesting_is_one_line_wherever_it_stands(folder, depth):
    deep = "[" * depth + "]" * depth
    for key in VALID:
        text = json.dumps(VALID | {key: "HERE"}).replace('"HERE"', deep)
        assert class_or_one_line(folder, text) is None


# Datasets and rewards.


def write(folder, text):
    path = folder / "other.json"
    path.write_text(text)
    return path


def test_a_dataset_is_read_as_it_stands(folder):
    problem = parse_class(VALID)
    assert load_dataset(write(folder, "[[0, 1, 3], [0, 1, 2]]"), problem) == ((0, 1, 3), (0, 1, 2))
    assert load_dataset(write(folder, "[]"), problem) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[3, 0, 0]]", "state of transition [3, 0, 0] is 3; accepted: an integer from 0 to 2"),
        ("[[0, 2, 0]]", "action of transition [0, 2, 0] is 2; accepted: an integer from 0 to 1"),
        ("[[0, 0, 4]]", "successor of transition [0, 0, 4] is 4; accepted: an integer from 0 to 3"),
        ("[[0, 0]]", "other.json: transition [0, 0] has 2 entries; accepted: [s, a, s']"),
        ("[[0, 0, 1.0]]", "successor of transition [0, 0, '1.0'] is '1.0'"),
        ("[[0, 0, true]]", "successor of transition [0, 0, True] is True"),
        ("[5]", "other.json: transition 0 is 5; accepted: a list"),
        ("{}", "other.json: a dataset is {}; accepted: a list"),
        ("[[0, 0, 1]", "other.json is not JSON"),
    ],
)
def test_a_dataset_of_what_does_not_exist_is_refused(folder, text, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        load_dataset(write(folder, text), parse_class(VALID))
    assert len(str(refused.value).splitlines()) == 1


def test_rewards_are_read_exactly(folder):
    path = write(folder, '[[0.1, "1/3"], [-2, 1e-2]]')
    assert load_rewards(path, 2, 2) == (
        (Fraction(1, 10), Fraction(1, 3)),
        (Fraction(-2), Fraction(1, 100)),
    )
    with pytest.raises(
        ValueError, match=r"other\.json: rewards has 2 rows of lengths \[2\]; accep"
    ):
        load_rewards(path, 3, 2)


def test_a_discount_of_zero_is_refused_and_not_replaced_by_the_one_in_the_file(tmp_path):
    path = tmp_path / "class.json"
    for document in (VALID, {"P": [[[[1, 0, 0, True]]]], "gamma": "9/10"}):
        path.write_text(json.dumps(document))
        assert load_class(str(path)).gamma == Fraction(9, 10)
        with pytest.raises(ValueError, match="gamma is 0; accepted"):
            load_class(str(path), 0)
