"""Pages that several tests look at, each made once."""

import shutil
from pathlib import Path

import pytest

from experiments.cli import main
from experiments.questions.asking import Asking
from experiments.questions.question import Plan, Question
from experiments.studies.registry import STUDIES
from tests.experiments.questions.made_up_runs import carrying
from tests.experiments.report.browser import headless

RESULTS = Path(__file__).parents[3] / "results"
SHOWN = ("smoothing", "precision")
"""A study without costly references that has all its runs, and one that is given none."""


@pytest.fixture(scope="session")
def browser():
    with headless() as started:
        yield started


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    """The report of the committed results of one study, and of another without any."""
    pytest.importorskip("jinja2")
    folder = tmp_path_factory.mktemp("report")
    results = tmp_path_factory.mktemp("results")
    for part in (f"desk/{SHOWN[0]}", "theorem"):
        shutil.copytree(RESULTS / part, results / part)
    with pytest.MonkeyPatch.context() as patch:
        studies = {name: STUDIES[name] for name in SHOWN}
        for module in ("experiments.ledger.STUDIES", "experiments.report.content.STUDIES"):
            patch.setattr(module, studies)
        patch.setattr("experiments.report.content.EXPLORED", ("smallest-decision", "push-tree"))
        assert main(["report", "--results", str(results), "--out", str(folder)]) == 0
    return folder / "index.html"


@pytest.fixture(scope="session")
def explorer(tmp_path_factory):
    """The explorer of the push-tree class."""
    pytest.importorskip("jinja2")
    path = tmp_path_factory.mktemp("explorer") / "push-tree.html"
    assert main(["theorem", "explore", "push-tree", "--out", str(path)]) == 0
    return path


@pytest.fixture(scope="session")
def asked(tmp_path_factory):
    """A question that was decided at its third look, by runs that are made up, and the page of its answer."""
    pytest.importorskip("jinja2")
    from experiments.commands.ask_output import write_page

    question = Question(
        agents=("er", "simple"),
        env="PanFlute",
        size=2,
        regime="high",
        steps=1_500,
        seeds=5,
        more={},
    )
    folder = tmp_path_factory.mktemp("question")
    asking = Asking(question, Plan(4, 0.1, 10.0, 0.2), folder, lambda _: None)
    carry = carrying(folder, {"er": 0.0, "simple": 0.22, "perfect": 0.3}, spread=0.25)
    asking.ask(carry, None)
    asking.explain(carry, None)
    content = asking.answer()
    write_page(asking, content)
    return content, folder / "answer.html"
