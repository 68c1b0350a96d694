from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import Registry
from leaven.cli.main import run
from leaven_plugins.commands.show.augmenting import caption, geometry_shots, op_shots
from leaven_plugins.commands.show.ends import Ends, ends_of, values_at
from leaven_plugins.commands.show.examples import example_of, ops_for
from leaven_plugins.commands.show.exhibits import experiment_augmented, photo_augmented
from leaven_plugins.commands.show.replay import Replay
from leaven_plugins.ops.blur import Blur
from leaven_plugins.ops.flip import Flip
from leaven_plugins.ops.tone import Tone
from leaven_plugins.photos.shipped import photo

REGISTRY = Registry(builtin_only=True)
CONFIG = """
[data.train]
use = "shapes"
[loader]
batch_size = 4
nworkers = 0
[worker]
use = "segmentation"
image = { shape = [3, 40, 50], dtype = "uint8" }
target_image = { shape = [40, 50], dtype = "uint8" }
ops = ["tone", "noise_rgb", "blur"]
image_params = { scale_mode = "longest", blur = 0.01 }
[worker.image_rng]
use = "mixture"
rotation_sigma = 10
scale_range = [1.5, 2.5]
brightness_range = [-0.5, 0.5]
"""
OWN = """
import numpy as np
from leaven import Component, hookimpl

class Op:
    keys = ("own",)
    example = {"strength": 7}
    def __init__(self, strength=0):
        self.strength = strength
    def draw(self, random, info):
        return {"own": random.uniform(0, self.strength)}
    def applies(self, values):
        return values.get("own", 0) > 0
    def apply(self, image, values, random):
        return image // int(2 + values["own"])

class Breaks(Op):
    name = "breaks"
    example = {"strength": 1}
    def apply(self, image, values, random):
        raise RuntimeError("out of order")

class Greedy(Op):
    def __init__(self, needed):
        pass

@hookimpl
def leaven_ops():
    yield Component("own", Op, "an op of somebody else")
    yield Component("breaks", Breaks, "one that fails")
    yield Component("greedy", Greedy, "one that needs something, and has no example of its own")
"""


class Studio:
    """Takes no pictures, but notes what they would be of."""

    def __init__(self):
        self.taken = []

    def plain(self):
        return np.zeros((2, 2, 3), np.uint8)

    def with_geometry(self, values):
        self.taken.append(dict(values))
        return np.full((2, 2, 3), 1, np.uint8)

    def with_op(self, op, values):
        self.taken.append(dict(values))
        return np.full((2, 2, 3), len(self.taken) % 250, np.uint8)


# ---- ends


@given(st.lists(st.floats(-1e6, 1e6) | st.none()))
def test_ends_are_the_extremes(values):
    present = [value for value in values if value is not None]
    if len(set(present)) < 2:
        assert ends_of(values) is None
    else:
        assert ends_of(values) == (min(present), max(present))


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([True, False, True], (False, True)),
        ([True, True], None),
        ([[1.0, 2.0], [-1.0, -3.0], [0.0, 0.0]], ([-1.0, -3.0], [1.0, 2.0])),
        ([{"a": 1}, {"a": 2}], None),
        ([[[1, 2]], [[3, 4]]], None),
        ([[], [1.0]], None),
        ([], None),
    ],
)
def test_ends_of_other_values(values, ends):
    assert ends_of(values) == ends


def test_values_of_draws():
    assert values_at([{"a": 1}, {"b": 2}, {"a": None}, {"a": 0}], "a") == [1, 0]


@pytest.mark.parametrize(
    ("value", "ends", "text"),
    [
        (-38.7654, Ends(-39.0, 41.0), "-39"),
        (0.00339, Ends(0.0033, 0.02), "0.0034"),
        (0.0007, Ends(0.0007, 2.5), "0"),
        ([0.1234, -0.5], Ends([-1.0, -1.0], [1.0, 1.0]), "0.12, -0.5"),
        (True, Ends(False, True), "yes"),
        (12, Ends(1, 60), "12"),
        ({"a": 1.0}, Ends(0, 1), ""),
        ([0.1, 0.2, 0.3, 0.4], Ends(0, 1), ""),
    ],
)
def test_captions(value, ends, text):
    assert caption(value, ends) == text


# ---- lines


