"""The compiled loops of `tabular.online_learning`: acting, counting, replaying and imagining.

They check nothing: whoever calls them answers for indices in range. They change the arrays that
they are given in place, draw every random number from the generator that they are given, and
release the interpreter's lock.
"""

import typing
from typing import NamedTuple

import numpy as np

from tabular.compiled import compile_once
from tabular.factored import CountedModel


class _Arrays(NamedTuple):
    """A counted model as the kernels take it."""

    rows: np.ndarray
    first_slot: np.ndarray
    slot_values: np.ndarray
    strides: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    reward_sums: np.ndarray


def model_arrays(model: CountedModel) -> _Arrays:
    """The structure and the counts of a model, which kernels change in place."""
    structure = model.structure
    return _Arrays(
        structure.rows, structure.first_slot, structure.slot_values, structure.strides,
        model.counts, model.totals, model.reward_sums,
    )  # fmt: skip


@compile_once(nogil=True)
@typing.no_type_check
def run_steps(
    generator, world, memory, q, model, imagines, position, first, last,
    updates, rollout, step_size, exploration, discount,
):  # fmt: skip
    """Steps `first` to `last` - 1; returns where the agent then is, and how many updates it made.

    `position` is the agent's state, -1 for one that is drawn from the start. `memory`, `q` and the
    model's counts are changed in place.
    """
    made = 0
    if position < 0:
        position = np.searchsorted(world.starts, generator.random(), side="right")
    for step in range(first, last):
        state = world.numbers[position]
        action = _behave(generator, q[state], exploration)
        reward, following = world.rewards[position, action], -1
        begin = world.first[position * q.shape[1] + action]
        end = world.first[position * q.shape[1] + action + 1]
        chance = generator.random()
        if end > begin and chance < world.cumulative[end - 1]:
            entry = begin + np.searchsorted(world.cumulative[begin:end], chance, side="right")
            position = world.successors[entry]
            following = world.numbers[position]
        else:
            position = np.searchsorted(world.starts, generator.random(), side="right")
        memory.states[step], memory.actions[step] = state, action
        memory.rewards[step], memory.next_states[step] = reward, following
        if imagines:
            _count(model, state, action, reward, following)
            made += imagine(
                generator, model, memory.states, step + 1, q, updates, rollout, step_size, discount
            )
        else:
            replay(generator, memory, step + 1, q, updates, step_size, discount)
            made += updates
    return position, made


@compile_once(nogil=True)
@typing.no_type_check
def replay(generator, memory, size, q, updates, step_size, discount):
    """Updates with transitions drawn from the first `size` stored ones, each as likely."""
    for _ in range(updates):
        drawn = int(generator.random() * size)
        _update(
            q, memory.states[drawn], memory.actions[drawn], memory.rewards[drawn],
            memory.next_states[drawn], step_size, discount,
        )  # fmt: skip


@compile_once(nogil=True)
@typing.no_type_check
def imagine(generator, model, starts, size, q, updates, rollout, step_size, discount):
    """Updates with imagined transitions; returns how many were made."""
    made, left, state = 0, 0, 0
    known = np.empty(q.shape[1], dtype=np.int64)
    for _ in range(updates):
        options = 0 if left == 0 else _known_actions(model, state, known)
        if options == 0:
            state, left = starts[int(generator.random() * size)], rollout
            options = _known_actions(model, state, known)
        if options == 0:
            left = 0
            continue
        action = known[int(generator.random() * options)]
        termination, rewards = model.rows[-2, state, action], model.rows[-1, state, action]
        reward = model.reward_sums[rewards] / model.totals[rewards]
        following = -1
        ends = model.counts[model.first_slot[termination] + 1]
        if generator.random() * model.totals[termination] >= ends:
            following = 0
            for output in range(len(model.strides)):
                row = model.rows[output, state, action]
                rest = generator.random() * model.totals[row]
                slot = model.first_slot[row]
                while rest >= model.counts[slot]:
                    rest -= model.counts[slot]
                    slot += 1
                following += model.slot_values[slot] * model.strides[output]
        _update(q, state, action, reward, following, step_size, discount)
        made += 1
        left = 0 if following < 0 else left - 1
        state = following
    return made


@compile_once(nogil=True)
@typing.no_type_check
def observe(model, states, actions, rewards, next_states):
    """Count transitions; the counts are changed in place."""
    for step in range(len(states)):
        _count(model, states[step], actions[step], rewards[step], next_states[step])


@compile_once(nogil=True)
@typing.no_type_check
def _behave(generator, values, exploration):
    explores, choice = generator.random() < exploration, generator.random()
    if explores:
        return int(choice * len(values))
    best, ties = values.max(), 0
    for action in range(len(values)):
        ties += values[action] == best
    left = int(choice * ties)
    action = 0
    while left > 0 or values[action] != best:
        left -= values[action] == best
        action += 1
    return action


@compile_once(nogil=True)
@typing.no_type_check
def _update(q, state, action, reward, following, step_size, discount):
    target = reward
    if following >= 0:
        best = q[following, 0]
        for other in range(1, q.shape[1]):
            best = max(best, q[following, other])
        target += discount * best
    q[state, action] += step_size * (target - q[state, action])


@compile_once(nogil=True)
@typing.no_type_check
def _count(model, state, action, reward, following):
    termination, rewards = model.rows[-2, state, action], model.rows[-1, state, action]
    model.totals[termination] += 1
    model.counts[model.first_slot[termination] + (following < 0)] += 1
    model.totals[rewards] += 1
    model.reward_sums[rewards] += reward
    if following >= 0:
        rest = following
        for output in range(len(model.strides)):
            row = model.rows[output, state, action]
            value, rest = rest // model.strides[output], rest % model.strides[output]
            slot = model.first_slot[row]
            while model.slot_values[slot] != value:
                slot += 1
            model.counts[slot] += 1
            model.totals[row] += 1


@compile_once(nogil=True)
@typing.no_type_check
def _known_actions(model, state, known):
    """Write the known actions of a state into `known`; returns how many they are."""
    options = 0
    for action in range(len(known)):
        if _knows(model, state, action):
            known[options] = action
            options += 1
    return options


@compile_once(nogil=True)
@typing.no_type_check
def _knows(model, state, action):
    termination, rewards = model.rows[-2, state, action], model.rows[-1, state, action]
    seen = model.totals[termination]
    if seen == 0 or model.totals[rewards] == 0:
        return False
    if model.counts[model.first_slot[termination] + 1] == seen:
        return True
    known = True
    for output in range(len(model.strides)):
        known &= model.totals[model.rows[output, state, action]] > 0
    return known
