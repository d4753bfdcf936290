"""Gymnasium's own checks, its conventions, and errors that say what is accepted."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import deep

IDS = [f"mbgen/{name}-v0" for name in ("PanFlute", "ButtonGrid", "ProcMaze", "OpenGrid")]
OPTIONS = {
    "mbgen/PanFlute-v0": {"num_pipes": 3},
    "mbgen/ButtonGrid-v0": {"num_buttons": 2, "grid_size": 4, "spontaneous_event": "redraw"},
    "mbgen/ProcMaze-v0": {"grid_size": 3, "spontaneous_event": "terminate"},
    "mbgen/OpenGrid-v0": {"grid_size": 2, "spontaneous": False},
}


def make_vector(name, num_envs, **options):
    return gymnasium.make_vec(
        name, num_envs=num_envs, vectorization_mode="vector_entry_point", **options
    )


def test_importing_deep_registers_every_environment():
    assert deep.__name__ == "deep"
    assert set(IDS) <= set(gymnasium.registry)


def test_make_finds_an_environment_in_a_fresh_interpreter_by_the_module_prefix():
    code = "import gymnasium; print(gymnasium.make('deep:mbgen/PanFlute-v0').spec.id)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "mbgen/PanFlute-v0"


def test_deep_imports_without_gymnasium():
    code = (
        "import sys; sys.modules['gymnasium'] = None\n"
        "import deep, deep.environments\n"
        "assert 'deep.gymnasium_adapter' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("mode", [None, "rgb_array", "ansi"])
@pytest.mark.parametrize("sized", [False, True])
def test_gymnasiums_checker_passes_without_a_warning(name, mode, sized):
    environment = gymnasium.make(name, render_mode=mode, **(OPTIONS[name] if sized else {}))
    check_env(environment.unwrapped)


@pytest.mark.parametrize("name", IDS)
def test_a_vector_environment_is_the_single_ones_side_by_side(name):
    together = make_vector(name, 5, **OPTIONS[name])
    singles = [gymnasium.make(name, **OPTIONS[name]) for _ in range(5)]
    seen, _ = together.reset(seed=40)
    assert together.observation_space.contains(seen)
    for lane, single in enumerate(singles):
        assert np.array_equal(seen[lane], single.reset(seed=40 + lane)[0])
    random = np.random.default_rng(0)
    ended = 0
    for _ in range(150):
        actions = random.integers(together.single_action_space.n, size=5)
        seen, reward, terminated, truncated, infos = together.step(actions)
        assert not truncated.any()
        for lane, single in enumerate(singles):
            one, one_reward, one_terminated, _, _ = single.step(actions[lane])
            assert (one_reward, one_terminated) == (reward[lane], terminated[lane])
            if terminated[lane]:
                ended += 1
                assert infos["_final_obs"][lane]
                assert np.array_equal(infos["final_obs"][lane], one)
                one, _ = single.reset()
            assert np.array_equal(seen[lane], one)
    assert (ended > 10) == together.unwrapped.environment.episodic


def test_the_same_seed_gives_the_same_episode_and_another_seed_another():
    def episode(seed):
        environment = make_vector("mbgen/ProcMaze-v0", 2)
        first, _ = environment.reset(seed=seed)
        steps = [environment.step(np.full(2, 1 + time % 4))[0] for time in range(30)]
        return np.stack([first, *steps]).tolist()

    assert episode(5) == episode(5) != episode(6)


def test_a_reset_without_a_seed_goes_on_in_the_stream():
    environment = gymnasium.make("mbgen/ProcMaze-v0")
    mazes = [environment.reset(seed=1)[0], *(environment.reset()[0] for _ in range(4))]
    assert len({maze.tobytes() for maze in mazes}) == 5


def test_nothing_is_truncated_unless_a_time_limit_is_asked_for():
    endless = gymnasium.make("mbgen/PanFlute-v0")
    limited = gymnasium.make("mbgen/PanFlute-v0", max_episode_steps=5)
    endless.reset(seed=0)
    limited.reset(seed=0)
    assert [endless.step(0)[2:4] for _ in range(5)] == [(False, False)] * 5
    assert [limited.step(0)[2:4] for _ in range(5)] == [(False, False)] * 4 + [(False, True)]


def test_a_vector_environment_truncates_and_starts_anew_in_the_same_step():
    together = make_vector("mbgen/PanFlute-v0", 3, max_episode_steps=4)
    together.reset(seed=0)
    for time in range(1, 9):
        seen, _, terminated, truncated, infos = together.step(np.zeros(3, dtype=np.int64))
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (time % 4 == 0)
        if time % 4 == 0:
            assert not seen.any()
            assert all(final.any() for final in infos["final_obs"])


def test_gymnasiums_vector_statistics_count_the_steps_of_an_episode():
    together = RecordEpisodeStatistics(make_vector("mbgen/PanFlute-v0", 2, max_episode_steps=6))
    together.reset(seed=0)
    for _ in range(6):
        *_, infos = together.step(np.zeros(2, dtype=np.int64))
    assert infos["episode"]["l"].tolist() == [6, 6]


def test_a_step_before_a_reset_or_after_termination_is_refused():
    environment = gymnasium.make("mbgen/OpenGrid-v0", grid_size=1).unwrapped
    with pytest.raises(ResetNeeded, match="reset first"):
        environment.step(0)
    with pytest.raises(ResetNeeded, match="reset first"):
        environment.render()
    environment.reset(seed=0)
    assert environment.step(0)[2]
    with pytest.raises(ResetNeeded, match="after termination"):
        environment.step(0)
    with pytest.raises(ResetNeeded, match="reset first"):
        make_vector("mbgen/OpenGrid-v0", 2).step(np.zeros(2, dtype=np.int64))


@pytest.mark.parametrize("action", [-1, 3, 0.5])
def test_an_action_out_of_range_is_refused(action):
    environment = gymnasium.make("mbgen/PanFlute-v0", num_pipes=3).unwrapped
    environment.reset(seed=0)
    with pytest.raises(ValueError, match="action"):
        environment.step(action)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_pipes": 0}, "num_pipes must be an integer of at least 1, got 0"),
        ({"pipes": 3}, "PanFlute has the options num_pipes, spontaneous, got 'pipes'"),
        ({"render_mode": "human"}, "render_mode must be one of"),
    ],
)
def test_bad_settings_are_refused_by_name_and_value(options, message):
    kind = gymnasium.registry["mbgen/PanFlute-v0"]
    make = gymnasium.envs.registration.load_env_creator(kind.entry_point)
    with pytest.raises(ValueError, match=message):
        make(name="PanFlute", **options)


@pytest.mark.parametrize("seed", [[1, 2], [1, 2, 3, 4]])
def test_a_vector_environment_wants_one_seed_or_one_for_each_copy(seed):
    with pytest.raises(ValueError, match="seed must be one integer or 3, got"):
        make_vector("mbgen/PanFlute-v0", 3).reset(seed=seed)


@pytest.mark.parametrize("name", IDS)
def test_a_vector_environment_renders_one_picture_for_each_copy(name):
    together = make_vector(name, 3, render_mode="rgb_array")
    together.reset(seed=0)
    pictures = together.render()
    assert len(pictures) == 3
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}
