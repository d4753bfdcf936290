"""Where a run runs: chosen when it begins, and kept when it goes on."""

import json
from dataclasses import replace

import pytest

pytest.importorskip("torch")
import torch

from experiments.runs import machine
from experiments.runs.costs import estimated_memory
from experiments.runs.execution import execute
from experiments.runs.gym_settings import gym_settings
from experiments.runs.machine import (
    COMPILING_PAYS,
    Place,
    choose_place,
    choose_precision,
    gpu_memory,
    memory_bytes,
    stored_place,
)
from experiments.runs.run_folder import read_config
from experiments.runs.settings import run_settings
from tests.experiments.runs.killed_runs import TINY

SETTINGS = run_settings(**TINY)
PLACE = Place("cpu", "a processor", "bf16", "none", 1)


@pytest.fixture(autouse=True)
def same_threads_afterwards():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mbgen" / "precision.json"


def test_the_faster_precision_is_measured_once_and_kept(own_cache, monkeypatch):
    calls = []
    monkeypatch.setattr(machine, "_faster_precision", lambda: calls.append(1) or "bf16")
    assert [choose_precision("auto", "cpu") for _ in range(3)] == ["bf16"] * 3
    assert calls == [1]
    assert list(json.loads(own_cache.read_text()).values()) == ["bf16"]
    own_cache.write_text("{")
    assert choose_precision("auto", "cpu") == "bf16"
    assert len(calls) == 2


def test_what_is_measured_is_a_precision(own_cache):
    assert choose_precision("auto", "cpu") in ("highest", "bf16")


def test_a_precision_that_is_asked_for_is_taken_unasked(own_cache):
    assert choose_precision("high", "cpu") == "high"
    assert not own_cache.exists()


@pytest.mark.skipif(not machine.resolve("auto", torch.device("cpu")).compiled, reason="no compiler")
def test_a_cpu_compiles_what_is_long_enough():
    steps = COMPILING_PAYS + SETTINGS.learning_starts
    for made, expected in ((SETTINGS, "none"), (replace(SETTINGS, steps=steps), "compile")):
        assert choose_place(made, "cpu").acceleration == expected


def test_a_run_goes_on_where_it_began():
    assert stored_place(PLACE.stored()) == PLACE
    assert torch.get_num_threads() == 1
    for option in ({"device": "cpu"}, {"acceleration": "none"}):
        assert stored_place(PLACE.stored(), **option) == PLACE


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"device": "cuda"}, "the run began with device cpu, got cuda"),
        ({"acceleration": "compile"}, "the run began with acceleration none, got compile"),
    ],
)
def test_another_place_is_refused(option, message):
    with pytest.raises(ValueError, match=message):
        stored_place(PLACE.stored(), **option)


def test_a_stored_place_that_is_none_is_refused():
    with pytest.raises(ValueError, match="this is no place of a run: device"):
        stored_place({"device": "cpu"})


def test_a_run_that_is_gone_on_with_takes_the_number_of_threads_it_began_with(tmp_path):
    seen = []
    torch.set_num_threads(1)
    execute(
        SETTINGS, tmp_path / "run", device="cpu",
        interrupted=lambda: bool(seen), report=lambda moment: seen.append(moment.steps),
    )  # fmt: skip
    torch.set_num_threads(2)
    assert execute(SETTINGS, tmp_path / "run", resume=True).summary
    assert torch.get_num_threads() == 1
    config = read_config(tmp_path / "run")
    assert config["place"]["threads"] == 1
    assert [sitting["first_step"] for sitting in config["sittings"]] == [0, seen[-1]]


@pytest.mark.parametrize(
    ("visible", "names"), [(None, ["0", "1"]), ("", ["0", "1"]), ("GPU-7, 2", ["GPU-7", "2"])]
)
def test_gpus_are_named_as_a_process_that_is_to_see_one_of_them_knows_it(
    monkeypatch, visible, names
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    properties = type("Properties", (), {"total_memory": 80})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: properties)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu_memory() == dict.fromkeys(names, 80)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"agent": "categorical", "lanes": 30, "steps": 30_000},
        {"env": "OpenGrid", "size": 100, "steps": 30_000},
        {"env": "PanFlute", "size": 60, "steps": 30_000, "prioritized": True},
        {"agent": "simple", "size": 7, "structured": True},
        {"env": "gym:FrozenLake-v1", "steps": 1_000_000},
    ],
)
def test_the_memory_that_a_sweep_plans_with_is_at_least_what_a_run_holds(changed):
    usual = {
        "agent": "er",
        "env": "ProcMaze",
        "size": 4,
        "regime": "high",
        "lanes": 5,
        "steps": 500,
    }
    options = usual | changed
    if options["env"].startswith("gym:"):
        pytest.importorskip("gymnasium")
        given = {name: options[name] for name in ("agent", "env", "regime", "steps")}
        made = gym_settings(lanes=options["lanes"], given=given)
    else:
        made = run_settings(**options)
    assert estimated_memory(made) >= sum(memory_bytes(made).values())
