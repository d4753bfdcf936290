"""When a compiled kernel is worth its start.

A kernel that runs on all processors takes about half a second to load from numba's cache, and about ten seconds to
compile where there is no cache yet. A step takes the interpreter one to four microseconds, so that small classes are
done before the kernel would begin.
"""

from collections.abc import Callable
from typing import Any

MAX_INTERPRETED = 100_000


def kernel(compiled: Any, steps: int) -> Callable[..., Any]:
    """A kernel, compiled or as the interpreter runs its source, whichever is sooner done.

    Args:
        compiled: what `numba.njit` made of a function.
        steps: about how many times its innermost loop will run.
    """
    function: Callable[..., Any] = compiled if steps > MAX_INTERPRETED else compiled.py_func
    return function
