from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leaven import create
from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.stream import wire
from leaven.stream.buffers import buffer_spec
from leaven.testing.tools import picture
from leaven_plugins.ops.geometry import make_transform, map_points
from leaven_plugins.rngs.augmentations import USUAL, WIDE, Chosen, augmented, op_names
from leaven_plugins.rngs.mixture import MixtureRNG
from leaven_plugins.rngs.presets import Imagenet
from leaven_plugins.rngs.rand_augment import RandAugment
from leaven_plugins.rngs.trivial_augment import TrivialAugment

SOURCE, TARGET = (90, 120), (32, 48)
INFO, SPEC = ImageInfo(*SOURCE, 3), buffer_spec(((3, *TARGET), "uint8"))
OPS = op_names(USUAL)
GEOMETRY = ("angle", "scale", "aspect", "shift", "hmirror", "vmirror", "shear")


def draws(rng, count=300, seed=0):
    random = np.random.default_rng(seed)
    return [rng.draw(INFO, SPEC, random) for _ in range(count)]


def one(name, amount, base=None, most=USUAL):
    return augmented(base or {}, [Chosen(name, amount)], tuple(USUAL), most, SOURCE, TARGET)


def matrix_of(values):
    return make_transform(SOURCE, TARGET, **{key: values[key] for key in GEOMETRY if key in values})


def middle_of(values):
    """Where in the source the middle of the target is, and how large a pixel of the target is there."""
    matrix = matrix_of(values)
    return map_points(matrix, [(TARGET[1] / 2, TARGET[0] / 2)])[0], np.abs(np.diag(matrix))


def is_used(value):
    return value is not None and value is not False


@pytest.mark.parametrize("name", OPS)
@pytest.mark.parametrize("most", [USUAL, WIDE])
def test_each_name_is_an_op_that_reads_the_key_of_this_name(name, most):
    op = create(f"op:{name}")
    assert name in op.keys
    image, random = picture() // 4 * 3 + 60, np.random.default_rng(0)
    for amount in (1.0, -1.0, 0.3):
        values = one(name, amount, most=most)
        assert op.applies(values)
        assert (op.apply(image, values, random) != image).any()
    nothing = one("identity", 1.0)
    assert name in nothing  # or the op would draw by itself
    assert not op.applies(nothing)


@pytest.mark.parametrize("name", [name for name in OPS if name not in ("autocontrast", "equalize")])
def test_without_strength_an_op_does_nothing(name):
    op, image, values = create(f"op:{name}"), picture(), one(name, 0.0)
    assert not op.applies(values) or (op.apply(image, values, np.random.default_rng(0)) == image).all()


def test_the_strongest_are_those_of_the_papers():
    values = {name: one(name, 1.0).get(name) for name in OPS}
    assert values == {
        **dict.fromkeys(("brighten", "contrast_factor", "saturate", "sharpen"), 1.9),
        **dict.fromkeys(("autocontrast", "equalize"), True),
        "solarize": 0,
        "posterize": 4,
    }
    assert one("brighten", -1.0)["brighten"] == pytest.approx(0.1)
    assert one("saturate", -1.0, most=WIDE)["saturate"] == pytest.approx(0.01)
    assert one("posterize", -1.0, most=WIDE)["posterize"] == 2
    assert one("rotate", -1.0)["angle"] == -30
    assert one("rotate", 1.0, most=WIDE)["angle"] == 135
    assert one("shear_x", 1.0)["shear"] == [0, 0.3]
    assert one("shear_y", -1.0, most=WIDE)["shear"] == [-0.99, 0]


def test_a_shear_along_x_moves_rows():
    for name, moved in (("shear_x", [[1, 0.3], [0, 1]]), ("shear_y", [[1, 0], [0.3, 1]])):
        linear = matrix_of(one(name, 1.0))[:, :2]
        np.testing.assert_allclose(linear, linear[0, 0] * np.array(moved))


@pytest.mark.parametrize("base", [{}, {"scale": 1.7, "aspect": 1.2, "shift": [0.5, -0.3]}, {"scale": 1, "shift": None}])
def test_translations_are_shares_of_the_target(base):
    before, pixel = middle_of(base)
    for name, expected in (("translate_x", (0.45 * TARGET[1], 0)), ("translate_y", (0, 0.45 * TARGET[0]))):
        for sign in (1, -1):
            after, new_pixel = middle_of(one(name, float(sign), base))
            np.testing.assert_allclose(new_pixel, pixel, rtol=3e-5)
            np.testing.assert_allclose((after - before) / pixel, sign * np.array(expected), atol=1e-3)


def test_what_was_drawn_before_is_added_to():
    base = {"angle": 10, "shear": [0.1, 0.2], "order": ["blur"], "blur": 0.01, "hmirror": True}
    values = augmented(
        base,
        [Chosen("rotate", -0.5), Chosen("solarize", 0.4), Chosen("shear_x", 1)],
        tuple(USUAL),
        USUAL,
        SOURCE,
        TARGET,
    )
    assert values["angle"] == -5
    assert values["shear"] == pytest.approx([0.1, 0.5])
    assert values["order"] == ["blur", "solarize"]
    assert values["solarize"] == pytest.approx(0.6)
    assert values["blur"] == 0.01
    assert values["hmirror"]
    assert base["order"] == ["blur"]
    assert one("shear_y", 1.0, {"shear": 0.1})["shear"] == pytest.approx([0.4, 0.1])


