"""Prioritized replay: the law of a draw, the weights, and an agent against a plain one."""

import math

import pytest
import torch
from scipy import stats

from deep import AGENTS, Agent, Lanes, Losses, OfflineLearner, OnlineLoop, Protocol, fixed_buffer
from deep.priorities import MOST, no_priorities
from deep.random_streams import Purpose
from deep.replay_buffer import empty_buffer
from tests.deep import reference_agents as reference
from tests.deep.plain_lane import (
    LANES,
    MAZE,
    TRANSITIONS,
    PlainLane,
    assert_near,
    assert_same_learner,
    drawn,
    quiet,
    stored,
)
from tests.deep.states import assert_same_bits, copied
from tests.deep.test_replay_buffer import numbered

WORDS = torch.arange(2**16, dtype=torch.int64) * 2**16 - 2**31
EVEN = WORDS.int().unsqueeze(0)
"""Words evenly spaced over all: what they draw has its share to a few of 65,536."""


def priorities(*lanes):
    made = no_priorities(len(lanes), len(lanes[0]))
    made.units.copy_(torch.tensor(lanes))
    return made


def test_a_transition_is_drawn_in_proportion_to_its_priority():
    units = [3, 0, 1, 2**20, 2**21, 0]
    place = priorities(units).draw(EVEN)[0]
    counts = place.bincount(minlength=6)
    for unit, count in zip(units, counts.tolist(), strict=True):
        assert abs(count - 2**16 * unit / sum(units)) <= 1


def test_the_law_of_random_draws_passes_a_chi_square_test_in_every_lane():
    units = torch.arange(1, 101) ** 2
    held = priorities(units.tolist(), units.flip(0).tolist())
    place = held.draw(drawn_words(20_000))
    for lane, row in zip(place, held.units, strict=True):
        expected = row.double() / row.sum() * 20_000
        common = expected >= 5
        found = lane.bincount(minlength=100).double()
        statistic = ((found - expected) ** 2 / expected)[common].sum()
        assert stats.chi2.sf(statistic, int(common.sum()) - 1) > 1e-6


def drawn_words(count):
    return torch.stack([drawn(lane, 0, Purpose.REPLAY, 1, count)[:, 0] for lane in range(2)])


def test_a_draw_is_exact_where_the_sum_of_the_priorities_has_more_than_32_bits():
    """By whole numbers of any size, in the first, the last and other words."""
    words = torch.tensor([[-(2**31), 2**31 - 1, -1, 0, 1, 12345, -987654321]]).int()
    assert_drawn_exactly([MOST - k for k in range(64)], words)


@pytest.mark.parametrize("units", [[1, 2], [1, 0, 1, 1], [3, 1, 0, 4, 1]])
def test_a_draw_is_exact_where_the_priorities_are_as_small_as_can_be(units):
    """There many words aim at the very end of a priority."""
    assert_drawn_exactly(units, EVEN[:, ::257])


def assert_drawn_exactly(units, words):
    place = priorities(units).draw(words)[0].tolist()
    sums = [sum(units[: k + 1]) for k in range(len(units))]
    for word, found in zip(words[0].tolist(), place, strict=True):
        aimed = ((word % 2**32) >> 1) * sum(units) >> 31
        assert found == next(k for k, total in enumerate(sums) if total > aimed)


def test_what_is_not_stored_is_never_drawn_and_what_is_new_has_the_highest_priority():
    buffer = empty_buffer(1, 4, 5, prioritized=True)
    held = buffer.priorities
    for number in range(2):
        store(buffer, number)
    assert held.draw(EVEN).unique().tolist() == [0, 1]
    held.update(torch.tensor([[0, 1]]), torch.tensor([[-32.0, 0.5]]))
    assert held.units[0].tolist() == [8 * 2**20, round(0.5**0.6 * 2**20 - 0.5), 0, 0]
    store(buffer, 2)
    assert held.units[0, 2] == 8 * 2**20
    for number in range(3, 5):  # over the oldest
        store(buffer, number)
    assert held.units[0, 0] == 8 * 2**20
    buffer.clear()
    store(buffer, 5)
    assert held.units[0].tolist() == [2**20, 0, 0, 0]


def store(buffer, number):
    data = numbered(number)
    fields = [field[:1] for field in data]
    buffer.store(*fields)


def test_the_rarest_of_a_batch_weighs_1_and_others_less_by_the_power_of_their_chances():
    held = priorities([1, 32, 243, 7])
    weights = held.weights(torch.tensor([[1, 2, 1]]))[0].tolist()
    assert weights == pytest.approx([1, (32 / 243) ** 0.4, 1])


