"""Whether tests notice a change: they run in a copy of the project, in a fork that finds loaded what they import."""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from math import ceil
from pathlib import Path

import hypothesis
import pytest

PACKAGES = ("theory", "tabular", "deep", "experiments", "tests")
OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-W",
           "ignore::pytest.PytestAssertRewriteWarning")  # fmt: skip
PATIENCE = 10
"""Times what the tests compute of the unchanged code: who computes longer hangs, which is noticed too."""


class Copy:
    """A copy of the project, of which a file at a time can be changed."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Copy the code, and link to all that it reads beside it."""
        self.folder = folder
        self._log, self._imported = folder / "log", folder / "imported"
        self._seconds: dict[tuple[str, ...], int] = {}
        for path in root.iterdir():
            if path.name in PACKAGES:
                skipped = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, folder / path.name, ignore=skipped)
            elif not path.name.startswith("."):
                (folder / path.name).symlink_to(path)

    def notices(self, file: str, text: str, tests: Sequence[Sequence[str]]) -> bool:
        """Whether some of the tests fails, or hangs, with this text in the place of the file's.

        Raises:
            RuntimeError: One fails with nothing changed.
        """
        return any(self._fails(file, text, tuple(arguments)) for arguments in tests)

    def _fails(self, file: str, text: str, arguments: tuple[str, ...]) -> bool:
        if arguments not in self._seconds:
            self._seconds[arguments] = self._passes(arguments)
        path = self.folder / file
        right = path.read_text("utf-8")
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()  # it is told from the new text by size and second alone
        path.write_text(text, "utf-8")
        try:
            return self._run(arguments, self._seconds[arguments]) != 0
        finally:
            path.write_text(right, "utf-8")

    def _passes(self, arguments: Sequence[str]) -> int:
        """Run tests of the unchanged code, and import here what they import, but for the project's own.

        Returns:
            The most seconds that they may compute for with something changed.
        """
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if self._run(arguments, None) != 0:
            raise RuntimeError(self._log.read_text("utf-8"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        for name in self._imported.read_text("utf-8").split():
            with suppress(ImportError):
                import_module(name)
        gc.freeze()  # so that no fork goes through it
        return PATIENCE * ceil(after.ru_utime - before.ru_utime)

    def _run(self, arguments: Sequence[str], seconds: int | None) -> int | None:
        """What pytest exits with, or the signal that ended it."""
        process = multiprocessing.get_context("fork").Process(
            target=self._test, args=(arguments, seconds)
        )
        process.start()
        process.join()
        return process.exitcode

    def _test(self, arguments: Sequence[str], seconds: int | None) -> None:
        """Within the fork."""
        if seconds is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os.chdir(self.folder)
        os.environ["PYTHONPATH"] = str(self.folder)
        with self._log.open("w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        sys.path.insert(0, str(self.folder))
        sys.dont_write_bytecode = seconds is not None
        for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
            del sys.modules[name]
        # What fails has been noticed: it need not be made small. And a machine may be slow.
        phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
        hypothesis.settings.register_profile(
            "noticing", deadline=None, database=None, phases=phases
        )
        hypothesis.settings.load_profile("noticing")
        status = pytest.main([*OPTIONS, *arguments])
        if seconds is None:
            own = (*PACKAGES, "conftest", "__main__")
            names = [name for name in sys.modules if name.partition(".")[0] not in own]
            self._imported.write_text("\n".join(names), "utf-8")
        os._exit(status)
