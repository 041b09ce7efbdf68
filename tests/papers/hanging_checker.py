"""A program that checks files and comes to no end."""

from __future__ import annotations

import sys
import time

from papers.checker_messages import READY

if __name__ == "__main__":
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    time.sleep(600)
