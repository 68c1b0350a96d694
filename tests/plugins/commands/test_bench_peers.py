from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.cli.main import run as leaven
from leaven.errors import LeavenError, UnknownName
from leaven_plugins.commands.bench.peers import contest, environments, running
from leaven_plugins.commands.bench.peers.environments import NoEnvironment, install, python_for
from leaven_plugins.commands.bench.peers.passes import compared
from leaven_plugins.commands.bench.peers.photographs import Photograph
from leaven_plugins.commands.bench.peers.roster import BASELINE, LIMIT, PEERS, Peer, chosen
from leaven_plugins.commands.bench.peers.runners.consuming import measured
from leaven_plugins.commands.bench.peers.runners.request import Request
from leaven_plugins.commands.bench.peers.running import Outcome, PeerFailed, Started, run_peer

pytest.importorskip("torch")

SHIPPED = [Photograph("chelsea", "leaven")]


# ---- the roster


def test_names_and_families():
    assert chosen([]) == chosen([""]) == list(PEERS)
    assert [peer.name for peer in chosen(["leaven"])] == [BASELINE.name, "leaven threads", "leaven zeromq"]
    assert [peer.name for peer in chosen([" grain", "leaven-indexed zeromq"])] == [
        BASELINE.name,
        "leaven-indexed zeromq",
        "grain",
    ]
    with pytest.raises(UnknownName, match="did you mean 'grain'"):
        chosen(["grian"])


def test_every_peer_has_a_runner_that_needs_no_leaven_unless_it_is_ours():
    folder = Path(contest.__file__).parent / "runners"
    for peer in (LIMIT, *PEERS):
        text = (folder / f"{peer.runner}.py").read_text()
        assert bool(re.search(r"^(from|import) leaven\b", text, re.M)) == peer.name.startswith("leaven")
        assert "leaven_plugins" not in text


# ---- environments


def test_what_is_missing_is_told(tmp_path):
    peer = Peer("absent", "absent", ("no_such_module", "json"), ("no-such-module",))
    with pytest.raises(NoEnvironment, match=r"^no_such_module cannot be imported; --install makes"):
        python_for(peer, tmp_path)
    with pytest.raises(NoEnvironment, match=r"no\.such\.module cannot be imported; pip install"):
        python_for(replace(peer, modules=("no.such.module",), requirements=()), tmp_path)
    assert python_for(replace(peer, modules=("json",)), tmp_path) == Path(sys.executable)


def test_an_environment_that_cannot_be_made_is_removed(tmp_path, monkeypatch):
    def create(folder, with_pip):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").write_text("#!/bin/sh\necho 'no matching distribution' >&2\nexit 1\n")
        (folder / "bin" / "python").chmod(0o755)

    monkeypatch.setattr(environments.venv, "create", create)
    peer = Peer("some peer", "absent", ("no_such_module",), ("no-such-module",))
    with pytest.raises(NoEnvironment, match="cannot be installed: no matching distribution"):
        install(peer, tmp_path)
    assert not (tmp_path / "some-peer").exists()
    assert (tmp_path / "constraints.txt").read_text() == "torch==2.13.0\n"


# ---- passes


def outcome(rate, **others):
    return Outcome(rate, 640, 10, 0.5, others.pop("memory", 100.0), **others)


def test_ratios_are_those_of_the_same_pass():
    rates = {BASELINE.name: [100.0, 10.0, 1000.0], LIMIT.name: [80.0, 8.0, 800.0], "a": [200.0, 30.0, 1500.0]}
    first, second = (Peer(name, name, ()) for name in ("a", "b"))
    asked = []

    def run(peer, number):
        asked.append((number, peer.name))
        return outcome(rates.get(peer.name, rates["a"])[number], memory=100.0 + number)

    found = compared("rrc", [first, BASELINE, second], 3, 2, run, lambda outcome: None)
    (score,) = (score for score in found.scores if score.name == "a")
    assert [each.ratio for each in score.passes] == [2.0, 3.0, 1.5]
    assert score.ratio == 2.0  # whereas the medians' ratio is another: 200 / 100, and the means' 1.56
    assert [each.efficiency for each in score.passes] == [200 / 160, 30 / 16, 1500 / 1600]
    assert score.efficiency == 1.25
    assert score.rates == [30.0, 200.0, 1500.0]
    assert score.peak_pss_mb == 102.0
    assert found.limit == 80.0
    assert [score.name for score in found.scores][-1] == BASELINE.name
    assert found.scores[-1].ratio == 1.0
    order = [name for _, name in asked]
    assert order[:4] == [LIMIT.name, BASELINE.name, "a", "b"]
    assert order[4:8] == [LIMIT.name, BASELINE.name, "b", "a"]


