"""Every test runs with jaxtyping's import hook on: beartype checks each shape and dtype annotation."""

import os

from jaxtyping import install_import_hook

# One thread for each of the processes that the tests run in, and for those that they start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook(["theory", "tabular", "deep"], "beartype.beartype")
