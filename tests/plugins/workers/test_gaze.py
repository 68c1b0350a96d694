from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError, SampleError
from leaven_plugins.workers.saliency.gaze import gaze_map
from leaven_plugins.workers.saliency.locations import locations_of
from leaven_plugins.workers.saliency.parameters import gaze_params


def drawn_large(points, size, cells):
    """The definition: a map that is drawn larger, and averaged."""
    large = np.zeros((size[0] * cells, size[1] * cells), np.float64)
    for x, y in points * cells:
        if 0 <= x < large.shape[1] and 0 <= y < large.shape[0]:
            large[int(y), int(x)] = 1
    return cv2.resize(large, size[::-1], interpolation=cv2.INTER_AREA)


def shared_large(points, size, cells):
    large = np.zeros((size[0] * cells, size[1] * cells), np.float64)
    for x, y in points * cells - 0.5:
        for row in range(large.shape[0]):
            for column in range(large.shape[1]):
                share = max(1 - abs(column - x), 0) * max(1 - abs(row - y), 0)
                large[row, column] = max(large[row, column], share)
    return cv2.resize(large, size[::-1], interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("cells", [1, 2, 3, 7])
@pytest.mark.parametrize(("interpolate", "reference"), [(False, drawn_large), (True, shared_large)])
def test_the_map_is_as_if_drawn_larger(cells, interpolate, reference):
    random = np.random.default_rng(cells)
    points = random.uniform(-0.5, 1.2, (25, 2)) * (11, 8)
    points = np.concatenate([points, points[:4]])  # the same places twice count once
    found = gaze_map(points, (8, 11), cells, interpolate)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference(points, (8, 11), cells), atol=1e-6)


def test_a_shared_point_has_its_centre_where_it_is():
    for x, y in ((4.2, 3.9), (5.5, 6.5), (2.0, 8.99)):
        found = gaze_map(np.array([(x, y)]), (12, 12), 2, interpolate=True)
        rows, columns = np.mgrid[:12, :12] + 0.5
        assert found.sum() == pytest.approx(0.25)
        moments = (found * columns).sum() / found.sum(), (found * rows).sum() / found.sum()
        np.testing.assert_allclose(moments, (x, y), atol=0.26)  # a cell's middle is not that of its pixel


def test_as_many_cells_as_can_be_cost_nothing():
    found = gaze_map(np.array([(0.0, 0.0), (9.999999, 9.999999)]), (10, 10), 1 << 16)
    assert np.count_nonzero(found) == 2


def located(*experiments, size=(20, 30), origin="corner"):
    return [points.tolist() for points in locations_of({"experiments": experiments}, "experiments", size, origin)]


def test_fixations_count_more_than_locations():
    assert located({"locations": [(1, 2)]}) == [[[1, 2]]]
    assert located({"locations": [(1, 2)], "fixations": [(3, 4)]}) == [[[3, 4]]]
    assert located({"fixations": np.array([(3.5, 4.5)])}) == [[[3.5, 4.5]]]
    assert located({"locations": [(1, 2)], "fixations": None, "map": b""}) == [[[1, 2]]]


def test_points_outside_of_the_image_are_left_out():
    nan, inf = float("nan"), float("inf")
    points = [(0, 0), (-0.1, 5), (5, -1), (29.9, 19.9), (30, 5), (5, 20), (nan, 3), (3, nan), (inf, 1), (1, -inf)]
    assert located({"locations": points}) == [[[0, 0], [29.9, 19.9]]]


def test_experiments_without_points_are_left_out():
    assert located({"locations": []}, {"locations": [(3, 4)]}, {"locations": [(99, 99)]}) == [[[3, 4]]]
    assert located({"locations": np.empty((0, 2))}, {"locations": [(3, 4)]}) == [[[3, 4]]]


def test_points_count_from_the_middle_of_a_pixel_or_from_its_corner():
    assert located({"locations": [(3, 4)]}, origin="center") == [[[3.5, 4.5]]]
    assert located({"locations": [(3, 4)]}, origin="corner") == [[[3, 4]]]
    (((x, y),),) = located({"locations": [(29.9, 19.7)]}, origin="center")
    assert 29.99 < x < 30
    assert 19.99 < y < 20


@pytest.mark.parametrize(
    ("sample", "text"),
    [
        ({"experiment": []}, "no key 'experiments', did you mean 'experiment'"),
        ({"experiments": "abc"}, "'experiments' is of type str"),
        ({"experiments": {"locations": [(1, 2)]}}, "'experiments' is of type dict; it has to be a list of tables"),
        ({"experiments": 5}, "of type int"),
        ({"experiments": []}, "no point in 'experiments' lies within the image of 20 x 30 pixels"),
        ({"experiments": [{"locations": [(-1, 2)]}]}, "no point in 'experiments'"),
        ({"experiments": [[(1, 2)]]}, r"experiments\[0\] is of type list"),
        ({"experiments": [{"locations": [(1, 2)]}, {"map": b""}]}, r"experiments\[1\] has neither .* it has: map"),
        ({"experiments": [{"locations": [(1, 2, 3)]}]}, r"experiments\[0\].locations are of shape \(1, 3\)"),
        ({"experiments": [{"locations": [1, 2]}]}, r"of shape \(2,\)"),
        ({"experiments": [{"locations": [(1, 2), (3,)]}]}, "no numbers"),
        ({"experiments": [{"locations": [("a", "b")]}]}, "no numbers"),
        ({"experiments": [{"locations": [(1, 10**30)]}]}, "no numbers"),
        ({"experiments": [{"locations": [(1j, 2)]}]}, "no numbers"),
        ({"experiments": [{"locations": b"1234"}]}, "no numbers"),
        ({"experiments": [{"fixations": 7}]}, r"of shape \(\)"),
    ],
)
def test_malformed_experiments_are_told(sample, text):
    with pytest.raises(SampleError, match=text) as caught:
        locations_of(sample, "experiments", (20, 30), "corner")
    assert caught.value.stage == "experiments"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"sampel_ratio": 1}, "no 'sampel_ratio', did you mean 'sample_ratio'"),
        ({"sample_ratio": 0}, "sample_ratio is 0"),
        ({"sample_ratio": 1.5}, "sample_ratio is 1.5"),
        ({"jitter": -0.1}, "jitter is -0.1"),
        ({"jitter": float("nan")}, "jitter is nan"),
        ({"blur": float("inf")}, "blur is inf"),
        ({"blur": "0.1"}, "target_image_params: "),
    ],
)
def test_wrong_parameters_are_told(table, text):
    with pytest.raises(ParameterError, match=text):
        gaze_params(table)
