"""Contracts: suites of tests that every component of a kind passes, for pytest.

Subclass the contract of a kind under a name that begins with ``Test``, and say which component it is about::

    from leaven.testing import WorkerContract

    class TestPatches(WorkerContract):
        spec = "worker:patches"
        params = {"grid": 3}

Everything else is optional: the class attributes and fixtures of a contract say what it works with. Tools for tests of
your own are in :mod:`leaven.testing.tools`.
"""

from __future__ import annotations

import pytest

_KINDS = """
    augmenter cache collator component dataset decoder engine feed loss metric model op policy rng sampler
    transport worker
"""
pytest.register_assert_rewrite(*(f"leaven.testing.{kind}" for kind in _KINDS.split()))

from leaven.testing.augmenter import AugmenterContract  # noqa: E402 - only then are their asserts rewritten
from leaven.testing.cache import CacheContract  # noqa: E402
from leaven.testing.collator import CollatorContract  # noqa: E402
from leaven.testing.component import ComponentContract  # noqa: E402
from leaven.testing.dataset import DatasetContract  # noqa: E402
from leaven.testing.decoder import DecoderContract  # noqa: E402
from leaven.testing.engine import EngineContract  # noqa: E402
from leaven.testing.feed import FeedContract  # noqa: E402
from leaven.testing.loss import LossContract  # noqa: E402
from leaven.testing.metric import MetricContract  # noqa: E402
from leaven.testing.model import ModelContract  # noqa: E402
from leaven.testing.op import OpContract  # noqa: E402
from leaven.testing.policy import PolicyContract  # noqa: E402
from leaven.testing.rng import RngContract  # noqa: E402
from leaven.testing.sampler import SamplerContract  # noqa: E402
from leaven.testing.transport import TransportContract  # noqa: E402
from leaven.testing.worker import WorkerContract  # noqa: E402

__all__ = [
    "AugmenterContract",
    "CacheContract",
    "CollatorContract",
    "ComponentContract",
    "DatasetContract",
    "DecoderContract",
    "EngineContract",
    "FeedContract",
    "LossContract",
    "MetricContract",
    "ModelContract",
    "OpContract",
    "PolicyContract",
    "RngContract",
    "SamplerContract",
    "TransportContract",
    "WorkerContract",
]
