"""Proofs by parts that there is no gap, against enumeration, and their certificates against all that is false."""

import copy
import random
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.theory.certificates.product_classes import built, listed, product_classes
from tests.theory.certificates.tampering import mutations, rejected, resigned
from theory import (
    certify_equality,
    check_class,
    gallery_class,
    mdp_class,
    prove_equality,
    solve,
    tabular,
)
from theory.certificates import block_decision, verifier
from theory.certificates.block_decision import witness_or_proof
from theory.certificates.certificate import signed
from theory.certificates.equality_proof import Denied, EqualityProof, Split, Undecided
from theory.certificates.verifier import equality
from theory.certificates.witness import Witness, WitnessSearchTooLargeError
from theory.criteria.exchange import (
    closed_under_equivalence,
    equal_for_every_dataset,
    exchange_holds,
)

CRITERIA = {
    "realizable": exchange_holds,
    "functional": closed_under_equivalence,
    "arbitrary": equal_for_every_dataset,
}


SPLIT = (
    [([0, 1], [(0, 1), (1, 2)]), ([2, 3], [(0, 1), (2, 1), (2, 2)])],
    [1, 1, -1, -1],
    "9/10",
)  # its proof needs splits, down to single models, and bounds for more than one
ONE_MODEL_AT_A_TIME = (
    [([0, 2], [(0, 1)]), ([1, 3], [(0, 1), (0, 2), (1, 1)])],
    [-1, -1, -1, -1],
    "1/2",
)  # with one model's values and another's assignments it would be denied


@given(product_classes(), st.sampled_from(sorted(CRITERIA)))
@example(ONE_MODEL_AT_A_TIME, "realizable")
@example(SPLIT, "realizable")
@settings(deadline=None, max_examples=80)
def test_a_proof_is_found_exactly_where_the_criterion_holds(drawn, claim):
    problem = built(*drawn)
    found = prove_equality(problem, claim)
    assert isinstance(found, EqualityProof) == CRITERIA[claim](solve(problem))
    if isinstance(found, EqualityProof):
        assert verifier.verify(certify_equality(problem, found)) is None
    else:
        assert isinstance(found, Denied)


@given(product_classes())
@settings(deadline=None, max_examples=30)
def test_there_is_either_a_witness_or_a_proof(drawn):
    problem = built(*drawn)
    found = witness_or_proof(problem, tried=3)
    assert isinstance(found, Witness) != exchange_holds(solve(problem))


def test_eight_factors_that_may_depend_on_all_leave_no_gap():
    """What an action does in one state then tells nothing of another; with factors by themselves there is a gap."""
    problem = gallery_class("binary-factors-8-joint")
    assert problem.transitions.size == 2 ** (8 * 256)
    report = check_class(problem)
    assert (report.part1, report.part2, report.part3_realizable) == (True, False, True)
    assert (report.part3_functional, report.part3_arbitrary) == (False, False)
    assert report.method == "a proof by blocks, in 1 part; part 1 by its proof"
    assert check_class(gallery_class("binary-factors-8")).part2


def test_factors_whose_values_are_told_apart_leave_no_gap():
    """The values are those that enumeration finds, for few factors; for five the bounds settle all at once."""
    few = gallery_class("binary-factors-3-weighted")
    assert exchange_holds(solve(few))
    assert isinstance(prove_equality(few, "realizable", most_parts=1), EqualityProof)
    problem = gallery_class("binary-factors-5-weighted")
    proof = prove_equality(problem, "realizable", most_parts=1)
    assert len(proof.parts[0].differences) == 5 * 32 + 2 * 32
    document = certify_equality(problem, proof)
    document = {key: document[key] for key in document if key not in ("statement", "sha256")}
    largest = max(document["parts"][0]["differences"], key=lambda row: Fraction(row[2]))
    largest[2] = str(Fraction(largest[2]) - 1)
    assert verifier.verify(signed(document)) == "a bound on a difference of values does not hold"


@pytest.mark.parametrize("claim", ["realizable", "functional"])
def test_all_maps_are_proved_to_have_no_gap_whatever_their_number(claim):
    problem = mdp_class(tabular(32, 2), [[s, 0] for s in range(32)], "9/10")
    assert verifier.verify(certify_equality(problem, prove_equality(problem, claim))) is None
    assert isinstance(prove_equality(problem, "arbitrary"), Denied)


def test_without_time_or_parts_it_is_undecided_and_said_what_was_tried():
    problem = built(*SPLIT)
    assert isinstance(prove_equality(problem, "realizable", time_limit=0.0), Undecided)
    proof = prove_equality(problem, "realizable")
    found = prove_equality(problem, "realizable", most_parts=len(proof.parts) - 1)
    assert found.settled == proof.settled - 1
    assert 0 < found.share < 1
    with pytest.raises(WitnessSearchTooLargeError, match="0 of the models were settled in 0 parts"):
        witness_or_proof(problem, time_limit=0.0)
    assert isinstance(witness_or_proof(problem), EqualityProof)


def test_what_is_no_product_or_has_no_discount_is_refused():
    with pytest.raises(ValueError, match="gamma is 1; accepted for a proof by blocks: gamma < 1"):
        prove_equality(gallery_class("gamma-one"), "realizable")
    filtered = tabular(1, 1).filter(lambda models: models[:, 0, 0] >= 0)
    with pytest.raises(ValueError, match="is no product of blocks"):
        prove_equality(mdp_class(filtered, [[1]], "1/2"), "realizable")


