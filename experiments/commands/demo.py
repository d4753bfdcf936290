"""The guided tour: what `make demo` runs."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from experiments.commands.terminal import console, progress, table
from experiments.storage.whole_files import make_folder, write_text

if TYPE_CHECKING:
    from experiments.runs.execution import Moment


RESULTS = Path(__file__).parents[2] / "results" / "desk"
STORED_SIZE = 4  # of the maze
LIVE_SIZE = 3  # pipes
LIVE_LANES = 3
LIVE_EVALUATIONS = 250  # steps between


def demo(*, out: Path = Path("demo"), steps: int = 2_000) -> int:
    """Check Theorem 1 over the gallery, certify a witness, learn in tables and online, and draw the pictures.

    Exit status 1 if the theorem fails anywhere, or the certificate does not verify.

    Args:
        out: The folder; it is made if there is none, and files of the same names are replaced.
        steps: Of the agent that learns online while you wait; 0 leaves it out.
    """
    if steps < 0:
        raise ValueError(f"steps is {steps}; accepted: 0 or more")
    start = time.perf_counter()
    make_folder(out)
    screen = console()
    holds = _check_gallery(screen)
    _push_tree(screen)
    _growth(screen)
    _side_conditions(screen)
    holds &= _certify(screen, out)
    _draw(screen, out)
    _learn_tables(screen, out)
    _show_stored(screen, out)
    if steps:
        _learn_online(screen, out, steps)
    screen.print(f"\n{time.perf_counter() - start:.1f} s; the pictures are in {out.resolve()}")
    return 0 if holds else 1


def _check_gallery(screen: Console) -> bool:
    """Every class of the gallery that meets the side conditions; whether the theorem held in all."""
    from theory import GALLERY, check_class

    classes = {name: entry.make() for name, entry in GALLERY.items() if not entry.counterexample}
    rows, holds = [], True
    with progress("checking the gallery") as report_progress:
        for done, (name, problem) in enumerate(classes.items()):
            report = check_class(problem)
            tabular = problem.transitions.is_tabular
            holds &= report.part1 and (report.part3_functional or not tabular)
            rows.append(
                (
                    name,
                    report.models,
                    report.datasets,
                    report.strict,
                    report.part1,
                    report.part3_realizable is False,
                    report.part3_functional if tabular else None,
                )
            )
            report_progress((done + 1) / len(classes))
    columns = ("class", "models", "datasets", "proper", "1", "2", "3")
    screen.print(
        table("Theorem 1 over every functional dataset of every class", columns, rows),
        "proper: realizable datasets with a proper inclusion. 1: H_M(D) is a subset of H_B(D),"
        " always. 2: a proper one, for some realizable D. 3: equal, for every functional D, where"
        " the class is that of all maps. Without a number of datasets, the criteria decided it.",
    )
    return holds


def _push_tree(screen: Console) -> None:
    """What each class of the push-tree leaves of the value of pushing at (0, 1)."""
    import numpy as np

    from theory import GALLERY, solve, version_space
    from theory.classes.push_tree import EXPERIENCE, PUSH, STANDING_WITH_FOOD

    rows = []
    for name, entry in GALLERY.items():
        if not name.startswith("push-tree"):
            continue
        solved = solve(entry.make())
        space = version_space(solved, EXPERIENCE)
        pushes = [
            sorted({solved.q_table(int(q))[STANDING_WITH_FOOD][PUSH] for q in np.flatnonzero(left)})
            for left in (space.HM, space.HB)
        ]
        counts = (len(solved.models), int(space.HM.sum()), int(space.HB.sum()))
        rows.append((name, *counts, *(" ".join(f"{float(v):g}" for v in vs) for vs in pushes)))
    columns = ("class", "models", "|H_M|", "|H_B|", "q by H_M", "q by H_B")
    screen.print(
        table("Push-tree: seen (0,0) push -> (1,0), and eating at (1,1)", columns, rows),
        "q is what is left open of q((0,1), push). Only a class which says that pushing leaves"
        " the food in place makes pushing attractive.",
    )


def _growth(screen: Console) -> None:
    """The gap of the binary factors."""
    from theory import GALLERY, solve, version_space

    rows = []
    with progress("counting the gap") as report_progress:
        for count in range(1, 5):
            entry = GALLERY[f"binary-factors-{count}"]
            solved = solve(entry.make(), report_progress)
            space = version_space(solved, entry.dataset)
            left, open_ = int(space.HM.sum()), int(space.HB.sum())
            rows.append((count, left, open_, open_ / left, 2**count - count))
    columns = ("factors n", "|H_M(D)|", "|H_B(D)|", "ratio", "2^n - n")
    screen.print(table("The gap has no bound: n binary factors, n observations", columns, rows))


def _side_conditions(screen: Console) -> None:
    """The two counterexamples to part 3 without its side conditions."""
    from theory import GALLERY, check_dataset

    rows = []
    for name, entry in GALLERY.items():
        if entry.counterexample:
            report = check_dataset(entry.make(), entry.dataset, allow_zero_sum=True)
            left, open_ = (", ".join(map(_flat, tables)) for tables in (report.HM, report.HB))
            rows.append((name, entry.about, left or "none", open_))
    columns = ("class", "why", "H_M(D)", "H_B(D)")
    screen.print(table("Without its side conditions part 3 fails", columns, rows))


def _flat(q: tuple[tuple[object, ...], ...]) -> str:
    return "(" + ", ".join(str(entry) for row in q for entry in row) + ")"


def _certify(screen: Console, out: Path) -> bool:
    """Find the smallest witness of the push-tree and have the independent program verify its certificate."""
    from theory import certificate_text, find_witness, gallery_class, solve
    from theory.certificates import verifier

    solved = solve(gallery_class("push-tree"))
    witness = find_witness(solved)
    assert witness is not None
    path = out / "push-tree-certificate.json"
    text = certificate_text(solved, witness)
    write_text(path, text)
    program = Path(verifier.__file__).parent
    run = subprocess.run(
        [sys.executable, str(program), str(path)], capture_output=True, text=True, check=False
    )
    screen.print(
        f"\nCertificate {path}\n  by its own program: {run.stdout.strip() or run.stderr.strip()}"
    )
    return run.returncode == 0


def _draw(screen: Console, out: Path) -> None:
    from experiments.figures.all_truths import draw_truths
    from experiments.figures.discount_strata import draw_strata
    from experiments.figures.several_rewards import draw_gap
    from experiments.figures.version_spaces import draw_identifiability, draw_sizes
    from experiments.figures.witness import draw_witness
    from theory import (
        GALLERY,
        check_class,
        find_strata,
        find_witness,
        gap_by_rewards,
        goal_rewards,
        identify,
        over_all_truths,
        solve,
    )

    def sizes(name: str, path: Path) -> None:
        draw_sizes(check_class(GALLERY[name].make(), "realizable"), path)

    def identifiability(name: str, path: Path) -> None:
        problem = GALLERY[name].make()
        truth = problem.transitions.index(GALLERY[name].truth)
        draw_identifiability(identify(problem, truth), path)

    def witness(name: str, path: Path) -> None:
        problem = GALLERY[name].make()
        found = find_witness(solve(problem))
        assert found is not None
        draw_witness(problem, found, path)

    def strata(name: str, path: Path) -> None:
        draw_strata(find_strata(GALLERY[name].make()), path)

    def truths(name: str, path: Path) -> None:
        draw_truths(over_all_truths(GALLERY[name].make()), path)

    def gap(name: str, path: Path) -> None:
        problem = GALLERY[name].make()
        draw_gap(gap_by_rewards(problem, goal_rewards(problem)), path)

    jobs = [
        (draw, n) for draw in (sizes, identifiability) for n in ("push-tree", "tabular-3x2-sparse")
    ]
    jobs += [(witness, n) for n in ("smallest-witness", "smallest-decision", "push-tree")]
    jobs += [(strata, "golden-discount"), (truths, "push-tree"), (gap, "push-tree")]
    with progress("drawing") as report_progress:
        for done, (draw, name) in enumerate(jobs):
            draw(name, out / f"{name}-{draw.__name__}.png")
            report_progress((done + 1) / len(jobs))
    for draw, name in jobs:
        screen.print(f"  {out / f'{name}-{draw.__name__}.png'}")


def _learn_tables(screen: Console, out: Path) -> None:
    """Replay against learned models in tables: the paper's story, and the PanFlute."""
    from experiments.commands.tabular import show
    from experiments.studies.tabular import AGENTS, draw, learn, make, prepare, tell_story
    from tabular import OnlineSettings

    rows = [(AGENTS[agent], *values) for agent, values in tell_story().items()]
    screen.print(
        table(
            "Push-tree, learned in tables from the same story: q where a tree stands and food is across",
            ("agent", "push", "cross"),
            rows,
        )
    )
    seeds, path = range(30), out / "panflute-tabular.png"
    with progress("learning in tables") as report_progress:
        problem = prepare(make("PanFlute", 4), 5000, AGENTS, "exact", 0.01)
        found = learn([problem], OnlineSettings(updates=50), seeds, 30, None, report_progress)
    show(found, len(seeds), screen)
    draw(found, path)
    screen.print(f"  {path}")


