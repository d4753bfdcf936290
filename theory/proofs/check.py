"""Check the proofs of this folder: `python theory/proofs/check.py`, or `python -m theory.proofs.check`.

It needs Coq's compiler `coqc` and the standard library of Python alone. All files are compiled anew, in a temporary
folder. A proof counts only if nothing is left open on the way to it, so these are faults as well:

- a proof that is admitted or given up, and a statement that is assumed: an axiom, a parameter, a variable outside of
  all sections, a check of Coq's that is switched off;
- an axiom, whatever it comes through, that is none of ALLOWED_AXIOMS: Coq names those of every theorem;
- a theorem without a comment that says in plain words what it states.

Lemmas are steps of proofs; what they assume is found in the theorems that use them.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = "Mbgen"
SECONDS_A_FILE = 300

# Those from which Coq's standard library makes the real numbers, and extensionality.
ALLOWED_AXIOMS = {
    "ClassicalDedekindReals.sig_forall_dec": "of the real numbers",
    "ClassicalDedekindReals.sig_not_dec": "of the real numbers",
    "FunctionalExtensionality.functional_extensionality_dep": "functions with equal values are equal",
}

LEFT_OPEN = re.compile(
    r"\b(Admitted|admit|give_up|Axioms?|Parameters?|Conjecture|Abort|bypass_check|Load|Declare ML Module"
    r"|Unset (?:Guard|Positivity|Universe) Checking)\b"
)
LOCAL = re.compile(r"(?:^|(?<=\.\s))\s*(?:Local\s+)?(Variables?|Hypothes[ei]s|Context)\b")
BOUNDARY = re.compile(r"(?:^|(?<=\.\s))\s*(Section|Module|End)\s+(\w+)")
THEOREM = re.compile(r"(?:^|(?<=\.\s))\s*Theorem\s+(\w+)")


class CoqMissingError(Exception):
    """There is no coqc to compile with."""


class _CoqError(Exception):
    """A file does not compile, or Coq does not answer."""


@dataclass(frozen=True)
class Theorem:
    """An exported statement.

    Attributes:
        name: in Coq.
        file: where it is proved.
        words: the comment before it, which says what it states.
    """

    name: str
    file: str
    words: str

    @property
    def full_name(self) -> str:
        """The name by which other files call it."""
        return f"{LIBRARY}.{self.file.removesuffix('.v')}.{self.name}"


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        theorems: all exported statements.
        axioms: what Coq says they rest on, all together.
        faults: what is wrong, each on one line.
    """

    theorems: list[Theorem]
    axioms: list[str]
    faults: list[str]


