"""What `mbgen` offers is known without importing it, and only what is asked for is imported."""

import inspect
import subprocess
import sys
from importlib.util import find_spec

import pytest

from experiments.cli import MBGEN, Command, Group, main
from experiments.studies.registry import STUDIES


def commands(group=MBGEN, name="mbgen"):
    """Every command below the group, with its full name."""
    for word, member in group.members.items():
        if isinstance(member, Group):
            yield from commands(member, f"{name} {word}")
        else:
            yield f"{name} {word}", member


def groups(group=MBGEN, name="mbgen"):
    yield name, group
    for word, member in group.members.items():
        if isinstance(member, Group):
            yield from groups(member, f"{name} {word}")


def first_line(command):
    return inspect.getdoc(command.load()).splitlines()[0]


COMMANDS, GROUPS = dict(commands()), dict(groups())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_the_first_line_of_its_docstring_or_the_title_of_its_study(name):
    command = COMMANDS[name]
    if command.study is None:
        assert command.help == first_line(command)
    else:
        assert command.help == STUDIES[command.study].title


@pytest.mark.parametrize("name", GROUPS)
def test_the_help_of_a_group_names_each_member_and_says_what_it_does(capsys, name):
    assert main([*name.split()[1:], "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for word, member in GROUPS[name].members.items():
        assert f" {word} {member.help}" in printed


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(capsys, name):
    assert main([*name.split()[1:], "--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"usage: {name} " in printed
    assert first_line(COMMANDS[name]) in printed


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("words", [(), ("chek",), ("chek", "--help")])
def test_what_is_no_command_gets_one_line_that_names_those_there_are(capsys, name, words):
    assert main([*name.split()[1:], *words]) == 2
    complaint = capsys.readouterr().err
    assert complaint.startswith(f"mbgen: {name} ")
    assert complaint.endswith(f"accepted: {', '.join(GROUPS[name].members)}\n")
    assert complaint.count("\n") == 1
    assert not words or "'chek'" in complaint


def imported_by(*words):
    """The packages that a command imports."""
    code = "import sys; from experiments.cli import main; status = main(sys.argv[1:])\n"
    code += (
        "sys.stderr.write(' '.join({name.split('.')[0] for name in sys.modules})); sys.exit(status)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    return set(run.stderr.split())


@pytest.mark.parametrize("words", [("--help",), ("theorem", "--help"), ("bench", "-h")])
def test_help_of_a_group_needs_no_package(words):
    assert not imported_by(*words) & {"tyro", "rich", "numpy", "theory", "tabular", "torch"}


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (("theorem", "gallery"), {"torch", "tabular"}),
        (("env", "optimum", "PanFlute", "--size", "2"), {"torch", "theory"}),
        pytest.param(
            ("env", "optimum", "gym:FrozenLake-v1"),
            {"torch", "theory"},
            marks=pytest.mark.skipif(find_spec("gymnasium") is None, reason="needs gymnasium"),
        ),
        (("env", "render", "--help"), {"torch", "numpy"}),
        (("tabular", "--help"), {"torch", "theory"}),
        (("bench", "deep", "--help"), {"torch", "theory", "tabular"}),
        (("demo", "--help"), {"torch", "theory", "tabular"}),
        (("run", "--help"), {"torch", "theory", "tabular"}),
        (("compare", "--help"), {"torch", "theory", "tabular"}),
        (("sweep", "--help"), {"torch", "theory", "tabular"}),
        (("ask", "--help"), {"torch", "theory", "tabular"}),
    ],
)
def test_a_command_does_not_import_what_it_does_not_use(words, spared):
    assert not imported_by(*words) & spared


def test_a_command_is_loaded_from_where_the_registry_says():
    assert Command("cli:main", "").load() is main
