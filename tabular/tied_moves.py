"""What data leave open to a class of models whose moves are tied between states: H_M(D) and H_B(D) by structure.

The models are deterministic, with reward -1 a step until the end. The state is a context that never changes, and a
place in it. In each context and place, each action has a *key*; a model says for each key to which place it leads, so
that states with the same key share what is learned of them. For any discount in (0, 1) the optimal value is a strictly
decreasing function of the distance to the end. Hence, of two places in one context, the values are equal exactly if the
distances are, and everything below is in whole numbers of steps. A place from which no path leads to the end has the
distance `places`, which no other can have.

H_M(D) holds the optimal values of the models that agree with the data D, H_B(D) those of the models of the class that
satisfy the Bellman optimality equation at every transition of D (paper, section 1, theorem 1): q*(s, a) is also right
for the successor that was seen, which is to say that the model's own successor is as far from the end as the one seen.

The classes are too large to be gone through. Bounds of distances, and the places that they leave to each key, are
narrowed in turn until nothing changes. Of the keys that may still lead to several places only those are gone through on
which a distance, a greedy action or an equation depends; each of the others multiplies the number of models.
"""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

MAX_ENUMERATED = 1 << 13
"""More combinations of what matters are not gone through."""

Pairs = Bool[np.ndarray, "context place action"]
States = Bool[np.ndarray, "context place"]
Allowed = Bool[np.ndarray, "key place"]
Distances = Int[np.ndarray, "context place"]


@dataclass(frozen=True)
class TiedMoves:
    """A class of models, and the true one among them.

    Attributes:
        keys: The key of each pair; those of the end mean nothing.
        truth: The place to which each key leads.
        allowed: The places to which a model of the class may say that it leads.
        end: The place where nothing more is to be done.

    Raises:
        ValueError: The true model is not of the class.
    """

    keys: Int[np.ndarray, "context place action"]
    truth: Int[np.ndarray, " key"]
    allowed: Allowed
    end: int

    def __post_init__(self) -> None:
        excluded = np.flatnonzero(~self.allowed[np.arange(len(self.truth)), self.truth])
        if excluded.size:
            raise ValueError(
                f"the true model must be of the class, which does not allow it at key {excluded[0]}"
            )

    @property
    def successors(self) -> Int[np.ndarray, "context place action"]:
        """Where the true model leads."""
        successors: np.ndarray = self.truth[self.keys]
        return successors

    @property
    def size(self) -> int:
        """The number of models."""
        return prod(self.allowed.sum(axis=1).tolist())


class LeftOpen(NamedTuple):
    """What a set of models says.

    Attributes:
        models: How many there are.
        possible: The pairs that are greedy, with respect to the optimal values, in one of them; of the states asked.
        certain: Those that are greedy in all of them.
    """

    models: int
    possible: Pairs
    certain: Pairs


def agreeing_models(moves: TiedMoves, observed: Pairs, asked: States) -> LeftOpen:
    """What H_M(D) says: of the models that agree with the true one at the observed pairs.

    Args:
        moves: The class.
        observed: The pairs whose transitions are the data D.
        asked: The states whose greedy actions are asked for.

    Raises:
        ValueError: Too many models would have to be gone through.
    """
    known = np.zeros(len(moves.truth), dtype=bool)
    known[moves.keys[observed]] = True
    true = np.arange(moves.allowed.shape[1]) == moves.truth[:, np.newaxis]
    allowed = moves.allowed & (true | ~known[:, np.newaxis])
    return _left_open(moves, allowed, np.zeros_like(observed), asked)


def agreeing_values(moves: TiedMoves, observed: Pairs, asked: States) -> LeftOpen:
    """What H_B(D) says: of the models whose optimal values obey the Bellman equation at the observed pairs.

    Args:
        moves: The class.
        observed: The pairs whose transitions are the data D.
        asked: The states whose greedy actions are asked for.

    Raises:
        ValueError: Too many models would have to be gone through.
    """
    return _left_open(moves, moves.allowed, observed, asked)


def settled_states(moves: TiedMoves, trained: Pairs) -> States:
    """Where all functions that obey the Bellman equation at the trained pairs have the same values.

    Any real function counts, whether or not a model has it for its optimal values. Its value in a state is settled
    if all actions are trained there and in every state that they lead to, and so on; and then it is the optimal
    one. Otherwise trained pairs lead from there to a state with an untrained pair, whose value may be as high as
    one likes, and with it that of the state.
    """
    contexts = np.arange(len(moves.keys))[:, np.newaxis, np.newaxis]
    end = np.zeros(moves.keys.shape[:2], dtype=bool)
    end[:, moves.end] = True
    settled, before = end | True, end
    while (settled != before).any():
        onward = settled[contexts, moves.successors].all(axis=-1) & trained.all(axis=-1)
        settled, before = onward | end, settled
    known: np.ndarray = settled & ~end
    return known


