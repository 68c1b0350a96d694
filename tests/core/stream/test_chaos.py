"""Chaos, in short: what the programs of tests/bench/reliability show, with what must hold and not how fast it is."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = ROOT / "tests" / "bench" / "reliability"
PICKLES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}


@pytest.fixture(autouse=True)
def programs(monkeypatch):
    """Let the programs' modules be found, here and in worker processes."""
    monkeypatch.syspath_prepend(str(PROGRAMS))


def held(shown):
    """All promises of correctness were kept; what was found is in the report otherwise."""
    broken = [row for row in shown.rows if row.kept is False]
    assert not broken
    return True


def test_mutations_are_no_messages(programs):
    from mutations import ANSWERS, NO_LANE, mutated

    from leaven.errors import ProtocolError
    from leaven.stream.messages import decode

    refused = 0
    for message in mutated(ANSWERS, 500, random.Random(0)):
        try:
            assert getattr(decode(message), "lane", NO_LANE) >= NO_LANE
        except ProtocolError:
            refused += 1
    assert refused > 400


def test_nothing_can_be_unpickled():
    """No module imports what could; what numpy and torch could load in that way, they are told not to."""
    for path in [*(ROOT / "core").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not PICKLES & {name.partition(".")[0] for name in names}, path
            if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "weights_only"):
                assert ast.literal_eval(node.value) is (node.arg == "weights_only"), path


def test_a_killed_worker_here_and_there(programs):
    import kills

    undisturbed = kills.run(2, 400)
    found = kills.run(2, 400, each=2, ms=2)
    assert (found["kills"], found["lost"], found["duplicated"], found["unnoticed"]) == (4, 0, 0, 0)
    assert found["hash"] == undisturbed["hash"]


@pytest.mark.parametrize("name", ["raises", "local_class", "lambda", "import_fails"])
def test_faults_that_end_soon(programs, name):
    import faults

    row, found = faults.row(name)
    assert row.kept, found


def test_some_workers_and_transports_make_one_stream(programs):
    import hashes

    row, found = hashes.by_anybody(8, ("inline", "threads", "zeromq"), (0, 2))
    assert row.kept, found


def test_world_sizes_cover_the_same_samples(programs):
    import hashes

    row, _ = hashes.on_any_ranks((1, 2), global_batch=256)
    assert row.kept, row.found


@pytest.mark.slow
def test_kills(programs):
    import kills

    found = kills.measure(each=3, samples=1_500, ms=6)
    row = found.rows[0]
    assert row.kept, row.found
    assert found.figures["latency_s"]["max"] < 5


@pytest.mark.slow
def test_killed_parents(programs):
    import parents

    assert held(parents.measure(moments=6))


@pytest.mark.slow
def test_hashes(programs):
    import hashes

    assert held(hashes.measure(batches=20, positions=30, by_processes=2))


@pytest.mark.slow
def test_soak(programs):
    import soak

    assert held(soak.measure(minutes=1 / 3))


@pytest.mark.slow
def test_soak_with_kills(programs):
    import soak

    found = soak.measure(minutes=0.2, kill_every=1.5)
    own = {sample.own_fds for sample in found.figures["samples"][len(found.figures["samples"]) // 5 :]}
    assert max(own) - min(own) <= 2  # what a death has closed goes a moment later


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small_shm", "readonly_tmp", "few_fds", "fewer_fds", "hangs", "exits", "poison"])
def test_faults(programs, name):
    import faults

    row, found = faults.row(name)
    if row.kept is None:
        pytest.skip(row.found)
    assert row.kept, found


@pytest.mark.slow
def test_mutated_messages(programs):
    import wire

    assert held(wire.measure(messages=1_500))


@pytest.mark.slow
def test_cost_is_measured(programs):
    import cost
    import first_batch

    rates = cost.measure(rounds=1, count=40).figures["idle"]["rates"]
    assert set(rates) == {"leaven", "ring", "torch"}
    assert min(rates.values()) > 0
    for found in first_batch.measure(rounds=1).figures.values():
        assert found["from_construction_s"] > 0
        assert found["exit_statuses"] == [0]
