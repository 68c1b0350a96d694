from __future__ import annotations

import pytest

from leaven.testing import FeedContract


class TestNumpy(FeedContract):
    spec = "feed:numpy"


class TestTorch(FeedContract):
    spec = "feed:torch"

    @pytest.fixture(autouse=True)
    def torch(self):
        pytest.importorskip("torch")
