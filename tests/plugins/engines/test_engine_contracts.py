from __future__ import annotations

from leaven.testing import EngineContract


class TestLocal(EngineContract):
    spec = "engine:local"
    params = {"workers": 2}
