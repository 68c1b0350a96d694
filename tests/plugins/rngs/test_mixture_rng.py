from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.stream import wire
from leaven.stream.buffers import buffer_spec
from leaven_plugins.rngs.mixture import MixtureRNG
from leaven_plugins.rngs.none import NoRNG

INFO, SPEC = ImageInfo(100, 80, 3), buffer_spec(((3, 32, 32), "uint8"))
KEYS = {
    *("angle", "scale", "aspect", "shear", "shift", "gamma_gray", "gamma_color", "contrast", "noise", "blur"),
    *("interp_method", "hmirror", "vmirror", "order"),
}
EVERYTHING = {
    "scale_range": (0.5, 2),
    "shift_range": (-1, 1),
    "noise_range": (0.03, 0.1),
    "brightness_range": (-0.5, 0.5),
    "color_range": (-0.4, 0.4),
    "contrast_range": (-1, 1),
    "blur_range": (0.01, 0.003),  # backwards is a range as well
    "rotation_sigma": 15,
    "aspect_sigma": 0.1,
    "hmirror": 0.5,
    "vmirror": 0.1,
    "shear_range": (-0.1, 0.1),
}


def draws(count=4000, seed=0, **parameters):
    rng, random = MixtureRNG(**parameters), np.random.default_rng(seed)
    return [rng.draw(INFO, SPEC, random) for _ in range(count)]


def test_none_draws_nothing():
    assert NoRNG().draw(INFO, SPEC, np.random.default_rng(0)) == {}


def test_the_keys_are_always_the_same():
    for parameters in ({}, EVERYTHING, {"prob": 0}, {**EVERYTHING, "prob": 0.5}):
        assert all(set(draw) == KEYS for draw in draws(50, **parameters))


def test_without_ranges_nothing_is_changed():
    (draw,) = draws(1)
    assert draw == {
        **dict.fromkeys(("angle", "contrast", "noise", "blur"), 0),
        **dict.fromkeys(("shear", "shift", "gamma_gray", "gamma_color"), None),
        **dict.fromkeys(("scale", "aspect", "interp_method"), 1),
        **dict.fromkeys(("hmirror", "vmirror"), False),
        "order": draw["order"],
    }


def test_values_are_plain():
    for draw in draws(20, **EVERYTHING):
        assert wire.unpack(wire.pack(draw)) == draw
        for value in draw.values():
            assert type(value) in (float, int, bool, list)


def test_ranges_hold():
    for draw in draws(**EVERYTHING):
        assert 0.5 <= draw["scale"] < 2
        assert all(-1 <= shift < 1 for shift in draw["shift"])
        assert all(-0.1 <= shear < 0.1 for shear in draw["shear"])
        assert 0.5 <= draw["gamma_gray"] <= 2
        assert all(0.6 <= gamma <= 1 / 0.6 for gamma in draw["gamma_color"])
        assert -1 <= draw["contrast"] < 1
        assert 0.03 <= draw["noise"] < 0.1
        assert 0.003 <= draw["blur"] <= 0.01


def test_normal_distributions():
    angles, aspects = (np.array([draw[key] for draw in draws(**EVERYTHING)]) for key in ("angle", "aspect"))
    assert angles.std() == pytest.approx(15, rel=0.05)
    assert abs(angles.mean()) < 0.8
    assert aspects.std() == pytest.approx(0.1, rel=0.05)
    assert aspects.mean() == pytest.approx(1, abs=0.006)


def test_aspects_stay_positive():
    aspects = [draw["aspect"] for draw in draws(aspect_sigma=3)]
    assert min(aspects) == 0.1
    assert max(aspects) == 10


@pytest.mark.parametrize("prob", [0, 0.3, 1])
def test_prob_governs_pixels_alone_and_each_by_itself(prob):
    found = draws(**EVERYTHING, prob=prob)
    pixels = ("gamma_gray", "gamma_color", "contrast", "noise", "blur")
    given = np.array([[bool(draw[key]) for key in pixels] for draw in found])
    np.testing.assert_allclose(given.mean(0), prob, atol=0.03)
    if prob == 0.3:
        off_diagonal = np.corrcoef(given.T)[~np.eye(5, dtype=bool)]
        assert np.abs(off_diagonal).max() < 0.06
    assert len({draw["scale"] for draw in found}) == len(found)


def test_mirrors_and_interpolations():
    found = draws(hmirror=0.5, vmirror=0.1, interpolations=["nearest", 1, "cubic"])
    assert np.mean([draw["hmirror"] for draw in found]) == pytest.approx(0.5, abs=0.03)
    assert np.mean([draw["vmirror"] for draw in found]) == pytest.approx(0.1, abs=0.02)
    counts = Counter(draw["interp_method"] for draw in found)
    assert set(counts) == {0, 1, 2}
    assert min(counts.values()) > 1200


def test_orders():
    counts = Counter(tuple(draw["order"]) for draw in draws(6000))
    assert len(counts) == 6
    assert min(counts.values()) > 850
    assert {tuple(draw["order"]) for draw in draws(50, order="fixed")} == {("gamma_gray", "noise", "blur")}


def test_one_augmentation_more_leaves_the_others_as_they_are():
    for with_all, with_less in zip(
        draws(100, **EVERYTHING), draws(100, **{**EVERYTHING, "noise_range": None}), strict=True
    ):
        assert {**with_all, "noise": 0} == with_less


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"prob": 2}, "prob is 2"),
        ({"hmirror": -0.1}, "hmirror is -0.1"),
        ({"shift_range": 1}, "shift_range is 1"),
        ({"scale_range": (0, 1)}, "scales have to be positive"),
        ({"rotation_sigma": -1}, "rotation_sigma is -1"),
        ({"order": "shuffled"}, "order is 'shuffled'; it has to be one of random, fixed"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        MixtureRNG(**parameters)


def test_interpolations_are_checked():
    with pytest.raises(ParameterError, match="interpolations: no interpolation 'linera', did you mean 'linear'"):
        MixtureRNG(interpolations=["linera"])
