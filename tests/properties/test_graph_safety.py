"""A step runs as one graph: nothing waits for the host, and no shape depends on the data."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from tests.properties.registry import LARGE

ROOT = Path(__file__).parent.parent.parent
FORBIDDEN = {
    "_local_scalar_dense",  # item(), bool(tensor)
    "nonzero",
    "masked_select",
    "_unique2",
    "unique_consecutive",
    "repeat_interleave",
    "lift_fresh",  # torch.tensor(...), which a graph cannot copy from the host
    "scalar_tensor",  # likewise, by torch.where with a number
}


class HostFree(TorchDispatchMode):
    """Refuses operations that wait for the host, and counts the others."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        assert name not in FORBIDDEN, f"{name} waits for the host"
        if name.startswith("index"):
            indices = args[1] if isinstance(args[1], (list, tuple)) else [args[1]]
            dtypes = {index.dtype for index in indices if isinstance(index, torch.Tensor)}
            assert not dtypes & {torch.bool, torch.uint8}, f"{name} by a mask waits for the host"
        self.count += 1
        return func(*args, **(kwargs or {}))


def whole_step(environment, seed, time, observation, action):
    noise = environment.noise(seed, time)
    step = environment.step(environment.from_observation(observation), action, noise)
    first = environment.observe(environment.initial(seed, time))
    return first, environment.observe(step.next_state), step.reward, step.terminal


def inputs(environment, lanes=6, device="cpu"):
    shape = (lanes, environment.num_features)
    return (
        torch.arange(lanes, device=device),
        torch.zeros((), dtype=torch.int64, device=device),
        torch.zeros(shape, dtype=torch.uint8, device=device),
        torch.zeros(lanes, dtype=torch.int64, device=device),
    )


@pytest.mark.parametrize(
    "guilty",
    [torch.Tensor.item, torch.nonzero, lambda x: x[x == 0], lambda x: torch.where(x == 0, 1, x)],
)
def test_the_guard_catches_what_it_forbids(guilty):
    with HostFree(), pytest.raises(AssertionError, match="waits for the host"):
        guilty(torch.zeros(1))


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_no_operation_of_a_step_waits_for_the_host(case):
    with HostFree() as guard:
        whole_step(case.batched, *inputs(case.batched))
    assert guard.count > 100


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_the_number_of_operations_does_not_grow_with_the_batch(case):
    counts = []
    for lanes in (1, 50):
        with HostFree() as guard:
            whole_step(case.batched, *inputs(case.batched, lanes))
        counts.append(guard.count)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_a_step_runs_without_data_so_that_its_shapes_depend_on_none(case):
    # Tensors on the meta device have a shape and no content: reading any would raise.
    first, following, reward, terminal = whole_step(
        case.batched, *inputs(case.batched, device="meta")
    )
    assert {x.device.type for x in (first, following, reward, terminal)} == {"meta"}
    assert first.shape == following.shape == (6, case.batched.num_features)
    assert reward.shape == terminal.shape == (6,)


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_a_step_computes_with_no_fraction_which_compiled_code_would_trace(case, monkeypatch):
    given = inputs(case.batched)
    monkeypatch.setattr(type(case.batched), "event_probability", None)
    whole_step(case.batched, *given)


def test_a_step_traces_into_a_single_graph_with_the_same_results():
    # In an interpreter of its own, without the run-time type checks, which do not trace.
    code = "from tests.properties.test_graph_safety import trace_all; trace_all()"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def trace_all():
    for case in (LARGE[0], LARGE[2], LARGE[4], LARGE[6]):
        environment = case.batched
        compiled = torch.compile(whole_step, backend="eager", fullgraph=True, dynamic=False)
        seed, time, _, action = inputs(environment)
        observation = environment.observe(environment.initial(seed, time))
        arguments = (environment, seed, time, observation, action)
        for one, other in zip(whole_step(*arguments), compiled(*arguments), strict=True):
            assert torch.equal(one, other)
