"""Arithmetic is counted from shapes as torch counts it in a real update."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from deep.agent import Agent, Lanes
from deep.environments import PanFlute, ProcMaze
from deep.matrix_products import Product, flops, update_products
from deep.models import AGENTS, Model
from deep.online_loop import OnlineLoop, Protocol, learn

every_agent = pytest.mark.parametrize("name", AGENTS)


def loop_of(name, environment, lanes=2, **options):
    runs = Lanes(torch.arange(lanes), torch.full((lanes,), 1e-4), torch.ones(lanes))
    loop = OnlineLoop(Agent(AGENTS[name](environment, **options)), Protocol(4, 1, 4, 4), runs)
    loop.advance(2)
    return loop


def test_a_product_of_known_shape():
    assert Product(rows=5, inner=7, columns=11).flops == 2 * 5 * 7 * 11


@every_agent
@pytest.mark.parametrize("environment", [ProcMaze(2), PanFlute(3)], ids=str)
def test_the_products_of_an_update_are_those_that_torch_counts(name, environment):
    loop = loop_of(name, environment)
    with FlopCounterMode(display=False) as counter:
        learn(loop.agent, loop.lanes, loop.state)
    assert counter.get_total_flops() == 2 * flops(update_products(loop.agent))


@pytest.mark.parametrize("lesson", [32, 320])
@pytest.mark.parametrize("name", ["simple", "categorical"])
def test_rollouts_of_one_step_start_from_more_states(name, lesson):
    loop = loop_of(name, PanFlute(3), rollout_length=1, model_batch_size=lesson)
    with FlopCounterMode(display=False) as counter:
        learn(loop.agent, loop.lanes, loop.state)
    assert counter.get_total_flops() == 2 * flops(update_products(loop.agent))


def test_an_unknown_model_is_refused():
    class Unknown(Model):
        experience = None

    with pytest.raises(TypeError, match="Unknown"):
        update_products(Agent(Unknown(PanFlute(3))))
