"""Certificates of part 2 of Theorem 1, a witness with its class, and of its opposite, a proof: in exact terms, as JSON.

`docs/certificate.md` gives the format and what is claimed. `theory.certificates.verifier` checks it, and shares no code
with what is written here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from math import comb, lcm

from theory.certificates import verifier
from theory.certificates.block_witness import product_blocks
from theory.certificates.equality_proof import EqualityProof, Split
from theory.certificates.evidence_witness import EvidenceWitness
from theory.certificates.witness import Witness
from theory.classes.mdp_class import MDPClass
from theory.classes.transition_class import ProductClass
from theory.solving.solved_class import SolvedClass

FORMAT = "mbgen certificate 1"
FORMAT_BLOCKS = "mbgen certificate 2"
FORMAT_OPTIONS = "mbgen certificate 3"
FORMAT_EVIDENCE = "mbgen certificate 4"
FORMAT_EQUALITY = "mbgen certificate 5"
# What the verifier accepts; it has these bounds from nowhere but its own files, and a test compares them.
MAX_SUCCESSORS = 200_000
MAX_LENGTH = 2_000
MAX_WORK = 1_000_000_000
MAX_LAW_WORK = 200_000_000
MAX_TRIALS = 10_000
MAX_TRIAL_WORK = 100_000_000
MAX_BYTES = 1 << 24

Certificate = dict[str, object]


def value_length(problem: MDPClass) -> int:
    """How many digits a value may take: of gamma's and laws' denominators for each state, and of the rewards."""
    rewards, common = [reward for row in problem.rewards for reward in row], 1
    if (options := problem.transitions.options) is not None:
        every = [option for choices in options for option in choices]
        rewards = [option.reward for option in every]
        common = lcm(*(p.denominator for option in every for _, p in option.law))
    denominators = {reward.denominator for reward in rewards} - {1}
    return (
        problem.states * len(str(problem.gamma.denominator * common))
        + sum(len(str(denominator)) for denominator in denominators)
        + max(len(str(reward.numerator)) for reward in rewards)
    )


def require_certifiable(problem: MDPClass) -> None:
    """Refuse a class that has no certificates, before a witness is looked for.

    Raises:
        ValueError: at gamma = 1, or if its values have too many digits.
    """
    if problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for a certificate: gamma < 1, where q* is unique")
    length = value_length(problem)
    if length > MAX_LENGTH or not _quick(problem, 2):
        raise ValueError(
            f"values of {problem.name or 'the class'} take up to {length} digits in {problem.states} states;"
            f" accepted for a certificate: at most {MAX_LENGTH}, fewer with many states"
        )


def certify(solved: SolvedClass, witness: Witness) -> Certificate:
    """The certificate of a witness, every exact number a string "p/q".

    It is about the whole class: as a list of models where the verifier can solve these within seconds, and by blocks
    where that is too long and the class a product; where neither will do, it is about {T0, T1}. That D is smallest is
    claimed where it is proved, and the verifier can try all smaller datasets within seconds.

    Raises:
        ValueError: if the class has no certificates; or if it is too large to list, and D decides nothing in {T0, T1}.
    """
    problem = solved.problem
    require_certifiable(problem)
    whole = _solvable(problem, len(solved.models))
    if not whole and witness.decision is None and _blocks_listed(problem):
        return certify_blocks(problem, witness)
    if not whole and witness.decision is not None and _same_action(witness):
        raise ValueError(
            f"the class has {len(solved.models)} models of {solved.pairs} successors each, and T0 and T1 alone do"
            f" not show its decision; accepted for its certificate: at most {MAX_SUCCESSORS} successors"
        )
    models = _models(solved, witness, whole)
    size = len(witness.dataset)
    trials = len(models) * sum(comb(solved.pairs, fewer) for fewer in range(1, size))
    work = len(models) * solved.pairs * value_length(problem)
    most = min(MAX_TRIALS, MAX_TRIAL_WORK // work)
    rules: Certificate = {"format": FORMAT, "rewards": problem.rewards}
    if problem.transitions.options is not None:
        rules = {"format": FORMAT_OPTIONS, "options": _options(problem)}
    return signed(
        {
            **rules,
            "states": solved.states,
            "actions": solved.actions,
            "gamma": problem.gamma,
            "T0": witness.T0,
            "T1": witness.T1,
            "D": witness.dataset,
            "q0": witness.q0,
            "q1": witness.q1,
            "decision": [witness.decision] if witness.decision else [],
            "smallest": trials <= most and witness.proved_smallest and (whole or size == 1),
            "models": models,
        }
    )


def certify_evidence(solved: SolvedClass, witness: EvidenceWitness) -> Certificate:
    """The certificate of evidence with a proper inclusion; a successor is an option there too.

    It is about the whole class where the verifier can solve its models within seconds, and about {T0, T1} elsewhere.
    That E is smallest is claimed where it is proved, and the verifier can try all evidence about fewer pairs.

    Raises:
        ValueError: if the class has no certificates.
    """
    problem = solved.problem
    require_certifiable(problem)
    work = solved.pairs * solved.states**2 * value_length(problem)
    if 2 * work > MAX_LAW_WORK:
        raise ValueError(
            f"two models of {problem.name or 'the class'} take {2 * work:.3g} steps to solve; accepted for a"
            f" certificate of evidence: at most {MAX_LAW_WORK:.3g}"
        )
    whole = (
        len(solved.models) * solved.pairs <= MAX_SUCCESSORS
        and len(solved.models) * work <= MAX_LAW_WORK
    )
    models = _models(solved, witness, whole)
    size = len(witness.evidence)
    trials = len(models) * sum(
        comb(solved.pairs, fewer) * solved.options**fewer for fewer in range(1, size)
    )
    most = min(MAX_TRIALS, MAX_TRIAL_WORK // (len(models) * solved.pairs * value_length(problem)))
    return signed(
        {
            "format": FORMAT_EVIDENCE,
            "states": solved.states,
            "actions": solved.actions,
            "gamma": problem.gamma,
            "options": _options(problem),
            "T0": witness.T0,
            "T1": witness.T1,
            "E": witness.evidence,
            "q0": witness.q0,
            "q1": witness.q1,
            "smallest": trials <= most and witness.proved_smallest and (whole or size == 1),
            "models": models,
        }
    )


def _models(
    solved: SolvedClass, witness: Witness | EvidenceWitness, whole: bool
) -> Sequence[object]:
    """The models of the whole class, or those of the witness alone."""
    if not whole:
        return [witness.T0, witness.T1]
    rows: Sequence[object] = solved.models.reshape(-1, solved.states, solved.actions).tolist()
    return rows


def _options(problem: MDPClass) -> list[list[object]]:
    """The options of each pair, [reward, law], in a row for each state."""
    k = problem.actions
    pairs = [[(o.reward, o.law) for o in choices] for choices in problem.pair_options]
    return [list(pairs[s * k : s * k + k]) for s in range(problem.states)]


def signed(claim: Certificate) -> Certificate:
    """A claim in plain JSON, with the sentence that it amounts to and the digest of all that."""
    document = json.loads(json.dumps(claim, default=_exact))
    document["statement"] = _statement(document)
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(canonical.encode()).hexdigest()
    return dict(document)


def _blocks_listed(problem: MDPClass) -> bool:
    """Whether the assignments of a product class are few enough to list."""
    transitions = problem.transitions
    return (
        isinstance(transitions, ProductClass)
        and transitions.options is None
        and sum(assignments.size for _, assignments in transitions.blocks) <= MAX_SUCCESSORS
    )


def certify_blocks(problem: MDPClass, witness: Witness) -> Certificate:
    """The certificate of a witness in a product class, which lists the assignments of its blocks in place of models.

    That D is smallest is claimed for a single transition.

    Raises:
        ValueError: if the class is no product, or too large to list even so; or the witness settles a decision.
    """
    blocks = product_blocks(problem)
    if witness.decision is not None:
        raise ValueError("a decision has no certificate by blocks; accepted: a proper inclusion")
    successors = sum(assignments.size for _, assignments in blocks)
    numbers = [
        x for table in (problem.rewards, witness.q0, witness.q1) for row in table for x in row
    ]
    length = max(len(str(x)) for x in (problem.gamma, *numbers))
    if problem.gamma == 1 or successors > MAX_SUCCESSORS or length > 2 * MAX_LENGTH:
        raise ValueError(
            f"gamma is {problem.gamma}, the blocks of the class have {successors} successors, and values {length}"
            f" characters; accepted for a certificate: gamma < 1, at most {MAX_SUCCESSORS} and {2 * MAX_LENGTH}"
        )
    return signed(
        {
            "format": FORMAT_BLOCKS,
            "states": problem.states,
            "actions": problem.actions,
            "gamma": problem.gamma,
            "rewards": problem.rewards,
            "T0": witness.T0,
            "T1": witness.T1,
            "D": witness.dataset,
            "q0": witness.q0,
            "q1": witness.q1,
            "smallest": len(witness.dataset) == 1,
            "blocks": [[pairs, assignments.tolist()] for pairs, assignments in blocks],
        }
    )


def certify_equality(problem: MDPClass, proof: EqualityProof) -> Certificate:
    """The certificate of a proof that H_M(D) = H_B(D), for a product class.

    Raises:
        ValueError: if the class is no product, or the verifier would refuse the certificate as too long.
    """
    blocks = product_blocks(problem)
    parts: list[Certificate] = []
    for part in proof.parts:
        if isinstance(part, Split):
            parts.append({"split": [part.block, part.first]})
        elif part.values:
            parts.append({"values": part.values[:-1]})
        else:
            parts.append({"differences": part.differences})
    certificate = signed(
        {
            "format": FORMAT_EQUALITY,
            "states": problem.states,
            "actions": problem.actions,
            "gamma": problem.gamma,
            "rewards": problem.rewards,
            "claim": proof.claim,
            "parts": parts,
            "blocks": [[pairs, assignments.tolist()] for pairs, assignments in blocks],
        }
    )
    if len(certificate_file(certificate)) > MAX_BYTES:
        raise ValueError(f"the proof is too long for a certificate; accepted: {MAX_BYTES} bytes")
    verifier.verify(certificate)  # it refuses what it would not be done with in seconds
    return certificate


def certificate_text(solved: SolvedClass, witness: Witness) -> str:
    """The certificate of a witness as the text of a JSON file, a field a line.

    Raises:
        ValueError: if there is no certificate.
    """
    return certificate_file(certify(solved, witness))


def evidence_certificate_text(solved: SolvedClass, witness: EvidenceWitness) -> str:
    """The certificate of a witness that is evidence, likewise.

    Raises:
        ValueError: if there is no certificate.
    """
    return certificate_file(certify_evidence(solved, witness))


def block_certificate_text(problem: MDPClass, witness: Witness) -> str:
    """The certificate by blocks of a witness, likewise.

    Raises:
        ValueError: if there is no certificate.
    """
    return certificate_file(certify_blocks(problem, witness))


def certificate_file(certificate: Certificate) -> str:
    """A certificate as the text of a JSON file, a field a line."""
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in certificate.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _solvable(problem: MDPClass, models: int) -> bool:
    """Whether the verifier takes so many models."""
    return models * problem.transitions.pairs <= MAX_SUCCESSORS and _quick(problem, models)


def _quick(problem: MDPClass, models: int) -> bool:
    """Whether the verifier solves so many models within seconds."""
    work = models * problem.transitions.pairs * problem.states * value_length(problem)
    if problem.transitions.options is None:
        return work <= MAX_WORK
    return work * problem.states <= MAX_LAW_WORK


def _same_action(witness: Witness) -> bool:
    """Whether in the state of the decision some action is optimal for both T0 and T1."""
    assert witness.decision is not None
    rows = [q[witness.decision[0]] for q in (witness.q0, witness.q1)]
    return any(all(row[a] == max(row) for row in rows) for a in range(len(rows[0])))


def _statement(document: Certificate) -> str:
    """What a certificate says, in one sentence."""
    if "claim" in document:
        blocks = document["blocks"]
        assert isinstance(blocks, list)
        which = "" if document["claim"] == "arbitrary" else f"{document['claim']} "
        return f"H_M(D) = H_B(D) for every {which}D in the class of all choices from {len(blocks)} blocks"
    listed, blocks, decisions = (document.get(key, []) for key in ("models", "blocks", "decision"))
    assert isinstance(listed, list)
    assert isinstance(blocks, list)
    assert isinstance(decisions, list)
    what = f"of all choices from {len(blocks)} blocks" if blocks else f"of {len(listed)} models"
    the = "the" if blocks else "a"
    data = "E" if "E" in document else "D"
    parts = [
        f"{data} is realizable in {the} class {what}, and H_M({data}) is a proper subset of H_B({data})",
        *(f"in state {state} it alone settles on action {action}" for state, action in decisions),
    ]
    if document["smallest"]:
        smaller = "evidence about fewer pairs" if data == "E" else "smaller realizable dataset"
        parts.append(f"no {smaller} does as much")
    return "; ".join(parts)


def _exact(number: object) -> str:
    assert isinstance(number, Fraction)
    return str(number)
