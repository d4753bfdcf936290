"""Tables come back as they were written, with their settings; anything else is refused."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.storage.parquet_table import read_provenance, read_table, write_table

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.booleans(), TEXT)),
    st.dictionaries(TEXT, st.one_of(st.integers(), TEXT, st.lists(st.integers()), st.none())),
)
def test_columns_and_settings_come_back(tmp_path_factory, rows, settings):
    path = tmp_path_factory.mktemp("store") / "table.parquet"
    kinds = {"whole": np.int64, "real": np.float64, "truth": np.bool_, "text": np.str_}
    columns = {
        name: np.array([row[index] for row in rows], dtype=kind)
        for index, (name, kind) in enumerate(kinds.items())
    }
    write_table(path, columns, settings)
    read, read_settings = read_table(path)
    assert read_settings == settings
    assert list(read) == list(columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(read[name], column)
        assert read[name].dtype.kind == column.dtype.kind


def test_versions_and_exact_numbers_are_kept(tmp_path):
    path = tmp_path / "table.parquet"
    write_table(path, {"x": np.arange(3)}, {"gamma": Fraction(9, 10), "seeds": (0, 1)})
    assert read_table(path)[1] == {"gamma": "9/10", "seeds": [0, 1]}
    assert {"python", "numpy", "pyarrow"} <= read_provenance(path)["versions"].keys()


def test_other_programs_can_read_it(tmp_path):
    path = tmp_path / "table.parquet"
    write_table(path, {"step": np.arange(2), "agent": np.array(["a", "b"])}, {})
    assert pq.read_table(path).to_pydict() == {"step": [0, 1], "agent": ["a", "b"]}
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_table_makes_the_same_file(tmp_path):
    for name in ("a.parquet", "b.parquet"):
        write_table(tmp_path / name, {"x": np.arange(100) / 7}, {"seed": 0})
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "one length"),
        ({"a": np.zeros(2), "b": np.zeros(3)}, "one length"),
        ({"a": np.zeros((2, 2))}, "one axis"),
        ({"a": np.array([None])}, "accepted: truth values, numbers or text"),
    ],
)
def test_what_is_no_table_is_refused_and_nothing_written(tmp_path, columns, message):
    with pytest.raises(ValueError, match=message):
        write_table(tmp_path / "table.parquet", columns, {})
    assert not list(tmp_path.iterdir())


def test_files_that_are_no_such_table_are_refused_in_one_line(tmp_path):
    write_table(tmp_path / "whole", {"x": np.arange(1000)}, {})
    whole = (tmp_path / "whole").read_bytes()
    (tmp_path / "text").write_text("step,performance\n")
    (tmp_path / "empty").touch()
    (tmp_path / "cut").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "folder").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "foreign")
    for name in ("text", "empty", "cut", "folder", "foreign", "none"):
        for read in (read_table, read_provenance):
            with pytest.raises(ValueError, match=r"accepted|no table that can be read") as refusal:
                read(tmp_path / name)
            assert str(tmp_path / name) in str(refusal.value)
            assert "\n" not in str(refusal.value)
