"""The smallest evidence with a gap, and its certificates, against going through all evidence by the definitions."""

import copy
import random
from fractions import Fraction
from itertools import islice, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.certificates.tampering import mutations, rejected, resigned
from tests.theory.criteria.test_evidence import definitions, subsets
from tests.theory.solving.test_laws import best_of_all_policies, built, classes
from theory import (
    certify_evidence,
    check_evidence,
    checked_evidence,
    find_evidence_witness,
    find_witness,
    gallery_class,
    mdp_class,
    option,
    option_class,
    solve,
    witness_in,
)
from theory.certificates import verifier
from theory.certificates.certificate import FORMAT_EVIDENCE
from theory.certificates.witness import WitnessSearchTooLargeError


def about(problem, evidence):
    """The number of pairs at which evidence rules anything out."""
    return sum(
        len(allowed) < len(problem.options_at(pair)) for pair, allowed in enumerate(evidence)
    )


def smallest(problem):
    """The number of pairs of the smallest evidence with a proper inclusion; None if there is none."""
    sizes = []
    for evidence in product(*(subsets(len(pair)) for pair in problem.transitions.options)):
        H_M, H_B = definitions(problem, evidence)
        if H_M and H_M < H_B:
            sizes.append(about(problem, evidence))
    return min(sizes, default=None)


def in_one_state(most):
    """Classes of one state, or of one action: all evidence is few."""
    return classes(most).filter(lambda drawn: len(drawn[2]) <= 2 and drawn[3])


@given(in_one_state(4))
@settings(deadline=None, max_examples=15)
def test_no_evidence_about_fewer_pairs_shows_a_gap_and_none_that_allows_more(drawn):
    check_smallest(built(*drawn))


@pytest.mark.parametrize("seed", range(8))
def test_of_classes_with_a_gap_the_smallest_evidence_allows_as_much_as_it_may(seed):
    check_smallest(random_class(seed))


def random_class(seed):
    """One state and two actions, each with four options, of which four models choose."""
    draw = random.Random(seed)
    options = []
    for _ in range(2):
        laws = [{0: Fraction(w, 2), 1: 1 - Fraction(w, 2)} for w in range(3)]
        rewards = [draw.randint(0, 1) for _ in laws]
        found = [option(r, law, 1) for r, law in zip(rewards, laws, strict=True)]
        options.append([*found, option(2, {1: 1}, 1)])
    models = [[draw.randrange(4), draw.randrange(4)] for _ in range(4)]
    return mdp_class(option_class(1, 2, options, models), [[0, 0]], "1/2")


def check_smallest(problem):
    """The smallest evidence found, against going through all of it."""
    solved = solve(problem)
    found = find_evidence_witness(solved)
    assert (None if found is None else len(found.evidence)) == smallest(problem)
    exact = find_witness(solved)
    if exact is not None:
        assert len(found.evidence) <= len(exact.dataset)
    if found is None:
        return
    report = check_evidence(problem, checked_evidence(problem, found.evidence))
    assert report.strict
    assert found.q0 in report.HM
    assert found.q1 in report.HB
    assert found.q1 not in report.HM
    for index, (s, a, allowed) in enumerate(found.evidence):
        for more in set(range(len(problem.options_at(s * problem.actions + a)))) - set(allowed):
            rows = list(found.evidence)
            rows[index] = (s, a, (*allowed, more))
            wider = check_evidence(problem, checked_evidence(problem, rows))
            assert found.q1 in wider.HM
    assert verifier.verify(certify_evidence(solved, found)) is None


def test_evidence_shows_what_exact_data_do_not():
    options = [[option(0, {0: 1}, 1), option(0, {1: 1}, 1), option(1, {1: 1}, 1)]]
    solved = solve(mdp_class(option_class(1, 1, options, [[0], [2]]), [[0]], "1/2"))
    assert find_witness(solved) is None
    found = find_evidence_witness(solved)
    assert found.evidence == ((0, 0, (1, 2)),)
    assert (found.T0, found.T1) == (((2,),), ((0,),))


