"""From samples to verdicts: both ways, at the edge, and with runs missing."""

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.analysis.claims import (
    LEVEL,
    Comparison,
    above,
    above_level,
    alike,
    below,
    both,
    either,
    gap_grows,
    holm,
    majority,
    p_values,
    seeds_to_decide,
    verdict,
)
from experiments.analysis.statistics import CONFIDENCE

HIGH, LOW = np.array([5.0, 5.2, 4.9, 5.1]), np.array([1.0, 1.2, 0.8, 1.1])
VALUES = st.lists(st.integers(-100, 100), min_size=2, max_size=8)


def test_a_mean_that_is_clearly_above_confirms_and_one_below_contradicts():
    assert above("", HIGH, LOW).verdict == "confirmed"
    assert above("", LOW, HIGH).verdict == "contradicted"
    assert above("", LOW, LOW).verdict == "open"


@pytest.mark.parametrize(("low", "high"), [(0.0, 2.0), (-2.0, 0.0), (-1.0, 1.0)])
def test_an_interval_that_reaches_zero_leaves_it_open(low, high):
    assert Comparison("", (low + high) / 2, low, high, 4).verdict == "open"


def test_an_interval_just_off_zero_decides():
    assert Comparison("", 1.0, 1e-9, 2.0, 4).verdict == "confirmed"
    assert Comparison("", -1.0, -2.0, -1e-9, 4).verdict == "contradicted"


