"""Certificates: what is claimed is verified, and whatever else is claimed is not."""

import copy
import hashlib
import json
import random
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.theory.certificates.tampering import DERIVED, made, mutations, rejected, resigned
from theory.certificates import certificate, verifier
from theory.certificates.certificate import certify
from theory.certificates.verifier import fields, listed
from theory.certificates.witness import find_decision_witness, find_witness
from theory.classes.gallery import gallery_class
from theory.classes.mdp_class import MDPClass, mdp_class
from theory.classes.options import option, option_class
from theory.classes.transition_class import explicit, tabular
from theory.criteria.version_spaces import version_space
from theory.solving.policy_iteration import optimal_q
from theory.solving.solve import solve

# What it verifies


PAIRS = [(s, a) for s in range(2) for a in range(2)]


def stochastic(seed: int) -> MDPClass:
    """A few models of two states and two actions, with laws and rewards of their own."""
    rng = random.Random(seed)
    options = []
    for _ in PAIRS:
        weights = [[rng.randint(0, 2) for _ in range(2)] + [1] for _ in range(3)]
        laws = [{x: Fraction(w, sum(row)) for x, w in enumerate(row)} for row in weights]
        found = [option(rng.randint(-1, 1), law, 2) for law in laws]
        options.append(list(dict.fromkeys(found)))
    models = [[rng.randrange(len(choices)) for choices in options] for _ in range(9)]
    return mdp_class(option_class(2, 2, options, models), [[0, 0]] * 2, "9/10", name="stochastic")


@pytest.mark.parametrize("find", [find_witness, find_decision_witness])
def test_a_witness_of_a_class_with_options_is_certified_and_false_variants_are_rejected(find):
    certified = 0
    for seed in range(8):
        solved = solve(stochastic(seed))
        witness = find(solved)
        if witness is None:
            continue
        certified += 1
        document = certify(solved, witness)
        assert document["format"] == certificate.FORMAT_OPTIONS
        assert verifier.verify(document) is None
        swapped = dict(document, T0=document["T1"], T1=document["T0"])
        assert rejected(resigned(swapped))
        assert rejected(resigned(dict(document, q1=document["q0"])))
        assert rejected(resigned(dict(document, gamma="8/9")))
        assert rejected(resigned(dict(document, D=[])))
        for s, a in PAIRS:
            changed = copy.deepcopy(document)
            reward, law = changed["options"][s][a][changed["T1"][s][a]]
            changed["options"][s][a][changed["T1"][s][a]] = [str(Fraction(reward) + 1), law]
            assert rejected(resigned(changed))
    assert certified > 2


@pytest.mark.parametrize(
    "law",
    [
        [[0, "1/2"]],
        [[0, "3/2"], [1, "-1/2"]],
        [[0, "1/2"], [0, "1/2"]],
        [[3, "1"]],
        [[0, "2/2"]],
        [],
        [[0]],
        None,
    ],
)
def test_a_certificate_with_a_law_that_is_none_is_refused(law):
    solved = solve(stochastic(0))
    document = certify(solved, find_witness(solved))
    document["options"][0][0][0] = ["0", law]
    with pytest.raises(ValueError, match="not a certificate: options holds"):
        verifier.verify(resigned(document))


@pytest.mark.parametrize("find", [find_witness, find_decision_witness])
@pytest.mark.parametrize("name", ["smallest-decision", "push-tree", "push-tree-independent"])
def test_a_witness_of_the_gallery_is_certified(name, find):
    document = made(name, find)
    assert verifier.verify(document) is None
    assert document["smallest"] is True
    assert len(document["decision"]) == (find is find_decision_witness)


@pytest.mark.parametrize("name", ["smallest-witness", *(f"binary-factors-{n}" for n in (2, 3, 4))])
def test_a_gap_of_the_gallery_is_certified_over_the_whole_class(name):
    document = made(name)
    assert verifier.verify(document) is None
    assert len(document["models"]) == gallery_class(name).transitions.size


def test_a_certificate_says_what_it_claims(small):
    assert small["statement"] == (
        "D is realizable in a class of 2 models, and H_M(D) is a proper subset of H_B(D);"
        " in state 1 it alone settles on action 1; no smaller realizable dataset does as much"
    )
    assert small["D"] == [[0, 0, 0]]
    assert small["q0"] == [["-2", "-2"], ["-2", "-1"]]
    assert small["q1"] == [["-3/2", "-1"], ["-1", "-3/2"]]


def test_a_class_too_long_to_list_is_certified_by_blocks_or_for_two_of_its_models(monkeypatch):
    monkeypatch.setattr(certificate, "MAX_SUCCESSORS", 100)
    document = made("push-tree")
    assert document["format"] == "mbgen certificate 2"
    assert "in the class of all choices from 2 blocks" in document["statement"]
    assert verifier.verify(document) is None
    problem = gallery_class("push-tree")
    filtered = problem.transitions.filter(lambda models: np.ones(len(models), dtype=bool))
    solved = solve(MDPClass(filtered, problem.rewards, problem.gamma))
    document = certify(solved, find_witness(solved))
    assert document["models"] == [document["T0"], document["T1"]]
    assert "in a class of 2 models" in document["statement"]
    assert verifier.verify(document) is None


