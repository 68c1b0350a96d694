"""Workers that die, hang, or cannot start; samples that fail or kill: nothing is lost, doubled or different."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from reading import content, epoch, stream, values

import leaven
from leaven import ConfigError, WorkerError, WorkerPool
from leaven.errors import PoisonError, SampleError, SampleErrors, TooManyErrors

POINTS = ["received", "read", "half_written", "before_ack", "after_ack"]
COMMON = {"size": 64, "batch_size": 4, "shuffle": True, "seed": 2}


@pytest.fixture
def failpoint(monkeypatch):
    """Set the failpoints of workers that are started from now on."""
    return lambda text: monkeypatch.setenv("LEAVEN_FAILPOINT", text)


@pytest.mark.parametrize("action", ["kill", pytest.param("exit", marks=pytest.mark.slow)])
@pytest.mark.parametrize("point", POINTS)
def test_workers_that_die_at_any_point_change_nothing(make, failpoint, point, action):
    undisturbed = stream(make(**COMMON), 1)
    failpoint(f"worker.{point}:{action}:3")
    # every worker dies of its third request, which may be the same one again: not the sample's fault
    assert stream(make(**COMMON, nworkers=2, poison_after=100), 1) == undisturbed


def test_a_segmentation_fault_leaves_its_stack(make, failpoint):
    failpoint("worker.half_written:segv")
    with make(**COMMON, nworkers=1, poison_after=1) as loader, pytest.raises(PoisonError) as caught:
        epoch(loader)
    assert "SIGSEGV" in str(caught.value)
    assert "failpoints.py" in caught.value.words


def test_workers_that_die_at_the_start_are_given_up_soon(make, failpoint):
    failpoint("worker.starting:exit")
    with make(**COMMON, nworkers=2) as loader:
        with pytest.raises(WorkerError, match="ended with exit status 0 while it was starting"):
            epoch(loader)


def test_a_failpoint_that_does_not_exist_is_named_before_the_start(make, failpoint):
    failpoint("worker.befor_ack:kill")
    with pytest.raises(ConfigError, match=r"worker\.before_ack"):
        make(**COMMON, nworkers=1).start()


@pytest.mark.parametrize("action", ["hang", pytest.param("stop", marks=pytest.mark.slow)])
def test_a_worker_that_hangs_is_replaced(make, failpoint, caplog, action):
    undisturbed = stream(make(**COMMON), 1)
    failpoint(f"worker.half_written:{action}:5")
    assert stream(make(**COMMON, nworkers=2, worker_timeout=0.3), 1) == undisturbed
    assert "without progress while it worked on sample" in caplog.text


def test_what_hangs_every_time_is_an_error_with_the_stack(make, parts):
    with make(8, 4, worker=parts.Echo(slow_at=2), nworkers=1, worker_timeout=0.3, poison_after=2) as loader:
        with pytest.raises(PoisonError, match=r"was ended after \d+\.\d s without progress") as caught:
            epoch(loader)
    assert caught.value.index == 2
    assert "loader_parts.py" in caught.value.words


def test_a_thread_that_hangs_is_an_error_with_the_stack(make, parts):
    release = threading.Event()

    class Waits(parts.Echo):
        def prepare(self, sample, row, buffers):
            if sample["value"] == 5:
                release.wait(30)
            super().prepare(sample, row, buffers)

    with make(8, 4, worker=Waits(), nworkers=1, transport="threads", worker_timeout=0.3) as loader:
        with pytest.raises(WorkerError, match=r"no progress for .* sample 5 of request 1(.|\n)*release.wait"):
            epoch(loader)
        release.set()


def test_a_slow_consumer_is_no_hanging_worker(make):
    with make(24, 4, nworkers=1, worker_timeout=0.2) as loader:
        found = []
        for _, samples in loader:
            found += values(samples)
            time.sleep(0.15)
    assert found == list(range(24))


STUCK = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job does not have
    import leaven
    import leaven.stream.roster as roster
    from loader_parts import Echo, Numbers

    if __name__ == "__main__":
        roster._GRACE = 600.0
        with leaven.TurboDataLoader(leaven.create(Numbers, size=8), 4, Echo(slow_at=5), nworkers=1) as loader:
            for iteration, (sample,) in loader:
                print(sample["pid"][0], flush=True)
"""


def test_a_second_ctrl_c_ends_workers_that_are_stuck_at_once(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(STUCK))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    process = subprocess.Popen([sys.executable, str(path)], env=environment, **pipes)
    pid = int(process.stdout.readline())
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):  # the worker has time to finish what it is on
        process.wait(0.7)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGINT, errors
    assert not Path(f"/proc/{pid}").exists()


