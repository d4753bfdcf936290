"""A whole step of an agent, updates and target copies included, runs as one graph."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.nn.functional import one_hot as torch_one_hot
from torch.utils._python_dispatch import TorchDispatchMode

from deep.acceleration import NONE, Acceleration, can_compile, resolve
from deep.agent import Agent, Lanes
from deep.environments import PanFlute, ProcMaze
from deep.environments.walled_maze import WalledMaze, dataset
from deep.models import (
    AGENTS,
    CounterfactualReplay,
    Replay,
    StructuredModel,
    ValueEquivalentGaussian,
)
from deep.offline_learning import OfflineLearner
from deep.one_hot import one_hot
from deep.online_loop import OnlineLoop, Protocol
from deep.replay_buffer import fixed_buffer
from deep.tensor_tree import tensors
from tests.deep.states import copied
from tests.properties.test_graph_safety import HostFree

ROOT = Path(__file__).parent.parent.parent
MAZE, FLUTE = ProcMaze(2), PanFlute(3)
PROTOCOL = Protocol(40, 2, 3, learning_starts=3, buffer_capacity=5)

needs_compiler = pytest.mark.skipif(
    not can_compile(torch.device("cpu")), reason="needs a C++ compiler"
)
every_agent = pytest.mark.parametrize("name", AGENTS)
pytestmark = pytest.mark.usefixtures("small_networks")


INGREDIENTS = {
    "counterfactual": CounterfactualReplay,
    "structured": StructuredModel,
    "value-equivalent": ValueEquivalentGaussian,
}


def loop_of(
    name,
    environment=MAZE,
    acceleration=NONE,
    *,
    lanes=2,
    device="cpu",
    prioritized=False,
    **options,
):
    runs = Lanes(
        torch.arange(lanes, device=device),
        torch.full((lanes,), 1e-4, device=device),
        torch.ones(lanes, device=device),
    )
    kind = (AGENTS | INGREDIENTS)[name]
    length = 1 if issubclass(kind, Replay) else 2
    model = kind(environment, rollout_length=length, **options)
    agent = Agent(model, prioritized=prioritized)
    return OnlineLoop(agent, PROTOCOL, runs, acceleration)


def learner_of(name, acceleration=NONE):
    """Learns from two datasets of unlike sizes."""
    runs = Lanes(torch.arange(2), torch.full((2,), 1e-4), torch.ones(2))
    length = 1 if name == "er" else 2
    agent = Agent(AGENTS[name](WalledMaze(), rollout_length=length))
    data = fixed_buffer([dataset("path-to-goal"), dataset("no-evaluation")])
    return OfflineLearner(agent, data, runs, target_period=3, acceleration=acceleration)


class StepHostFree(HostFree):
    """Derivatives' formulas hold numbers; a GPU fills them in by a kernel, nothing is copied."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.scalar_tensor.default:
            self.count += 1
            return func(*args, **(kwargs or {}))
        return super().__torch_dispatch__(func, types, args, kwargs)


@every_agent
@pytest.mark.parametrize("environment", [MAZE, FLUTE], ids=str)
def test_no_operation_of_a_step_and_its_updates_waits_for_the_host(name, environment):
    loop = loop_of(name, environment)
    loop.advance(3)
    with StepHostFree() as guard:
        loop.advance(4)
    assert guard.count > 1000
    assert loop.state.learner.updates == 8


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("counterfactual", {}),
        ("structured", {}),
        ("value-equivalent", {"value_steps": 3}),
        ("er", {"prioritized": True}),
        ("simple", {"real_share": 0.5}),
        ("gaussian", {"real_share": 0.05}),
    ],
)
def test_no_operation_of_an_ingredient_waits_for_the_host(name, options):
    loop = loop_of(name, **options)
    loop.advance(3)
    with StepHostFree() as guard:
        loop.advance(2)
    assert guard.count > 1000
    assert loop.state.learner.updates == 4


@every_agent
def test_no_operation_of_offline_learning_waits_for_the_host(name):
    learner = learner_of(name)
    with StepHostFree() as guard:
        learner.advance(4)
        learner.evaluate()
    assert guard.count > 1000
    assert learner.state.learner.updates == 4


@every_agent
def test_no_operation_of_an_evaluation_waits_for_the_host(name):
    loop = loop_of(name)
    with StepHostFree() as guard:
        loop.evaluate()
    assert guard.count > 1000


