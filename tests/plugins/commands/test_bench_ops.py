from __future__ import annotations

import json

import pytest

from leaven import Registry
from leaven.cli.main import run
from leaven_plugins.commands.bench.ops import FIGURES, RESIZE, Timed, measure_ops
from leaven_plugins.commands.bench.timing import least_times

OWN = """
from leaven import Component, hookimpl

class Slow:
    keys = ("slow",)
    def draw(self, random, info):
        return {"slow": info.height}
    def applies(self, values):
        return bool(values.get("slow"))
    def apply(self, image, values, random):
        if values["slow"] == 40:
            raise RuntimeError("not this size")
        return image[::-1].copy()

@hookimpl
def leaven_ops():
    yield Component("slow", Slow, "an op of somebody else")
"""


class Work:
    """Functions that take as long as they are told, by a clock of their own."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def clock(self):
        return self.now

    def taking(self, name, *seconds):
        durations = iter(seconds)
        last = [seconds[-1]]

        def function():
            self.calls.append(name)
            last[0] = next(durations, last[0])
            self.now += last[0]

        return function


def test_the_least_time_of_all_rounds_counts():
    work = Work()
    # the first two calls warm up and tell how many calls a run takes: one, of 1 s
    functions = {"a": work.taking("a", 9, 1, 5, 3, 4), "b": work.taking("b", 1, 1, 2, 2, 2)}
    assert least_times(functions, 3, work.clock) == {"a": 3.0, "b": 2.0}
    assert work.calls == ["a", "a", "b", "b", *("a", "b") * 3]


def test_short_functions_are_called_often_in_one_run():
    work = Work()
    assert least_times({"a": work.taking("a", 1e-5)}, 2, work.clock)["a"] == pytest.approx(1e-5)
    assert len(work.calls) == 2 + 2 * 200


@pytest.mark.parametrize(
    ("us", "bare", "reference", "goal", "met"),
    [
        (75, 68, 68, 75, True),
        (150, 140, 68, 75, True),  # on a machine of half the speed
        (76, 68, 68, 75, False),
        (60, 30, 68, 75, False),  # a fast machine does not make up for it
        (60, 30, 68, None, None),
        (60, None, None, None, None),
    ],
)
def test_when_a_goal_is_met(us, bare, reference, goal, met):
    assert Timed("a", us, 1.0, bare, reference, goal).met is met


@pytest.fixture
def own(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    return str(tmp_path / "own.py")


def test_everything_is_measured_or_told_why_not(own):
    registry = Registry(plugins=[own], builtin_only=True)
    measured = measure_ops(registry, size=32, rounds=1)
    names = [timed.name for timed in measured.times]
    assert names[0] == RESIZE
    ops = {f"op {offer.name}" for offer in registry.offers("op")}
    assert ops == {name for name in names if name.startswith("op ")} | set(measured.missing)
    assert "op slow" in names
    assert set(FIGURES) <= set(names)
    for timed in measured.times:
        assert timed.us > 0
        assert timed.ratio == pytest.approx(timed.us / measured.times[0].us, rel=0.05, abs=0.01)
        assert timed.reference_us is None  # which are of another size


def test_json(own, capsys):
    assert run(["-p", own, "--builtin-only", "bench", "ops", "--rounds", "1", "--size", "40", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told) == {"size", "resize_us", "ops", "missing", "reference_machine"}
    assert told["size"] == 40
    assert told["missing"]["op slow"] == "RuntimeError: not this size"
    first = told["ops"][0]
    assert set(first) == {"name", "us", "ratio", "bare_us", "reference_us", "goal_us", "met"}
    assert (first["name"], first["us"], first["ratio"]) == (RESIZE, told["resize_us"], 1)


def test_a_table_with_the_reference_figures(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    block = [f"no:op:{offer.name}" for offer in Registry(builtin_only=True).offers("op") if offer.name != "tone"]
    options = [word for name in block for word in ("-p", name)]
    assert run([*options, "--builtin-only", "bench", "ops", "--rounds", "1"]) == 0
    out = capsys.readouterr().out
    (tone,) = (line.split() for line in out.splitlines() if line.startswith(" op tone"))
    assert tone[-3:-1] == ["68.0", "75.0"]
    assert tone[-1] in ("yes", "no")
    assert "reference machine: 2 vCPU AMD EPYC" in out
    assert "op blur" not in out