# ---- samples


@pytest.mark.parametrize("nworkers", [0, 2])
def test_skip_leaves_the_row_empty(make, parts, nworkers, caplog):
    with make(20, 4, worker=parts.Echo(fail_at=9), nworkers=nworkers, on_error="skip") as loader:
        batches = [sample for _, (sample,) in loader]
    masks = [sample["valid"].tolist() for sample in batches]
    assert masks == [[True] * 4, [True] * 4, [True, False, True, True], [True] * 4, [True] * 4]
    assert batches[2]["value"][:, 0].tolist() == [8, -1, 10, 11]
    assert batches[2]["noise"][1].tolist() == [0, 0, 0]
    assert batches[2]["key"] == ["n8", None, "n10", "n11"]
    assert "sample 9 (n9): prepare failed" in caplog.text


@pytest.mark.parametrize("nworkers", [0, 2])
def test_replace_puts_another_sample_there_always_the_same(make, parts, nworkers):
    common = {"size": 20, "batch_size": 4, "worker": parts.Echo(fail_at=9), "on_error": "replace"}
    found = stream(make(**common, nworkers=nworkers), 2)
    assert found == stream(make(**common), 2)
    first, second = found[2][1][1][0], found[7][1][1][0]
    assert {first, second} <= set(range(20)) - {9}
    assert found[2][3][1] == f"n{first}"
    assert found[2][2][1] != [0, 0, 0]


@pytest.mark.parametrize("nworkers", [0, 2])
def test_substitutes_do_not_depend_on_who_reads_the_dataset(make, parts, nworkers):
    common = {"batch_size": 4, "worker": parts.Echo(fail_at=9), "on_error": "replace", "nworkers": nworkers}
    listed = [{"key": f"n{n}", "value": n} for n in range(20)]
    assert stream(make(dataset=listed, **common)) == stream(make(20, **common))


def test_substitutes_come_from_the_batch_where_nothing_can_be_read_by_position(make, parts):
    samples = ({"key": f"n{n}", "value": n} for n in range(8))
    with make(dataset=samples, worker=parts.Echo(fail_at=5), on_error="replace", max_errors=1) as loader:
        (_, _), (_, (sample,)) = loader
    assert sample["valid"].all()
    assert sample["value"][1, 0] in (4, 6, 7)


@pytest.mark.parametrize("on_error", ["skip", "replace"])
@pytest.mark.parametrize("nworkers", [0, 1])
def test_what_cannot_be_read_is_tolerated_too(make, parts, on_error, nworkers):
    dataset = leaven.create(parts.Numbers, size=20, bad=6)
    listed = [{"key": f"n{n}", "value": n} if n != 6 else object() for n in range(20)]
    for data in (dataset, listed):
        with make(dataset=data, nworkers=nworkers, on_error=on_error) as loader:
            batches = [sample for _, (sample,) in loader]
        row = batches[1]["value"][2, 0]
        assert batches[1]["valid"][2] == (on_error == "replace")
        assert (row == -1) == (on_error == "skip")
        assert row != 6


def test_a_worker_that_gives_up_whole_requests_is_tolerated_too(make, parts):
    class Fussy(parts.Echo):
        def process(self, request):
            items = list(request.samples)
            for item in items:
                if item.index in (5, 6):
                    raise SampleError("no", index=item.index, stage="prepare")
            return super().process(request._replace(samples=items))

    for on_error in ("skip", "replace"):
        with make(12, 4, worker=Fussy(), on_error=on_error, max_errors=0.5) as loader:
            batches = [sample for _, (sample,) in loader]
        assert batches[1]["valid"].tolist() == [True, on_error == "replace", on_error == "replace", True]
        assert [batches[1]["key"][row] for row in (0, 3)] == ["n4", "n7"]
        assert batches[1]["value"][[0, 3], 0].tolist() == [4, 7]
    with make(12, 4, worker=Fussy()) as loader, pytest.raises(SampleError, match="sample 5"):
        epoch(loader)


@pytest.mark.parametrize("nworkers", [0, 2])
def test_all_failing_samples_of_a_batch_are_raised_together(make, parts, nworkers):
    class Odd(parts.Echo):
        pass

    with make(12, 4, worker=parts.Unruly("stop"), nworkers=nworkers) as loader:
        with pytest.raises(SampleErrors, match="4 samples failed") as caught:
            epoch(loader)
    assert [error.index for error in caught.value.exceptions] == [0, 1, 2, 3]
    assert "loader_parts.py" in caught.value.exceptions[0].remote_traceback