@every_agent
def test_the_number_of_operations_does_not_grow_with_the_lanes(name):
    counts = []
    for lanes in (2, 9):  # of one lane alone, fewer copies are needed to lay it out
        loop = loop_of(name, lanes=lanes)
        loop.advance(3)
        with StepHostFree() as guard:
            loop.advance(1)
        counts.append(guard.count)
    assert counts[0] == counts[1]


@every_agent
def test_a_run_needs_no_data_so_that_its_shapes_depend_on_none(name):
    loop = loop_of(name, device="meta")
    shapes = {name: tensor.shape for name, tensor in tensors(loop.state).items()}
    loop.advance(7)
    assert {name: tensor.shape for name, tensor in tensors(loop.state).items()} == shapes


def test_one_hot_features_are_those_of_torch():
    index = torch.tensor([[0, 3], [2, 1]])
    assert torch.equal(one_hot(index, 4), torch_one_hot(index, 4).float())
    with HostFree(), pytest.raises(AssertionError, match="waits for the host"):
        torch_one_hot(index, 4)


# A graph that is captured without a GPU: the operations are written down and made again, on the same
# tensors. Numbers of the host are frozen in it, as they are in a real one.


class RecordedGraph(TorchDispatchMode):
    """Writes down each operation; a replay repeats them, results in their old places."""

    def __init__(self):
        super().__init__()
        self.recorded = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.recorded.append((func, args, kwargs or {}, result))
        return result

    def replay(self):
        for func, args, kwargs, result in self.recorded:
            again = func(*args, **kwargs)
            for place, value in zip(leaves(result), leaves(again), strict=True):
                place.copy_(value)


def leaves(result):
    if isinstance(result, torch.Tensor):
        return [result]
    return [x for x in result if isinstance(x, torch.Tensor)] if result is not None else []


class NoStream:
    def wait_stream(self, other):
        pass


@pytest.fixture
def recorded_graphs(monkeypatch):
    """What capture calls of torch.cuda, without a GPU."""

    @contextmanager
    def graph(recorded, stream):
        with recorded:
            yield

    @contextmanager
    def stream(stream):
        yield

    place = NoStream()
    monkeypatch.setattr("deep.acceleration._capture_stream", lambda: place)
    monkeypatch.setattr(torch.cuda, "current_stream", NoStream)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", RecordedGraph)
    monkeypatch.setattr(torch.cuda, "graph", graph)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize("name", [*AGENTS, "structured", "value-equivalent"])
def test_captured_segments_lead_where_the_steps_themselves_do(name, recorded_graphs):
    # The buffer of five is overwritten on the way, by the warm-ups of a capture too.
    plain = loop_of(name)
    captured = loop_of(name, acceleration=Acceleration(captured=True))
    for loop in (plain, captured):
        loop.advance(6)
        loop.advance(3)
    assert_equal(captured, plain)


@pytest.mark.usefixtures("without_type_checks")
@every_agent
def test_captured_offline_updates_lead_where_the_updates_themselves_do(name, recorded_graphs):
    plain, captured = learner_of(name), learner_of(name, Acceleration(captured=True))
    start = copied(captured.state)
    captured.advance(4, "q")
    captured.load(start)
    for learner in (plain, captured):
        learner.advance(7, "q")
        learner.advance(3)
    assert plain.updates == captured.updates == 10
    assert_same_state(captured, plain)
    assert torch.equal(captured.evaluate(), plain.evaluate())


@pytest.mark.usefixtures("without_type_checks")
def test_a_captured_evaluation_sees_what_was_learned_since(recorded_graphs):
    plain = loop_of("simple", FLUTE)
    captured = loop_of("simple", FLUTE, Acceleration(captured=True))
    for steps in (1, 5, 3):
        results = []
        for loop in (plain, captured):
            loop.advance(steps)
            results.append(loop.evaluate())
        assert torch.equal(*results)
    assert_equal(captured, plain)


def test_a_loop_that_is_loaded_goes_on_by_the_graphs_it_has(recorded_graphs):
    plain = loop_of("er")
    captured = loop_of("er", acceleration=Acceleration(captured=True))
    start = copied(captured.state)
    captured.advance(6)
    captured.load(start)
    for loop in (plain, captured):
        loop.advance(6)
    assert_equal(captured, plain)


