"""What was found of each subject, kept in a file, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.storage.json_files import read_json, write_json


@dataclass(frozen=True)
class Finding:
    """What the tests noticed of the changes of a subject.

    Attributes:
        part: Of the project.
        subject: A file, or an environment.
        changes: That there are.
        tried: So many of them.
        missed: Those that no test noticed: file, line, and what was changed.
        commit: Of the code.
    """

    part: str
    subject: str
    changes: int
    tried: int
    missed: tuple[str, ...]
    commit: str | None


def read(path: Path) -> dict[str, Finding]:
    """What is kept, by subject; nothing if there is no file."""
    if not path.exists():
        return {}
    rows: list[dict[str, Any]] = read_json(path)["findings"]
    return {row["subject"]: Finding(**row | {"missed": tuple(row["missed"])}) for row in rows}


def write(path: Path, kept: Mapping[str, Finding]) -> None:
    """Keep these, by part and subject."""
    ordered = sorted(kept.values(), key=lambda each: (each.part, each.subject))
    write_json({"findings": [asdict(each) for each in ordered]}, str(path))


def summary(kept: Mapping[str, Finding]) -> list[str]:
    """A Markdown table with a line for each part."""
    lines = ["| part | changes | tried | noticed |", "| --- | ---: | ---: | ---: |"]
    for part in sorted({each.part for each in kept.values()}):
        own = [each for each in kept.values() if each.part == part]
        tried = sum(each.tried for each in own)
        noticed = tried - sum(len(each.missed) for each in own)
        there = sum(each.changes for each in own)
        lines.append(f"| {part} | {there:,} | {tried:,} | {noticed / tried:.1%} |")
    return lines
