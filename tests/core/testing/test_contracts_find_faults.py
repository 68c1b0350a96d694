"""Each contract fails for a component that breaks it: a suite that passes everything is worth nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from leaven.testing import ComponentContract

FAULTY = '''
"""A plugin in one file, with everything wrong."""

import random

import numpy
import numpy as np

from leaven import BufferWorker, Component, DecodeError, ImageInfo, hookimpl
from leaven.protocols import Decoded, Drawn, Region


class MovingWorker(BufferWorker):
    """Rows depend on what came before; samples are changed; lists have gaps; global chance."""

    def __init__(self):
        self.add_buffer("value", ((2,), "int64"))
        self.seen = 0

    def prepare(self, sample, row, buffers):
        self.seen += 1
        sample["label"] = -1
        buffers["value"][:] = self.seen, random.getrandbits(40)

    def process(self, request):
        return {"value": super().process(request)["value"].astype("float32"), "short": [1]}


class GreedyOp:
    __slots__ = ()
    keys = ("a",)

    def draw(self, random, info):
        return {"b": np.random.random()}

    def applies(self, values):
        return True

    def apply(self, image, values, random):
        image[:] = np.random.randint(0, 256, image.shape)
        return image.astype("float64")[1:]


class ForgetfulRng:
    """Draws from global chance, objects, and the same dict again and again."""

    def __init__(self):
        self.drawn = {}

    def draw(self, info, spec, random_):
        self.drawn["angle"] = np.random.random()
        self.drawn["object"] = object()
        return self.drawn

    def at_epoch(self, epoch):
        return None


class SloppyDecoder:
    """Half an image is good enough."""

    def info(self, data):
        return ImageInfo(3, 3, 3)

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        return Decoded(np.zeros((3, 3, 3)), Region(1, 1, 2, 2), 0.5)

    def decode_batch(self, requests):
        for data, *_ in requests:
            if data == b"no image":
                raise DecodeError("no image")
            yield self.decode(data)

    def draw_batch(self, drawings, out, progress):
        out[...] = 3
        return [Drawn(0) for _ in drawings]


class LeakyFeed:
    """Keeps everything, loses lists."""

    def __init__(self):
        self.kept = []

    def __call__(self, sample):
        self.kept.append(sample)
        return {key: value + 1 for key, value in sample.items() if isinstance(value, np.ndarray)}


class CountingMetric:
    """Counts itself."""

    def __init__(self):
        self.count = 0

    def update(self, sample):
        self.count = 2 * self.count + int(sample["x"])
        sample["x"] = 0

    def compute(self):
        self.count += 1
        return {"count": self.count}

    def reset(self):
        pass

    def merge(self, other):
        self.count += 3 * other.count
        other.count = 0


class OneDataset:
    """Answers to any position, and stays closed."""

    suffixes = (".one",)

    def __init__(self, path):
        self.path = path
        self.file = None

    def __len__(self):
        return 5

    def sample(self, index):
        self.file = self.file or open(self.path, "rb")
        return {"key": "same", "order": self.file.read(1)}

    def key(self, index):
        return "same"

    def close(self):
        self.file.close()

    @classmethod
    def write(cls, path, samples):
        path.write_bytes(b"abcdefgh")
        return len(list(samples))


class StubbornTransport:
    """Loses every second message, and does not know when it is closed."""

    in_process = True

    def open(self, nworkers, handlers=None):
        assert not hasattr(self, "handlers")
        self.handlers = handlers
        self.answers = [(0, b"hello")]
        self.count = 0

    def send(self, worker, message):
        self.count += 1
        if self.count % 2:
            self.answers[:0] = [(worker, answer) for answer in self.handlers[worker](message)]
        return True

    def receive(self):
        answers, self.answers = self.answers, []
        return answers

    def wait(self, fds, timeout):
        return list(fds)

    def close(self):
        pass


class RaggedCollator:
    """Loses rows, counts, and cannot do with a single one."""

    def __init__(self):
        self.count = 0

    def collate(self, batch, random):
        self.count += 1
        assert len(batch["image"]) > 1
        return {"image": batch["image"][1:] / 2, "count": [self.count], "thing": [object()]}

    def without_chance(self):
        return self.collate


@hookimpl
def leaven_collators():
    yield Component("ragged", RaggedCollator, "loses rows")


class EndlessPass:
    """Ends too late, counts, keeps everything."""

    length = 10.5

    def __init__(self, length):
        self.kept = list(range(min(length, 100_000)))

    def indices(self, epoch, ranks):
        ranks += len(self.kept)
        self.kept += [random.random() for _ in ranks]
        return self.kept[-len(ranks):] + [0.5]


class EndlessSampler:
    """Goes on behind the end."""

    def over(self, dataset, seed):
        return EndlessPass(len(dataset))


@hookimpl
def leaven_samplers():
    yield Component("endless", EndlessSampler, "goes on")


class VagueLoss:
    """Takes anything."""

    def __init__(self, **anything):
        pass


@hookimpl
def leaven_losses():
    yield Component("vague", VagueLoss, "takes anything")


@hookimpl
def leaven_workers():
    yield Component("moving", MovingWorker)


@hookimpl
def leaven_ops():
    yield Component("greedy", GreedyOp, "takes everything")


@hookimpl
def leaven_rngs():
    yield Component("forgetful", ForgetfulRng, "forgets")


@hookimpl
def leaven_decoders():
    yield Component("sloppy", SloppyDecoder, "guesses")


@hookimpl
def leaven_feeds():
    yield Component("leaky", LeakyFeed, "leaks")


@hookimpl
def leaven_metrics():
    yield Component("counting", CountingMetric, "counts")


@hookimpl
def leaven_datasets():
    yield Component("one", OneDataset, "one only")


@hookimpl
def leaven_transports():
    yield Component("stubborn", StubbornTransport, "goes on")
'''

SUITES = """
import pytest

