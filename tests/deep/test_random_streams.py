"""Threefry against its published known answers; what is drawn against what it should be."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deep.random_streams import (
    Stream,
    categorical,
    coin,
    heads,
    integers,
    lane_words,
    normal,
    threefry,
    uniform,
    words,
)

WORD = 2**32
SEEDS = st.integers(-(2**63), 2**63 - 1)
STEPS = st.integers(0, WORD - 1)
TINY = 1e-9


def signed(word):
    return torch.tensor(word - WORD if word >= WORD // 2 else word, dtype=torch.int32)


def draw(seed, step, count, purpose=0):
    return words(Stream(torch.tensor(seed), torch.tensor(step), purpose), count)


def plain_threefry(key, counter):
    """Threefry-2x32-20 on Python integers, with the rotations of the paper's table 4."""
    keys = [*key, key[0] ^ key[1] ^ 0x1BD11BDA]
    x, y = ((c + k) % WORD for c, k in zip(counter, key, strict=True))
    for number, rotation in enumerate([13, 15, 26, 6, 17, 29, 16, 24] * 3):
        if number == 20:
            return x, y
        x = (x + y) % WORD
        y = (y << rotation | y >> (32 - rotation)) % WORD ^ x
        if number % 4 == 3:
            group = number // 4 + 1
            x = (x + keys[group % 3]) % WORD
            y = (y + keys[(group + 1) % 3] + group) % WORD
    raise AssertionError


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((WORD - 1,) * 2, (WORD - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_the_known_answers_published_with_random123(counter, key, answer):
    drawn = threefry(tuple(map(signed, key)), tuple(map(signed, counter)))
    assert tuple(int(word) % WORD for word in drawn) == answer


@given(SEEDS, STEPS, st.integers(0, 255))
def test_a_word_is_threefry_of_its_seed_step_purpose_and_index(seed, step, purpose):
    expected = [
        word
        for block in range(3)
        for word in plain_threefry(
            (seed % WORD, (seed >> 32) % WORD), (step, purpose << 24 | block)
        )
    ]
    assert [int(word) % WORD for word in draw(seed, step, 6, purpose)] == expected


@given(st.lists(SEEDS, min_size=1, max_size=5), st.lists(STEPS, min_size=1, max_size=4))
def test_many_lanes_and_steps_at_once_are_the_same_words_as_one_by_one(seeds, steps):
    together = words(Stream(torch.tensor(seeds), torch.tensor(steps).unsqueeze(1), 1), 3)
    assert together.shape == (3, len(steps), len(seeds))
    for i, step in enumerate(steps):
        for j, seed in enumerate(seeds):
            assert torch.equal(together[:, i, j], draw(seed, step, 3, purpose=1))


@given(st.integers(0, 20), st.integers(0, 20))
def test_the_first_words_do_not_depend_on_how_many_are_drawn(some, more):
    assert torch.equal(draw(7, 5, some + more)[:some], draw(7, 5, some))


def test_neighbouring_seeds_steps_and_purposes_have_words_that_never_meet():
    seeds, steps = torch.arange(100), torch.arange(100).unsqueeze(1)
    drawn = torch.cat([words(Stream(seeds, steps, purpose), 4).flatten() for purpose in range(3)])
    # Of 120,000 distinct pairs of words hardly a word occurs twice: 1.7 are expected.
    assert drawn.numel() - drawn.unique().numel() < 15


@given(STEPS, st.integers(1, 2**31))
def test_an_integer_is_the_word_scaled_as_a_fraction(word, below):
    assert int(integers(signed(word), below)) == word * below // WORD


def test_integers_below_seven_pass_a_chi_square_test():
    drawn = integers(words(Stream(torch.arange(70_000), torch.tensor(0), 0), 1)[0], 7)
    assert stats.chisquare(np.bincount(drawn, minlength=7)).pvalue > TINY


@given(st.fractions(0, 1), STEPS)
def test_a_coin_is_true_for_its_share_of_all_words_counted_from_the_most_negative(
    probability, word
):
    rank = (word + WORD // 2) % WORD
    assert bool(coin(signed(word), heads(probability))) == (rank < int(probability * WORD))


@pytest.mark.parametrize("word", [0, WORD // 2 - 1, WORD // 2, WORD - 1])
def test_a_coin_of_probability_zero_or_one_is_certain(word):
    assert not coin(signed(word), heads(Fraction(0)))
    assert coin(signed(word), heads(Fraction(1)))


def test_uniforms_include_zero_and_never_one():
    extremes = uniform(torch.stack([signed(0), signed(WORD - 1)]))
    assert extremes.tolist() == [0, 1 - 2**-24]


@pytest.mark.parametrize(
    ("sample", "distribution"),
    [(uniform, stats.uniform), (normal, stats.norm)],
)
def test_a_sample_follows_its_distribution(sample, distribution):
    drawn = sample(words(Stream(torch.arange(20_000), torch.tensor(3), 2), 2))
    assert stats.kstest(drawn.flatten().numpy(), distribution.cdf).pvalue > TINY


@pytest.mark.parametrize("word", [0, WORD // 2 - 1, WORD // 2, WORD - 1])
def test_normal_is_finite_for_every_extreme_word(word):
    assert normal(torch.stack([signed(word), signed(word)])).isfinite().all()


def test_the_two_normals_of_a_pair_are_uncorrelated():
    first, second = normal(words(Stream(torch.arange(50_000), torch.tensor(0), 0), 2)).double()
    assert abs(torch.corrcoef(torch.stack([first, second]))[0, 1]) < 6 / 50_000**0.5


def test_a_categorical_draw_follows_the_softmax_of_its_logits():
    logits = torch.tensor([0.3, -1.0, 2.0, float("-inf")])
    drawn = words(Stream(torch.arange(50_000), torch.tensor(1), 2), 1)[0]
    counts = categorical(logits.expand(50_000, 4), drawn).bincount(minlength=4)
    assert counts[3] == 0
    expected = 50_000 * logits[:3].double().softmax(0)
    assert stats.chisquare(counts[:3].numpy(), expected.numpy(), sum_check=False).pvalue > TINY


@pytest.mark.parametrize("word", [0, WORD // 2 - 1, WORD // 2, WORD - 1])
def test_a_categorical_draw_is_an_outcome_for_every_word_and_for_what_is_no_number(word):
    logits = torch.tensor([[0.0] * 3, [100.0, 0.0, -100.0], [float("nan")] * 3])
    chosen = categorical(logits, signed(word).expand(3))
    assert set(chosen.tolist()) <= {0, 1, 2}
    assert chosen[1:].tolist() == [0, 0]


def test_lane_words_are_the_words_of_each_lane_whoever_runs_beside_it():
    seeds, step = torch.tensor([5, 7, 11]), torch.tensor(3)
    together = lane_words(Stream(seeds, step, 4), 2, 3, 5)
    assert together.shape == (2, 3, 3, 5)
    for lane, seed in enumerate(seeds):
        alone = words(Stream(seed, step, 4), 30)
        assert torch.equal(together[:, lane].flatten(), alone)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw(0, 0, 1, purpose=256), "purpose must be 0 to 255, got 256"),
        (lambda: draw(0, 0, -1), "count must be 0 to 33554432, got -1"),
        (lambda: normal(draw(0, 0, 3)), "normal needs an even number of words, got 3"),
    ],
)
def test_bad_input_is_refused_by_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()
