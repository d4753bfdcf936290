"""Verify a certificate of part 2 of Theorem 1: `python verifier.py CERTIFICATE.json`.

The q of a model T solves q(s, a) = r(s, a) + g max q(T[s][a]); n is the end. docs/certificate.md
"""

import hashlib
import json
import re
import sys
from fractions import Fraction
from itertools import combinations, islice
from pathlib import Path
from typing import Any

KEYS = "gamma rewards models T0 T1 D q0 q1 decision states actions smallest format statement sha256"
NUMBER = re.compile("-?[0-9]{1,2000}(/[1-9][0-9]{0,1999})?")
MAX_BYTES, MAX_SIZE, TRIALS = 1 << 24, 200_000, 10_000


def _read(v: Any, form: Any, name: str) -> Any:
    """A form is a bound, NUMBER, a list of forms, or a tuple of the form of all, however many."""
    form = [*form] * len(v) if type(form) is tuple and type(v) is list else form
    if type(v) is type(form) is list and len(v) == len(form):
        return tuple(_read(entry, part, name) for entry, part in zip(v, form, strict=True))
    if type(v) is type(form) is int and 0 <= v < form:
        return v
    if form is NUMBER and type(v) is str and form.fullmatch(v) and str(Fraction(v)) == v:
        return Fraction(v)
    raise ValueError(f"not a certificate: {name} holds a {type(v).__name__} of the wrong form")


def _optimal_q(T: Any, r: Any, g: Fraction) -> Any:
    """By policy iteration. The end is the last state, followed by itself: every path has a loop."""
    policy, greedy, q = [-1], [0] * len(T), T
    while policy != greedy:
        policy, value = greedy, []
        for path in ([s] for s in range(len(T))):
            while (x := T[path[-1]][policy[path[-1]]]) not in path:
                path.append(x)
            gains = [g**i * r[s][policy[s]] for i, s in enumerate(path)]
            loop = gains[path.index(x) :]
            value.append(sum(gains) + sum(loop) * g ** len(loop) / (1 - g ** len(loop)))
        q = tuple(tuple(r[s][a] + g * value[x] for a, x in enumerate(T[s])) for s in range(len(T)))
        greedy = [row.index(max(row)) for row in q]
    return q


def verify(c: Any) -> str | None:
    """Why the certificate c does not hold, None if it does; ValueError if it is no certificate."""
    if type(c) is not dict or set(c) != set(KEYS.split()):
        raise ValueError(f"not a certificate: not an object with the keys {KEYS}")
    n, k = (_read(c[key], MAX_SIZE, key) for key in ("states", "actions"))
    T, Q = [[n + 1] * k] * n, [[NUMBER] * k] * n
    forms = (NUMBER, Q, (T,), T, T, ([n, k, n + 1],), Q, Q, ([n, k],))
    g, r, M, T0, T1, D, q0, q1, decision = map(_read, map(c.get, KEYS.split()), forms, KEYS.split())
    if not (0 < g < 1 and type(c["smallest"]) is bool and 0 < len(M) * n * k <= MAX_SIZE):
        raise ValueError("not a certificate: gamma, smallest, or the number of successors")
    q = {T: _optimal_q((*T, (n,) * k), (*r, (Fraction(0),) * k), g) for T in M}
    steps = [[(s, a, x) for s, row in enumerate(T) for a, x in enumerate(row)] for T in M]

    def gap(E: Any) -> tuple[set[Any], set[Any]]:
        """H_B(E) - H_M(E), and the (s, a) best for all H_M(E), none in s being best for H_B(E)."""
        H_M = {q[T] for T in M if all(T[s][a] == x for s, a, x in E)}
        H_B = {f for f in q.values() if all(f[s][a] == r[s][a] + g * max(f[x]) for s, a, x in E)}
        best = {(s, a) for s, a, _ in steps[0] if all(f[s][a] == max(f[s]) for f in H_M)}
        kept = {s for s, a, _ in steps[0] if all(f[s][a] == max(f[s]) for f in H_B)}
        return H_B - H_M, {(s, a) for s, a in best if s not in kept}

    less = (E for i in range(1, len(D) * c["smallest"]) for T in steps for E in combinations(T, i))
    said = f"D is realizable in a class of {len(q)} models, and H_M(D) is a proper subset of H_B(D)"
    said += "".join(f"; in state {s} it alone settles on action {a}" for s, a in decision)
    said += "; no smaller realizable dataset does as much" * c["smallest"]
    text = json.dumps({x: c[x] for x in c if x != "sha256"}, sort_keys=True, separators=(",", ":"))
    checks = {
        "T0 or T1 is no model with q0 or q1": [q0, q1] == [q.get(T, ())[:n] for T in (T0, T1)],
        "T0 does not extend D": all(T0[s][a] == x for s, a, x in D),
        "q1 is not in H_B(D), or it is in H_M(D)": q.get(T1) in gap(D)[0],
        "H_M(D) does not settle the decision, or H_B(D) does": set(decision) <= gap(D)[1],
        "a smaller D will do": not any(gap(E)[decision != ()] for E in {*islice(less, TRIALS)}),
        "there are too many smaller D to try": next(less, None) is None,
        "wrong format or statement": [c["format"], c["statement"]] == ["mbgen certificate 1", said],
        "wrong digest": c["sha256"] == hashlib.sha256(text.encode()).hexdigest(),
    }
    return next((fault for fault, holds in checks.items() if not holds), None)


def main(arguments: list[str]) -> int:
    """Print one line; 0 if the certificate in the file verifies, 1 if not, 2 if there is none."""
    try:
        with Path(*arguments).open("rb") as file:
            reason = verify(json.loads(file.read(MAX_BYTES).decode()))
    except (OSError, ValueError, RecursionError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"does not verify: {reason}" if reason else "verified")
    return 1 if reason else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
