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
    ],
)
def test_bad_input_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
