"""Three wings side by side, none importing another, and one floor above that composes them."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "theory": {"tabular", "deep", "experiments", "torch", "tests"},
    "tabular": {"theory", "deep", "experiments", "torch", "tests"},
    "deep": {"theory", "tabular", "experiments", "tests", "matplotlib", "tyro", "rich"},
    "experiments": {"tests"},
}


def imported_packages(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_only_what_its_place_allows(package):
    files = list((ROOT / package).rglob("*.py"))
    assert files
    broken = {str(f): bad for f in files if (bad := imported_packages(f) & FORBIDDEN[package])}
    assert not broken


DEPENDENCIES = {
    title.strip("`"): {
        name: (shown or name, {*places.split(", ")} - {"nothing"})
        for name, shown, places in re.findall(
            r"^\| `([\w-]+)`(?:, as `(\w+)`)? \| ([a-z, ]+) \|", part, re.MULTILINE
        )
    }
    for title, part in re.findall(
        r"^## (?:The )?(?:extra )?(.*?)$(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "dependencies.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
}
"""By section of the page on dependencies: the packages, each with its name in imports and who imports it."""
BROUGHT = {"pillow", "markupsafe"}


def test_each_dependency_is_listed_where_it_is_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = declared["optional-dependencies"]
    del extras["all"]
    asked = {"light base": declared["dependencies"], **extras}
    names = {
        section: {re.match(r"[\w-]+", entry)[0] for entry in entries} - {"mbgen"}
        for section, entries in asked.items()
    }
    optional = "Used where they are there"
    assert {
        section: packages.keys() - BROUGHT
        for section, packages in DEPENDENCIES.items()
        if section != optional
    } == names
    assert not DEPENDENCIES[optional].keys() & set().union(*names.values())


def test_each_package_imports_the_dependencies_that_are_said_to_be_its_own_and_no_other():
    told = {package: set() for package in FORBIDDEN}
    for section in DEPENDENCIES.values():
        for name, places in section.values():
            for place in places:
                told[place].add(name)
    assert told == {
        package: set().union(*map(imported_packages, (ROOT / package).rglob("*.py")))
        - sys.stdlib_module_names
        - FORBIDDEN.keys()
        for package in FORBIDDEN
    }


@pytest.mark.parametrize("package", FORBIDDEN)
def test_nothing_is_pickled(package):
    for file in (ROOT / package).rglob("*.py"):
        assert not imported_packages(file) & {"pickle", "shelve", "marshal", "joblib"}


CODE_FROM_TEXT = {"eval", "exec", "compile", "__import__"}
LOADERS = {("os", "system"), ("os", "popen"), ("torch", "load")}


def runs_text_as_code(call: ast.Call) -> bool:
    """Whether a call evaluates text, unpickles, or asks a shell."""
    options = {each.arg: ast.unparse(each.value) for each in call.keywords}
    if options.get("shell") == "True" or options.get("allow_pickle") == "True":
        return True
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return (call.func.value.id, call.func.attr) in LOADERS
    return isinstance(call.func, ast.Name) and call.func.id in CODE_FROM_TEXT


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_text_is_run_as_code(package):
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            assert not (isinstance(node, ast.Call) and runs_text_as_code(node)), (file, node.lineno)


@pytest.mark.parametrize(
    "text",
    [
        *(f"{name}(x)" for name in sorted(CODE_FROM_TEXT)),
        *(f"{module}.{name}(x)" for module, name in sorted(LOADERS)),
        "run(x, shell=True)",
        "load(x, allow_pickle=True)",
    ],
)
def test_what_runs_text_as_code_is_known(text):
    assert runs_text_as_code(ast.parse(text).body[0].value)


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_says_that_it_is_typed(package):
    assert (ROOT / package / "py.typed").exists()
