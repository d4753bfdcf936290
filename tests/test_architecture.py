"""Three wings side by side, none importing another, and one floor above that composes them."""

import ast
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
