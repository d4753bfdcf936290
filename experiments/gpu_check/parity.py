"""Draws and environments exactly, agents to rounding: the same on the device as on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from deep import checkpoint
from deep.acceleration import product_precision
from deep.agent import Agent
from deep.environments import at, make
from deep.models import AGENTS
from deep.random_streams import Purpose, Stream, integers, words
from experiments.gpu_check.findings import Facts
from experiments.gpu_check.loop import CPU, Size, compared_loop, copied
from experiments.gpu_check.tasks import WAYS

LANES_ALIKE = 0.9
MEDIAN_DRIFT, MAX_DRIFT = 1e-3, 5e-2
"""How far parameters may be apart, as a share of how far the steps compared have moved them.

Rounding differs between devices, so that now and then a draw near its threshold falls otherwise: in
a lane's own steps (such lanes are not compared, and few), or in an imagined one (one of 320).
"""

State = Mapping[str, Tensor]


def same_draws(device: torch.device, size: Size) -> Facts:
    """Random words, and the first weights of a network."""
    seed = torch.tensor([0, 1, -1, 2**62, -(2**62), 123_456_789])
    step = torch.arange(5).unsqueeze(1)
    here, there = (
        words(Stream(seed.to(place), step.to(place), Purpose.ACTION), 33) for place in (CPU, device)
    )
    network = Agent(AGENTS["er"](size.environment)).q_network
    weights, other = (
        network.initial(Stream(seed.to(place), step[0].to(place), Purpose.INITIAL_Q)).cpu()
        for place in (CPU, device)
    )
    ulps = (weights.view(torch.int32) - other.view(torch.int32)).abs().max()
    alike = torch.equal(here, there.cpu())
    return {"ok": alike, "words": here.numel(), "first_weights_ulps": int(ulps)}


def same_transitions(name: str, device: torch.device, size: Size) -> Facts:
    """Random actions in an environment on both devices; every state, reward and end must be the same."""
    environment = make(name)
    seed = torch.arange(64)
    times = torch.arange(size.transitions).unsqueeze(1)
    actions = integers(words(Stream(seed, times, Purpose.ACTION), 1)[0], environment.num_actions)
    rows = []
    for place in (CPU, device):
        noise = environment.noise(seed.to(place), times.to(place))
        state = environment.initial(seed.to(place), torch.tensor(0, device=place))
        seen = []
        for time, action in enumerate(actions.to(place)):
            step = environment.step(state, action, at(noise, time))
            state = step.next_state
            row = (environment.observe(state), step.reward[:, None], step.terminal[:, None])
            seen.append(torch.cat([part.double() for part in row], 1))
        rows.append(torch.stack(seen).cpu())
    ends = int(rows[0][:, :, -1].sum())
    return {"ok": torch.equal(*rows), "steps": actions.numel(), "ends": ends}


def same_agent(agent: str, way: str, device: torch.device, size: Size, scratch: Path) -> Facts:
    """An agent from the state in which a run on the CPU starts to learn, compared with that run.

    Args:
        agent: Its name.
        way: How the loop runs on the device.
        device: What is compared with the CPU.
        size: How much is done.
        scratch: A folder for what other ways of the same agent need as well.
    """
    start, end = _reference(agent, size, scratch)
    loop = compared_loop(agent, size, device, way)
    loop.load(start)
    with product_precision("highest"):
        loop.advance(size.steps)
    reached = copied(loop)
    others = {
        f"bits_of_{other}": all(torch.equal(reached[name], state[name]) for name in reached)
        for other in WAYS
        if (state := _stored(scratch, agent, other)) is not None
    }
    checkpoint.save(_place(scratch, agent, way), reached, {})
    return agreement(start, end, reached) | {"updates": int(loop.state.learner.updates)} | others


def _reference(agent: str, size: Size, scratch: Path) -> tuple[State, State]:
    """The plain run on the CPU: its state when it starts to learn, and after the steps compared."""
    start, end = (_stored(scratch, agent, moment) for moment in ("start", "end"))
    if start is None or end is None:
        loop = compared_loop(agent, size, CPU)
        loop.advance(size.filled)
        start = copied(loop)
        loop.advance(size.steps)
        end = copied(loop)
        for moment, state in (("start", start), ("end", end)):
            checkpoint.save(_place(scratch, agent, moment), state, {})
    return start, end


def _stored(scratch: Path, agent: str, what: str) -> State | None:
    path = _place(scratch, agent, what)
    return checkpoint.load(path)[0] if path.exists() else None


def _place(scratch: Path, agent: str, what: str) -> Path:
    return scratch / f"{agent}-{what}.safetensors"


def agreement(start: State, one: State, other: State) -> Facts:
    """How two runs from one start agree.

    Lanes that acted and saw the same are compared by the distance of their parameters, as a share
    of how far the first run has moved them.
    """
    acted = [
        name
        for name in one
        if name.startswith(("environment", "observation", "buffer")) and one[name].dim()
    ]
    alike = torch.stack(
        [(one[name] == other[name]).view(len(one[name]), -1).all(1) for name in acted]
    ).all(0)
    learned = [
        name
        for name in one
        if name == "learner.q" or (name.startswith("learner.model.") and name.count(".") == 2)
    ]
    drifts = {
        name: ((other[name] - one[name]).norm(dim=1) / (one[name] - start[name]).norm(dim=1))[alike]
        for name in learned
    }
    drift = torch.cat(list(drifts.values())) if alike.any() else torch.tensor([torch.inf])
    counted = all(torch.equal(one[name], other[name]) for name in one if not one[name].dim())
    share, median, most = (float(x) for x in (alike.float().mean(), drift.median(), drift.max()))
    ok = counted and share >= LANES_ALIKE and median <= MEDIAN_DRIFT and most <= MAX_DRIFT
    return {"ok": ok, "lanes_alike": share, "median_drift": median, "max_drift": most}
