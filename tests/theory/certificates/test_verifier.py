"""The verifier as a program by itself, which shares nothing with what it verifies."""

import ast
import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from theory.certificates import verifier
from theory.certificates.certificate import certificate_text, certify
from theory.certificates.verifier import fields
from theory.certificates.witness import find_witness
from theory.classes.gallery import gallery_class
from theory.classes.mdp_class import mdp_class
from theory.classes.transition_class import explicit
from theory.solving.solve import solve

FOLDER = Path(verifier.__file__).parent


def run(path: Path | str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(FOLDER), str(path)], capture_output=True, text=True, check=False
    )


def test_the_verifier_uses_itself_and_the_standard_library_alone():
    modules = {path.stem for path in FOLDER.glob("*.py")}
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                assert all(alias.name in sys.stdlib_module_names for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert node.module.split(".")[0] in sys.stdlib_module_names
            elif isinstance(node, ast.ImportFrom):
                assert (node.level, node.module in modules) == (1, True)
        if path.name != "__main__.py":  # which imports the folder that it lies in
            assert "importlib" not in path.read_text()


def test_a_copy_of_the_folder_verifies_wherever_it_lies(tmp_path, small):
    copied = shutil.copytree(
        FOLDER, tmp_path / "elsewhere", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "good.json").write_text(json.dumps(small))
    asked = [sys.executable, "-I", "-S", str(copied), str(tmp_path / "good.json")]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "verified\n", "")


def test_a_good_file_verifies(tmp_path):
    solved = solve(gallery_class("push-tree"))
    (tmp_path / "good.json").write_text(certificate_text(solved, find_witness(solved)))
    done = run(tmp_path / "good.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "verified\n", "")


def test_a_tampered_file_does_not(tmp_path, small):
    (tmp_path / "bad.json").write_text(json.dumps({**small, "gamma": "1/3"}))
    done = run(tmp_path / "bad.json")
    assert done.returncode == 1
    assert done.stdout.startswith("does not verify: ")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


DEEP = 100_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1" * 5000,
        b"\xff\xfe{}",
        b"NaN",
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b'{"format": 1}',
        b'"' + b"x" * (1 << 25) + b'"',
    ],
    ids=["empty", "cut", "list", "null", "long", "latin", "nan", "deep", "deeper", "keys", "huge"],
)
def test_garbage_is_refused_in_one_line(tmp_path, content, capsys):
    path = tmp_path / "garbage.json"
    path.write_bytes(content)
    assert verifier.main([str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_a_file_too_large_is_refused_whatever_stands_in_what_follows(tmp_path, small, capsys):
    path = tmp_path / "certificate.json"
    text = json.dumps(small)
    for blanks, status in ((fields.MAX_BYTES - len(text), 0), (fields.MAX_BYTES, 2)):
        path.write_text(text + " " * blanks)
        assert verifier.main([str(path)]) == status
    assert capsys.readouterr().err == f"the file has more than {fields.MAX_BYTES} bytes\n"


def test_a_key_that_is_given_twice_is_refused_and_named(tmp_path, small, capsys):
    path = tmp_path / "certificate.json"
    path.write_text('{"gamma": "1/3", ' + json.dumps(small)[1:])
    assert verifier.main([str(path)]) == 2
    assert capsys.readouterr().err == "the key 'gamma' is given twice\n"


def test_without_a_file_it_says_how_it_is_used(capsys):
    for arguments in ([], ["a.json", "b.json"]):
        assert verifier.main(arguments) == 2
        assert capsys.readouterr().err == "usage: python verifier CERTIFICATE.json\n"


def chain(states, gamma):
    """The smallest witness, and behind it states in a row: T0 stays in 0, T1 goes to and fro between 0 and 1."""
    row = [[s + 1] for s in range(2, states)]
    return mdp_class(explicit([[[0], [2], *row], [[1], [0], *row]]), [[-1]] * states, gamma)


@pytest.mark.parametrize(
    ("states", "digits", "accepted"),
    [(200, 9, True), (200, 11, False), (2, 990, True), (2, 1001, False)],
)
def test_values_of_too_many_digits_are_neither_written_nor_read(states, digits, accepted):
    gamma = Fraction(10**digits - 11, 10**digits - 10)
    assert len(str(gamma.denominator)) == digits
    solved = solve(chain(states, gamma))
    witness = find_witness(solved)
    if accepted:
        document = certify(solved, witness)
        assert verifier.verify(document) is None
        with pytest.raises(ValueError, match=r"not a certificate: values of \d+ digits"):
            verifier.verify({**document, "gamma": f"{10**1500}/{10**1500 + 1}"})
    else:
        with pytest.raises(ValueError, match=r"values of the class take up to \d+ digits"):
            certify(solved, witness)


def test_garbage_leaves_no_traceback(tmp_path):
    (tmp_path / "garbage.json").write_bytes(b"[" * DEEP)
    for path in (tmp_path / "garbage.json", tmp_path, tmp_path / "none.json", "a\nb"):
        done = run(path)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gamma", float("nan")),
        ("gamma", "1"),
        ("gamma", "0"),
        ("gamma", "3/2"),
        ("gamma", "9" * 3000 + "/1"),
        ("states", 10**9),
        ("actions", 199_999),
        ("states", 0),
        ("rewards", [["-1", "-1"], ["-1"]]),
        ("rewards", [[-1, -1], [-1, -1]]),
        ("rewards", [["-1", "-1.0"], ["-1", "-1"]]),
        ("rewards", [["-1", "-2/2"], ["-1", "-1"]]),
        ("T0", [[0, 3], [0, 2]]),
        ("T0", [[True, 0], [0, 2]]),
        ("D", [[0, 0]]),
        ("D", [[2, 0, 0]]),
        ("D", {"a": 1}),
        ("models", []),
        ("models", None),
        ("D", [[0, 0, 0]] * 5),
        ("decision", None),
        ("decision", [[1, 2]]),
        ("smallest", 1),
    ],
)
def test_a_field_out_of_form_is_named_and_refused(small, field, value):
    with pytest.raises(ValueError, match="not a certificate: ") as refusal:
        verifier.verify({**small, field: value})
    assert "\n" not in str(refusal.value)