def test_a_peer_that_fails_stops_no_other():
    peers = [BASELINE, *(Peer(name, name, ()) for name in ("early", "late", "fine"))]
    asked = []

    def run(peer, number):
        asked.append((peer.name, number))
        if (peer.name, number) in (("early", 0), ("late", 1)):
            raise PeerFailed(f"{peer.name}: no such thing")
        return outcome(100.0)

    found = compared("rrc", peers, 2, 2, run, lambda outcome: 40.0)
    assert sorted(score.name for score in found.scores) == ["fine", BASELINE.name]
    assert found.absent == {"early": "early: no such thing", "late": "late: no such thing"}
    assert ("early", 1) not in asked
    assert found.to_plain()["absent"] == found.absent


def test_without_a_baseline_there_is_nothing_to_compare_with():
    def run(peer, number):
        raise PeerFailed("out of memory")

    with pytest.raises(LeavenError, match="failed, and all others are compared to it: out of memory"):
        compared("rrc", [BASELINE], 1, 2, run, lambda outcome: None)


@given(st.lists(st.tuples(*[st.floats(1, 1e5)] * 3), min_size=1, max_size=5))
def test_a_slower_machine_changes_no_ratio(rates):
    """All three rates of a pass times any factor: the ratios stay."""
    peer = Peer("a", "a", ())

    def scores(factor):
        def run(who, number):
            return outcome(rates[number][[LIMIT, BASELINE, peer].index(who)] * factor ** (number + 1))

        (found,) = (
            s for s in compared("rrc", [BASELINE, peer], len(rates), 2, run, lambda o: None).scores if s.name == "a"
        )
        return found

    assert scores(0.25).ratio == pytest.approx(scores(1).ratio)
    assert scores(0.25).efficiency == pytest.approx(scores(1).efficiency)


# ---- the consumer


def test_what_is_measured(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("leaven_plugins.commands.bench.peers.runners.consuming.time.perf_counter", lambda: now[0])
    taken = []

    def stream():
        for number in range(1000):
            now[0] += 3.0 if number == 0 else 0.5
            taken.append(number)
            yield np.ones((4, 3, 8, 8), np.uint8), np.arange(4)

    request = Request("rrc", "", 4, 2, 4, seconds=5.0, least_batches=6)
    found = measured(stream(), request)
    assert found == {"images_per_second": 8.0, "images": 40, "batches": 10, "first_batch_seconds": 3.0}
    assert len(taken) == 6 + 10


def test_slow_batches_are_counted_for_longer(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("leaven_plugins.commands.bench.peers.runners.consuming.time.perf_counter", lambda: now[0])

    def bursts():
        while True:  # of three workers, which end together
            now[0] += 30.0
            for _ in range(3):
                yield np.ones((4, 3, 8, 8), np.uint8), np.arange(4)

    request = Request("large", "", 4, 3, 4, seconds=1.0, least_batches=3)
    found = measured(bursts(), request)
    assert found["batches"] == 9
    assert found["images_per_second"] == pytest.approx(9 * 4 / 90)


@pytest.mark.parametrize("images", [np.zeros((4, 8, 8, 3), np.uint8), np.zeros((3, 8, 8), np.uint8)])
def test_a_batch_of_another_layout_is_refused(images):
    request = Request("rrc", "", 4, 2, 4, seconds=1.0, least_batches=2)
    with pytest.raises(ValueError, match="rows, 3, height, width"):
        measured(iter([(images, np.arange(4))]), request)


# ---- a process

RUNNER = """
import os, sys, time
import numpy as np
def batches(request):
    print("noise on standard output")
    how = request.options["how"]
    if how == "raise":
        raise RuntimeError("no such codec")
    if how == "exit":
        os._exit(7)
    if how == "hang":
        time.sleep(60)
    if os.fork() == 0:
        time.sleep(60)  # a process that nobody ends
        os._exit(0)
    block = bytearray(50_000_000)
    while True:
        time.sleep(0.01)
        yield np.ones((2, 3, 4, 4), np.uint8), np.arange(2)
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A package ``peers`` whose only runner is ``fake``, which does as it is told."""
    folder = Path(running.__file__).parent
    package = tmp_path / "package" / "peers"
    (package / "runners").mkdir(parents=True)
    for name in ("__init__.py", "works.py", "runners/__init__.py", "runners/consuming.py", "runners/request.py"):
        (package / name).write_text((folder / name).read_text())
    (package / "runners" / "fake.py").write_text(RUNNER)
    monkeypatch.setattr(running, "_FOLDER", package.parent)
    request = Request("rrc", str(tmp_path), 2, 1, 2, seconds=0.2, least_batches=2)

    def run(how, **options):
        return run_peer(Started(Path(sys.executable), "fake"), replace(request, options={"how": how}), **options)

    return run


def test_a_run_is_watched_and_leaves_nothing(fake):
    found = fake("work")
    assert found.images == 2 * found.batches > 0
    assert found.images_per_second == pytest.approx(200, rel=0.5)
    assert found.first_batch_seconds >= 0.01
    if found.peak_pss_mb is not None:
        assert 50 < found.peak_pss_mb < 1000


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise", "^RuntimeError: no such codec$"),
        ("exit", "noise on standard output|exit code 7"),
        ("hang", "no result"),
    ],
)
def test_a_peer_that_gives_no_result(fake, how, reason):
    with pytest.raises(PeerFailed, match=reason):
        fake(how, patience=2.0 if how == "hang" else 60.0)


