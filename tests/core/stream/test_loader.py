from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from reading import epoch, stream, values

import leaven
from leaven.errors import ParameterError, PoisonError, RecipeError, SampleError, SampleErrors, WorkerError

PARTS = Path(__file__).parents[2] / "data" / "loader_parts"


@pytest.mark.parametrize("size", [1, 3, 4, 5, 8])
@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_an_epoch_has_every_sample_once_and_a_short_last_batch(make, size, batch_size):
    with make(size, batch_size) as loader:
        assert len(loader) == -(-size // batch_size)
        for _ in range(2):
            batches = epoch(loader)
            assert sum(batches, []) == list(range(size))
            assert [len(batch) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)


def test_shuffled_epochs_differ_and_are_complete(make):
    with make(50, 8, shuffle=True) as loader:
        first, second = sum(epoch(loader), []), sum(epoch(loader), [])
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def without_address(value):
    """Return a name that is the same in each process that collects the tests."""
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))


@pytest.mark.parametrize(
    "options",
    [
        {"nworkers": 1},
        {"nworkers": 3},
        {"nworkers": 2, "shared_memory": False},
        {"nworkers": 2, "shared_memory": 1},
        {"nworkers": 2, "transport": "inline"},
        {"nworkers": 3, "transport": "threads"},
        {"nworkers": 1, "transport": "threads", "shared_memory": False},
        {"nworkers": 2, "transport": {"use": "zeromq", "queue": 1}},
    ],
    ids=without_address,
)
def test_the_stream_does_not_depend_on_how_it_is_made(make, options):
    common = {"size": 23, "batch_size": 4, "num_mini_batches": 2, "shuffle": True, "seed": 5}
    assert stream(make(**common, **options)) == stream(make(**common))


def test_seed_and_epoch_change_the_rows_randomness(make):
    def noise(seed):
        return [tuple(row) for _, _, rows, _ in stream(make(seed=seed)) for row in rows]

    assert len({*noise(1), *noise(2)}) == 40
    assert noise(1) == noise(1)


def test_mini_batches_have_exactly_their_rows(make):
    with make(10, 4, num_mini_batches=2) as loader:
        rows = [[len(sample["value"]) for sample in mini_batches] for _, mini_batches in loader]
    assert rows == [[2, 2], [2, 2], [2]]


def test_unfilled_places_hold_the_fill_value(make):
    with make(3, 2) as loader:
        assert all((sample["value"][:, 1] == -1).all() for _, samples in loader for sample in samples)


@pytest.mark.parametrize("nworkers", [0, 2])
def test_start_iteration_goes_on_within_its_epoch(make, nworkers):
    common = {"size": 10, "batch_size": 4, "shuffle": True}
    whole = stream(make(**common), epochs=3)
    assert stream(make(**common, start_iteration=4, nworkers=nworkers), epochs=2) == whole[4:]


def test_length_unlike_the_data_flows_through_it(make):
    with make(5, 2, length=4) as loader:
        assert [sum(epoch(loader), []) for _ in range(3)] == [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4, 0, 1]]
        loader.set_epoch_iterations(1)
        assert sum(epoch(loader), []) == [2, 3]
        loader.set_length(5)
        assert sum(epoch(loader), []) == [4, 0, 1, 2, 3]


def test_a_repeated_sample_gets_randomness_of_its_own(make):
    rows = [row for _, _, rows, _ in stream(make(2, 2, length=6), epochs=1) for row in rows]
    assert len({tuple(row) for row in rows}) == 6


def test_breaking_off_goes_on_with_the_next_epoch(make):
    with make(10, 4) as loader:
        for iteration, _ in loader:
            assert iteration == 0
            break
        assert [iteration for iteration, _ in loader] == [1, 2, 3]
        assert sum(epoch(loader), []) == list(range(10))


