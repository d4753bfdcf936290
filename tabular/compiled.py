"""Where compiled kernels are kept."""

from collections.abc import Callable
from typing import Any

import numba


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
