"""Verdicts on loaders that are slow for a known reason."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import pytest

from leaven.cli.main import run
from leaven.registry.registry import Registry
from leaven_plugins.commands.bench.processor import Stopwatch
from leaven_plugins.commands.bench.remedies import OPTIMIZED
from leaven_plugins.commands.bench.setup import setup_of
from leaven_plugins.commands.train.experiment import Experiment

CONFIG = """
[data.train]
use = "dataset:digits"

[loader]
batch_size = 8
nworkers = 2
endless = true

[worker]
use = "worker:image"
image = { shape = [3, 32, 32], dtype = "uint8" }

[model]
use = "model:tiny_cnn"
classes = 10

[loss]
use = "loss:cross_entropy"

[optimizer]
use = "optimizer:adamw"
"""

PLUGIN = '''
from leaven import BufferWorker, Component, hookimpl


class Count:
    """Counts in Python, and leaves the image as it is."""

    name = "count"
    keys = ()

    def __init__(self, number: int = 40_000):
        self.number = number

    def draw(self, random, info):
        return {}

    def applies(self, values):
        return True

    def apply(self, image, values, random):
        for _ in range(self.number):
            pass
        return image


class Tallying:
    """An OpenCV that counts."""

    def __init__(self):
        from leaven_plugins.decoders.opencv import OpenCVDecoder

        self._decoder = OpenCVDecoder()
        self._counts = {}

    def info(self, data):
        return self._decoder.info(data)

    def decode(self, data, **asked):
        for name in ("turbo: by walking", "turbo: left to the fallback: unsupported"):
            self._counts[name] = self._counts.get(name, 0) + 1
        return self._decoder.decode(data, **asked)

    def tally(self):
        counts, self._counts = self._counts, {}
        return counts


class Positions(BufferWorker):
    """Batches that are made at once: a thread has the lock back late, each time that it waits for it."""

    def __init__(self):
        self.add_buffer("position", ((1,), "int64"))

    def process(self, request):
        request.arrays["position"][:, 0] = [item.index for item in request.samples]
        return request.arrays


@hookimpl
def leaven_ops():
    yield Component("count", Count)


@hookimpl
def leaven_decoders():
    yield Component("tallying", Tallying)


@hookimpl
def leaven_workers():
    yield Component("positions", Positions)
'''


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text(CONFIG)
    (tmp_path / "slow_parts.py").write_text(PLUGIN)
    return path


@pytest.fixture
def photos(tmp_path):
    """A folder of JPEGs of 2000 x 1500 pixels."""
    folder = tmp_path / "photos" / "noise"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    coarse = cv2.resize(random.integers(0, 256, (38, 50, 3), np.uint8), (2000, 1500), interpolation=cv2.INTER_CUBIC)
    grain = random.integers(-20, 20, coarse.shape)
    for number in range(3):
        photo = np.clip(np.roll(coarse, 100 * number, 0) + grain, 0, 255).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.jpg"), photo)
    return folder.parent


@pytest.fixture
def doctor(config, capsys):
    """Return what ``leaven bench loader`` prints as JSON, with these values of the configuration."""

    def doctor(*values, options=()):
        asked = [part for value in values for part in ("--set", value)]
        plugin = ["-p", str(config.parent / "slow_parts.py")]
        code = run(["-q", *plugin, "bench", "loader", str(config), "--seconds", "0.6", "--json", *asked, *options])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out.splitlines()[-1])

    return doctor


def of_photos(photos):
    return "data.train.use=folder", f"data.train.path={photos}", "worker.decoder=opencv"


@pytest.mark.slow
def test_large_photographs_are_decode_bound(doctor, photos):
    told = doctor(*of_photos(photos), "worker.image_rng=random_resized_crop")
    assert told["stages"]["decode"] > 0.5
    assert told["verdict"]["limit"] == "decode"
    assert "leaven data optimize" in told["verdict"]["advice"]
    assert 1.3 < told["verdict"]["gain"] < OPTIMIZED
    assert told["verdict"]["predicted_images_per_second"] == pytest.approx(
        told["images_per_second"] * told["verdict"]["gain"]
    )


@pytest.mark.slow
def test_an_op_in_python_is_photometric_bound(doctor):
    told = doctor('worker.ops=["count"]')
    assert told["stages"]["photometric"] > 0.5
    assert told["verdict"]["limit"] == "photometric"
    assert "gpu_augmentation" in told["verdict"]["advice"]
    assert told["verdict"]["gain"] > 1.5


def test_a_slow_consumer_is_consumer_bound(doctor):
    told = doctor(options=["--consumer-ms", "100"])
    assert told["wait_share"] < 0.5
    assert told["verdict"]["limit"] == "consumer"
    assert told["verdict"]["gain"] == 1
    assert told["images_per_second"] < 1.2 * 8 / 0.1
    assert told["warnings"] == []


def test_a_slow_consumer_without_workers(doctor):
    told = doctor("loader.nworkers=0", options=["--consumer-ms", "100"])
    assert told["verdict"]["limit"] == "consumer"
    assert "nworkers = 1" in told["verdict"]["advice"]


@pytest.mark.slow
def test_python_in_threads_is_better_off_in_processes(doctor):
    told = doctor('worker.ops=["count"]', "loader.transport=threads")
    verdict = told["verdict"]
    assert verdict["gain"] > 1
    if verdict["limit"] == "threads":  # else other programs have the cores, and processes are hardly faster
        assert "zeromq" in verdict["advice"]
        assert verdict["gain"] > 1.3


@pytest.mark.slow
def test_threads_that_starve_behind_python_are_warned_of(doctor):
    told = doctor('worker={use="worker:positions"}', "loader.transport=threads")
    assert len(told["warnings"]) == 1
    assert "threads starve behind a consumer in Python" in told["warnings"][0]
    assert "zeromq" in told["warnings"][0]


@pytest.mark.slow
def test_what_was_counted_is_told(doctor, config, capsys):
    values = "worker.decoder=tallying", "loader.nworkers=0"
    counts = doctor(*values)["counts"]
    assert counts["turbo: by walking"] == counts["turbo: left to the fallback: unsupported"] > 0
    plugin = str(config.parent / "slow_parts.py")
    arguments = [part for value in values for part in ("--set", value)]
    assert run(["-q", "-p", plugin, "bench", "loader", str(config), "--seconds", "0.2", *arguments]) == 0
    out = capsys.readouterr().out
    assert re.search(r"decoder +images", out)
    assert re.search(r"\n +turbo: by walking +[\d,]+", out)


@pytest.mark.slow
def test_a_trace_is_that_of_the_settled_run(doctor, tmp_path):
    path = tmp_path / "trace.json"
    told = doctor(options=["--consumer-ms", "50", "--trace", str(path)])
    events = json.loads(path.read_text())["traceEvents"]
    steps = [event for event in events if event["name"] == "step"]
    assert steps
    assert min(event["dur"] for event in steps) > 49e3  # us
    assert told["trace"]["stages"].keys() >= {"idle", "decode"}


# ---- what a verdict knows of the configuration


def setup_with(config, *overrides):
    return setup_of(Experiment(config, Registry(), overrides, training=False))


def test_what_is_read_from_a_configuration(config, photos):
    plain = setup_with(config)
    assert plain.transport == "zeromq"
    assert plain.decoder in ("opencv", "turbo")  # what "auto" stands for
    assert plain.turbo == (plain.decoder == "turbo")
    assert (plain.jpegs, plain.crops, plain.stored) == (False, False, "")
    assert (plain.gpu_augmentation, plain.exact, plain.wide) == (False, False, False)
    ways = "worker.exact=true", "worker.gpu_augmentation=true", "worker.image.dtype=float32"
    other = setup_with(config, *of_photos(photos), "loader.transport=threads", "worker.image_rng=mixture", *ways)
    assert other.crops
    assert (other.transport, other.decoder, other.jpegs, other.stored) == ("threads", "opencv", True, "folder")
    assert (other.gpu_augmentation, other.exact, other.wide) == (True, True, True)


def test_a_component_with_parameters_has_its_name(config):
    assert setup_with(config, 'worker.decoder={use="decoder:opencv"}').decoder == "opencv"
    assert not setup_with(config, 'worker.image_rng={use="none"}').crops


# ---- processor time


def threads_of(folder, **schedstats):
    for thread, text in schedstats.items():
        (folder / thread).mkdir(exist_ok=True)
        (folder / thread / "schedstat").write_text(text)


def test_threads_that_wait_for_a_core(tmp_path):
    threads_of(tmp_path, a="100 1000 7", b="50 0 7")
    watch = Stopwatch(tmp_path)
    assert watch.share() == 1.0
    threads_of(tmp_path, a="200 1100 8", b="350 0 9", new="0 300 1")  # ran 100, 300, 0; queued 100, 0, 300
    assert watch.share() == pytest.approx(400 / 800)


def test_a_system_that_does_not_tell(tmp_path):
    assert Stopwatch(tmp_path / "none").share() == 1.0
    (tmp_path / "a").mkdir()
    assert Stopwatch(tmp_path).share() == 1.0


def test_this_process_has_had_processor_time():
    watch = Stopwatch()
    sum(range(100_000))
    assert 0 < watch.share() <= 1
