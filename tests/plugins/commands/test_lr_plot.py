from __future__ import annotations

import json
import sys

import cv2
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from leaven.cli.main import run
from leaven_plugins.commands.lr.terminal import drawn
from leaven_plugins.policies.cosine.policy import Cosine

CONFIG = """
[data.train]
use = "digits"
split = "train"
[loader]
batch_size = 100
nworkers = 0
[worker]
use = "classification"
image = { shape = [1, 8, 8], dtype = "uint8" }
[model]
use = "a model of somebody else"
[loss]
use = "loss:cross_entropy"
[optimizer]
use = "adamw"
lr = 0.004
[policy]
use = "cosine"
[train]
epochs = 3
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    return path


def told(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_points_are_the_policys_values(capsys):
    assert run(["lr", "plot", "cosine", "--set", "min_share=0.5", "--epochs", "7", "--base", "3", "--json"]) == 0
    (curve,) = told(capsys)["curves"]
    assert (curve["name"], curve["unit"], curve["steps_per_epoch"]) == ("cosine min_share=0.5", "epoch", 100)
    assert len(curve["points"]) == 701
    assert curve["points"] == [[step / 100, Cosine(0.5).value(3, step * 7 / 700, 7)] for step in range(701)]


def test_a_long_run_is_drawn_at_some_of_its_steps(capsys):
    assert run(["lr", "plot", "policy:poly", "--epochs", "90", "--steps-per-epoch", "5005", "--json"]) == 0
    (curve,) = told(capsys)["curves"]
    assert len(curve["points"]) == 2000
    assert curve["points"][0] == [0, 1]
    assert curve["points"][-1] == [90, 0]


def test_steps_are_counted_where_a_policy_counts_steps(capsys):
    table = '{use="updates", updates=[[30, 0.5]]}'
    assert run(["lr", "plot", table, "--epochs", "2", "--steps-per-epoch", "20", "--json"]) == 0
    (curve,) = told(capsys)["curves"]
    assert [place for place, value in curve["points"] if value == 0.5] == [step / 20 for step in range(30, 41)]


def test_a_configuration_says_all_of_it(config, capsys):
    """Its model is not even looked up."""
    assert run(["lr", "plot", str(config), "--set", "policy.min_share=0.25", "--json"]) == 0
    (curve,) = told(capsys)["curves"]
    assert (curve["epochs"], curve["steps_per_epoch"], curve["base"]) == (3, 15, 0.004)
    assert curve["points"][-1] == pytest.approx([3, 0.001])


def test_what_validation_sets_is_what_the_policy_starts_from(config, capsys):
    config.write_text(CONFIG + '[val_policy]\nuse = "exp"\nfactor = 0.5\n')
    arguments = [str(config), "--set", "policy=noop", "--steps-per-epoch", "2", "--base", "8", "--json"]
    assert run(["lr", "plot", *arguments]) == 0
    (curve,) = told(capsys)["curves"]
    assert curve["points"] == [[0, 8], [0.5, 8], [1, 4], [1.5, 4], [2, 2], [2.5, 2], [3, 1]]


def test_without_a_rate_it_is_the_optimizers_own(config, capsys):
    config.write_text(CONFIG.replace("lr = 0.004", ""))
    assert run(["lr", "plot", str(config), "--epochs", "2", "--steps-per-epoch", "4", "--json"]) == 0
    (curve,) = told(capsys)["curves"]
    assert curve["base"] == torch.optim.AdamW([torch.zeros(1)]).defaults["lr"]
    assert (curve["epochs"], curve["steps_per_epoch"]) == (2, 4)


def test_a_picture_has_a_panel_for_each_policy(tmp_path, capsys):
    path = tmp_path / "new" / "rates.png"
    assert run(["lr", "plot", "poly", "cosine", "step", "exp", "noop", "--out", str(path), "--json"]) == 0
    assert told(capsys)["out"] == str(path)
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    blue = (image[..., 0].astype(int) - image[..., 2]) > 60  # the lines of curves
    assert blue[: height // 2, : width // 4].any()
    assert blue[height // 2 :, : width // 4].any()
    assert not blue[height // 2 :, width // 4 :].any()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["cosin"], "did you mean"),
        (["cosine", "--set", "cycle=2"], "did you mean 'cycles'?"),
        (["cosine", "--base", "nan"], "must be finite"),
        (["{min_share=0.1}"], "expected a table in TOML with a name"),
        (["{use=", "--epochs", "2"], "expected a table in TOML"),
        (["no.toml"], "no.toml"),
        (["wave"], "needs the parameter 'period'"),
    ],
)
def test_what_is_wrong_is_told(arguments, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["lr", "plot", *arguments]) in (1, 2)
    assert text in capsys.readouterr().err


def test_a_configuration_without_a_policy_says_so(config, capsys):
    config.write_text(CONFIG.replace('[policy]\nuse = "cosine"', ""))
    assert run(["lr", "plot", str(config)]) == 2
    assert "config.toml: there is no table [policy]" in capsys.readouterr().err


def test_an_epoch_without_a_length_is_asked_for(config, capsys):
    config.write_text(CONFIG.replace("nworkers = 0", "nworkers = 0\nendless = true"))
    assert run(["lr", "plot", str(config)]) == 2
    assert "--steps-per-epoch" in capsys.readouterr().err
    assert run(["lr", "plot", str(config), "--steps-per-epoch", "10"]) == 0


def test_a_picture_that_cannot_be_made_says_so(tmp_path, capsys, monkeypatch):
    assert run(["lr", "plot", "poly", "--out", str(tmp_path / "rates.doc")]) == 1
    assert "rates.doc: the picture cannot be written" in capsys.readouterr().err
    assert run(["lr", "plot", "poly", "--out", str(tmp_path / "rates")]) == 1
    assert "a suffix has to tell its format" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(["lr", "plot", "poly", "--out", str(tmp_path / "rates.png")]) == 2
    assert "pip install 'leaven[plots]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_drawn_in_dots_or_asterisks():
    points = [(0, 1.0), (10, 0.0)]
    assert drawn(points, 20, 4) == [
        "1 │⠉⠒⠤⣀",
        "  │    ⠉⠒⠢⢄⡀",
        "  │        ⠈⠑⠢⠤⣀",
        "0 │             ⠉⠒⠤⣀",
        "  └─────────────────",
        "   0       10 epochs",
    ]
    assert drawn(points, 20, 4, braille=False) == [
        "1 |***",
        "  |   *****",
        "  |        ******",
        "0 |              ***",
        "  +-----------------",
        "   0       10 epochs",
    ]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
    st.integers(20, 120),
    st.integers(2, 12),
    st.booleans(),
)
@example([5e-324], 20, 2, False)
@example([-1e6, 5e-324], 20, 2, True)
def test_curves_stay_within_their_frame(values, columns, rows, braille):
    lines = drawn(list(enumerate(values)), columns, rows, braille=braille)
    assert len(lines) == rows + 2
    assert max(map(len, lines)) <= max(columns, 20) + 12
    marks = "".join(line.partition("│" if braille else "|")[2] for line in lines[:rows])
    assert marks.strip()
