"""Change what decides in one place after the other, and see some test fail for each.

    python -m tests.mutation [SUBJECT ...] [--part PART] [--sample N] [--seed S] [--missed]

Works on a temporary copy. Prints a line for each change that no test notices, and keeps what was found of a subject in
results/mutation.json, so far as it was found where it is interrupted. Exit status 1 if a change goes unnoticed.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from pathlib import Path

from experiments.storage.provenance import code_version
from tests.mutation.findings import Finding, read, summary, write
from tests.mutation.parts import PARTS, ROOT, Subject
from tests.mutation.trial import Copy

KEPT = ROOT / "results" / "mutation.json"


def arguments() -> argparse.Namespace:
    """What is asked for; wrong words end the process with one line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "subjects", nargs="*", metavar="SUBJECT", help="files or environments; all if none is named"
    )
    parser.add_argument("--part", choices=PARTS, help="the subjects of one part alone")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="of each subject, so many changes alone"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of that sample")
    parser.add_argument(
        "--missed",
        action="store_true",
        help="those alone that went unnoticed the last time, of code that is as it was",
    )
    asked = parser.parse_args()
    known = [subject.name for subjects in PARTS.values() for subject in subjects]
    if unknown := set(asked.subjects) - set(known):
        parser.error(f"subjects are {', '.join(known)}; got {', '.join(sorted(unknown))}")
    if asked.sample is not None and asked.sample < 1:
        parser.error(f"--sample is {asked.sample}; accepted: 1 or more")
    return asked


def examine(part: str, subject: Subject, copy: Copy, asked: argparse.Namespace) -> int:
    """Try the changes of a subject, and keep what was found, also if the process is interrupted.

    Returns:
        How many no test noticed.
    """
    every, before = subject.changes(copy.folder), read(KEPT).get(subject.name)
    again = before if asked.missed and before and before.changes == len(every) else None
    chosen = [(f"{file}:{change.line}: {change.what}", file, change.text) for file, change in every]
    if again:
        chosen = [each for each in chosen if each[0] in again.missed]
    elif asked.sample is not None and asked.sample < len(every):
        chosen = random.Random(asked.seed).sample(chosen, asked.sample)
    print(f"{subject.name}: {len(chosen)} of {len(every)} changes", flush=True)
    missed, left = [], list(chosen)
    try:
        while left:
            place, file, text = left[0]
            if not copy.notices(file, text, subject.tests):
                missed.append(place)
                print(f"MISSED  {place}", flush=True)
            left.pop(0)
    finally:
        tried = len(chosen) - len(left)
        print(f"{subject.name}: {tried - len(missed)} of {tried} noticed", flush=True)
        if again:
            tried, missed = again.tried, missed + [place for place, *_ in left]
        if tried:
            commit = code_version()["commit"]
            found = Finding(part, subject.name, len(every), tried, tuple(missed), commit)
            write(KEPT, read(KEPT) | {subject.name: found})
    return len(missed)


def main() -> int:
    """Run the check; returns the exit status: 1 if a change goes unnoticed."""
    asked, missed = arguments(), 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(ROOT, Path(folder))
        for part, subjects in PARTS.items():
            for subject in subjects:
                named = not asked.subjects or subject.name in asked.subjects
                if named and asked.part in (None, part):
                    missed += examine(part, subject, copy, asked)
    print("\n".join(summary(read(KEPT))))
    return int(missed > 0)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