@pytest.mark.parametrize("nworkers", [0, 2])
def test_iterables_keep_their_order(make, nworkers):
    samples = [{"key": f"k{n}", "value": n} for n in range(7)]

    class Again:
        def __iter__(self):
            return iter(samples)

    with make(dataset=Again(), nworkers=nworkers) as loader:
        assert epoch(loader) == [[0, 1, 2, 3], [4, 5, 6]]
        for _ in loader:
            break
        assert epoch(loader) == [[0, 1, 2, 3], [4, 5, 6]]
        with pytest.raises(TypeError, match="no length"):
            len(loader)


@pytest.mark.parametrize("nworkers", [0, 2])
def test_an_iterator_that_cannot_start_again_loses_nothing_when_broken_off(make, nworkers):
    numbers = ({"value": n} for n in range(50))
    with make(dataset=numbers, nworkers=nworkers, batch_size=3) as loader:
        seen = []
        for _, mini_batches in loader:
            seen += values(mini_batches)
            if len(seen) >= 9:
                break
        seen += sum(epoch(loader), [])
        assert seen == list(range(50))
        assert epoch(loader) == []


def test_an_endless_iterable_with_a_length_has_epochs(make):
    def count():
        n = 0
        while True:
            yield {"value": n}
            n += 1

    with make(dataset=count(), length=5, batch_size=2) as loader:
        assert epoch(loader) == [[0, 1], [2, 3], [4]]
        assert epoch(loader) == [[5, 6], [7, 8], [9]]


def test_a_list_of_packed_samples_can_be_shuffled(make):
    from leaven.stream.wire import pack_sample

    packed = [pack_sample({"value": n}) for n in range(20)]
    with make(dataset=packed, shuffle=True, nworkers=1) as loader:
        batch = sum(epoch(loader), [])
    assert sorted(batch) == list(range(20))
    assert batch != sorted(batch)


@pytest.mark.parametrize("nworkers", [0, 1])
@pytest.mark.parametrize("shared_memory", [True, 1, 3, False])
def test_batches_that_are_kept_stay_as_they_were(make, nworkers, shared_memory):
    with make(60, 2, nworkers=nworkers, shared_memory=shared_memory) as loader:
        kept = [sample for _, mini_batches in loader for sample in mini_batches]
        again = [sample for _, mini_batches in loader for sample in mini_batches]
    assert values(kept) == values(again) == list(range(60))


def test_a_worker_may_return_any_number_of_batches_or_none(make, parts):
    with make(6, 2, worker=parts.Counts(), length=6) as loader:
        found = [[(sample["part"], sample["values"].tolist()) for sample in samples] for _, samples in loader]
    assert found == [[], [(0, [2, 3]), (1, [2, 3])], [(part, [4, 5]) for part in range(4)]]
    with make(4, 2, worker=parts.Counts(none=True)) as loader:
        assert [samples for _, samples in loader] == [[], []]


@pytest.mark.parametrize("transport", ["inline", "threads", "zeromq"])
def test_batches_of_before_survive_a_new_start(make, transport):
    loader = make(64, 4, nworkers=2, transport=transport)
    old = [samples[0] for _, samples in zip(range(4), (mini_batches for _, mini_batches in loader), strict=False)]
    loader.close()
    iterator = iter(loader)
    kept = [next(iterator)[1]]
    assert values(old) == list(range(16))
    del old
    kept += [mini_batches for _, mini_batches in iterator]
    assert sum((values(mini_batches) for mini_batches in kept), []) == list(range(64))
    loader.close()


@pytest.mark.parametrize("transport", ["threads", "zeromq"])
def test_a_slow_iterable_that_is_broken_off_starts_anew(make, transport):
    class Slow:
        def __iter__(self):
            for n in range(40):
                time.sleep(0.002)
                yield {"value": n}

    with make(dataset=Slow(), nworkers=2, transport=transport) as loader:
        for _ in range(10):
            for _, mini_batches in loader:
                assert values(mini_batches) == [0, 1, 2, 3]
                break


def test_a_resumed_iterable_is_in_the_epoch_that_it_would_be_in(make):
    class Sized:
        def __len__(self):
            return 10

        def __iter__(self):
            return iter([{"value": n} for n in range(10)])

    whole = stream(make(dataset=Sized(), batch_size=5), epochs=3)
    assert stream(make(dataset=Sized(), batch_size=5, start_iteration=3), epochs=2) == whole[3:]


