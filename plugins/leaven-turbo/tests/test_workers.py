"""Workers that draw with turbo: the same pictures as with OpenCV but for rounding, in any transport the same bits."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import leaven
from leaven import TurboDataLoader
from leaven.testing.tools import run_worker

native = pytest.importorskip("leaven_turbo._native", reason="leaven-turbo is not installed: make native")
from drawing_parts import Listed  # noqa: E402

from leaven_turbo.decoder import TurboDecoder  # noqa: E402

WORKER = {
    "use": "worker:classification",
    "image": {"shape": (3, 56, 48), "dtype": "uint8"},
    "image_rng": {"use": "rng:random_resized_crop", "hmirror": 0.5, "vmirror": 0.3},
    "ops": [],
}


def photo(seed, height=150, width=200):
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (height // 12, width // 12, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def samples(count, *options):
    return [
        {"key": f"s{i}", "label": i, "image": cv2.imencode(".jpg", photo(i), [1, 95, *options])[1].tobytes()}
        for i in range(count)
    ]


def made(contents, **params):
    return run_worker(leaven.create(WORKER, **params), contents, seed=4)


def psnr(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize("ops", [[], [{"use": "op:blur", "blur_range": (1, 1)}]], ids=["plain", "blurred"])
def test_pictures_are_those_that_opencv_gives(ops):
    contents = samples(12)
    ours, theirs = made(contents, ops=ops), made(contents, ops=ops, decoder="opencv")
    assert ours["augmentation"] == theirs["augmentation"]
    np.testing.assert_array_equal(ours["label"], theirs["label"])
    for row in range(12):
        assert psnr(ours["image"][row], theirs["image"][row]) > 26  # OpenCV's way rounds borders to whole pixels


def test_ops_after_drawing_see_what_was_drawn():
    contents = samples(5)
    plain, noisy = made(contents), made(contents, ops=[{"use": "op:noise_rgb", "noise_range": (0.1, 0.1)}])
    difference = np.abs(plain["image"].astype(int) - noisy["image"])
    assert 0 < difference.mean() < 26
    assert difference.max() <= 27


@pytest.mark.parametrize("params", [{"angle": 20}, {"shear": (0.1, 0)}, {"interp_method": "lanczos4"}])
def test_what_cannot_be_drawn_is_rendered(params):
    contents = samples(4)
    ours = made(contents, image_params=params)
    theirs = made(contents, image_params=params, decoder="opencv")
    for row in range(4):
        assert psnr(ours["image"][row], theirs["image"][row]) > 26


def test_grey_images_and_grey_buffers():
    grey = [
        {**sample, "image": cv2.imencode(".jpg", photo(i)[..., 0])[1].tobytes()} for i, sample in enumerate(samples(4))
    ]
    for contents in (samples(4), grey):
        for shape in ((1, 56, 48), (3, 56, 48)):
            spec = {"shape": shape, "dtype": "uint8"}
            ours, theirs = made(contents, image=spec), made(contents, image=spec, decoder="opencv")
            for row in range(4):
                assert psnr(ours["image"][row], theirs["image"][row]) > 26


def test_background_shows_where_there_is_no_image():
    params = {"scale": 0.5, "background": [10, 20, 30]}
    batch = made(samples(2), image_rng="none", image_params=params)
    assert batch["image"][0, :, 0, 0].tolist() == [10, 20, 30]
    assert batch["image"][0, :, -1, -1].tolist() == [10, 20, 30]


def test_a_damaged_image_costs_its_row_only():
    contents = samples(20)
    contents[7]["image"] = contents[7]["image"][:900]
    contents[9]["image"] = b"no image"
    loader = TurboDataLoader(Listed(contents), 20, WORKER, nworkers=0, on_error="skip", max_errors=5)
    with loader:
        ((_, (batch,)),) = list(loader)
    assert [row for row in range(20) if not batch["valid"][row]] == [7, 9]
    good = made([contents[0]])
    np.testing.assert_array_equal(batch["image"][0].shape, good["image"][0].shape)


def test_counts_reach_the_loader(tmp_path):
    data = tmp_path / "data.msgpack"
    contents = samples(24)
    for sample in contents[:10]:
        sample["image"] = native.repack(sample["image"], 4, True, True, True)
        sample["image_index"] = native.make_index(sample["image"], 4)
    contents[3]["image_index"] = contents[4]["image_index"]
    leaven.default_registry().find("dataset:msgpack").load().write(data, contents)
    images = {}
    for transport, workers in (("inline", 0), ("threads", 2), ("zeromq", 2)):
        loader = TurboDataLoader({"use": "dataset:msgpack", "path": str(data)}, 8, WORKER, workers, transport=transport)
        with loader:
            images[transport] = np.concatenate([batch["image"].copy() for _, (batch,) in loader])
        assert loader.counts["turbo: indexed"] == 9
        assert loader.counts["turbo: index refused"] == 1
        assert loader.counts["turbo: by walking"] + loader.counts["turbo: plainly"] == 14
    np.testing.assert_array_equal(images["inline"], images["threads"])
    np.testing.assert_array_equal(images["inline"], images["zeromq"])


def test_masks_lie_on_drawn_images():
    """A picture that is black on its left and white on its right, and a mask of the same."""
    picture = np.zeros((120, 160, 3), np.uint8)
    picture[:, 70:] = 255
    mask = (picture[..., :1] > 0).astype(np.uint8)
    sample = {
        "key": "s",
        "image": cv2.imencode(".jpg", picture, [1, 98])[1].tobytes(),
        "label_image": cv2.imencode(".png", mask)[1].tobytes(),
    }
    worker = leaven.create(
        "worker:segmentation",
        image=((3, 64, 64), "uint8"),
        target_image=((64, 64), "uint8"),
        image_rng={"use": "rng:random_resized_crop", "hmirror": 0.5},
        ops=[],
    )
    batch = run_worker(worker, [sample] * 30, seed=2)
    seen = 0
    for image, target in zip(batch["image"], batch["target_image"], strict=True):
        wrong = (image[0] > 127) != (target > 0)
        seen += 0 < target.mean() < 1
        assert wrong.mean() <= 1 / 64
    assert seen > 5


def test_what_the_fallback_gets_is_counted_once():
    contents = samples(6)
    contents[2]["image"] = contents[2]["image"][:-300]
    with TurboDataLoader(Listed(contents), 6, WORKER, nworkers=0, on_error="skip", max_errors=5) as loader:
        list(loader)
        assert loader.counts["turbo: left to the fallback: damaged"] == 1
        assert sum(loader.counts.values()) == 6


def test_a_subclass_that_overrides_decode_means_all_images():
    class Inverted(TurboDecoder):
        def decode(self, data, **request):
            decoded = super().decode(data, **request)
            return decoded._replace(image=255 - decoded.image)

    ours = made(samples(3), decoder=Inverted(), exact=True)
    plain = made(samples(3), decoder=TurboDecoder(), exact=True)
    assert np.abs(ours["image"] - (255.0 - plain["image"])).max() <= 1
    drawn = made(samples(3), decoder=Inverted())
    assert psnr(drawn["image"], 255 - made(samples(3))["image"]) > 26
