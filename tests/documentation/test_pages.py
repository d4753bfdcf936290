"""Pages that state what can be checked: every page is reached, flags exist, and tables are what is stored."""

import json
import re
import shlex
import tomllib
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from experiments.analysis.interval_coverage import Coverage, coverage_table
from experiments.cli import MBGEN, Command
from experiments.commands.completion import options_of
from experiments.commands.terminal import table
from experiments.evidence import IN_THE_PAPER, evidence_page
from experiments.exact.claims import exact_entries
from experiments.ledger import ledger
from experiments.studies.registry import STUDIES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def read(name):
    return (DOCS / name).read_text("utf-8")


def test_every_page_is_in_the_contents_and_everything_there_exists():
    contents = re.findall(r"```\{toctree\}\n(.*?)```", read("index.md"), re.DOTALL)
    listed = [line for part in contents for line in part.splitlines() if line and line[0] != ":"]
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")}
    generated = {name for name in listed if name.startswith("_generated/")}
    assert generated == {"_generated/commands"}
    ours = {page for page in pages if not page.startswith(("_generated/", "_build/"))}
    assert ours == set(listed) - generated | {"index"}
    assert len(listed) == len(set(listed))


COMMAND = re.compile(r"(?:^(?: {4})?|`|\$ )(mbgen [^`\n]*?)(?:`|  |\n|$)", re.MULTILINE)
NAMED = {
    str(path.relative_to(ROOT)): COMMAND.findall(path.read_text("utf-8"))
    for path in [ROOT / "README.md", *DOCS.glob("*.md"), *DOCS.glob("tutorials/*.md")]
}


def test_commands_are_found_where_pages_name_them():
    assert len(NAMED["README.md"]) > 10
    assert sum(map(len, NAMED.values())) > 100


@pytest.mark.parametrize("page", [page for page, lines in NAMED.items() if lines])
def test_every_command_that_a_page_names_exists_with_its_flags(page):
    for line in NAMED[page]:
        member, words = MBGEN, shlex.split(line.split("#")[0].split(">")[0])[1:]
        while words and not isinstance(member, Command):
            word = words.pop(0)
            if word in ("--help", "--version"):
                break
            assert word in member.members, line
            member = member.members[word]
        if isinstance(member, Command):
            known = {*options_of(member), "--help"}
            assert {word for word in words if word.startswith("--")} <= known, line


FILE = re.compile(r"\b(?:theory|tabular|deep|experiments|tests|examples)/[\w/]+\.(?:py|v)\b")


@pytest.mark.parametrize(
    "page", [*ROOT.glob("*.md"), *DOCS.rglob("*.md")], ids=lambda page: page.name
)
def test_every_file_of_code_that_a_page_names_exists(page):
    named = set(FILE.findall(page.read_text("utf-8")))
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_page_of_evidence_is_what_the_ledger_says():
    page = DOCS / "evidence.md"
    made = evidence_page(
        exact_entries(ROOT / "results"), ledger(ROOT / "results"), page, DOCS / "pictures"
    )
    assert read("evidence.md") == made, "make evidence"
    assert IN_THE_PAPER.keys() == {n for n, study in STUDIES.items() if "figure" in study.source}


def test_departures_are_numbered_one_after_the_other():
    numbers = re.findall(r"^\| (\d+) \|", read("departures.md"), re.MULTILINE)
    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))


def test_the_table_of_coverage_is_what_is_stored():
    stored = json.loads((ROOT / "results" / "intervals.json").read_text("utf-8"))["coverage"]
    screen = Console(file=StringIO(), width=120, highlight=False, markup=False)
    screen.print(table("", *coverage_table([Coverage(**each) for each in stored])))
    printed = [line.rstrip() for line in screen.file.getvalue().splitlines() if line.strip()]
    (shown,) = re.findall(r"```text\n(.*?)```", read("statistics.md"), re.DOTALL)
    assert shown.splitlines() == printed


def test_the_citation_names_the_version_and_the_paper():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"\nversion: {version}\n" in text
    assert "The Benefits of Model-Based Generalization in Reinforcement Learning" in text


def test_every_promise_about_files_of_strangers_names_a_test_that_exists():
    rows = re.findall(r"^\|.*\|$", (ROOT / "SECURITY.md").read_text("utf-8"), re.MULTILINE)[2:]
    assert len(rows) > 10
    for row in rows:
        held = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row)
        assert held, row
        for file, name in held:
            assert f"\ndef {name}(" in (ROOT / file).read_text("utf-8"), (file, name)
