"""`mbgen env scopes` and `mbgen env optimum`: what they print, write and refuse."""

import json

import pytest

from experiments.commands.env.optimum import optimum
from experiments.commands.env.scopes import scopes
from experiments.tasks import SIZES
from tabular import environment, reference_performance


def test_scopes_as_json_have_standard_output_to_themselves(capsys):
    assert scopes("procmaze", size=2, context="agent", json="-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["states"] == 36
    assert found["factors"]["agent"] == 4
    assert found["factored_structure"] is True
    assert all(scope["declared_holds"] is not False for scope in found["scopes"])
    right = next(c for c in found["contexts"] if (c["value"], c["action"]) == (0, 4))
    assert right == {"cause": "usual", "value": 0, "action": 4, "smallest": [["wall (0, 1)"]]}


def test_scopes_are_printed_for_people(capsys):
    assert scopes("PanFlute", size=3) == 0
    shown = capsys.readouterr().out
    assert "pipe 1, pipe 2" in shown
    assert "factored structure" in shown


def test_open_grid_is_said_to_have_no_structure(capsys):
    assert scopes("OpenGrid", size=3, json="-") == 0
    assert json.loads(capsys.readouterr().out)["factored_structure"] is False


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_network_is_drawn_where_asked(tmp_path, capsys, suffix):
    path = tmp_path / f"network.{suffix}"
    assert scopes("ButtonGrid", size=2, grid_size=2, out=path) == 0
    assert path.stat().st_size > 1000


def test_a_rule_of_ones_own_comes_from_a_file(tmp_path, capsys):
    file = tmp_path / "chain.py"
    file.write_text(
        "from fractions import Fraction\n"
        "from tabular import Outcome\n"
        "class Chain:\n"
        "    num_actions = 1\n"
        "    factor_names = ('left', 'right')\n"
        "    def __init__(self, length=2): self.length = length\n"
        "    def initial_distribution(self): return {(0, 0): Fraction(1)}\n"
        "    def factors(self, state): return state\n"
        "    def outcomes(self, state, action):\n"
        "        following = ((state[0] + 1) % self.length, state[0])\n"
        "        return (Outcome(Fraction(1), following, 0, False),)\n"
        "chain = Chain(3)\n"
    )
    for name, size, states in [("Chain", None, 3), ("Chain", 5, 6), ("chain", None, 4)]:
        assert scopes(f"{file}:{name}", size=size, json="-") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["states"] == states
        right = [s for s in found["scopes"] if (s["output"], s["cause"]) == ("right", "usual")]
        assert right[0]["declared"] is None


def test_a_rule_whose_law_is_broken_is_refused_with_its_state(tmp_path):
    file = tmp_path / "half.py"
    file.write_text(
        "from fractions import Fraction\n"
        "from tabular import Outcome\n"
        "class Half:\n"
        "    num_actions = 1\n"
        "    factor_names = ('x',)\n"
        "    def initial_distribution(self): return {(0,): Fraction(1)}\n"
        "    def factors(self, state): return state\n"
        "    def outcomes(self, state, action): return (Outcome(Fraction(1, 2), (0,), 0, False),)\n"
    )
    with pytest.raises(ValueError, match=r"\Ain state \(0,\) with action 0 .* add to 1, got 1/2\Z"):
        scopes(f"{file}:Half")


OWN = """
from fractions import Fraction
from tabular import Outcome
class Pair:
    num_actions = 1
    def __init__(self, size, names=("x", "y")): self.factor_names = names
    def initial_distribution(self): return {(0, 0): Fraction(1)}
    def factors(self, state): return state
    def outcomes(self, state, action): return (Outcome(Fraction(1), state, 0, False),)
class Silent(Pair):
    def outcomes(self, state, action): return None
class Failing(Pair):
    def outcomes(self, state, action): return state[2]
twice, pair = Pair(1, ("x", "x")), Pair(1)
"""


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("twice", {}, "two factors are called 'x'; accepted: each name once"),
        ("Pair", {}, r"cannot be called with \(\): missing a required argument: 'size'"),
        ("pair", {"size": 2}, "--size is for what makes a rule"),
        ("pair", {"grid_size": 2}, "--grid-size is of the paper's environments"),
        ("pair", {"spontaneous": False}, "--no-spontaneous is of the paper's environments"),
        ("Silent", {"size": 2}, r"in state \(0, 0\) with action 0 there is None"),
        ("Failing", {"size": 2}, "own.py, line 13, failed with IndexError: tuple index out of"),
    ],
)
def test_what_a_rule_of_ones_own_does_wrong_is_told_in_one_line(tmp_path, name, options, message):
    file = tmp_path / "own.py"
    file.write_text(OWN)
    with pytest.raises(ValueError, match=message) as no:
        scopes(f"{file}:{name}", **options)
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import json\nraise RuntimeError('boom')",
            "^own.py, line 2, failed with RuntimeError: boom$",
        ),
        ("rule = (", r"^own.py failed with SyntaxError: '\(' was never closed \(own.py, line 1\)$"),
    ],
)
def test_a_file_that_fails_while_it_is_read_is_told_in_one_line(
    tmp_path, monkeypatch, text, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        scopes("own.py:rule")


def test_the_optimum_is_printed_for_every_size_of_the_online_experiment(capsys):
    assert optimum("PanFlute", json="-") == 0
    found = json.loads(capsys.readouterr().out)
    assert tuple(entry["size"] for entry in found) == SIZES["PanFlute"]
    for entry in found:
        played = environment("PanFlute", entry["size"])
        assert entry["optimal"]["value"] == reference_performance(played, "optimal").value
        assert entry["uniform"]["value"] < entry["optimal"]["value"] < entry["optimal_rate"]


def test_an_episodic_optimum_is_a_return_and_has_no_rate(capsys, tmp_path):
    path = tmp_path / "optimum.json"
    assert optimum("opengrid", size=4, json=str(path)) == 0
    (entry,) = json.loads(path.read_text())
    assert (entry["unit"], entry["optimal_rate"]) == ("return", None)
    assert "return of an evaluation of 100 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scopes("PanPipe", size=3), "no environment 'PanPipe'"),
        (lambda: scopes("PanFlute"), "needs --size"),
        (lambda: scopes("PanPipe"), "env must be one of"),
        (lambda: scopes("PanFlute", size=0), "num_pipes must be an integer from 1 to 1000, got 0"),
        (lambda: scopes("PanFlute", size=7), "max_states is 20,000"),
        (lambda: scopes("PanFlute", size=2, context="pipe 9"), "context is 'pipe 9'"),
        (lambda: scopes("PanFlute", size=2, json="/no/such/place"), "no folder"),
        (lambda: scopes("PanFlute", size=2, grid_size=4), "ButtonGrid alone"),
        (lambda: scopes("nowhere.py:rule"), "there is no file"),
        (lambda: scopes(f"{__file__}:json"), "is no rule"),
        (lambda: optimum("OpenGrid"), "needs --size"),
        (lambda: optimum("OpenPit"), "no environment 'OpenPit'"),
        (lambda: optimum("PanFlute", size=3, horizon=0), "horizon must be at least 1"),
        (lambda: optimum("PanFlute", size=3, seed=-1), "seed must be at least 0, got -1"),
        (lambda: optimum("gym:FrozenLake-v1", samples=30), "--samples is of the paper's"),
        (lambda: optimum("gym:FrozenLake-v1", seed=3), "--seed is of the paper's"),
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
