"""Linear TD(0) from data and from models of the data: where they agree, and where they do not."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import linalg

from tabular import (
    EmpiricalMDP,
    FeatureTransitions,
    FiniteMDP,
    LinearModel,
    TDSums,
    least_squares_model,
    model_fixed_point,
    planning_sweep,
    replay_sweep,
    td_fixed_point,
    td_sums,
)
from tabular.solvers import discounted
from tests.tabular.datasets import built, problems
from tests.tabular.linear_data import exact, transitions

HALF, NINE_TENTHS = Fraction(1, 2), Fraction(9, 10)
DISCOUNTS = st.sampled_from([Fraction(0), HALF, NINE_TENTHS, Fraction(1)])


@st.composite
def rows(draw):
    """Rows for `transitions` with up to 3 features; these are often linearly dependent."""
    count = draw(st.integers(1, 3))
    entry = st.integers(-3, 3)
    features = st.lists(entry, min_size=count, max_size=count)
    weight = st.integers(1, 4).map(lambda quarters: Fraction(quarters, 4))
    step = st.tuples(features, entry, st.none() | features, weight)
    return draw(st.lists(step, min_size=1, max_size=8))


def weights(data, seed):
    """Some θ."""
    numbers = np.random.default_rng(seed).integers(-9, 9, size=data.features.shape[1])
    return exact(numbers.tolist())


def second_moments(data):
    """C."""
    return (data.weights[:, None] * data.features).T @ data.features


def is_regular(matrix):
    return sympy.Matrix(matrix).rank() == len(matrix)


def as_floats(data):
    arrays = (data.features, data.rewards, data.next_features, data.weights)
    return FeatureTransitions(*(array.astype(float) for array in arrays))


def moments(sums):
    return sums.A.tolist(), sums.b.tolist()


# The identities.


@given(rows(), DISCOUNTS)
def test_what_linear_dyna_imagines_has_the_sums_of_the_data(drawn, discount):
    data = transitions(*drawn)
    imagined = least_squares_model(data, minimum_norm=True).imagined(data.features, data.weights)
    assert moments(td_sums(imagined, discount)) == moments(td_sums(data, discount))


@given(rows(), DISCOUNTS, st.integers(-3, 3))
def test_so_it_does_for_every_least_squares_model_where_there_are_many(drawn, discount, scale):
    twice = [
        ([*phi, phi[0]], reward, None if after is None else [*after, reward], weight)
        for phi, reward, after, weight in drawn
    ]
    data = transitions(*twice)
    unseen = exact([1, *(0 for _ in drawn[0][0][1:]), -1])  # no feature vector has a share in it
    smallest = least_squares_model(data, minimum_norm=True)
    other = LinearModel(smallest.F + scale * unseen, smallest.g + scale * unseen)
    imagined = other.imagined(data.features, data.weights)
    assert moments(td_sums(imagined, discount)) == moments(td_sums(data, discount))


@given(rows(), DISCOUNTS, st.integers(0, 99), st.sampled_from([HALF, 1, 7]))
def test_a_sweep_of_planning_is_a_sweep_of_replay_at_fixed_weights(drawn, discount, seed, step):
    data = transitions(*drawn)
    theta = weights(data, seed)
    imagined = least_squares_model(data, minimum_norm=True).imagined(data.features, data.weights)
    replayed = replay_sweep(data, theta, discount, step, fixed_weights=True).tolist()
    assert planning_sweep(td_sums(data, discount), theta, step).tolist() == replayed
    assert replay_sweep(imagined, theta, discount, step, fixed_weights=True).tolist() == replayed


@given(rows(), DISCOUNTS)
def test_with_independent_features_model_and_data_have_the_same_fixed_points(drawn, discount):
    data = transitions(*drawn)
    assume(is_regular(second_moments(data)))
    model, (A, _) = least_squares_model(data), td_sums(data, discount)
    if is_regular(A):
        learned = td_fixed_point(data, discount)
        assert model_fixed_point(model, discount).tolist() == learned.tolist()
    else:
        for fixed_point, learned in [(td_fixed_point, data), (model_fixed_point, model)]:
            with pytest.raises(ValueError, match="must be invertible"):
                fixed_point(learned, discount)


@given(rows(), DISCOUNTS, st.integers(0, 99))
def test_the_errors_of_a_theta_in_model_and_data_differ_by_a_factor(drawn, discount, seed):
    data = transitions(*drawn)
    model = least_squares_model(data, minimum_norm=True)
    (A, b), theta = td_sums(data, discount), weights(data, seed)
    in_model = model.g + discount * model.F.T @ theta - theta
    assert (second_moments(data) @ in_model).tolist() == (b - A @ theta).tolist()


@given(rows(), rows(), st.sampled_from([HALF, NINE_TENTHS]))
def test_planning_from_other_features_that_span_leads_to_the_same_fixed_point(
    drawn, starts, discount
):
    data = transitions(*drawn)
    count = data.features.shape[1]
    chosen = exact([(start[0] * 3)[:count] for start in starts])
    chosen_weights = exact([start[3] for start in starts])
    assume(is_regular(second_moments(data)) and is_regular(td_sums(data, discount).A))
    assume(is_regular(chosen.T @ chosen))
    imagined = least_squares_model(data).imagined(chosen, chosen_weights)
    assert td_fixed_point(imagined, discount).tolist() == td_fixed_point(data, discount).tolist()


@given(rows(), st.data(), DISCOUNTS)
def test_weights_of_the_regression_do_not_matter_where_the_model_is_exact(drawn, data, discount):
    seen = transitions(*drawn)
    count = seen.features.shape[1]
    entries = st.lists(st.integers(-2, 2), min_size=count, max_size=count)
    F = exact(data.draw(st.lists(entries, min_size=count, max_size=count)))
    truth = LinearModel(F, exact(data.draw(entries)))
    seen = truth.imagined(seen.features, seen.weights)
    assume(is_regular(second_moments(seen)) and is_regular(td_sums(seen, discount).A))
    unweighted = FeatureTransitions(
        seen.features, seen.rewards, seen.next_features, exact([1 for _ in seen.rewards])
    )
    model = least_squares_model(unweighted)
    assert model.F.tolist() == truth.F.tolist()
    learned = td_fixed_point(seen, discount)
    assert model_fixed_point(model, discount).tolist() == learned.tolist()


@given(rows(), rows(), DISCOUNTS)
def test_sums_add_up_as_transitions_come_in(first, second, discount):
    count = len(first[0][0])
    second = [
        ((phi * 3)[:count], reward, None if after is None else (after * 3)[:count], weight)
        for phi, reward, after, weight in second
    ]
    both, before, after = (
        td_sums(transitions(*part), discount) for part in (first + second, first, second)
    )
    assert moments(both) == moments(TDSums(before.A + after.A, before.b + after.b))


# Against other methods.


@given(rows())
def test_the_model_is_the_smallest_least_squares_solution_of_scipy(drawn):
    data = transitions(*drawn)
    root = np.sqrt(data.weights.astype(float))[:, None]
    predicted = np.column_stack([data.next_features, data.rewards]).astype(float)
    theirs = linalg.lstsq(root * data.features.astype(float), root * predicted)[0]
    for ours in (data, as_floats(data)):
        model = least_squares_model(ours, minimum_norm=True)
        np.testing.assert_allclose(model.F.astype(float), theirs[:, :-1].T, atol=1e-7)
        np.testing.assert_allclose(model.g.astype(float), theirs[:, -1], atol=1e-7)


@given(problems())
@settings(max_examples=60)
def test_with_a_feature_for_each_state_td_finds_the_values_of_the_empirical_mdp(problem):
    dataset, _, bootstrap = built(problem)
    model = EmpiricalMDP.from_dataset(dataset)
    visits = model.counts.sum(axis=1)
    assume(visits.all())
    mdp = FiniteMDP.from_arrays(model.transitions.astype(float), model.rewards.astype(float))
    policy = model.counts / visits[:, None]
    expected = discounted.policy_values(mdp, float(bootstrap.discount), policy)
    one_hot = exact(np.eye(dataset.num_states, dtype=int).tolist())
    learned = td_fixed_point(FeatureTransitions.from_dataset(dataset, one_hot), bootstrap.discount)
    np.testing.assert_allclose(learned.astype(float), expected, atol=1e-9)


def test_integer_features_do_not_round_the_rewards():
    dataset, _, _ = built(((2, 1), [(0, 0, HALF, 1), (1, 0, 0.25, None)], [0, 0], (HALF, True)))
    for features in (np.eye(2, dtype=int), np.eye(2)):
        data = FeatureTransitions.from_dataset(dataset, features)
        assert td_fixed_point(data, HALF).tolist() == [0.625, 0.25]


@given(problems(), st.data())
def test_the_sums_of_the_data_are_those_of_the_empirical_mdp(problem, data):
    dataset, _, bootstrap = built(problem)
    model, count = EmpiricalMDP.from_dataset(dataset), dataset.num_states
    row = st.lists(st.integers(-3, 3), min_size=2, max_size=2)
    X = exact(data.draw(st.lists(row, min_size=count, max_size=count)))
    followed = (model.counts[:, :, None] * model.transitions).sum(axis=1)
    earned = (model.counts * model.rewards).sum(axis=1)
    visits = np.diag(model.counts.sum(axis=1))
    sums = td_sums(FeatureTransitions.from_dataset(dataset, X), bootstrap.discount)
    expected = X.T @ (visits @ X - bootstrap.discount * followed @ X)
    assert moments(sums) == (expected.tolist(), (X.T @ earned).tolist())


@given(rows(), st.sampled_from([HALF, NINE_TENTHS]))
def test_floats_agree_with_fractions(drawn, discount):
    data = transitions(*drawn)
    assume(is_regular(second_moments(data)))
    floats = as_floats(data)
    A, b = td_sums(floats, float(discount))
    assume(np.linalg.cond(A) < 1e6)
    expected = td_fixed_point(data, discount).astype(float)
    close = {"rtol": 1e-7, "atol": 1e-7 * (1 + np.abs(expected).max())}
    np.testing.assert_allclose(td_fixed_point(floats, float(discount)), expected, **close)
    solved = model_fixed_point(least_squares_model(floats), float(discount))
    np.testing.assert_allclose(solved, expected, **close)
    assert A.dtype == b.dtype == solved.dtype == float


def test_replay_in_small_steps_comes_to_the_fixed_point():
    data = as_floats(transitions(([1, 0], 1, [1, 1]), ([1, 1], 0, [0, 1]), ([0, 1], 2, None)))
    fixed_point, theta = td_fixed_point(data, 0.9), np.zeros(2)
    for _ in range(4000):
        theta = replay_sweep(data, theta, 0.9, 0.1, fixed_weights=True)
    np.testing.assert_allclose(theta, fixed_point, atol=1e-9)


# Where they part: singular features.


def test_with_dependent_features_the_model_is_not_unique_and_is_refused():
    data = transitions(([1, 0], 1, [0, 1]))
    with pytest.raises(ValueError, match=r"^C must be .* got rank 1 with 2 features$"):
        least_squares_model(data)
    with pytest.raises(ValueError, match=r"^C must be .* got rank 1 with 2 features$"):
        least_squares_model(as_floats(data))


def test_with_dependent_features_the_smallest_model_has_one_of_many_fixed_points():
    data = transitions(([1, 0], 1, [0, 1]))
    A, b = td_sums(data, HALF)
    chosen = model_fixed_point(least_squares_model(data, minimum_norm=True), HALF)
    smallest = exact([Fraction(4, 5), Fraction(-2, 5)])  # pseudo-inverse of A, times b
    np.testing.assert_allclose(
        smallest.astype(float), np.linalg.pinv(A.astype(float)) @ b.astype(float)
    )
    assert chosen.tolist() == [1, 0]
    assert (A @ chosen).tolist() == (A @ smallest).tolist() == b.tolist()
    with pytest.raises(ValueError, match="A must be invertible"):
        td_fixed_point(data, HALF)


def test_with_dependent_features_the_smallest_model_may_have_no_fixed_point_though_td_has():
    data = transitions(([1, 0], 1, [2, 1]))
    A, b = td_sums(data, HALF)
    for free in (0, 5):
        assert (A @ exact([free, -2])).tolist() == b.tolist()
    model = least_squares_model(data, minimum_norm=True)
    slope = np.eye(2, dtype=int) - HALF * model.F.T
    augmented = sympy.Matrix(np.column_stack([slope, model.g]))
    assert (sympy.Matrix(slope).rank(), augmented.rank()) == (1, 2)
    with pytest.raises(ValueError, match="I - γ Fᵀ must be invertible"):
        model_fixed_point(model, HALF)


# Where they part: weights.


def test_a_model_fitted_with_other_weights_than_td_has_another_fixed_point():
    on_policy = transitions(([1], 0, None), ([1], 1, [1]))
    off_policy = transitions(([1], 0, None, 1), ([1], 1, [1], 3))  # importance ratios 1/2 and 3/2
    assert td_fixed_point(off_policy, HALF).tolist() == [Fraction(6, 5)]
    assert model_fixed_point(least_squares_model(off_policy), HALF).tolist() == [Fraction(6, 5)]
    assert model_fixed_point(least_squares_model(on_policy), HALF).tolist() == [Fraction(2, 3)]


@pytest.mark.parametrize("step_size", [Fraction(1, 100), Fraction(1), Fraction(5)])
def test_off_policy_td_and_planning_diverge_from_the_fixed_point_that_they_share(step_size):
    data = transitions(([1], 0, [2]))
    model = least_squares_model(data)
    assert td_fixed_point(data, NINE_TENTHS).tolist() == [0]
    assert model_fixed_point(model, NINE_TENTHS).tolist() == [0]
    imagined = model.imagined(data.features, data.weights)
    for source in (data, imagined):
        moved = replay_sweep(source, exact([1]), NINE_TENTHS, step_size, fixed_weights=False)
        assert moved.tolist() == [1 + Fraction(4, 5) * step_size]


# Where they part: step sizes, and weights that change within a sweep.


@pytest.mark.parametrize(("step_size", "factor"), [(Fraction(1, 4), 0), (HALF, -1), (1, -3)])
def test_a_step_size_too_large_for_the_data_does_not_come_nearer(step_size, factor):
    data = transitions(([2], 2, None))
    sums, fixed_point = td_sums(data, HALF), td_fixed_point(data, HALF)
    moved = planning_sweep(sums, fixed_point + 1, step_size)
    assert (moved - fixed_point).tolist() == [factor]


def test_replay_at_changing_weights_is_not_the_planning_sweep_and_depends_on_the_order():
    first, second = ([1], 0, None), ([1], 1, None)
    theta, step_size = exact([2]), Fraction(1, 4)
    forth, back = transitions(first, second), transitions(second, first)
    planned = planning_sweep(td_sums(forth, HALF), theta, step_size)
    replayed = [
        replay_sweep(data, theta, HALF, step_size, fixed_weights=False).tolist()
        for data in (forth, back)
    ]
    assert planned.tolist() == [Fraction(5, 4)]
    assert replayed == [[Fraction(11, 8)], [Fraction(21, 16)]]


def test_one_update_at_changing_weights_is_that_at_fixed_ones():
    data, theta = transitions(([1, 2], 3, [0, 1], 2)), exact([1, 1])
    moved = [
        replay_sweep(data, theta, HALF, HALF, fixed_weights=fixed).tolist()
        for fixed in (True, False)
    ]
    assert moved == [[Fraction(3, 2), 2], [Fraction(3, 2), 2]]  # error 3 + 1/2 - 3, times 1/2, 2


@pytest.mark.parametrize("kind", [np.int64, np.uint8, bool])
def test_integers_of_any_width_are_exact(kind):
    reward = 2**62
    data = FeatureTransitions(
        np.ones((4, 1), dtype=kind),
        np.full(4, reward),
        np.zeros((4, 1), dtype=kind),
        np.ones(4, kind),
    )
    assert td_fixed_point(data, 0).tolist() == [reward]
    assert td_sums(data, 0).b.tolist() == [4 * reward]
