"""Manifests: what is written is read, and a line that is none is named by its number."""

import importlib
import json
import re

import pytest

from experiments.runs.gym_settings import gym_settings
from experiments.studies.registry import STUDIES
from experiments.studies.study import manifest
from experiments.sweep.manifest import add_to_manifest, read_manifest, write_manifest

RUNS = manifest([STUDIES["quirks"]], "smoke")


def line(run=RUNS[0], **changed):
    held = {"id": run.id, "settings": run.settings.stored(), "priority": run.priority} | changed
    return json.dumps(held)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "manifest.jsonl"
    write_manifest(path, RUNS)
    assert read_manifest(path) == (RUNS, [])
    assert len(path.read_text().splitlines()) == len(RUNS)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("{", "no JSON"),
        ("[]", "accepted: "),
        ('{"id": "a/b"}', "accepted: "),
        (line(id="../up"), r"the id is '\.\./up'; accepted"),
        (line(id="a//b"), "the id is 'a//b'; accepted"),
        (line(id=3), "the id is 3; accepted"),
        (line(id="."), r"the id is '\.'; accepted"),
        (line(id="./a"), r"the id is '\./a'; accepted"),
        (line(settings={"kind": []}), r"the kind of a run is \[\]; accepted"),
        ('{"id": "a/b", "settings": ' + 20_000 * "[", "no JSON: maximum recursion"),
        (line(priority="first"), "the priority is 'first'; accepted: a whole number"),
        (line(settings=[]), "the settings of a run are an object"),
        (line(settings=RUNS[0].settings.stored() | {"agent": "sarsa"}), "agent must be one of er,"),
        (line(settings=RUNS[0].settings.stored() | {"seeds": 3}), "seeds is 3; accepted: a list"),
        (line(settings=RUNS[0].settings.stored() | {"colour": 1}), "have no key 'colour'"),
        (line(RUNS[1], id=RUNS[0].id), "was named before for other settings"),
    ],
)
def test_a_broken_line_is_named_by_its_number_and_the_others_are_read(tmp_path, broken, message):
    path = tmp_path / "runs.jsonl"
    path.write_text("\n".join([line(), "", broken, line(RUNS[2])]))
    runs, (complaint,) = read_manifest(path)
    assert [run.id for run in runs] == [RUNS[0].id, RUNS[2].id]
    assert complaint.startswith(f"{path}, line 3: ")
    assert re.search(message, complaint)
    assert "\n" not in complaint


@pytest.mark.parametrize("content", [b"", b"\n\n", b"nonsense", b"\xff\xfe\x00"])
def test_a_file_that_names_no_run_is_refused(tmp_path, content):
    path = tmp_path / "runs.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(str(path))):
        read_manifest(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_manifest(tmp_path / "none")


def test_reading_a_manifest_imports_no_module_that_it_names(tmp_path, monkeypatch):
    (tmp_path / "beside_the_manifest.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    given = {"env": "gym:beside_the_manifest:Any-v0", "agent": "er", "regime": "high"}
    given |= {"steps": 1_100, "step_size": 1e-4, "temperature": 1.0}
    settings = gym_settings(lanes=1, given=given)
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({"id": "a/b", "settings": settings.stored()}))
    (run,), complaints = read_manifest(path)
    assert (run.settings, complaints) == (settings, [])
    with pytest.raises(AssertionError, match="imported"):
        importlib.import_module("beside_the_manifest")


def test_a_manifest_that_has_the_runs_is_left_as_it_is_and_no_broken_line_is_lost(tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text("\n".join([line(), '{"id": "mistyped",}', line(RUNS[2])]))
    before = path.read_text()
    add_to_manifest(path, [RUNS[0], RUNS[2]])
    assert path.read_text() == before
    with pytest.raises(ValueError, match=r"manifest.jsonl, line 2: no JSON.*; to be mended or rem"):
        add_to_manifest(path, [RUNS[1]])
    assert path.read_text() == before


def test_runs_that_are_new_are_added_by_their_priority(tmp_path):
    path = tmp_path / "manifest.jsonl"
    write_manifest(path, RUNS[1:3])
    add_to_manifest(path, RUNS[:2])
    runs, _ = read_manifest(path)
    assert sorted(run.id for run in runs) == sorted(run.id for run in RUNS[:3])
    assert runs == sorted(runs, key=lambda run: run.priority)
