"""Every study: what it plans at each scale, and what each of its claims says of made-up results."""

from dataclasses import fields

import pytest

from experiments.analysis import cells
from experiments.analysis.claims import verdict
from experiments.analysis.reference import Reference
from experiments.cli import MBGEN
from experiments.runs.costs import estimated_seconds
from experiments.runs.offline_settings import COVERAGES
from experiments.runs.scales import SCALES
from experiments.runs.settings import RunSettings
from experiments.runs.stored_settings import stored_settings
from experiments.studies.frozen_model import PLANS
from experiments.studies.maze_coverage import FAILURES
from experiments.studies.maze_coverage_runs import ARMS
from experiments.studies.registry import STUDIES, chosen_studies
from experiments.studies.study import PlannedRun, manifest
from tabular.maze_coverage import PAPER_FAILS
from tests.experiments.studies.made_up import expecting, found, frozen, offline, right

PILOT_SEEDS = {*range(4), *range(100, 104), *range(200, 210)}
STUDY_SCALES = [(name, scale) for name in STUDIES for scale in SCALES]


@pytest.mark.parametrize(("name", "scale"), STUDY_SCALES)
def test_a_run_is_named_by_what_it_is_and_all_can_be_carried_out(name, scale):
    runs = STUDIES[name].runs(scale)
    assert len({run.id for run in runs}) == len(runs)
    assert len({run.settings.digest for run in runs}) == len(runs)
    for run in runs:
        study, _, words = run.id.partition("/")
        assert study in STUDIES
        settings = run.settings
        if settings.kind == "online":
            assert words.startswith(f"{settings.env.lower()}-{settings.size}-{settings.regime}")
            assert settings.agent in words.split("-")
        else:
            assert words.startswith(settings.coverage)
        assert settings.updates >= 100
        assert stored_settings(settings.stored()) == settings


@pytest.mark.parametrize("scale", SCALES)
def test_a_run_that_two_studies_share_is_in_the_manifest_once(scale):
    runs = manifest(STUDIES.values(), scale)
    assert len({run.id for run in runs}) == len(runs)
    planned = {run.id for study in STUDIES.values() for run in study.runs(scale)}
    assert {run.id for run in runs} == planned
    assert [run.priority for run in runs] == sorted(run.priority for run in runs)


def test_two_runs_of_one_name_and_other_settings_are_refused():
    study = STUDIES["quirks"]
    one, other = study.runs("smoke")[:2]
    clash = PlannedRun(one.id, other.settings)
    double = type(study)(
        **{f.name: getattr(study, f.name) for f in fields(study)} | {"runs": lambda _: [clash]}
    )
    with pytest.raises(ValueError, match=f"two runs are called {one.id}"):
        manifest([study, double], "smoke")


INGREDIENTS = (
    "mixture",
    "baselines",
    "counterfactual",
    "structure",
    "gates",
    "value-equivalence",
    "horizon",
)


def test_the_papers_studies_fit_sixteen_hours_on_two_cores_and_the_ingredients_seven_more():
    papers = [study for name, study in STUDIES.items() if name not in INGREDIENTS]
    first, all_runs = (manifest(studies, "desk") for studies in (papers, STUDIES.values()))
    assert all_runs[: len(first)] == first  # so that a sweep is as far as it was without them
    seconds, more = (
        sum(estimated_seconds(run.settings) for run in runs)
        for runs in (first, all_runs[len(first) :])
    )
    assert seconds < 2 * 16 * 3600
    assert 0 < more < 2 * 7 * 3600


@pytest.mark.parametrize("scale", ["desk", "paper"])
def test_no_evidence_is_from_a_seed_that_a_pilot_or_a_tuning_used(scale):
    tuning = {s for run in STUDIES["sensitivity"].runs(scale) for s in run.settings.seeds}
    for name, study in STUDIES.items():
        for run in study.runs(scale):
            seeds = set(run.settings.seeds)
            assert not seeds & PILOT_SEEDS
            assert name == "sensitivity" or not seeds & tuning


def test_every_study_has_a_command_with_its_title_and_reasons_for_its_scales():
    for name, study in STUDIES.items():
        assert study.name == name
        assert MBGEN.members[name].study == name
        assert MBGEN.members[name].help == study.title
        assert study.scales.keys() == set(SCALES)


def test_what_the_paper_predicts_of_maze_coverage_is_what_tabular_says_of_it():
    told = {
        (data, agent) for data, agents in PAPER_FAILS.items() for agent in agents if agents[agent]
    }
    assert told == FAILURES


def test_an_unknown_study_is_refused_by_name():
    with pytest.raises(
        ValueError, match="there is no study 'onlin'; accepted: maze-coverage, online, "
    ):
        chosen_studies(["onlin"])


def by_agent(**levels):
    return lambda s: levels.get(s.agent, 0.0)