def without_one_model():
    """One state and two actions, each of which stays or ends for nothing, or ends and pays."""
    stay, end, pay = option(0, {0: 1}, 1), option(0, {1: 1}, 1), option(1, {1: 1}, 1)
    models = [[0, 0], [0, 1], [1, 0], [2, 2]]
    return mdp_class(option_class(1, 2, [[stay, end, pay]] * 2, models), [[0, 0]], "1/2")


def test_two_pairs_are_needed_where_each_alone_leaves_a_model():
    """Three models agree on one q, which the one that is missing would have too; T0 does what no q needs."""
    problem = without_one_model()
    found = find_evidence_witness(solve(problem))
    assert found.proved_smallest
    assert found.evidence == ((0, 0, (1, 2)), (0, 1, (1, 2)))
    assert smallest(problem) == 2
    document = certify_evidence(solve(problem), found)
    assert document["smallest"]
    assert verifier.verify(document) is None
    narrow = {**document, "E": [*document["E"][:1], [0, 1, [2]]], "smallest": False}
    assert rejected(resigned(narrow))


def test_that_exact_data_are_smallest_is_not_believed_where_a_set_about_fewer_pairs_will_do():
    """No exact data about one pair show the gap, evidence about one does; two pairs are claimed to be needed."""
    stay, end, pay = option(0, {0: 1}, 1), option(0, {1: 1}, 1), option(1, {1: 1}, 1)
    options = [[stay, end, pay], [option(-1, {1: 1}, 1), option(-2, {1: 1}, 1)]]
    models = [[0, 0], [2, 0], [2, 1]]
    solved = solve(mdp_class(option_class(1, 2, options, models), [[0, 0]], "1/2"))
    found = find_evidence_witness(solved)
    assert found.evidence == ((0, 0, (1, 2)),)
    document = certify_evidence(solved, found)
    more = {**document, "E": [*document["E"], [0, 1, [0]]]}
    assert verifier.verify(resigned({**more, "smallest": False})) is None
    assert verifier.verify(resigned({**more, "smallest": True})) == "a smaller E will do"


def test_a_closed_class_has_none_and_a_search_without_time_says_so():
    assert find_evidence_witness(solve(gallery_class("noisy-factors-product"))) is None
    with pytest.raises(WitnessSearchTooLargeError, match="time limit of 1e-09 s"):
        find_evidence_witness(solve(without_one_model()), time_limit=1e-9)


# Certificates


def claim_holds(document):
    """What a certificate says, by the definitions."""
    n, k, gamma = document["states"], document["actions"], Fraction(document["gamma"])
    options = [
        [option(Fraction(r), {x: Fraction(p) for x, p in law}, n) for r, law in choices]
        for row in document["options"]
        for choices in row
    ]
    models = [[o for row in T for o in row] for T in document["models"]]
    T0, T1 = ([o for row in document[T] for o in row] for T in ("T0", "T1"))
    if any(len(set(choices)) < len(choices) for choices in options):
        return None  # not to be built here
    problem = mdp_class(option_class(n, k, options, models), [[0] * k] * n, gamma)
    every = [tuple(range(len(choices))) for choices in options]
    evidence = list(every)
    for s, a, allowed in document["E"]:
        evidence[s * k + a] = tuple(allowed)
    q0, q1 = (
        best_of_all_policies([options[p][o] for p, o in enumerate(T)], gamma, n, k)
        for T in (T0, T1)
    )
    told = [tuple(tuple(map(Fraction, row)) for row in document[q]) for q in ("q0", "q1")]
    H_M, H_B = definitions(problem, evidence)
    holds = (
        T0 in models
        and T1 in models
        and told == [q0, q1]
        and all(o in allowed for o, allowed in zip(T0, evidence, strict=True))
        and q1 in H_B - H_M
    )
    if not holds or not document["smallest"]:
        return holds
    for other in product(*(subsets(len(choices)) for choices in options)):
        if about(problem, other) < len(document["E"]):
            H_M, H_B = definitions(problem, other)
            if H_M and H_M < H_B:
                return False
    return True