def test_a_decision_that_two_models_do_not_show_is_refused_where_the_class_is_too_long(monkeypatch):
    monkeypatch.setattr(certificate, "MAX_SUCCESSORS", 100)
    solved = solve(gallery_class("push-tree"))
    witness = find_decision_witness(solved)
    state, action = witness.decision
    assert witness.q0[state][1 - action] == max(witness.q0[state])  # a tie, which T1 breaks
    with pytest.raises(ValueError, match=r"^the class has 49 models.*: at most 100 successors$"):
        certify(solved, witness)


def test_a_decision_that_two_models_show_is_certified_however_long_the_class(monkeypatch):
    monkeypatch.setattr(certificate, "MAX_SUCCESSORS", 1)
    document = made("smallest-decision", find_decision_witness)
    assert document["decision"] == [[1, 1]]
    assert verifier.verify(document) is None


def test_no_certificate_without_discount():
    problem = mdp_class(explicit([[[0], [2]], [[1], [2]], [[2], [2]]]), [[-1], [-2]], 1)
    solved = solve(problem)
    with pytest.raises(ValueError, match="gamma is 1; accepted for a certificate: gamma < 1"):
        certify(solved, find_witness(solve(gallery_class("smallest-witness"))))


def test_the_verifier_and_the_writer_agree_on_their_bounds():
    for accepted, bounds in (
        (fields, ("MAX_BYTES", "MAX_SUCCESSORS", "MAX_LENGTH")),
        (listed, ("MAX_WORK", "MAX_LAW_WORK", "MAX_TRIALS", "MAX_TRIAL_WORK")),
    ):
        for bound in bounds:
            assert getattr(certificate, bound) == getattr(accepted, bound)


# What it rejects: any change


def test_every_change_of_one_field_is_rejected(small):
    count = 0
    for path, changed in mutations(small):
        assert rejected(changed), path
        count += 1
    assert count > 500


