"""Data and rewards for a class, read from JSON files, every number exactly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from theory.classes.class_file import checked_rewards
from theory.classes.json_document import checked_list, checked_rows, reading
from theory.classes.mdp_class import MDPClass, Rewards, exact
from theory.classes.transition_class import Trajectory, checked_trajectory


def load_dataset(path: Path, problem: MDPClass) -> tuple[Trajectory, ...]:
    """A dataset [[s, a, s'], ...] for a class; a row that goes on, [s, a, s', a', s'', ...], is a trajectory.

    Raises:
        ValueError: if the file holds anything else, or names a state or action that the class does not have.
    """
    with reading(path) as document:
        return tuple(
            checked_trajectory(row, problem.states, problem.actions)
            for row in checked_rows(document, "a dataset", "transition")
        )


def load_evidence(path: Path) -> list[list[Any]]:
    """Evidence [[s, a, [allowed option, ...]], ...], as `theory.criteria.evidence.checked_evidence` checks it.

    Raises:
        ValueError: if the file holds no list of lists.
    """
    with reading(path) as document:
        return checked_rows(document, "evidence", "row")


def load_samples(path: Path) -> list[list[Any]]:
    """Samples [[s, a, reward, s'], ...], every reward exact.

    Raises:
        ValueError: if the file holds anything else.
    """
    with reading(path) as document:
        return [
            [*row[:2], exact(row[2], "a reward"), *row[3:]] if len(row) > 2 else row
            for row in checked_rows(document, "samples", "sample")
        ]


def load_value_functions(path: Path, problem: MDPClass) -> tuple[tuple[Fraction, ...], ...]:
    """Value functions [[V(s), one for each state], ...] for a class, every number exactly.

    Raises:
        ValueError: if the file holds anything else, or none.
    """
    with reading(path) as document:
        rows = checked_rows(document, "F", "value function")
        if not rows or any(len(row) != problem.states for row in rows):
            raise ValueError(
                f"{len(rows)} value functions of {sorted({len(row) for row in rows})} entries;"
                f" accepted: one or more, each with {problem.states} entries (states)"
            )
        return tuple(tuple(exact(entry, "a value") for entry in row) for row in rows)


def load_rewards(path: Path, states: int, actions: int) -> Rewards:
    """A reward table [[r, one for each action], one for each state].

    Raises:
        ValueError: if the file holds anything else.
    """
    with reading(path) as document:
        return checked_rewards(document, states, actions)


def load_reward_family(path: Path, problem: MDPClass) -> dict[str, Rewards]:
    """Reward tables [TABLE, ...] for a class, called by their places: "reward 0", ....

    Raises:
        ValueError: if the file holds anything else, or none.
    """
    with reading(path) as document:
        tables = checked_list(document, "a family of rewards")
        if not tables:
            raise ValueError("a family of rewards is empty; accepted: one reward table or more")
        return {
            f"reward {i}": checked_rewards(table, problem.states, problem.actions)
            for i, table in enumerate(tables)
        }
