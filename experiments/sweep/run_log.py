"""The log of one run: what its processes wrote and, between, marks that tell how each attempt went.

The log is all that a sweep remembers of attempts: who deletes it has them forgotten.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Event = Literal["submitted", "started", "interrupted", "failed", "finished"]

LOGS = "logs"
"""The folder of the logs, beside the runs."""

_MARK = "=== sweep: "
_EVENT = re.compile(rf"^{_MARK}(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class RunLog:
    """The log of one run.

    Attributes:
        path: The file; it need not exist yet.
    """

    path: Path

    @classmethod
    def of(cls, run: str, logs: Path) -> RunLog:
        """The log of the run with that id, in the folder of logs."""
        return cls(logs / f"{run}.log")

    def mark(self, event: Event, detail: str = "") -> None:
        """Append a line that says what happened, when, and `detail` in words."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self.path.open("a", encoding="utf-8") as file:
            before = "\n" if file.tell() else ""  # a process that was killed may end within a line
            file.write(f"{before}{_MARK}{event} {now} {detail}".rstrip() + "\n")

    def attempts(self) -> int:
        """How often the run was started and not interrupted.

        Of a run that is neither under way nor done, all of these have failed: whatever the last one
        says, the folder tells whether it has finished.
        """
        events = self._events()
        return events.count("started") - events.count("interrupted")

    def last(self) -> str | None:
        """The event marked last, None if there is none."""
        return next(reversed(self._events()), None)

    def tail(self, lines: int = 10) -> str:
        """The last lines that are not blank."""
        written = [line for line in self._text().splitlines() if line.strip()]
        return "\n".join(written[-lines:])

    def _events(self) -> list[str]:
        return _EVENT.findall(self._text())

    def _text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