import leaven.testing.transport
from leaven import Registry
from leaven.testing import *


@pytest.fixture(autouse=True, scope="session")
def impatient():
    leaven.testing.transport._PATIENCE = 0.05


class Faulty:
    @pytest.fixture
    def registry(self):
        return Registry(plugins=["./faulty.py"])


class TestWorker(Faulty, WorkerContract):
    spec = "worker:moving"


class TestComponent(Faulty, ComponentContract):
    spec = "loss:vague"


class TestCollator(Faulty, CollatorContract):
    spec = "collator:ragged"


class TestOp(Faulty, OpContract):
    spec = "op:greedy"


class TestRng(Faulty, RngContract):
    spec = "rng:forgetful"


class TestDecoder(Faulty, DecoderContract):
    spec = "decoder:sloppy"


class TestFeed(Faulty, FeedContract):
    spec = "feed:leaky"


class TestMetric(Faulty, MetricContract):
    spec = "metric:counting"
    batches = [{"x": 3}, {"x": 5}, {"x": 7}]


class TestDataset(Faulty, DatasetContract):
    spec = "dataset:one"


class TestSampler(Faulty, SamplerContract):
    spec = "sampler:endless"


class TestTransport(Faulty, TransportContract):
    spec = "transport:stubborn"
"""

SPARED = {"it_has_what_", "it_does_something", "no_rows_are_no_trouble"}
"""What even these pass: beginnings of names."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Pairs of a verdict and the name of a test."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "faulty.py").write_text(FAULTY)
    (folder / "test_faulty.py").write_text(SUITES)
    path = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "--tb=no", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, timeout=100
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S+?::(\w+)::test_(\w+)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return found


@pytest.mark.slow
def test_each_test_of_a_contract_can_fail(verdicts):
    inherited = {name.removeprefix("test_") for name in dir(ComponentContract) if name.startswith("test_")}

    def qualified(suite, name):
        return name if name in inherited else f"{suite}.{name}"

    failed = {qualified(suite, name) for verdict, suite, name in verdicts if verdict != "PASSED"}
    never = {qualified(suite, name) for _, suite, name in verdicts} - failed
    assert {name for name in never if not name.partition(".")[2].startswith(tuple(SPARED))} == set()
