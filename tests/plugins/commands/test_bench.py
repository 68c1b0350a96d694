from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

import pytest

from leaven.cli.main import run
from leaven.errors import DatasetError
from leaven.registry.registry import Registry
from leaven_plugins.commands.bench.measure import measure, spinning
from leaven_plugins.commands.bench.memory import tree_pss

CONFIG = """
[data.train]
use = "dataset:digits"

[loader]
batch_size = 64
nworkers = 0

[worker]
use = "worker:classification"
image = { shape = [1, 16, 16], dtype = "uint8" }
image_params = { color = false }

[model]
use = "model:tiny_cnn"
classes = 10

[loss]
use = "loss:cross_entropy"

[optimizer]
use = "optimizer:adamw"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture
def bench(capsys, config):
    def bench(*arguments):
        code = run(["bench", "loader", str(config), "--seconds", "0.2", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return bench


class FakeClock:
    """A second passes at each look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


class FakeLoader:
    """Two iterations of 3 and 2 rows in an epoch; the consumer waits 0.25 s for each."""

    def __init__(self, rows=(3, 2)):
        self.rows = rows
        self.wait_seconds = 0.0
        self.closed = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.closed = True

    def __iter__(self):
        for number, rows in enumerate(self.rows):
            self.wait_seconds += 0.25
            yield number, [{"image": range(rows)}]


def test_what_is_measured():
    loader = FakeLoader()
    sizes = iter([10e6, 30e6, 20e6, 15e6, 5e6, 1e6])
    measured = measure(loader, 2, seconds=10, clock=FakeClock(), memory=lambda: next(sizes))
    # Each look at the clock takes a second: one for each batch, and two around each look at the memory, of which there
    # are five; of the latter one counts as time spent. So batches are taken at 1, 3, 5, 7, 9 s, and at 11 s it is over.
    assert measured.workers == 2
    assert measured.first_batch_seconds == 1
    assert (measured.batches, measured.images) == (5, 2 + 3 + 2 + 3 + 2)
    assert measured.images_per_second == pytest.approx(12 / 11)
    assert measured.wait_share == pytest.approx(5 * 0.25 / 11)
    assert measured.peak_pss_mb == 30
    assert loader.closed


def test_the_consumer_works_on_each_batch_after_the_first():
    steps = []
    loader = FakeLoader()
    loader.workers = list
    measured = measure(loader, 2, seconds=5, clock=FakeClock(), memory=lambda: None, step=lambda: steps.append(1))
    assert len(steps) == measured.batches > 0


def test_a_step_takes_its_time():
    began = time.perf_counter()
    spinning(0.02)()
    assert time.perf_counter() - began >= 0.02
    assert spinning(0) is None


def test_a_stream_that_ends_is_measured_as_far_as_it_goes():
    class Once(FakeLoader):
        def __iter__(self):
            yield from super().__iter__()
            self.rows = ()

    measured = measure(Once(), 0, seconds=1e9, clock=FakeClock(), memory=lambda: None)
    assert (measured.batches, measured.images) == (1, 2)
    assert measured.peak_pss_mb is None


def test_no_samples_are_an_error():
    with pytest.raises(DatasetError, match="no samples"):
        measure(FakeLoader(()), 0, seconds=1)


def test_json(bench):
    code, out, err = bench("--json")
    assert code == 0
    result = json.loads(out.splitlines()[-1])
    assert set(result["verdict"]) == {"limit", "advice", "sentence", "predicted_images_per_second", "gain"}
    assert sum(result["stages"].values()) == pytest.approx(1)
    assert result["counts"] == {}  # the decoder of PNGs counts nothing
    assert result["warnings"] == []  # nothing but threads is warned of
    for key in ("verdict", "stages", "counts", "warnings"):
        del result[key]
    assert result.pop("runs") == [result]
    assert set(result) == {
        "workers",
        "batches",
        "images",
        "images_per_second",
        "first_batch_seconds",
        "wait_share",
        "peak_pss_mb",
        "processor_share",
    }
    assert result["workers"] == 0
    assert result["images"] > 0
    assert result["images_per_second"] > 0
    assert 0 <= result["wait_share"] <= 1
    assert "measuring 0 workers" in err


