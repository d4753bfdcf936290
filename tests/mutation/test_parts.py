"""The table of what decides is up to date with the code, and what is kept with the table."""

import pytest

from tests.mutation.environment_rules import BREAKS
from tests.mutation.findings import read, summary
from tests.mutation.parts import PARTS, ROOT
from tests.properties.registry import SMALL

SUBJECTS = [subject for subjects in PARTS.values() for subject in subjects]
KEPT = read(ROOT / "results" / "mutation.json")


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_subject_has_changes_and_tests_that_exist(subject):
    found = subject.changes(ROOT)
    assert len({change.text for _, change in found}) == len(found) > 3
    for file, change in found[:: max(1, len(found) // 20)]:
        compile(change.text, file, "exec")
    for run in subject.tests:
        files = [argument.partition("::")[0] for argument in run if argument.startswith("tests/")]
        assert files
        assert all((ROOT / file).exists() for file in files)


@pytest.mark.parametrize("each", BREAKS, ids=lambda each: f"{each.environment}: {each.rule}")
def test_a_rule_is_broken_in_exactly_one_place(each):
    text = (ROOT / "deep" / "environments" / each.file).read_text("utf-8")
    assert text.count(each.right) == 1
    assert each.right != each.wrong


def test_every_registered_environment_has_its_rules_broken():
    registered = {type(case.batched).__name__ for case in SMALL}
    assert registered == {each.environment for each in BREAKS}


def test_the_page_shows_what_is_kept_of_every_part():
    page = (ROOT / "docs" / "tests.md").read_text("utf-8")
    assert "\n".join(summary(KEPT)) in page, "python -m tests.mutation"
    assert {each.part for each in KEPT.values()} == set(PARTS)
    assert set(KEPT) <= {subject.name for subject in SUBJECTS}
