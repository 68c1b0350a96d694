from __future__ import annotations

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from leaven import create
from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.protocols import ImageInfo, Region
from leaven.stream import wire
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.ops.blur import Blur
from leaven_plugins.ops.blur.op import add_blur
from leaven_plugins.ops.geometry import make_transform
from leaven_plugins.ops.noise import NoiseRGB
from leaven_plugins.ops.randomize import randomize_image
from leaven_plugins.ops.rendering import view
from leaven_plugins.ops.tone import Tone
from leaven_plugins.ops.tone.gamma import add_gamma
from leaven_plugins.workers.image import ImageWorker
from leaven_plugins.workers.image.pixels import with_channels, with_colorspace, write

RGB = picture(60, 80)
GRAY = picture(60, 80, 1)
ROW = ((3, 30, 40), "uint8")


class Fixed:
    """An RNG that draws what it is told."""

    def __init__(self, **values):
        self.values = values

    def draw(self, info, spec, random):
        return dict(self.values)


def worker(image=ROW, **parameters):
    defaults = {"ops": (Tone(), NoiseRGB(), Blur()), "decoder": OpenCVDecoder()}
    return ImageWorker(image, **{**defaults, **parameters})


def image_of(image=RGB, **parameters):
    """Return one image that a worker makes of one, ``(height, width, channels)``, and its parameters."""
    batch = run_worker(worker(**parameters), [{"image": png(image)}])
    return batch["image"][0].transpose(1, 2, 0), batch["augmentation"][0]


def image_of_size(shape, image=RGB, **parameters):
    batch = run_worker(worker((shape, "uint8"), **parameters), [{"image": png(image)}])
    return batch["image"][0].transpose(1, 2, 0), batch["augmentation"][0]


def seen(image, size, **parameters):
    """The fast way by hand."""
    info = OpenCVDecoder().decode(png(image))
    return view(info, make_transform(image.shape[:2], size, **parameters), size)


def test_an_image_fills_its_row():
    got, augmentation = image_of()
    np.testing.assert_array_equal(got, seen(RGB, (30, 40)))
    assert augmentation == {"gpu_augmentation": False}


def test_a_row_of_the_images_size_is_the_image():
    got, _ = image_of_size((3, 60, 80))
    np.testing.assert_array_equal(got, RGB)


@pytest.mark.parametrize("angle", [0, 20])
def test_exact_is_what_randomize_image_makes(angle):
    fixed = {"scale": 1.3, "angle": angle, "shift": [0.5, -1], "hmirror": True, "background": 9}
    got, _ = image_of(image_params=fixed, exact=True)
    np.testing.assert_array_equal(got, randomize_image(RGB, (30, 40), **fixed))
    supersampled, _ = image_of(image_params={**fixed, "supersampling": 2})
    np.testing.assert_array_equal(supersampled, randomize_image(RGB, (30, 40), **fixed, supersampling=2))


def test_drawn_parameters_are_used_and_fixed_ones_win():
    rng = Fixed(scale=2.0, hmirror=True, contrast=0.5, order=["contrast"])
    got, augmentation = image_of(image_rng=rng, image_params={"scale": 1.5})
    np.testing.assert_array_equal(got, add_gamma(seen(RGB, (30, 40), scale=1.5, hmirror=True), contrast=0.5))
    assert augmentation == {**rng.values, "scale": 1.5, "gpu_augmentation": False}


@pytest.mark.parametrize("order", [["tone", "blur"], ["blur", "tone"], ["blur", "gamma_gray"], ["contrast", "blur"]])
def test_ops_run_in_the_order_of_the_draw(order):
    steps = {"tone": lambda im: add_gamma(im, contrast=0.9), "blur": lambda im: add_blur(im, 0.05)}
    expected = seen(RGB, (30, 40))
    for label in order:
        expected = steps["blur" if label == "blur" else "tone"](expected)
    got, _ = image_of(image_rng=Fixed(contrast=0.9, blur=0.05, order=order))
    np.testing.assert_array_equal(got, expected)


