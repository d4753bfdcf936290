"""A certificate that tests of several files change."""

import pytest

from tests.theory.certificates.tampering import made
from theory.certificates.witness import find_decision_witness


@pytest.fixture(scope="session")
def small():
    """The smallest decision: every field has something in it."""
    return made("smallest-decision", find_decision_witness)
