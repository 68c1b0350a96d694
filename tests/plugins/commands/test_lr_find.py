from __future__ import annotations

import json
import math
import random
from copy import deepcopy

import cv2
import numpy as np
import pytest
import torch
from single_thread import one_thread  # noqa: F401
from trainer_parts import Dropping, batch, same

from leaven.cli.main import run
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.commands.lr import find_rate
from leaven_plugins.commands.lr.found import Watch, judged
from leaven_plugins.commands.lr.terminal import drawn
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy

CONFIG = """
[data.train]
use = "digits"
split = "train"
[loader]
batch_size = 64
nworkers = 0
shuffle = true
[worker]
use = "classification"
image = { shape = [1, 8, 8], dtype = "uint8" }
[model]
use = "tiny_mlp"
features = 64
classes = 10
[loss]
use = "cross_entropy"
[optimizer]
use = "sgd"
lr = 0.01
momentum = 0.9
[policy]
use = "cosine"
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(CONFIG)
    return "config.toml"


def swept(loss_at, steps=100, low=1e-6, high=10.0):
    """Return what is found where the loss is a function of the rate."""
    watch, rates, losses, diverged = Watch(steps), np.geomspace(low, high, steps), [], False
    for rate in rates:
        loss = loss_at(rate)
        diverged = not math.isfinite(loss)
        if not diverged:
            losses.append(loss)
            diverged = watch.diverges_at(loss)
        if diverged:
            break
    return judged(rates[: len(losses)].tolist(), losses, steps, diverged)


# ---- what the losses say


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15])
@pytest.mark.parametrize("steps", [50, 100, 400])
@pytest.mark.parametrize("middle", [1e-3, 1e-2])
def test_the_suggestion_is_where_the_curve_is_steepest(noise, steps, middle):
    chance = np.random.default_rng(steps)
    found = swept(lambda r: 0.5 + 1.8 / (1 + (r / middle) ** 2) + r**4 + noise * chance.normal(), steps)
    assert abs(math.log10(found.suggestion / middle)) < (0.08 if noise == 0 else 0.35)
    assert found.diverged
    assert found.suggestion / 10 < found.tenth < 1
    assert found.remark == ""


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_noise_is_no_answer(noise):
    for seed in range(100):
        chance = np.random.default_rng(seed)
        found = swept(lambda rate, chance=chance: 2.3 + noise * chance.normal())
        assert (found.suggestion, found.tenth, found.diverged) == (None, None, False)
        assert found.remark.startswith("the loss never fell: 2.")


def test_growth_is_no_answer():
    found = swept(lambda rate: 1 + rate / 1e-5)
    assert (found.suggestion, found.diverged) == (None, True)
    assert found.remark.startswith("the loss never fell: 1.1")
    assert "a lower --from" in found.remark
    found = swept(lambda rate: 1.0 if rate == 1e-6 else math.nan)
    assert (found.suggestion, found.diverged, found.losses) == (None, True, (1.0,))
    assert found.remark == "the loss diverged within 2 steps; try a lower --from"


def test_what_the_test_has_not_seen_is_said():
    assert "a higher --to" in swept(lambda rate: 2 - math.log10(rate / 1e-6) ** 2 / 50).remark
    assert "a lower --from" in swept(lambda rate: (rate / 1e-6) ** -0.3 + rate).remark
    assert "a lower --from" in swept(lambda rate: 3 - math.log10(rate / 1e-6) / 3 + rate).remark


def test_a_last_loss_beyond_all_measure_hides_nothing():
    found = swept(lambda rate: 1e30 if rate > 1 else 0.5 + 1.8 / (1 + (rate / 1e-2) ** 2))
    assert found.suggestion == pytest.approx(1e-2, rel=0.2)
    assert max(found.smoothed) < 3


# ---- the test itself


def parts(optimizer=torch.optim.AdamW, **options):
    network = Dropping()
    return network, optimizer(network.parameters(), **{"lr": 0.02, **options})


def test_everything_is_left_as_it_was():
    network, optimizer = parts()
    network.register_buffer("seen", torch.ones(3), persistent=False)
    network(batch(0))["output"].sum().backward()
    optimizer.step()
    network.drop.eval()
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    before = deepcopy([dict(network.state_dict()), network.seen, optimizer.state_dict()])
    chance = torch.get_rng_state(), random.getstate(), np.random.get_state(legacy=False)

    losses = find_rate(network, optimizer, CrossEntropy(), [batch(seed) for seed in range(3)], steps=30).losses
    assert len(set(losses)) > 20
    same([dict(network.state_dict()), network.seen, optimizer.state_dict()], before)
    assert all(torch.equal(p.grad, g) for p, g in zip(network.parameters(), gradients, strict=True))
    assert [network.training, network.drop.training] == [True, False]
    assert torch.equal(torch.get_rng_state(), chance[0])
    assert random.getstate() == chance[1]
    assert str(np.random.get_state(legacy=False)) == str(chance[2])


def test_it_is_put_back_after_an_error_too():
    network, optimizer = parts()
    before = deepcopy([dict(network.state_dict()), optimizer.state_dict()])
    data = iter([batch(seed) for seed in range(7)])
    with pytest.raises(LeavenError, match="enough for 7 steps, and cannot be gone through again"):
        find_rate(network, optimizer, CrossEntropy(), data)
    same([dict(network.state_dict()), optimizer.state_dict()], before)


def test_losses_are_those_of_a_bare_loop_at_rising_rates():
    network, optimizer = parts(torch.optim.SGD)
    network.drop.p = 0.0
    bare = deepcopy(network)
    found = find_rate(network, optimizer, CrossEntropy(), [batch(0)], 1e-4, 1.0, 40)
    own = torch.optim.SGD(bare.parameters(), lr=1.0)
    expected = []
    for step in range(40):
        own.zero_grad()
        loss = torch.nn.functional.cross_entropy(bare(batch(0))["output"], batch(0)["label"][:, 0])
        loss.backward()
        own.param_groups[0]["lr"] = 10 ** (-4 + 4 * step / 39)
        own.step()
        expected.append(loss.item())
    assert found.rates == pytest.approx(np.geomspace(1e-4, 1, 40))
    assert found.losses == pytest.approx(expected, rel=1e-4)


def test_groups_keep_their_proportion():
    rates = []

    class Noting(torch.optim.SGD):
        def step(self, closure=None):
            rates.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    network = Dropping()
    groups = [{"params": network.first.parameters()}, {"params": network.last.parameters(), "lr": 0.05}]
    find_rate(network, Noting(groups, lr=0.5), CrossEntropy(), [batch(0)], 1e-3, 1e-1, 20)
    assert [first for first, _ in rates] == pytest.approx(np.geomspace(1e-3, 1e-1, 20))
    assert [last / first for first, last in rates] == pytest.approx([0.1] * 20)


def test_it_ends_where_the_loss_diverges():
    found = find_rate(*parts(torch.optim.SGD), CrossEntropy(), [batch(0)], 1e-2, 1e12, 60)
    assert found.diverged
    assert len(found.losses) < 60
    assert all(map(math.isfinite, found.losses))


def test_a_step_may_have_several_iterations():
    """Its loss is the mean over the rows of them all."""
    network, optimizer = parts()
    network.drop.p = 0.0
    loss, data = CrossEntropy(), [batch(0, rows=4), batch(1, rows=2)]
    first, second = (loss(deepcopy(network)(sample)).item() for sample in data)
    found = find_rate(network, optimizer, loss, data, steps=20, options={"accumulate": 2})
    assert len(found.losses) == 20
    assert found.losses[0] == pytest.approx((4 * first + 2 * second) / 6)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"low": 1.0, "high": 0.1}, "expected 0 < from < to"),
        ({"low": 0.0}, "expected 0 < from < to"),
        ({"high": math.inf}, "expected 0 < from < to"),
        ({"steps": 19}, "19 steps: expected at least 20"),
        ({"options": {"precision": "half"}}, "no precision 'half'"),
    ],
)
def test_values_out_of_range(values, text):
    network, optimizer = parts()
    with pytest.raises(ParameterError, match=text):
        find_rate(network, optimizer, CrossEntropy(), [batch(0)], **values)
    assert "initial_lr" not in optimizer.param_groups[0]


def test_no_data_is_an_error():
    with pytest.raises(LeavenError, match="no data"):
        find_rate(*parts(), CrossEntropy(), [])


# ---- the command


def told(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_rate_for_an_experiment(config, capsys, tmp_path):
    assert run(["lr", "find", config, "--from", "1e-5", "--steps", "50", "--out", "new/lr.png", "--json"]) == 0
    out = capsys.readouterr().out
    found = json.loads(out.splitlines()[-1])
    assert 1e-3 < found["suggestion"] < 1
    assert found["suggestion"] in found["rates"]
    assert f"suggestion  {found['suggestion']:.2g}  where the loss falls most steeply" in out
    assert f"{found['tenth']:.2g}  is a tenth of the rate where it is lowest" in out
    assert f"leaven train config.toml --set optimizer.lr={found['suggestion']:.2g}" in out
    assert cv2.imread("new/lr.png") is not None
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config.toml", "lr.png", "new"]


def test_no_answer_is_no_number(config, capsys, tmp_path):
    assert run(["lr", "find", config, "--from", "1e-9", "--to", "1e-7", "--steps", "20", "--json"]) == 3
    out = capsys.readouterr().out
    assert "no answer   the loss never fell: 2." in out
    assert "suggestion  " not in out
    found = json.loads(out.splitlines()[-1])
    assert (found["suggestion"], found["tenth"], found["out"]) == (None, None, None)
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_the_trainers_options_count(config, capsys):
    arguments = ["lr", "find", config, "--from", "0.01", "--steps", "30", "--json"]
    run([*arguments, "--set", "optimizer.momentum=0.0"])
    wild = told(capsys)
    run([*arguments, "--set", "optimizer.momentum=0.0", "--set", "trainer.clip_norm=1e-6"])
    tame = told(capsys)
    assert max(tame["losses"]) < 3 < max(wild["losses"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--from", "1", "--to", "0.1"], "expected 0 < from < to"),
        (["--steps", "5"], "x>=20"),
        (["--set", "optimizer.use=sdg"], "did you mean"),
        (["--set", "train.device=gpu"], "train.device"),
        (["--out", "lr.doc", "--steps", "20"], "the picture cannot be written"),
    ],
)
def test_what_is_wrong_is_told(arguments, text, config, capsys):
    assert run(["lr", "find", config, *arguments]) in (1, 2)
    assert text in capsys.readouterr().err


OTHER = """
from leaven import Component, hookimpl


class Other:
    def __init__(self, network):
        self.network = network


@hookimpl
def leaven_trainers():
    yield Component("other", Other, "another trainer")
"""


def test_another_trainer_is_refused(config, capsys, tmp_path):
    (tmp_path / "other.py").write_text(OTHER)
    assert run(["-p", "./other.py", "lr", "find", config, "--set", "trainer.use=other"]) == 2
    assert "trains with trainer:standard, and not trainer:other" in capsys.readouterr().err


def test_equal_factors_are_equally_wide():
    points = [(0.001, 2.0), (0.01, 1.0), (0.1, 1.0), (1.0, 0.0)]
    assert drawn(points, 30, 3, braille=False, unit="", logarithmic=True) == [
        "2 |*****",
        "  |     *****************",
        "0 |                      *****",
        "  +---------------------------",
        "   0.001                     1",
    ]
