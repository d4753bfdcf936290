"""`mbgen env optimum` and `mbgen env scopes` for environments of Gymnasium, by their tables or explored."""

import json
from collections import defaultdict
from itertools import combinations

import pytest

gymnasium = pytest.importorskip("gymnasium")

from experiments.commands.env.optimum import optimum
from experiments.commands.env.scopes import scopes

TAXI, TAXI_FACTORS = "gym:Taxi-v4", ("row=5", "column=5", "passenger=5", "destination=4")
ROUND = """
import gymnasium
import numpy as np

class Table(gymnasium.Env):
    observation_space, action_space = gymnasium.spaces.Discrete(3), gymnasium.spaces.Discrete(2)
    initial_state_distrib = np.array([1.0, 0.0, 0.0])

    def __init__(self, table):
        self.P = table

def round_trip():
    return Table({
        s: {0: [(1.0, s, 0, False)], 1: [(1.0, (s + 1) % 3, int(s == 2), False)]} for s in range(3)
    })

def islands():
    return Table({s: {a: [(1.0, s or a + 1, s, False)] for a in (0, 1)} for s in range(3)})

def astray():
    return Table({s: {0: [(1.0, s + 1, 0, False)]} for s in range(3)})

def no_start():
    found = round_trip()
    found.initial_state_distrib = None
    return found

class NoTable(gymnasium.Env):
    def __init__(self):
        self._lake = gymnasium.make("FrozenLake-v1", is_slippery=False).unwrapped
        self.observation_space = self._lake.observation_space
        self.action_space = self._lake.action_space

    def reset(self, *, seed=None, options=None):
        return self._lake.reset(seed=seed)

    def step(self, action):
        return self._lake.step(action)

gymnasium.register("no_table-v0", entry_point=NoTable, max_episode_steps=100)
for name in ("round_trip", "islands", "astray", "no_start"):
    gymnasium.register(f"{name}-v0", entry_point=globals()[name])
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Environments of one's own, which a module registers."""
    (tmp_path / "tables_of_ones_own.py").write_text(ROUND)
    monkeypatch.syspath_prepend(tmp_path)
    return "gym:tables_of_ones_own"


def optimum_json(capsys, *arguments, **options):
    assert optimum(*arguments, json="-", **options) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    return entry


