"""Every test runs with jaxtyping's import hook on: beartype checks each shape and dtype annotation."""

from jaxtyping import install_import_hook

install_import_hook(["theory", "tabular", "deep"], "beartype.beartype")