def test_a_line_for_each_parameter_of_the_geometry_that_differs():
    draws = [{"angle": angle, "scale": 1.0, "hmirror": angle > 0, "blur": angle} for angle in (3.0, -5.0, 9.0, 1.0)]
    studio = Studio()
    shots = geometry_shots(studio, draws, count=2)
    assert [(shot.key, shot.low, shot.high) for shot in shots] == [("angle", -5.0, 9.0), ("hmirror", False, True)]
    assert [cell.caption for cell in shots[0].line.cells] == ["-5", "", "9", "3", "-5"]
    assert studio.taken[:5] == [{"angle": -5.0}, {"angle": 9.0}, {"angle": 3.0}, {"angle": -5.0}, {}]


def test_shifts_are_shown_where_there_is_room_for_them():
    studio = Studio()
    (shot,) = geometry_shots(studio, [{"shift": [0.0, 1.0]}, {"shift": [-1.0, 0.5]}], count=0)
    assert studio.taken == [{"scale": 1.5, "shift": [-1.0, 0.5]}, {"scale": 1.5, "shift": [0.0, 1.0]}, {"scale": 1.5}]
    assert "1.5" in shot.line.remark


def test_an_op_at_both_ends_and_as_drawn():
    studio = Studio()
    draws = [{"blur": 0.0}, {"blur": 0.02, "noise": 1}, {"blur": 0.01}, {"blur": 0.03}]
    (shot,) = op_shots(studio, Blur(), "blur", draws, count=2)
    assert (shot.op, shot.key, shot.low, shot.high) == ("blur", "", 0.01, 0.03)
    assert studio.taken == [{"blur": 0.01}, {"blur": 0.03}, {"blur": 0.02}, {"blur": 0.01}]
    assert [cell.caption for cell in shot.line.cells] == ["0.01", "", "0.03", "0.02", "0.01"]


def test_an_op_of_several_keys_has_a_line_for_each():
    draws = [
        {"gamma_gray": 0.5, "gamma_color": None, "contrast": 0.3},
        {"gamma_gray": 2.0, "gamma_color": None, "contrast": -0.3},
    ]
    shots = op_shots(Studio(), Tone(), "tone", draws, count=1)
    assert [(shot.key, shot.low, shot.high) for shot in shots] == [("gamma_gray", 0.5, 2.0), ("contrast", -0.3, 0.3)]


def test_decisions_are_shown_both_ways():
    draws = [{"flip_left_right": number % 2 == 0, "flip_top_bottom": False} for number in range(6)]
    (shot,) = op_shots(Studio(), Flip(), "flip", draws, count=1)
    assert (shot.key, shot.low, shot.high) == ("flip_left_right", False, True)
    assert [cell.caption for cell in shot.line.cells] == ["no", "", "yes", "yes"]
    assert (shot.line.cells[0].picture == 0).all()  # as it is


def test_what_never_changes_is_shown_once():
    (shot,) = op_shots(Studio(), Blur(), "blur", [{"blur": 0.01}] * 3, count=2)
    assert [cell is not None for cell in shot.line.cells] == [False, True, True]
    assert (shot.low, shot.high) == (None, 0.01)


def test_values_without_order_are_shown_by_their_effect():
    class Boxes:
        keys = ("boxes",)

        def applies(self, values):
            return bool(values.get("boxes"))

    class Effects(Studio):
        def with_op(self, op, values):
            return np.full((2, 2, 3), values["boxes"][0][0], np.uint8)

    draws = [{"boxes": [[size, 0]]} for size in (20, 5, 90, 30)]
    (shot,) = op_shots(Effects(), Boxes(), "boxes", draws, count=1)
    assert (shot.low, shot.high) == ({"boxes": [[5, 0]]}, {"boxes": [[90, 0]]})


def test_without_draws_that_apply_there_is_no_line():
    assert op_shots(Studio(), Blur(), "blur", [{"blur": 0.0}, {}], count=1) == []


# ---- exhibits


