"""Words that a shell completes after `mbgen`: `mbgen completion bash`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Annotated, get_type_hints

import tyro

from experiments.cli import MBGEN, Command, Group
from experiments.runs.lane_settings import require_one_of

SHELLS = ("bash", "zsh")

BASH = """\
_mbgen() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" path="" each words
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case " $(_mbgen_words "$path") " in *" $each "*) [[ $each == -* ]] || path="$path $each" ;; esac
    done
    words="$(_mbgen_words "$path")"
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
_mbgen_words() {{
    case "$1" in
{cases}
    esac
}}
complete -o default -F _mbgen mbgen
"""
ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def completion(
    shell: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="bash|zsh")], /
) -> int:
    """Print a script with which a shell completes the words after mbgen.

    For this session: source <(mbgen completion bash). To keep it, write it to a file that the shell reads when it
    starts, such as ~/.local/share/bash-completion/completions/mbgen.

    Args:
        shell: bash or zsh.
    """
    require_one_of("shell", shell, SHELLS)
    cases = "\n".join(
        f'        "{path}") echo "{" ".join(words)}" ;;' for path, words in _words(MBGEN, "")
    )
    print((ZSH if shell == "zsh" else "") + BASH.format(cases=cases), end="")
    return 0


def _words(group: Group, path: str) -> Iterator[tuple[str, list[str]]]:
    """After each command or group, what may follow: names of its members, or its options."""
    yield path, [*group.members, "--help", *([] if path else ["--version"])]
    for name, member in group.members.items():
        if isinstance(member, Command):
            yield f"{path} {name}", [*options_of(member), "--help"]
        else:
            yield from _words(member, f"{path} {name}")


def options_of(command: Command) -> list[str]:
    """The options of a command as tyro spells them: keyword arguments, and the fields of records of arguments."""
    function = command.load()
    hints = get_type_hints(getattr(function, "func", function))  # a study's is a partial one
    found: list[tuple[str, object]] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if is_dataclass(hints[name]):
            found += [(field.name, field.default) for field in fields(hints[name])]
        elif parameter.kind is parameter.KEYWORD_ONLY:
            found.append((name, parameter.default))
    spelled = []
    for name, default in found:
        option = name.replace("_", "-")
        spelled.append(f"--{option}")
        if isinstance(default, bool):
            spelled.append(f"--no-{option}")
    return spelled