def test_without_an_order_ops_run_as_listed():
    blurred_first, _ = image_of(image_rng=Fixed(contrast=0.9, blur=0.05), ops=(Blur(), Tone()))
    np.testing.assert_array_equal(blurred_first, add_gamma(add_blur(seen(RGB, (30, 40)), 0.05), contrast=0.9))


def test_an_op_draws_for_itself_where_the_rng_did_not():
    ops = (Blur(blur_range=(0.05, 0.05)), Tone(contrast_range=(0.5, 0.5)))
    got, augmentation = image_of(image_rng=Fixed(contrast=0), ops=ops)
    assert augmentation == {"contrast": 0, "blur": 0.05, "gpu_augmentation": False}
    np.testing.assert_array_equal(got, add_blur(seen(RGB, (30, 40)), 0.05))


class Mark:
    """A third party's op, without a name, which shows its generator."""

    keys = ("mark",)

    def draw(self, random, info):
        return {"mark": True}

    def applies(self, values):
        return bool(values.get("mark"))

    def apply(self, image, values, random):
        return np.full_like(image, random.integers(256))


def test_ops_have_generators_of_their_own():
    """The same op twice does not repeat itself; another op before it changes nothing; another epoch does."""
    single, _ = image_of(ops=(Mark(),))
    after_others, _ = image_of(ops=(Tone(), Blur(), Mark()))
    twice, _ = image_of(ops=(Mark(), Mark()))
    np.testing.assert_array_equal(single, after_others)
    assert (single != twice).all()
    made = worker(ops=(Mark(),))
    values = {
        int(run_worker(made, [{"image": png(RGB)}], [i], epoch, seed)["image"][0, 0, 0, 0])
        for i in range(3)
        for epoch in range(2)
        for seed in range(2)
    }
    assert len(values) > 9


def test_ops_on_the_device():
    got, augmentation = image_of(image_rng=Fixed(contrast=0.5, blur=0.1), gpu_augmentation=True)
    np.testing.assert_array_equal(got, seen(RGB, (30, 40)))
    assert augmentation == {"contrast": 0.5, "blur": 0.1, "gpu_augmentation": True, "cell": [0, 0]}


def test_some_ops_on_the_device():
    drawn = {"contrast": 0.5, "noise": 0.2, "blur": 0.1, "order": ["blur", "noise", "contrast"]}
    got, augmentation = image_of(image_rng=Fixed(**drawn), gpu_augmentation=("tone", "blur"))
    noisy, _ = image_of(image_rng=Fixed(noise=0.2))
    np.testing.assert_array_equal(got, noisy)
    assert augmentation == {**drawn, "gpu_augmentation": ["tone", "blur"], "cell": [0, 0]}


def test_a_second_op_of_a_name_is_left_with_the_first():
    ops = Blur(blur_range=(0.1, 0.1)), Tone(), Blur()
    got, _ = image_of(ops=ops, gpu_augmentation=["blur"])
    np.testing.assert_array_equal(got, seen(RGB, (30, 40)))


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (["tone", "blurr"], "no op 'blurr', did you mean 'blur'.*blur, noise_rgb, tone"),
        (["contrast"], "no op 'contrast'"),
        ("tone", "list of names"),
        (3, "list of names"),
    ],
)
def test_only_ops_of_the_worker_can_be_left(left, text):
    with pytest.raises(ParameterError, match=text):
        worker(gpu_augmentation=left)


def test_the_fill_value_is_the_background():
    for fill, expected in ((7, [7, 7, 7]), ([1, 2, 3], [1, 2, 3])):
        batch = run_worker(worker((*ROW, fill), image_params={"scale": 0.5}), [{"image": png(RGB)}])
        assert batch["image"][0, :, 0, 0].tolist() == expected
    got, augmentation = image_of(image_params={"scale": 0.5, "background": [4, 5, 6]})
    assert got[0, 0].tolist() == augmentation["background"] == [4, 5, 6]


@pytest.mark.parametrize(("source", "shape"), [(RGB, (1, 30, 40)), (GRAY, (1, 30, 40)), (GRAY, (3, 30, 40))])
def test_colour_and_grey_into_one_another(source, shape):
    got, _ = image_of_size(shape, source)
    grey = source if source.shape[2] == 1 else cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)[:, :, None]
    expected = seen(np.repeat(grey, 3, 2), (30, 40))[:, :, : shape[0]]
    np.testing.assert_allclose(got, expected, atol=1)