def chances_on_the_lake(steps):
    """Of reaching the goal within `steps`, best and at random, by the lake's own rule."""
    lake = "SFFFFHFHFFFHHFFG"
    left, down, right, up = (0, -1), (1, 0), (0, 1), (-1, 0)
    moves = (left, down, right, up)
    best, random = ([float(cell == "G") for cell in lake] for _ in range(2))

    def slide(values, cell, action):
        total = 0.0
        for slip in (-1, 0, 1):
            row, column = moves[(action + slip) % 4]
            row = min(max(cell // 4 + row, 0), 3)
            column = min(max(cell % 4 + column, 0), 3)
            total += values[4 * row + column] / 3
        return total

    for _ in range(steps):
        ahead = [
            [[slide(values, cell, action) for action in range(4)] for cell in range(16)]
            for values in (best, random)
        ]
        for cell, kind in enumerate(lake):
            if kind in "SF":
                best[cell], random[cell] = max(ahead[0][cell]), sum(ahead[1][cell]) / 4
    return best[0], random[0]


def test_the_slippery_lake_is_crossed_as_often_as_by_its_own_rule(capsys):
    entry = optimum_json(capsys, "gym:FrozenLake-v1")
    best, random = chances_on_the_lake(100)
    assert entry["horizon"] == 100
    assert entry["optimal"] == {"value": pytest.approx(best, abs=1e-12), "half_width": 0}
    assert entry["uniform"] == {"value": pytest.approx(random, abs=1e-12), "half_width": 0}
    assert (entry["unit"], entry["optimal_rate"], entry["size"]) == ("return", None, None)


def test_without_a_time_limit_14_of_17_crossings_succeed(capsys):
    entry = optimum_json(
        capsys, "gym:FrozenLake-v1", env_arg=("max_episode_steps=9000",), horizon=3000
    )
    assert entry["horizon"] == 3000
    assert entry["optimal"]["value"] == pytest.approx(14 / 17, abs=1e-9)


@pytest.mark.parametrize(("limit", "crossed"), [(5, 0), (6, 1)])
def test_the_environments_own_time_limit_cuts_an_evaluation(capsys, limit, crossed):
    arguments = ("is_slippery=false", f"max_episode_steps={limit}")
    entry = optimum_json(capsys, "gym:FrozenLake-v1", env_arg=arguments)
    assert (entry["horizon"], entry["optimal"]["value"]) == (limit, crossed)
    assert entry["options"] == {"is_slippery": False, "max_episode_steps": limit}


def test_the_optimum_of_a_table_is_printed_for_people(capsys):
    assert optimum("gym:CliffWalking-v1", horizon=20) == 0
    shown = capsys.readouterr().out
    assert "gym:CliffWalking-v1: return of an evaluation of 20 steps" in shown
    assert "-13.00000" in shown


def test_where_no_episode_ends_the_performance_is_a_rate(capsys, own):
    entry = optimum_json(capsys, f"{own}:round_trip-v0", horizon=100)
    assert (entry["unit"], entry["optimal"]["value"]) == ("reward a step", pytest.approx(0.33))
    assert entry["optimal_rate"] == pytest.approx(1 / 3)


def test_where_the_best_rate_depends_on_the_state_there_is_none(capsys, own):
    entry = optimum_json(capsys, f"{own}:islands-v0", horizon=10)
    assert entry["optimal"]["value"] == pytest.approx(9 * 2 / 10)
    assert entry["optimal_rate"] is None


def test_the_optimum_of_what_is_explored_is_that_of_the_table_it_does_not_show(capsys, own):
    entry = optimum_json(capsys, f"{own}:no_table-v0")
    lake = optimum_json(capsys, "gym:FrozenLake-v1", env_arg=("is_slippery=false",))
    assert lake["dynamics"] == "its own table P"
    for key in ("unit", "horizon", "method", "optimal", "uniform", "optimal_rate"):
        assert entry[key] == lake[key]
    assert entry["dynamics"] == (
        "exploring 11 states, each action twice; where episodes begin was counted over 1,000 resets; "
        "its time limit of 100 steps is no part of a state"
    )


def test_the_scopes_of_what_is_explored_are_those_of_the_table_it_does_not_show(capsys, own):
    factors = ("row=4", "column=4")
    assert scopes(f"{own}:no_table-v0", factors=factors, json="-") == 0
    explored = json.loads(capsys.readouterr().out)
    assert (
        scopes("gym:FrozenLake-v1", env_arg=("is_slippery=false",), factors=factors, json="-") == 0
    )
    lake = json.loads(capsys.readouterr().out)
    for key in ("states", "factors", "table_parameters", "factored_parameters", "scopes"):
        assert explored[key] == lake[key]
    assert explored["dynamics"].startswith("exploring 11 states")


def smallest_by_brute_force(table, initial, names, decode):
    """For each action and output, all smallest sets of factors that the output is a function of."""
    known = [state for state, chance in enumerate(initial) if chance]
    for state in known:
        for ((_, following, _, ended),) in table[state].values():
            if not ended and following not in known:
                known.append(following)
    found = {}
    for action in range(len(table[0])):
        values = defaultdict(dict)
        for state in known:
            ((_, following, reward, ended),) = table[state][action]
            values["reward"][state], values["terminal"][state] = reward, ended
            if not ended:
                for name, value in zip(names, decode(following), strict=True):
                    values[name][state] = value
        for output, of in values.items():
            fitting = [
                scope
                for size in range(len(names) + 1)
                for scope in combinations(range(len(names)), size)
                if len({tuple(decode(s)[i] for i in scope) for s in of})
                == len({(tuple(decode(s)[i] for i in scope), of[s]) for s in of})
            ]
            least = [scope for scope in fitting if len(scope) == len(fitting[0])]
            found[action, output] = {frozenset(names[i] for i in scope) for scope in least}
    return found


def test_the_scopes_of_the_taxi_are_those_of_a_search_through_all_sets_of_factors(capsys):
    assert scopes(TAXI, factors=TAXI_FACTORS, json="-") == 0
    found = json.loads(capsys.readouterr().out)
    taxi = gymnasium.make("Taxi-v4").unwrapped
    decoded = {state: tuple(taxi.decode(state)) for state in range(500)}
    names = list(found["factors"])
    expected = smallest_by_brute_force(
        taxi.P, taxi.initial_state_distrib, names, decoded.__getitem__
    )
    assert {
        (scope["action"], scope["output"]): set(map(frozenset, scope["smallest"]))
        for scope in found["scopes"]
        if scope["cause"] is not None
    } == expected
    east, drop_off = 2, 5
    assert expected[east, "destination"] == {frozenset({"destination"})}
    assert expected[east, "column"] == {frozenset({"row", "column"})}  # walls stand between columns
    assert expected[drop_off, "terminal"] == {frozenset(names)}
    assert (found["states"], found["factored_structure"]) == (400, True)


def test_scopes_of_a_table_are_printed_and_drawn_and_declared_by_nobody(capsys, tmp_path, own):
    path = tmp_path / "network.png"
    assert scopes(f"{own}:round_trip-v0", factors=("place=3",), out=path) == 0
    assert path.stat().st_size > 1000
    shown = capsys.readouterr().out
    assert "round_trip-v0: smallest scopes" in shown
    (row,) = (line for line in shown.splitlines() if "usual" in line and "itself" in line)
    assert row.split()[-1] == "-"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda _: optimum("gym:Pendulum-v1"), "no table P .* explored: .* Box.*; accepted: Discr"),
        (
            lambda own: optimum(f"{own}:no_start-v0"),
            "no table P .* its own code failed with",
        ),
        (lambda own: optimum(f"{own}:astray-v0"), r"next state from 0 to 2, .* got \(1.0, 3, 0, F"),
        (lambda _: optimum("gym:Nowhere-v0"), "env gym:Nowhere-v0 cannot be made"),
        (lambda _: optimum("gym:"), "env gym: cannot be made"),
        (lambda _: optimum("gym:Taxi-v4", size=3), "--size is of the paper's .* got gym:Taxi-v4"),
        (lambda _: optimum("gym:Taxi-v4", horizon=0), "horizon must be at least 1, got 0"),
        (lambda _: optimum("gym:Taxi-v4", env_arg=("x",)), "--env-arg must be KEY=VALUE"),
        (lambda _: optimum("gym:Taxi-v4", env_arg=("x=1",)), "cannot be made: .*'x'"),
        (lambda _: optimum("PanFlute", env_arg=("x=1",)), "--env-arg goes with gym:ID, got PanFl"),
        (lambda _: scopes("PanFlute", size=3, factors=("x=1",)), "--factors goes with gym:ID"),
        (lambda _: scopes(TAXI, spontaneous=False), "--no-spontaneous is of the paper's"),
        (lambda _: scopes(TAXI), "needs --factors NAME=SIZE .* product is its 500 numbers"),
        (
            lambda own: scopes(f"{own}:no_table-v0", factors=("row=4", "column=4"), max_states=9),
            "no_table-v0 .* cannot be explored: it has more than 9 states",
        ),
        (lambda _: scopes(TAXI, factors=("row=5", "column=99")), "has 500 .* 5 x 99 number 495"),
        (lambda _: scopes(TAXI, factors=("row=0",)), "size of factor row .* at least 1, got 0"),
        (lambda _: scopes(TAXI, factors=("row",)), "--factors must be NAME=SIZE, .* got 'row'"),
        (lambda _: scopes(TAXI, factors=("a=5", "a=100")), "each name once, got 'a=100'"),
        (lambda _: scopes(TAXI, factors=("reward=500",)), "no factor may be called 'reward'"),
        (lambda _: scopes(TAXI, factors=("a=500",), max_states=9), "gym:Taxi-v4 has more than 9 s"),
        (lambda _: scopes(TAXI, factors=("a=500",), context="b"), "context is 'b'; accepted: a"),
    ],
)
def test_bad_input_is_refused_in_one_line(own, call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call(own)
    assert "\n" not in str(caught.value)
