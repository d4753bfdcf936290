"""How well the best and the uniformly random policy do, in the evaluation that runs are judged by."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from experiments.tasks import readable_environment

if TYPE_CHECKING:
    from tabular.rule import Environment as ReadableEnvironment
    from tabular.transition_table import Table

_SAMPLES = 200


class Reference(NamedTuple):
    """Performance of the best and of the uniformly random policy, and halves of their 95 % intervals."""

    optimal: float
    optimal_half_width: float
    uniform: float
    uniform_half_width: float

    def level(self, share: float) -> float:
        """The performance that is so far on the way from the uniformly random policy to the best."""
        return self.uniform + share * (self.optimal - self.uniform)


@cache
def reference_of(
    env: str, size: int, spontaneous: bool = True, event: str | None = None
) -> Reference:
    """Both, exact where the layouts can all be gone through, else from a sample of 200.

    Args:
        env: Name of the environment.
        size: Pipes, buttons, or grid size.
        spontaneous: Whether spontaneous transitions are on.
        event: The form of the spontaneous event; None is the usual one.
    """
    return _reference(readable_environment(env, size, spontaneous=spontaneous, event=event))


@cache
def walled_maze_reference(terminal_step: str) -> Reference:
    """Both in the evaluation layouts of section 2's maze, exactly.

    Args:
        terminal_step: "into-goal" or "from-goal".
    """
    from tabular.environments.walled_maze import WalledMaze

    return _reference(WalledMaze(terminal_step=terminal_step))  # type: ignore[arg-type]


def table_reference(table: Table, initial: Iterable[float], horizon: int) -> Reference:
    """Both in an environment that keeps a table of its dynamics, exactly; performance is the return.

    Args:
        table: See `tabular.transition_table`.
        initial: Probability of each state after a reset.
        horizon: The most steps of an episode.
    """
    from tabular.finite_mdp import FiniteMDP
    from tabular.solvers import finite_horizon
    from tabular.transition_table import TableRule

    mdp = FiniteMDP.from_rule(TableRule(table, initial))
    best, uniform = (
        float(mdp.initial @ finite_horizon.total_reward(mdp, horizon, policy))
        for policy in (None, mdp.uniform_policy())
    )
    return Reference(best, 0.0, uniform, 0.0)


def _reference(played: ReadableEnvironment[Any]) -> Reference:
    from tabular import reference_performance

    best = reference_performance(played, "optimal", samples=_SAMPLES)
    uniform = reference_performance(played, "uniform", samples=_SAMPLES)
    return Reference(best.value, best.half_width, uniform.value, uniform.half_width)