def rollout_pairs(moves: TiedMoves, observed: Pairs, length: int) -> Pairs:
    """The pairs that rollouts of the true model may try.

    Args:
        moves: The class with the true model.
        observed: The pairs of the data, in whose states a rollout begins.
        length: Its number of steps; any action may be taken in each.
    """
    visited = np.any(observed, axis=-1)
    for _ in range(length - 1):
        context, place = np.nonzero(visited)
        visited[context[:, np.newaxis], moves.successors[context, place]] = True
        visited[:, moves.end] = False
    return np.repeat(visited[..., np.newaxis], moves.keys.shape[2], axis=2)


def _left_open(moves: TiedMoves, allowed: Allowed, equations: Pairs, asked: States) -> LeftOpen:
    allowed, low, high = _narrowed(moves, allowed, equations)
    places = allowed.shape[1]
    nearest, farthest = _reached(moves, allowed, low, high)
    relevant = (asked | (low < high))[..., np.newaxis] | equations
    relevant[:, moves.end] = False
    varied = np.unique(moves.keys[relevant & (nearest < farthest)])
    count = prod(allowed[varied].sum(axis=1).tolist())
    if count > MAX_ENUMERATED:
        raise ValueError(
            f"{count:,} models would have to be gone through; accepted: {MAX_ENUMERATED:,}"
        )
    # The true place stands for all that any other key may lead to: in the states that matter they are as far from the
    # end, and elsewhere the distance of the state is the same whichever it is.
    models = np.tile(moves.truth, (count, 1))
    models[:, varied] = list(product(*(np.flatnonzero(allowed[key]) for key in varied)))
    distance, following = _distances(moves, models)
    context, place, action = np.nonzero(equations)
    seen = moves.successors[context, place, action]
    holds = following[:, context, place, action] == distance[:, context, seen]
    consistent = holds.all(axis=1)
    ahead = np.minimum(1 + following[consistent], places)
    greedy = (ahead == distance[consistent][..., np.newaxis]) & asked[..., np.newaxis]
    others = np.delete(allowed, varied, axis=0).sum(axis=1)
    return LeftOpen(
        int(consistent.sum()) * prod(others.tolist()), greedy.any(axis=0), greedy.all(axis=0)
    )


def _narrowed(
    moves: TiedMoves, allowed: Allowed, equations: Pairs
) -> tuple[Allowed, Distances, Distances]:
    """The places that each key may lead to, and between which distances each state is from the end."""
    contexts, places, _ = moves.keys.shape
    low = np.tile((np.arange(places) != moves.end).astype(int), (contexts, 1))
    high = low * places
    where = np.nonzero(equations)
    context, key, seen = where[0], moves.keys[where], moves.successors[where]
    while True:
        lowest, highest = low[context, seen], high[context, seen]
        apart = (highest < low[context].T) | (lowest > high[context].T)
        fewer = allowed.copy()
        np.logical_and.at(fewer, key, ~apart.T)
        nearest, farthest = _reached(moves, fewer, low, high)
        nearest[where] = np.maximum(nearest[where], lowest)
        farthest[where] = np.minimum(farthest[where], highest)
        higher, lower = (
            np.minimum(1 + reached.min(axis=-1), places) for reached in (nearest, farthest)
        )
        higher[:, moves.end] = lower[:, moves.end] = 0
        if (fewer == allowed).all() and (higher == low).all() and (lower == high).all():
            return allowed, low, high
        allowed, low, high = fewer, higher, lower


def _reached(
    moves: TiedMoves, allowed: Allowed, low: Distances, high: Distances
) -> tuple[Int[np.ndarray, "context place action"], Int[np.ndarray, "context place action"]]:
    """The least and the greatest distance of the places to which each pair may lead."""
    candidates = allowed[moves.keys]
    nearest = np.where(candidates, low[:, np.newaxis, np.newaxis], allowed.shape[1]).min(axis=-1)
    farthest = np.where(candidates, high[:, np.newaxis, np.newaxis], 0).max(axis=-1)
    return nearest, farthest


def _distances(
    moves: TiedMoves, models: Int[np.ndarray, "model key"]
) -> tuple[Int[np.ndarray, "model context place"], Int[np.ndarray, "model context place action"]]:
    """How far from the end each state is in each model, and what each of its actions leads to."""
    contexts, places, actions = moves.keys.shape
    successors = models[:, moves.keys].reshape(len(models), contexts, places * actions)
    distance = np.full((len(models), contexts, places), places)
    distance[..., moves.end] = 0
    for _ in range(places):
        following = np.take_along_axis(distance, successors, axis=2).reshape(
            len(models), contexts, places, actions
        )
        distance = np.minimum(1 + following.min(axis=-1), places)
        distance[..., moves.end] = 0
    return distance, following
