"""Theorem 1, checked exactly over classes of small MDPs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro
from rich.console import Console

from experiments.commands.arguments import Json, Picture
from experiments.commands.terminal import (
    PICTURES,
    cell,
    console,
    facts,
    progress,
    require_picture,
    table,
    waiting,
)
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable, write_whole

if TYPE_CHECKING:
    from theory import Allowance, DatasetReport, EvidenceReport, MDPClass, Option, TheoremReport
    from theory.certificates.witness import Witness
    from theory.classes.mdp_class import QTable
    from theory.criteria.samples import Share
    from theory.criteria.theorem import Policies
    from theory.criteria.tolerance import ToleranceStep
    from theory.discount.discount_strata import Stratum

Class = Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="CLASS")]
Gamma = Annotated[str | None, tyro.conf.arg(metavar="P/Q")]

MAX_SHOWN = 6
MAX_STEPS_SHOWN = 12
MAX_ROWS = 64


def check(
    name: Class,
    /,
    *,
    datasets: Annotated[str, tyro.conf.arg(metavar="functional|realizable|FILE")] = "functional",
    gamma: Gamma = None,
    allow_zero_sum: bool = False,
    value_equivalence: Annotated[int | None, tyro.conf.arg(metavar="K")] = None,
    value_functions: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    policies: bool = False,
    tolerance: bool = False,
    evidence: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    samples: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None,
    allow: Annotated[
        Literal["support", "likelihood"] | None, tyro.conf.arg(metavar="support|likelihood")
    ] = None,
    threshold: Annotated[str | None, tyro.conf.arg(metavar="NUMBER")] = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """Check the three parts of the theorem over every dataset of a class, or over one dataset or evidence.

    Exit status 1 if the theorem does not hold: part 1 always, part 3 for a class of all maps.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        datasets: Which datasets are counted; or a JSON file [[s, a, s'], ...] with one dataset, in which a row may go
            on as a trajectory: [s, a, s', a', s'', ...].
        gamma: Another discount than the class's own.
        allow_zero_sum: Go on at gamma = 1 although the Bellman equation may have several solutions.
        value_equivalence: For one dataset: what is left by models that reproduce the rewards, and the values of the
            states, up to K steps ahead along its trajectories, for every number of steps up to K.
        value_functions: A JSON file [[V(s), one for each state], ...]: states have to be worth the same under these
            too, or under these alone.
        policies: For one dataset: how many policies are left, and the worst regret of following one of them.
        tolerance: For one dataset: how many q meet the Bellman equation up to eps, for every eps.
        evidence: In place of a dataset: a JSON file [[s, a, [allowed option, ...]], ...]; at pairs that are not named
            all options are allowed. In a deterministic class an option is a successor.
        samples: In place of a dataset: a JSON file [[s, a, reward, s'], ...] of what was observed, from which the
            evidence is derived.
        allow: Whether samples allow every option under which they are possible (support, unless given), or those under
            which they are likely enough.
        threshold: With likelihood: the least likelihood of a pair's samples, as a share of the likeliest option's.
        json: Write the report as JSON; "-" is standard output.
        out: Draw |H_M| and |H_B| by the size of the dataset.
    """
    from theory import (
        SeveralSolutionsError,
        check_class,
        check_dataset,
        load_dataset,
        load_value_functions,
    )
    from theory.criteria.version_spaces import SweepTooLargeError

    problem = _load(name, gamma)
    require_picture(out)
    require_writable(json)
    screen = console(json)
    if (allow is not None or threshold is not None) and samples is None:
        raise ValueError("--allow and --threshold are about samples; accepted: with --samples FILE")
    if evidence is not None or samples is not None:
        given = "--evidence" if samples is None else "--samples"
        if evidence is not None and samples is not None:
            raise ValueError("--evidence and --samples are both given; accepted: one of them")
        for asked, flag in (
            (datasets != "functional", "--datasets"),
            (value_equivalence is not None, "--value-equivalence"),
            (value_functions is not None, "--value-functions"),
            (policies, "--policies"),
            (tolerance, "--tolerance"),
            (out is not None, "--out"),
        ):
            if asked:
                raise ValueError(f"{flag} is about datasets; accepted: without {given}")
        return _check_evidence(
            screen, problem, evidence, samples, allow or "support", threshold, allow_zero_sum, json
        )
    single = datasets not in ("functional", "realizable")
    if single:
        problem.require_successors("--datasets FILE (beside it there are --evidence and --samples)")
    if single and out is not None:
        raise ValueError(f"--out {out} draws many datasets; accepted: none for a single dataset")
    for asked, option in (
        (value_equivalence is not None, "--value-equivalence"),
        (policies, "--policies"),
        (tolerance, "--tolerance"),
    ):
        if asked and not single:
            raise ValueError(f"{option} is about one dataset; accepted: with --datasets FILE")
    if value_equivalence is not None and value_equivalence < 1:
        raise ValueError(f"--value-equivalence is {value_equivalence}; accepted: 1 or more steps")
    if value_functions is not None and value_equivalence is None:
        raise ValueError(
            "--value-functions is about value equivalence; accepted: with --value-equivalence K"
        )
    if single and not Path(datasets).exists():
        raise ValueError(f"datasets is {datasets!r}; accepted: functional, realizable, or a file")
    try:
        with progress(f"checking {problem.name}") as report_progress:
            if single:
                one = check_dataset(
                    problem,
                    load_dataset(Path(datasets), problem),
                    allow_zero_sum=allow_zero_sum,
                    steps=value_equivalence or 0,
                    functions=load_value_functions(value_functions, problem)
                    if value_functions is not None
                    else (),
                    policies=policies,
                    tolerance=tolerance,
                    progress=report_progress,
                )
            else:
                report = check_class(
                    problem,
                    "functional" if datasets == "functional" else "realizable",
                    allow_zero_sum=allow_zero_sum,
                    every_dataset=out is not None,
                    progress=report_progress,
                )
    except SweepTooLargeError as error:
        raise ValueError(f"--out {out} draws means over all datasets, but {error}") from None
    except SeveralSolutionsError as error:
        raise ValueError(f"{error}, or --allow-zero-sum") from None
    if single:
        write_json(one, json)
        _print_dataset(screen, problem, one)
        return 0 if one.part1 else 1
    if out is not None:
        from experiments.figures.version_spaces import draw_sizes

        draw_sizes(report, out)
    write_json(report, json)
    _print_report(screen, problem, report)
    holds = report.part1 and (report.part3_functional or not problem.transitions.is_tabular)
    return 0 if holds else 1


def _check_evidence(
    screen: Console,
    problem: MDPClass,
    evidence: Path | None,
    samples: Path | None,
    allow: Literal["support", "likelihood"],
    threshold: str | None,
    allow_zero_sum: bool,
    json: str | None,
) -> int:
    """`check` for one piece of evidence, given or derived from samples."""
    from theory import (
        SeveralSolutionsError,
        check_evidence,
        checked_evidence,
        evidence_of_samples,
        load_evidence,
        load_samples,
    )

    path = samples if evidence is None else evidence
    assert path is not None
    allowance = _allowance(allow, threshold)
    try:
        if evidence is not None:
            allowed = checked_evidence(problem, load_evidence(path))
        else:
            allowed = evidence_of_samples(problem, load_samples(path), allowance)
    except ValueError as error:
        said = str(error)
        raise ValueError(said if said.startswith(str(path)) else f"{path}: {said}") from None
    try:
        with progress(f"checking {problem.name}") as report_progress:
            report = check_evidence(
                problem, allowed, allow_zero_sum=allow_zero_sum, progress=report_progress
            )
    except SeveralSolutionsError as error:
        raise ValueError(f"{error}, or --allow-zero-sum") from None
    write_json(report, json)
    _print_evidence(screen, problem, report)
    return 0 if report.part1 else 1


def _allowance(allow: Literal["support", "likelihood"], threshold: str | None) -> Allowance:
    from theory import Allowance, exact

    return Allowance(allow, None if threshold is None else exact(threshold, "threshold"))


def identify(
    name: Class,
    /,
    *,
    truth: int | None = None,
    gamma: Gamma = None,
    samples: int = 1000,
    seed: int = 0,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many observed transitions of a true model settle its optimal actions, under H_M and under H_B.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        truth: The index of the true model; the gallery's own choice, else 0, unless given.
        gamma: Another discount than the class's own.
        samples: How many sets of observed pairs to draw of each size, where all are too many.
        seed: Of that sampling.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw the curves.
    """
    from theory import identify as identifiability_curves

    problem = _load(name, gamma)
    require_picture(out)
    require_writable(json)
    if truth is None:
        truth = _true_model(name, problem)
    with progress(f"observing {problem.name}") as report_progress:
        curves = identifiability_curves(
            problem, truth, samples=samples, seed=seed, progress=report_progress
        )
    rows = [
        (
            str(row.observed) + ("" if row.exact else f" (sampled, {row.subsets})"),
            row.model.hypotheses,
            row.bellman.hypotheses,
            row.model.policy,
            row.bellman.policy,
        )
        for row in curves.rows
    ]
    columns = ("observed pairs", "mean |H_M|", "mean |H_B|", "policy settled by H_M", "by H_B")
    if out is not None:
        from experiments.figures.version_spaces import draw_identifiability

        draw_identifiability(curves, out)
    write_json(curves, json)
    console(json).print(table(f"{problem.name}, true model {truth}", columns, rows))
    return 0


def samples(
    name: Class,
    /,
    *,
    truth: int | None = None,
    allow: Annotated[
        Literal["support", "likelihood"], tyro.conf.arg(metavar="support|likelihood")
    ] = "support",
    threshold: Annotated[str | None, tyro.conf.arg(metavar="NUMBER")] = None,
    most: int = 20,
    draws: int = 1000,
    seed: int = 0,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many observations of every pair settle an optimal policy, where observations are samples.

    Beside a class that is not all choices of its options stands the class of all choices, for which H_M = H_B.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        truth: The index of the true model; the gallery's own choice, else 0, unless given.
        allow: Whether samples allow every option under which they are possible, or those under which they are likely
            enough.
        threshold: With likelihood: the least likelihood of a pair's samples, as a share of the likeliest option's.
        most: The largest number of observations of each pair.
        draws: How many outcomes to draw, where all are too many.
        seed: Of the draws.
        gamma: Another discount than the class's own.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw them.
    """
    from theory import sample_curves

    problem = _load(name, gamma)
    require_picture(out)
    require_writable(json)
    allowance = _allowance(allow, threshold)
    if truth is None:
        truth = _true_model(name, problem)
    with progress(f"observing {problem.name}") as report_progress:
        curves = sample_curves(
            problem,
            truth,
            allowance,
            most=most,
            draws=draws,
            seed=seed,
            progress=report_progress,
        )
    if out is not None:
        from experiments.figures.samples import draw_samples

        draw_samples(curves, out)
    write_json(curves, json)
    by_product = {row.observations: row for row in curves.product}
    rows = []
    for row in curves.rows:
        shares = [row.model.settled, row.bellman.settled, row.ruled_out]
        if row.observations in by_product:
            shares.insert(2, by_product[row.observations].bellman.settled)
        rows.append(
            (
                str(row.observations) + ("" if row.exact else f" ({row.draws} draws)"),
                row.model.hypotheses,
                row.bellman.hypotheses,
                *(_share_text(share) for share in shares),
            )
        )
    columns = (
        *("observations of each pair", "mean |H_M|", "mean |H_B|"),
        *("policy settled by H_M", "by H_B"),
        *(("all choices",) if by_product else ()),
        "truth ruled out",
    )
    console(json).print(table(f"{problem.name}, true model {truth}", columns, rows))
    return 0


def _share_text(share: Share) -> str:
    """A share; with its interval where it was sampled."""
    if share.low == share.high:
        return cell(share.share)
    return f"{share.share:.3f} ({share.low:.3f} to {share.high:.3f})"


def truths(
    name: Class,
    /,
    *,
    start: int = 0,
    steps: int | None = None,
    samples: int = 1000,
    seed: int = 0,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How much data settle an optimal policy, over every true model of a class: the mean and the worst of them.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        start: The state where trajectories begin.
        steps: How long they are; twice the number of state-action pairs unless given.
        samples: How many truths and sets of pairs to draw, where all are too many.
        seed: Of that sampling.
        gamma: Another discount than the class's own.
        json: Write the curves as JSON; "-" is standard output.
        out: Draw them.
    """
    from theory import over_all_truths

    problem = _load(name, gamma)
    require_picture(out)
    require_writable(json)
    with progress(f"observing all of {problem.name}") as report_progress:
        report = over_all_truths(
            problem, start=start, steps=steps, samples=samples, seed=seed, progress=report_progress
        )
    if out is not None:
        from experiments.figures.all_truths import draw_truths

        draw_truths(report, out)
    write_json(report, json)
    screen = console(json)
    for title, amount, rows, exact in (
        ("Uniform sets of pairs", "observed pairs", report.subsets, report.subsets_exact),
        (
            f"Random actions from {problem.state_name(start)}",
            "steps",
            report.trajectories,
            report.trajectories_exact,
        ),
    ):
        columns = (
            *(amount, "mean |H_M|", "worst", "mean |H_B|", "worst"),
            *("policy settled by H_M", "least", "by H_B", "least"),
        )
        lines = [
            (
                row.amount,
                *(row.model.mean, row.model.worst, row.bellman.mean, row.bellman.worst),
                *(row.model.settled, row.model.least_settled),
                *(row.bellman.settled, row.bellman.least_settled),
            )
            for row in rows
        ]
        over = f"over all {report.models:,} truths" if exact else "over sampled truths"
        screen.print(table(f"{title}, {over}", columns, [tuple(map(cell, row)) for row in lines]))
    trees = report.queries
    if trees is None:
        screen.print("the class has too many datasets for its query trees")
    else:
        screen.print(
            table(
                "Queries chosen in view of the answers, until a policy is settled",
                ("", "H_M", "H_B"),
                [
                    ("best tree for the worst truth", trees.worst_model, trees.worst_bellman),
                    ("best tree in the mean", trees.mean_model, trees.mean_bellman),
                ],
            )
        )
    return 0


def census(
    *,
    states: Annotated[int, tyro.conf.arg(metavar="N")],
    actions: Annotated[int, tyro.conf.arg(metavar="K")],
    rewards: Annotated[str, tyro.conf.arg(metavar="sparse|cost|generic|FILE")] = "sparse",
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "9/10",
    json: Json = None,
) -> int:
    """Count all maps of N states and K actions by their optimal values, without enumerating them.

    Exit status 1 if the counts do not add up to the number of maps.

    Args:
        states: The number of nonterminal states.
        actions: The number of actions.
        rewards: A reward table by name, or a JSON file [[r, one for each action], one for each state].
        gamma: The discount.
        json: Write the counts as JSON; "-" is standard output.
    """
    import theory

    if states < 1 or actions < 1:
        raise ValueError(f"{states} states and {actions} actions; accepted: 1 or more of each")
    require_writable(json)
    if Path(rewards).is_file() or rewards.endswith(".json"):
        reward_table = theory.load_rewards(Path(rewards), states, actions)
    else:
        reward_table = theory.named_rewards(rewards, states, actions)
    with progress(f"census of {states} x {actions}") as report_progress:
        counts = theory.census(reward_table, theory.exact(gamma, "gamma"), report_progress)
    rows = [
        ("models", counts.models),
        ("counted, fiber by fiber", counts.counted),
        ("complete", counts.complete),
        ("distinct optimal q", counts.value_functions),
        ("distinct optimal V", counts.value_vectors),
        ("most models with one V", counts.largest_fiber),
        ("seconds", counts.seconds),
    ]
    title = (
        f"Census of {states} states x {actions} actions, {rewards} rewards, gamma = {counts.gamma}"
    )
    console(json).print(facts(title, rows))
    write_json({"rewards": rewards, "complete": counts.complete} | vars(counts), json)
    return 0 if counts.complete else 1


def gallery(*, json: Json = None) -> int:
    """The built-in classes.

    Args:
        json: Write the list as JSON; "-" is standard output.
    """
    from theory import GALLERY

    require_writable(json)
    entries = [(name, entry, entry.make()) for name, entry in GALLERY.items()]
    rows = [
        (name, f"{p.states} x {p.actions}", p.transitions.size, str(p.gamma), entry.about)
        for name, entry, p in entries
    ]
    columns = ("class", "size", "models", "gamma", "what it shows")
    console(json).print(table("Gallery; sizes are states x actions", columns, rows))
    write_json(
        [
            {
                "name": name,
                "states": p.states,
                "actions": p.actions,
                "models": p.transitions.size,
                "gamma": p.gamma,
                "about": entry.about,
                "dataset": entry.dataset,
                "counterexample": entry.counterexample,
            }
            for name, entry, p in entries
        ],
        json,
    )
    return 0


def witness(
    name: Class,
    /,
    *,
    decision_relevant: bool = False,
    gamma: Gamma = None,
    time_limit: float = 600.0,
    json: Json = None,
    out: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="CERT.json|FILE.png|svg|pdf")] = (),
) -> int:
    """The smallest realizable dataset of a class whose inclusion is proper.

    Exit status 1 if the class has none.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        decision_relevant: Ask that it settles an optimal action of a state under H_M, but not under H_B.
        gamma: Another discount than the class's own.
        time_limit: For the search, in seconds; then the smallest dataset found is given, and how small any may be.
        json: Write the witness as JSON; "-" is standard output.
        out: Write its certificate, draw it, or both: the suffix tells.
    """
    from theory import (
        block_certificate_text,
        certificate_text,
        find_block_witness,
        find_decision_witness,
        find_witness,
        solve,
    )
    from theory.certificates.certificate import require_certifiable
    from theory.criteria.theorem import require_unique_solution
    from theory.solving.deterministic import beyond_enumeration

    problem = _load(name, gamma)
    require_unique_solution(problem)
    if not time_limit > 0:
        raise ValueError(f"time-limit is {time_limit}; accepted: a number of seconds above 0")
    require_writable(json)
    by_blocks = beyond_enumeration(problem) and not decision_relevant
    for path in out:
        if path.suffix.lower() not in (".json", *PICTURES):
            raise ValueError(f"{path} is no output's name; accepted: .json, {', '.join(PICTURES)}")
        require_writable(path)
        if path.suffix.lower() == ".json" and not by_blocks:
            require_certifiable(problem)
        if path.suffix.lower() in PICTURES:
            from experiments.figures.witness import require_drawable

            require_drawable(problem)
    search = find_decision_witness if decision_relevant else find_witness
    with progress(f"searching {problem.name}") as report_progress:
        if by_blocks:
            found = find_block_witness(problem, report_progress, time_limit=time_limit)
        else:
            solved = solve(problem, lambda fraction: report_progress(fraction / 2))
            found = search(
                solved, lambda fraction: report_progress((1 + fraction) / 2), time_limit=time_limit
            )
    if found is None:
        write_json(None, json)
        what = "is decision-relevant" if decision_relevant else "has a proper inclusion"
        console(json).print(f"{problem.name}: no realizable dataset {what}")
        return 1
    write_json(found, json)
    _print_witness(console(json), problem, found)
    for path in out:
        if path.suffix.lower() == ".json":
            text = (
                block_certificate_text(problem, found)
                if by_blocks
                else certificate_text(solved, found)
            )
            write_whole(path, lambda whole, text=text: whole.write_text(text))  # type: ignore[misc]
        else:
            from experiments.figures.witness import draw_witness

            draw_witness(problem, found, path)
    return 0


def verify(
    certificate: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="CERT.json")], /
) -> int:
    """Check a certificate by the independent verifier.

    Exit status 1, with the reason, if it does not hold.

    Args:
        certificate: As written by `mbgen theorem witness CLASS --out CERT.json`.
    """
    from theory.certificates import verifier

    try:
        reason = verifier.verify(verifier.read(certificate))
    except ValueError as error:
        raise ValueError(f"{certificate}: {error}") from None
    console().print(f"does not verify: {reason}" if reason else "verified")
    return 1 if reason else 0


def smallest(
    *,
    max_states: int = 2,
    max_actions: int = 2,
    rewards: tuple[str, ...] = ("-1", "0", "1"),
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "1/2",
    decision_relevant: bool = False,
    json: Json = None,
) -> int:
    """The smallest class and dataset with a proper inclusion, by (|S|, |A|, |M|, |D|), over all classes of a box.

    Exit status 1 if there is none in the box.

    Args:
        max_states: The most states of the box.
        max_actions: The most actions.
        rewards: The values that a reward may have.
        gamma: The discount.
        decision_relevant: Ask that it settles an optimal action of a state under H_M, but not under H_B.
        json: Write what was found as JSON; "-" is standard output.
    """
    from theory import exact, search_classes

    require_writable(json)
    with progress("searching all classes") as report_progress:
        found = search_classes(
            max_states,
            max_actions,
            [exact(reward, "a reward") for reward in rewards],
            exact(gamma, "gamma"),
            decision_relevant=decision_relevant,
            progress=report_progress,
        )
    if found is None:
        write_json(None, json)
        what = "decision-relevant dataset" if decision_relevant else "proper inclusion"
        console(json).print(f"no class of the box has a {what}")
        return 1
    problem, smallest_witness = found
    models = [problem.transitions.table(i) for i in range(problem.transitions.size)]
    sizes = {"states": problem.states, "actions": problem.actions, "models": len(models)}
    write_json(
        sizes | {"rewards": problem.rewards, "tables": models} | vars(smallest_witness), json
    )
    rewards_found = "; ".join(" ".join(map(str, row)) for row in problem.rewards)
    rows = [*sizes.items(), ("rewards, state by state", rewards_found)]
    screen = console(json)
    screen.print(facts("The smallest class with a proper inclusion", rows))
    _print_witness(screen, problem, smallest_witness)
    return 0


def rewards(
    name: Class,
    /,
    *,
    family: Annotated[str, tyro.conf.arg(metavar="goals|random|FILE")] = "goals",
    count: int = 8,
    most: int = 4,
    samples: int = 200,
    seed: int = 0,
    gamma: Gamma = None,
    json: Json = None,
    out: Picture = None,
) -> int:
    """How many reward functions it takes until value functions know what a model knows.

    Exit status 1 if no set of rewards was found that closes the gap.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID; its own rewards are always known.
        family: The rewards to add: a goal at every pair, random integers from -2 to 2, or a JSON file with a list of
            reward tables.
        count: How many random ones.
        most: Add up to so many at once; the family's size, if that is less.
        samples: How many sets of one size to draw, where all are too many.
        seed: Of the random rewards and of that sampling.
        gamma: Another discount than the class's own.
        json: Write the curve as JSON; "-" is standard output.
        out: Draw it.
    """
    from theory import gap_by_rewards, goal_rewards, load_reward_family, random_rewards

    problem = _load(name, gamma)
    require_picture(out)
    require_writable(json)
    if most < 0:
        raise ValueError(f"--most is {most}; accepted: 0 or more")
    if family == "goals":
        added = goal_rewards(problem)
    elif family == "random":
        added = random_rewards(problem, count, seed)
    elif Path(family).exists():
        added = load_reward_family(Path(family), problem)
    else:
        raise ValueError(f"family is {family!r}; accepted: goals, random, or a file")
    with progress(f"adding rewards to {problem.name}") as report_progress:
        report = gap_by_rewards(
            problem,
            added,
            most=min(most, len(added)),
            samples=samples,
            seed=seed,
            progress=report_progress,
        )
    rows = [
        (
            str(row.added) + ("" if row.exact else " (sampled)"),
            row.sets,
            row.closed,
            row.least,
            row.mean,
            row.most,
        )
        for row in report.rows
    ]
    columns = ("rewards added", "sets", "without a gap", "least gap", "mean gap", "largest gap")
    if out is not None:
        from experiments.figures.several_rewards import draw_gap

        draw_gap(report, out)
    write_json(report, json)
    screen = console(json)
    title = f"{report.name}, gamma = {report.gamma}: gap in pairs of models, out of {report.models**2:,}"
    screen.print(table(title, columns, rows))
    if report.smallest is not None:
        known = "a smallest set" if report.proved_smallest else "the smallest set met"
        screen.print(f"{known} without a gap: {', '.join(report.smallest) or 'none is needed'}")
        return 0
    screen.print("no set has no gap" if report.proved_smallest else "no set without a gap was met")
    return 1


def discount(name: Class, /, *, json: Json = None, out: Picture = None) -> int:
    """The values of gamma in (0, 1) at which the structure of a class changes, exactly.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID; its own discount plays no part.
        json: Write the strata as JSON; "-" is standard output.
        out: Draw |H_Q| along gamma.
    """
    from theory import find_strata

    problem = _load(name, "1/2")  # any will do
    require_picture(out)
    require_writable(json)
    with progress(f"following {problem.name} through gamma") as report_progress:
        strata = find_strata(problem, report_progress)
    rows = [
        (
            _stratum_name(stratum),
            stratum.sample or "-",
            stratum.value_functions,
            stratum.strict,
            stratum.part3_functional,
            ", ".join(stratum.changes) or "-",
        )
        for stratum in strata.strata
    ]
    columns = ("gamma", "sample", "|H_Q|", "2: proper", "3: equal", "changes")
    title = f"{strata.name}: {strata.policy_values} policy values, meeting at {strata.candidates} gammas"
    if out is not None:
        from experiments.figures.discount_strata import draw_strata

        draw_strata(strata, out)
    write_json(strata, json)
    console(json).print(table(title, columns, rows))
    return 0


def prove(
    *,
    states: Annotated[int, tyro.conf.arg(metavar="N")] = 3,
    actions: Annotated[int, tyro.conf.arg(metavar="K")] = 2,
    gamma: Annotated[str, tyro.conf.arg(metavar="P/Q")] = "9/10",
    time_limit: float = 60.0,
    json: Json = None,
) -> int:
    """Have z3 prove part 3 for all real rewards and all maps of N states and K actions at once.

    Needs the extra `proof`. Exit status 1 unless everything is proved, and not vacuously.

    Args:
        states: The number of nonterminal states.
        actions: The number of actions.
        gamma: The discount, below 1.
        time_limit: In seconds, for all queries together.
        json: Write the verdicts as JSON; "-" is standard output.
    """
    from theory import prove as prove_by_z3

    require_writable(json)
    with waiting("z3 is proving"):
        report = prove_by_z3(states, actions, gamma, time_limit=time_limit)
    rows = [
        ("the Bellman optimality equation has one solution", report.uniqueness),
        ("part 3, for every functional D", report.part3),
        ("not vacuous: at gamma = 1 the first is refuted", report.uniqueness_at_one),
        ("not vacuous: without its premise the second is", report.part3_without_premise),
        ("seconds", report.seconds),
        ("z3", report.z3_version),
    ]
    title = f"All rewards, all maps: {states} states x {actions} actions, gamma = {report.gamma}"
    console(json).print(facts(title, rows))
    write_json({"proved": report.proved} | vars(report), json)
    return 0 if report.proved else 1


def export(
    name: Class,
    /,
    *,
    format: Annotated[  # noqa: A002 - the option's name
        Literal["drn", "prism", "dot", "npz"], tyro.conf.arg(metavar="drn|prism|dot|npz")
    ],
    out: Annotated[Path, tyro.conf.arg(metavar="PATH")],
    model: Annotated[int | None, tyro.conf.arg(metavar="I")] = None,
    start: int = 0,
    fold_discount: bool = False,
    gamma: Gamma = None,
) -> int:
    """Write a model of a class for Storm (drn), PRISM (prism), Graphviz (dot), or numpy and QuantEcon (npz).

    For PRISM there are four files beside each other: PATH with the suffixes .tra, .trew, .lab and .sta.

    Args:
        name: A class of the gallery, or a file (JSON, .drn, .tra), or gym:ID.
        format: Of which program.
        out: Where to write it.
        model: The index of the model; the gallery's own choice of a true one, else 0, unless given.
        start: The state that Storm and PRISM are to call initial.
        fold_discount: For Storm and PRISM, which know no discount: let every step end with probability 1 - gamma.
        gamma: Another discount than the class's own.
    """
    from theory.formats import arrays, dot, drn, explicit_model, prism

    problem = _load(name, gamma)
    index = _true_model(name, problem) if model is None else model
    texts: dict[Path, str] = {}
    if format == "npz":
        import numpy as np

        contents = arrays.model_arrays(problem, index)

        def write_arrays(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **contents)  # type: ignore[arg-type]

        write_whole(out, write_arrays)
    elif format == "dot":
        texts = {out: dot.dot_text(problem, index)}
    else:
        listed = explicit_model.explicit_model(
            problem, index, fold_discount=fold_discount, start=start
        )
        if format == "drn":
            texts = {out: drn.drn_text(listed)}
        else:
            texts = {out.with_suffix(end): text for end, text in prism.prism_files(listed).items()}
    require_writable(*texts)
    for path, text in texts.items():
        write_whole(path, lambda whole, text=text: whole.write_text(text, encoding="utf-8"))  # type: ignore[misc]
    console().print(f"model {index} of {problem.name}: {', '.join(map(str, texts or [out]))}")
    return 0


def _true_model(name: str, problem: MDPClass) -> int:
    """The index of the model that the gallery calls true; 0 if it names none."""
    from theory import GALLERY

    known = GALLERY[name].truth if name in GALLERY else ()
    return problem.transitions.index(known) if known else 0


def _load(name: str, gamma: str | None) -> MDPClass:
    from theory import from_gymnasium, load_class

    if not name.startswith("gym:"):
        return load_class(name, gamma)
    import gymnasium

    environment = name.removeprefix("gym:")
    if gamma is None:
        raise ValueError(f"{name} has no discount of its own; accepted: one given by --gamma P/Q")
    try:
        table = getattr(gymnasium.make(environment).unwrapped, "P", None)
    except gymnasium.error.Error as error:
        raise ValueError(f"{name} cannot be made: {error}") from None
    if table is None:
        raise ValueError(f"{name} has no table P; accepted: environments that have one")
    return from_gymnasium(table, gamma, name=environment)


def _print_witness(screen: Console, problem: MDPClass, found: Witness) -> None:
    dataset = ", ".join(
        f"({problem.state_name(s)}, {problem.action_name(a)}) -> {_choice_text(problem, s, a, choice)}"
        for s, a, choice in found.dataset
    )
    size: object = len(found.dataset)
    if not found.proved_smallest:
        size = f"{size}, not proved smallest within the time limit: at least {found.at_least}"
    facts_found: list[tuple[str, object]] = [
        ("D, the smallest" if found.proved_smallest else "D, the smallest found", dataset),
        ("|D|", size),
    ]
    if found.decision is not None:
        state, action = found.decision
        settled = f"{problem.action_name(action)} in {problem.state_name(state)}"
        facts_found.append(("settled by H_M(D) alone", settled))
    screen.print(facts(f"{problem.name}, gamma = {problem.gamma}", facts_found))
    rows = [
        (
            problem.state_name(s),
            problem.action_name(a),
            _choice_text(problem, s, a, found.T0[s][a]),
            str(found.q0[s][a]),
            _choice_text(problem, s, a, found.T1[s][a]),
            str(found.q1[s][a]),
        )
        for s in range(problem.states)
        for a in range(problem.actions)
    ]
    columns = ("state", "action", "T0", "q0", "T1", "q1")
    title = "q0 is in H_M(D), as T0 agrees with D; q1 is in H_B(D) alone, as T1 does not"
    if len(rows) > MAX_ROWS:
        title += f" ({len(rows) - MAX_ROWS} more rows in --json)"
    screen.print(table(title, columns, rows[:MAX_ROWS]))


def _stratum_name(stratum: Stratum) -> str:
    lower, upper = stratum.lower, stratum.upper
    if stratum.kind == "interval":
        return f"{lower.approximation:.6g} to {upper.approximation:.6g}"
    return f"= {lower.closed_form or lower.minimal_polynomial}"


def _print_report(screen: Console, problem: MDPClass, report: TheoremReport) -> None:
    rows: list[tuple[str, object]] = [
        ("models", report.models),
        ("distinct optimal q, |H_Q|", report.value_functions),
        ("distinct optimal V", report.value_vectors),
        ("datasets gone through", report.datasets),
        ("sum of |H_M(D)| over them", report.sum_HM),
        ("sum of |H_B(D)| over them", report.sum_HB),
        ("realizable datasets with a proper inclusion", report.strict),
        ("part 1: H_M(D) is a subset of H_B(D)", report.part1),
        ("part 2: a proper one for some realizable D", report.part2),
        ("part 3: equal for every functional D", report.part3_functional),
        ("part 3: equal for every realizable D", report.part3_realizable),
        ("equal for every D, functional or not", report.part3_arbitrary),
        ("decided by", report.method),
        ("seconds", report.seconds),
    ]
    if problem.transitions.options is not None:
        rows.insert(-3, ("part 3: equal for all evidence", report.part3_functional))
        rows.insert(-3, ("part 3: equal for all realizable evidence", report.part3_evidence))
    if report.merged:
        rows.insert(1, ("repeated models, merged", report.merged))
    if report.dropped:
        rows.insert(1, ("models with an infinite q, left out", report.dropped))
    title = (
        f"{report.name}: {report.states} states, {report.actions} actions, gamma = {report.gamma}"
    )
    screen.print(facts(title, rows))


def _print_dataset(screen: Console, problem: MDPClass, report: DatasetReport) -> None:
    rows = [
        ("transitions", len(report.dataset)),
        ("functional", report.functional),
        ("realizable", report.realizable),
        ("models that agree with it", report.models_consistent),
        ("|H_M(D)|", len(report.HM)),
        ("|H_B(D)|", len(report.HB)),
        ("part 1: H_M(D) is a subset of H_B(D)", report.part1),
        ("part 2: a proper one, and D realizable", report.part2),
        ("they are equal", report.equal),
    ]
    screen.print(facts(f"{report.name}, one dataset", rows))
    if report.value_equivalence:
        screen.print(_equivalence_table(report))
    if report.policies is not None:
        screen.print(_policies_table(problem, report.policies))
    if report.tolerance:
        screen.print(_tolerance_table(report.tolerance))
    for label, tables in (("H_M(D)", report.HM), ("H_B(D)", report.HB)):
        screen.print(_q_tables(problem, label, tables))


def _print_evidence(screen: Console, problem: MDPClass, report: EvidenceReport) -> None:
    rows = [
        ("evidence is about pairs", len(report.evidence)),
        ("functional: one option at each of them", report.functional),
        ("realizable", report.realizable),
        ("models that agree with it", report.models_consistent),
        ("|H_M(E)|", len(report.HM)),
        ("|H_B(E)|", len(report.HB)),
        ("part 1: H_M(E) is a subset of H_B(E)", report.part1),
        ("part 2: a proper one, and E realizable", report.part2),
        ("they are equal", report.equal),
    ]
    screen.print(facts(f"{report.name}, evidence", rows))
    allowed = [
        (
            problem.state_name(s),
            problem.action_name(a),
            " or ".join(
                _option_text(problem, problem.options_at(s * problem.actions + a)[o])
                for o in options
            ),
        )
        for s, a, options in report.evidence
    ]
    screen.print(table("What is allowed", ("state", "action", "options"), allowed))
    for label, tables in (("H_M(E)", report.HM), ("H_B(E)", report.HB)):
        screen.print(_q_tables(problem, label, tables))


def _choice_text(problem: MDPClass, state: int, action: int, choice: int) -> str:
    """What a model does at a pair: a successor, or an option."""
    if problem.transitions.options is None:
        return problem.state_name(choice)
    return _option_text(problem, problem.options_at(state * problem.actions + action)[choice])


def _option_text(problem: MDPClass, option: Option) -> str:
    """An option in a line: what follows with which probability, and the reward."""
    law = ", ".join(
        problem.state_name(x) if p == 1 else f"{problem.state_name(x)} by {p}"
        for x, p in option.law
    )
    return f"{law}, earning {option.reward}"


def _equivalence_table(report: DatasetReport) -> object:
    """|H_VE^K| by K, from H_B at one step towards H_M."""
    columns = ["steps ahead", "models", "|H_VE| by their own V*"]
    rows = [[row.steps, row.models, row.own] for row in report.value_equivalence]
    if report.value_equivalence[0].functions is not None:
        columns += ["and by all of F", "by F alone"]
        for line, row in zip(rows, report.value_equivalence, strict=True):
            line += [row.own_and_functions or 0, row.functions or 0]
    return table("Left by value-equivalent models", columns, rows)


def _policies_table(problem: MDPClass, left: Policies) -> object:
    """What H_M and H_B leave to choose, side by side."""
    both = (left.HM, left.HB)
    regrets = [side.regret for side in both]
    rows: list[tuple[object, ...]] = [
        ("policies that some q left is greedy for", *(cell(side.policies) for side in both)),
        ("policies that all are", *(cell(side.settled) for side in both)),
        (
            "least regret that one policy guarantees",
            *("-" if side.guarantee is None else str(side.guarantee) for side in both),
        ),
        ("worst regret of a policy left", *("-" if r is None else str(r.value) for r in regrets)),
        ("from state", *("-" if r is None else problem.state_name(r.state) for r in regrets)),
        (
            "by the policy",
            *("-" if r is None else " ".join(map(problem.action_name, r.policy)) for r in regrets),
        ),
    ]
    return table("Policies", ("", "H_M(D)", "H_B(D)"), rows)


def _tolerance_table(steps: Sequence[ToleranceStep]) -> object:
    """|H_B^eps| by eps, from H_B to H_Q."""
    shown = steps[:MAX_STEPS_SHOWN]
    more = len(steps) - len(shown)
    rows = [(str(step.eps), step.HB, step.outside_HM) for step in shown]
    title = f"The Bellman equation up to eps{f' ({more} more steps in --json)' if more else ''}"
    return table(title, ("from eps", "|H_B^eps(D)|", "of these not in H_M(D)"), rows)


def _q_tables(problem: MDPClass, title: str, tables: Sequence[QTable]) -> object:
    """Optimal q side by side, a line for each state and action."""
    shown = tables[:MAX_SHOWN]
    rows = [
        (problem.state_name(s), problem.action_name(a), *(str(q[s][a]) for q in shown))
        for s in range(problem.states)
        for a in range(problem.actions)
    ]
    more = len(tables) - len(shown)
    columns = ("state", "action", *(f"q{i}" for i in range(len(shown))))
    return table(f"{title}{f' ({more} more in --json)' if more else ''}", columns, rows)
