"""Tables of what was measured in every lane, with axes of their own. They need no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.runs.stored_settings import Settings
from experiments.storage.parquet_table import write_table


def write_lane_table(
    path: Path,
    settings: Settings,
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    origin: Mapping[str, Any],
) -> None:
    """A table with a row for each entry of the values, whose axes are `before`, the lanes and `after`; NaN is null.

    Args:
        path: The file; one that is there is replaced.
        settings: Of the run.
        before: Axes that come before the lanes, by name.
        after: Axes that come after them.
        values: Columns, of all these axes.
        origin: The provenance.

    Raises:
        ValueError: It cannot be written.
    """
    lanes = np.arange(len(settings.seeds))
    grid = np.meshgrid(*before.values(), lanes, *after.values(), indexing="ij")
    index = dict(zip((*before, "lane", *after), (axis.ravel() for axis in grid), strict=True))
    columns = {"lane": index["lane"], "seed": np.array(settings.seeds)[index["lane"]], **index}
    for name, value in values.items():
        columns[name] = np.ma.masked_invalid(value.ravel())  # null in the file
    write_table(path, columns, settings.stored(), origin)
