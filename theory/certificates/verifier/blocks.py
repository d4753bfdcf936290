"""Part 2 for all choices from blocks of pairs: no list of models is gone through."""

from typing import Any

from .fields import (
    BLOCKS,
    MAX_SUCCESSORS,
    SMALLER,
    Certificate,
    Model,
    Pair,
    Q,
    agrees,
    proper,
    refused,
)

Assignment = tuple[int, ...]


class BlockClass(Certificate):
    """A certificate about all models that choose one assignment from each block of pairs.

    Raises:
        ValueError: if the document is none.
    """

    def __init__(self, document: Any, kind: str) -> None:
        super().__init__(document, kind)
        n, k = self.states, self.actions
        self.blocks: list[tuple[list[Pair], list[Assignment]]] = []
        successors = 0
        for block in self.items("blocks", document["blocks"], at_most=n * k):
            pairs, assignments = self.items("blocks", block, 2)
            numbers = [
                self.whole("blocks", pair, n * k - 1) for pair in self.items("blocks", pairs)
            ]
            rows = [
                tuple(self.whole("blocks", x, n) for x in self.items("blocks", row, len(numbers)))
                for row in self.items("blocks", assignments)
            ]
            self.blocks.append(([divmod(pair, k) for pair in numbers], rows))
            successors += len(rows) * len(numbers)
        covered = sorted(pair for pairs, _ in self.blocks for pair in pairs)
        if covered != [(s, a) for s in range(n) for a in range(k)] or successors > MAX_SUCCESSORS:
            raise refused(
                f"blocks do not cover each pair once, or have more than {MAX_SUCCESSORS} successors"
            )


class BlockCertificate(BlockClass):
    """A certificate of part 2 about such a class.

    Raises:
        ValueError: if the document is none.
    """

    def __init__(self, document: Any) -> None:
        super().__init__(document, BLOCKS)
        self.read_witness()

    def holds(self, T: Model) -> bool:
        """Whether a model is in the class: what it does in each block is one of the assignments."""
        return all(tuple(T[s][a] for s, a in pairs) in rows for pairs, rows in self.blocks)


def verify_blocks(document: Any) -> tuple[str | None, str]:
    """What is wrong with the claim about all choices from blocks, if anything; and the claim in words.

    A model with the optimal q q1 has q1 solve the equation at all that it does. So if in some block no assignment does
    this and agrees with D there, no model of the class has q1 and extends D: q1 is not in H_M(D).
    """
    certificate = BlockCertificate(document)
    D, q0, q1 = certificate.data, certificate.q0, certificate.q1
    seen = {(s, a): x for s, a, (x,) in D}

    def is_optimal(q: Q, T: Model) -> bool:
        return all(
            certificate.solves(q, s, a, x) for s, row in enumerate(T) for a, x in enumerate(row)
        )

    def fits(pairs: list[Pair], assignment: tuple[int, ...]) -> bool:
        return all(
            seen.get((s, a), x) == x and certificate.solves(q1, s, a, x)
            for (s, a), x in zip(pairs, assignment, strict=True)
        )

    said = f"D is realizable in the class of all choices from {len(certificate.blocks)} blocks, and {proper('D')}"
    if certificate.smallest:
        said += f"; no {SMALLER['D']} does as much"
    fault = None
    if not (certificate.holds(certificate.T0) and certificate.holds(certificate.T1)):
        fault = "T0 or T1 is not in the class"
    elif not (is_optimal(q0, certificate.T0) and is_optimal(q1, certificate.T1)):
        fault = "T0 or T1 is no model with q0 or q1"
    elif not agrees(certificate.T0, D):
        fault = "T0 does not agree with D"
    elif not all(certificate.solves(q1, s, a, x) for s, a, (x,) in D):
        fault = "q1 is not in H_B(D)"
    elif all(any(fits(pairs, row) for row in rows) for pairs, rows in certificate.blocks):
        fault = "q1 is in H_M(D)"
    elif certificate.smallest and len(D) > 1:
        fault = "that D is smallest is claimed for more than one transition"
    return fault, said