def _show_stored(screen: Console, out: Path) -> None:
    """All agents in a larger maze, as they learned in the desk-scale runs that come with the source."""
    from experiments.commands.compare import compare_runs
    from experiments.runs.run_folder import state_of
    from experiments.runs.settings import AGENTS
    from experiments.runs.stored_run import read_run
    from experiments.studies.online import online_run

    planned = [online_run("desk", agent, "ProcMaze", STORED_SIZE, "high") for agent in AGENTS]
    folders = [
        RESULTS / run.id
        for run in planned
        if state_of(RESULTS / run.id, run.settings) == "finished"
    ]
    if not folders:
        screen.print(
            f"\nStored runs are left out: mbgen sweep desk --study online makes them ({RESULTS})"
        )
        return
    path = out / f"procmaze-{STORED_SIZE}-online.png"
    compare_runs([read_run(folder) for folder in folders], screen, path)
    screen.print(f"  {path}")


def _learn_online(screen: Console, out: Path, steps: int) -> None:
    """Replay on a small pan flute, in a few lanes, while you wait: it finds the best tune."""
    if find_spec("torch") is None:
        screen.print("\nThe online agent is left out: it needs pip install '.[deep]'")
        return
    with progress("learning online") as show:
        import torch

        from experiments.commands.compare import compare_runs
        from experiments.runs.execution import execute
        from experiments.runs.settings import run_settings
        from experiments.runs.stored_run import read_run

        settings = run_settings(
            agent="er",
            env="PanFlute",
            size=LIVE_SIZE,
            regime="high",
            lanes=LIVE_LANES,
            steps=steps,
            evaluation_interval=LIVE_EVALUATIONS,
            precision="highest",
        )

        def report(moment: Moment) -> None:
            show(moment.steps / steps)

        # With more threads, whatever else keeps a core busy would make it many times slower.
        torch.set_num_threads(1)
        folder = out / f"panflute-{LIVE_SIZE}-live"
        execute(settings, folder, device="cpu", acceleration="none", overwrite=True, report=report)
    path = folder.with_suffix(".png")
    compare_runs([read_run(folder)], screen, path)
    screen.print(f"  {path}")
