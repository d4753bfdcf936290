"""Kernels are compiled wherever the package lies."""

import numba
import pytest

from tabular.compiled import compile_once


def test_a_function_that_no_folder_can_keep_is_compiled_all_the_same():
    of_no_file = eval("lambda x: x + 1")
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(of_no_file)
    assert compile_once()(of_no_file)(1) == 2
