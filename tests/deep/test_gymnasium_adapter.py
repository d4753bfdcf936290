"""Gymnasium's own checks, its conventions, and errors that say what is accepted."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("name", ["mbgen/ProcMaze-v0", "mbgen/ButtonGrid-v0"])
def test_under_a_time_limit_a_copy_lives_as_a_single_environment_does(name):
    together = make_vector(name, 3, max_episode_steps=7, **OPTIONS[name])
    singles = [gymnasium.make(name, max_episode_steps=7, **OPTIONS[name]) for _ in range(3)]
    together.reset(seed=8)
    for lane, single in enumerate(singles):
        single.reset(seed=8 + lane)
    random = np.random.default_rng(1)
    cut = 0
    for _ in range(80):
        actions = random.integers(together.single_action_space.n, size=3)
        seen, _, terminated, truncated, _ = together.step(actions)
        for lane, single in enumerate(singles):
            one, _, one_terminated, one_truncated, _ = single.step(actions[lane])
            assert (one_terminated, one_truncated) == (terminated[lane], truncated[lane])
            if one_terminated or one_truncated:
                one, _ = single.reset()
            assert np.array_equal(seen[lane], one)
        cut += truncated.any() and not truncated.all()
    assert (cut > 0) == together.unwrapped.environment.episodic


def test_a_masked_reset_begins_an_episode_in_the_copies_of_the_mask_alone():
    together, undisturbed = (
        make_vector("mbgen/ButtonGrid-v0", 4, max_episode_steps=6, spontaneous=False)
        for _ in range(2)
    )
    for vector in (together, undisturbed):
        vector.reset(seed=0)
        before = vector.step(np.zeros(4, dtype=np.int64))[0]
    mask = np.array([False, True, False, True])
    seen = together.reset(options={"reset_mask": mask})[0]
    assert ((seen == before).all(1) == ~mask).all()
    for time in range(20):
        both = [vector.step(np.zeros(4, dtype=np.int64)) for vector in (together, undisturbed)]
        for part, other in zip(both[0][:4], both[1][:4], strict=True):
            assert np.array_equal(part[~mask], other[~mask])
        assert both[0][3][mask].all() == (time % 6 == 5)


def test_a_masked_reset_with_seeds_starts_the_streams_of_its_copies_anew():
    together = make_vector("mbgen/ProcMaze-v0", 3, grid_size=3)
    first, _ = together.reset(seed=[5, 6, 7])
    before = together.step(np.zeros(3, dtype=np.int64))[0]
    seen, _ = together.reset(
        seed=[7, None, 5], options={"reset_mask": np.array([True, True, False])}
    )
    assert np.array_equal(seen[0], first[2])
    assert not np.array_equal(seen[1], first[1])
    assert np.array_equal(seen[2], before[2])


@pytest.mark.parametrize("mask", [[True], [False, False], [1, 0], np.ones((2, 1), bool)])
def test_a_mask_that_is_none_is_refused(mask):
    together = make_vector("mbgen/PanFlute-v0", 2)
    together.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask must be 2 bools, one of them True, got"):
        together.reset(options={"reset_mask": mask})


def test_the_first_reset_is_one_of_every_copy():
    with pytest.raises(ResetNeeded, match="reset of every copy first"):
        make_vector("mbgen/PanFlute-v0", 2).reset(options={"reset_mask": np.array([True, False])})


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
        ({"num_pipes": 0}, "num_pipes must be an integer from 1 to 1000, got 0"),
        ({"pipes": 3}, "PanFlute has the options num_pipes, spontaneous, got 'pipes'"),
        ({"render_mode": "human"}, "render_mode must be one of"),
    ],
)
def test_bad_settings_are_refused_by_name_and_value(options, message):
    kind = gymnasium.registry["mbgen/PanFlute-v0"]
    make = gymnasium.envs.registration.load_env_creator(kind.entry_point)
    with pytest.raises(ValueError, match=message):
        make(name="PanFlute", **options)


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ([1, 2], "seed must be one integer or 3, got 2"),
        ([1, 2, 3, 4], "seed must be one integer or 3, got 4"),
        ([1.5, 2, 3], "seed must be an integer from 0 to 9223372036854775807, got 1.5"),
        ([1, -2, 3], "seed must be an integer from 0 to .*, got -2"),
        ("abc", "seed must be an integer from 0 to .*, got 'abc'"),
        (2**63, "seed must be an integer from 0 to .*, got 9223372036854775808"),
        (2**63 - 2, "seed must be an integer from 0 to 9223372036854775805, got"),
    ],
)
def test_a_seed_that_is_none_is_refused_and_the_copies_live_on(seed, message):
    together, undisturbed = (make_vector("mbgen/ProcMaze-v0", 3, grid_size=3) for _ in range(2))
    for vector in (together, undisturbed):
        vector.reset(seed=0)
        vector.step(np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match=message):
        together.reset(seed=seed)
    for _ in range(10):
        seen, other = (v.step(np.zeros(3, dtype=np.int64))[0] for v in (together, undisturbed))
        assert np.array_equal(seen, other)
    assert np.array_equal(together.reset()[0], undisturbed.reset()[0])


@pytest.mark.parametrize("seed", [1.5, -1, 2**63, [3]])
def test_a_seed_that_is_none_is_refused_by_a_single_environment(seed):
    single = gymnasium.make("mbgen/ProcMaze-v0", grid_size=3).unwrapped
    with pytest.raises(ValueError, match="seed must be an integer from 0 to"):
        single.reset(seed=seed)


def test_numpys_integers_are_seeds():
    single = gymnasium.make("mbgen/ProcMaze-v0", grid_size=3).unwrapped
    together = make_vector("mbgen/ProcMaze-v0", 2, grid_size=3)
    first = single.reset(seed=np.int64(4))[0]
    assert np.array_equal(first, single.reset(seed=4)[0])
    for seed in (np.uint8(4), np.array([4, 5]), [np.int32(4), 5], 4):
        assert np.array_equal(together.reset(seed=seed)[0][0], first)


@pytest.mark.parametrize("name", IDS)
def test_a_vector_environment_renders_one_picture_for_each_copy(name):
    together = make_vector(name, 3, render_mode="rgb_array")
    together.reset(seed=0)
    pictures = together.render()
    assert len(pictures) == 3
    assert {picture.dtype for picture in pictures} == {np.dtype(np.uint8)}


WHOLE = st.one_of(
    st.integers(-3, 2**64),
    st.sampled_from([2**63 - 1, 2**63 - 2, np.int64(5), np.uint8(7), True, None]),
)
ODD = st.one_of(WHOLE, st.floats(), st.text(max_size=3))
SEEDS = st.one_of(ODD, st.lists(ODD, max_size=4), st.lists(WHOLE, min_size=2, max_size=2))
MASKS = st.one_of(st.none(), st.lists(st.booleans(), max_size=3), st.just("abc"))


@given(SEEDS, MASKS)
@settings(max_examples=200)
def test_whatever_is_given_to_a_reset_is_done_or_refused_in_one_line_and_the_copies_live_on(
    seed, mask
):
    together, undisturbed = (make_vector("mbgen/OpenGrid-v0", 2, grid_size=2) for _ in range(2))
    for vector in (together, undisturbed):
        vector.reset(seed=0)
    options = None if mask is None else {"reset_mask": np.array(mask)}
    refusal = None
    try:
        seen, _ = together.reset(seed=seed, options=options)
    except ValueError as error:
        refusal = str(error)
    if refusal is not None:
        assert "\n" not in refusal
        assert np.array_equal(together.reset()[0], undisturbed.reset()[0])
        return
    seeds = (
        list(seed)
        if isinstance(seed, list)
        else [seed + k if seed is not None else None for k in (0, 1)]
    )
    chosen = [True, True] if mask is None else mask
    for lane, (each, reset) in enumerate(zip(seeds, chosen, strict=True)):
        if reset and each is not None:
            single = gymnasium.make("mbgen/OpenGrid-v0", grid_size=2).unwrapped
            assert np.array_equal(seen[lane], single.reset(seed=int(each))[0])
