"""The ops on a device are those of the workers: the same numbers, up to rounding, and noise of the same kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven.protocols import ImageInfo
from leaven.testing.tools import picture
from leaven_plugins.augmenters.steps import merged
from leaven_plugins.augmenters.torch.affine import affine
from leaven_plugins.augmenters.torch.functions import add_blur, add_gamma, add_noise_other, add_noise_rgb
from leaven_plugins.augmenters.torch.noise import uniform
from leaven_plugins.augmenters.torch.op import Form
from leaven_plugins.augmenters.torch.randomizer import Randomizer
from leaven_plugins.augmenters.torch.table import OPS
from leaven_plugins.augmenters.units import DTYPES
from leaven_plugins.ops.geometry import make_transform
from leaven_plugins.ops.interpolation import LINEAR, NEAREST
from leaven_plugins.ops.noise import reference
from leaven_plugins.ops.rendering import warp
from leaven_plugins.ops.tone.gamma import add_gamma as add_gamma_to_one

SMOOTH = np.stack([picture(40, 56), picture(40, 56)[::-1, ::-1]])  # (rows, height, width, channels)
INFO = ImageInfo(40, 56, 3)


def batch(images):
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def rows(tensor):
    return tensor.numpy().transpose(0, 2, 3, 1)


def told(*values):
    return [{"gpu_augmentation": True, "cell": [0, row], **each} for row, each in enumerate(values)]


# ---- one definition on both sides

# op -> values that it applies to, by how much 8 bits may differ at most and in the mean, and floats within [0, 1]
PARITY = {
    "tone": ({"gamma_gray": 0.6, "gamma_color": [0.9, 1, 1.3], "contrast": 0.7}, 0, 0, 1e-5),
    "grayscale": ({"grayscale": True}, 1, 0.1, 1e-5),
    "brighten": ({"brighten": 1.4}, 1, 0.1, 1e-5),
    "contrast_factor": ({"contrast_factor": 0.4}, 1, 0.1, 1e-5),
    "saturate": ({"saturate": 1.8}, 1, 0.1, 1e-5),
    "hue": ({"hue": 70}, 9, 2, 1e-4),  # in 8 bits the worker's hue is one of 256
    "saturation": ({"saturation": 0.5}, 6, 1.5, 1e-4),
    "flip": ({"flip_left_right": True, "flip_top_bottom": True}, 0, 0, 0),
}


@pytest.mark.parametrize("name", PARITY)
def test_an_op_is_that_of_the_worker(name):
    values, most, mean, float_most = PARITY[name]
    op, device = create(f"op:{name}"), Randomizer(ops=[name])
    for images, limits in ((SMOOTH, (most, mean)), (SMOOTH.astype(np.float32) / 255, (float_most, float_most))):
        wanted = np.stack([op.apply(image, values, np.random.default_rng(0)) for image in images])
        got = rows(device({"image": batch(images), "augmentation": told(values, values)})["image"])
        apart = np.abs(got.astype(np.float64) - wanted)
        assert got.dtype == wanted.dtype
        assert apart.max() <= limits[0]
        assert apart.mean() <= limits[1]


@settings(max_examples=20, deadline=None)
@given(
    gray=st.none() | st.floats(0.05, 8),
    color=st.none() | st.lists(st.floats(0.05, 8), min_size=3, max_size=3),
    contrast=st.floats(-1, 1),
)
def test_every_tone_of_8_bits_is_exact(gray, color, contrast):
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, 3)
    values = {"gamma_gray": gray, "gamma_color": color, "contrast": contrast}
    got = rows(add_gamma(batch(ramp), [values]))[0]
    apart = got.astype(int) - add_gamma_to_one(ramp[0], True, gray, color, contrast)
    assert np.abs(apart).max() <= 1
    assert np.count_nonzero(apart) <= 2  # one of the two rounded a half the other way


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int16", "int32", "float16", "bfloat16", "float64"])
def test_tone_of_every_dtype(dtype):
    unit = torch.linspace(0, 1, 64, dtype=torch.float64).view(1, 1, 8, 8)
    kind = DTYPES[dtype]
    low, high = (0, 1) if kind.is_floating_point else (torch.iinfo(kind).min, torch.iinfo(kind).max)
    images = (unit * (high - low) + low).to(kind)
    got = add_gamma(images, [{"gamma_gray": 0.5, "contrast": 0.4}])
    assert got.dtype == kind
    exact = add_gamma_to_one(unit[0].permute(1, 2, 0).numpy(), True, 0.5, None, 0.4)
    back = (got.to(torch.float64) - low) / (high - low)
    np.testing.assert_allclose(back[0].permute(1, 2, 0).numpy(), exact, atol=0.02)


@pytest.mark.parametrize("gamma", [0.01, 0.1, 0.4])
@pytest.mark.parametrize("contrast", [-1, 0.3, 1])
def test_black_stays_black(gamma, contrast):
    images = torch.tensor([0.0, 0.5]).view(1, 1, 1, 2)
    got = add_gamma(images, [{"gamma_gray": gamma, "contrast": contrast}])
    wanted = add_gamma_to_one(images[0].permute(1, 2, 0).numpy(), True, gamma, None, contrast)
    np.testing.assert_allclose(got[0].permute(1, 2, 0).numpy(), wanted, atol=1e-5)


@pytest.mark.parametrize("blur", [0.002, 0.01, 0.02, 0.05])
def test_blur_is_that_of_the_worker(blur):
    op = create("op:blur")
    wanted = np.stack([op.apply(image, {"blur": blur}, None) for image in SMOOTH.astype(np.float32) / 255])
    got = rows(add_blur(batch(SMOOTH.astype(np.float32) / 255), [{"blur": blur}] * 2))
    assert np.abs(got - wanted).mean() <= 0.01
    margin = int(blur * 56 * 4) + 1  # beyond borders the worker has mirrored pixels, the device the nearest one
    assert np.abs(got - wanted)[:, margin:-margin, margin:-margin].max(initial=0) <= 0.01
    eight = rows(add_blur(batch(SMOOTH), [{"blur": blur}] * 2))
    assert np.abs(eight / 255 - wanted).mean() <= 0.01


@pytest.mark.parametrize("dtype", DTYPES)
def test_some_rows_of_every_dtype(dtype):
    kind = DTYPES[dtype]
    images = (torch.rand(3, 3, 12, 14) * (1 if kind.is_floating_point else 120)).to(kind)
    values = told({}, {"flip_left_right": True}, {"blur": 0.1, "flip_top_bottom": True})
    got = Randomizer(ops=["flip", "blur"])({"image": images, "augmentation": values})["image"].double()
    wanted = images.double()
    assert torch.equal(got[:2], torch.stack([wanted[0], wanted[1].flip(2)]))
    step = 0.01 if kind.is_floating_point else 0.51
    blurred = add_blur(wanted[2:].flip(2), [{"blur": 0.1}])
    torch.testing.assert_close(got[2:], blurred, atol=step, rtol=0)


def test_rows_without_blur_stay_bit_by_bit():
    images = torch.rand(3, 3, 20, 24) * 7 - 3  # any range
    got = add_blur(images, [{"blur": 0.1}, {}, {"blur": 0.0}])
    assert torch.equal(got[1:], images[1:])
    assert not torch.equal(got[0], images[0])


@pytest.mark.parametrize(("name", "device"), [("add_noise_rgb", add_noise_rgb), ("add_noise_other", add_noise_other)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_noise_is_of_the_same_kind(name, device, dtype):
    gray = np.full((96, 128, 3), 128 if dtype == "uint8" else 0.5, dtype)
    random = np.random.default_rng(0)
    worker = np.stack([getattr(reference, name)(gray, 0.2, random) for _ in range(8)])
    got = rows(device(batch(np.stack([gray] * 8)), [{"noise": 0.2}] * 8, seed=5)).astype(np.float64)
    size = 255 if dtype == "uint8" else 1
    for channel in range(3):
        one, other = worker[..., channel] / size, got[..., channel] / size
        assert one.mean() == pytest.approx(other.mean(), abs=0.004)
        assert one.std() == pytest.approx(other.std(), rel=0.02)
        neighbours = [np.corrcoef(part[:, :, 1:].ravel(), part[:, :, :-1].ravel())[0, 1] for part in (one, other)]
        assert neighbours[0] == pytest.approx(neighbours[1], abs=0.03)
    channels = np.corrcoef(got.reshape(-1, 3).T)
    assert np.abs(channels - np.eye(3)).max() < 0.03


@pytest.mark.parametrize("name", ["noise_rgb", "noise_other"])
def test_noise_of_grey_rows_is_grey(name):
    images = torch.full((2, 3, 24, 32), 128, dtype=torch.uint8)
    values = told({"noise": 0.3, "color": False}, {"noise": 0.3})
    gray, color = Randomizer(ops=[name])({"image": images, "augmentation": values})["image"]
    assert torch.equal(gray, gray[:1].expand(3, -1, -1))
    assert gray.double().std() == pytest.approx(0.3 * 255 / 3**0.5, rel=0.05)
    assert not torch.equal(color[0], color[1])
    with_alpha = {"image": torch.full((1, 4, 8, 8), 128, dtype=torch.uint8), "augmentation": values[:1]}
    (colors,) = Randomizer(ops=[name])(with_alpha)["image"]
    assert not torch.equal(colors[0], colors[2])


def test_noise_is_kept_within_its_limits():
    images = torch.rand(1, 3, 16, 16) * 255
    for add_noise in (add_noise_rgb, add_noise_other):
        got = add_noise(images, [{"noise": 1.0}], 10, 200, seed=1)
        assert (got.min(), got.max()) == (10, 200)


def test_uniform_numbers_are_uniform():
    numbers = uniform(torch.tensor([[1, 2], [1, 3], [-5, 2]], dtype=torch.int32), (200, 200)).flatten(1).double()
    for row in numbers:
        counts = torch.histc(row, 16, -1, 1)
        assert ((counts - 2500) ** 2 / 2500).sum() < 45  # chi squared of 15 degrees: 1 in 10000 is above
        assert abs((row[1:] * row[:-1]).mean()) < 0.01
    assert (torch.corrcoef(numbers) - torch.eye(3)).abs().max() < 0.02


@pytest.mark.parametrize(("method", "name"), [(LINEAR, "linear"), (NEAREST, "nearest")])
def test_affine_is_the_workers_warp(method, name):
    size = (30, 44)
    matrices = np.stack(
        [make_transform((40, 56), size, angle=0.3, scale=1.4), make_transform((40, 56), size, shift=(0.2, -0.1))]
    )
    wanted = np.stack([warp(image, matrix, size, method, 77) for image, matrix in zip(SMOOTH, matrices, strict=True)])
    got = rows(affine(batch(SMOOTH), matrices, size, name, 77))
    apart = np.abs(got.astype(int) - wanted)
    assert np.mean(apart <= (3 if method == LINEAR else 0)) > 0.97
    assert apart.mean() < (0.7 if method == LINEAR else 2)


# ---- a batch


@settings(max_examples=60)
@given(
    st.lists(
        st.permutations(["a", "b", "c", "d"]).flatmap(lambda order: st.sampled_from([order[:n] for n in range(5)]))
    )
)
def test_every_row_goes_through_its_ops_in_its_order(sequences):
    steps = merged(sequences)
    for row, wanted in enumerate(sequences):
        assert [step.op for step in steps if step.rows[row]] == list(wanted)
    assert all(step.rows.any() for step in steps)


def test_the_order_is_that_of_the_draw():
    values = {"contrast": 1.0, "blur": 0.05}
    orders = [["contrast", "blur"], ["blur", "contrast"]]
    got = Randomizer()(
        {"image": batch(SMOOTH[[0, 0]]), "augmentation": told(*({**values, "order": o} for o in orders))}
    )
    for row, order in enumerate(orders):
        image = batch(SMOOTH[:1])
        for key in order:
            image = (add_gamma if key == "contrast" else add_blur)(image, [{key: values[key]}])
        assert torch.equal(got["image"][row], image[0])


def test_autocast_is_for_networks():
    sample = {"image": batch(SMOOTH).float() / 255, "augmentation": told({"blur": 0.05}, {"hue": 30})}
    alone = Randomizer(ops=["blur", "hue"])(sample)["image"]
    moved = affine(sample["image"], np.array([[[1, 0.2, 3], [0, 0.9, 1]]] * 2))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(Randomizer(ops=["blur", "hue"])(sample)["image"], alone)
        assert torch.equal(add_blur(sample["image"], [{"blur": 0.05}, {}])[0], alone[0])
        assert torch.equal(affine(sample["image"], np.array([[[1, 0.2, 3], [0, 0.9, 1]]] * 2)), moved)


def test_only_what_was_left_out_is_done():
    values = {"contrast": 1.0, "blur": 0.05, "gpu_augmentation": ["tone"]}
    got = Randomizer()({"image": batch(SMOOTH[:1]), "augmentation": [values]})["image"]
    assert torch.equal(got, add_gamma(batch(SMOOTH[:1]), [{"contrast": 1.0}]))


def test_rows_without_a_cell_have_other_noise_each_time():
    augment, sample = Randomizer(), {"image": batch(SMOOTH), "augmentation": [{"noise": 0.3}, {"noise": 0.3}]}
    first, second = augment(sample)["image"], augment(sample)["image"]
    assert not torch.equal(first, second)
    assert torch.equal(Randomizer()(sample)["image"], first)
    assert not torch.equal(Randomizer(seed=1)(sample)["image"], first)


def test_it_normalises_and_hands_on_to_a_network():
    net = torch.nn.Module()
    net.forward = lambda sample: {**sample, "output": sample["image"].mean()}
    augment = Randomizer(net, normalize=([0.5, 0.4, 0.3], [0.2, 0.25, 0.3]), out_dtype="float16")
    sample = {"image": batch(SMOOTH), "augmentation": told({}, {"gamma_gray": 2})}
    got = augment(sample)
    pixels = torch.cat([batch(SMOOTH)[:1], add_gamma(batch(SMOOTH)[1:], [{"gamma_gray": 2}])]).double() / 255
    mean, std = (torch.tensor(part).view(1, 3, 1, 1) for part in ([0.5, 0.4, 0.3], [0.2, 0.25, 0.3]))
    assert got["image"].dtype == torch.float16
    torch.testing.assert_close(got["image"].double(), (pixels - mean) / std, atol=2e-3, rtol=1e-3)
    assert got["output"] == got["image"].mean()
    assert Randomizer(out_dtype="float32")({**sample, "augmentation": told({}, {})})["image"].max() <= 1


def test_ops_that_are_named_have_the_workers_order():
    drawn = {"contrast": 1, "blur": 0.05, "cell": [0, 0]}
    sample = {"image": batch(SMOOTH[:1])}

    def done(**values):
        return Randomizer()({**sample, "augmentation": [{**drawn, **values}]})["image"]

    wanted = done(order=["blur", "contrast"])
    assert torch.equal(done(gpu_augmentation=["blur", "tone", "blur"]), wanted)
    assert not torch.equal(done(gpu_augmentation=["tone", "blur"]), wanted)


def test_gradients_pass_through():
    values = told({"flip_left_right": True}, {"blur": 0.05, "noise": 0.1, "gamma_gray": 2.0})
    images = torch.rand(2, 3, 12, 14, requires_grad=True)
    augment = Randomizer(ops=["tone", "noise_rgb", "blur", "flip"])
    augment({"image": images, "augmentation": values})["image"].sum().backward()
    assert (images.grad[0] == 1).all()
    assert (images.grad[1] > 0).any()


def test_channels_stay_beside_each_other():
    values = told({"gamma_gray": 0.5}, {"gamma_gray": 2})
    images = batch(SMOOTH)
    turned = images.contiguous(memory_format=torch.channels_last)
    plain, last = (Randomizer()({"image": each, "augmentation": values})["image"] for each in (images, turned))
    assert plain.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(plain, last)


def test_nothing_to_do_is_told_once():
    augment, sample = (
        Randomizer(),
        {"image": batch(SMOOTH), "augmentation": [{"gpu_augmentation": False, "noise": 1}] * 2},
    )
    with pytest.warns(UserWarning, match="gpu_augmentation=True"):
        assert augment(sample)["image"] is sample["image"]
    assert augment(sample)["image"] is sample["image"]
    Randomizer().eval()(sample)


def test_it_takes_what_workers_draw():
    rng = create("rng:mixture", prob=0.8, noise_range=(0, 0.2), blur_range=(0, 0.03), brightness_range=(-0.5, 0.5))
    values = [rng.draw(INFO, None, np.random.default_rng(seed)) for seed in range(12)]
    images = batch(np.repeat(SMOOTH, 6, 0))
    got = Randomizer()({"image": images, "augmentation": told(*values)})["image"]
    changed = [any(OPS[name].op.applies(row) for name in ("tone", "noise_rgb", "blur")) for row in values]
    assert [not torch.equal(one, other) for one, other in zip(images, got, strict=True)] == changed


# ---- on a device


def test_no_op_waits_for_the_device():
    """Tensors of torch's meta device have no values: to ask for one is an error."""
    values = [used for used, *_ in PARITY.values()]
    values += [{"noise": 0.2}, {"blur": 0.03}]
    images = torch.empty(len(values), 3, 24, 32, dtype=torch.uint8, device="meta")
    augment = Randomizer(ops=list(OPS), normalize=([0.5], [0.2]))
    got = augment({"image": images, "augmentation": told(*values)})["image"]
    assert (got.shape, got.dtype) == (images.shape, torch.float32)


