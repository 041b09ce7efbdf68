"""Turn into another program that dies with its parent: ``launch.py SIGNAL PARENT PROGRAM ARG...``.

The kernel delivers SIGNAL (a number) when the parent is gone, however it went (prctl(2),
PR_SET_PDEATHSIG). It is a program of its own because the call must come after the fork, where the
only safe thing to run in a process with threads is another program. Only the standard library is
imported: it runs isolated from the project.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the program; exits 127 when it is not there."""
    death_signal, parent, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("the parent ended first")
    # A shell that starts a job in the background has it ignore SIGINT, and exec keeps that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
