"""What several tests of the command read."""

import json

import pytest

from tests.experiments.called import CLASS


@pytest.fixture
def class_file(tmp_path):
    path = tmp_path / "two-models.json"
    path.write_text(json.dumps(CLASS))
    return path
