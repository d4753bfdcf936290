"""Results that keep their settings beside them: a table in Parquet, whole or absent.

The file's metadata holds two JSON texts, the settings of the run (its seeds among them) and its
provenance (code, versions, machine), so that a table found alone still says where it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.storage.json_files import plain
from experiments.storage.provenance import provenance
from experiments.storage.whole_files import write_whole

Columns = Mapping[str, np.ndarray]
"""Columns of equal lengths: truth values, whole numbers, floats or text."""

_SETTINGS, _PROVENANCE = b"mbgen.settings", b"mbgen.provenance"


def write_table(
    path: Path,
    columns: Columns,
    settings: Mapping[str, Any],
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write the columns, with the settings and their provenance in the file's metadata.

    Args:
        path: The file; one that is there is replaced.
        columns: At least one, each of one axis.
        settings: What JSON can hold, or `experiments.storage.json_files.plain` can make of it.
        origin: The provenance; None is that of this process.

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
    texts = {
        _SETTINGS: plain(dict(settings)),
        _PROVENANCE: plain(dict(provenance() if origin is None else origin)),
    }
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


def read_provenance(path: Path) -> dict[str, Any]:
    """Where the table comes from.

    Raises:
        ValueError: As :func:`read_table`.
    """
    return dict(_read(path)[1][_PROVENANCE])


def _read(path: Path) -> tuple[Any, dict[bytes, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path} is no table that can be read: {_first_line(error)}") from None
    metadata = table.schema.metadata or {}
    if not {_SETTINGS, _PROVENANCE} <= metadata.keys():
        raise ValueError(
            f"{path} does not say what mbgen computed it and how; accepted: a table of this version"
        )
    return table, {key: json.loads(metadata[key]) for key in (_SETTINGS, _PROVENANCE)}


def _column(column: Any) -> np.ndarray:
    array: np.ndarray = column.to_numpy()
    return array.astype(np.str_) if array.dtype == object else array


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
