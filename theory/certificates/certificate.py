"""Certificates of part 2 of Theorem 1: a witness with its class, in exact terms, as JSON.

`docs/certificate.md` gives the format and what is claimed. `theory.certificates.verifier` checks it, and shares no code
with what is written here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from fractions import Fraction
from math import comb

from theory.certificates.witness import Witness
from theory.solving.solved_class import SolvedClass

FORMAT = "mbgen certificate 1"
MAX_SUCCESSORS = 200_000
MAX_TRIALS = 10_000
MAX_WORK = 10_000_000

Certificate = dict[str, object]


def certify(solved: SolvedClass, witness: Witness) -> Certificate:
    """The certificate of a witness, every exact number a string "p/q".

    It is about the whole class where that has at most MAX_SUCCESSORS successors to list, and about {T0, T1} otherwise.
    That D is smallest is claimed where the verifier can try all smaller datasets within seconds.

    Raises:
        ValueError: at gamma = 1; or if the class is too large to list, and D decides nothing in {T0, T1}.
    """
    problem = solved.problem
    if problem.gamma == 1:
        raise ValueError("gamma is 1; accepted for a certificate: gamma < 1, where q* is unique")
    whole = solved.models.size <= MAX_SUCCESSORS
    if not whole and witness.decision is not None and _same_action(witness):
        raise ValueError(
            f"the class has {len(solved.models)} models of {solved.pairs} successors each, and T0 and T1 alone do"
            f" not show its decision; accepted for its certificate: at most {MAX_SUCCESSORS} successors"
        )
    models: Sequence[object] = [witness.T0, witness.T1]
    if whole:
        models = solved.models.reshape(-1, solved.states, solved.actions).tolist()
    size = len(witness.dataset)
    trials = len(models) * sum(comb(solved.pairs, fewer) for fewer in range(1, size))
    feasible = trials <= MAX_TRIALS and trials * len(models) * solved.pairs <= MAX_WORK
    return signed(
        {
            "format": FORMAT,
            "states": solved.states,
            "actions": solved.actions,
            "gamma": problem.gamma,
            "rewards": problem.rewards,
            "T0": witness.T0,
            "T1": witness.T1,
            "D": witness.dataset,
            "q0": witness.q0,
            "q1": witness.q1,
            "decision": [witness.decision] if witness.decision else [],
            "smallest": feasible and (whole or size == 1),
            "models": models,
        }
    )


def signed(claim: Certificate) -> Certificate:
    """A claim in plain JSON, with the sentence that it amounts to and the digest of all that."""
    document = json.loads(json.dumps(claim, default=_exact))
    document["statement"] = _statement(
        len(document["models"]), document["decision"], document["smallest"]
    )
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    document["sha256"] = hashlib.sha256(canonical.encode()).hexdigest()
    return dict(document)


def certificate_text(solved: SolvedClass, witness: Witness) -> str:
    """The certificate of a witness as the text of a JSON file, a field a line.

    Raises:
        ValueError: if there is no certificate.
    """
    fields = certify(solved, witness).items()
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in fields]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _same_action(witness: Witness) -> bool:
    """Whether in the state of the decision some action is optimal for both T0 and T1."""
    assert witness.decision is not None
    rows = [q[witness.decision[0]] for q in (witness.q0, witness.q1)]
    return any(all(row[a] == max(row) for row in rows) for a in range(len(rows[0])))


def _statement(models: int, decisions: list[list[int]], smallest: bool) -> str:
    """What a certificate says, in one sentence."""
    parts = [
        f"D is realizable in a class of {models} models, and H_M(D) is a proper subset of H_B(D)",
        *(f"in state {state} it alone settles on action {action}" for state, action in decisions),
    ]
    if smallest:
        parts.append("no smaller realizable dataset does as much")
    return "; ".join(parts)


def _exact(number: object) -> str:
    assert isinstance(number, Fraction)
    return str(number)