def test_set_length_of_an_iterable(make):
    class Sized:
        def __len__(self):
            return 10

        def __iter__(self):
            return iter([{"value": n} for n in range(10)])

    with make(dataset=Sized(), batch_size=5) as loader:
        loader.set_length(5)
        assert [sum(epoch(loader), []) for _ in range(3)] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [0, 1, 2, 3, 4]]
        loader.set_length(20)
        assert len(epoch(loader)) == len(loader) == 4


def test_an_iteration_ends_when_another_one_begins(make):
    with make(12, 4) as loader:
        first = iter(loader)
        assert values(next(first)[1]) == [0, 1, 2, 3]
        assert sum(epoch(loader), []) == list(range(12))
        with pytest.raises(leaven.LeavenError, match="another one over the same loader has begun"):
            next(first)
        del first
        assert [iteration for iteration, _ in loader] == [4, 5, 6]


def test_closing_while_it_is_iterated_is_an_error(make, parts):
    with make(40, 4, nworkers=2) as loader:
        with pytest.raises(leaven.LeavenError, match="closed"):
            for _ in loader:
                loader.close()


def test_closing_in_another_thread_ends_the_wait(make, parts):
    loader = make(40, 4, worker=parts.Echo(slow_at=1), nworkers=1)
    found = []

    def iterate():
        try:
            epoch(loader)
        except leaven.LeavenError as error:
            found.append(str(error))

    thread = threading.Thread(target=iterate)
    with loader:
        thread.start()
        time.sleep(0.3)
    thread.join(20)
    assert found == ["the workers have been closed"]


def test_interrupts_in_an_inline_worker_lose_nothing(make, parts):
    class Interrupted(parts.Echo):
        left = 6

        def prepare(self, sample, row, buffers):
            if sample["value"] == 5 and self.left:
                type(self).left -= 1
                raise KeyboardInterrupt
            super().prepare(sample, row, buffers)

    with make(12, 4, worker=Interrupted()) as loader:
        for _ in range(6):
            with pytest.raises(KeyboardInterrupt):
                epoch(loader)
        assert sum(epoch(loader), []) == list(range(12))


@pytest.mark.parametrize("transport", ["inline", "threads", "zeromq"])
def test_sys_exit_in_an_iterable_reaches_the_consumer(make, transport):
    def numbers():
        yield {"value": 0}
        raise SystemExit(3)

    with make(dataset=numbers(), batch_size=1, nworkers=1, transport=transport) as loader:
        with pytest.raises(SystemExit):
            epoch(loader)


@pytest.mark.parametrize("transport", ["inline", "threads", "zeromq"])
def test_an_error_that_no_text_can_hold(make, parts, transport):
    with make(8, 4, worker=parts.Unruly("surrogate"), nworkers=1, transport=transport) as loader:
        with pytest.raises(SampleErrors, match=r"ValueError: bad .*udcff name"):
            epoch(loader)


@pytest.mark.parametrize("nworkers", [0, 1])
def test_none_in_a_batch(make, parts, nworkers):
    with make(4, 2, worker=parts.Nothing(), nworkers=nworkers) as loader:
        assert [samples for _, samples in loader] == [
            [{"indices": [0, 1], "nothing": None}],
            [{"indices": [2, 3], "nothing": None}],
        ]


