"""Compiled kernels: where they are kept, and when one is worth its start.

A kernel that runs on all processors takes about half a second to load from numba's cache, and about ten seconds to
compile where there is no cache yet. A step takes the interpreter one to four microseconds, so that small classes are
done before the kernel would begin.
"""

from collections.abc import Callable
from typing import Any

import numba

MAX_INTERPRETED = 100_000


def compile_once(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` that keeps what it has compiled, where there is a folder for that.

    Where neither the source's folder nor the user's cache can be written, numba refuses a function that asks to be
    kept: it is compiled again in each process.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:
            return numba.njit(**options)(function)

    return compiled


def kernel(compiled: Any, steps: int) -> Callable[..., Any]:
    """A kernel, compiled or as the interpreter runs its source, whichever is sooner done.

    Args:
        compiled: what `numba.njit` made of a function.
        steps: about how many times its innermost loop will run.
    """
    function: Callable[..., Any] = compiled if steps > MAX_INTERPRETED else compiled.py_func
    return function
