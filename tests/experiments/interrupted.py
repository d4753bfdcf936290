"""A command in a process of its own, interrupted as by Ctrl-C."""

import signal
import subprocess
import sys
import time

# Who starts the tests in the background may have told all processes to ignore interrupts.
PROGRAM = """
import signal, sys, tabular
from experiments.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
sys.exit(main())
"""


def interrupted(*arguments):
    """Exit status, output and errors of a command interrupted after three seconds of work."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            time.sleep(3)
            assert process.poll() is None, "it was done before it could be interrupted"
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, output, errors
