"""Become the PostgreSQL server: ``postgres_launch.py PARENT UID GID PROGRAM ARG...``.

Drops root's rights, then asks the kernel for a fast shutdown (SIGINT) when the parent is gone,
however it went (prctl(2), PR_SET_PDEATHSIG), then executes the program. The order matters: a change
of the user id forgets the request. A program of its own, because between fork and exec a process
with threads may run nothing else safely. Only the standard library is imported, and all of it while
still root, since the user that follows may not be able to read it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Exits 127 when the program cannot be executed, 1 when the parent is gone already."""
    parent, uid, gid, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("the parent ended first")
    # A shell that starts a job in the background has it ignore SIGINT, and exec keeps that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execv(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