def test_the_budget_ends_the_run_at_its_place(make, parts, tmp_path):
    options = {"on_error": "skip", "max_errors": 1, "quarantine": tmp_path / "deep" / "bad.jsonl"}
    with make(12, 4, worker=parts.Unruly("stop"), nworkers=1, **options) as loader:
        with pytest.raises(TooManyErrors, match="2 samples of 12"):
            epoch(loader)
    lines = [json.loads(line) for line in (tmp_path / "deep" / "bad.jsonl").read_text().splitlines()]
    assert [(line["index"], line["key"], line["stage"], line["cause"]) for line in lines] == [
        (0, "n0", "prepare", "StopIteration"),
        (1, "n1", "prepare", "StopIteration"),
    ]


@pytest.mark.parametrize("on_error", ["skip", "replace"])
def test_poison_is_left_out_after_three_deaths(make, parts, on_error, tmp_path):
    options = {"on_error": on_error, "quarantine": tmp_path / "bad.jsonl", "nworkers": 2}
    with make(40, 4, worker=parts.Echo(kill_at=17), **options) as loader:
        batches = [sample for _, (sample,) in loader]
        again = [sample for _, (sample,) in loader]
    assert batches[4]["valid"].tolist() == [True, on_error == "replace", True, True]
    others = [v for sample in batches for v, ok in zip(sample["value"][:, 0], sample["valid"], strict=True) if ok]
    assert set(others) == set(range(40)) - {17}
    assert again[4]["valid"].tolist() == batches[4]["valid"].tolist()
    first = json.loads((tmp_path / "bad.jsonl").read_text().splitlines()[0])
    assert (first["index"], first["key"], first["epoch"]) == (17, "n17", 0)
    assert "SIGKILL" in first["cause"]


def test_a_substitute_that_kills_is_left_out_as_well(make, parts):
    common = {"size": 40, "batch_size": 4, "on_error": "replace", "nworkers": 2}
    with make(**common, worker=parts.Echo(fail_at=0)) as loader:
        first = int(next(iter(loader))[1][0]["value"][0, 0])
    assert first not in range(4)
    with make(**common, worker=parts.Echo(fail_at=0, kill_at=first)) as loader:
        batches = [sample for _, (sample,) in loader]
    assert all(sample["valid"].all() for sample in batches)
    assert first not in {int(value) for sample in batches for value in sample["value"][:, 0]}


@pytest.mark.parametrize("transport", ["inline", "threads", "zeromq"])
@pytest.mark.parametrize("how", ["base", "textless"])
def test_errors_of_any_sort_are_errors(make, parts, transport, how):
    with make(8, 4, worker=parts.Odd(how), nworkers=1, transport=transport) as loader:
        with pytest.raises(leaven.LeavenError, match=r"Cancelled|Textless"):
            epoch(loader)


# ---- pools


