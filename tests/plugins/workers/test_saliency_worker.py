from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import ParameterError, SampleError
from leaven.testing import WorkerContract
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.datasets.shapes import ShapesDataset
from leaven_plugins.ops.geometry import inverted, make_transform, map_points
from leaven_plugins.workers.saliency import SaliencyWorker

IMAGE = ((3, 30, 40), "uint8")
MAP = ((30, 40), "float32")
FILE = png(picture(60, 80))


class TestSaliency(WorkerContract):
    spec = "worker:saliency"
    params = {
        "image": IMAGE,
        "target_image": MAP,
        "target_image_params": {"sample_ratio": 0.5, "jitter": 0.01, "blur": 0.02, "maxnorm": True},
        "image_rng": {"use": "mixture", "rotation_sigma": 10, "shift_range": [-0.2, 0.2], "blur_range": [0.01, 0.01]},
    }
    samples = [dict(ShapesDataset((40, 48), 4).sample(n)) for n in range(4)]


def map_of(*experiments, target=MAP, seed=0, image=FILE, **parameters):
    worker = SaliencyWorker(IMAGE, target, **parameters)
    sample = {"key": "it", "image": image, "experiments": list(experiments)}
    return run_worker(worker, [sample], seed=seed)["target_image"][0]


def test_a_point_is_a_share_of_its_pixel():
    """The image has two pixels for one of the map, in both directions."""
    found = map_of({"locations": [(10, 21), (11, 20), (33, 6)]})
    expected = np.zeros((30, 40), np.float32)
    expected[10, 5], expected[3, 16] = 0.5, 0.25
    np.testing.assert_array_equal(found, expected)


def test_points_of_all_experiments_are_there():
    found = map_of({"locations": [(10, 20)]}, {"fixations": [(30, 40)]}, {"locations": [(-1, 3), (float("nan"), 1)]})
    assert np.argwhere(found).tolist() == [[10, 5], [20, 15]]


def test_a_map_may_have_one_channel():
    found = map_of({"locations": [(10, 20)]}, target=((1, 30, 40), "float64"))
    assert np.argwhere(found).tolist() == [[0, 10, 5]]


def test_pixel_operations_of_the_image_leave_the_map_alone():
    plain = map_of({"locations": [(10, 20)]})
    drawn = {"blur": 0.1, "noise": 0.5, "gamma_gray": 2.0, "background": 9}
    np.testing.assert_array_equal(map_of({"locations": [(10, 20)]}, image_params=drawn), plain)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("origin", ["center", "corner"])
def test_points_go_through_the_transform_to_the_map(seed, origin):
    random = np.random.default_rng(seed)
    drawn = {"angle": float(random.normal(0, 30)), "scale": 1.3, "shear": [0.1, -0.2], "vmirror": True, "aspect": 1.2}
    points = random.uniform(0, 60, (8, 2))
    (found,) = np.array([map_of({"locations": points}, image_params=drawn, origin=origin)])
    corner = points + (0.5 if origin == "center" else 0)
    placed = map_points(inverted(make_transform((60, 80), (30, 40), **drawn)), corner)
    columns, rows = np.floor(placed).astype(int).T
    inside = (columns >= 0) & (columns < 40) & (rows >= 0) & (rows < 30)
    expected = set(zip(rows[inside].tolist(), columns[inside].tolist(), strict=True))
    assert set(map(tuple, np.argwhere(found).tolist())) == expected


def test_a_crop_beside_all_points_is_an_empty_map():
    found = map_of(
        {"locations": [(0, 0)]}, image_params={"scale": 3, "shift": [1, 1]}, target_image_params={"maxnorm": True}
    )
    assert not found.any()


def test_where_the_map_shows_nothing_of_the_image_it_is_0():
    found = map_of({"locations": [(0, 0)]}, target=(*MAP, 7), image_params={"scale": 0.5})
    assert np.count_nonzero(found) == 1


def test_the_largest_value_can_be_1():
    params = {"maxnorm": True, "blur": 0.05}
    found = map_of({"locations": [(10, 20), (11, 21), (50, 40)]}, target_image_params=params)
    assert found.max() == 1
    assert found.min() >= 0