def test_several_numbers_of_workers(bench):
    code, out, _ = bench("--workers", "0,1", "--json")
    assert code == 0
    result = json.loads(out.splitlines()[-1])
    assert [run["workers"] for run in result["runs"]] == [0, 1]
    fastest = max(result["runs"], key=lambda run: run["images_per_second"])
    assert {key: result[key] for key in fastest} == fastest
    assert result["runs"][1]["peak_pss_mb"] > result["runs"][0]["peak_pss_mb"] * 1.02  # a process more


def test_a_table_for_people(bench):
    code, out, _ = bench("--set", "loader.batch_size=32")
    assert code == 0
    assert re.search(r"workers +images/s +first batch +consumer waits +peak memory", out)
    assert re.search(r"\n +0 +[\d,]+ +\d\.\d\d s +\d+% +[\d,]+ MB", out)
    assert re.search(r"stage +share of workers' time", out)
    assert re.search(r"\n +wait +\d+\.\d%", out)
    assert re.search(r"\n[A-Z].*limits?.*: .*\.\n", out)  # one sentence


def test_a_trace(bench, tmp_path):
    path = tmp_path / "new" / "trace.json"
    code, out, err = bench("--workers", "1", "--trace", str(path), "--json")
    assert code == 0
    assert "measuring 1 workers again, for the trace" in err
    told = json.loads(out.splitlines()[-1])["trace"]
    assert told["path"] == str(path)
    assert sum(told["stages"].values()) == pytest.approx(1)
    assert {"decode", "collate", "idle"} <= set(told["stages"])
    events = json.loads(path.read_text())["traceEvents"]
    rows = {event["args"]["name"]: event["tid"] for event in events if event["name"] == "thread_name"}
    assert len(rows) == 2
    assert {event["tid"] for event in events} == set(rows.values())
    waits = [event for event in events if event["name"] == "wait"]
    assert {event["tid"] for event in waits} == {rows["consumer"]}
    decoded = {event["args"]["sample"] for event in events if event["name"] == "decode"}
    assert decoded >= set(range(64))


def test_a_trace_for_people(bench, tmp_path):
    code, out, _ = bench("--trace", str(tmp_path / "trace.json"))
    assert code == 0
    assert re.search(r"stage +share of workers' time", out)
    assert re.search(r"\n +decode +\d+\.\d%", out)
    assert "trace.json: open it in https://ui.perfetto.dev" in out


def test_a_trace_that_cannot_be_written(bench, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = bench("--trace", str(tmp_path / "file" / "trace.json"))
    assert code == 1
    assert "cannot write the trace" in err


def test_quiet(bench, config, capsys):
    assert run(["-q", "bench", "loader", str(config), "--seconds", "0.1", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.count("\n") == 1


def test_torch_is_not_needed(config, tmp_path):
    code = (
        "import sys; sys.modules['torch'] = None; sys.argv = sys.argv[:1] + ['bench', 'loader', 'bench.toml',"
        " '--seconds', '0.1', '--json']; from leaven.cli.main import main; main()"
    )
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["images"] > 0


def test_mistakes_in_the_configuration_are_told(bench):
    code, out, err = bench("--set", "loader.nworkrs=2")
    assert code == 2
    assert "loader.nworkrs" in err
    assert "did you mean 'nworkers'" in err
    assert out == ""


def test_a_blocked_worker(config, capsys):
    assert run(["-p", "no:classification", "bench", "loader", str(config)]) == 2
    assert "blocked by -p no:classification" in capsys.readouterr().err


def test_memory_is_that_of_the_whole_tree():
    alone = tree_pss()
    code = "x = bytearray(50_000_000); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert tree_pss() - alone > 50_000_000
        child.stdin.write(b"\n")


def test_memory_of_what_has_ended_is_unknown(tmp_path):
    assert tree_pss(2**22 + 1) is None
    assert tree_pss(1, proc=tmp_path) is None


def test_the_door_declares_it():
    assert Registry().find("command:bench").component.summary
