from __future__ import annotations

from leaven.testing import SamplerContract


class TestSequential(SamplerContract):
    spec = "sampler:sequential"


class TestShuffle(SamplerContract):
    spec = "sampler:shuffle"


class TestBlocks(SamplerContract):
    spec = "sampler:blocks"


class TestSmallBlocks(SamplerContract):
    spec = "sampler:blocks"
    params = {"size": 4, "window": 3}