# Certificates


@pytest.fixture(scope="module")
def document():
    proof = prove_equality(built(*SPLIT), "realizable")
    kinds = [type(part) if isinstance(part, Split) else bool(part.values) for part in proof.parts]
    assert {Split, True, False} == set(kinds)
    return certify_equality(built(*SPLIT), proof)


def test_every_change_of_one_field_is_rejected(document):
    count = 0
    for path, changed in mutations(document):
        assert rejected(changed), path
        count += 1
    assert count > 300


def claim_holds(document):
    """Whether a well-formed certificate's claim is true, by listing all choices from its blocks."""
    return CRITERIA[document["claim"]](solve(listed(document)))


def altered(document, seed):
    """One or two random changes to a certificate, in good form and with a fitting digest."""
    draw = random.Random(seed)
    changed = copy.deepcopy(document)

    def other_claim():
        changed["claim"] = draw.choice(sorted(CRITERIA))

    def other_rewards():
        draw.choice(changed["rewards"])[draw.randrange(2)] = str(draw.randint(-1, 1))

    def another_assignment():
        draw.choice(changed["blocks"])[1].append([draw.randint(0, 2) for _ in range(2)])

    def fewer_assignments():
        rows = draw.choice(changed["blocks"])[1]
        if len(rows) > 1:
            rows.pop(draw.randrange(len(rows)))

    def other_part():
        part = draw.choice(changed["parts"])
        for key, content in part.items():
            if key == "split":
                content[1] = [draw.randrange(3) for _ in range(draw.randint(1, 2))]
            elif key == "values":
                content[draw.randrange(2)] = str(draw.randint(-10, 10))
            elif content:
                row = draw.choice(content)
                row[2] = str(Fraction(row[2]) + draw.choice([-1, 1]))

    def fewer_parts():
        changed["parts"].pop(draw.randrange(len(changed["parts"])))

    def more_parts():
        changed["parts"].append(draw.choice(changed["parts"]))

    kinds = [
        other_claim,
        other_rewards,
        another_assignment,
        fewer_assignments,
        other_part,
        other_part,
        fewer_parts,
        more_parts,
    ]
    for change in draw.choices(kinds, k=draw.randint(1, 2)):
        change()
    return resigned(changed)


def test_with_a_fitting_digest_nothing_false_is_verified(document):
    outcomes = []
    for seed in range(120):
        changed = altered(document, seed)
        try:
            holds = claim_holds(changed)
        except ValueError:
            continue
        outcomes.append((holds, rejected(changed)))
    assert {(True, False), (True, True), (False, True)} == set(outcomes)


KNOWN = [[[0, 1], [[2, 2]]], [[2, 3], [[2, 2]]]]
SOLVED = [{"values": ["1", "-1"]}]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"parts": []}, "some part is not settled"),
        (
            {"claim": "arbitrary", "blocks": KNOWN, "parts": SOLVED * 2},
            "there are more entries than parts",
        ),
        ({"claim": "arbitrary", "blocks": KNOWN, "parts": SOLVED[:1]}, None),
        (
            {"blocks": KNOWN, "parts": [{"values": ["1", "1"]}]},
            "values do not solve the Bellman equation",
        ),
        ({"parts": [{"split": [0, []]}]}, "a part is not split in two"),
        ({"parts": [{"split": [0, [0, 1]]}]}, "a part is not split in two"),
        ({"parts": [{"differences": []}]}, "what is known of values does not settle a block"),
        ({"parts": [{"values": ["0", "0"]}]}, "values are given for more than one model"),
    ],
)
def test_what_does_not_hold_is_named(document, change, reason):
    rest = {k: v for k, v in document.items() if k not in ("statement", "sha256")}
    assert verifier.verify(signed(rest | change)) == reason


@pytest.mark.parametrize(
    "change",
    [
        {"claim": "strict"},
        {"claim": ["realizable"]},
        {"parts": [{"split": [2, [0]]}]},
        {"parts": [{"split": [0, [2]]}]},
        {"parts": [{"values": ["0"]}]},
        {"parts": [{"differences": [[0, 3, "0"]]}]},
        {"parts": [{"differences": [[0, 1, "2/2"]]}]},
        {"parts": [{"bounds": []}]},
        {"parts": [{}]},
        {"blocks": [[[0, 1], []], [[2, 3], [[0, 0]]]]},
        {"blocks": [[[0, 1], [[0, 0]]]]},
    ],
)
def test_what_is_no_certificate_of_equality_is_refused(document, change):
    with pytest.raises(ValueError, match=r"^not a certificate: "):
        verifier.verify(document | change)


def test_a_certificate_that_takes_too_long_is_refused(document, monkeypatch):
    monkeypatch.setattr(equality, "MAX_STEPS", 20)
    with pytest.raises(ValueError, match="over 20 steps to go through its parts"):
        verifier.verify(document)


def test_a_gap_that_is_shown_is_told_whatever_time_is_left(monkeypatch):
    problem = gallery_class("binary-factors-3")
    assert isinstance(prove_equality(problem, "realizable", most_parts=1), Denied)
    search = block_decision.find_block_witness

    def cut(problem, progress=None, *, tried, **options):
        if tried > 1:
            raise WitnessSearchTooLargeError("out of time")
        return search(problem, tried=tried, first=options["first"])

    monkeypatch.setattr(block_decision, "find_block_witness", cut)
    assert isinstance(witness_or_proof(problem), Witness)