def test_what_is_drawn_of_the_geometry_and_for_the_ops_of_a_worker():
    worker = REGISTRY.create(
        "worker:image",
        image=((3, 30, 40), "uint8"),
        image_rng={"use": "mixture", "rotation_sigma": 5, "noise_range": [0.1, 0.2]},
    )
    replay = Replay(REGISTRY.create("dataset:shapes"), worker, seed=0)
    exhibit = experiment_augmented(replay, "some", index=1, count=2)
    assert [(shot.op, shot.key) for shot in exhibit.shots] == [("", "angle"), ("noise_rgb", "")]
    noise = exhibit.shots[1]
    assert (noise.low, noise.high) == (pytest.approx(0.1, abs=1e-3), pytest.approx(0.2, abs=1e-3))
    assert set(exhibit.missing) == {"tone", "blur"}
    (together,) = exhibit.together
    assert len(together.cells) == 5
    assert "sample 1 (shapes-00000001)" in exhibit.title


def test_all_ops_on_a_photo():
    exhibit = photo_augmented(REGISTRY, None, None, count=1)
    names = {offer.name for offer in REGISTRY.offers("op")}
    assert {shot.op for shot in exhibit.shots} - {""} | set(exhibit.missing) == names
    geometry = {shot.key for shot in exhibit.shots if not shot.op}
    assert geometry >= {"angle", "scale", "aspect", "shift", "hmirror", "vmirror", "shear"}
    assert len(exhibit.missing) < len(names) / 4
    for shot in exhibit.shots:
        low, plain, high, *_ = shot.line.cells
        if shot.op:
            assert plain.picture.std() > 20
            shown = [cell.picture for cell in (low, high) if cell]
            assert any(each.shape != plain.picture.shape or (each != plain.picture).any() for each in shown), shot.op


def test_ops_are_found_by_what_is_drawn():
    found = ops_for(REGISTRY, [{"noise": 0.1, "contrast": 0.2}, {"solarize": 0.5, "angle": 3.0}])
    assert sorted(op.name for op in found) == ["noise_rgb", "solarize", "tone"]


def test_an_example_is_not_inherited():
    assert example_of(REGISTRY.find("rng:mixture"))["rotation_sigma"] > 0
    assert example_of(REGISTRY.find("rng:augmentation_all")) == {}


# ---- the command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.toml").write_text(CONFIG)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "cat.jpg").write_bytes(photo("chelsea"))
    return tmp_path


def result(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_configuration(folder, capsys):
    assert run(["show", "augment", "some.toml", "-n", "2", "-o", "a.png", "--json"]) == 0
    told = result(capsys)
    rows = [("", "angle"), ("", "scale"), ("tone", "gamma_gray"), ("blur", "")]
    assert [(row["op"], row["key"]) for row in told["rows"]] == rows
    assert told["rows"][1]["low"] == pytest.approx(1.5, abs=1e-2)
    assert told["rows"][1]["high"] == pytest.approx(2.5, abs=1e-2)
    assert told["rows"][3] == {"op": "blur", "key": "", "low": None, "high": 0.01}  # fixed, and so shown once
    assert told["images"] == 3 * 5 + 2 + 5
    assert set(told["missing"]) == {"noise_rgb"}
    assert cv2.imread("a.png").shape[1] > 5 * 150


def test_an_image_and_ops_of_others(folder, capsys):
    assert run(["-p", "./own.py", "show", "augment", "cat.jpg", "--rng", "imagenet", "-n", "1", "--json"]) == 0
    told = result(capsys)
    (row,) = (row for row in told["rows"] if row["op"] == "own")
    assert (row["low"], row["high"]) == (pytest.approx(0, abs=0.02), pytest.approx(7, abs=0.02))
    assert told["missing"]["breaks"] == "RuntimeError: out of order"
    assert "needs the parameter 'needed'" in told["missing"]["greedy"]
    assert not [row for row in told["rows"] if row["key"] == "angle"]  # which imagenet does not draw


def test_what_does_not_go_together(folder, capsys):
    for arguments, said in (
        (["some.toml", "--rng", "mixture"], "--set worker.image_rng=NAME"),
        (["cat.jpg", "--set", "seed=3"], "for a configuration"),
        (["--index", "3"], "for a configuration"),
    ):
        assert run(["show", "augment", *arguments]) == 2
        assert said in capsys.readouterr().err


def test_no_image(folder, capsys):
    assert run(["show", "augment", "own.py"]) == 1
    assert run(["show", "augment", "nothing.jpg"]) == 1
    assert "nothing.jpg: cannot be read" in capsys.readouterr().err
