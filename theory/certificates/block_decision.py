"""Parts 2 and 3 decided for a product class beyond enumeration: by a witness, or by a proof that there is none."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from theory.certificates.block_witness import MAX_TRIED, find_block_witness
from theory.certificates.equality_proof import (
    Claim,
    Denied,
    EqualityProof,
    Undecided,
    prove_equality,
)
from theory.certificates.witness import Witness, WitnessSearchTooLargeError
from theory.classes.mdp_class import MDPClass
from theory.progress import Progress, silent


@dataclass(frozen=True)
class BlockDecision:
    """Whether H_M(D) = H_B(D), for every D of a kind.

    Attributes:
        realizable: for every realizable D; None if undecided.
        functional: for every functional D; likewise.
        arbitrary: for every D; likewise.
        method: how the first was decided, or what was tried.
    """

    realizable: bool | None
    functional: bool | None
    arbitrary: bool | None
    method: str


def decide_by_blocks(
    problem: MDPClass, progress: Progress = silent, *, time_limit: float, tried: int
) -> BlockDecision:
    """What can be decided about a product class in some time.

    Args:
        problem: the class, gamma < 1.
        progress: told the fraction done, for each kind of D anew.
        time_limit: in seconds, for each kind.
        tried: how many T1 at most.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
    """
    answers: list[bool | None] = []
    try:
        found = witness_or_proof(problem, progress, tried=tried, time_limit=time_limit)
    except WitnessSearchTooLargeError as error:
        answers.append(None)
        method = f"nothing: {str(error).split(': it is open')[0]}"
    else:
        answers.append(isinstance(found, EqualityProof))
        method = "a witness by blocks"
        if isinstance(found, EqualityProof):
            method = f"a proof by blocks, in {found.settled} part{'s' * (found.settled > 1)}"
    claims: tuple[Claim, ...] = ("functional", "arbitrary")
    for claim in claims:  # each says more than the one before
        if answers[-1] is False:
            answers.append(False)
        else:
            proof = prove_equality(problem, claim, progress, time_limit=time_limit)
            undecided = isinstance(proof, Undecided)
            answers.append(None if undecided else isinstance(proof, EqualityProof))
    return BlockDecision(answers[0], answers[1], answers[2], method)


def witness_or_proof(
    problem: MDPClass,
    progress: Progress = silent,
    *,
    time_limit: float = math.inf,
    tried: int = MAX_TRIED,
) -> Witness | EqualityProof:
    """The smallest realizable dataset found with a proper inclusion, or a proof that there is none.

    First the class is looked at as a whole. If that does not settle it, models are tried as T1, for half of the time,
    and then the class is split.

    Args:
        problem: a product class, gamma < 1.
        progress: told the fraction done of trying T1, and then the share of the models that is settled.
        time_limit: in seconds.
        tried: how many T1 at most.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
        WitnessSearchTooLargeError: if it is open by then which of the two there is; it says what was tried.
    """
    end = time.monotonic() + time_limit
    found = prove_equality(problem, "realizable", time_limit=time_limit, most_parts=1)
    if isinstance(found, Undecided):
        witness = _tried(problem, progress, (end - time.monotonic()) / 2, tried)
        if witness is not None:
            return witness
        found = prove_equality(problem, "realizable", progress, time_limit=end - time.monotonic())
    if isinstance(found, Undecided):
        raise WitnessSearchTooLargeError(
            f"no proper inclusion was found for up to {tried} models as T1, and {float(found.share):.3g} of the models"
            f" were settled in {found.settled} parts, within {time_limit:.3g} s: it is open whether there is one;"
            " accepted: a longer time limit, or a smaller class"
        )
    if isinstance(found, Denied):
        time_left = max(0.0, end - time.monotonic())
        try:
            witness = find_block_witness(
                problem, progress, time_limit=time_left, tried=tried, first=[found.T1]
            )
        except WitnessSearchTooLargeError:  # for a small one; that T1 has one is settled
            witness = find_block_witness(problem, tried=1, first=[found.T1])
        assert witness is not None
        return witness
    return found


def _tried(problem: MDPClass, progress: Progress, time_limit: float, tried: int) -> Witness | None:
    """A witness that is found by trying T1, if any."""
    try:
        return find_block_witness(problem, progress, time_limit=time_limit, tried=tried)
    except WitnessSearchTooLargeError:
        return None


def strongest_proof(
    problem: MDPClass, progress: Progress = silent, *, time_limit: float = math.inf
) -> EqualityProof | None:
    """A proof for every functional D, or else for every realizable D; None if neither is found in time.

    Args:
        problem: a product class, gamma < 1.
        progress: told the share of the models that is settled, for each of the two.
        time_limit: in seconds, for each.

    Raises:
        ValueError: if the class is no product, or gamma = 1.
    """
    claims: tuple[Claim, ...] = ("functional", "realizable")
    for claim in claims:
        found = prove_equality(problem, claim, progress, time_limit=time_limit)
        if isinstance(found, EqualityProof):
            return found
    return None
