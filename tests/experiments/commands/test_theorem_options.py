"""`mbgen theorem` on classes with options: evidence, samples, and what such a class does not take."""

import json

import pytest

from experiments.cli import main
from tests.experiments.called import complaint, is_a_picture, run_json

OPTIONS = {
    "states": 2,
    "actions": 1,
    "gamma": "1/2",
    "rewards": [[-1], [-1]],
    "transitions": {
        "options": [
            [[{"next": {"0": "1/2", "t": "1/2"}}, {"next": {"1": 0.5, "t": 0.5}}]],
            [[{"next": {"t": 1}}, {"next": {"0": "1/2", "t": "1/2"}}]],
        ],
        "models": [[0, 0], [1, 1]],
    },
}


@pytest.fixture
def options_file(tmp_path):
    return written(tmp_path / "class.json", OPTIONS)


@pytest.fixture
def evidence_file(tmp_path):
    return written(tmp_path / "E.json", [[0, 0, [0]]])


def written(path, content):
    path.write_text(json.dumps(content))
    return str(path)


def test_a_class_with_options_is_checked_over_all_evidence(capsys, options_file):
    whole = run_json(capsys, "theorem", "check", options_file)
    assert (whole["models"], whole["datasets"], whole["strict"]) == (2, 9, 1)


def test_samples_leave_what_the_evidence_leaves_that_they_allow(
    capsys, tmp_path, options_file, evidence_file
):
    check = ("theorem", "check", options_file)
    left = run_json(capsys, *check, "--evidence", evidence_file)
    assert left["strict"]
    assert (len(left["HM"]), len(left["HB"])) == (1, 2)
    samples = written(tmp_path / "S.json", [[0, 0, -1, 0], [0, 0, -1, 2]])
    assert run_json(capsys, *check, "--samples", samples) == left
    likely = ("--allow", "likelihood", "--threshold", "0.5")
    assert run_json(capsys, *check, "--samples", samples, *likely) == left


def test_policies_and_tolerance_are_told_of_evidence(capsys, options_file, evidence_file):
    asked = ("theorem", "check", options_file, "--evidence", evidence_file)
    asked += ("--policies", "--tolerance")
    report = run_json(capsys, *asked)
    assert report["policies"]["HB"]["policies"] == 1
    assert report["tolerance"][0] == {"eps": "0", "HB": 2, "outside_HM": 1}
    assert main(asked) == 0
    printed = capsys.readouterr().out
    assert "0 by 1/2, t by 1/2, earning -1" in printed
    assert "least regret that one policy guarantees" in printed
    assert "|H_B^eps(E)|" in printed


def test_a_gap_that_evidence_shows_is_certified_and_no_other(
    capsys, tmp_path, options_file, evidence_file
):
    certificate = str(tmp_path / "certificate.json")
    certified = ("theorem", "check", options_file, "--certificate", certificate)
    assert main([*certified, "--evidence", evidence_file]) == 0
    assert "certified: " in capsys.readouterr().out
    assert main(["theorem", "verify", certificate]) == 0
    nothing = written(tmp_path / "nothing.json", [])
    assert main([*certified, "--evidence", nothing]) == 1
    assert "the inclusion is not proper" in capsys.readouterr().out


def test_the_smallest_evidence_that_shows_a_gap_is_found_and_certified(
    capsys, tmp_path, options_file
):
    certificate = str(tmp_path / "certificate.json")
    search = ("theorem", "witness", options_file, "--evidence")
    assert run_json(capsys, *search, "--out", certificate)["evidence"] == [[0, 0, [0]]]
    assert main(["theorem", "verify", certificate]) == 0
    assert main(search) == 0
    assert "E rules out every model that has it" in capsys.readouterr().out
    assert main(["theorem", "witness", "noisy-factors-product", "--evidence"]) == 1
    assert "no realizable evidence" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "start", "said"), [((), None, "truth ruled out"), (("--start", "1"), 1, "steps")]
)
def test_what_samples_settle_is_counted_printed_and_drawn(
    capsys, tmp_path, options_file, asked, start, said
):
    picture = tmp_path / "samples.png"
    samples = ("theorem", "samples", options_file, "--most", "2", *asked)
    curves = run_json(capsys, *samples, "--out", str(picture))
    assert curves["start"] == start
    assert [row["exact"] for row in curves["rows"]] == [True] * 3
    assert is_a_picture(picture)
    assert main(samples) == 0
    assert said in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("check", "CLASS", "--evidence", "FILE"), "FILE: evidence [0, 0, []] allows nothing"),
        (
            ("check", "CLASS", "--evidence", "FILE", "--value-equivalence", "2"),
            "--value-equivalence follows trajectories",
        ),
        (("check", "CLASS", "--evidence", "FILE", "--samples", "FILE"), "both given"),
        (("check", "CLASS", "--samples", "FILE"), "FILE: a reward is []"),
        (("smallest", "--evidence", "--decision-relevant"), "accepted: a proper inclusion"),
        (("witness", "HUGE"), "accepted: at most 1.5 GB"),
        (("check", "CLASS", "--certificate", "x.json"), "--certificate is about evidence"),
        (("check", "CLASS", "--allow", "support"), "--allow and --threshold are about samples"),
        (("check", "CLASS", "--datasets", "FILE"), "CLASS has options"),
        (("witness", "CLASS", "--evidence", "--decision-relevant"), "--decision-relevant is about"),
        (("witness", "CLASS", "--evidence", "--out", "x.png"), "accepted with --evidence: .json"),
        (("check", "CLASS", "--gamma", "1"), "accepted for a class with options: gamma < 1"),
        (("samples", "CLASS", "--allow", "likelihood"), "threshold is missing"),
        (("samples", "CLASS", "--most", "-1"), "most is -1"),
        (("samples", "CLASS", "--most", "999999999999", "--start", "0"), "accepted: 0 to 10000"),
        (("smallest", "--denominator", "999999999999", "--max-states", "999999999999"), "at most"),
    ],
)
def test_what_a_class_with_options_does_not_take_is_refused_in_a_line(
    capsys, tmp_path, options_file, words, said
):
    many = [{"reward": i, "next": {"t": 1}} for i in range(99)]
    huge = {"actions": 5, "rewards": [[0] * 5] * 2, "transitions": {"options": [[many] * 5] * 2}}
    names = {
        "CLASS": options_file,
        "FILE": written(tmp_path / "file.json", [[0, 0, []]]),
        "HUGE": written(tmp_path / "huge.json", OPTIONS | huge),
    }
    told = complaint(capsys, "theorem", *(names.get(word, word) for word in words))
    assert said.replace("FILE", names["FILE"]).replace("CLASS", "class") in told