def test_many_open_files(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 2000:
        pytest.skip("this machine allows no more than 2,000 open files")
    source = RUNS.replace("size=10**6", "size=8").format(parts=str(PARTS)) + textwrap.indent("print('done')", "    ")
    opened = """
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
        files = [open("/dev/null") for _ in range(1100)]
    """
    process = run_script(tmp_path, textwrap.dedent(opened) + "\n" + textwrap.dedent(source))
    out, err = process.communicate(timeout=60)
    assert "done" in out, err


def test_a_dropped_loader_that_was_broken_off_ends_its_workers(make):
    def use():
        loader = make(4000, 4, nworkers=1)
        ((_, (sample,)), *_) = [next(iter(loader))]
        return sample["pid"][0]

    pid = use()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        gc.collect()
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("nworkers", [0, 2])
def test_collators_change_batches_by_their_place_in_the_stream(make, parts, nworkers):
    def mixed(**options):
        collators = [leaven.create(parts.Mix) for _ in range(2)]
        with make(20, 4, collators=collators, nworkers=nworkers, **options) as loader:
            return [
                (sample["value"].tolist(), sample["partner"].tolist(), sample["share"].dtype)
                for _ in range(2)
                for _, mini_batches in loader
                for sample in mini_batches
            ]

    batches = mixed()
    for rows, partner, dtype in batches:
        assert [row[1] for row in rows] == [rows[other][0] for other in partner]
        assert dtype == "float32"
    assert len({tuple(partner) for _, partner, _ in batches}) > 4
    assert mixed(start_iteration=3)[:2] == batches[3:5]


@pytest.mark.parametrize("nworkers", [0, 2])
def test_a_failing_sample_is_named_after_the_batches_before_it(make, parts, nworkers):
    with make(20, 4, worker=parts.Echo(fail_at=9), nworkers=nworkers) as loader:
        seen = []
        with pytest.raises(SampleError, match=r"sample 9 \(n9\): prepare failed: ValueError: cannot stand 9") as caught:
            for _, mini_batches in loader:
                seen += values(mini_batches)
        assert seen == list(range(8))
        assert (caught.value.index, caught.value.key, caught.value.stage) == (9, "n9", "prepare")
        assert "in prepare" in caught.value.remote_traceback
        with pytest.raises(SampleError):  # the loader can go on: here, to the same sample
            epoch(loader)


@pytest.mark.parametrize("nworkers", [0, 1])
def test_a_failing_dataset_is_named(make, parts, nworkers):
    dataset = leaven.create(parts.Numbers, size=6, bad=5)
    with (
        make(dataset=dataset, nworkers=nworkers) as loader,
        pytest.raises(SampleError, match=r"sample 5 \(n5\): read failed: OSError: the disk is on fire"),
    ):
        epoch(loader)


@pytest.mark.parametrize("nworkers", [0, 1])
def test_a_failing_iterable_raises_its_own_error(make, nworkers):
    def numbers():
        yield {"value": 0}
        yield {"value": 1}
        raise KeyError("no more")

    with make(dataset=numbers(), batch_size=2, nworkers=nworkers) as loader, pytest.raises(KeyError, match="no more"):
        epoch(loader)


@pytest.mark.parametrize("nworkers", [0, 1])
@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ("setup", Exception, "no key in the lock"),
        ("lists", ParameterError, "'odd' has 0 entries of sample 0: append once for each row"),
        ("object", Exception, "thing"),
        ("stop", SampleErrors, "StopIteration"),
    ],
)
def test_unruly_workers_are_errors(make, parts, nworkers, how, error, words):
    with pytest.raises(error if nworkers == 0 and how == "stop" else Exception, match=words):
        with make(8, 4, worker=parts.Unruly(how), nworkers=nworkers) as loader:
            epoch(loader)


def test_a_killed_worker_ends_the_run_at_once(make, parts):
    with make(40, 4, worker=parts.Echo(kill_at=17), nworkers=2, max_restarts=0) as loader:
        began = time.monotonic()
        with pytest.raises(WorkerError, match=r"worker \d \(pid \d+\) was killed by signal 9 \(SIGKILL\) .*sample 17"):
            epoch(loader)
        assert time.monotonic() - began < 5  # a bound on hanging, not a figure


@pytest.mark.parametrize("shared_memory", [True, False])
def test_dead_workers_are_replaced_and_nothing_is_lost(make, parts, shared_memory, caplog):
    common = {"size": 600, "batch_size": 4, "shuffle": True, "shared_memory": shared_memory}
    undisturbed = stream(make(**common), epochs=1)
    found = []
    with make(**common, worker=parts.Echo(ms=0.5), nworkers=2, max_restarts=9) as loader:
        for iteration, (sample,) in loader:
            found.append((iteration, sample["value"].tolist(), sample["noise"].tolist(), sample["key"]))
            if iteration % 15 == 7 and iteration < 140:
                with contextlib.suppress(ProcessLookupError):  # whoever made it may be dead already
                    os.kill(sample["pid"][0], signal.SIGKILL)
    assert found == undisturbed
    assert 3 <= caplog.text.count("it is replaced") <= 9