# ---- everything together


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The smallest contest: the baseline and leaven's loader, over images of the photograph that is shipped."""
    folder = tmp_path_factory.mktemp("contest")
    broken = Peer("broken", "no_such_runner", ("json",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contest, "photographs", lambda: SHIPPED)
        patch.setattr(contest, "chosen", lambda names: [*chosen(names), broken])
        code = leaven(
            [
                *("-q", "bench", "peers", "--work", "val", "--work", "rrc", "--peers", "leaven,leaven-indexed"),
                *("--passes", "1", "--seconds", "0.3", "--workers", "1", "--batch-size", "4", "--images", "8"),
                *("--corpus", str(folder / "corpus"), "--venvs", str(folder / "venvs")),
                *("--chart", str(folder / "new" / "chart.png"), "--out", str(folder / "report.json")),
            ]
        )
    assert code == 0
    return folder


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_the_json_report(report):
    found = json.loads((report / "report.json").read_text())
    assert set(found) == {"machine", "settings", "parameters", "corpora", "works"}
    assert found["settings"] == {"passes": 1, "seconds": 0.3, "workers": 1, "batch_size": 4, "images": 8}
    assert set(found["corpora"]) == {"small"}
    assert found["corpora"]["small"]["packages"] == {"leaven": 1}
    assert [work["work"] for work in found["works"]] == ["rrc", "val"]
    for work in found["works"]:
        scores = {score["peer"]: score for score in work["peers"]}
        assert {BASELINE.name, "leaven threads", "leaven zeromq"} <= set(scores)
        assert "no_such_runner" in work["absent"]["broken"]
        for score in scores.values():
            (only,) = score["passes"]
            assert only["images_per_second"] == score["images_per_second"] == score["least"] == score["most"] > 0
            assert only["images"] == 4 * only["batches"]
            base = scores[BASELINE.name]["images_per_second"]
            assert score["ratio"] == only["ratio"] == pytest.approx(score["images_per_second"] / base)
            limit = work["limit_images_per_second"]
            assert score["efficiency"] == pytest.approx(score["images_per_second"] / limit)
            assert score["first_batch_seconds"] > 0
            assert score["peak_pss_mb"] is None or score["peak_pss_mb"] > 30
            assert (score["psnr_db"] is not None) == (work["work"] == "val")
        assert scores[BASELINE.name]["versions"]["torch"]
    val = {score["peer"]: score["psnr_db"] for score in found["works"][1]["peers"]}
    assert val[BASELINE.name] == 100
    assert val["leaven threads"] == val["leaven zeromq"] > 25


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_the_chart(report):
    chart = cv2.imread(str(report / "new" / "chart.png"))
    assert chart is not None
    blue = (chart == (184, 110, 38)).all(2)
    grey = (chart == (186, 176, 168)).all(2)
    found = json.loads((report / "report.json").read_text())
    ratios = [score["ratio"] for work in found["works"] for score in work["peers"]]
    lengths = [int(row.sum()) for row in (blue | grey) if row.sum() > 3]
    assert max(lengths) == pytest.approx(421, abs=1)
    assert min(lengths) == pytest.approx(420 * min(ratios) / max(ratios), abs=2)
    bars = np.diff(np.concatenate([[0], (blue | grey).sum(1) > 3, [0]]).astype(int))
    assert (bars == 1).sum() == len(ratios)


@pytest.mark.timeout(240)
@pytest.mark.slow
def test_the_corpus_is_made_once(report, monkeypatch, capsys):
    def not_again():
        raise AssertionError("the corpus is there already")

    monkeypatch.setattr(contest, "photographs", not_again)
    arguments = ["--peers", BASELINE.name, "--passes", "1", "--seconds", "0.1", "--workers", "1", "--batch-size", "4"]
    folders = ["--corpus", str(report / "corpus"), "--venvs", str(report / "venvs"), "--images", "8"]
    assert leaven(["bench", "peers", *arguments, *folders]) == 0
    out, err = capsys.readouterr()
    assert "rrc, pass 1 of 1: torch+opencv" in err
    assert re.search(r"torch\+opencv +[\d,]+ \[[\d,]+-[\d,]+\] +1\.00 +\d+\.\d\d +\d+\.\d\d s", out)


def test_mistakes_are_told_before_anything_is_measured(tmp_path, capsys):
    assert leaven(["bench", "peers", "--work", "rcc"]) == 2
    assert leaven(["bench", "peers", "--peers", "tourch"]) == 2
    assert "no peer 'tourch'" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert leaven(["bench", "peers", "--out", str(tmp_path / "file" / "report.json")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_an_environment_of_another_python_gets_none_of_our_variables(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/ours")
    assert running._environment(Path(sys.executable))["PYTHONPATH"] == "/ours"
    assert "PYTHONPATH" not in running._environment(Path("/somewhere/else/bin/python"))
    assert os.environ["PYTHONPATH"] == "/ours"