def test_with_a_fitting_digest_only_another_order_of_the_models_is_accepted(small):
    accepted = []
    for path, changed in mutations(small):
        if "sha256" not in changed or path == ("sha256",):
            continue
        rest = {key: value for key, value in changed.items() if key != "sha256"}
        text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
        changed["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        if not rejected(changed):
            accepted.append(changed)
    assert accepted  # reversed, or with one listed twice
    for changed in accepted:
        models = changed.pop("models")
        assert all(models.count(model) for model in small["models"])
        assert all(model in small["models"] for model in models)
        assert all(small[key] == changed[key] for key in changed if key != "sha256")


# What it rejects: exactly what is false


def claim_holds(document: dict) -> bool:
    """Whether a well-formed certificate's claim is true, by the fast methods of `theory`."""
    rewards = [[Fraction(r) for r in row] for row in document["rewards"]]
    problem = mdp_class(explicit(document["models"]), rewards, document["gamma"])
    solved = solve(problem)
    tables = [problem.transitions.table(i) for i in range(problem.transitions.size)]
    T0, T1 = (tuple(map(tuple, document[key])) for key in ("T0", "T1"))
    q0, q1 = (
        tuple(tuple(Fraction(v) for v in row) for row in document[key]) for key in ("q0", "q1")
    )
    space = version_space(solved, document["D"])

    def q_tables(H):
        return [solved.q_table(int(q)) for q in np.flatnonzero(H)]

    def decisions(space):
        best_M, best_B = (solved.greedy[H].all(axis=0) for H in (space.HM, space.HB))
        found = np.argwhere(best_M & ~best_B.any(axis=1, keepdims=True))
        return {(int(s), int(a)) for s, a in found}

    def smaller():
        for size in range(len(document["D"])):
            for table in tables:
                steps = [(s, a, x) for s, row in enumerate(table) for a, x in enumerate(row)]
                yield from combinations(steps, size)

    def does_as_much(dataset):
        other = version_space(solved, dataset)
        return bool(decisions(other)) if document["decision"] else other.strict

    return (
        f"in a class of {len(tables)} models" in document["statement"]
        and T0 in tables
        and T1 in tables
        and q0 == optimal_q(T0, problem.rewards, problem.gamma)
        and q1 == optimal_q(T1, problem.rewards, problem.gamma)
        and all(T0[s][a] == x for s, a, x in document["D"])
        and q1 in q_tables(space.HB)
        and q1 not in q_tables(space.HM)
        and {tuple(pair) for pair in document["decision"]} <= decisions(space)
        and not (document["smallest"] and any(map(does_as_much, smaller())))
    )


def altered(document: dict, seed: int) -> dict:
    """A well-formed certificate with one or two random changes to what it claims."""
    draw = random.Random(seed)
    changed = copy.deepcopy({key: value for key, value in document.items() if key not in DERIVED})
    n, k = changed["states"], changed["actions"]
    s, a = draw.randrange(n), draw.randrange(k)

    def other_model():
        changed["models"][draw.randrange(len(changed["models"]))][s][a] = draw.randint(0, n)

    def other_truth():
        changed["T0"] = copy.deepcopy(draw.choice(changed["models"]))

    def fitting_q():
        for T, q in (("T0", "q0"), ("T1", "q1")):
            rewards = tuple(tuple(map(Fraction, row)) for row in changed["rewards"])
            table = optimal_q(changed[T], rewards, Fraction(changed["gamma"]))
            changed[q] = [[str(v) for v in row] for row in table]

    def other_witness():
        changed["T0"], changed["T1"] = draw.choices(changed["models"], k=2)
        fitting_q()

    def other_dataset():
        table = draw.choice(changed["models"])
        size = draw.randint(1, min(3, n * k))
        pairs = draw.sample([(s, a) for s in range(n) for a in range(k)], size)
        changed["D"] = [[s, a, table[s][a]] for s, a in pairs]

    def other_reward():
        changed["rewards"][s][a] = draw.choice(["-1", "0", "1", "1/3"])
        fitting_q()

    def other_discount():
        changed["gamma"] = draw.choice(["1/3", "1/2", "99/100"])
        fitting_q()

    def other_decision():
        changed["decision"] = draw.choice([[], [[s, a]]])

    def other_q():
        changed[draw.choice(["q0", "q1"])][s][a] = draw.choice(["-1", "0", "1"])

    def without_a_model():
        if len(changed["models"]) > 2:
            changed["models"].pop(draw.randrange(len(changed["models"])))

    def smallest_or_not():
        changed["smallest"] = not changed["smallest"]

    kinds = [
        *(other_model, other_truth, other_witness, other_dataset, other_reward, other_discount),
        *(other_decision, other_q, without_a_model, smallest_or_not),
    ]
    for change in draw.choices(kinds, k=draw.randint(1, 2)):
        change()
    return changed


@pytest.mark.parametrize("find", [find_witness, find_decision_witness])
@pytest.mark.parametrize("name", ["smallest-decision", "push-tree"])
def test_with_a_fitting_digest_exactly_the_false_are_rejected(name, find):
    document = made(name, find)
    outcomes = []
    for seed in range(60):
        changed = resigned(altered(document, seed))
        outcomes.append(claim_holds(changed))
        assert rejected(changed) != outcomes[-1], (seed, changed)
    assert {True, False} == set(outcomes)  # both kinds were met


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=2, max_size=8, unique_by=tuple
    ),
    st.lists(st.integers(-1, 1), min_size=4, max_size=4),
    st.sampled_from(["1/2", "9/10"]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_a_random_class_is_certified_and_its_false_variants_are_rejected(
    rows, rewards, gamma, decide, seed
):
    tables = [[row[:2], row[2:]] for row in rows]
    solved = solve(mdp_class(explicit(tables), [rewards[:2], rewards[2:]], gamma))
    witness = (find_decision_witness if decide else find_witness)(solved)
    assume(witness is not None)
    document = certify(solved, witness)
    assert verifier.verify(document) is None
    assert claim_holds(document)
    changed = resigned(altered(document, seed))
    assert rejected(changed) != claim_holds(changed)


def test_a_larger_dataset_is_not_smallest():
    everything = tabular(3, 2)
    models = everything.models(0, everything.size).reshape(-1, 3, 2)
    rewards = gallery_class("tabular-3x2-sparse").rewards
    solved = solve(MDPClass(explicit(models[:200].tolist()), rewards, Fraction(9, 10)))
    document = certify(solved, find_witness(solved))
    assert verifier.verify(document) is None
    T0, D = document["T0"], document["D"]
    unseen = next([s, a, T0[s][a]] for s in range(3) for a in range(2) if [s, a, T0[s][a]] not in D)
    larger = resigned({**document, "D": sorted([*D, unseen]), "smallest": False})
    assert claim_holds(larger)
    assert verifier.verify(larger) is None
    assert verifier.verify(resigned({**larger, "smallest": True})) == "a smaller D will do"


def test_smallest_is_not_believed_where_there_are_too_many_to_try(monkeypatch):
    document = made("push-tree-independent", find_decision_witness)
    assert len(document["D"]) == 2
    monkeypatch.setattr(listed, "MAX_TRIALS", 100)
    assert verifier.verify(document) == "there are too many smaller D to try"
    assert verifier.verify(resigned({**document, "smallest": False})) is None


def test_smallest_is_not_claimed_where_there_are_too_many_to_try(monkeypatch):
    monkeypatch.setattr(certificate, "MAX_TRIALS", 100)
    document = made("push-tree-independent", find_decision_witness)
    assert document["smallest"] is False
    assert "no smaller" not in document["statement"]
    assert verifier.verify(document) is None
