"""The pages in a browser: nothing fails or is asked for, all is drawn, by mouse and by keyboard, for everybody."""

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="needs the extra report")

from experiments.cli import main
from tests.experiments.report.browser import SCHEMES, WIDTHS, opened, violations
from theory import gallery_class, solve, version_space

EVERYWHERE = [(width, scheme) for width in WIDTHS for scheme in SCHEMES]


@pytest.mark.parametrize(("width", "scheme"), EVERYWHERE)
def test_axe_finds_nothing_in_the_report_and_it_fits_the_screen(browser, report, width, scheme):
    with opened(browser, report, width=width, scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "scheme"), EVERYWHERE[::3])
def test_axe_finds_nothing_in_the_page_of_a_question_and_it_fits_the_screen(
    browser, asked, width, scheme
):
    with opened(browser, asked[1], width=width, scheme=scheme) as page:
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("figure svg:visible").count() == 2


@pytest.mark.parametrize(("width", "scheme"), EVERYWHERE[:1])
def test_axe_finds_nothing_in_the_explorer_and_it_fits_the_screen(browser, explorer, width, scheme):
    with opened(browser, explorer, width=width, scheme=scheme) as page:
        page.click("#x-example")
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_every_figure_is_drawn(browser, report):
    with opened(browser, report) as page:
        drawn = page.evaluate(
            """[...document.querySelectorAll("figure")].map((figure) => {
              const box = figure.querySelector("svg").getBoundingClientRect();
              const text = figure.querySelector("figcaption").textContent.length;
              return [figure.id, box.width > 200 && box.height > 100, figure.querySelectorAll("path").length, text];
            })"""
        )
    assert [name for name, *_ in drawn] == [
        "push-tree-identifiability", "push-tree-witness", "tabular-sizes", "figure-smoothing-desk",
    ]  # fmt: skip
    assert all(large and paths > 20 and words > 60 for _, large, paths, words in drawn)


def test_filters_show_what_fits_by_mouse_and_by_keyboard(browser, report):
    with opened(browser, report) as page:
        total = page.locator(".claims > li").count()
        assert page.inner_text("#shown") == f"{total} of {total} shown"
        page.select_option("[data-filter=study]", "smoothing")
        assert page.locator(".claims > li:visible").count() == 2
        assert page.inner_text("#shown") == f"2 of {total} shown"
        page.select_option("[data-filter=verdict]", "open")
        assert page.locator(".claims > li:visible").count() == 0
        page.focus("[data-filter=study]")
        page.keyboard.press("Home")  # "all"
        assert (
            page.locator(".claims > li:visible").count()
            == page.locator(".claims > li[data-verdict=open]").count()
        )


def test_a_link_to_a_claim_that_is_hidden_shows_it(browser, report):
    with opened(browser, report) as page:
        page.select_option("[data-filter=study]", "theorem")
        page.click(".verdicts a[href='#claim-S-reward-desk']")
        page.wait_for_function("!document.getElementById('claim-S-reward-desk').hidden")


def test_it_works_without_scripts_and_all_is_open_in_print(browser, report):
    with opened(browser, report, java_script_enabled=False) as page:
        assert page.locator("#filters").is_hidden()
        assert page.locator(".explorer .live").is_hidden()
        assert page.locator(".claims > li").count() == page.locator(".claims > li:visible").count()
        table = page.locator("#smoothing-desk > details table").first
        assert table.is_hidden()
        page.locator("#smoothing-desk > details summary").first.click()
        assert table.is_visible()
        page.emulate_media(media="print")
        tables = page.locator("details table")
        assert tables.count() == 4
        heights = tables.evaluate_all(
            "tables => tables.map((t) => t.getBoundingClientRect().height)"
        )
        assert min(heights) > 20


def expected_answers(solved, dataset):
    """What the page must say, by `theory`."""
    space = version_space(solved, dataset)
    problem = solved.problem
    left = {"HM": np.flatnonzero(space.HM), "HB": np.flatnonzero(space.HB)}
    answers = {name: str(len(found)) for name, found in left.items()}
    answers["models"] = f"{space.models_consistent} of {len(solved.models)}"
    for name, found in left.items():
        tables = [solved.q_table(int(q)) for q in found]
        answers[f"values {name}"] = [
            listed(sorted({table[s][a] for table in tables}))
            for s in range(problem.states)
            for a in range(problem.actions)
        ]
        answers[f"greedy {name}"] = [
            greedy(problem, solved.greedy[found, s]) for s in range(problem.states)
        ]
    return answers


def listed(values):
    if not values:
        return "nothing"
    if len(values) <= 8:
        return ", ".join(map(str, values))
    return f"{len(values)} values, {values[0]} to {values[-1]}"


def greedy(problem, optimal):
    if not len(optimal):
        return "nothing is left"
    always, ever = optimal.all(axis=0), optimal.any(axis=0)
    word, chosen = ("settled", always) if always.any() else ("open", ever)
    return f"{word}: {' or '.join(problem.action_name(int(a)) for a in np.flatnonzero(chosen))}"


