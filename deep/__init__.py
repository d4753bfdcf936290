"""Batched torch: environments now, agents on top; every tensor has leading lane axes.

Importing this package makes the environments known to Gymnasium, if that is installed:
`gymnasium.make("deep:mbgen/PanFlute-v0", num_pipes=7)`.
"""

from importlib.util import find_spec

if find_spec("gymnasium"):
    from deep.gymnasium_adapter import register

    register()
