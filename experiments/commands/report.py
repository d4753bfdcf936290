"""All that was found, as one page: `mbgen report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from experiments.commands.arguments import require_results
from experiments.commands.terminal import console, progress
from experiments.storage.whole_files import make_folder, require_writable, write_text

PAGE = "index.html"


def report(
    *,
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")],
    results: Path = Path("results"),
) -> int:
    """One HTML page with every claim, its evidence and its figures, and an explorer of Theorem 1.

    The page is one file that needs no network; it shows what is stored in the folder of results, which `mbgen sweep`,
    `mbgen theorem decide` and `mbgen intervals` fill. Needs the extra `report`.

    Args:
        out: Folder of the page, index.html; it is made if there is none.
        results: Folder of the results, with a folder for each scale.
    """
    from experiments.report.pages import render

    require_results(results)
    make_folder(out)
    path = out / PAGE
    require_writable(path)
    from experiments.report.content import report_content

    with progress("report") as report_progress:
        content = report_content(results, report_progress)
    page = render("report.html", **content)
    write_text(path, page)
    counts = ", ".join(f"{count} {name}" for name, count in content["counts"].items())
    console().print(f"{path}: {counts}; {len(page.encode()) / 1e6:.1f} MB")
    return 0
