"""Submitting a sweep to Slurm, whose programs are played by one of our own."""

import json
import shlex

import pytest

from experiments.sweep.run_log import RunLog
from experiments.sweep.slurm import SlurmOptions, standing, submit
from experiments.sweep.task import interpreter
from tests.experiments.sweep.counting_tasks import counting_task, is_done
from tests.experiments.sweep.fake_slurm import played

TIMEOUT = "slurm_load_jobs error: Socket timed out on send/recv operation"


@pytest.fixture
def fake(tmp_path, monkeypatch):
    return played(tmp_path / "slurm", monkeypatch)


@pytest.fixture
def tasks(tmp_path):
    return [counting_task(tmp_path, name, memory=2**30 * (i + 1)) for i, name in enumerate("abc")]


@pytest.fixture
def logs(tmp_path):
    return tmp_path / "logs"


def sent(tasks, logs, retries=1, **options):
    return submit(tasks, logs, SlurmOptions(**options), done=is_done, retries=retries)


def finish(task):
    task.folder.mkdir(parents=True)
    (task.folder / "summary.json").touch()


def jobs_of(logs):
    """The ids of the runs of each job of each array, as their files tell, the first array first."""
    plans = sorted(logs.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    return [
        [[run["id"] for run in job] for job in json.loads(plan.read_text())["jobs"]]
        for plan in plans
    ]


def test_what_is_missing_is_one_array_in_the_order_of_the_sweep(fake, tasks, logs):
    finish(tasks[1])
    found = sent(tasks, logs)
    assert (found.done, found.missing) == ((tasks[1],), (tasks[0], tasks[2]))
    assert jobs_of(logs) == [[["study/a"], ["study/c"]]]
    assert fake.queued == 2


def test_sbatch_is_told_what_the_options_say(fake, tasks, logs):
    sent(
        tasks,
        logs,
        partition="gpu",
        account="lab",
        time=5400.0,
        grace=200.0,
        cpus=2,
        gpus=1,
        per_job=2,
        parallel=4,
        slurm=("qos=long", "mail-user=a=b"),
    )
    ((*options, wrapped),) = fake.calls("sbatch")
    (plan,) = logs.glob("*.json")
    assert set(options) == {
        "--requeue",
        f"--job-name={plan.stem}",
        "--array=0-1%4",
        f"--output={logs}/{plan.stem}-%a.out",
        "--open-mode=append",
        "--nodes=1",
        "--ntasks=1",
        "--cpus-per-task=4",
        "--mem=3072M",  # of the two jobs, the larger: 1 and 2 GiB; 3 GiB
        "--time=90",
        "--signal=B:USR1@200",
        "--partition=gpu",
        "--account=lab",
        "--gres=gpu:1",
        "--qos=long",
        "--mail-user=a=b",
    }
    work = f"{shlex.join(interpreter())} -m experiments.sweep.slurm_job {plan}"
    assert wrapped == f"--wrap=trap '' USR1; exec {work}"
    assert jobs_of(logs) == [[["study/a", "study/b"], ["study/c"]]]


def test_memory_that_is_given_is_that_of_each_run(fake, tasks, logs):
    sent(tasks, logs, memory=2**20 + 1, per_job=3)
    assert "--mem=4M" in fake.calls("sbatch")[0]


def test_a_long_sweep_is_several_arrays(fake, tasks, logs):
    sent(tasks, logs, array_size=2)
    assert jobs_of(logs) == [[["study/a"], ["study/b"]], [["study/c"]]]


def test_nothing_is_submitted_where_nothing_is_missing(fake, tasks, logs):
    for task in tasks:
        finish(task)
    assert sent(tasks, logs).done == tuple(tasks)
    assert fake.calls("sbatch") == []


def test_who_comes_back_submits_only_what_is_neither_done_nor_queued(fake, tasks, logs):
    sent(tasks[:2], logs)
    finish(tasks[0])
    found = sent(tasks, logs)
    assert (found.done, found.queued, found.missing) == ((tasks[0],), (tasks[1],), (tasks[2],))
    assert jobs_of(logs)[1:] == [[["study/c"]]]


def test_a_run_that_left_the_queue_without_starting_is_told_of_and_submitted_again(
    fake, tasks, logs
):
    sent(tasks, logs)
    RunLog.of(tasks[0].id, logs).mark("started")
    RunLog.of(tasks[0].id, logs).mark("interrupted")
    fake.empty_queue()
    found = sent(tasks, logs)
    assert found.missing == tuple(tasks)
    assert found.unstarted == tuple(tasks[1:])


def test_a_run_that_failed_too_often_is_told_of_and_the_others_are_submitted(fake, tasks, logs):
    log = RunLog.of(tasks[1].id, logs)
    for event in ("started", "failed", "started", "failed"):
        log.mark(event)
    assert standing(tasks, logs, is_done, retries=2).failed == ()
    found = sent(tasks, logs, retries=1)
    assert (found.failed, found.missing) == ((tasks[1],), (tasks[0], tasks[2]))


def test_squeue_is_asked_again_when_its_socket_timed_out(fake, tasks, logs):
    sent(tasks[:1], logs)
    fake.trouble("squeue", (False, TIMEOUT), (False, TIMEOUT))
    assert sent(tasks[:1], logs).queued == (tasks[0],)


def test_a_submission_that_was_lost_is_made_again(fake, tasks, logs):
    fake.trouble("sbatch", (False, TIMEOUT))
    sent(tasks, logs)
    assert fake.queued == 3


def test_a_submission_whose_answer_was_lost_is_not_made_twice(fake, tasks, logs):
    fake.trouble("sbatch", (True, TIMEOUT))
    sent(tasks, logs)
    assert fake.queued == 3
    assert len(fake.calls("sbatch")) == 1


def test_a_controller_that_never_answers_is_given_up(fake, tasks, logs):
    fake.trouble("squeue", *[(False, TIMEOUT)] * 5)
    with pytest.raises(ValueError, match=r"squeue refuses: .*Socket timed out"):
        sent(tasks, logs)
    assert len(fake.calls("squeue")) == 3


def test_a_refusal_is_one_line_with_what_sbatch_said(fake, tasks, logs):
    said = "sbatch: error: invalid partition specified: nope\nsbatch: error: Batch job submission failed"
    fake.trouble("sbatch", (False, said))
    with pytest.raises(ValueError, match=r"^sbatch refuses: .*: nope sbatch: .* failed$"):
        sent(tasks, logs, partition="nope")
    assert len(fake.calls("sbatch")) == 1


def test_a_refusal_tells_how_much_was_submitted_before(fake, tasks, logs):
    fake.trouble("sbatch", (True, ""), (False, "QOSMaxSubmitJobPerUserLimit"))
    with pytest.raises(ValueError, match=r"QOSMaxSubmit.*; 2 runs were submitted before"):
        sent(tasks, logs, array_size=2)
    assert standing(tasks, logs, is_done, retries=1).queued == tuple(tasks[:2])


def test_a_machine_without_slurm_is_told_so(tasks, logs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="there is no squeue here"):
        sent(tasks, logs)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"cpus": 0}, "cpus is 0; accepted: 1 or more"),
        ({"gpus": -1}, "gpus is -1"),
        ({"per_job": 0}, "per_job is 0"),
        ({"time": 500.0}, "time is 500 s with a grace of 300 s"),
        ({"time": float("nan")}, "time is nan"),
        ({"time": float("inf")}, "time is inf"),
        ({"slurm": ("qos",)}, "slurm option 'qos'; accepted: KEY=VALUE"),
        ({"slurm": ("array=0-9",)}, "slurm option 'array=0-9'"),
        ({"slurm": ("nodes=2",)}, "slurm option 'nodes=2'"),
        ({"slurm": ("mem=1M",)}, "slurm option 'mem=1M'"),
    ],
)
def test_an_option_out_of_range_is_refused(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        SlurmOptions(**options)