def altered(document, seed):
    """One or two random changes to what is claimed."""
    draw, changed = random.Random(seed), copy.deepcopy(document)
    k = changed["actions"]

    def evidence():
        pair = draw.randrange(changed["states"] * k)
        count = len(changed["options"][pair // k][pair % k])
        allowed = draw.sample(range(count), draw.randint(1, count))
        others = [row for row in changed["E"] if row[0] * k + row[1] != pair]
        changed["E"] = [*others, [pair // k, pair % k, sorted(allowed)]]

    def models():
        changed["T0"], changed["T1"] = draw.choices(changed["models"], k=2)
        for T, q in (("T0", "q0"), ("T1", "q1")):
            chosen = [
                option(Fraction(r), {x: Fraction(p) for x, p in law}, changed["states"])
                for s, row in enumerate(changed[T])
                for a, o in enumerate(row)
                for r, law in [changed["options"][s][a][o]]
            ]
            n, gamma = changed["states"], Fraction(changed["gamma"])
            table = best_of_all_policies(chosen, gamma, n, k)
            changed[q] = [[str(v) for v in row] for row in table]

    def fewer():
        changed["models"].pop(draw.randrange(len(changed["models"])))

    def claims():
        changed["smallest"] = not changed["smallest"]

    for change in draw.choices([evidence, evidence, models, fewer, claims], k=draw.randint(1, 2)):
        change()
    return changed


def certified(seed):
    """The certificate of a random class of one state and two actions, each with three options; None without a gap."""
    draw = random.Random(seed)
    options = []
    for _ in range(2):
        laws = [{0: Fraction(w, 2), 1: 1 - Fraction(w, 2)} for w in range(3)]
        options.append([option(draw.randint(0, 1), law, 1) for law in laws])
    models = [[draw.randrange(3), draw.randrange(3)] for _ in range(4)]
    solved = solve(mdp_class(option_class(1, 2, options, models), [[0, 0]], "1/2"))
    found = find_evidence_witness(solved)
    return None if found is None else certify_evidence(solved, found)


def test_with_a_fitting_digest_exactly_the_false_are_rejected():
    documents = [document for seed in range(12) if (document := certified(seed))]
    outcomes = []
    for seed in range(60):
        document = documents[seed % len(documents)]
        changed = resigned(altered(document, seed))
        outcomes.append(claim_holds(changed))
        assert rejected(changed) != outcomes[-1], (seed, changed)
    assert {True, False} == set(outcomes)


@given(in_one_state(3), st.integers(0, 10**6))
@settings(deadline=None, max_examples=15)
def test_any_evidence_with_a_gap_is_certified_and_no_other(drawn, number):
    problem = built(*drawn)
    solved = solve(problem)
    every = list(product(*(subsets(len(pair)) for pair in problem.transitions.options)))
    evidence = every[number % len(every)]
    H_M, H_B = definitions(problem, evidence)
    found = witness_in(solved, evidence)
    assert (found is not None) == (bool(H_M) and H_M < H_B)
    if found is not None:
        document = certify_evidence(solved, found)
        assert verifier.verify(document) is None
        assert claim_holds(document)
        assert document["smallest"] == (about(problem, evidence) == 1)


def test_a_change_to_any_part_is_found_out():
    document = certified(next(seed for seed in range(12) if certified(seed)))
    assert document["format"] == FORMAT_EVIDENCE
    assert "no evidence about fewer pairs does as much" in document["statement"]
    for where, changed in islice(mutations(document), 0, None, 4):
        assert rejected(changed), where


def test_evidence_of_a_deterministic_class_is_certified_with_successors_as_options():
    solved = solve(gallery_class("push-tree"))
    document = certify_evidence(solved, find_evidence_witness(solved))
    assert document["options"][0][0][:2] == [["0", [[0, "1"]]], ["0", [[1, "1"]]]]
    assert len(document["models"]) == 49
    assert verifier.verify(document) is None


def test_a_certificate_that_names_a_pair_twice_is_refused():
    document = certified(next(seed for seed in range(12) if certified(seed)))
    twice = {**document, "E": [document["E"][0], document["E"][0]]}
    with pytest.raises(ValueError, match="E names a pair twice"):
        verifier.verify(twice)