def test_color_false_is_grey():
    got, augmentation = image_of(image_params={"color": False, "gamma_color": [0.5, 1, 2]})
    np.testing.assert_array_equal(got, np.repeat(got[:, :, :1], 3, 2))
    np.testing.assert_allclose(got[:, :, 0], cv2.cvtColor(seen(RGB, (30, 40)), cv2.COLOR_RGB2GRAY), atol=1)
    assert augmentation["color"] is False


def test_four_channels_are_what_the_file_holds():
    rgba = np.dstack([RGB, GRAY])
    data = cv2.imencode(".png", cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))[1].tobytes()
    batch = run_worker(worker(((4, 60, 80), "uint8"), ops=()), [{"image": data}])
    np.testing.assert_array_equal(batch["image"][0].transpose(1, 2, 0), rgba)
    with pytest.raises(SampleError, match="an image of 3 channels cannot become one of 4"):
        run_worker(worker(((4, 60, 80), "uint8"), ops=()), [{"image": png(RGB)}])


@pytest.mark.parametrize("name", ["hsv", "HLS", "Lab", "ycrcb", "gray", "rgb", None, False, ""])
def test_colour_spaces(name):
    got, augmentation = image_of(image_params={"colorspace": name, "contrast": 0.5})
    changed = add_gamma(seen(RGB, (30, 40)), contrast=0.5)
    codes = {"hsv": "HSV_FULL", "hls": "HLS_FULL", "lab": "LAB", "ycrcb": "YCrCb", "gray": "GRAY"}
    code = codes.get(str(name).lower())
    expected = changed if code is None else cv2.cvtColor(changed, getattr(cv2, f"COLOR_RGB2{code}"))
    np.testing.assert_array_equal(got, expected if expected.ndim == 3 else np.repeat(expected[:, :, None], 3, 2))
    assert "colorspace" not in augmentation


def test_grey_images_have_no_hue():
    with pytest.raises(SampleError, match="colorspace 'hsv' of an image of 1 channels"):
        image_of(GRAY, image_params={"colorspace": "hsv", "color": False})
    assert with_colorspace(RGB, "gray").shape == (60, 80, 1)


def test_sixteen_bits_in_grey():
    wide = np.linspace(0, 65535, 60 * 80).reshape(60, 80).astype(np.uint16)
    data = cv2.imencode(".png", wide)[1].tobytes()
    for dtype, expected in (("uint16", wide), ("float32", wide), ("uint8", np.rint(wide / 257.0))):
        batch = run_worker(worker(((1, 60, 80), dtype), ops=()), [{"image": data}])
        np.testing.assert_array_equal(batch["image"][0, 0], expected)