OBSERVE = """(dataset) => {
  document.getElementById("x-clear").click();
  for (const transition of dataset) {
    document.querySelector(`[data-transition="${transition.join(",")}"]`).click();
  }
  const text = (id) => document.getElementById(id).textContent;
  const column = (id, at) => [...document.getElementById(id).rows].map((row) => row.cells[at].textContent);
  return {
    "HM": text("x-HM"), "HB": text("x-HB"), "models": text("x-models"),
    "values HM": column("x-pairs", 3), "values HB": column("x-pairs", 4),
    "greedy HM": column("x-greedy", 1), "greedy HB": column("x-greedy", 2),
  };
}"""


@pytest.mark.parametrize(
    ("name", "count"),
    [("push-tree", 20), ("push-tree-independent", 10), ("tabular-2x2-sparse", 10), ("gamma-one", 5),
     ("binary-factors-2", 5), ("noisy-factors", 10), ("unknown-rewards-and-ways", 5)],
)  # fmt: skip
def test_the_explorer_says_what_theory_says_of_random_datasets(browser, tmp_path, name, count):
    solved, random = solve(gallery_class(name)), np.random.default_rng(0)
    path = tmp_path / "explorer.html"
    assert main(["theorem", "explore", name, "--out", str(path)]) == 0
    with opened(browser, path) as page:
        buttons = page.locator("[data-transition]").evaluate_all(
            "found => found.map((button) => button.dataset.transition)"
        )
        possible = [tuple(map(int, button.split(","))) for button in buttons]
        strict = 0
        for _ in range(count):
            size = min(int(random.integers(0, 5)), len(possible))
            chosen = random.choice(len(possible), size, replace=False)
            dataset = [possible[index] for index in chosen]
            found = page.evaluate(OBSERVE, dataset)
            assert found == expected_answers(solved, dataset)
            strict += found["HM"] != found["HB"]
    assert strict or not name.startswith("push-tree")


def test_the_explorer_works_by_keyboard_and_keeps_the_focus(browser, explorer):
    with opened(browser, explorer) as page:
        page.focus("[data-transition='0,0,2']")
        page.keyboard.press("Enter")
        assert page.inner_text("#x-size") == "1"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.inner_text("#x-size") == "2"
        assert page.evaluate("document.activeElement.dataset.transition") is not None
        page.focus("#x-undo")
        page.keyboard.press("Enter")
        assert page.inner_text("#x-size") == "1"
        assert page.get_attribute("[data-transition='0,0,2']", "aria-pressed") == "true"


def test_with_chance_an_arrow_is_what_some_of_the_options_may_do(browser, tmp_path):
    path = tmp_path / "explorer.html"
    assert main(["theorem", "explore", "push-tree-fails", "--out", str(path)]) == 0
    with opened(browser, path) as page:
        button = page.locator("[data-transition^='0,0,']", has_text=" by 1/10")
        s, a, o = button.first.get_attribute("data-transition").split(",")
        button.first.click()
        seen = page.locator(".edge.seen").evaluate_all("found => found.map((e) => e.dataset.edge)")
        problem = gallery_class("push-tree-fails")
        law = problem.option_at(int(s), int(a), int(o)).law
        assert sorted(seen) == sorted(f"{s},{a},{x}" for x, _ in law)
        assert len(law) == 2


def test_a_click_on_an_arrow_observes_its_transition_and_another_forgets_it(browser, explorer):
    with opened(browser, explorer) as page:
        arrow = ".edge[data-edge='3,1,4'] .hit"
        where = page.evaluate(
            """(arrow) => {
              const path = document.querySelector(arrow);
              const middle = path.getPointAtLength(path.getTotalLength() / 2);
              const point = middle.matrixTransform(path.getScreenCTM());
              return [point.x, point.y];
            }""",
            arrow,
        )
        page.mouse.click(*where)
        assert page.inner_text("#x-size") == "1"
        assert page.get_attribute("[data-transition='3,1,4']", "aria-pressed") == "true"
        page.mouse.click(*where)
        assert page.inner_text("#x-size") == "0"


def test_each_q_that_is_left_is_explained_or_it_is_said_what_contradicts_it(browser, explorer):
    with opened(browser, explorer) as page:
        page.click("#x-example")
        told = []
        for _ in range(19):
            told.append(page.inner_text("#x-explained"))
            if page.is_enabled("#x-next"):
                page.click("#x-next")
        assert page.is_disabled("#x-next")
        explained = [text for text in told if "explains it: it agrees" in text]
        assert len(explained) == int(page.inner_text("#x-HM")) == 10
        contradicted = [text for text in told if "No model that agrees" in text]
        assert len(contradicted) == 9
        assert all("was observed, and it leads to" in text for text in contradicted)


def test_in_the_report_another_class_can_be_chosen(browser, report):
    with opened(browser, report) as page:
        page.select_option("#x-class", label="push-tree")
        page.click("#x-example")
        assert (page.inner_text("#x-HM"), page.inner_text("#x-HB")) == ("10", "19")
        assert "(0,1)" in page.inner_text("#x-greedy")
