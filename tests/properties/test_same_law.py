"""The batched environments follow the exact distributions of the readable rules."""

from collections import Counter, defaultdict
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

from deep.environments import Grid
from deep.environments.maze_generation import maze_words, random_maze
from deep.random_streams import Stream, words
from tabular.environments.maze_generation import maze_distribution
from tests.properties.registry import HEADS, SMALL, TAILS, reachable

FALSE_ALARM = 1e-9
LANES = 100_000
ENDED = -1
"""Stands for the successor of a terminal step."""


def code(features):
    """Up to 62 features as the bits of one integer."""
    return sum(bit << i for i, bit in enumerate(features))


def codes(case, state):
    features = case.batched.observe(state).numpy().astype(np.int64)
    return features @ (1 << np.arange(features.shape[-1]))


def seen_after(case, transition):
    """Successor, reward and terminal flag of each lane, as rows of integers."""
    terminal = transition.terminal.numpy()
    successor = np.where(terminal, ENDED, codes(case, transition.successor))
    return np.stack([successor, transition.reward.long().numpy(), terminal], axis=-1)


def law(rule, outcomes):
    """A readable distribution over the same rows."""
    total = defaultdict(Fraction)
    for p, state, reward, terminal in outcomes:
        successor = ENDED if terminal else code(rule.observation(state))
        total[successor, int(reward), int(terminal)] += p
    return {row: p for row, p in total.items() if p}


def start(rule):
    return {code(rule.observation(s)): p for s, p in rule.initial_distribution().items()}


def state_action_pairs(case):
    """Every pair, as readable states and actions, and as a batch."""
    pairs = [(s, a) for s in reachable(case) for a in range(case.rule.num_actions)]
    return pairs, case.states(*(s for s, _ in pairs)), torch.tensor([a for _, a in pairs])


