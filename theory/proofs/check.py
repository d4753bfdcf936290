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
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent
LIBRARY = "Mbgen"
SECONDS_A_FILE = 300

# Those from which Coq's standard library makes the real numbers, and that functions with equal values are equal.
ALLOWED_AXIOMS = {
    "ClassicalDedekindReals.sig_forall_dec": "reals",
    "ClassicalDedekindReals.sig_not_dec": "reals",
    "FunctionalExtensionality.functional_extensionality_dep": "extensionality",
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


@dataclass(frozen=True)
class Theorem:
    """An exported statement.

    Attributes:
        name: in Coq.
        file: where it is proved.
        words: the comment before it, which says what it states.
        axioms: what Coq says it rests on.
    """

    name: str
    file: str
    words: str
    axioms: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """The file as Coq names it."""
        return self.file.removesuffix(".v")


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
    """The exported theorems as the files state them; nothing is compiled, and their axioms are left empty."""
    return [theorem for path in files(folder) for theorem, _ in _Source(path).theorems()]


def text_faults(path: Path) -> Iterator[str]:
    """What the text of one file leaves open, assumes or does not say; nothing is compiled."""
    return _Source(path).faults()


def check(
    folder: Path = FOLDER, told: Callable[[str], None] = lambda _: None
) -> tuple[list[Theorem], list[str]]:
    """Compile all proofs: the theorems with their axioms, and all faults, each on one line.

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
        return [], [str(error)]
    faults = [fault for path in paths for fault in text_faults(path)]
    found = theorems(folder)
    with tempfile.TemporaryDirectory() as place:
        for path in paths:
            shutil.copy(path, place)
            start = time.perf_counter()
            _, fault = _coqc(place, path.name)
            if fault:
                return found, [*faults, fault]
            told(f"{path.name} compiled in {time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        try:
            found = _with_axioms(place, found)
        except ValueError as error:
            return found, [*faults, str(error)]
        told(f"axioms of {len(found)} theorems found in {time.perf_counter() - start:.1f} s")
    faults += [
        f"{theorem.file}: {theorem.name} rests on {axiom}"
        for theorem in found
        for axiom in theorem.axioms
        if axiom not in ALLOWED_AXIOMS
    ]
    return found, faults


def _coqc(place: str, name: str) -> tuple[str, str]:
    """Compile one file: what it printed, and the fault, or nothing."""
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
        return "", f"{name}: not compiled within {SECONDS_A_FILE} s"
    if done.returncode == 0:
        return done.stdout, ""
    where = re.search(r'File "[^"]*", line (\d+).*?\n(Error:.*)', done.stderr, re.DOTALL)
    line, message = where.groups() if where else ("?", done.stderr or done.stdout)
    return "", f"{name}, line {line}: {' '.join(message.split())}"


def _with_axioms(place: str, found: list[Theorem]) -> list[Theorem]:
    """The theorems with what they rest on.

    Coq takes as long for one theorem as for several at once. So it is asked about those of a file together, and about
    each alone only where an axiom of theirs is not allowed.
    """
    groups = [list(its) for _, its in groupby(found, lambda theorem: theorem.file)]
    answers = _axioms(place, groups)
    if any(axiom not in ALLOWED_AXIOMS for axioms in answers for axiom in axioms):
        groups = [[theorem] for theorem in found]
        answers = _axioms(place, groups)
    return [
        replace(t, axioms=axioms) for its, axioms in zip(groups, answers, strict=True) for t in its
    ]


def _axioms(place: str, groups: list[list[Theorem]]) -> list[tuple[str, ...]]:
    """What Coq says each group of theorems of one file rests on.

    Raises:
        ValueError: if Coq does not answer, as for a theorem in a module within its file.
    """
    lines = [f"Require {LIBRARY}.{name}." for name in dict.fromkeys(g[0].module for g in groups)]
    for number, group in enumerate(groups):
        names = ", ".join(f"@{LIBRARY}.{theorem.module}.{theorem.name}" for theorem in group)
        lines += [f"Definition asked_{number} := ({names}).", f"Print Assumptions asked_{number}."]
    (Path(place) / "Asked.v").write_text("\n".join(lines) + "\n")
    printed, fault = _coqc(place, "Asked.v")
    answers: list[list[str]] = []
    for line in printed.splitlines():
        if line == "Axioms:" or line.startswith("Closed under"):
            answers.append([])
        elif line[:1].strip():  # types that take several lines are indented
            answers[-1].append(line.split(" : ")[0].strip())
    if fault or len(answers) != len(groups):
        raise ValueError(f"what the theorems rest on is not known: {fault or printed}")
    return [tuple(answer) for answer in answers]


def _table(found: list[Theorem]) -> Iterator[str]:
    """The theorems of each file, what they rest on, and the first sentence of what each states."""
    width = max(len(theorem.name) for theorem in found)
    file = ""
    for theorem in found:
        if theorem.file != file:
            file = theorem.file
            names = {ALLOWED_AXIOMS.get(axiom, axiom) for axiom in theorem.axioms}
            yield f"\n{file}: rests on {' and '.join(sorted(names, reverse=True)) or 'no axiom'}"
        yield f"  {theorem.name:<{width}}  {re.split(r'(?<=[.])[ ]', theorem.words, maxsplit=1)[0]}"


def main(arguments: list[str] | None = None) -> int:
    """Print a table of all theorems. 0: all are proved; 1: there is a fault; 2: there is no coqc."""
    parser = argparse.ArgumentParser(description="Compile the proofs, and look for holes in them.")
    parser.add_argument(
        "--optional", action="store_true", help="without coqc: say that it is skipped, and exit 0"
    )
    optional = parser.parse_args(arguments).optional
    start = time.perf_counter()
    try:
        found, faults = check(told=lambda line: print(line, file=sys.stderr, flush=True))
    except CoqMissingError as error:
        print(f"SKIPPED, no proof was checked: {error}" if optional else error, file=sys.stderr)
        return 0 if optional else 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    print("\n".join(_table(found)).lstrip())
    print(f"\n{len(found)} theorems proved, in {time.perf_counter() - start:.0f} s")
    print(
        "reals: sig_forall_dec and sig_not_dec of ClassicalDedekindReals, by which Coq makes the real numbers"
    )
    print("extensionality: functional_extensionality_dep")
    return 0


if __name__ == "__main__":
    sys.exit(main())