def test_rand_augment_draws_as_many_as_asked_for_all_as_often():
    counts = Counter()
    for values in draws(RandAugment(count=3, names=OPS), 4000):
        used = [name for name in OPS if is_used(values[name])]
        assert len(used) == 3
        assert set(values["order"]) == set(used)
        counts.update(values["order"])
    assert max(counts.values()) / min(counts.values()) < 1.15
    firsts = Counter(values["order"][0] for values in draws(RandAugment(count=3, names=OPS), 4000))
    assert max(firsts.values()) / min(firsts.values()) < 1.4


def test_rand_augment_is_of_one_strength_in_both_directions():
    factors = {round(values["brighten"], 6) for values in draws(RandAugment(1, 5, ["brighten"]))}
    assert factors == {0.55, 1.45}
    spread = [values["brighten"] - 1 for values in draws(RandAugment(1, 5, ["brighten"], magnitude_sigma=1), 4000)]
    assert np.std(np.abs(spread)) == pytest.approx(0.09, rel=0.05)
    assert np.mean(np.sign(spread)) == pytest.approx(0, abs=0.05)
    strong = [values["brighten"] - 1 for values in draws(RandAugment(1, 10, ["brighten"], magnitude_sigma=1))]
    assert np.abs(strong).max() == pytest.approx(0.9)


def test_rand_augment_leaves_out_what_chance_says():
    found = [len(values["order"]) for values in draws(RandAugment(2, names=OPS, prob=0.5), 3000)]
    assert np.mean(found) == pytest.approx(1, abs=0.05)
    assert draws(RandAugment(0), 5) == [draws(RandAugment(prob=0), 1)[0]] * 5


def test_trivial_augment_draws_one_of_31_strengths():
    found = draws(TrivialAugment(["rotate"]), 6000)
    counts = Counter(round(abs(values["angle"]) / 135 * 30, 6) for values in found)
    assert set(counts) == set(range(31))
    assert max(counts.values()) / min(counts.values()) < 1.7
    assert np.mean([values["angle"] > 0 for values in found]) == pytest.approx(0.48, abs=0.03)
    usual = draws(TrivialAugment(["rotate"], wide=False))
    assert max(abs(values["angle"]) for values in usual) == 30


def test_trivial_augment_draws_one_each():
    counts = Counter()
    for values in draws(TrivialAugment(), 5000):
        assert len(values["order"]) <= 1
        counts.update(values["order"])
    assert set(counts) == set(OPS)
    assert sum(counts.values()) / 5000 == pytest.approx(len(OPS) / len(USUAL), abs=0.03)


def test_draws_say_all_and_are_plain():
    for rng in (RandAugment(4, base=Imagenet()), TrivialAugment(base=MixtureRNG(blur_range=(0, 0.1)))):
        for values in draws(rng, 50):
            assert wire.unpack(wire.pack(values)) == values
            assert {*OPS, "angle", "shear", "order", "scale", "aspect", "shift", "hmirror"} <= set(values)


def test_a_crop_before_translations_stays_a_crop():
    base, both = draws(Imagenet(), 50), draws(RandAugment(1, 10, ["translate_x"], base=Imagenet()), 1)
    before, pixel = middle_of(base[0])
    after, _ = middle_of(both[0])
    assert abs(after - before)[0] / pixel[0] == pytest.approx(0.45 * TARGET[1], rel=1e-3)
    assert after[1] == pytest.approx(before[1], abs=1e-2)


@pytest.mark.parametrize(
    ("kind", "parameters", "text"),
    [
        (RandAugment, {"names": ["rotat"]}, "no augmentation 'rotat', did you mean 'rotate'"),
        (TrivialAugment, {"names": "rotate"}, "names is 'rotate'; it has to be a list"),
        (TrivialAugment, {"names": []}, "it has to be a list of augmentations"),
        (RandAugment, {"names": ["rotate", "rotate"]}, "count is 2; there are 1 different names"),
        (RandAugment, {"count": -1}, "count is -1"),
        (RandAugment, {"magnitude": 11}, "magnitude is 11; it has to be within 0 and 10"),
        (RandAugment, {"magnitude_sigma": -1}, "magnitude_sigma is -1"),
        (RandAugment, {"prob": 2}, "prob is 2"),
    ],
)
def test_parameters_are_checked(kind, parameters, text):
    with pytest.raises(ParameterError, match=text):
        kind(**parameters)


@pytest.mark.parametrize("rng", [RandAugment(), TrivialAugment()])
def test_a_worker_without_the_ops_is_refused(rng):
    rng.check({"angle"}, OPS)
    with pytest.raises(ParameterError, match='reads: add "posterize", "solarize" to ops'):
        rng.check({}, [name for name in OPS if name not in ("posterize", "solarize")])
    with pytest.raises(ParameterError, match="a fixed 'scale' would change"):
        rng.check({"scale"}, OPS)


def test_what_the_base_checks_is_checked():
    RandAugment(names=["rotate", "shear_x"], base=MixtureRNG()).check({"scale"}, [])
    with pytest.raises(ParameterError, match="random_resized_crop draws a place"):
        RandAugment(names=["rotate", "shear_x"], base=Imagenet()).check({"scale"}, [])