def low_simple(high, low):
    """Simple and ER by regime: the lead of the simple model."""
    return lambda s: {"high": high, "low": low}[s.regime] if s.agent == "simple" else 0.0


def buttons(one, four, one_low):
    def level(s: RunSettings) -> float:
        if s.env != "ButtonGrid" or s.agent != "simple":
            return 0.0
        if s.size == 4:
            return four
        return one_low if s.regime == "low" else one

    return level


def quirky(stale, usual):
    return lambda s: stale if s.stale_reset_observation else usual


def by_value_steps(usual, one, five):
    """The categorical model: as usual, and value-equivalent for one step and for five."""
    levels = {None: usual, 1: one, 5: five}
    return lambda s: levels[s.value_steps] if s.agent == "categorical" else 0.0


def rounded(change):
    """Final performance in bfloat16, where it is 0 in float32; the margin is 3.6."""
    return lambda s: change if s.precision == "bf16" else 0.0


def soonest(at_ends, between):
    """Steps to near-optimal performance on the first and the last frozen model, and on all between."""

    def made(s):
        ends = {PLANS[scale].model_steps[k] for scale in PLANS for k in (0, -1)}
        return frozen(s, at_ends if s.model_steps in ends else between)

    return made


def predicted(coverage, arm):
    """What the paper predicts of most seeds, and the opposite."""
    wrong, right = (lambda s, share=share: offline(s, share) for share in (0.1, 0.9))
    return (wrong, right) if (coverage, arm.name) in FAILURES else (right, wrong)


def gates(**accuracy):
    """Runs whose model is right so often by what its gates cost, and half the time where nothing is said."""

    def level(s):
        free, noiseless = s.gate_price == 0, not s.gate_noise
        name = "free" if free else "noiseless" if noiseless else "priced" if s.structured else ""
        return right(s, accuracy.get(name, 0.5))

    return level


# For each claim: levels of performance by settings that confirm it, and that contradict it.
CASES = {
    "O-simple": (by_agent(simple=1.0), by_agent(simple=-1.0)),
    "O-categorical": (by_agent(categorical=1.0), by_agent(categorical=-1.0)),
    "O-gaussian": (by_agent(gaussian=-60.0), by_agent(gaussian=5.0)),
    "O-low-simple": (low_simple(1.0, 2.0), low_simple(2.0, 1.0)),
    "O-low-categorical": (
        lambda s: float(s.regime == "high"),
        lambda s: -float(s.regime == "high"),
    ),
    "O-buttons": (buttons(-3.0, 3.0, 3.0), buttons(3.0, -3.0, -3.0)),
    "O-perfect-panflute": (by_agent(perfect=-1.0), by_agent(perfect=1.0)),
    "C-unfactored": (by_agent(er=1.0), by_agent(er=-1.0)),
    "I-rollout": (lambda s: s.rollout_length / 10, lambda s: -s.rollout_length / 10),
    "I-spontaneous": (by_agent(simple=1.0), by_agent(simple=-1.0)),
    "Q-holds": (by_agent(simple=1.0), by_agent(simple=-1.0)),
    "Q-stale": (quirky(0.0, 1.0), quirky(1.0, 0.0)),
    "X-repair": (lambda s: float(s.real_share == 0.05), lambda s: -float(s.real_share == 0.05)),
    "X-updates": (by_agent(simple=1.0), lambda s: float(s.updates_per_step == 10)),
    "X-priority": (by_agent(simple=1.0), lambda s: float(s.agent == "er" and s.prioritized)),
    "X-coverage": (lambda s: float(s.counterfactual), lambda s: -float(s.counterfactual)),
    "X-more-than-coverage": (by_agent(simple=1.0), lambda s: float(s.counterfactual)),
    "X-imagined": (lambda s: float(s.real_share == 0), lambda s: -float(s.real_share == 0)),
    "X-structured": (lambda s: float(s.structured), lambda s: -float(s.structured)),
    "X-structured-accuracy": (
        lambda s: right(s, 0.5 + 0.2 * s.structured),
        lambda s: right(s, 0.5 - 0.2 * s.structured),
    ),
    "X-scopes": (
        lambda s: right(s, 0.5, learned=15, shared=10),
        lambda s: right(s, 0.5, learned=40, shared=8),
    ),
    "X-gate-price": (gates(free=0.7, priced=0.5), gates(free=0.5, priced=0.7)),
    "X-gate-noise": (gates(noiseless=0.7, priced=0.5), gates(noiseless=0.5, priced=0.7)),
    "X-noiseless-accuracy": (gates(noiseless=0.7), gates(noiseless=0.3)),
    "X-noiseless": (lambda s: -float(s.gate_noise), lambda s: float(s.gate_noise)),
    "X-observations": (by_value_steps(1.0, 0.0, 0.0), by_value_steps(-1.0, 0.0, 0.0)),
    "X-value-steps": (by_value_steps(0.0, 0.0, 1.0), by_value_steps(0.0, 1.0, 0.0)),
    "X-value-bellman": (by_agent(er=1.0), by_agent(er=-1.0)),
    "H-imagined": (lambda s: -s.real_share, lambda s: s.real_share),
    "H-low": (lambda s: (s.agent == "simple") - s.real_share, by_agent(er=1.0)),
    "P-bf16": (rounded(3.5), rounded(-3.7)),
    "S-reward": (lambda s: expecting(s, 0.05), lambda s: expecting(s, -0.05)),
    "S-transition": (
        lambda s: expecting(s, 0.0, 0.6 if s.agent == "gaussian" else 0.5),
        lambda s: expecting(s, 0.0, 0.4 if s.agent == "gaussian" else 0.5),
    ),
    "S-frozen": (soonest(None, 5_000), soonest(5_000, None)),
    "M-model": (
        lambda s: offline(s, 1.0, predicted=0.999),
        lambda s: offline(s, 1.0, predicted=0.9),
    ),
} | {f"M-{coverage}-{arm.name}": predicted(coverage, arm) for coverage in COVERAGES for arm in ARMS}
# What decides nothing: half of the seeds are right, a flat expectation, all alike.
UNDECIDED = {
    "M": lambda s: offline(s, 0.5, predicted=0.99),
    "S": lambda s: frozen(s, 5_000) if s.model_steps else expecting(s, 0.0),
    "P": rounded(3.6),
}
CLAIMS = [(study, claim) for study in STUDIES.values() for claim in study.claims]


