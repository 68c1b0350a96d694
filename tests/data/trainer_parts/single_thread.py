"""A fixture for tests of small networks: where the processors are busy, threads take up to 100 times as long as one."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Let torch compute in one thread; importing this fixture is enough."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
