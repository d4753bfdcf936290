"""The report as a file: everything is in it, and nothing unescaped."""

import re
import sys
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("jinja2", reason="needs the extra report")

from jinja2 import UndefinedError
from markupsafe import Markup

from experiments.analysis.claims import Comparison
from experiments.cli import main
from experiments.exact.claims import CLAIMS
from experiments.report.content import glyph_of
from experiments.report.explorer import explorer_content
from experiments.report.pages import render, symbols
from experiments.report.pictures import figure
from experiments.studies.registry import STUDIES
from tests.experiments.called import complaint
from tests.experiments.report.conftest import RESULTS
from tests.experiments.report.html_reader import Reader
from theory import explicit, gallery_class, mdp_class


@pytest.fixture(scope="module")
def text(report):
    return report.read_text("utf-8")


def test_every_part_has_a_name_of_its_own_and_every_link_leads_to_one(text):
    reader = Reader(text)
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if link[1:] not in reader.ids} == set()
    references = set(re.findall(r'(?:url\(|href=")#([\w-]+)[)"]', text))
    assert references <= set(reader.ids)


def test_every_claim_is_there_with_its_verdict_and_links_to_its_study(text):
    for claim in CLAIMS:
        assert f'id="claim-{claim.id}"' in text
    assert 'id="smoothing-desk"' in text
    for claim in STUDIES["smoothing"].claims:
        assert f'id="claim-{claim.id}-desk"' in text
    assert 'id="claim-P-bf16-none"' in text
    assert 'id="precision-desk"' not in text


def test_the_page_asks_for_no_address(text):
    assert not re.findall(r"""(?:src|href)=["'](?!\#|data:)[^"']*""", text)
    assert not re.search(r"@import|url\((?![\"']?[#d])", text)
    assert "default-src 'none'" in text


def test_the_figure_and_the_table_below_it_show_the_same_numbers(text):
    start = text.index('<section id="smoothing-desk"')
    part = text[start : text.index("</section>", start)]
    said = re.findall(
        r"With 6 of 9 ends active the (\w+) model expects a reward of ([\d.e-]+)", part
    )
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows]
    for agent, reward in said:
        (shown,) = (row[3] for row in cells if row[:2] == [agent, "6"])
        assert float(shown) == pytest.approx(float(reward), rel=0.06)
    assert [agent for agent, _ in said] == ["simple", "gaussian", "categorical"]


def test_what_was_not_run_is_listed(text):
    start = text.index('<section id="not-run"')
    part = text[start : text.index("</section>", start)]
    assert STUDIES["precision"].title in part
    assert STUDIES["smoothing"].title not in part


def test_without_results_all_is_open_and_nothing_is_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("experiments.report.content.EXPLORED", ("smallest-witness",))
    (tmp_path / "results").mkdir()
    assert main(["report", "--results", str(tmp_path / "results"), "--out", str(tmp_path)]) == 0
    assert " 0 confirmed, 0 contradicted" in capsys.readouterr().out
    text = (tmp_path / "index.html").read_text("utf-8")
    assert "mbgen theorem decide" in text
    assert 'class="badge confirmed"' not in text[text.index("<main") :]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--results", "nowhere", "--out", "x"], "there is no folder nowhere"),
        (["--results", str(RESULTS), "--out", "/dev/null"], "cannot be made a folder"),
    ],
)
def test_what_cannot_be_done_is_refused_on_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in complaint(capsys, "report", *words)
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_for_templates_it_is_said_how_to_install_it(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    monkeypatch.delitem(sys.modules, "experiments.report.pages")
    for words in (
        ["report", "--out", str(tmp_path / "x")],
        ["theorem", "explore", "push-tree", "--out", "x.html"],
    ):
        assert main(words) == 2
        assert "pip install '.[report]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_names_from_outside_are_escaped():
    nasty = "</script><script>alert(1)</script>"
    problem = mdp_class(
        explicit([[[0], [2]], [[1], [0]]]), [[-1], [-1]], "1/2",
        name=nasty, state_names=["<b>", '"&'], action_names=["'go'"],
    )  # fmt: skip
    page = render("explore.html", explored=[explorer_content(problem)])
    assert nasty not in page
    assert "<b>" not in page
    Reader(page)
    assert symbols("H_M(D) < <b>H_B") == "H<sub>M</sub>(D) &lt; &lt;b&gt;H<sub>B</sub>"


def test_a_missing_piece_of_content_is_an_error():
    with pytest.raises(UndefinedError, match="explored"):
        render("explore.html")


def test_a_figure_keeps_its_names_to_itself_and_escapes_its_text():
    def draw(path):
        path.write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" '
            'height="36pt"><metadata/><defs><style>*{}</style><path id="a"/></defs>'
            '<use xlink:href="#a" clip-path="url(#c)"/><text>1 &lt; 2</text></svg>'
        )

    made = figure("one", "A < B", "words", draw)
    assert isinstance(made.svg, Markup)
    root = ET.fromstring(made.svg)
    assert [child.text for child in root if child.tag.endswith("title")] == ["A < B"]
    for piece in ('id="one-a"', '"#one-a"', "url(#one-c)", "max-width: 96px", "1 &lt; 2"):
        assert piece in made.svg
    assert "metadata" not in made.svg
    assert "<style" not in made.svg


@pytest.mark.parametrize(
    ("low", "high", "effect", "expected"),
    [(1.0, 2.0, 1.5, (73, 96, 84.5)), (-4.0, 1.0, -1.0, (4, 61.5, 38.5))],
)
def test_an_interval_is_drawn_to_its_farther_end(low, high, effect, expected):
    assert glyph_of(Comparison("", effect, low, high, 5)) == expected


def test_an_unbounded_interval_is_not_drawn():
    assert glyph_of(Comparison("", 1.0, float("-inf"), float("inf"), 1)) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tabular-4x2-sparse", "390,625 models; accepted for the explorer: 5,000 or fewer"),
        ("binary-factors-4", "16 states; accepted for the explorer: 8 or fewer"),
    ],
)
def test_a_class_that_is_too_large_is_refused(tmp_path, capsys, name, message):
    assert message in complaint(
        capsys, "theorem", "explore", name, "--out", str(tmp_path / "x.html")
    )
    assert list(tmp_path.iterdir()) == []


def test_the_explorer_is_a_page_and_says_so(tmp_path, capsys):
    assert main(["theorem", "explore", "push-tree", "--out", str(tmp_path / "x.txt")]) == 2
    assert "accepted: .html" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["push-tree", "noisy-factors"])
def test_every_possible_transition_is_drawn_once_and_starts_and_ends_at_a_rim(name):
    problem = gallery_class(name)
    content = explorer_content(problem)
    drawn = [(edge["s"], edge["a"], edge["t"]) for edge in content["edges"]]
    possible = {
        (s, a, successor)
        for index in range(problem.transitions.size)
        for s, row in enumerate(problem.chosen(problem.transitions.table(index)))
        for a, option in enumerate(row)
        for successor, _ in option.law
    }
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == possible
    assert len({edge["path"] for edge in content["edges"]}) == len(drawn)
    for edge in content["edges"]:
        numbers = [float(x) for x in re.findall(r"-?\d+\.\d+", edge["path"])]
        for end, node in ((numbers[:2], edge["s"]), (numbers[-2:], edge["t"])):
            centre = content["nodes"][node]
            distance = sum((x - y) ** 2 for x, y in zip(end, centre, strict=True)) ** 0.5
            assert distance == pytest.approx(content["radius"], abs=0.003)