@pytest.mark.parametrize("name", ["tone", "noise_rgb", "blur", "hue"])
def test_an_op_is_one_graph(name):
    """What depends on values alone is no other graph: the same one serves all batches of this shape."""
    form = Form(3, 16, 20, np.array([7, 8], np.uint64))
    values = {"gamma_gray": 0.5, "noise": 0.2, "blur": 0.02, "hue": 20}
    columns = {key: torch.from_numpy(part) for key, part in OPS[name].columns([values, {}], form).items()}
    images = torch.randint(0, 256, (2, 3, 16, 20), dtype=torch.uint8)
    from leaven_plugins.augmenters.units import span_of

    change = torch.compile(OPS[name].change, fullgraph=True, backend="eager")
    span = span_of(torch.uint8)
    assert torch.equal(change(images, columns, span), OPS[name].change(images, columns, span))


# ---- mistakes


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"image": np.zeros((2, 3, 4, 4), np.uint8)}, "feed:torch"),
        ({"image": torch.zeros(3, 4, 4)}, r"\(rows, channels, height, width\)"),
        ({"image": torch.zeros(2, 3, 4, 4, dtype=torch.int64)}, "int64.*use one of uint8"),
        ({"augmentation": [{}]}, "1 entries for 2 rows"),
        ({"augmentation": [{}, 3]}, "type int"),
        ({"augmentation": {"gamma_gray": [1, 2]}}, "type dict"),
        ({"augmentation": [{}, {"gpu_augmentation": ["hue"]}]}, "'hue' was left to the device.*blur, noise_rgb, tone"),
        ({"augmentation": [{}, {"noise": "much"}]}, "'noise_rgb' cannot read its values.*much"),
        ({"augmentation": [{}, {"gamma_gray": "much"}]}, "'tone' cannot read its values"),
        ({"augmentation": [{}, {"blur": float("inf")}]}, "'blur' cannot read its values"),
        ({"augmentation": [{}, {"noise": 0.1, "cell": [1]}]}, "cell is .1.; it has to be two whole numbers"),
        ({"augmentation": [{}, {"gamma_color": [1, 2]}]}, "2 values for images of 3 channels"),
    ],
)
def test_wrong_batches_are_told(wrong, text):
    with pytest.raises(ParameterError, match=text):
        Randomizer()({"image": batch(SMOOTH), "augmentation": [{}, {}], **wrong})


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"ops": ["tonne"]}, "did you mean 'tone'"),
        ({"ops": "tone"}, "list of names"),
        ({"ops": ["tone", "tone"]}, "once"),
        ({"out_dtype": "float31"}, "did you mean 'float32'"),
        ({"normalize": ([0.5], [0.0])}, "above 0"),
        ({"normalize": ([0.5], [0.1]), "out_dtype": "uint8"}, "floats"),
    ],
)
def test_wrong_parameters_are_told(parameters, text):
    with pytest.raises(ParameterError, match=text):
        Randomizer(**parameters)


def test_missing_keys_and_channels_are_told():
    for sample, text in (({}, "no key 'image'"), ({"image": batch(SMOOTH)}, "no key 'augmentation'")):
        with pytest.raises(ParameterError, match=text):
            Randomizer()(sample)
    with pytest.raises(ParameterError, match="2 means for images of 3"):
        Randomizer(normalize=([0.5, 0.5], [1, 1]))({"image": batch(SMOOTH), "augmentation": [{}, {}]})
    with pytest.raises(ParameterError, match="matrices"):
        affine(batch(SMOOTH), np.eye(3))
    with pytest.raises(LeavenError, match="interpolation"):
        affine(batch(SMOOTH), np.zeros((2, 2, 3)), interpolation="lienar")
