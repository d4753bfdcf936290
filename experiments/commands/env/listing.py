"""The environments that there are: `mbgen env list`."""

from __future__ import annotations

from experiments.commands.arguments import Json
from experiments.commands.terminal import console, table
from experiments.storage.json_files import write_json
from experiments.storage.whole_files import require_writable
from experiments.tasks import SIZE_NAMES


def list_environments(*, json: Json = None) -> int:
    """The environments at their usual sizes, with all their settings.

    Args:
        json: Write the list as JSON; "-" is standard output.
    """
    from dataclasses import asdict

    from deep.environments import ENVIRONMENTS

    require_writable(json)
    listed = []
    for name, kind in ENVIRONMENTS.items():
        environment = kind()
        listed.append(
            {
                "name": name,
                "size": SIZE_NAMES[name],
                "settings": asdict(environment),  # type: ignore[call-overload]
                "actions": environment.num_actions,
                "features": environment.num_features,
                "episodic": environment.episodic,
                "gymnasium": f"deep:mbgen/{name}-v0",
            }
        )
    rows = [
        (
            row["name"],
            ", ".join(f"{key}={value}" for key, value in row["settings"].items()),
            row["actions"],
            row["features"],
            row["episodic"],
            row["gymnasium"],
        )
        for row in listed
    ]
    columns = ("name", "settings", "actions", "features", "episodic", "Gymnasium id")
    console(json).print(table("Environments", columns, rows))
    write_json(listed, json)
    return 0
