"""What a shell completes is what there is."""

import shutil
import subprocess

import pytest

from experiments.cli import MBGEN, main

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    path = tmp_path_factory.mktemp("completion") / "mbgen.bash"
    with pytest.MonkeyPatch.context() as patch, path.open("w") as file:
        patch.setattr("sys.stdout", file)
        assert main(["completion", "bash"]) == 0
    return path


def completed(script, *words):
    """What bash offers when the last word is being typed."""
    line = " ".join(f"'{word}'" for word in ("mbgen", *words))
    code = f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; _mbgen; echo ${{COMPREPLY[*]}}"
    run = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    return run.stdout.split()


def test_commands_groups_and_options_are_completed(script):
    assert completed(script, "") == [*MBGEN.members, "--help", "--version"]
    assert completed(script, "theorem", "expl") == ["explore"]
    assert completed(script, "theorem", "check", "push-tree", "--allow-") == ["--allow-zero-sum"]
    assert "--no-allow-zero-sum" in completed(script, "theorem", "check", "--no")
    assert completed(script, "claims", "--results", "results", "--j") == ["--json"]
    assert completed(script, "run", "--clip") == ["--clipped-logit-sampling"]
    assert completed(script, "nothing", "--he") == ["--help"]


@pytest.mark.parametrize("command", ["sweep", "ask"])
def test_what_slurm_is_asked_for_is_completed_by_its_own_words(script, command):
    assert completed(script, command, "--part") == ["--partition"]
    assert completed(script, command, "--clu") == []


def test_the_script_for_zsh_is_that_for_bash_after_a_line(script, capsys):
    assert main(["completion", "zsh"]) == 0
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert "bashcompinit" in first
    assert rest == script.read_text()


def test_another_shell_is_refused(capsys):
    assert main(["completion", "fish"]) == 2
    assert "must be one of bash, zsh" in capsys.readouterr().err


def test_the_version_is_told(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mbgen ")
    assert main(["theorem", "--version"]) == 2