def test_every_claim_has_made_up_data_of_both_kinds():
    assert {claim.id for _, claim in CLAIMS} == CASES.keys()


@pytest.fixture
def known_reference(monkeypatch):
    """In place of the exact one, which takes a while to compute for the larger sizes."""
    monkeypatch.setattr(cells, "reference_of", lambda *_: Reference(-4.0, 0.0, -40.0, 0.0))


@pytest.mark.usefixtures("known_reference")
@pytest.mark.parametrize(("study", "claim"), CLAIMS, ids=[claim.id for _, claim in CLAIMS])
@pytest.mark.parametrize("scale", ["desk", "paper"])
def test_a_claim_is_confirmed_contradicted_or_left_open_by_its_rule(study, claim, scale):
    confirming, contradicting = CASES[claim.id]
    assert verdict(claim.compare(found(study, scale, confirming))) == "confirmed"
    assert verdict(claim.compare(found(study, scale, contradicting))) == "contradicted"
    undecided = UNDECIDED.get(claim.id[0], lambda _: 0.0)
    assert (
        verdict(claim.compare(found(study, scale, undecided))) == "open" or claim.id == "O-gaussian"
    )
    assert verdict(claim.compare(found(study, scale, lambda _: None))) == "open"


DRAWN = {
    "maze-coverage": lambda s: offline(s, 0.7),
    "smoothing": lambda s: expecting(s, 0.1),
    "frozen-model": lambda s: frozen(s, 500),
    "structure": lambda s: right(s, 0.6),
    "gates": lambda s: right(s, 0.6),
}


@pytest.mark.usefixtures("known_reference")
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_draws_what_is_there_even_if_it_is_nothing(name, tmp_path):
    study = STUDIES[name]
    made, told = DRAWN.get(name, lambda s: float(s.size)), []
    for number, level in enumerate((lambda _: None, made)):
        seen = found(study, "smoke", level)
        columns, rows = study.rows(seen)
        assert all(len(row) == len(columns) for row in rows)
        for suffix, begins in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
            path = tmp_path / f"{number}{suffix}"
            for draw in (study.draw, study.curves):
                if draw is not None:
                    draw(seen, path)
                    assert path.read_bytes().startswith(begins)
        told.append(study.words(seen))
        assert told[-1].endswith(".")
    assert len(told[1]) > len(told[0]) > 60


@pytest.mark.usefixtures("known_reference")
def test_over_all_tasks_agents_are_compared_where_every_one_of_them_has_finished():
    levels = {"er": 0.2, "simple": 0.6, "perfect": 0.2}

    def level(s):
        return None if (s.env, s.regime) == ("PanFlute", "low") else levels.get(s.agent, 0.4)

    columns, rows = STUDIES["online"].across(found(STUDIES["online"], "smoke", level))
    table = {tuple(row[:2]): dict(zip(columns, row, strict=True)) for row in rows}
    assert {row["tasks"] for (data, _), row in table.items() if data == "high"} == {3}
    assert {row["tasks"] for (data, _), row in table.items() if data == "low"} == {2}
    simple, perfect = table["high", "simple"], table["high", "perfect"]
    assert simple["mean"] > table["high", "er"]["mean"]
    assert (simple["improves on ER"], simple[" low"]) == (1.0, 1.0)
    assert perfect["improves on ER"] == 0.5
    assert table["high", "er"]["improves on ER"] is None
    assert simple["low "] <= simple["IQM"] <= simple["high "]