def test_a_sample_that_kills_workers_is_an_error_at_its_place(make, parts):
    with make(40, 4, worker=parts.Echo(kill_at=17), nworkers=2) as loader:
        seen = []
        with pytest.raises(PoisonError, match=r"sample 17 \(n17\).*SIGKILL.*killed 3 workers") as caught:
            for _, mini_batches in loader:
                seen += values(mini_batches)
    assert seen == list(range(16))
    assert (caught.value.kills, caught.value.index) == (3, 17)


def test_too_many_deaths_in_a_row_end_the_run(make, parts):
    with make(40, 4, worker=parts.Echo(kill_at=17), nworkers=2, max_restarts=2, poison_after=9) as loader:
        with pytest.raises(WorkerError, match=r"SIGKILL.*while it worked on sample 17 of request 4"):
            epoch(loader)


def test_a_worker_that_exits_is_named_with_its_status_and_last_words(make, parts):
    with make(8, 4, worker=parts.Echo(exit_at=2), nworkers=1, max_restarts=0) as loader:
        with pytest.raises(WorkerError, match="ended with exit status 3 while it worked on sample 2"):
            epoch(loader)
    with make(8, 4, worker=parts.Unruly("exit"), nworkers=1) as loader:
        with pytest.raises(WorkerError, match=r"exit status 0(.|\n)*I am leaving"):
            epoch(loader)


def test_after_a_death_the_loader_starts_again(make, parts):
    loader = make(8, 4, nworkers=1, max_restarts=0)
    with loader:
        ((_, samples), *_rest) = list(loader)
        os.kill(samples[0]["pid"][0], signal.SIGKILL)
        with pytest.raises(WorkerError):
            epoch(loader)
    with loader:
        assert sum(epoch(loader), []) == list(range(8))


def test_what_a_worker_prints_stays_out_of_standard_output(make, parts, capfd):
    with make(2, 2, worker=parts.Unruly("print"), nworkers=1) as loader:
        assert epoch(loader) == [[0, 1]]
    captured = capfd.readouterr()
    assert "hello from the worker" not in captured.out
    assert "hello from the worker" in captured.err


def test_closing_does_not_wait_for_a_worker_that_hangs(make, parts):
    loader = make(8, 4, worker=parts.Echo(slow_at=5), nworkers=2)
    began = time.monotonic()
    with loader:
        next(iter(loader))
    assert time.monotonic() - began < 20


def test_a_loader_that_is_dropped_closes_itself(make):
    loader = make(8, 4, nworkers=1)
    iterator = iter(loader)
    ((_, samples), *_) = [next(iterator)]
    pid = samples[0]["pid"][0]
    del iterator, loader
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not Path(f"/proc/{pid}").exists()


def test_two_loaders_side_by_side(make):
    with make(9, 2, nworkers=1) as one, make(9, 3, nworkers=1) as two:
        pairs = [(values(a), values(b)) for (_, a), (_, b) in zip(one, two, strict=False)]
    assert pairs == [([0, 1], [0, 1, 2]), ([2, 3], [3, 4, 5]), ([4, 5], [6, 7, 8])]


def test_iterating_in_another_thread(make):
    found = []
    with make(9, 2, nworkers=1) as loader:
        thread = threading.Thread(target=lambda: found.extend(epoch(loader)))
        thread.start()
        thread.join(30)
    assert sum(found, []) == list(range(9))


