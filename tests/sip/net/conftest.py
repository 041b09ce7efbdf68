from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lab import Lab
from sip.net.prober import Prober
from tests.sip.net.calls import MEDIA
from tests.sip.net.probing import prober_of
from tests.support.labs import lab as lab
from tests.support.labs import loop_errors as loop_errors


@pytest.fixture(scope="session", autouse=True)
async def media_ends() -> AsyncIterator[None]:
    yield
    await MEDIA.close()


@pytest.fixture
async def prober(lab: Lab) -> AsyncIterator[Prober]:
    async with prober_of(lab) as opened:
        yield opened
