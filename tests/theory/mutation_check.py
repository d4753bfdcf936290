"""Change what decides in theory in one place after the other, and see some test fail for each.

    python -m tests.theory.mutation_check [FILE ...] [--sample N] [--seed S]

A comparison, a connective, a sign, a number, a quantifier is turned into another, in a temporary copy, and the tests of
the file are run. Prints one line for each change that no test notices, and the share that some test does.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
CRITERIA, CERTIFICATES = "tests/theory/criteria", "tests/theory/certificates"
FILES = {
    "theory/criteria/exchange.py": [
        f"{CRITERIA}/{test}.py" for test in ("test_exchange", "test_evidence", "test_theorem")
    ],
    "theory/criteria/version_spaces.py": [f"{CRITERIA}/test_version_spaces.py"],
    "theory/criteria/fiber_census.py": [f"{CRITERIA}/test_fiber_census.py"],
    "theory/certificates/hitting_sets.py": [f"{CERTIFICATES}/test_hitting_sets.py"],
    "theory/certificates/witness.py": [f"{CERTIFICATES}/test_witness.py"],
    "theory/certificates/block_witness.py": [f"{CERTIFICATES}/test_block_witness.py"],
    "theory/certificates/block_decision_witness.py": [
        f"{CERTIFICATES}/test_block_decision_witness.py"
    ],
    "theory/certificates/equality_proof.py": [f"{CERTIFICATES}/test_equality_proof.py"],
    "theory/certificates/evidence_witness.py": [f"{CERTIFICATES}/test_evidence_witness.py"],
    "theory/certificates/smallest_class.py": [f"{CERTIFICATES}/test_witness.py"],
    "theory/certificates/verifier/fields.py": [
        f"{CERTIFICATES}/{test}.py" for test in ("test_certificate", "test_verifier")
    ],
    "theory/certificates/verifier/listed.py": [
        f"{CERTIFICATES}/{test}.py"
        for test in ("test_certificate", "test_verifier", "test_evidence_witness")
    ],
    "theory/certificates/verifier/blocks.py": [f"{CERTIFICATES}/test_block_witness.py"],
    "theory/certificates/verifier/equality.py": [f"{CERTIFICATES}/test_equality_proof.py"],
    "theory/solving/value_differences.py": ["tests/theory/solving/test_value_differences.py"],
}  # fmt: skip
"""What decides, and the tests that have to notice."""

SECONDS = 600
"""A run of the tests that takes longer hangs: that is noticed too."""

OTHERS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {"all": "any", "any": "all", "min": "max", "max": "min"}


class Mutant(NamedTuple):
    """One change: where, from what to what, and the whole text after it."""

    file: str
    line: int
    right: str
    wrong: str
    text: str


def changed(node: ast.AST) -> ast.AST | None:
    """The node with its operator, number or quantifier turned into another; None if it has none."""
    other = copy.deepcopy(node)
    if isinstance(other, ast.Compare) and type(other.ops[0]) in OTHERS:
        other.ops[0] = OTHERS[type(other.ops[0])]()
    elif isinstance(other, (ast.BoolOp, ast.BinOp)) and type(other.op) in OTHERS:
        other.op = OTHERS[type(other.op)]()
    elif isinstance(other, ast.UnaryOp) and isinstance(other.op, (ast.Not, ast.Invert)):
        return other.operand
    elif isinstance(other, ast.Constant) and type(other.value) in (bool, int):
        other.value = not other.value if type(other.value) is bool else other.value + 1
    elif (
        isinstance(other, ast.Call) and isinstance(other.func, ast.Name) and other.func.id in NAMES
    ):
        other.func.id = NAMES[other.func.id]
    elif isinstance(other, ast.Attribute) and other.attr in NAMES:
        other.attr = NAMES[other.attr]
    else:
        return None
    return other


def inside(node: ast.AST) -> Iterator[ast.AST]:
    """What a function decides by: no annotation, no message, no assertion, such as that lists are of one length."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Raise, ast.Assert, ast.JoinedStr, ast.arguments, ast.AnnAssign)):
            continue
        if isinstance(child, ast.keyword) and child.arg == "strict":
            continue
        yield child
        yield from inside(child)


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Every change of one place within the functions of a file."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    source = text.encode()
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    seen = set()
    for function in functions:
        for statement in function.body:
            for node in (statement, *inside(statement)):
                other = changed(node) if isinstance(node, ast.expr) else None
                if other is None or node.end_lineno is None or node.end_col_offset is None:
                    continue
                begin = starts[node.lineno - 1] + node.col_offset
                end = starts[node.end_lineno - 1] + node.end_col_offset
                wrong = f"({ast.unparse(other)})"
                if (begin, end, wrong) not in seen:
                    seen.add((begin, end, wrong))
                    whole = source[:begin] + wrong.encode() + source[end:]
                    right = source[begin:end].decode()
                    yield Mutant(file, node.lineno, right, wrong[1:-1], whole.decode())


def notices(folder: Path, tests: list[str]) -> bool:
    """Whether some of the tests fails, or hangs, on this copy of the project.

    Raises:
        RuntimeError: The tests did not run.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, 1, 2):  # 2: the changed file cannot even be imported
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode != 0


def main() -> int:
    """Run the check; returns the exit status: 1 if a change goes unnoticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", default=list(FILES), metavar="FILE")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="of each file, so many changes alone"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of that sample")
    chosen = parser.parse_args()
    if unknown := set(chosen.files) - set(FILES):
        parser.error(f"files are {', '.join(FILES)}, got {', '.join(sorted(unknown))}")
    rng = random.Random(chosen.seed)
    total = missed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("theory", "tests"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        for file in chosen.files:
            if notices(folder, FILES[file]):
                raise SystemExit(f"{file}: a test fails before anything is changed")
            text = (folder / file).read_text()
            every = list(mutants(file, text))
            if chosen.sample is not None and chosen.sample < len(every):
                every = rng.sample(every, chosen.sample)
            here = 0
            for mutant in sorted(every):
                (folder / file).write_text(mutant.text)
                if not notices(folder, FILES[file]):
                    here += 1
                    print(
                        f"MISSED  {file}:{mutant.line}: {mutant.right} -> {mutant.wrong}",
                        flush=True,
                    )
            (folder / file).write_text(text)
            print(f"{file}: {len(every) - here} of {len(every)} noticed", flush=True)
            total, missed = total + len(every), missed + here
    print(f"{total - missed} of {total} noticed, {(total - missed) / total:.0%}")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