# ---- writing


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bytes_keep_their_values(dtype, channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    batch = np.zeros((2, channels, 5, 7), dtype)
    write(image, batch[1])
    np.testing.assert_array_equal(batch[1], image.transpose(2, 0, 1))
    assert not batch[0].any()


@pytest.mark.parametrize(
    ("values", "source", "target", "expected"),
    [
        ([0, 257, 65535], "uint16", "uint8", [0, 1, 255]),
        ([-32768, 0, 32767], "int16", "uint8", [0, 128, 255]),
        ([0, 128, 255], "uint8", "int8", [-128, 0, 127]),
        ([-0.1, 0.5, 1.5], "float32", "uint8", [0, 128, 255]),
        ([0, 0.5, 1], "float32", "float32", [0, 0.5, 1]),
        ([0, 1000, 65535], "uint16", "float32", [0, 1000, 65535]),
    ],
)
def test_what_does_not_fit_is_ranged(values, source, target, expected):
    row = np.zeros((1, 1, 3), target)
    write(np.array(values, source).reshape(1, 3, 1), row)
    np.testing.assert_array_equal(row.ravel(), np.array(expected, target))


def test_rows_need_not_be_contiguous():
    wide = np.zeros((3, 10, 14), np.uint8)
    write(RGB[:5, :7], wide[:, ::2, ::2])
    np.testing.assert_array_equal(wide[:, ::2, ::2], RGB[:5, :7].transpose(2, 0, 1))
    with pytest.raises(LeavenError, match="3 channels cannot become one of 2"):
        with_channels(RGB, 2)


# ---- decoding what is needed


class Watched(OpenCVDecoder):
    """Keeps what it is asked for."""

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        self.__dict__["asked"] = (color, region, min_scale)
        return super().decode(data, color=color, region=region, min_scale=min_scale)


def asked(parameters, shape=(3, 30, 40), **more):
    decoder = Watched()
    run_worker(worker((shape, "uint8"), decoder=decoder, image_params=parameters, **more), [{"image": png(RGB)}])
    return decoder.asked


def test_only_the_part_and_scale_that_are_shown_are_asked_for():
    assert asked({}) == (True, Region(0, 0, 60, 80), 0.5)
    assert asked({"scale": 2, "shift": [-1, 1]}) == (True, Region(0, 38, 32, 80), 1)
    assert asked({"scale": 4})[2] == 1
    _, region, scale = asked({"scale": 1.5, "angle": 45, "shift": [-1, -1]})
    assert scale == pytest.approx(0.75)
    assert region.right < 64
    assert asked({}, exact=True) == (True, None, 1.0)
    assert asked({}, shape=(1, 30, 40))[0] is False


def test_reduced_jpegs_look_like_averaged_ones():
    large = cv2.resize(cv2.GaussianBlur(RGB, (0, 0), 2), (640, 480), interpolation=cv2.INTER_CUBIC)
    data = cv2.imencode(".jpg", large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    for angle in (0, 15):
        fixed = {"scale": 1.2, "shift": [0.3, -0.4], "angle": angle}
        fast, exact = (
            run_worker(worker(image_params=fixed, exact=exact), [{"image": data}])["image"][0].astype(int)
            for exact in (False, True)
        )
        assert np.abs(fast - exact).mean() < 3
        assert np.corrcoef(fast.ravel(), exact.ravel())[0, 1] > 0.99


# ---- images that are arrays


@pytest.mark.parametrize(
    ("dtype", "channels"), [("uint8", 1), ("uint8", 3), ("uint8", 4), ("uint16", 1), ("uint16", 4)]
)
def test_arrays_are_images_as_well(dtype, channels):
    image = np.random.default_rng(0).integers(0, 256, (30, 41, channels)).astype(dtype)
    batch = run_worker(worker(((channels, 30, 41), dtype), ops=()), [{"image": image}, {"image": image[::-1]}])
    np.testing.assert_array_equal(batch["image"][0].transpose(1, 2, 0), image)
    np.testing.assert_array_equal(batch["image"][1].transpose(1, 2, 0), image[::-1])


def test_an_array_goes_the_way_of_the_same_file():
    fixed = {"scale": 1.2, "angle": 10, "contrast": 0.3}
    made = worker(((3, 30, 40), "uint8"), image_params=fixed)
    batch = run_worker(made, [{"image": RGB}, {"image": png(RGB)}, {"image": GRAY}, {"image": png(GRAY)}])
    np.testing.assert_array_equal(batch["image"][0], batch["image"][1])
    np.testing.assert_array_equal(batch["image"][2], batch["image"][3])


# ---- mistakes


@pytest.mark.parametrize(
    ("sample", "stage", "text"),
    [
        ({"imge": b""}, "prepare", r"no key 'image', did you mean 'imge'\?; the sample has: imge"),
        ({"label": 1, "key": "a"}, "prepare", "no key 'image'; the sample has: key, label"),
        ({"image": "text"}, "prepare", "'image' is of type str; it has to be the bytes of an image file"),
        (
            {"image": np.zeros((3, 8, 9), "uint8")},
            "prepare",
            r"'image' is an array of shape \(3, 8, 9\) and dtype uint8",
        ),
        ({"image": np.zeros((8, 9), "float32")}, "prepare", "dtype float32; it has to be"),
        ({"image": np.zeros((0, 9, 3), "uint8")}, "prepare", "there are no pixels in it"),
        ({"image": b""}, "decode", "DecodeError: no image: 0 bytes"),
        ({"image": png(RGB)[:300], "key": "cat.png"}, "decode", r"sample 0 \(cat.png\): decode failed: .* cut off"),
        ({"image": b"GIF89a"}, "decode", "gif image of 6 bytes is cut off within its header"),
    ],
)
def test_bad_samples_are_named(sample, stage, text):
    with pytest.raises(SampleError, match=text) as caught:
        run_worker(worker(), [sample])
    assert caught.value.index == 0
    assert caught.value.stage == stage


def test_a_drawn_value_that_makes_no_sense_names_the_sample():
    with pytest.raises(SampleError, match="sample 0: prepare failed: ImageError: scale is -1"):
        image_of(image_rng=Fixed(scale=-1))


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"image": ((30, 40), "uint8")}, r"shape is \(30, 40\); it has to be \(channels, height, width\)"),
        ({"image": ((2, 30, 40), "uint8")}, "with 1, 3 or 4 channels"),
        ({"image": ((3, 30, 40), "complex64")}, "dtype is complex64"),
        ({"image_params": {"angel": 3}}, "image_params has no 'angel', did you mean 'angle'"),
        ({"image_params": {"blur": 3}, "ops": ()}, "image_params has no 'blur'; there are angle, aspect"),
        (
            {"image_params": {"interp_method": "liner"}},
            "interp_method: no interpolation 'liner', did you mean 'linear'",
        ),
        ({"image_params": {"scale_mode": "long"}}, "scale_mode is 'long'"),
        ({"image_params": {"colorspace": "cmyk"}}, "colorspace is 'cmyk'"),
        (
            {"image_params": {"colorspace": "lab"}, "image": ((1, 30, 40), "uint8")},
            "'lab' has 3 channels, but the image",
        ),
    ],
)
def test_parameters_are_checked(parameters, text):
    with pytest.raises(ParameterError, match=text):
        worker(**parameters)


