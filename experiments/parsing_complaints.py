"""What tyro says of words that it cannot parse, in one line that names the value and what is accepted."""

from __future__ import annotations

import re
from collections.abc import Callable

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_ACCEPTED = {"INT": "a whole number", "FLOAT": "a number"}


def in_one_line(box: str) -> str:
    """The text of tyro's framed complaint as one line, without frame, colours and the option's help."""
    lines = []
    for framed in _COLOURS.sub("", box).splitlines()[1:-1]:
        line = framed.strip(" │|")
        if line.startswith("For full helptext"):
            break
        if line.strip("─-"):
            lines.append(line)
    text = " ".join(" ".join(lines).split())
    for pattern, told in _PATTERNS:
        if found := re.match(pattern, text):
            return told(found)
    return text


def _not_a_value(found: re.Match[str]) -> str:
    accepted = found["type"].replace("{None}|", "")
    return f"{found['name']} is {found['value']}; accepted: {_ACCEPTED.get(accepted, accepted)}"


def _not_a_choice(found: re.Match[str]) -> str:
    named = re.findall(r"'([^']*)'", found["choices"])  # of an optional value in no fixed order
    choices = sorted(each for each in named if each != "None")
    return f"{found['name']} is {found['value']}; accepted: {', '.join(choices)}"


def _missing(found: re.Match[str]) -> str:
    """The flags that are missing, or the argument that has none: its help, which the parser adds, is left out."""
    flags = re.findall(r"(?<!\S)--[a-z][a-z-]*(?= )", found["missing"])
    needed = ", ".join(flags) or found["missing"].split()[0]
    rest = f"; not understood: {found['rest'].strip()}" if found["rest"] else ""
    return f"{found['command']} needs {needed}{rest}"


def _not_known(found: re.Match[str]) -> str:
    meant = re.search(r"Perhaps you meant: (--\S+)", found["rest"])
    guess = f"; perhaps you meant {meant[1]}" if meant else ""
    return f"not understood: {found['words'].strip()}{guess}"


_NAME = r"Error parsing (?P<name>\S+): "
_PATTERNS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (_NAME + r"no type matching (?P<type>\S+) could be instantiated from \[(?P<value>.*?)\]\. ", _not_a_value),
    (
        _NAME + r"invalid literal for int\(\) with base 10: (?P<value>.*?)( Argument helptext|$)",
        lambda found: f"{found['name']} is {found['value']}; accepted: a whole number",
    ),
    (
        _NAME + r"could not convert string to float: (?P<value>.*?)( Argument helptext|$)",
        lambda found: f"{found['name']} is {found['value']}; accepted: a number",
    ),
    (
        _NAME + r"Could not find valid parse for arguments: \[(?P<value>.*?)\] Argument helptext: \S+ "
        r"(?P<accepted>\S+( \[[^\]]*\])*)",
        lambda found: f"{found['name']} is {found['value']}; accepted: {found['accepted']}",
    ),
    (
        r"invalid choice (?P<value>'.*') for argument '(?P<name>[^']+)'\. Expected one of \((?P<choices>.*)\)",
        _not_a_choice,
    ),
    (r"Missing value for argument '(.*?)'", lambda found: f"{found[1]} needs a value"),
    (r"Missing from mbgen (?P<command>.*?): (?P<missing>.*?)(Unrecognized options: (?P<rest>.*))?$", _missing),
    (r"Unrecognized options: (?P<words>.*?)(?P<rest>Perhaps you meant.*|$)", _not_known),
)  # fmt: skip
