"""Optimal values in Fractions: what an MDP in floating point says, taken at its word."""

from fractions import Fraction
from itertools import pairwise


def optimal_values(mdp, discount):
    """v of each state, by policy iteration without any rounding.

    It begins with fewest steps to the end where there is one, so that undiscounted policies terminate.
    """
    states, actions = range(mdp.num_states), range(mdp.num_actions)
    discount = Fraction(discount)
    law = [[{} for _ in actions] for _ in states]
    matrix = mdp.transitions
    for row, (begin, end) in enumerate(pairwise(matrix.indptr.tolist())):
        s, a = divmod(row, mdp.num_actions)
        for k in range(begin, end):
            law[s][a][int(matrix.indices[k])] = Fraction(float(matrix.data[k]))
    rewards = [[Fraction(float(r)) for r in row] for row in mdp.rewards]

    def backup(values, s, a):
        following = sum((p * values[x] for x, p in law[s][a].items()), Fraction(0))
        return rewards[s][a] + discount * following

    policy = _nearest_end(law)
    while True:
        values = _evaluated(law, rewards, policy, discount)
        better = [max(actions, key=lambda a, s=s: backup(values, s, a)) for s in states]
        keep = [backup(values, s, better[s]) == values[s] for s in states]
        if all(keep):
            return values
        policy = [old if kept else new for old, new, kept in zip(policy, better, keep, strict=True)]


def _nearest_end(law):
    policy, reached = [0] * len(law), set()
    while True:
        found = {
            s: a
            for s, rows in enumerate(law)
            for a, row in enumerate(rows)
            if s not in reached and (sum(row.values()) < 1 or reached & {x for x in row if row[x]})
        }
        if not found:
            return policy
        for s, a in found.items():
            policy[s] = a
        reached |= set(found)


def _evaluated(law, rewards, policy, discount):
    """Gaussian elimination of (I - discount P) v = r."""
    size = len(law)
    rows = []
    for s, a in enumerate(policy):
        row = [-discount * law[s][a].get(x, Fraction(0)) for x in range(size)]
        row[s] += 1
        rows.append([*row, rewards[s][a]])
    for i in range(size):
        pivot = next(k for k in range(i, size) if rows[k][i])
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [x / rows[i][i] for x in rows[i]]
        for k in range(size):
            if k != i and rows[k][i]:
                factor = rows[k][i]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [row[-1] for row in rows]