# ---- as a component


def test_other_keys_may_hold_the_image():
    batch = run_worker(worker(source="photo"), [{"photo": png(RGB)}])
    assert batch["image"].any()


def test_names_are_resolved_also_without_create():
    """A subclass may leave ops and decoder to their defaults."""

    class Named(ImageWorker):
        def __init__(self, image):
            super().__init__(image, image_rng="none")

    np.testing.assert_array_equal(
        run_worker(Named(ROW), [{"image": png(RGB)}])["image"],
        run_worker(create("worker:image", image=ROW), [{"image": png(RGB)}])["image"],
    )


def test_the_augmentation_travels():
    rng = create(
        "rng:mixture", rotation_sigma=5, noise_range=(0.1, 0.2), color_range=(-0.2, 0.2), interpolations=[0, 1]
    )
    batch = run_worker(worker(image_rng=rng), [{"image": png(RGB)}] * 3)
    assert wire.unpack(wire.pack(batch["augmentation"])) == batch["augmentation"]
    assert len({draw["angle"] for draw in batch["augmentation"]}) == 3


@pytest.mark.parametrize(("is_worker", "threads"), [("1", "1"), ("", "2")])
def test_opencv_is_set_up_in_processes_of_workers_only(is_worker, threads):
    code = (
        "import cv2; cv2.setNumThreads(2)\n"
        "from leaven_plugins.decoders.opencv import OpenCVDecoder\n"
        "from leaven_plugins.workers.image import ImageWorker\n"
        "ImageWorker(((3, 8, 8), 'uint8'), ops=(), decoder=OpenCVDecoder()).setup()\n"
        "print(cv2.getNumThreads())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment(LEAVEN_WORKER=is_worker),
    )
    assert done.stdout.split() == [threads]


def environment(**more):
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def test_the_header_is_not_a_guess():
    """What an RNG is told is what the decoder found."""
    told = []

    class Curious:
        def draw(self, info, spec, random):
            told.append((info, spec.shape))
            return {}

    image_of(image_rng=Curious())
    assert told == [(ImageInfo(60, 80, 3, 1), (3, 30, 40))]
