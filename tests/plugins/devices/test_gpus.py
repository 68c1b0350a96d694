# ruff: noqa: N802  (the names are those of pynvml)
from __future__ import annotations

import builtins
import csv
import threading
import time
from types import SimpleNamespace

import pytest

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.devices.gpus import NoGpuError, available, readings
from leaven_plugins.devices.monitor import Means, Monitor, monitor
from leaven_plugins.devices.visible import visible

UUIDS = ["GPU-aa11", "GPU-aa22", "GPU-bb33"]
MIB = 1 << 20


class Nvml:
    """A stand-in for ``pynvml`` and a driver with two GPUs; ``free`` is in MiB, and can change."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    def __init__(self, free=(3000, 9000), missing=()):
        self.free = list(free)
        self.missing = missing
        self.sessions = 0
        self.temperature = 40

    def nvmlInit(self):
        if "driver" in self.missing:
            raise self.NVMLError("Driver Not Loaded")
        self.sessions += 1

    def nvmlShutdown(self):
        self.sessions -= 1

    def nvmlDeviceGetCount(self):
        return len(self.free)

    def nvmlDeviceGetHandleByIndex(self, index):
        return index

    def nvmlDeviceGetUUID(self, handle):
        return UUIDS[handle]

    def nvmlDeviceGetName(self, handle):
        return b"Model A" if handle == 0 else "Model B"

    def nvmlDeviceGetMemoryInfo(self, handle):
        if "memory" in self.missing:
            raise self.NVMLError("GPU is lost")
        return SimpleNamespace(total=10_000 * MIB, free=self.free[handle] * MIB + 5)

    def nvmlDeviceGetTemperature(self, handle, sensor):
        return self.temperature + handle

    def nvmlDeviceGetUtilizationRates(self, handle):
        if "utilisation" in self.missing:
            raise self.NVMLError("Not Supported")
        return SimpleNamespace(gpu=50, memory=10)

    def nvmlDeviceGetPowerUsage(self, handle):
        return 71_500


# ---- what there is


def test_what_the_driver_tells():
    nvml = Nvml()
    with readings(nvml, {}) as read:
        first, second = read()
    assert first.to_plain() == {
        "index": 0,
        "number": 0,
        "name": "Model A",
        "total_mib": 10_000,
        "free_mib": 3000,
        "used_mib": 7000,
        "temperature": 40,
        "utilisation": 50,
        "power": 71.5,
    }
    assert (second.index, second.name, second.used_mib, second.temperature) == (1, "Model B", 1000, 41)
    assert nvml.sessions == 0


def test_what_it_does_not_tell():
    with readings(Nvml(missing=["utilisation"]), {}) as read:
        assert [gpu.utilisation for gpu in read()] == [None, None]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("2,0", [2, 0]),
        (" 1 , 2", [1, 2]),
        ("GPU-bb,GPU-aa11", [2, 0]),
        ("GPU-aa", []),  # two of them begin like this
        ("1,-1,2", [1]),  # nothing counts from the first wrong one on
        ("0,7,1", [0]),
        ("1,1", []),
        ("NoDevFiles", []),
    ],
)
def test_visible_devices(asked, expected):
    assert visible(UUIDS, asked) == expected


def test_indices_are_those_of_cuda():
    with readings(Nvml(), {"CUDA_VISIBLE_DEVICES": "1,0"}) as read:
        assert [(gpu.index, gpu.number, gpu.name) for gpu in read()] == [(0, 1, "Model B"), (1, 0, "Model A")]


@pytest.mark.parametrize(
    ("nvml", "environment", "text"),
    [
        (Nvml(missing=["driver"]), {}, "no GPU: NVIDIA's driver says: Driver Not Loaded"),
        (Nvml(free=()), {}, "no GPU: the driver knows none"),
        (Nvml(), {"CUDA_VISIBLE_DEVICES": ""}, "no GPU: CUDA_VISIBLE_DEVICES shows none of 2"),
    ],
)
def test_no_gpu(nvml, environment, text):
    with pytest.raises(NoGpuError, match=text), readings(nvml, environment):
        pass
    assert nvml.sessions == 0


def test_no_library(monkeypatch):
    imported = builtins.__import__

    def without(name, *rest):
        if name == "pynvml":
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NoGpuError, match=r"nvidia-ml-py is not installed; pip install 'leaven\[gpu\]'"), readings():
        pass


# ---- which have room


@pytest.mark.parametrize(
    ("free", "options", "expected"),
    [
        ((3000, 9000), {}, [1]),
        ((3000, 9000), {"n": 2}, [1, 0]),
        ((3000, 9000, 3000), {"n": None}, [1, 0, 2]),
        ((1024, 1025), {"n": 2}, [1]),  # more than
        ((500, 500), {"n": 2}, []),
        ((500, 500), {"n": 2, "least_mem": 100}, [0, 1]),
        ((500, 500), {"n": 0, "least_mem": 100}, []),
    ],
)
def test_available(free, options, expected, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [gpu.index for gpu in available(**options, nvml=Nvml(free))] == expected


def test_available_without_a_driver():
    assert available(nvml=Nvml(missing=["driver"])) == []
    with pytest.raises(ParameterError, match="n=-1"):
        available(-1)


# ---- means over time


def test_means_weigh_by_time():
    means = Means()
    assert means.mean() is None
    means.add(10.0, 30)
    assert means.mean() == 30
    means.add(11.0, 50)  # 40 in the mean for 1 s
    means.add(15.0, 70)  # 60 in the mean for 4 s
    assert means.mean() == (40 * 1 + 60 * 4) / 5


def test_status_is_the_mean_since_the_start(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvml, moments = Nvml(), iter([0.0, 0.0, 1.0, 3.0])
    with readings(nvml) as read:
        watching = Monitor(read, 60, clock=lambda: next(moments))
        for temperature, free in [(40, 3000), (60, 3000), (80, 1000)]:
            nvml.temperature, nvml.free[0] = temperature, free
            watching.look()
    first, second = watching.status()
    assert first == {
        "index": 0,
        "name": "Model A",
        "temperature": (50 * 1 + 70 * 2) / 3,
        "utilisation": 50,
        "used_mib": (7000 * 1 + 8000 * 2) / 3,
    }
    assert second["temperature"] == pytest.approx(first["temperature"] + 1)


def test_what_is_not_told_has_no_mean():
    with readings(Nvml(missing=["utilisation"]), {}) as read:
        watching = Monitor(read, 60)
        watching.look()
    assert watching.status()[0]["utilisation"] is None


# ---- the thread


def test_a_monitor_reads_until_it_is_closed(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    nvml, path = Nvml(), tmp_path / "gpus.csv"
    threads = threading.active_count()
    with monitor(0.1, path, nvml) as watching:
        assert threading.active_count() == threads + 1
        deadline = time.monotonic() + 30
        while len(path.read_text().splitlines()) < 1 + 2 * 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert threading.active_count() == threads
    assert nvml.sessions == 0
    watching.close()
    assert nvml.sessions == 0
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert rows[0] == {
        "seconds": rows[0]["seconds"],
        "index": "0",
        "name": "Model A",
        "temperature": "40",
        "utilisation": "50",
        "used_mib": "7000",
        "total_mib": "10000",
        "power": "71.5",
    }
    assert [row["index"] for row in rows] == ["0", "1"] * (len(rows) // 2)
    assert watching.status()[0]["used_mib"] == pytest.approx(7000)


def test_a_gpu_that_is_lost_ends_it_and_leaves_what_was_measured():
    nvml = Nvml()
    with monitor(0.1, nvml=nvml) as watching:
        nvml.missing = ["memory"]
        deadline = time.monotonic() + 30
        while not watching.problem:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "GPU is lost" in watching.problem
    assert watching.status()[0]["temperature"] == 40
    assert nvml.sessions == 0


@pytest.mark.parametrize("missing", ["driver", "memory"])
def test_a_monitor_without_a_gpu(missing):
    nvml = Nvml(missing=[missing])
    with pytest.raises(NoGpuError):
        monitor(nvml=nvml)
    assert nvml.sessions == 0


def test_a_monitor_that_cannot_write(tmp_path):
    nvml = Nvml()
    with pytest.raises(LeavenError, match="cannot be written: No such file"):
        monitor(path=tmp_path / "missing" / "gpus.csv", nvml=nvml)
    assert nvml.sessions == 0
    for sec in (0, float("inf"), float("nan")):
        with pytest.raises(ParameterError, match=rf"sec={sec}: expected at least 0\.1"):
            monitor(sec=sec, nvml=nvml)