def assert_follows(experiments):
    """Chi-square test of many experiments at once, each a pair of counts and a distribution.

    Outcomes expected less than 5 times are added up over all experiments.
    """
    statistic, freedom = 0.0, 0
    rare, rare_expected = 0, 0.0
    for counts, distribution in experiments:
        assert set(counts) <= set(distribution)
        tosses = sum(counts.values())
        common = 0
        for outcome, probability in distribution.items():
            expected = tosses * float(probability)
            if expected < 5:
                rare += counts.get(outcome, 0)
                rare_expected += expected
            else:
                statistic += (counts.get(outcome, 0) - expected) ** 2 / expected
                common += 1
        freedom += common - (common == len(distribution))
    if rare_expected >= 5:
        statistic += (rare - rare_expected) ** 2 / rare_expected
        freedom += 1
    assert stats.chi2.sf(statistic, max(freedom, 1)) > FALSE_ALARM


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_transitions_have_the_support_and_the_frequencies_of_the_rule(case):
    pairs, state, action = state_action_pairs(case)
    repeats = max(LANES // len(pairs), 20)
    state = type(state)(*(field.repeat_interleave(repeats, dim=0) for field in state))
    action = action.repeat_interleave(repeats)
    noise = case.batched.noise(torch.arange(len(action)), torch.tensor(7))
    step = case.batched.step(state, action, noise)

    pair = np.arange(len(action)) // repeats
    rows = np.column_stack([pair, seen_after(case, step)])
    counts = [{} for _ in pairs]
    for (index, *row), count in zip(*np.unique(rows, axis=0, return_counts=True), strict=True):
        counts[index][tuple(row)] = count
    laws = (law(case.rule, case.rule.outcomes(*pair)) for pair in pairs)
    assert_follows(zip(counts, laws, strict=True))

    terminal = step.terminal.numpy()
    followed = codes(case, step.next_state)
    assert np.array_equal(followed[~terminal], codes(case, step.successor)[~terminal])
    if terminal.any():
        assert_follows([(Counter(followed[terminal].tolist()), start(case.rule))])


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("word", [HEADS, TAILS])
def test_when_the_coin_is_decided_each_cause_leads_where_the_rule_says(case, word):
    pairs, state, action = state_action_pairs(case)
    drawn = words(
        Stream(torch.arange(len(pairs)), torch.tensor(3), 0), case.batched.transition_words
    )
    drawn[:1] = word
    rows = seen_after(case, case.batched.transition(state, action, drawn)).tolist()
    for pair, row in zip(pairs, rows, strict=True):
        assert tuple(row) in law(case.rule, case.rule.branches(*pair)[cause(case, *pair, word)])


def cause(case, state, action, word):
    """What the rule says a step's course is due to, when the coin shows `word`."""
    branches = case.rule.branches(state, action)
    possible = [name for name, branch in branches.items() if any(o.probability for o in branch)]
    tossed = "spontaneous" if word == HEADS else "usual"
    # A success or the goal leaves nothing to the coin; neither does a coin of probability 0 or 1.
    return tossed if tossed in possible else possible[0]


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in SMALL
        if c.batched.num_features > c.channels and 0 < c.batched.event_probability < 1
    ],
    ids=str,
)
def test_the_coin_falls_as_often_as_the_rule_says(case):
    tosses = 10_007
    for state in reachable(case):
        branches = case.rule.branches(state, 0)
        usual, event = (set(law(case.rule, branches.get(c, ()))) for c in ("usual", "spontaneous"))
        if usual and event and not usual & event:
            break
    else:
        pytest.fail("in no state does the coin make a difference that can be seen")
    # No chance in this: the words that the coin may see, evenly spaced.
    drawn = words(Stream(torch.arange(tosses), torch.tensor(0), 0), case.batched.transition_words)
    drawn[0] = torch.arange(tosses) * (2**32 // tosses) - 2**31
    done = case.batched.transition(
        case.states(*[state] * tosses), torch.zeros(tosses, dtype=torch.int64), drawn
    )
    fallen = sum(tuple(row) in event for row in seen_after(case, done).tolist())
    assert abs(fallen - tosses * case.rule.event_probability) <= 1


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_first_states_follow_the_initial_distribution(case):
    state = case.batched.initial(torch.arange(LANES), torch.tensor(0))
    assert_follows([(Counter(codes(case, state).tolist()), start(case.rule))])


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_mazes_follow_the_exact_distribution_of_the_search(size):
    grid = Grid(size)
    drawn = words(Stream(torch.arange(4 * LANES), torch.tensor(0), 0), maze_words(size))
    opened, count = random_maze(grid, drawn)
    cells = grid.features(opened)
    assert torch.equal(count, cells.sum(-1))
    seen = cells.long().numpy() @ (1 << np.arange(size**2))
    exact = {code(not wall for wall in walls): p for walls, p in maze_distribution(size).items()}
    assert_follows([(Counter(seen.tolist()), exact)])


@pytest.mark.parametrize("case", SMALL, ids=str)
@pytest.mark.parametrize("word", [HEADS, TAILS])
def test_given_action_and_cause_a_factor_depends_on_its_declared_parents_alone(case, word):
    rule, states = case.rule, reachable(case)
    by_code = {code(rule.observation(state)): state for state in states}
    drawn = words(Stream(torch.tensor(0), torch.tensor(5), 0), case.batched.transition_words)
    drawn = drawn.unsqueeze(-1).repeat(1, len(states))
    drawn[:1] = word
    for action in range(rule.num_actions):
        done = case.batched.transition(
            case.states(*states), torch.full((len(states),), action), drawn
        )
        followed = defaultdict(set)
        for state, after in zip(states, seen_after(case, done)[:, 0].tolist(), strict=True):
            if after == ENDED:
                continue
            why = cause(case, state, action, word)
            values = dict(zip(rule.factor_names, rule.factors(state), strict=True))
            changed = zip(rule.factor_names, rule.factors(by_code[after]), strict=True)
            scopes = rule.parents(action, why)
            for name, value in changed:
                given = tuple(values[parent] for parent in sorted(scopes[name]))
                followed[why, name, given].add(value)
        assert all(len(values) == 1 for values in followed.values())
