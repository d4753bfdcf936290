"""Each kernel does the same compiled and interpreted, and is compiled where there is much to do."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numba
import numpy as np
import pytest

from theory import gallery_class, solve
from theory.compiled import MAX_INTERPRETED, compile_once, kernel
from theory.criteria import exchange, version_spaces
from theory.solving import deterministic
from theory.solving.lasso_table import lasso_table

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def solved():
    return solve(gallery_class("smallest-witness"))


def both_ways(compiled, *arguments):
    """What a kernel gives, compiled and interpreted, and what it leaves in its arguments."""
    assert kernel(compiled, MAX_INTERPRETED + 1) is compiled
    assert kernel(compiled, MAX_INTERPRETED) is compiled.py_func
    results = []
    for function in (compiled, compiled.py_func):
        copies = [a.copy() if isinstance(a, np.ndarray) else a for a in arguments]
        results.append([function(*copies), *copies])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


def test_looking_up_the_best_policy(solved):
    problem = gallery_class("push-tree")
    table = lasso_table(problem.rewards, problem.gamma)
    models = problem.transitions.models(0, problem.transitions.size)
    arguments = (models, table.ranks, table.choice, table.stride, problem.actions)
    both_ways(deterministic._best_ranks, *arguments)


def test_looking_for_stand_ins(solved):
    for q in range(solved.value_functions):
        both_ways(exchange._without_stand_in, solved.models, solved.fiber(q), solved.consistent[q])


def test_looking_for_missing_splices(solved):
    for q, start in product(range(solved.value_functions), range(len(solved.models) + 1)):
        fiber, consistent = solved.fiber(q), solved.consistent[q]
        both_ways(exchange._incomplete, solved.models, fiber, consistent, start)


def test_going_through_all_datasets(solved):
    size = version_spaces.functional_datasets(solved)
    counts = [np.zeros(size, dtype=np.int32) for _ in range(2)]
    marks = [np.full(size, -1, dtype=np.int32) for _ in range(2)]
    both_ways(
        version_spaces._sweep,
        *(0, solved.value_functions, solved.models[solved.fiber_order], solved.fiber_start),
        *(solved.consistent, np.array(solved.option_counts) + 1),
        *(*counts, *marks, np.empty(size, dtype=np.int32)),
    )


def test_a_function_that_no_folder_can_keep_is_compiled_all_the_same():
    of_no_file = eval("lambda x: x + 1")
    with pytest.raises(RuntimeError, match="no locator"):
        numba.njit(cache=True)(of_no_file)
    assert compile_once()(of_no_file)(1) == 2


SEVERAL_THREADS = """
import numba
import numpy as np
from theory import gallery_class, solve
from theory.criteria import exchange

results = []
for threads in (1, 3):
    numba.set_num_threads(threads)
    large, small = (solve(gallery_class(f"tabular-{states}x2-sparse")) for states in (4, 3))
    q = int(np.diff(small.fiber_start).argmax())
    alone = exchange._without_stand_in(small.models, small.fiber(q), small.consistent[q])
    results.append((large.fiber_order, large.fiber_start, alone))
for one, several in zip(*results, strict=True):
    np.testing.assert_array_equal(one, several)
"""


def test_several_threads_give_what_one_gives():
    environment = os.environ | {"NUMBA_NUM_THREADS": "3"}
    subprocess.run([sys.executable, "-c", SEVERAL_THREADS], check=True, env=environment, cwd=ROOT)