class _Source:
    """A file of proofs, with its comments and strings blanked out and kept apart."""

    def __init__(self, path: Path) -> None:
        self.name, text = path.name, path.read_text(encoding="utf-8")
        code, self.comments = list(text), dict[int, str]()
        depth = start = at = 0
        while at < len(text):
            two = text[at : at + 2]
            if two == "(*":
                start = at if depth == 0 else start
                depth += 1
            elif two == "*)" and depth:
                depth -= 1
                if depth == 0:
                    self.comments[at + 2] = text[start + 2 : at]
                    code[start : at + 2] = (" " if c != "\n" else c for c in text[start : at + 2])
            elif text[at] == '"' and not depth:
                end = text.find('"', at + 1)
                end = len(text) if end < 0 else end
                code[at + 1 : end] = " " * (end - at - 1)
                at = end
            at += 2 if two in ("(*", "*)") else 1
        self.text, self.code = text, "".join(code)

    def line(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def in_section(self, at: int) -> bool:
        opened: dict[str, str] = {}
        for kind, name in BOUNDARY.findall(self.code[:at]):
            if kind == "End":
                opened.pop(name, None)
            else:
                opened[name] = kind
        return "Section" in opened.values()

    def theorems(self) -> Iterator[tuple[Theorem, int]]:
        """Each theorem with its line; its words are empty where no comment stands right before it."""
        for match in THEOREM.finditer(self.code):
            at = self.code.rindex("Theorem", 0, match.start(1))
            before = len(self.text[:at].rstrip())
            words = " ".join(self.comments.get(before, "").split())
            yield Theorem(match[1], self.name, words), self.line(at)

    def faults(self) -> Iterator[str]:
        for match in LEFT_OPEN.finditer(self.code):
            yield f"{self.name}, line {self.line(match.start())}: {match[1]}"
        for match in LOCAL.finditer(self.code):
            if not self.in_section(match.start(1)):
                yield f"{self.name}, line {self.line(match.start(1))}: {match[1]} outside of all sections"
        for theorem, line in self.theorems():
            if not theorem.words:
                yield f"{self.name}, line {line}: no comment says what {theorem.name} states"


def files(folder: Path = FOLDER) -> list[Path]:
    """The files of proofs in the order in which they build on one another, which is that of _CoqProject.

    Raises:
        ValueError: if the folder holds a file that is not listed, or lacks one that is.
    """
    listed = [line for line in (folder / "_CoqProject").read_text().split() if line.endswith(".v")]
    present = {path.name for path in folder.glob("*.v")}
    if different := sorted(present.symmetric_difference(listed)):
        raise ValueError(f"{different[0]} is listed in _CoqProject or in the folder, not in both")
    return [folder / name for name in listed]


def theorems(folder: Path = FOLDER) -> list[Theorem]:
    """The exported theorems as the files state them; nothing is compiled."""
    return [theorem for path in files(folder) for theorem, _ in _Source(path).theorems()]


def text_faults(path: Path) -> Iterator[str]:
    """What the text of one file leaves open, assumes or does not say; nothing is compiled."""
    return _Source(path).faults()


def check(folder: Path = FOLDER, told: Callable[[str], None] = lambda _: None) -> Report:
    """Compile all proofs, and ask Coq what they rest on.

    Args:
        folder: holds the files and _CoqProject.
        told: hears of each file and how long it took.

    Raises:
        CoqMissingError: if coqc is not installed.
    """
    if shutil.which("coqc") is None:
        raise CoqMissingError("coqc is not installed; Debian has it: apt-get install coq")
    try:
        paths = files(folder)
    except ValueError as error:
        return Report([], [], [str(error)])
    faults = [fault for path in paths for fault in text_faults(path)]
    found = theorems(folder)
    axioms: list[str] = []
    with tempfile.TemporaryDirectory() as place:
        try:
            for path in paths:
                shutil.copy(path, place)
                start = time.perf_counter()
                _coqc(place, path.name)
                told(f"{path.name} compiled in {time.perf_counter() - start:.1f} s")
            axioms = _axioms(place, found)
            if not ALLOWED_AXIOMS.keys() >= set(axioms):
                faults += [
                    f"{theorem.file}: {theorem.name} rests on {axiom}"
                    for theorem in found
                    for axiom in _axioms(place, [theorem])
                    if axiom not in ALLOWED_AXIOMS
                ]
        except _CoqError as error:
            faults.append(str(error))
    return Report(found, axioms, faults)


def _axioms(place: str, asked: list[Theorem]) -> list[str]:
    """What Coq says some theorems rest on together. It takes as long for one of them as for all."""
    lines = [f"Require {module}." for module in {t.full_name.rpartition(".")[0] for t in asked}]
    names = ", ".join(f"@{theorem.full_name}" for theorem in asked)
    lines += [f"Definition asked := ({names}).", "Print Assumptions asked."]
    (Path(place) / "Asked.v").write_text("\n".join(lines) + "\n")
    first, *answer = _coqc(place, "Asked.v").splitlines()
    if not first.startswith(("Axioms:", "Closed under")):
        raise _CoqError(f"Print Assumptions answers {first}")
    # Types that take several lines are indented.
    return [line.split(" : ")[0].strip() for line in answer if line[:1].strip()]


def _coqc(place: str, name: str) -> str:
    """Compile one file; what it printed."""
    try:
        done = subprocess.run(
            ["coqc", "-q", "-Q", ".", LIBRARY, name],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_A_FILE,
        )
    except subprocess.TimeoutExpired:
        raise _CoqError(f"{name}: not compiled within {SECONDS_A_FILE} s") from None
    if done.returncode:
        where = re.search(r'File "[^"]*", line (\d+).*?\n(Error:.*)', done.stderr, re.DOTALL)
        line, message = where.groups() if where else ("?", done.stderr or done.stdout)
        raise _CoqError(f"{name}, line {line}: {' '.join(message.split())}")
    return done.stdout


def _table(report: Report) -> Iterator[str]:
    """The theorems of each file with the first sentence of what each states, and what they rest on."""
    width = max(len(theorem.name) for theorem in report.theorems)
    for file, its in groupby(report.theorems, lambda theorem: theorem.file):
        yield file
        for theorem in its:
            yield f"  {theorem.name:<{width}}  {re.split('(?<=[.]) ', theorem.words, maxsplit=1)[0]}"
        yield ""
    yield f"{len(report.theorems)} theorems proved. They rest on no axiom but these of Coq's library:"
    yield from (f"  {axiom:<54}  {ALLOWED_AXIOMS[axiom]}" for axiom in sorted(report.axioms))


def main(arguments: list[str] | None = None) -> int:
    """Print a table of all theorems. 0: all are proved; 1: there is a fault; 2: there is no coqc."""
    parser = argparse.ArgumentParser(description="Compile the proofs, and look for holes in them.")
    parser.add_argument(
        "--optional", action="store_true", help="without coqc: say that it is skipped, and exit 0"
    )
    optional = parser.parse_args(arguments).optional
    try:
        report = check(told=lambda line: print(line, file=sys.stderr, flush=True))
    except CoqMissingError as error:
        print(f"SKIPPED, no proof was checked: {error}" if optional else error, file=sys.stderr)
        return 0 if optional else 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    print("\n".join(report.faults or _table(report)))
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
