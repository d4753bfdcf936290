"""Models with chance written for other programs and read back, and what others compute from them."""

from fractions import Fraction

import pytest
from hypothesis import given, settings

from tests.theory.formats.test_formats import best_sums, written
from tests.theory.solving.test_laws import best_of_all_policies, built, classes
from theory import (
    class_from_models,
    dot_text,
    drn_text,
    explicit_model,
    mdp_class,
    model_arrays,
    option,
    option_class,
    parse_drn,
    prism_files,
    read_prism,
)
from theory.solving.policy_iteration import optimal_q_of_options


@given(classes())
@settings(deadline=None, max_examples=25)
def test_models_with_chance_are_read_back_as_the_class_of_these_models(tmp_path_factory, drawn):
    problem = built(*drawn)
    folder = tmp_path_factory.mktemp("models")
    tables = [problem.transitions.table(i) for i in range(min(problem.transitions.size, 3))]
    written_out = [explicit_model(problem, i) for i in range(len(tables))]
    by_storm = [parse_drn(drn_text(model)) for model in written_out]
    by_prism = [read_prism(written(folder, prism_files(model))) for model in written_out]
    for models in (by_storm, by_prism):
        read = class_from_models(models, problem.gamma)
        assert read.transitions.size == len(tables)
        for index, table in enumerate(tables):
            assert read.chosen(read.transitions.table(index)) == problem.chosen(table)


@given(classes())
@settings(deadline=None, max_examples=20)
def test_with_chance_too_the_folded_sums_and_the_arrays_have_the_values_of_all_policies(drawn):
    problem = built(*drawn)
    n, k = problem.states, problem.actions
    chosen = problem.chosen(problem.transitions.table(0))
    q = best_of_all_policies([o for row in chosen for o in row], problem.gamma, n, k)
    V = [*map(max, q), Fraction(0)]
    assert optimal_q_of_options(chosen, problem.gamma) == q
    assert best_sums(explicit_model(problem, 0, fold_discount=True)) == V[:-1]
    arrays = model_arrays(problem, 0)
    backups = arrays["R"] + float(arrays["beta"]) * arrays["Q"] @ [float(v) for v in V]
    assert backups[:n].ravel() == pytest.approx([float(x) for row in q for x in row], abs=1e-9)
    assert arrays["Q"].sum(axis=2) == pytest.approx(1)
    if "probabilities" in arrays:
        laws = [[list(map(Fraction, o)) for o in row] for row in arrays["probabilities"].tolist()]
        assert laws == [[[o.probability(x) for x in range(n + 1)] for o in row] for row in chosen]


def test_a_graph_says_how_likely_each_arrow_of_an_action_is():
    half = option(Fraction(-1, 2), {0: Fraction(1, 3), 1: Fraction(2, 3)}, 1)
    problem = mdp_class(option_class(1, 2, [[half], [option(0, {1: 1}, 1)]]), [[0, 0]], "1/2")
    assert dot_text(problem, 0).splitlines()[4:7] == [
        '  0 -> 0 [label="a0: -1/2 (1/3)"];',
        '  0 -> 1 [label="a0: -1/2 (2/3)"];',
        '  0 -> 1 [label="a1: 0", style=bold];',
    ]
