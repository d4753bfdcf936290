"""What models get right: against sets, the readable rules, and exact products of matrices."""

from dataclasses import replace
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deep import AGENTS, Agent, Dataset, PerfectModel, SimpleModel, fixed_buffer
from deep.environments import ButtonGrid, OpenGrid, PanFlute, ProcMaze
from deep.model_accuracy import accuracy, novelty, usual_course
from deep.random_streams import Purpose, Stream
from experiments.runs.quality_table import NOVELTY
from tests.properties.test_counterfactual import CASES, visited

SEED = torch.tensor([3, -4])
ENVIRONMENTS = (PanFlute(3), ButtonGrid(2, 3), ProcMaze(3), OpenGrid(3))


def stream(step=0):
    return Stream(SEED, torch.tensor(step), Purpose.IMAGINED_COURSE)


def situations(environment, count, steps):
    """First states that differ, some steps on, and actions for more of them, in two lanes."""
    generator = torch.Generator().manual_seed(1)
    state = environment.initial(SEED.unsqueeze(1), torch.arange(count))
    for _ in range(4):
        state = environment.usual(state, actions(environment, generator, count)).successor
    course = torch.stack([actions(environment, generator, count) for _ in range(steps)], 2)
    return environment.observe(state), course


def actions(environment, generator, count):
    return torch.randint(environment.num_actions, (2, count), generator=generator)


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda env: type(env).__name__)
def test_the_perfect_model_without_events_is_always_right(environment):
    certain = replace(environment, spontaneous=False)
    for steps in (1, 10):
        observation, course = situations(certain, 40, steps)
        following, determined = usual_course(certain, observation, course)
        found = accuracy(PerfectModel(certain), (), observation, course, following, stream(), 2)
        assert (found[determined] == 1).all()
        assert determined.any()


def test_the_perfect_model_is_right_of_a_flute_where_no_event_shows():
    """Of events before the last step nothing is left: what they make active leaves its pipe."""
    flute = PanFlute(3)
    observation, course = torch.zeros(2, 4_000, 6, dtype=torch.uint8), torch.tensor([1, 2, 0])
    course = course.expand(2, 4_000, 3)
    following, _ = usual_course(flute, observation, course)
    found = accuracy(PerfectModel(flute), (), observation, course, following, stream(), 1)
    assert set(found.unique().tolist()) == {0.0, 1.0}
    assert abs(float(found.mean()) - 8 / 9) < 0.018  # five deviations of the mean of 8,000


def drawn_states(size):
    return [torch.tensor(bits, dtype=torch.uint8) for bits in product((0, 1), repeat=size)]


@pytest.mark.usefixtures("small_networks")
def test_accuracy_is_the_product_of_the_transition_matrices_that_the_model_draws_from():
    flute, copies = PanFlute(2), 3_000
    model = SimpleModel(flute)
    parameters = tuple(3 * each for each in Agent(model).initial(SEED).model)
    states = torch.stack(drawn_states(3))
    learned = model.perceptrons(parameters)
    matrices = []
    for action in range(2):
        everywhere = states.float().expand(2, 8, 3)
        chance = model.next_logits(learned, everywhere, torch.full((2, 8), action)).sigmoid()
        ones = states.bool().view(1, 1, 8, 3)
        matrices.append(torch.where(ones, chance.unsqueeze(2), 1 - chance.unsqueeze(2)).prod(3))
    for course in ((1,), (0, 1, 1)):
        exact = torch.eye(8).expand(2, 8, 8)
        for action in course:
            exact = exact @ matrices[action]
        for start, end in ((0, 7), (5, 2)):
            found = accuracy(
                model, parameters,
                states[start].expand(2, copies, 3), torch.tensor(course).expand(2, copies, -1),
                states[end].expand(2, copies, 3), stream(), 2,
            ).mean(1)  # fmt: skip
            torch.testing.assert_close(found, exact[:, start, end], atol=0.03, rtol=0)
    assert exact[0, 5, 2] != pytest.approx(float(exact[1, 5, 2]), abs=0.01)


@pytest.mark.usefixtures("small_networks")
@pytest.mark.parametrize("name", ["categorical", "gaussian"])
def test_one_step_of_a_latent_model_is_as_likely_as_its_forecast(name):
    flute, copies = PanFlute(2), 3_000
    model = AGENTS[name](flute)
    parameters = tuple(2 * each for each in Agent(model).initial(SEED).model)
    observation = torch.tensor([1, 0, 1], dtype=torch.uint8).expand(2, 1, 3)
    action, right = torch.ones(2, 1, dtype=torch.int64), torch.tensor([0, 1, 0])
    features = model.forecast(parameters, observation, action, stream(), copies).features
    expected = torch.where(right.bool(), features, 1 - features).prod(-1).mean(0)
    found = accuracy(
        model, parameters, observation.expand(2, copies, 3), action.expand(2, copies).unsqueeze(2),
        right.byte().expand(2, copies, 3), stream(9), 1,
    )  # fmt: skip
    torch.testing.assert_close(found.mean(1, keepdim=True), expected, atol=0.02, rtol=0)


