"""The best and the uniformly random performance in the paper's own metric.

An evaluation runs for at most 100 steps. In an episodic environment its performance is the
undiscounted return (until termination, or the cut); in a continuing one the mean reward a step.

*Optimal* means the best expected performance in that metric, by a policy that may look at the whole
state and at the number of steps left. That is not quite the best long-run rate, which
`optimal_rate` gives: an evaluation starts with nothing done, and its last steps may come to nothing.

How it is computed:

- PanFlute has too many states to enumerate, but what earns a reward is the order of the last n
  actions, and the only order that does (n - 1, n - 2, ..., 0) has no repetition. So the state may
  be lumped to how much of it has been played, and whether the coin sounded all pipes
  (:class:`PanFluteProgress`). Dynamic programming over the 100 steps then is exact.
- ButtonGrid, ProcMaze, OpenGrid: `tabular.first_passage` gives the law of the success time T without
  spontaneous events; the event comes at an independent geometric time G. What follows a success
  does not depend on how it was come by, so the sooner the better, and the policy with the least T
  is optimal for every horizon. All worlds up to symmetry are gone through, or a sample of them.
- Any other rule: dynamic programming over its enumerated states.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any, NamedTuple, get_args

import numpy as np
from jaxtyping import Float
from scipy import stats

from tabular.argument_checks import require_one_of
from tabular.environments import ButtonGrid, OpenGrid, PanFlute, ProcMaze
from tabular.finite_mdp import FiniteMDP
from tabular.first_passage import Policy, Worlds, survival, worlds_of
from tabular.progress import Progress, silent
from tabular.rule import Outcome, Rule, merged
from tabular.solvers import average_reward, finite_horizon
from tabular.solvers.solution import require_known

_BATCHES = 20
"""Groups of sampled worlds, whose spread gives the interval."""


@dataclass(frozen=True)
class Performance:
    """A reference line.

    Attributes:
        environment: The environment and its options, or another rule.
        policy: "optimal" or "uniform".
        value: Expected performance of an evaluation.
        half_width: Half of the 95 % interval of `value`; 0 where it is exact.
        unit: "reward a step" or "return".
        horizon: The most steps of an evaluation.
        method: How `value` was computed.
    """

    environment: Rule[Any]
    policy: Policy
    value: float
    half_width: float
    unit: str
    horizon: int
    method: str


def reference_performance(
    environment: Rule[Any],
    policy: Policy,
    *,
    horizon: int = 100,
    samples: int = 2000,
    seed: int = 0,
    report: Progress = silent,
) -> Performance:
    """The expected performance of the optimal or the uniformly random policy in an evaluation.

    Args:
        environment: Any environment; those of the paper at any size, other rules if they can be
            enumerated.
        policy: "optimal" or "uniform".
        horizon: The most steps of an evaluation.
        samples: How many layouts or mazes to draw where they are too many to go through; at
            least 20.
        seed: Of that draw.
        report: Told how far it is.

    Raises:
        ValueError: An argument is out of range, or the environment too large.
    """
    require_one_of("policy", policy, get_args(Policy))
    if horizon < 1:
        raise ValueError(f"horizon must be at least 1, got {horizon}")
    if samples < _BATCHES:
        raise ValueError(f"samples must be at least {_BATCHES}, got {samples}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    match environment:
        case PanFlute():
            return _enumerated(environment, _lumped(environment), policy, horizon, ", lumped")
        case ButtonGrid() | ProcMaze() | OpenGrid():
            worlds = worlds_of(environment, samples=samples, seed=seed)
            return _by_first_passage(environment, worlds, policy, horizon, report)
        case _:
            mdp = FiniteMDP.from_rule(environment)
            return _enumerated(environment, mdp, policy, horizon)


def optimal_rate(environment: Rule[Any]) -> float:
    """The best long-run reward a step, in a continuing environment.

    Args:
        environment: PanFlute or ButtonGrid, or another rule if it can be enumerated.

    Raises:
        ValueError: There are too many button layouts to go through all of them, or some that
            cannot be solved; or episodes end.
        ArithmeticError: No rate is the best from every state.
    """
    if not isinstance(environment, ButtonGrid):
        mdp: FiniteMDP[Any] = (
            _lumped(environment)
            if isinstance(environment, PanFlute)
            else FiniteMDP.from_rule(environment)
        )
        if mdp.termination.any():
            raise ValueError(f"episodes of {environment} end: there is no long-run rate")
        solved = average_reward.policy_iteration(mdp)
        require_known(solved.gain, solved.gain, solved.error_bound)
        return float(solved.gain[0])
    worlds = worlds_of(environment, samples=1, seed=0)
    if not worlds.exact:
        raise ValueError(f"{environment} has too many layouts to go through all of them")
    horizon, longest = 32, environment.grid_size**2 << environment.num_buttons
    while (survivors := worlds.weights @ survival(worlds, "optimal", horizon))[-1] > 0:
        if horizon > longest:
            raise ValueError(f"in {environment} some layouts cannot be solved")
        horizon *= 2
    success, redraw = _cycle(environment, survivors)
    steps = np.arange(len(success))
    return float(success.sum() / (success @ (steps + 1) + redraw @ steps))


class TunePosition(NamedTuple):
    """How many of the last actions continue the tune, and whether the coin sounded all pipes."""

    played: int
    sounding: bool


@dataclass(frozen=True)
class PanFluteProgress:
    """PanFlute, lumped to what matters for its rewards: a rule with 2 (n + 1) states at most.

    The tune is n - 1, n - 2, ..., 0. No action occurs twice in it, so a wrong action leaves
    nothing of what was played, unless it is the first one again.
    """

    environment: PanFlute

    @property
    def num_actions(self) -> int:
        """One action for each pipe."""
        return self.environment.num_pipes

    def initial_distribution(self) -> dict[TunePosition, Fraction]:
        """Nothing has been played."""
        return {TunePosition(0, False): Fraction(1)}

    def outcomes(self, state: TunePosition, action: int) -> tuple[Outcome, ...]:
        """Reward 1 if the tune is complete or the coin sounded all pipes."""
        n, p = self.environment.num_pipes, self.environment.event_probability
        reward = int(state.sounding or state.played == n)
        restarted = int(action == n - 1)
        played = state.played + 1 if action == n - 1 - state.played else restarted
        return merged(
            [
                Outcome(1 - p, TunePosition(played, False), reward, False),
                Outcome(p, TunePosition(played, True), reward, False),
            ]
        )


@lru_cache(maxsize=1)  # for both policies and the rate
def _lumped(environment: PanFlute) -> FiniteMDP[TunePosition]:
    return FiniteMDP.from_rule(PanFluteProgress(environment))


def _enumerated(
    environment: Rule[Any], mdp: FiniteMDP[Any], policy: Policy, horizon: int, how: str = ""
) -> Performance:
    chosen = None if policy == "optimal" else mdp.uniform_policy()
    total = float(mdp.initial @ finite_horizon.total_reward(mdp, horizon, chosen))
    episodic = bool(mdp.termination.any())
    return Performance(
        environment,
        policy,
        total if episodic else total / horizon,
        0.0,
        "return" if episodic else "reward a step",
        horizon,
        f"exact: dynamic programming over {mdp.num_states} states{how}",
    )


def _by_first_passage(
    environment: ButtonGrid | ProcMaze | OpenGrid,
    worlds: Worlds,
    policy: Policy,
    horizon: int,
    report: Progress,
) -> Performance:
    survivors = survival(worlds, policy, horizon + 1, report)
    if isinstance(environment, ButtonGrid):
        unit, performance = "reward a step", partial(_mean_reward, environment)
    else:
        unit, performance = "return", partial(_episode_return, environment)
    half_width, method = 0.0, f"exact: all layouts, {len(worlds.weights)} up to symmetry"
    if not worlds.exact:
        batches = np.array_split(survivors, _BATCHES)
        values = [performance(batch.mean(axis=0)) for batch in batches]
        half_width = float(stats.t.ppf(0.975, _BATCHES - 1) * stats.sem(values))
        method = f"exact for each of {len(worlds.weights)} sampled layouts"
    return Performance(
        environment,
        policy,
        performance(worlds.weights @ survivors),
        half_width,
        unit,
        horizon,
        method,
    )


def _episode_return(
    environment: ProcMaze | OpenGrid, survivors: Float[np.ndarray, " horizon_and_one"]
) -> float:
    """Minus the expected number of steps, at most horizon of them, from P(T >= k).

    The step on the goal counts. Put on the goal in step G, the agent takes min(T, G) + 1 steps; so
    more than k of them if T >= k and none of the first k - 1 steps had an event. If the event
    terminates, they are min(T + 1, G): more than k if T >= k and none of the first k had one.
    """
    steps = np.arange(len(survivors) - 1)
    terminates = isinstance(environment, ProcMaze) and environment.spontaneous_event == "terminate"
    quiet_steps = steps if terminates else np.maximum(steps - 1, 0)
    return -float(survivors[:-1] @ (1 - float(environment.event_probability)) ** quiet_steps)


def _mean_reward(
    environment: ButtonGrid, survivors: Float[np.ndarray, " horizon_and_one"]
) -> float:
    """Expected reward a step of `horizon` steps, from P(T >= k): R_horizon / horizon.

    A success after t steps earns its reward in the next, and then all begins anew:
    R_h = sum over t < h of P(success after t) (1 + R_(h-1-t)) + P(redraw in step t) R_(h-t).
    """
    success, redraw = _cycle(environment, survivors)
    totals = np.zeros(len(survivors))
    for h in range(1, len(totals)):
        totals[h] = (
            success[:h] @ (1 + totals[h - 1 :: -1]) + redraw[1 : h + 1] @ totals[h - 1 :: -1]
        )
    return float(totals[-1] / (len(totals) - 1))


def _cycle(
    environment: ButtonGrid, survivors: Float[np.ndarray, " step"]
) -> tuple[Float[np.ndarray, " step"], Float[np.ndarray, " step"]]:
    """The probabilities that a layout is solved after t steps, or drawn anew in step t unsolved.

    Step t has an event if T >= t and the t - 1 steps before it had none. An event that switches all
    on is a success after t steps, whatever T is; one that draws anew prevents that of T = t.
    """
    p, steps = float(environment.event_probability), np.arange(len(survivors))
    event = p * survivors * (1 - p) ** np.maximum(steps - 1, 0) * (steps > 0)
    own_success = (survivors - np.append(survivors[1:], 0)) * (1 - p) ** steps
    if environment.spontaneous_event == "redraw":
        return own_success, event
    return own_success + event, np.zeros(len(steps))
