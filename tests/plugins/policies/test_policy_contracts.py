from __future__ import annotations

from leaven.testing import PolicyContract


class TestNoop(PolicyContract):
    spec = "policy:noop"


class TestPoly(PolicyContract):
    spec = "policy:poly"
    params = {"power": 2, "last_epoch": 4}


class TestSigmoid(PolicyContract):
    spec = "policy:sigmoid"
    params = {"last_epoch": 1}


class TestRamp(PolicyContract):
    spec = "policy:ramp"
    params = {"ramp_epochs": 5, "last_epoch": 2}


class TestPlateau(PolicyContract):
    spec = "policy:plateau"
    params = {"patience": 1, "factor": 0.5, "cooldown": 1, "min_value": 0.01}


class TestCosine(PolicyContract):
    spec = "policy:cosine"
    params = {"min_share": 0.1, "cycles": 2.5, "growth": 2}


class TestCosineBackAndForth(PolicyContract):
    spec = "policy:cosine"
    params = {"cycles": 3, "restart": False, "last_epoch": 2}


class TestStep(PolicyContract):
    spec = "policy:step"
    params = {"every": 5, "unit": "step", "last_epoch": 3}


class TestExp(PolicyContract):
    spec = "policy:exp"


class TestOneCycle(PolicyContract):
    spec = "policy:one_cycle"
    params = {"anneal_strategy": "linear", "last_epoch": 1}


class TestWarmup(PolicyContract):
    spec = "policy:warmup"
    params = {"policy": {"use": "poly", "power": 1}, "epochs": 4, "start": 0.1, "shifted": True}


class TestWarmupOfPlateau(PolicyContract):
    spec = "policy:warmup"
    params = {"policy": {"use": "plateau", "patience": 1}}


class TestChain(PolicyContract):
    spec = "policy:chain"
    params = {"policies": ["ramp", "noop", {"use": "poly", "power": 2}], "until": [2, 8]}


class TestPolyDecay(PolicyContract):
    spec = "policy:poly_decay"
    params = {"cutoff": 9}


class TestWave(PolicyContract):
    spec = "policy:wave"
    params = {"period": 5, "dampen": 0.5}


class TestDec(PolicyContract):
    spec = "policy:dec"
    params = {"factor": 0.9}
    length = 5000


class TestLinDec(PolicyContract):
    spec = "policy:lindec"
    params = {"steps": 3500}
    length = 5000


class TestUpdates(PolicyContract):
    spec = "policy:updates"
    params = {"updates": [[3, 1e-4], [7, 0.0]], "last_epoch": 1}