def test_wait_seconds_counts_the_consumers_waiting(make, parts):
    with make(4, 2, worker=parts.Echo(ms=10)) as loader:
        epoch(loader)
        assert 0.04 <= loader.wait_seconds < 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"batch_size": 0}, "batch_size=0"),
        ({"batch_size": 5, "num_mini_batches": 2}, "not divisible"),
        ({"nworkers": -1}, "nworkers=-1"),
        ({"length": 0}, "length=0"),
        ({"dataset": []}, "empty"),
        ({"dataset": set()}, "empty"),
        ({"dataset": 7}, "neither a dataset"),
        ({"dataset": iter([]), "shuffle": True}, "shuffle"),
        ({"transport": "zeromqq"}, "did you mean 'zeromq'"),
        ({"feed": "nunpy"}, "did you mean 'numpy'"),
        ({"worker": 3}, "worker"),
    ],
    ids=without_address,
)
def test_wrong_arguments_are_named_before_the_first_sample(make, options, words):
    with pytest.raises(leaven.LeavenError, match=words):
        make(**options)


def test_a_local_class_says_what_can_be_done(make):
    class Local(leaven.BufferWorker):
        def __init__(self):
            self.add_buffer("value", ((1,), "int64"))

        def prepare(self, sample, row, buffers):
            buffers["value"][0] = sample["value"]

    with pytest.raises(RecipeError, match="inline"):
        make(worker=Local(), nworkers=1)
    with make(3, 3, worker=Local(), nworkers=1, transport="inline") as loader:
        assert epoch(loader) == [[0, 1, 2]]


SCRIPT = """
    import sys
    import leaven

    class Mine(leaven.BufferWorker):
        def __init__(self, factor):
            self.factor = factor
            self.add_buffer("value", ((1,), "int64"))

        def prepare(self, sample, row, buffers):
            buffers["value"][0] = sample["value"] * self.factor

    print("main runs as", __name__)
    if __name__ == "__main__":
        samples = [{"value": n} for n in range(6)]
        with leaven.TurboDataLoader(samples, 3, Mine(factor=7), nworkers=2) as loader:
            for iteration, mini_batches in loader:
                for sample in mini_batches:
                    print(iteration, sample["value"].ravel().tolist())
"""


def run_script(tmp_path, source, **options):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(source))
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_worker_of_the_users_own_script(tmp_path):
    process = run_script(tmp_path, SCRIPT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out == "main runs as __main__\n0 [0, 7, 14]\n1 [21, 28, 35]\n"


def test_a_script_without_a_guard_says_so(tmp_path):
    process = run_script(tmp_path, SCRIPT.replace('__name__ == "__main__"', "True"))
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "if __name__ == '__main__':" in err


RUNS = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job does not have
    sys.path.insert(0, {parts!r})
    import leaven
    from loader_parts import Echo, Numbers

    if __name__ == "__main__":
        with leaven.TurboDataLoader(leaven.create(Numbers, size=10**6), 4, Echo(ms=1), nworkers=2) as loader:
            for iteration, mini_batches in loader:
                pids = {{pid for sample in mini_batches for pid in sample["pid"]}}
                print("pids", *pids, flush=True)
"""


def _gone(pids, seconds):
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_parent_ends_its_workers(tmp_path, number):
    run = tmp_path / "run"
    run.mkdir()
    environment = dict(os.environ, XDG_RUNTIME_DIR=str(run))
    process = run_script(tmp_path, RUNS.format(parts=str(PARTS)), env=environment, start_new_session=True)
    pids = set()
    while len(pids) < 2:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        pids |= {int(pid) for pid in line.split()[1:]}
    (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)  # a terminal's Ctrl-C reaches the group
    process.stdout.close()
    process.wait(20)
    err = process.stderr.read()
    process.stderr.close()
    assert _gone(pids, 10)
    assert list(run.iterdir()) == []
    assert process.returncode != 0
    assert err.count("Traceback") == (number == signal.SIGINT), err


def test_the_workers_traceback_is_the_cause(make, parts):
    with make(8, 4, worker=parts.Echo(fail_at=1), nworkers=1) as loader, pytest.raises(SampleError) as caught:
        epoch(loader)
    assert isinstance(caught.value.__cause__, leaven.LeavenError)
    assert "ValueError: cannot stand 1" in str(caught.value.__cause__)
