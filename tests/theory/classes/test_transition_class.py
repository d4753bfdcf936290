"""Classes of transition functions against direct enumeration."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory import oracle
from theory import explicit, factored, tabular


def tables_of(transitions):
    return [transitions.table(index) for index in range(transitions.size)]


@pytest.mark.parametrize(("states", "actions"), [(1, 1), (1, 3), (2, 1), (2, 2), (3, 1)])
def test_the_tabular_class_is_every_map_in_lexicographic_order(states, actions):
    every = tabular(states, actions)
    assert tables_of(every) == list(oracle.all_models(states, actions))
    assert every.size == (states + 1) ** (states * actions)
    assert every.is_tabular


@given(st.data())
@settings(deadline=None)
def test_allowed_successors_and_fixed_pairs_leave_the_maps_that_obey_both(data):
    n, k = data.draw(st.integers(1, 2)), data.draw(st.integers(1, 2))
    vertex = st.integers(0, n)
    allowed = data.draw(st.lists(vertex, unique=True, min_size=1))
    pairs = list(product(range(n), range(k)))
    fixed = data.draw(st.dictionaries(st.sampled_from(pairs), vertex))
    transitions = tabular(n, k, successors=allowed, fixed=[(*p, t) for p, t in fixed.items()])

    choices = [[fixed[p]] if p in fixed else allowed for p in pairs]
    flat = [tuple(t for row in table for t in row) for table in tables_of(transitions)]
    assert flat == list(product(*choices))
    assert transitions.is_tabular == (sorted(flat) == list(product(range(n + 1), repeat=n * k)))


@given(st.integers(1, 20))
@settings(deadline=None)
def test_batches_add_up_to_the_class(batch):
    transitions = tabular(2, 2, fixed=[(0, 1, 2)])
    batches = list(transitions.batches(batch))
    assert [len(b) for b in batches[:-1]] == [batch] * (len(batches) - 1)
    assert 1 <= len(batches[-1]) <= batch
    assert np.array_equal(np.concatenate(batches), transitions.models(0, transitions.size))


@given(st.lists(st.integers(0, 4**6 - 1), max_size=20))
@settings(deadline=None)
def test_models_are_found_by_index_in_any_order_and_index_finds_them_back(indices):
    transitions = tabular(3, 2)
    selected = transitions.select(np.array(indices, dtype=np.int64))
    assert selected.shape == (len(indices), 6)
    for index, row in zip(indices, selected, strict=True):
        table = transitions.table(index)
        assert [t for line in table for t in line] == list(row)
        assert transitions.index(table) == index


def test_a_model_beyond_the_first_batch_is_found():
    transitions = tabular(4, 2)
    assert transitions.index(transitions.table(300_000)) == 300_000


def test_a_class_too_large_to_list_is_still_sized_and_addressed():
    transitions = tabular(9, 9)
    assert transitions.size == 10**81
    assert transitions.table(123)[-1] == (0, 0, 0, 0, 0, 0, 1, 2, 3)
    with pytest.raises(
        ValueError, match=f"model {10**80} does not exist; accepted: 0 to {2**63 - 1}"
    ):
        transitions.table(10**80)


@pytest.mark.parametrize("states", [255, 256])
def test_the_terminal_state_has_an_index_of_its_own_where_a_byte_ends(states):
    transitions = tabular(states, 1, fixed=[(s, 0, states) for s in range(1, states)])
    assert [row[0] for row in transitions.models(0, transitions.size)] == list(range(states + 1))
    assert transitions.table(states) == ((states,),) * states


def test_the_assignments_of_states_multiply_to_the_models_in_order():
    transitions = tabular(2, 2, successors=[0, 2], fixed=[(1, 0, 1)])
    by_state = transitions.state_assignments()
    models = [[*first, *second] for first, second in product(*(a.tolist() for a in by_state))]
    assert models == transitions.models(0, transitions.size).tolist()


def test_states_that_may_depend_on_one_another_have_no_assignments():
    assert explicit([[[0], [1]], [[1], [0]]]).state_assignments() is None
    assert tabular(2, 1).filter(lambda models: models[:, 0, 0] == 0).state_assignments() is None


@given(st.lists(oracle.tables(2, 2, st.integers(0, 2)), min_size=1, max_size=12))
@settings(deadline=None)
def test_repeated_models_are_merged_and_counted(models):
    transitions = explicit(models)
    assert tables_of(transitions) == list(dict.fromkeys(models))
    assert transitions.merged == len(models) - len(set(models))


@given(st.integers(0, 3), st.booleans())
@settings(deadline=None)
def test_a_filter_keeps_the_members_that_pass_in_their_order(successor, listed):
    base = explicit(list(oracle.all_models(2, 2))[::-1]) if listed else tabular(2, 2)
    kept = base.filter(lambda models: models.sum(axis=(1, 2)) > 2 * successor)
    expected = [m for m in tables_of(base) if sum(map(sum, m)) > 2 * successor]
    assert tables_of(kept) == expected
    assert [kept.index(model) for model in expected] == list(range(kept.size))


def obeys(mapping, states, structure):
    """Whether a map of factored states follows a structure, by the definition."""
    for factor, parents in enumerate(structure):
        new = {}
        for state, image in zip(states, mapping, strict=True):
            value = states[image][factor]
            if parents is None:
                if value != state[factor]:
                    return False
            elif new.setdefault(tuple(state[p] for p in parents), value) != value:
                return False
    return True


@st.composite
def structured(draw):
    """Sizes with at most four states, and for each action one or two structures."""
    sizes = draw(st.sampled_from([(2,), (4,), (2, 2), (1, 3), (2, 1, 2)]))
    parents = st.none() | st.lists(st.integers(0, len(sizes) - 1), unique=True).map(tuple)
    structure = st.tuples(*[parents] * len(sizes))
    return sizes, draw(
        st.lists(st.lists(structure, min_size=1, max_size=2), min_size=1, max_size=2)
    )


@given(structured(), st.data())
@settings(deadline=None)
def test_a_factored_class_is_every_map_that_follows_one_of_its_structures(drawn, data):
    sizes, actions = drawn
    states = list(product(*map(range, sizes)))
    n = len(states)
    fixed = data.draw(
        st.dictionaries(
            st.tuples(st.integers(0, n - 1), st.integers(0, len(actions) - 1)),
            st.integers(0, n),
            max_size=1,
        )
    )
    transitions = factored(sizes, actions, fixed=[(*pair, t) for pair, t in fixed.items()])

    size = 1
    for a, structures in enumerate(actions):
        followers = [
            tuple(fixed.get((s, a), t) for s, t in enumerate(mapping))
            for structure in structures
            for mapping in product(range(n), repeat=n)
            if obeys(mapping, states, structure)
        ]
        found = [{}]
        for pairs, rows in transitions.blocks:
            if pairs[0] % len(actions) == a:
                chosen = [dict(zip(pairs, row, strict=True)) for row in rows.tolist()]
                found = [known | more for known in found for more in chosen]
        images = [tuple(row[s * len(actions) + a] for s in range(n)) for row in found]
        assert sorted(images) == sorted(set(followers))
        size *= len(set(followers))
    assert transitions.size == size


def test_actions_of_a_factored_class_are_chosen_independently():
    transitions = factored([2], [[((0,),)], [((),)]])
    assert sorted(tables_of(transitions)) == sorted(
        tuple(zip(first, second, strict=True))
        for first in product(range(2), repeat=2)
        for second in [(0, 0), (1, 1)]
    )


HUGE = [[((0,), ())]]  # any map of the first factor; the second is reset


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tabular(0, 2), "states is 0; accepted: 1 or more"),
        (lambda: tabular(2, 0), "actions is 0; accepted: 1 or more"),
        (lambda: tabular(10**6, 10**6), "1000000 states and 1000000 actions; accepted: at most 65535 pairs"),
        (lambda: tabular(2, 1, successors=[0, 3]), "successor is 3; accepted: an integer from 0 to 2"),
        (lambda: tabular(2, 1, successors=[-1]), "successor is -1; accepted: an integer from 0 to 2"),
        (lambda: tabular(2, 1, successors=[True]), "successor is True; accepted: an integer from 0 to 2"),
        (lambda: tabular(2, 1, successors=[1, 1]), "successors [1, 1] repeats a state"),
        (lambda: tabular(2, 1, successors=[]), "the class is empty"),
        (lambda: tabular(2, 1, fixed=[(2, 0, 0)]), "state of transition [2, 0, 0] is 2; accepted: an int"),
        (lambda: tabular(2, 1, fixed=[(0, 1, 0)]), "action of transition [0, 1, 0] is 1; accepted: an int"),
        (lambda: tabular(2, 1, fixed=[(0, 0, 3)]), "successor of transition [0, 0, 3] is 3; accepted: an int"),
        (lambda: tabular(2, 1, fixed=[(0, 0)]), "transition [0, 0] has 2 entries"),
        (lambda: tabular(2, 1, fixed=[(0, 0, 1), (0, 0, 2)]), "state 0, action 0 is fixed twice"),
        (lambda: explicit([]), "the class is empty"),
        (lambda: explicit([[]]), "states is 0"),
        (lambda: explicit([[[]]]), "actions is 0"),
        (lambda: explicit([[[0]], [[0, 1]]]), "model 1 is not a table of 1 states by 1 actions"),
        (lambda: explicit([[[0, 1], [0]]]), "model 0 is not a table of 2 states by 2 actions"),
        (lambda: explicit([[[0], [1]], [[0]]]), "model 1 is not a table of 2 states by 1 actions"),
        (lambda: explicit([[[2]]]), "successor of transition [0, 0, 2] is 2"),
        (lambda: factored([], []), "factor sizes are []"),
        (lambda: factored([2, 0], [[(None, None)]]), "factor sizes are [2, 0]"),
        (lambda: factored([2], []), "actions is 0"),
        (lambda: factored([2], [[]]), "action 0 has no structure"),
        (lambda: factored([2], [[(None, None)]]), "action 0 gives parents for 2 factors; accepted: one entry"),
        (lambda: factored([2], [[((1,),)]]), "parents [1] of factor 0 under action 0"),
        (lambda: factored([2], [[((0, 0),)]]), "parents [0, 0] of factor 0 under action 0"),
        (lambda: factored([8, 2], HUGE), "action 0 has 1.68e+7 maps of 16 states"),
        (lambda: factored([2000, 2], HUGE), "action 0 has 1.15e+6602 maps"),
        (lambda: factored([2] * 10, [[tuple((f,) for f in range(10))]]), "action 0 has 6.55e+4 maps of 1024 states"),
        (lambda: factored([70_000], [[(None,)]]), "70000 states and 1 actions; accepted: at most 65535 pairs"),
        (lambda: tabular(9, 9).filter(len), "the class to filter has 1.00000000000e+81 models, about"),
        (lambda: tabular(2, 1).filter(lambda models: models[:, 0, 0] > 2), "no model passes"),
        (lambda: tabular(2, 1).filter(lambda models: np.ones(3)), "the predicate returned float64 (3,); accepted"),
        (lambda: tabular(2, 1).filter(lambda models: np.ones(9)), "the predicate returned float64 (9,); accepted"),
        (lambda: tabular(2, 1).filter(lambda models: np.ones(3, bool)), "the predicate returned bool (3,); accepted"),
        (lambda: tabular(2, 1).table(9), "model 9 does not exist; accepted: 0 to 8"),
        (lambda: tabular(2, 1).table(-1), "model -1 does not exist; accepted: 0 to 8"),
        (lambda: explicit([[[0]]]).index([[1]]), "the model [[1]] is not in the class"),
        (lambda: tabular(2, 2).index([[0]]), "the model [[0]] is not in the class"),
        (lambda: tabular(2, 2).index([[0, 0, 0], [0]]), "the model [[0, 0, 0], [0]] is not in the class"),
    ],
)  # fmt: skip
def test_what_is_not_a_class_is_refused_in_one_line_that_names_the_value(make, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        make()
    assert len(str(refused.value).splitlines()) == 1
