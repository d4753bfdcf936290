"""Settings are plain data, the same on every machine, and held to what `deep` knows."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.runs.offline_settings import OfflineSettings
from experiments.runs.settings import AGENTS, LATENT, MOST_VALUE_STEPS, RunSettings, run_settings
from experiments.runs.stored_settings import stored_settings
from experiments.tasks import ENVIRONMENTS, EVENTS, REGIMES, batched_environment

ROOT = Path(__file__).parents[3]
SETTINGS = run_settings(agent="simple", env="procmaze", size=2, regime="high", steps=1_100, lanes=2)


def test_lanes_count_up_from_the_first_seed_and_take_the_tuned_settings():
    assert SETTINGS.env == "ProcMaze"
    assert SETTINGS.seeds == (0, 1)
    assert SETTINGS.step_sizes == (2e-4, 2e-4)
    assert SETTINGS.temperatures == (0.8, 0.8)
    assert SETTINGS.updates == 100


def test_a_low_data_run_makes_ten_updates_a_step():
    low = replace(SETTINGS, regime="low", steps=1_010)
    assert low.updates == 100


@given(
    st.sampled_from(AGENTS), st.sampled_from(["high", "low"]), st.integers(1, 5), st.integers(0, 9)
)
def test_what_is_stored_is_read_and_has_the_same_digest(agent, regime, lanes, seed):
    settings = run_settings(
        agent=agent, env="PanFlute", size=3, regime=regime, steps=2_000, lanes=lanes, seed=seed
    )
    again = stored_settings(json.loads(json.dumps(settings.stored())))
    assert again == settings
    assert again.digest == settings.digest


OFFLINE = OfflineSettings(
    agent="simple", coverage="single-cell", steps=50, seeds=(3, 4), step_sizes=(1e-4, 2e-4),
    temperatures=(1.0, 0.5),
)  # fmt: skip


def test_settings_on_fixed_data_are_stored_with_their_kind_and_read():
    stored = json.loads(json.dumps(OFFLINE.stored()))
    assert stored["kind"] == "offline"
    assert stored_settings(stored) == OFFLINE
    changes = [
        {"coverage": "no-evaluation"}, {"terminal_step": "from-goal"}, {"steps": 60},
        {"agent": "er", "rollout_length": 1}, {"rollout_length": 1}, {"model_batch_size": 320},
    ]  # fmt: skip
    digests = {replace(OFFLINE, **change).digest for change in changes}
    assert len(digests | {OFFLINE.digest}) == len(changes) + 1


def test_what_was_stored_before_a_setting_was_added_keeps_its_digest():
    stored = SETTINGS.stored()
    assert not {"kind", *RunSettings.added} & stored.keys()
    assert stored_settings(stored) == SETTINGS
    # Of the first run of the desk scale, stored long before.
    kept = ROOT / "results/desk/online/procmaze-4-high-er/config.json"
    config = json.loads(kept.read_text(encoding="utf-8"))
    assert stored_settings(config["settings"]).digest == config["digest"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "replay"}, "the kind of a run is 'replay'; accepted: online, offline"),
        ({"coverage": "all"}, "coverage must be one of all-evaluation, .* got 'all'"),
        (
            {"terminal_step": "goal"},
            "terminal_step must be one of into-goal, from-goal, got 'goal'",
        ),
        ({"agent": "perfect"}, "agent must be one of er, simple, got 'perfect'"),
        ({"agent": "er"}, "rollout_length must be 1 with er, .* got 10"),
        ({"steps": 0}, "steps must be a whole number"),
        ({"size": 3}, "the settings of a run have no key 'size'"),
    ],
)
def test_what_fixed_data_cannot_be_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        stored_settings(OFFLINE.stored() | change)


def test_updates_on_a_frozen_model_begin_once_more_after_the_first_steps():
    frozen = replace(SETTINGS, steps=2_500, model_steps=1_200)
    steps = (1_000, 1_100, 1_200, 2_200, 2_300, 2_500)
    assert [frozen.updates_after(each) for each in steps] == [0, 100, 200, 200, 300, 500]


def test_with_more_updates_a_step_the_target_network_is_still_copied_every_hundred_updates():
    pytest.importorskip("torch")
    from experiments.runs.assembly import protocol_of

    for regime in ("high", "low"):
        more = replace(SETTINGS, regime=regime, updates_per_step=20)
        protocol = protocol_of(more)
        assert (protocol.updates_per_step, protocol.target_period) == (20, 5)
        assert more.updates == 100 * 20


def test_every_setting_changes_the_digest():
    er = {"agent": "er", "rollout_length": 1}
    changes = [
        er, {"size": 3}, {"steps": 1_200}, {"seeds": (0, 2)}, {"buffer": 1_000},
        {"precision": "highest"}, {"spontaneous": False}, {"event": "terminate"},
        {"clipped_logit_sampling": True}, {"stale_reset_observation": True},
        {"rollout_length": 5}, {"model_batch_size": 64}, {"evaluation_interval": 50},
        {"model_steps": 1_050}, {"env": "PanFlute", "forecasts": True}, {"env": "PanFlute"},
        {"real_share": 0.05}, {"updates_per_step": 10}, er | {"prioritized": True},
        er | {"counterfactual": True}, {"model_quality": True},
        {"structured": True}, {"agent": "gaussian", "value_steps": 1},
        {"structured": True, "gate_price": 0.0}, {"structured": True, "gate_noise": False},
    ]  # fmt: skip
    digests = {replace(SETTINGS, **change).digest for change in changes}
    assert len(digests | {SETTINGS.digest}) == len(changes) + 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"event": "redraw"}, "the event of ProcMaze is 'redraw'; accepted: goal, terminate"),
        ({"env": "PanFlute", "event": "goal"}, "accepted: none, since it has one form"),
        ({"size": 0}, "size must be a whole number, 1 or more, got 0"),
        ({"seeds": ()}, "a run has 1 to 1,000,000 lanes"),
        ({"seeds": (0, -1)}, "seed must be a whole number"),
        ({"temperatures": (1.0,)}, "temperatures must be 2, one for each lane, got 1"),
        ({"temperatures": (1.0, 1e-50)}, "temperature must be a positive number in float32"),
        ({"step_sizes": (1.0, 1e400)}, "step size must be a positive number in float32"),
        ({"spontaneous": 1}, "spontaneous must be one of True, False, got 1"),
        ({"rollout_length": 3}, "rollout_length must be a divisor of 320, got 3"),
        ({"buffer": 31}, "buffer must hold the 32 transitions"),
        ({"model_batch_size": 321}, "model_batch_size must be a whole number, 1 to 320"),
        ({"updates_per_step": 3}, "updates_per_step must be one of 1, 2, 4, 5, .* 100, got 3"),
        ({"counterfactual": True}, "counterfactual is an option of the agent er, got simple"),
        (
            {"agent": "er", "rollout_length": 1, "prioritized": True, "counterfactual": True},
            "prioritized and counterfactual exclude each other",
        ),
        (
            {"agent": "gaussian", "value_steps": 11},
            "value_steps must be a whole number, 1 to 10, got 11",
        ),
        (
            {"value_steps": 1},
            "value_steps is an option of the agents categorical, gaussian, got simple",
        ),
        (
            {"agent": "categorical", "value_steps": 1, "model_quality": True},
            "model_quality needs a model that predicts observations; one with value_steps does not",
        ),
        (
            {"agent": "gaussian", "structured": True},
            "structured is an option of the agent simple, got gaussian",
        ),
        ({"gate_price": 0.01}, "gate_price needs structured True, got 0.01 without"),
        ({"gate_noise": False}, "gate_noise needs structured True, got False without"),
        (
            {"structured": True, "gate_price": -1.0},
            "gate_price must be a number from 0 to 1, got -1.0",
        ),
        ({"structured": True, "gate_noise": 0}, "gate_noise must be one of True, False, got 0"),
        (
            {"agent": "er", "rollout_length": 1, "model_quality": True},
            "model_quality needs an agent that learns a model, .* got er",
        ),
        (
            {"model_quality": True, "model_steps": 1_050},
            "model_quality asks what the model has met, which is forgotten at model_steps: got both",
        ),
        ({"prioritized": True}, "prioritized is an option of the agent er, got simple"),
        ({"real_share": 1.5}, "real_share must be a number from 0 to 1, got 1.5"),
        ({"real_share": math.inf}, "real_share must be a number from 0 to 1, got inf"),
        ({"real_share": 0.5, "buffer": 159}, "buffer must hold the 160 transitions"),
        (
            {"real_share": 0.5, "agent": "perfect"},
            "real_share needs an agent that learns a model, .* got perfect",
        ),
    ],
)
def test_what_is_out_of_range_is_refused(change, message):
    with pytest.raises(ValueError, match="^" + ".*" + message.replace("(", r"\(")):
        replace(SETTINGS, **change)


def test_settings_manifests_and_reading_results_need_no_torch():
    names = ["runs.settings", "runs.run_folder", "sweep.manifest", "studies.registry", "sweep.plan"]
    names += [
        "studies.results",
        "commands.sweep",
        "commands.status",
        "commands.study",
        "commands.compare",
    ]
    lines = [f"import experiments.{name}" for name in names]
    code = "; ".join(["import sys", *lines, "assert 'torch' not in sys.modules"])
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_names_and_numbers_are_those_of_deep():
    pytest.importorskip("torch")
    from deep import models
    from deep.environments import ENVIRONMENTS as BATCHED
    from deep.layers import PRECISIONS as PRODUCTS
    from deep.models import value_equivalent
    from deep.online_loop import MAX_RUN
    from experiments.runs import lane_settings
    from experiments.runs.assembly import VALUE_EQUIVALENT

    learned = [
        name for name, kind in models.AGENTS.items() if issubclass(kind, models.LearnedModel)
    ]
    assert set(AGENTS) == set(models.AGENTS)
    assert tuple(learned) == lane_settings.LEARNED
    assert tuple(BATCHED) == ENVIRONMENTS
    assert ("auto", *PRODUCTS) == lane_settings.PRECISIONS
    assert tuple(VALUE_EQUIVALENT) == LATENT
    assert MOST_VALUE_STEPS == value_equivalent.MOST_STEPS
    assert lane_settings.TRANSITIONS == models.TRANSITIONS
    assert lane_settings.MAX_STEPS == MAX_RUN


@pytest.mark.parametrize("regime", ["high", "low"])
def test_a_regime_is_the_protocol_of_deep(regime):
    pytest.importorskip("torch")
    from deep.online_loop import HIGH_DATA, LOW_DATA
    from experiments.runs.assembly import protocol_of

    run = run_settings(
        agent="er", env="PanFlute", size=2, regime=regime, steps=REGIMES[regime].steps, lanes=1
    )
    assert protocol_of(run) == {"high": HIGH_DATA, "low": LOW_DATA}[regime]


@pytest.mark.parametrize(
    ("env", "event"), [(env, event) for env in EVENTS for event in EVENTS[env]]
)
def test_a_form_of_the_event_is_one_of_the_batched_environments(env, event):
    pytest.importorskip("torch")
    assert batched_environment(env, 2, event=event).spontaneous_event == event


REPLAYING = [
    run_settings(
        agent=agent, env="PanFlute", size=2, regime="high", steps=2_000, lanes=1,
        rollout_length=length, model_batch_size=64,
    )
    for agent in AGENTS
    for length in ((1,) if agent == "er" else (1, 10))
] + [
    replace(SETTINGS, agent="gaussian", value_steps=3),
    replace(SETTINGS, real_share=0.5),
]  # fmt: skip


@pytest.mark.parametrize("settings", REPLAYING, ids=lambda settings: settings.digest)
def test_as_many_transitions_are_replayed_as_the_agent_asks_for(settings):
    pytest.importorskip("torch")
    from experiments.runs.assembly import agent_of

    agent = agent_of(settings, "highest")
    assert agent.replayed == settings.replayed
    assert settings.value_steps in (None, getattr(agent.model, "value_steps", None))
    assert settings.real_share == 0 or settings.replayed == 160


def test_run_settings_are_frozen():
    with pytest.raises(AttributeError):
        SETTINGS.size = 3
    assert isinstance(SETTINGS, RunSettings)