@pytest.mark.parametrize(
    ("error", "units"), [(0.0, 1), (math.inf, MOST), (-math.inf, MOST), (math.nan, 1), (1e30, MOST)]
)
def test_any_error_gives_a_priority_from_one_unit_to_the_most(error, units):
    held = priorities([5])
    held.update(torch.tensor([[0]]), torch.tensor([[error]]))
    assert held.units.tolist() == [[units]]


def agent(**options):
    return Agent(AGENTS["er"](MAZE), **options)


class PrioritizedLane(PlainLane):
    """ER that draws by priority; plain lists of whole numbers."""

    def __init__(self, *arguments, count):
        super().__init__(*arguments)
        self.units, self.highest = [2**20] * count, 2**20

    def update(self, stored):
        words = drawn(self.lane, self.updates, Purpose.REPLAY, 1, TRANSITIONS)[:, 0]
        places = [self.place(word % 2**32 >> 1) for word in words.tolist()]
        least = min(self.units[place] for place in places)
        samples, errors = [], []
        batch = [stored[place] for place in places]
        for place, sample in zip(places, reference.replayed_samples(batch), strict=True):
            samples.append(sample._replace(weight=(least / self.units[place]) ** 0.4))
            errors.append(float(self.error(sample)))
        for place, error in zip(places, errors, strict=True):
            self.units[place] = min(max(int(abs(error) ** 0.6 * 2**20), 1), MOST)
            self.highest = max(self.highest, self.units[place])
        self.q, loss = reference.q_update(self.q, self.target, samples, self.step_size)
        self.updates += 1
        return loss, 0.0

    def error(self, sample):
        """As one sample's loss, whose sign does not matter."""
        alone = [sample._replace(weight=1.0)]
        return reference.q_loss(self.q.networks["q"], self.target, alone) ** 0.5

    def place(self, word):
        aimed = word * sum(self.units) >> 31
        for place, units in enumerate(self.units):
            aimed -= units
            if aimed < 0:
                return place
        raise AssertionError


def test_an_update_is_the_plain_one_by_priority():
    loop = OnlineLoop(agent(prioritized=True), quiet(25), LANES)
    loop.advance(25)
    state = loop.state
    plain = PrioritizedLane("er", MAZE, loop.agent, state.learner, 0, count=25)
    sums = 0.0
    for _ in range(2):
        loop.agent.learn(state.learner, state.buffer, LANES, losses(state))
        sums += plain.update(stored(state.buffer, 0))[0]
    assert_near(state.tally.q_loss[0], sums)
    assert_same_learner("er", loop.agent, state.learner, 0, plain)
    # A unit is 2^-20, and errors are known to rounding in float32.
    found = state.buffer.priorities.units[0].tolist()
    assert found == pytest.approx(plain.units, rel=1e-4, abs=2)
    assert len(set(found)) > 5
    assert state.buffer.priorities.highest[0].item() == pytest.approx(plain.highest, rel=1e-4)


def losses(state):
    return Losses(state.tally.q_loss, state.tally.model_loss)


@pytest.mark.usefixtures("small_networks")
def test_a_lane_is_the_same_whoever_runs_beside_it():
    protocol = Protocol(14, 1, 5, learning_starts=11)
    alone = Lanes(*(field[1:] for field in LANES))
    loops = [OnlineLoop(agent(prioritized=True), protocol, lanes) for lanes in (LANES, alone)]
    for loop in loops:
        loop.advance(protocol.steps)
    both, one = (loop.state for loop in loops)
    assert torch.equal(both.buffer.priorities.units[1:], one.buffer.priorities.units)
    torch.testing.assert_close(both.learner.q[1:], one.learner.q, rtol=1e-6, atol=1e-7)


@pytest.mark.usefixtures("small_networks")
def test_a_run_goes_on_from_its_state_with_the_priorities_that_it_had():
    protocol = Protocol(16, 1, 5, learning_starts=11)
    whole, resumed = (OnlineLoop(agent(prioritized=True), protocol, LANES) for _ in range(2))
    whole.advance(14)
    resumed.load(copied(whole.state))
    for loop in (whole, resumed):
        loop.advance(2)
    assert_same_bits(resumed.state, whole.state)
    assert len(resumed.state.buffer.priorities.units.unique()) > 2


def test_priorities_go_with_replay_that_acts():
    with pytest.raises(ValueError, match="prioritized goes with Replay alone, got SimpleModel"):
        Agent(AGENTS["simple"](MAZE), prioritized=True)
    with pytest.raises(ValueError, match="prioritized replay learns online alone"):
        OfflineLearner(agent(prioritized=True), fixed_buffer([numbered(1, 2)] * 2), LANES)
