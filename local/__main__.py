"""``python -m local PIPE``: the supervisor in the background; see ``local.detach``."""

from __future__ import annotations

import os
import sys

from local.detach import PipeAudience
from local.up import run_from_settings


def main() -> None:
    """Entry point of the process; PIPE is the number of an open file."""
    descriptor = int(sys.argv[1])
    os.set_inheritable(descriptor, False)
    pipe = os.fdopen(descriptor, "w", encoding="utf-8")
    sys.exit(run_from_settings(PipeAudience(sys.stdout, pipe)))


if __name__ == "__main__":
    main()