@given(VALUES, VALUES)
def test_above_is_welchs_interval(first, second):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    found = above("", a, b)
    assert found.effect == pytest.approx(a.mean() - b.mean(), abs=1e-9)
    if min(a.std(), b.std()) > 0:
        expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_below_is_students_interval_of_the_distance():
    found = below("", LOW, 2.0)
    expected = stats.ttest_1samp(2.0 - LOW, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.verdict == "confirmed"
    assert below("", HIGH, 2.0).verdict == "contradicted"


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        (0.0, "confirmed"),
        (0.5, "confirmed"),
        (1.0, "open"),
        (1.5, "contradicted"),
        (9.0, "contradicted"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_two_means_are_alike_if_the_interval_of_their_difference_is_within_the_margin(
    shift, sign, expected
):
    found = alike("", HIGH, HIGH + sign * shift, margin=1.0)
    assert found.verdict == expected
    assert (found.p_above < LEVEL) == (expected == "confirmed")
    assert (found.p_below < LEVEL) == (expected == "contradicted")
    assert (found.high == 1.0) == (shift == 0.0)


def test_means_of_which_little_is_known_are_not_alike():
    wide = np.array([-9.0, 9.0, -8.0, 8.0])
    assert alike("", wide, wide, margin=1.0).verdict == "open"
    assert alike("", wide[:1], wide[:1], margin=1.0).verdict == "open"


@given(VALUES, VALUES, st.integers(1, 50))
def test_alike_is_what_two_one_sided_tests_say(first, second, margin):
    a, b = np.array(first, dtype=float), np.array(second, dtype=float)
    if min(a.std(), b.std()) == 0:
        return
    below_upper = stats.ttest_ind(a, b + margin, equal_var=False, alternative="less").pvalue
    above_lower = stats.ttest_ind(a, b - margin, equal_var=False, alternative="greater").pvalue
    worst = max(below_upper, above_lower)
    if abs(worst - 0.025) > 1e-9:
        assert (alike("", a, b, margin).verdict == "confirmed") == (worst < 0.025)


def test_a_gap_grows_where_the_difference_of_differences_is_above_zero():
    wide, narrow = (HIGH, LOW), (LOW + 0.5, LOW)
    found = gap_grows("", wide, narrow)
    assert found.effect == pytest.approx(HIGH.mean() - LOW.mean() - 0.5)
    # Four samples: their variances of the mean add, and so do the shares of the degrees of freedom.
    errors = [sample.var(ddof=1) / 4 for sample in (HIGH, LOW, LOW, LOW)]
    freedom = sum(errors) ** 2 / sum(error**2 / 3 for error in errors)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(sum(errors))
    assert (found.low, found.high) == pytest.approx((found.effect - half, found.effect + half))
    assert found.verdict == "confirmed"
    assert gap_grows("", narrow, wide).verdict == "contradicted"


def test_either_needs_one_way_alone():
    yes, no, unsure = (Comparison("", x, x - 1, x + 1, 5) for x in (2.0, -2.0, 0.0))
    assert either("", no, yes).verdict == "confirmed"
    assert either("", no, no).verdict == "contradicted"
    assert either("", no, unsure).verdict == "open"
    assert either("", yes, Comparison("missing")).verdict == "open"


def test_both_needs_every_way():
    good, bad, unsure = (
        Comparison("", 2.0, 1.0, 3.0, 5), Comparison("", -2.0, -3.0, -1.0, 4),
        Comparison("", 0.5, -1.0, 2.0, 7),
    )  # fmt: skip
    assert both("", good, good).verdict == "confirmed"
    assert both("", good, bad) == Comparison("", -2.0, -3.0, -1.0, 4)
    assert both("", good, unsure).verdict == "open"
    assert both("", good, Comparison("")).verdict == "open"


def test_above_a_level_is_below_it_turned_round():
    sample = np.array([1.0, 2.0, 4.0])
    over, under = above_level("", sample, 1.5), below("", sample, 1.5)
    assert over.effect == pytest.approx(sample.mean() - 1.5)
    assert (over.effect, over.low, over.high) == (-under.effect, -under.high, -under.low)
    assert above_level("", None, 1.5).verdict == "open"


SAMPLES = st.lists(st.integers(-20, 20), min_size=2, max_size=8)


@given(SAMPLES, SAMPLES)
def test_a_level_below_five_percent_is_an_interval_off_zero(drawn, other):
    first, second = np.array(drawn, dtype=float), np.array(other, dtype=float)
    for confidence in (CONFIDENCE, 0.99):
        each = above("", first, second, confidence)
        assert (each.p_above < LEVEL) == (each.low > 0)
        assert (each.p_below < LEVEL) == (each.high < 0)
    each = alike("", first, second, 4.0)
    assert (each.p_above < LEVEL) == (each.low > 0)
    assert (each.p_below < LEVEL) == (each.high < 0)
    within, each = each, above("", first, second)
    for found in (within, each):
        assert found.p_above == 1.0 or found.effect > 0
        assert found.p_below == 1.0 or found.effect < 0
    if min(first.std(), second.std()) > 0 and each.effect > 0:
        p = stats.ttest_ind(first, second, equal_var=False).pvalue
        assert each.p_above == pytest.approx(p, abs=1e-9)


@given(st.integers(1, 40), st.data(), st.sampled_from([CONFIDENCE, 0.996]))
def test_the_level_of_a_majority_is_that_of_its_exact_interval(trials, data, confidence):
    count = data.draw(st.integers(0, trials))
    each = majority("", count, trials, confidence)
    assert each.effect == pytest.approx(count / trials - 0.5)
    assert (each.p_above < LEVEL) == (each.low > 0)
    assert (each.p_below < LEVEL) == (each.high < 0)
    tail = 2 * stats.binomtest(count, trials, alternative="greater").pvalue
    assert each.p_above == pytest.approx(min(1.0, tail * LEVEL / (1 - confidence)), abs=1e-9)


def test_levels_of_both_and_either_are_those_of_their_intervals():
    surely, unsure, against = (
        above("", np.array([x, x + 1, x + 2]), np.zeros(3)) for x in (9.0, -0.5, -9.0)
    )
    for ways in ((surely, unsure), (surely, against), (unsure, against), (surely, surely)):
        for made in (both("", *ways), either("", *ways)):
            assert (made.p_above < LEVEL) == (made.low > 0)
            assert (made.p_below < LEVEL) == (made.high < 0)


def made_up(p, sign):
    """A comparison of that level, in favour of its claim or against it."""
    off = 1.0 if p < LEVEL else -1.0
    if sign > 0:
        return Comparison("", 2.0, off, 3.0, 5, p_above=p)
    return Comparison("", -2.0, -3.0, -off, 5, p_below=p)


@given(
    st.lists(
        st.tuples(st.sampled_from([1e-4, 0.004, 0.012, 0.02, 0.03, 0.2]), st.sampled_from([1, -1])),
        max_size=6,
    )
)
def test_holm_keeps_what_its_adjusted_levels_keep(drawn):
    count = len(drawn)
    adjusted, most = [1.0] * count, 0.0
    for rank, claim in enumerate(sorted(range(count), key=lambda k: drawn[k][0])):
        most = max(most, (count - rank) * drawn[claim][0])
        adjusted[claim] = most
    expected = [
        "open" if level >= LEVEL else "confirmed" if sign > 0 else "contradicted"
        for level, (_, sign) in zip(adjusted, drawn, strict=True)
    ]
    assert holm([[made_up(p, sign)] for p, sign in drawn]) == expected


def test_a_claim_without_all_runs_is_open_and_counts_in_its_family():
    sure, missing = [made_up(0.03, 1)], [made_up(1e-9, 1), Comparison("missing")]
    assert holm([sure]) == ["confirmed"]
    assert holm([sure, missing]) == ["open", "open"]
    assert holm([[made_up(0.02, 1)], missing]) == ["confirmed", "open"]
    assert holm([[]]) == ["open"]
    assert holm([[made_up(LEVEL / 2, 1)], [made_up(0.2, 1)]]) == ["open", "open"]
    assert p_values(missing) == p_values([]) == (1.0, 1.0)


def test_a_claim_needs_all_its_comparisons():
    yes, no, unsure = (Comparison("", x, x - 1, x + 1, 5) for x in (2.0, -2.0, 0.0))
    assert verdict([yes, yes]) == "confirmed"
    assert verdict([yes, unsure]) == "open"
    assert verdict([yes, no]) == "contradicted"
    assert verdict([no, Comparison("runs are missing")]) == "open"
    assert verdict([]) == "open"


def test_missing_runs_and_single_seeds_decide_nothing():
    for found in (
        above("", None, LOW),
        below("", None, 1.0),
        gap_grows("", (HIGH, None), (LOW, LOW)),
    ):
        assert isnan(found.effect)
        assert found.verdict == "open"
    assert above("", np.array([5.0]), np.array([1.0])).verdict == "open"


def test_seeds_that_diverged_are_left_out_and_counted():
    found = above("", np.append(HIGH, np.nan), LOW)
    assert found.effect == above("", HIGH, LOW).effect
    assert above("", np.array([np.nan] * 4), LOW).verdict == "open"


@pytest.mark.parametrize("combined", [both, either])
def test_a_way_whose_seeds_all_diverged_is_not_one_whose_runs_are_missing(combined):
    there, diverged = above("", HIGH, LOW), above("", np.array([np.nan] * 4), LOW)
    assert (combined("", there, diverged).low, combined("", there, diverged).high) == (-inf, inf)
    assert isnan(combined("", there, diverged, Comparison("missing")).low)
    assert combined("", there, diverged).verdict == "open"


@pytest.mark.parametrize(
    "found",
    [
        above("", np.full(30, 0.1), np.full(5, 0.1)),
        above("", np.full(7, 0.05), np.full(5, 0.05)),
        above_level("", np.full(5, 0.1 * 3), 0.3),
        below("", np.full(5, 0.3), 0.1 * 3),
        gap_grows("", (np.full(5, 0.7), np.full(5, 0.5)), (np.full(5, 0.3), np.full(5, 0.1))),
    ],
)
def test_what_differs_by_rounding_alone_decides_nothing(found):
    assert (found.effect, found.verdict, found.p_above, found.p_below) == (0.0, "open", 1.0, 1.0)


@given(
    st.floats(0.05, 3.0),
    st.sampled_from([1, -1]),
    st.sampled_from([0.95, 0.99]),
    st.integers(2, 50),
)
def test_seeds_that_decide_are_found_with_a_probability_of_eighty_percent(
    effect, sign, confidence, pairs
):
    apart = np.sqrt(
        (2 * pairs - 1) / (2 * pairs)
    )  # so that the spread of a seed is 1, of a difference root 2
    seen = sign * effect + apart * np.resize([1.0, -1.0], 2 * pairs)
    needed = seeds_to_decide([above("", seen, seen - sign * effect, confidence)])
    end = stats.norm.ppf((1 + confidence) / 2)
    power = stats.norm.sf(end - effect * np.sqrt(np.array([needed, needed - 1]) / 2))
    assert power[1] <= 0.8 + 1e-9 <= power[0] + 2e-9


def test_the_last_of_effects_above_zero_decides_and_the_first_below():
    clear, faint = (
        Comparison("", effect, seeds_needed=needed) for effect, needed in ((2.0, 3), (0.5, 40))
    )
    against, sooner = (
        Comparison("", effect, seeds_needed=needed) for effect, needed in ((-0.25, 90), (-0.5, 25))
    )
    assert seeds_to_decide([clear, faint]) == 40
    assert seeds_to_decide([clear, faint, against]) == 90
    assert seeds_to_decide([sooner, against]) == 25
    assert both("", clear, faint).seeds_needed == 40
    assert both("", clear, against, sooner).seeds_needed == 25
    assert either("", clear, faint, against).seeds_needed == 3
    assert either("", sooner, against).seeds_needed == 90


@pytest.mark.parametrize(("count", "end"), [(20, 0), (10, 1)])
def test_of_a_majority_the_end_towards_one_half_says_how_many(count, end):
    found = majority("", count, 30)
    reach = stats.binomtest(count, 30).proportion_ci(0.95, "exact")[end] - count / 30
    near, power = stats.norm.ppf([0.975, 0.8])
    assert found.seeds_needed == np.ceil(30 * (reach / near / (1 / 6) * (near + power)) ** 2)


def test_no_number_of_seeds_decides_an_effect_of_zero_and_nothing_is_said_of_missing_runs():
    assert seeds_to_decide([above("", LOW, LOW)]) == inf
    assert seeds_to_decide([above("", HIGH[:1], LOW)]) == inf
    assert isnan(seeds_to_decide([above("", HIGH, LOW), Comparison("missing")]))
    assert isnan(seeds_to_decide([]))


@pytest.mark.parametrize(("count", "level"), [(1, 0.01), (2, 0.01), (8, 0.04), (300, 1.0)])
def test_what_any_of_many_comparisons_contradicts_has_a_level_for_all_of_them(count, level):
    comparisons = [Comparison("", -1.0, -2.0, -0.1, 4, 1.0, 0.01)] * count
    assert p_values(comparisons) == (1.0, pytest.approx(level))


def test_the_weakest_comparison_confirms_a_claim_and_the_strongest_contradicts_it():
    comparisons = [
        Comparison("", 1.0, 0.1, 2.0, 4, p_above=0.01, p_below=0.6),
        Comparison("", -1.0, -2.0, -0.1, 4, p_above=0.3, p_below=0.04),
    ]
    assert p_values(comparisons) == p_values(comparisons[::-1]) == (0.3, 0.04)


def test_claims_of_many_comparisons_without_a_difference_are_seldom_contradicted_after_holm():
    rng = np.random.default_rng(0)
    said = [holm([[above("", *rng.normal(size=(2, 5))) for _ in range(8)]])[0] for _ in range(400)]
    # With an error of 5 %, 38 or more of 400 have a probability below 1e-4.
    assert said.count("contradicted") < 38
    assert "confirmed" not in said


def test_an_interval_that_the_margin_cuts_has_the_seeds_that_the_whole_difference_takes():
    one, other = np.array([0.0, 10.0, 20.0, 6.0]), np.array([-9.0, 3.0, 1.0, 4.0])
    cut = alike("", one, other, margin=2.0)
    assert cut.effect < 0 < cut.high
    beyond = above("", one - 2.0, other)  # the difference that lies beyond the margin
    assert beyond.effect == pytest.approx(-cut.effect)
    assert seeds_to_decide([cut]) == seeds_to_decide([beyond])


@pytest.mark.parametrize("seen", [3, 5, 10])
@pytest.mark.parametrize("effect", [0.4, 0.8])
def test_the_seeds_that_decide_have_their_power_whatever_the_number_that_was_seen(seen, effect):
    """By the noncentral t of samples whose spread is 1, as was seen."""
    base = np.linspace(-1, 1, seen)
    base /= base.std(ddof=1)
    needed = int(seeds_to_decide([above("", base + effect, base)]))
    freedom = 2 * needed - 2
    shift = effect * np.sqrt(needed / 2)
    power = stats.nct.sf(stats.t.ppf(0.975, freedom), freedom, shift)
    assert 0.77 < power < 0.82
