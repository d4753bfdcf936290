"""The built-in classes: `mbgen theorem gallery`."""

from __future__ import annotations

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable


def gallery(*, json: Json = None) -> int:
    """The built-in classes.

    Args:
        json: Write the list as JSON; "-" is standard output.
    """
    from theory import GALLERY

    require_writable(json)
    entries = [(name, entry, entry.make()) for name, entry in GALLERY.items()]
    rows = [
        (name, f"{p.states} x {p.actions}", p.transitions.size, str(p.gamma), entry.about)
        for name, entry, p in entries
    ]
    columns = ("class", "size", "models", "gamma", "what it shows")
    console(json).print(table("Gallery; sizes are states x actions", columns, rows))
    write_json(
        [
            {
                "name": name,
                "states": p.states,
                "actions": p.actions,
                "models": p.transitions.size,
                "gamma": p.gamma,
                "about": entry.about,
                "dataset": entry.dataset,
                "counterexample": entry.counterexample,
            }
            for name, entry, p in entries
        ],
        json,
    )
    return 0
