"""What a short run of each agent computes is what `RESULTS_VERSION` stands for.

If a test fails here, results are no longer comparable with those stored before. If that is meant,
raise `RESULTS_VERSION`, and let `python -m tests.deep.test_results_version` measure anew.
"""

import json
from pathlib import Path

import pytest
import torch

from deep import AGENTS, Agent, Lanes, OnlineLoop, Protocol
from deep.environments import ProcMaze
from experiments.storage.provenance import RESULTS_VERSION

STORED = Path(__file__).with_name("results_version.json")
STEPS = 24
ROUNDING = 1e-3  # of a number: room for a random word or two that rounding lets fall otherwise


def measured(name):
    """Numbers of each lane that depend on all that an agent does."""
    lanes = Lanes(torch.arange(2), torch.tensor([1e-3, 1e-4]), torch.tensor([0.2, 1.0]))
    protocol = Protocol(STEPS, 1, target_period=8, learning_starts=STEPS // 2)
    loop = OnlineLoop(Agent(AGENTS[name](ProcMaze(2))), protocol, lanes)
    learner = loop.state.learner
    begin = [parameters.clone() for parameters in (learner.q, *learner.model)]
    loop.advance(STEPS)
    found = {**loop.take_tally()._asdict(), "performance": loop.evaluate()}
    for number, (old, new) in enumerate(zip(begin, (learner.q, *learner.model), strict=True)):
        found[f"network {number} moved"] = (new - old).norm(dim=1)
    return {metric: lane.tolist() for metric, lane in found.items()}


def test_the_stored_numbers_are_those_of_this_version():
    assert json.loads(STORED.read_text())["version"] == RESULTS_VERSION


@pytest.mark.parametrize("name", AGENTS)
def test_an_agent_computes_what_it_did_when_this_version_began(name):
    stored = json.loads(STORED.read_text())["metrics"][name]
    found = measured(name)
    assert found.keys() == stored.keys()
    assert all(loss > 0 for loss in found["q_loss"])
    for metric, lanes in found.items():
        assert lanes == pytest.approx(stored[metric], rel=ROUNDING), metric


def store():
    """Write the numbers of a version that is new."""
    if STORED.exists() and json.loads(STORED.read_text())["version"] == RESULTS_VERSION:
        raise SystemExit(f"the numbers of version {RESULTS_VERSION} are stored already; raise it")
    metrics = {name: measured(name) for name in AGENTS}
    STORED.write_text(json.dumps({"version": RESULTS_VERSION, "metrics": metrics}, indent=1) + "\n")


if __name__ == "__main__":
    store()