def test_an_accuracy_by_no_draw_is_refused():
    observation, course = situations(PanFlute(2), 3, 1)
    with pytest.raises(ValueError, match="draws must be an integer of at least 1, got 0"):
        accuracy(PerfectModel(PanFlute(2)), (), observation, course, observation, stream(), 0)


def buffer_of(environment, *lanes):
    """A lane for each list of pairs of an observation and an action."""
    datasets = []
    for pairs in lanes:
        seen = torch.tensor([seen for seen, _ in pairs], dtype=torch.uint8)
        done = torch.tensor([action for _, action in pairs])
        nothing = torch.zeros(len(pairs))
        datasets.append(Dataset(seen, done, nothing, nothing.bool(), torch.zeros_like(seen)))
    return fixed_buffer(datasets)


def test_a_flute_whose_pipes_were_heard_apart_is_recombined():
    """Pipes of one, two and three cells; what the first of them does depends on the action alone."""
    flute = PanFlute(3)
    one, other = (0, 1, 0, 0, 0, 1), (1, 0, 1, 1, 0, 0)
    buffer = buffer_of(flute, [(one, 2), (other, 2), (other, 1)], [(one, 2)])
    asked = {
        (one, 2): ("seen", "seen"),
        ((1, 1, 0, 0, 0, 1), 2): ("recombined", "recombined"),
        ((0, 1, 0, 1, 0, 0), 2): ("recombined", "unseen"),
        ((0, 1, 1, 0, 0, 1), 2): ("unseen", "unseen"),
        (one, 1): ("unseen", "unseen"),
        (one, 0): ("unseen", "unseen"),
    }
    seen = torch.tensor([seen for seen, _ in asked], dtype=torch.uint8).expand(2, -1, -1)
    done = torch.tensor([action for _, action in asked]).expand(2, -1)
    found = novelty(flute.scopes, buffer, seen, done)
    assert [[NOVELTY[n] for n in row] for row in found.tolist()] == [
        list(row) for row in zip(*asked.values(), strict=True)
    ]


def by_sets(scopes, met, seen, action):
    """The same with sets of tuples."""
    alike = [before for before, taken in met if taken == action]
    if seen in alike:
        return "seen"
    for parents in scopes.parents[action]:
        read = [f for parent in parents for f in scopes.factors[parent]]
        if tuple(seen[f] for f in read) not in {tuple(b[f] for f in read) for b in alike}:
            return "unseen"
    return "recombined"


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda env: type(env).__name__)
@settings(max_examples=4)
@given(chosen=st.lists(st.integers(0, 199), min_size=1, max_size=60), shift=st.integers(0, 150))
def test_novelty_is_what_sets_say(environment, chosen, shift):
    observation, course = situations(environment, 100, 1)
    pairs = [
        (tuple(seen), action)
        for lane in range(2)
        for seen, (action,) in zip(observation[lane].tolist(), course[lane].tolist(), strict=True)
    ]
    met = [pairs[k] for k in chosen]
    asked = (pairs[shift : shift + 50], pairs[:50])
    found = novelty(
        environment.scopes,
        buffer_of(environment, met, met[:1]),
        torch.tensor([[seen for seen, _ in lane] for lane in asked], dtype=torch.uint8),
        torch.tensor([[action for _, action in lane] for lane in asked]),
    )
    for lane, known in enumerate((met, met[:1])):
        expected = [by_sets(environment.scopes, known, *pair) for pair in asked[lane]]
        assert [NOVELTY[n] for n in found[lane]] == expected


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.batched.event_probability < 1], ids=str
)
def test_the_usual_course_is_the_readable_rules(case):
    """And it is determined exactly where that rule has one outcome, which ends nothing."""
    states = visited(case)[:60]
    observation = torch.tensor([case.rule.observation(s) for s in states], dtype=torch.uint8)
    for action in range(case.rule.num_actions):
        done = torch.full((1, len(states), 1), action)
        following, determined = usual_course(case.batched, observation.unsqueeze(0), done)
        for k, state in enumerate(states):
            usual = case.rule.branches(state, action).get("usual", ())
            usual = [outcome for outcome in usual if outcome.probability]
            assert len(usual) <= 1
            assert bool(determined[0, k]) == (len(usual) == 1 and not usual[0].terminal)
            if determined[0, k]:
                seen = tuple(following[0, k].tolist())
                assert seen == case.rule.observation(usual[0].next_state)


def test_a_course_that_ends_or_is_drawn_anew_on_the_way_is_not_determined():
    grid = OpenGrid(2)
    observation = torch.eye(4, dtype=torch.uint8)[torch.tensor([[2, 2], [3, 0]])]
    right_and_on = torch.tensor([[[4, 0], [0, 0]], [[0, 0], [0, 0]]])
    _, determined = usual_course(grid, observation, right_and_on)
    # To the goal and on from there; staying beside it; staying on it; staying far from it.
    assert determined.tolist() == [[False, True], [False, True]]
    _, one = usual_course(grid, observation, right_and_on[..., :1])
    assert one.tolist() == [[True, True], [False, True]]