def test_few_graphs_are_captured_however_a_run_is_divided(recorded_graphs, monkeypatch):
    loop = loop_of("er", acceleration=Acceleration(captured=True))
    captured, capture = [], Acceleration.capture

    def counting(self, function, state):
        captured.append(function)
        return capture(self, function, state)

    monkeypatch.setattr(Acceleration, "capture", counting)
    for steps in (7, 11, 3, 9, 5):
        loop.advance(steps)
    assert loop.steps == 35
    # Of one, two and four steps without updates or with them; never ten at once here.
    assert len(captured) <= 6


def test_a_captured_number_of_the_host_would_be_found(recorded_graphs):
    state = (torch.zeros(()),)
    numbers = iter(range(10))
    replay = Acceleration(captured=True).capture(lambda: state[0].add_(next(numbers)), state)
    assert state[0] == 0
    replay()
    replay()
    assert state[0] == 6  # twice the 3 that was captured, after warm-ups with 0, 1 and 2


def assert_equal(one, other, **tolerances):
    assert_same_state(one, other, **tolerances)
    assert one.steps == other.steps


def assert_same_state(one, other, **tolerances):
    expected = tensors(other.state)
    for name, tensor in tensors(one.state).items():
        torch.testing.assert_close(
            tensor, expected[name], **tolerances, msg=lambda m, name=name: f"{name}: {m}"
        )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_compiled_for_one_or_captured():
    assert not can_compile(torch.device("cuda"))
    assert resolve("auto", torch.device("cuda")) == NONE
    with pytest.raises(ValueError, match="needs a CUDA device, got cpu"):
        resolve("graph", torch.device("cpu"))


# Compiled, in interpreters of their own, without the run-time type checks, which do not trace.


class Traced(Acceleration):
    """Traced whole, and run as traced."""

    backend = "eager"

    def compile(self, function):
        return torch.compile(function, fullgraph=True, dynamic=False, backend=self.backend)


class Functional(Traced):
    """Made functional too, as for the real compiler, which is left out."""

    backend = "aot_eager"


def test_a_step_of_every_agent_traces_whole_with_the_same_results():
    run_apart(
        "traced(compare, Traced, *(set(AGENTS) - {'categorical'}), 'structured', 'value-equivalent'); "
        "traced(compare, Functional, 'categorical')"
    )


def test_an_offline_update_traces_whole_and_a_step_is_compiled_once_for_segments_of_every_length():
    run_apart("traced(compare_offline, Traced, 'er', 'simple'); count_compilations()")


@needs_compiler
def test_compiled_replay_learns_the_same():
    run_apart("compare('er', Acceleration(compiled=True))")


@needs_compiler
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_compiles_more_variants_than_torch_allows_by_itself():
    compiled = Acceleration(compiled=True).compile(lambda tensor, rows: tensor.view(rows, -1))
    for rows in range(1, 12):
        assert compiled(torch.zeros(rows * 2), rows).shape == (rows, 2)


def run_apart(call):
    code = f"from tests.properties.test_agent_graph_safety import *; {call}"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def traced(compare_both, way, *names):
    """Compare for each of these agents; the last one that is named is the one that differs."""
    for name in names:
        print(name, flush=True)
        torch._dynamo.reset()
        compare_both(name, way(compiled=True))


def count_compilations():
    torch._dynamo.reset()
    counters = []

    class Counting(Acceleration):
        def compile(self, function):
            counters.append(CompileCounter())
            return torch.compile(function, fullgraph=True, dynamic=False, backend=counters[-1])

    loop = loop_of("er", acceleration=Counting(compiled=True))
    for steps in (1, 2, 3, 1, 6):
        loop.advance(steps)
    assert [counter.frame_count for counter in counters] == [1, 1, 0]  # the last is for evaluations


def compare(name, acceleration):
    """Run both ways; whole numbers must agree exactly, others to rounding."""
    loops = [loop_of(name, FLUTE, way) for way in (NONE, acceleration)]
    for loop in loops:
        loop.advance(5)
    assert loops[1].state.learner.updates == 4
    assert_equal(*loops, rtol=1e-4, atol=1e-6)


def compare_offline(name, acceleration):
    """Learn both ways, the model, the Q-network and both."""
    learners = [learner_of(name, way) for way in (NONE, acceleration)]
    for learner in learners:
        learner.advance(2, "q")
        learner.advance(2)
        if learner.agent.model.networks:
            learner.advance(1, "model")
    assert learners[1].state.learner.updates >= 4
    assert_same_state(*learners, rtol=1e-4, atol=1e-6)
