"""What was found: a line of JSON each, printed and stored from the moment it is there."""

from __future__ import annotations

import json
import math
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from experiments.gpu_check.tasks import Case

Facts = dict[str, Any]

_LONGEST_MESSAGE = 2000


class Findings:
    """The findings of a folder, those of earlier calls too.

    Attributes:
        path: The file.
        all_well: Whether nothing that was told to this object had failed.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "findings.jsonl"
        self.all_well = True

    def tell(self, facts: Facts) -> None:
        """Print a finding, and add it to the file at once; numbers that are none become null."""
        plain = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in facts.items()
        }
        line = json.dumps(plain)
        print(line, flush=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.all_well &= bool(facts["ok"])

    def well(self, device: str) -> set[Case]:
        """What was found to be well on that kind of device when it was last looked at.

        Raises:
            ValueError: A line of the file is no finding.
        """
        last = {
            Case(finding["stage"], finding["case"]): finding["ok"]
            for finding in self._read()
            if finding.get("on") == device
        }
        return {case for case, ok in last.items() if ok}

    def _read(self) -> Iterator[Facts]:
        if not self.path.exists():
            return
        for number, line in enumerate(self.path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                finding = json.loads(line)
            except ValueError:
                finding = None
            if not isinstance(finding, dict) or not {"stage", "case", "ok"} <= finding.keys():
                raise ValueError(
                    f"line {number} of {self.path.name} is no finding; delete it to go on"
                )
            yield finding


def failure(error: BaseException) -> Facts:
    """An error with its causes: the last one raised first, since a failed capture hides what made it fail."""
    chain = []
    link: BaseException | None = error
    while link is not None:
        places = traceback.extract_tb(link.__traceback__)[-3:]
        chain.append(
            {
                "error": f"{type(link).__name__}: {str(link)[:_LONGEST_MESSAGE]}",
                "at": [f"{Path(place.filename).name}:{place.lineno}" for place in places],
            }
        )
        link = link.__cause__ or link.__context__
    return {"ok": False, "errors": chain}
