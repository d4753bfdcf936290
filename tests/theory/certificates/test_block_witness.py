"""Witnesses by blocks against enumeration, and their certificates against all that is false."""

import copy
import hashlib
import json
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from tests.theory.certificates.product_classes import built, listed, product_classes
from tests.theory.certificates.tampering import mutations, rejected, resigned
from theory import (
    MDPClass,
    certify_blocks,
    check_class,
    find_block_witness,
    find_witness,
    gallery_class,
    optimal_q,
    solve,
    tabular,
    version_space,
)
from theory.certificates import verifier
from theory.certificates.block_witness import consistent_with
from theory.certificates.certificate import signed
from theory.certificates.witness import WitnessSearchTooLargeError
from theory.criteria import theorem
from theory.criteria.version_spaces import SweepTooLargeError


@given(product_classes())
@settings(deadline=None, max_examples=60)
def test_a_witness_by_blocks_is_as_small_as_one_by_enumeration(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    by_blocks, by_models = find_block_witness(problem), find_witness(solved)
    assert (by_blocks is None) == (by_models is None)
    if by_blocks is not None:
        assert len(by_blocks.dataset) == len(by_models.dataset)
        assert by_blocks.proved_smallest
        space = version_space(solved, by_blocks.dataset)
        assert space.strict
        H_M, H_B = (
            {solved.q_table(int(q)) for q in np.flatnonzero(H)} for H in (space.HM, space.HB)
        )
        assert by_blocks.q0 in H_M
        assert by_blocks.q1 in H_B - H_M
        assert verifier.verify(certify_blocks(problem, by_blocks)) is None


@given(product_classes())
@settings(deadline=None, max_examples=30)
def test_consistency_and_fibers_are_those_of_the_solved_class(drawn):
    problem = built(*drawn)
    solved = solve(problem)
    for q in range(solved.value_functions):
        consistent = consistent_with(problem, solved.q_table(q))
        assert np.array_equal(consistent, solved.consistent[q])
        sizes = [
            int(consistent[pairs, rows].all(axis=1).sum())
            for pairs, rows in problem.transitions.blocks
        ]
        assert np.prod(sizes) == len(solved.fiber(q))


def test_a_class_of_a_million_models_is_decided_and_certified_in_seconds():
    problem = gallery_class("binary-factors-8")
    assert problem.transitions.size == 4**8
    report = check_class(problem)
    assert (report.models, report.value_functions, report.method[:9]) == (4**8, None, "a witness")
    assert (report.part1, report.part2) == (True, True)
    assert (report.part3_functional, report.part3_realizable) == (False, False)
    witness = find_block_witness(problem)
    assert (len(witness.dataset), witness.proved_smallest) == (1, True)
    for table, q in ((witness.T0, witness.q0), (witness.T1, witness.q1)):
        assert q == optimal_q(table, problem.rewards, problem.gamma)
    document = certify_blocks(problem, witness)
    assert verifier.verify(document) is None
    assert document["smallest"]


def test_what_blocks_do_not_decide_in_time_is_left_open_and_said(monkeypatch):
    monkeypatch.setattr(theorem, "BLOCK_SECONDS", 0.0)
    report = check_class(gallery_class("binary-factors-8"))
    assert report.part1
    assert (report.part2, report.part3_realizable, report.part3_functional) == (None, None, None)
    assert report.method == (
        "nothing: no proper inclusion was found for up to 100 models as T1, and 0 of the models were settled in 0"
        " parts, within 0 s; part 1 by its proof"
    )
    with pytest.raises(SweepTooLargeError, match="functional datasets, about"):
        check_class(gallery_class("binary-factors-8"), every_dataset=True)


def test_what_no_witness_is_found_for_is_refused():
    problem = gallery_class("push-tree-tabular")
    with pytest.raises(WitnessSearchTooLargeError, match="for up to 5 models as T1 within inf s"):
        find_block_witness(problem, tried=5)
    with pytest.raises(WitnessSearchTooLargeError, match="within 0 s, and it is open"):
        find_block_witness(problem, time_limit=0.0)
    everything = tabular(1, 1).filter(lambda models: np.ones(len(models), dtype=bool))
    with pytest.raises(ValueError, match="push is no product of blocks"):
        find_block_witness(MDPClass(everything, ((Fraction(1),),), Fraction(1, 2), "push"))
    with pytest.raises(ValueError, match="gamma is 1; accepted for a witness by blocks"):
        find_block_witness(gallery_class("gamma-one"))


# Certificates by blocks


@pytest.fixture(scope="module")
def document():
    problem = gallery_class("smallest-witness")
    return certify_blocks(problem, find_block_witness(problem))


@pytest.fixture(scope="module")
def pushed():
    problem = gallery_class("push-tree")
    return certify_blocks(problem, find_block_witness(problem))


def test_every_change_of_one_field_is_rejected(document):
    count = 0
    for path, changed in mutations(document):
        assert rejected(changed), path
        count += 1
    assert count > 300


def claim_holds(document):
    """Whether a well-formed certificate's claim is true, by listing all choices from its blocks."""
    problem = listed(document)
    solved = solve(problem)
    models = [
        list(map(list, problem.transitions.table(i))) for i in range(problem.transitions.size)
    ]
    space = version_space(solved, document["D"])
    q0, q1 = (tuple(tuple(map(Fraction, row)) for row in document[q]) for q in ("q0", "q1"))
    H_M, H_B = ([solved.q_table(int(q)) for q in np.flatnonzero(H)] for H in (space.HM, space.HB))
    return (
        document["T0"] in models
        and document["T1"] in models
        and q0 == optimal_q(document["T0"], problem.rewards, problem.gamma)
        and q1 == optimal_q(document["T1"], problem.rewards, problem.gamma)
        and all(document["T0"][s][a] == x for s, a, x in document["D"])
        and q1 in H_B
        and q1 not in H_M
        and (len(document["D"]) == 1 or not document["smallest"])
    )


def altered(document, seed):
    """One or two random changes to what a certificate claims, in good form and with a fitting digest."""
    draw = random.Random(seed)
    changed = copy.deepcopy(document)
    n, k = changed["states"], changed["actions"]
    s, a = draw.randrange(n), draw.randrange(k)
    rewards = tuple(tuple(map(Fraction, row)) for row in changed["rewards"])

    def other_model():
        key = draw.choice(["0", "1"])
        for pairs, rows in changed["blocks"]:
            for pair, x in zip(pairs, draw.choice(rows), strict=True):
                changed[f"T{key}"][pair // k][pair % k] = x
        q = optimal_q(changed[f"T{key}"], rewards, Fraction(changed["gamma"]))
        changed[f"q{key}"] = [[str(v) for v in row] for row in q]

    def other_dataset():
        pairs = draw.sample([(s, a) for s in range(n) for a in range(k)], draw.randint(1, 2))
        changed["D"] = [[s, a, changed["T0"][s][a]] for s, a in pairs]

    def other_assignment():
        rows = draw.choice(changed["blocks"])[1]
        rows.append([draw.randint(0, n) for _ in rows[0]])

    def fewer_assignments():
        rows = draw.choice(changed["blocks"])[1]
        if len(rows) > 1:
            rows.pop(draw.randrange(len(rows)))

    def other_q():
        changed[draw.choice(["q0", "q1"])][s][a] = draw.choice(["-1", "0", "9/10"])

    def smallest_or_not():
        changed["smallest"] = not changed["smallest"]

    kinds = [
        other_model,
        other_dataset,
        other_assignment,
        fewer_assignments,
        other_q,
        smallest_or_not,
    ]
    for change in draw.choices(kinds, k=draw.randint(1, 2)):
        change()
    return resigned(changed)


def test_with_a_fitting_digest_exactly_the_false_are_rejected(pushed):
    outcomes = []
    for seed in range(40):
        changed = altered(pushed, seed)
        outcomes.append(claim_holds(changed))
        assert rejected(changed) != outcomes[-1], (seed, changed)
    assert {True, False} == set(outcomes)


def test_blocks_that_leave_a_pair_out_or_are_no_lists_are_refused(pushed):
    for blocks in ([], pushed["blocks"][:1], [[[0], [[0]]]], [[0, 1]], None, [[[0, 0], [[1, 1]]]]):
        with pytest.raises(ValueError, match="not a certificate: "):
            verifier.verify({**pushed, "blocks": blocks})
    ragged = copy.deepcopy(pushed)
    ragged["blocks"][0][1][0].append(0)
    with pytest.raises(ValueError, match="blocks holds no list of 4"):
        verifier.verify(ragged)


def test_smallest_is_believed_of_a_single_transition_alone(pushed):
    T0, D = pushed["T0"], pushed["D"]
    unseen = next([s, a, T0[s][a]] for s in range(4) for a in range(2) if [s, a, T0[s][a]] not in D)
    larger = {k: v for k, v in pushed.items() if k not in ("statement", "sha256")}
    larger |= {"D": sorted([*D, unseen])}
    assert verifier.verify(signed({**larger, "smallest": False})) is None
    assert "more than one transition" in verifier.verify(signed({**larger, "smallest": True}))


def test_the_digest_is_that_of_the_other_fields(pushed):
    rest = {key: value for key, value in pushed.items() if key != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    assert pushed["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert verifier.verify({**pushed, "sha256": "0" * 64}) == "wrong digest"