def test_blur_is_relative_to_the_width_of_the_map():
    blurred = map_of({"locations": [(40, 30)]}, target_image_params={"blur": 0.05}).astype(float)
    rows, columns = np.mgrid[:30, :40]
    assert blurred.sum() == pytest.approx(0.25, rel=1e-4)
    assert np.sqrt((blurred * (columns - 20) ** 2).sum() / blurred.sum()) == pytest.approx(2, rel=0.02)
    assert np.sqrt((blurred * (rows - 15) ** 2).sum() / blurred.sum()) == pytest.approx(2, rel=0.02)


def test_interpolated_points_keep_their_place():
    """A point between the middles of two pixels of the image is shared by both; each is a quarter of the map's."""
    params = {"interpolate": True}
    for x, shares in ((19.5, [1, 0]), (19.75, [0.75, 0.25]), (20, [0.5, 0.5]), (20.5, [0, 1])):
        found = map_of({"locations": [(x, 20.5)]}, target_image_params=params, origin="corner")
        assert (found[10, 9:11] * 4).tolist() == pytest.approx(shares)


def test_jitter_is_relative_to_the_size_of_the_map():
    points = {"locations": [(40, 30)]}
    moved = []
    for seed in range(400):
        found = map_of(points, target_image_params={"jitter": 0.05}, seed=seed)
        moved.extend(np.argwhere(found).tolist())
    rows, columns = np.array(moved).T
    assert len(moved) > 390
    assert columns.std() == pytest.approx(0.05 * 40, rel=0.15)
    assert rows.std() == pytest.approx(0.05 * 30, rel=0.15)
    assert (columns.mean(), rows.mean()) == pytest.approx((20, 15), abs=0.4)


@pytest.mark.parametrize(("ratio", "count"), [(1, 5), (0.5, 3), (0.2, 1), (0.01, 1)])
def test_a_share_of_the_experiments_is_drawn(ratio, count):
    experiments = [{"locations": [(10 * n + 3, 8 * n + 3)]} for n in range(5)]
    seen = set()
    for seed in range(30):
        params = {"sample_ratio": ratio}
        found = np.argwhere(map_of(*experiments, {"locations": []}, target_image_params=params, seed=seed))
        assert len(found) == count
        seen |= {row for row, _ in found.tolist()}
    assert len(seen) == 5


@pytest.mark.parametrize("scale", [1e-3, 1e-9])
def test_tiny_images_cost_nothing(scale):
    """As many cells as there are pixels of the source in one of the map would be billions."""
    found = map_of({"locations": [(40, 30)]}, image_params={"scale": scale})
    assert np.isfinite(found).all()


def test_a_large_image_is_found_in_a_small_map():
    big = cv2.imencode(".png", np.zeros((1200, 1600, 3), np.uint8))[1].tobytes()
    found = map_of({"locations": [(800, 600), (801, 600)]}, image=big)
    assert found[15, 20] == pytest.approx(2 / 40**2)


@pytest.mark.parametrize(
    ("sample", "stage"),
    [
        ({"image": FILE}, "experiments"),
        ({"image": FILE, "experiments": [{"locations": [(99, 99)]}]}, "experiments"),
        ({"image": FILE, "experiments": [{"locations": [(1, 2, 3)]}]}, "experiments"),
        ({"image": FILE[:50], "experiments": [{"locations": [(1, 2)]}]}, "decode"),
    ],
)
def test_bad_samples_are_named(sample, stage):
    with pytest.raises(SampleError) as caught:
        run_worker(SaliencyWorker(IMAGE, MAP), [{"key": "it", **sample}])
    assert (caught.value.index, caught.value.key, caught.value.stage) == (0, "it", stage)


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"target_image": ((30, 40), "uint8")}, "target_image: the buffer's dtype is uint8, no float"),
        ({"target_image": ((3, 30, 40), "float32")}, "target_image: the buffer's shape is"),
        ({"target_image_params": {"maxnrom": True}}, "no 'maxnrom', did you mean 'maxnorm'"),
        ({"origin": "centre"}, "origin is 'centre', did you mean 'center'"),
        ({"annotated": "raw"}, "annotated is 'raw'"),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        SaliencyWorker(**{"image": IMAGE, "target_image": MAP, **parameters})
