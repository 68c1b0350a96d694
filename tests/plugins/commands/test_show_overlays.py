from __future__ import annotations

import numpy as np
import pytest

from leaven_plugins.commands.show.overlays import (
    beside,
    class_colour,
    with_heat,
    with_mask,
    with_outline,
    with_points,
)

GREY = np.full((40, 60, 3), 100, np.uint8)


def changed(picture, before=GREY, least=1):
    """Box (top, left, bottom, right) of what is different."""
    rows, columns = np.nonzero((np.abs(picture.astype(int) - before) >= least).any(2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


@pytest.mark.parametrize("scale", [1, 2, 5])
def test_a_mask_is_coloured_where_it_is_and_nowhere_else(scale):
    mask = np.zeros((40 // scale, 60 // scale), np.uint8)
    mask[2:4, 3:6] = 1
    drawn = with_mask(GREY, mask)
    assert changed(drawn) == (2 * scale, 3 * scale, 4 * scale, 6 * scale)


def test_a_mask_has_an_outline_in_full_colour_and_is_transparent_within():
    mask = np.zeros((40, 60), np.int64)
    mask[10:30, 10:50] = 3
    drawn = with_mask(GREY, mask)
    colour = np.array(class_colour(3))
    assert (drawn[10, 20] == colour).all()
    assert (drawn[20, 10] == colour).all()
    mixed = 0.55 * 100 + 0.45 * colour
    assert np.abs(drawn[20, 30] - mixed).max() <= 1


def test_classes_have_different_colours():
    colours = [class_colour(number) for number in range(1, 31)]
    assert len(set(colours)) == 30
    neighbours = np.abs(np.diff(np.array(colours), axis=0)).sum(1)
    assert neighbours.min() > 100
    assert len(set(class_colour(255))) == len(set(class_colour(-1))) == 1  # grey


def test_nothing_in_a_mask_changes_nothing():
    np.testing.assert_array_equal(with_mask(GREY, np.zeros((20, 30), bool)), GREY)


def test_a_map_is_brightest_at_its_largest_value():
    colourful = GREY.copy()
    colourful[..., 0] = 200
    heat = np.zeros((20, 30))
    heat[5, 20] = 1e-3
    drawn = with_heat(colourful, heat).astype(int)
    brightest = np.unravel_index(drawn.sum(2).argmax(), drawn.shape[:2])
    assert abs(brightest[0] - 10.5) <= 1
    assert abs(brightest[1] - 40.5) <= 1
    assert drawn[30, 5].std() == 0  # grey where there is nothing


@pytest.mark.parametrize("heat", [np.zeros((4, 6)), np.full((4, 6), np.nan)])
def test_an_empty_map_shows_the_picture_in_grey(heat):
    drawn = with_heat(GREY, heat)
    assert np.abs(drawn.astype(int) - 100).max() <= 1


def test_points_are_where_they_are():
    drawn = with_points(GREY, [(20.0, 10.0)], radius=3)
    top, left, bottom, right = changed(drawn, least=50)
    assert (top + bottom) / 2 == pytest.approx(10, abs=0.5)
    assert (left + right) / 2 == pytest.approx(20, abs=0.5)
    assert 8 <= bottom - top <= 10  # with the rim
    assert drawn[10, 20, 0] > drawn[10, 20, 2] + 100  # red


def test_points_outside_do_no_harm():
    np.testing.assert_array_equal(with_points(GREY, [(-500.0, 1e4)]), GREY)


def test_an_outline_goes_through_its_corners():
    corners = np.array([(10, 5), (50, 5), (50, 35), (10, 35)])
    drawn = with_outline(GREY, corners)
    assert np.allclose(changed(drawn, least=50), (5, 10, 35, 50), atol=3)
    assert (drawn[20, 30] == 100).all()
    assert all((drawn[y - 1, x - 1] != 100).any() for x, y in corners)


def test_pictures_side_by_side():
    pair = beside(GREY, GREY // 2)
    assert pair.shape == (40, 122, 3)
    assert (pair[:, :60] == 100).all()
    assert (pair[:, 62:] == 50).all()


def test_the_picture_itself_stays():
    before = GREY.copy()
    with_mask(GREY, np.ones((4, 6), int))
    with_heat(GREY, np.ones((4, 6)))
    with_points(GREY, [(5.0, 5.0)])
    with_outline(GREY, np.array([(0, 0), (9, 9)]))
    np.testing.assert_array_equal(GREY, before)
