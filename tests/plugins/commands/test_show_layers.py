from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import LeavenError
from leaven_plugins.commands.show.layers import layers_of, shown

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (2, 3, 32, 48), np.uint8)
GREYS = RANDOM.integers(0, 256, (2, 1, 32, 48), np.uint8)
MASK = np.zeros((2, 32, 48), np.uint8)
MASK[:, 4:20, 8:40] = 1
MASK[1, 24:, :] = 255
SPOTS = np.zeros((2, 16, 24), np.float32)
SPOTS[0, 4, 6] = SPOTS[1, 8, 12] = 1


@pytest.mark.parametrize(
    ("images", "target", "role"),
    [
        (IMAGES, MASK, "mask"),
        (IMAGES, MASK[:, None], "mask"),
        (IMAGES, MASK.astype(np.int64), "mask"),
        (IMAGES, MASK > 0, "mask"),
        (GREYS, MASK[:, None], "mask"),  # like the image, but of three values
        (GREYS, RANDOM.integers(0, 256, (2, 1, 32, 48), np.uint8), "beside"),
        (IMAGES, IMAGES, "beside"),
        (IMAGES, RANDOM.random((2, 3, 64, 96), np.float32), "beside"),  # of twice the size
        (IMAGES, RANDOM.random((2, 32, 48)), "heat"),
        (IMAGES, RANDOM.random((2, 1, 16, 24)), "heat"),
        (IMAGES, np.zeros((2, 32, 48)), "heat"),
        (IMAGES, SPOTS, "points"),
    ],
)
def test_how_a_target_is_shown(images, target, role):
    assert layers_of({"image": images, "target_image": target}) == {"target_image": role}


@pytest.mark.parametrize(
    "other", [np.zeros((2, 1)), np.zeros((2, 10, 10)), np.zeros((2, 0, 0)), ["a", "b"], np.zeros(2)]
)
def test_what_is_no_layer(other):
    assert layers_of({"image": IMAGES, "label": other}) == {}


def test_a_picture_of_each_row():
    found = shown({"image": IMAGES, "target_image": MASK}, tile=96)
    assert [picture.shape for picture in found.pictures] == [(64, 96, 3)] * 2
    assert [text for _, text in found.legend] == ["class 1", "class 255"]
    assert found.layers == {"target_image": "mask"}
    plain = shown({"image": IMAGES}, tile=96)
    assert plain.legend == []
    assert plain.layers == {}
    outside = np.ones((64, 96), bool)
    outside[8:40, 16:80] = False
    np.testing.assert_array_equal(found.pictures[0][outside], plain.pictures[0][outside])
    assert (found.pictures[0] != plain.pictures[0]).any()


def test_points_of_a_map_lie_where_its_spots_are():
    images = np.zeros((2, 3, 32, 48), np.uint8)
    found = shown({"image": images, "gaze": SPOTS}, tile=96)
    for picture, (x, y) in zip(found.pictures, [(6.5, 4.5), (12.5, 8.5)], strict=True):
        rows, columns = np.nonzero(picture.any(2))
        assert rows.mean() + 0.5 == pytest.approx(y * 4, abs=0.6)
        assert columns.mean() + 0.5 == pytest.approx(x * 4, abs=0.6)
    assert [text for _, text in found.legend] == ["gaze"]


def test_images_stand_beside_each_other():
    found = shown({"image": IMAGES, "target_image": 255 - IMAGES}, tile=48)
    (left, right) = (found.pictures[0][:, :48], found.pictures[0][:, -48:])
    np.testing.assert_array_equal(left, 255 - right)
    assert found.legend == [(None, "right: target_image")]


def test_many_classes_do_not_fill_the_legend():
    mask = np.arange(2 * 32 * 48).reshape(2, 32, 48) % 40
    legend = shown({"image": IMAGES, "target_image": mask}, tile=48).legend
    assert len(legend) == 13
    assert legend[-1] == (None, "and 27 more")


def test_sequences_are_strips():
    frames = RANDOM.integers(0, 256, (2, 3, 3, 32, 48), np.uint8)
    found = shown({"image": frames}, tile=48)
    assert found.pictures[0].shape == (32, 3 * 48 + 2 * 2, 3)
    np.testing.assert_array_equal(found.pictures[1][:, -48:], frames[1, 2].transpose(1, 2, 0))


def test_without_images_there_is_an_error():
    with pytest.raises(LeavenError, match="under the key 'image'; keys: target"):
        shown({"target": np.zeros((2, 2))}, tile=48)
