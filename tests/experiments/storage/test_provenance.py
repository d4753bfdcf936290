"""Where a result comes from."""

import subprocess

import pytest

from experiments.storage import provenance as module
from experiments.storage.provenance import RESULTS_VERSION, code_version, processor, provenance


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of git in place of ours."""

    def git(*words):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", tmp_path, *identity, *words], check=True, capture_output=True)

    git("init", "--quiet")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "code.py").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    monkeypatch.delenv("MBGEN_COMMIT", raising=False)
    code_version.cache_clear()
    yield tmp_path
    code_version.cache_clear()


def test_it_tells_code_machine_and_versions():
    found = provenance()
    assert found["results_version"] == RESULTS_VERSION
    assert found["processor"] == processor() != ""
    assert found["cores"] >= 1
    assert {"python", "numpy"} <= found["versions"].keys()


def test_results_do_not_make_the_code_unclean_and_changed_code_does(checkout):
    (checkout / "results.txt").write_text("42")
    assert code_version()["clean"] is True
    assert len(code_version()["commit"]) == 40
    (checkout / "deep" / "code.py").write_text("2")
    code_version.cache_clear()
    assert code_version()["clean"] is False


def test_a_copy_without_history_says_its_commit_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    monkeypatch.setenv("MBGEN_COMMIT", "abc1234")
    code_version.cache_clear()
    assert code_version() == {"commit": "abc1234", "clean": None}
    monkeypatch.setenv("MBGEN_COMMIT", "unknown")
    code_version.cache_clear()
    with pytest.raises(ValueError, match="MBGEN_COMMIT is 'unknown'; accepted: a commit"):
        code_version()
    monkeypatch.delenv("MBGEN_COMMIT")
    code_version.cache_clear()
    assert code_version() == {"commit": None, "clean": None}
    code_version.cache_clear()