def test_a_pool_is_started_once_from_whichever_thread(make):
    for _ in range(5):
        with WorkerPool(2, transport="threads") as workers:
            workers.close()
            workers = WorkerPool(2, transport="threads")
            found = []

            def use(seed, workers=workers, found=found):
                loader = make(24, 4, nworkers=workers, seed=seed, shuffle=True)
                found.append(sorted(sum(epoch(loader), [])))
                loader.close()

            threads = [threading.Thread(target=use, args=(seed,)) for seed in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
            workers.close()
            assert found == [list(range(24))] * 3


def test_workers_of_a_shared_pool_keep_nothing_of_closed_loaders(make):
    def size(pid):
        return len(os.listdir(f"/proc/{pid}/fd")), Path(f"/proc/{pid}/maps").read_text().count("leaven-arena")

    with WorkerPool(1) as workers:
        sizes = []
        for _ in range(4):
            with make(8, 4, nworkers=workers) as loader:
                pid = next(iter(loader))[1][0]["pid"][0]
                sizes.append(size(pid))
    assert sizes[1] == sizes[3]


def test_closing_a_loader_of_a_shared_pool_ends_the_wait_of_another_thread(make, parts):
    with WorkerPool(1) as workers:
        loader = make(8, 4, worker=parts.Echo(slow_at=5), nworkers=workers)
        found = []

        def use():
            try:
                epoch(loader)
            except leaven.LeavenError as error:
                found.append(str(error))

        thread = threading.Thread(target=use)
        thread.start()
        time.sleep(0.5)
        loader.close()
        thread.join(20)
    assert found == ["the loader has been closed"]


def test_a_loader_that_is_dropped_in_the_supervisors_thread(make):
    class Source:
        def __init__(self):
            self.loader = None

        def __iter__(self):
            for value in range(40):
                if value == 20:
                    self.loader = None
                    gc.collect()
                yield {"key": f"n{value}", "value": value}

    source = Source()
    dropped = make(400, 4, nworkers=1)
    next(iter(dropped))
    source.loader, dropped = dropped, None
    with make(dataset=source, nworkers=1) as loader:
        assert sum(epoch(loader), []) == list(range(40))


def test_a_source_that_waits_holds_up_no_end(make):
    release = threading.Event()

    def numbers():
        for value in range(4):
            yield {"key": f"n{value}", "value": value}
        release.wait(60)

    loader = make(dataset=numbers(), batch_size=2, nworkers=1)

    def use():
        with contextlib.suppress(leaven.LeavenError):
            list(loader)

    thread = threading.Thread(target=use)
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    loader.close()
    assert time.monotonic() - began < 30  # a bound on hanging, not a figure
    release.set()
    thread.join(20)


def test_a_fork_is_refused(make):
    with make(8, 4, nworkers=1) as loader:
        next(iter(loader))
        pid = os.fork()
        if pid == 0:
            try:
                list(loader)
            except leaven.LeavenError as error:
                os._exit(7 if "fork" in str(error) else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_two_loaders_share_a_pool(make):
    with WorkerPool(2) as workers:
        train = make(**COMMON, nworkers=workers)
        val = make(20, 5, nworkers=workers)
        expected = stream(make(**COMMON), 2), stream(make(20, 5), 2)
        train_found, val_found, pids = [], [], set()
        for _ in range(2):
            for iteration, (sample,) in train:
                train_found.append(content(iteration, sample))
                pids.update(sample["pid"])
            for iteration, (sample,) in val:
                val_found.append(content(iteration, sample))
                pids.update(sample["pid"])
        assert (train_found, val_found) == expected
        assert len(pids) <= 2
        val.close()
        assert len(epoch(train)) == 16
        with make(8, 4, nworkers=workers) as third:
            assert epoch(third) == [[0, 1, 2, 3], [4, 5, 6, 7]]
        train.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("transport", ["zeromq", "threads", "inline"])
def test_two_loaders_of_a_pool_side_by_side(make, transport):
    with WorkerPool(2, transport=transport) as workers:
        loaders = [make(24, 4, nworkers=workers, seed=seed, shuffle=True) for seed in (1, 2)]
        found = [(values(a), values(b)) for (_, a), (_, b) in zip(*loaders, strict=True)]
        for loader in loaders:
            loader.close()
    alone = [epoch(make(24, 4, seed=seed, shuffle=True)) for seed in (1, 2)]
    assert [list(batches) for batches in zip(*found, strict=True)] == alone


def test_a_death_in_a_shared_pool_loses_nothing_of_either(make, parts):
    with WorkerPool(2) as workers:
        train, val = make(**COMMON, nworkers=workers, worker=parts.Echo(ms=1)), make(20, 5, nworkers=workers)
        found = []
        for iteration, (sample,) in train:
            found.append(content(iteration, sample))
            if iteration == 3:
                os.kill(sample["pid"][0], signal.SIGKILL)
        assert found == stream(make(**COMMON), 1)
        assert sum(epoch(val), []) == list(range(20))
        train.close()
        val.close()


def test_workers_tell_what_they_are_on(make, parts):
    loader = make(40, 4, worker=parts.Echo(slow_at=9), nworkers=2)
    assert loader.workers() == []
    with loader:
        batches = iter(loader)
        next(batches)
        deadline = time.monotonic() + 20
        busy = None
        while time.monotonic() < deadline and (busy is None or busy.stage != "prepare"):
            busy = next((one for one in loader.workers() if one.index == 9), None)
        assert (busy.request, busy.index, busy.stage) == (2, 9, "prepare")
        assert Path(f"/proc/{busy.pid}").exists()
        batches.close()


def test_a_pool_that_is_closed_says_so(make):
    workers = WorkerPool(1)
    with workers:
        loader = make(8, 4, nworkers=workers)
        assert len(epoch(loader)) == 2
    with pytest.raises(leaven.LeavenError, match="workers have been closed"):
        epoch(loader)
    loader.close()
    with pytest.raises(leaven.LeavenError, match="the pool of workers has been closed"):
        epoch(make(8, 4, nworkers=workers))
    with workers, make(8, 4, nworkers=workers) as loader:  # unless it is started again
        assert len(epoch(loader)) == 2
