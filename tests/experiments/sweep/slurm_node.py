"""Slurm on this machine alone: a controller and one node, started by hand, without root or systemd."""

import os
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "squeue", "scontrol", "scancel", "sinfo")
PATH = f"{os.environ['PATH']}:/usr/sbin"
START_SECONDS = 30

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=5
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PartitionName=main Nodes=node Default=YES PriorityTier=1
PartitionName=urgent Nodes=node PriorityTier=2
"""


class NoStartError(Exception):
    """What keeps Slurm from starting on this machine."""


def missing_programs():
    """The programs of Slurm that this machine lacks."""
    return [name for name in (*DAEMONS, *CLIENTS) if shutil.which(name, path=PATH) is None]


@contextmanager
def slurm_node():
    """A cluster of one node with 8 cores, whose partition `urgent` preempts jobs of `main`.

    Yields the environment in which Slurm's commands speak with it.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)  # the socket must be within everybody's reach
        for name in ("state", "spool"):
            (folder / name).mkdir()
        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(64))
        configuration = folder / "slurm.conf"
        configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0],
                user=os.getuid(),
                controller_port=_free_port(),
                node_port=_free_port(),
                folder=folder,
            )
        )
        (folder / "cgroup.conf").write_text(f"CgroupPlugin={_cgroup_plugin()}\n")
        environment = os.environ | {"PATH": PATH, "SLURM_CONF": str(configuration)}
        munge = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        for command in (
            ["munged", "--foreground", f"--socket={folder}/munge.socket", *munge],
            ["slurmctld", "-D", "-i"],
            ["slurmd", "-D", "-N", "node"],
        ):
            stack.enter_context(_daemon(command, environment, folder / f"{command[0]}.out"))
            if command[0] == "munged":
                _wait_for((folder / "munge.socket").exists, folder)
        _wait_for(lambda: "idle" in _states(environment), folder)
        yield environment


@contextmanager
def _daemon(command, environment, output):
    with (
        output.open("wb") as file,
        subprocess.Popen(command, env=environment, stdout=file, stderr=file) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _states(environment):
    command = ["sinfo", "--noheader", "--format=%T"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    ).stdout


def _wait_for(ready, folder):
    end = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > end:
            said = [line for path in folder.glob("*.out") for line in path.read_text().splitlines()]
            errors = [line for line in said if "error" in line.lower() or "fatal" in line.lower()]
            raise NoStartError(f"Slurm does not start here: {'; '.join(errors[-3:])}")
        time.sleep(0.2)


def _cgroup_plugin():
    """The plugin that asks nothing of the machine: Slurm loads one even where no other part uses it."""
    said = subprocess.run(
        ["slurmd", "-V"], env={"PATH": PATH}, capture_output=True, text=True, check=True
    )
    year, month = re.search(r"(\d+)\.(\d+)", said.stdout).groups()
    return "disabled" if (int(year), int(month)) >= (23, 2) else "cgroup/v1"


def _free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
