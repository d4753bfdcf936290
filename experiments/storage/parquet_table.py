"""Results that keep their settings beside them: a table in Parquet, whole or absent.

The file's metadata holds two JSON texts, the settings of the run (its seeds among them) and the
versions of what computed it, so that a table found alone still says where it comes from.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from experiments.storage.json_files import plain
from experiments.storage.whole_files import write_whole

Columns = Mapping[str, np.ndarray]
"""Columns of equal lengths: truth values, whole numbers, floats or text."""

_SETTINGS, _VERSIONS = b"mbgen.settings", b"mbgen.versions"
_PACKAGES = ("mbgen", "numpy", "scipy", "numba", "pyarrow", "torch")


def write_table(path: Path, columns: Columns, settings: Mapping[str, Any]) -> None:
    """Write the columns, with the settings and the versions in the file's metadata.

    Args:
        path: The file; one that is there is replaced.
        columns: At least one, each of one axis.
        settings: What JSON can hold, or `experiments.storage.json_files.plain` can make of it.

    Raises:
        ValueError: The columns are none, or no table; or the file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"columns must be of one length and one axis, got {shapes}")
    for name, column in columns.items():
        if column.dtype.kind not in "biufU":
            raise ValueError(
                f"column {name!r} is of {column.dtype}; accepted: truth values, numbers or text"
            )
    texts = {_SETTINGS: plain(dict(settings)), _VERSIONS: versions()}
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    table = table.replace_schema_metadata({key: json.dumps(value) for key, value in texts.items()})
    write_whole(path, lambda part: pq.write_table(table, part, compression="zstd"))


def read_table(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The columns and the settings that `write_table` wrote.

    Raises:
        ValueError: The file cannot be read, or is no table of this kind.
    """
    table, texts = _read(path)
    columns = {name: _column(table.column(name)) for name in table.column_names}
    return columns, texts[_SETTINGS]


def read_versions(path: Path) -> dict[str, str]:
    """The versions of what computed the table.

    Raises:
        ValueError: As :func:`read_table`.
    """
    return dict(_read(path)[1][_VERSIONS])


def versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """The versions of Python and of those packages that take part in this process."""
    found = {"python": platform.python_version()}
    for name in packages:
        if name in sys.modules or name == "mbgen":
            try:
                found[name] = version(name)
            except PackageNotFoundError:  # run from a folder, without being installed
                continue
    return found


def _read(path: Path) -> tuple[Any, dict[bytes, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no table that can be read: {_first_line(error)}") from None
    metadata = table.schema.metadata or {}
    if not {_SETTINGS, _VERSIONS} <= metadata.keys():
        raise ValueError(f"{path} holds no settings of mbgen; accepted: a table that it wrote")
    return table, {key: json.loads(metadata[key]) for key in (_SETTINGS, _VERSIONS)}


def _column(column: Any) -> np.ndarray:
    array: np.ndarray = column.to_numpy()
    return array.astype(np.str_) if array.dtype == object else array


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
