from __future__ import annotations

from tests.support.labs import lab as lab
from tests.support.labs import loop_errors as loop_errors
