"""Forecasts in a run's folder: what is written is read, and another table is refused."""

import numpy as np
import pytest

from experiments.runs.forecast_table import FORECASTS, Forecasts, read_forecasts, write_forecasts
from experiments.runs.settings import run_settings
from experiments.storage.parquet_table import write_table

SETTINGS = run_settings(
    agent="simple", env="PanFlute", size=3, regime="high", steps=1_100, lanes=2, forecasts=True
)


def test_what_is_written_is_read(tmp_path):
    assert read_forecasts(tmp_path, 2) is None
    forecasts = Forecasts(*np.arange(48.0).reshape(6, 2, 4))
    forecasts.reward[0, 3] = np.nan
    write_forecasts(tmp_path, SETTINGS, forecasts, {})
    for read, written in zip(read_forecasts(tmp_path, 2), forecasts, strict=True):
        np.testing.assert_array_equal(read, written)


@pytest.mark.parametrize("lost", ["a column", "a row"])
def test_a_table_that_is_not_whole_is_refused_by_its_name(tmp_path, lost):
    columns = {name: np.arange(4.0) for name in ("lane", "seed", "ends", *Forecasts._fields)}
    if lost == "a column":
        del columns["reward"]
    else:
        columns = {name: column[:3] for name, column in columns.items()}
    write_table(tmp_path / FORECASTS, columns, {})
    with pytest.raises(
        ValueError, match=r"forecasts\.parquet holds no forecasts of 2 lanes; accepted"
    ):
        read_forecasts(tmp_path, 2)
