"""The list of breaks of the mutation check is up to date with the code it breaks."""

import pytest

from tests.properties.mutation_check import BREAKS, ROOT, source
from tests.properties.registry import SMALL


@pytest.mark.parametrize("broken", BREAKS, ids=lambda b: f"{b.environment}: {b.rule}")
def test_each_break_changes_exactly_one_place(broken):
    text = source(ROOT, broken.file).read_text()
    assert text.count(broken.right) == 1
    assert broken.right != broken.wrong
    compile(text.replace(broken.right, broken.wrong), broken.file, "exec")


def test_every_registered_environment_has_its_rules_broken():
    registered = {type(case.batched).__name__ for case in SMALL}
    assert registered == {broken.environment for broken in BREAKS}
