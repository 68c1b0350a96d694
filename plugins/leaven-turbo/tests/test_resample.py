"""The resampler against a reference in floating point, a cut-out against the whole, and vector code against plain C."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

_native = pytest.importorskip("leaven_turbo._native", reason="leaven-turbo is not installed: make native")

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

GREY, YCC, RGB = 0, 1, 2
NEAREST, LINEAR, CUBIC, AREA = range(4)
JFIF = np.array([[1, 0, 1.402], [1, -0.344136, -0.714136], [1, 1.772, 0]])


@dataclass(frozen=True)
class Plane:
    samples: Bytes
    x: float
    y: float
    dx: float
    dy: float

    def packed(self) -> tuple[object, ...]:
        height, width = self.samples.shape
        stride = width + 5
        rows = np.full((height, stride), 0xAB, np.uint8)
        rows[:, :width] = self.samples
        buffer = rows.ravel()[: (height - 1) * stride + width].tobytes() + b"\xab" * 64
        return buffer, 0, stride, width, height, self.x, self.y, self.dx, self.dy


@dataclass(frozen=True)
class Picture:
    color: int
    width: int
    height: int
    planes: tuple[Plane, ...]

    @property
    def coarsest(self) -> tuple[float, float]:
        return max(plane.dx for plane in self.planes), max(plane.dy for plane in self.planes)


@dataclass(frozen=True)
class View:
    width: int
    height: int
    x: float
    y: float
    dx: float
    dy: float
    method: int = LINEAR
    channels: int = 3
    transposed: bool = False
    background: tuple[int, int, int] = (10, 20, 30)

    def packed(self, picture: Picture) -> tuple[object, ...]:
        return (self.width, self.height, self.x, self.y, self.dx, self.dy, self.transposed, picture.width,
                picture.height, self.method, self.channels, self.background)  # fmt: skip

    @property
    def counts(self) -> tuple[int, int]:
        """How many middles there are along the source's columns, and along its rows."""
        return (self.height, self.width) if self.transposed else (self.width, self.height)


LAYOUTS = ("hwc", "chw", "padded", "upside down", "wide")


def strides_of(layout: str, view: View) -> tuple[int, int, int, int, int]:
    """The buffer's size, the first pixel's offset, and the steps of rows, columns and channels."""
    height, width, channels = view.height, view.width, view.channels
    if layout == "hwc":
        return height * width * channels, 0, width * channels, channels, 1
    if layout == "chw":
        return height * width * channels, 0, width, 1, height * width
    if layout == "padded":
        return height * (3 * width + 7) + 4, 2, 3 * width + 7, 3, 1
    if layout == "upside down":
        return height * width * channels, (height - 1) * width, -width, 1, height * width
    return height * width * 8, 5, width * 8, 8, -2


def draw(picture: Picture, view: View, layout: str = "hwc", plain: bool = False) -> Bytes:
    """Draw, and check that nothing else was written."""
    size, offset, *steps = strides_of(layout, view)
    seen = []
    for fill in (0x55, 0xAA):
        out = np.full(size + 64, fill, np.uint8)
        packed = [plane.packed() for plane in picture.planes]
        _native._resample(packed, picture.color, view.packed(picture), out, (offset, *steps), plain)
        shape = (view.height, view.width, view.channels)
        pixels = np.lib.stride_tricks.as_strided(out[offset:], shape, steps)
        seen.append(pixels.copy())
        pixels[:] = fill
        assert (out == fill).all()
    np.testing.assert_array_equal(seen[0], seen[1])
    return seen[0]


# ---- the reference ----


def weights(middle: float, ratio: float, method: int) -> tuple[int, list[float]]:
    """The first sample of those that make a pixel, and their weights, without regard to where the plane ends."""
    if method == NEAREST:
        return math.floor(middle), [1.0]
    if method == AREA and ratio >= 1:
        low, high = middle - ratio / 2, middle + ratio / 2
        first = math.floor(low)
        return first, [(min(k + 1, high) - max(k, low)) / ratio for k in range(first, math.ceil(high))]
    first, part = math.floor(middle - 0.5), (middle - 0.5) % 1
    if method != CUBIC:
        return first, [1 - part, part]
    return first - 1, [cubic(1 + part), cubic(part), cubic(1 - part), cubic(2 - part)]


def cubic(distance: float, a: float = -0.75) -> float:
    if distance <= 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * (distance**3 - 5 * distance**2 + 8 * distance - 4)


def matrix(at: float, step: float, count: int, origin: float, sample: float, size: int, method: int) -> Floats:
    made = np.zeros((count, size))
    for i in range(count):
        first, taps = weights((at + step * (i + 0.5) - origin) / sample, abs(step) / sample, method)
        for k, weight in enumerate(taps):
            made[i, min(max(first + k, 0), size - 1)] += weight
    return made


def methods(picture: Picture, view: View) -> tuple[int, int]:
    """The methods along x and y: areas where others would pass over samples."""
    finest = picture.planes[0]
    is_coarse = abs(view.dx) / finest.dx >= 2, abs(view.dy) / finest.dy >= 2
    across, down = (AREA if coarse and view.method != NEAREST else view.method for coarse in is_coarse)
    return across, down


def resampled(plane: Plane, view: View, method_x: int, method_y: int) -> Floats:
    across, down = view.counts
    height, width = plane.samples.shape
    rows = matrix(view.y, view.dy, down, plane.y, plane.dy, height, method_y)
    columns = matrix(view.x, view.dx, across, plane.x, plane.dx, width, method_x)
    along = np.clip(plane.samples @ columns.T, -256, 255.99)
    made: Floats = np.clip(rows @ along, -256, 255.99)
    return made


def inside(at: float, step: float, count: int, size: int) -> NDArray[np.bool_]:
    middles = at + step * (np.arange(count) + 0.5)
    return (middles >= 0) & (middles < size)


def reference(picture: Picture, view: View) -> Floats:
    across, down = methods(picture, view)
    made = np.stack([resampled(plane, view, across, down) for plane in picture.planes], axis=-1)
    if picture.color == YCC:
        made = made[..., :1] if view.channels == 1 else (made - [0, 128, 128]) @ JFIF.T
    elif picture.color == GREY:
        made = np.repeat(made, view.channels, axis=-1)
    elif view.channels == 1:
        made = made @ np.array([[0.299], [0.587], [0.114]])
    made = np.clip(made, 0, 255)
    within = np.ix_(
        inside(view.y, view.dy, view.counts[1], picture.height), inside(view.x, view.dx, view.counts[0], picture.width)
    )
    whole = np.broadcast_to(np.array(view.background[: view.channels], float), made.shape).copy()
    whole[within] = made[within]
    return whole.transpose(1, 0, 2) if view.transposed else whole


# ---- what is drawn ----


def picture_of(color: int, width: int, height: int, sampling: tuple[int, int], eighths: int, seed: int) -> Picture:
    """Planes as a JPEG of that size would have at a scale of eighths / 8."""
    random = np.random.default_rng(seed)
    planes = []
    for p in range(1 if color == GREY else 3):
        steps = [8 / eighths * (factor if p and color == YCC else 1) for factor in sampling]
        shape = math.ceil(height / steps[1]), math.ceil(width / steps[0])
        samples = random.integers(0, 256, shape, np.uint8)
        if seed % 3 == 0:
            samples[:] = np.where(samples < 128, 0, 255)  # as far as it goes
        planes.append(Plane(samples, 0.0, 0.0, *steps))
    return Picture(color, width, height, tuple(planes))


sizes = st.integers(1, 90)
pictures = st.builds(
    picture_of,
    st.sampled_from((GREY, YCC, RGB)),
    sizes,
    sizes,
    st.sampled_from(((1, 1), (2, 1), (2, 2), (4, 1))),
    st.sampled_from((8, 4, 3, 2, 1)),
    st.integers(0, 99),
)
steps = st.one_of(
    st.floats(0.05, 3), st.floats(1.9, 45), st.sampled_from((0.5, 1.0, 2.0, 8 / 3, 16.0, 1e-6, 65535.0))
).flatmap(lambda step: st.sampled_from((step, -step)))
views = st.builds(
    View,
    st.integers(1, 70),
    st.integers(1, 70),
    st.just(0.0),
    st.just(0.0),
    steps,
    steps,
    st.sampled_from((NEAREST, LINEAR, CUBIC, AREA)),
    st.sampled_from((1, 3)),
    st.booleans(),
)
places = st.one_of(st.floats(-0.1, 1.1), st.sampled_from((0.0, 0.25, 0.5, 1.0)))


def scene_of(picture: Picture, view: View, places: tuple[float, float, float, float]) -> tuple[Picture, View]:
    """Move the view so that some place of the target shows some place of the source."""
    target_x, target_y, source_x, source_y = places
    x = picture.width * source_x - view.dx * view.counts[0] * target_x
    y = picture.height * source_y - view.dy * view.counts[1] * target_y
    return picture, replace(view, x=x, y=y)


scenes = st.builds(scene_of, pictures, views, st.tuples(places, places, places, places))


@settings(deadline=None)
@given(scenes, st.sampled_from(LAYOUTS))
def test_pixels_are_those_of_the_reference(scene: tuple[Picture, View], layout: str) -> None:
    picture, view = scene
    assume(max(abs(view.dx), abs(view.dy)) < 1000)  # the reference would take seconds
    if view.method == NEAREST:
        view = replace(view, x=round(view.x) + 0.03, y=round(view.y) + 0.03, dx=1.19, dy=-1.19)  # between two samples
    difference = np.abs(draw(picture, view, layout) - reference(picture, view))
    assert difference.max() < (0.6 if view.method == CUBIC else 0.56)


@settings(deadline=None)
@given(scenes, st.sampled_from(LAYOUTS))
def test_vector_code_gives_the_bits_of_plain_code(scene: tuple[Picture, View], layout: str) -> None:
    picture, view = scene
    np.testing.assert_array_equal(draw(picture, view, layout), draw(picture, view, layout, plain=True))


def cut(picture: Picture, box: tuple[int, int, int, int]) -> Picture:
    """Just the samples that the box touches, up to whole ones of the coarsest plane."""
    left, top, right, bottom = box
    step_x, step_y = picture.coarsest
    planes = []
    for plane in picture.planes:
        per_x, per_y = round(step_x / plane.dx), round(step_y / plane.dy)
        x0, y0 = math.floor(left / step_x) * per_x, math.floor(top / step_y) * per_y
        x1, y1 = math.ceil(right / step_x) * per_x, math.ceil(bottom / step_y) * per_y
        planes.append(Plane(plane.samples[y0:y1, x0:x1], x0 * plane.dx, y0 * plane.dy, plane.dx, plane.dy))
    return replace(picture, planes=tuple(planes))


@settings(deadline=None)
@given(scenes)
def test_a_cut_out_is_drawn_as_the_whole_is(scene: tuple[Picture, View]) -> None:
    picture, view = scene
    box = _native._view_box(view.packed(picture), *picture.coarsest)
    part = cut(picture, box) if box[0] < box[2] else replace(picture, planes=())
    np.testing.assert_array_equal(draw(part, view), draw(picture, view))


@pytest.mark.parametrize("step", [0.4, 1.0, 1.6, 1.99, 2.5, 7.3])
@pytest.mark.parametrize("method", [NEAREST, LINEAR, CUBIC, AREA])
def test_cut_outs_of_the_middle(method: int, step: float) -> None:
    picture = picture_of(YCC, 90, 88, (2, 2), 8, 7)
    for shift in range(24):
        view = View(4, 5, 31 + shift / 8, 60 - shift / 7, step, -step, method)
        part = cut(picture, _native._view_box(view.packed(picture), 2, 2))
        assert part.planes[0].samples.shape[1] < 90
        np.testing.assert_array_equal(draw(part, view), draw(picture, view))
        if method != NEAREST:
            assert np.abs(draw(part, view) - reference(picture, view)).max() < 0.6


@settings(deadline=None)
@given(scenes)
def test_the_box_is_hardly_more_than_what_is_read(scene: tuple[Picture, View]) -> None:
    picture, view = scene
    left, top, right, bottom = _native._view_box(view.packed(picture), *picture.coarsest)
    at, step, count = view.x, view.dx, view.counts[0]
    middles = (at + step * (np.arange(count) + 0.5))[inside(at, step, count, picture.width)]
    if left == right or not len(middles):
        assert (left, top, right, bottom) == (0, 0, 0, 0)
        return
    assert 0 <= left < right <= picture.width
    assert 0 <= top < bottom <= picture.height
    plane = picture.planes[-1]
    method = methods(picture, view)[0]
    for middle, edge, end in ((middles.min(), left, 0), (middles.max(), right, picture.width)):
        first, taps = weights(middle / plane.dx, abs(step) / plane.dx, method)
        reached = first * plane.dx if end == 0 else (first + len(taps)) * plane.dx
        assert abs(edge - min(max(reached, 0), picture.width)) <= 2 * plane.dx + 1


# ---- by example ----


def flat(color: int, width: int, height: int, *levels: int) -> Picture:
    planes = tuple(Plane(np.full((height, width), level, np.uint8), 0, 0, 1, 1) for level in levels)
    return Picture(color, width, height, planes)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("method", [NEAREST, LINEAR, CUBIC, AREA])
def test_a_ratio_of_one_copies(method: int, plain: bool) -> None:
    picture = picture_of(RGB, 61, 33, (1, 1), 8, 1)
    whole = np.stack([plane.samples for plane in picture.planes], axis=-1)
    view = View(40, 20, 7, 5, 1, 1, method)
    np.testing.assert_array_equal(draw(picture, view, plain=plain), whole[5:25, 7:47])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("method", [LINEAR, CUBIC, AREA])
def test_mirroring_reverses(method: int, layout: str) -> None:
    picture = picture_of(YCC, 96, 64, (2, 2), 8, 2)
    view = View(50, 30, 4.5, 3.25, 1.375, 1.75, method)
    mirrored = replace(view, x=view.x + 50 * view.dx, dx=-view.dx, y=view.y + 30 * view.dy, dy=-view.dy)
    np.testing.assert_array_equal(draw(picture, mirrored, layout), draw(picture, view, layout)[::-1, ::-1])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("channels", [1, 3])
def test_transposing_swaps_rows_and_columns(channels: int, layout: str) -> None:
    picture = picture_of(YCC, 80, 60, (2, 2), 8, 4)
    view = View(37, 21, -3, 2, 1.7, 2.4, channels=channels)
    turned = replace(view, width=21, height=37, transposed=True)
    np.testing.assert_array_equal(draw(picture, turned, layout), draw(picture, view, layout).transpose(1, 0, 2))


def test_what_lies_outside_is_background() -> None:
    made = draw(flat(GREY, 4, 3, 200), View(8, 9, -2, -1, 1, 1))
    expected = np.broadcast_to(np.array((10, 20, 30), np.uint8), (9, 8, 3)).copy()
    expected[1:4, 2:6] = 200
    np.testing.assert_array_equal(made, expected)


def test_background_alone_needs_no_planes() -> None:
    made = draw(Picture(YCC, 16, 16, ()), View(5, 4, 16, 0, 1, 1, channels=1))
    assert (made == 10).all()


def test_a_view_of_the_source_without_planes_is_refused() -> None:
    with pytest.raises(ValueError, match="0 planes: one for grey, three for colours"):
        draw(Picture(YCC, 16, 16, ()), View(5, 4, 0, 0, 1, 1))


@pytest.mark.parametrize(
    ("ycc", "rgb"),
    [
        ((76, 85, 255), (254, 0, 0)),
        ((150, 44, 21), (0, 255, 1)),
        ((29, 255, 107), (0, 0, 254)),
        ((77, 128, 128), (77, 77, 77)),
    ],
)
def test_colours_are_those_of_jfif(ycc: tuple[int, ...], rgb: tuple[int, ...]) -> None:
    made = draw(flat(YCC, 20, 20, *ycc), View(20, 20, 0, 0, 1, 1))
    assert tuple(made[10, 10].tolist()) == rgb


def test_one_channel_of_ycc_is_the_luma() -> None:
    assert (draw(flat(YCC, 9, 9, 99, 1, 2), View(20, 20, 0, 0, 0.45, 0.45, channels=1)) == 99).all()


@pytest.mark.parametrize("method", [LINEAR, AREA])
@pytest.mark.parametrize("target", [(50, 40), (224, 224), (131, 77)])
def test_opencv_agrees(method: int, target: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    picture = picture_of(RGB, 131, 97, (1, 1), 8, 5)
    view = View(*target, 0, 0, 131 / target[0], 97 / target[1], method)
    if (method == LINEAR and max(view.dx, view.dy) >= 2) or (method == AREA and min(view.dx, view.dy) < 1):
        pytest.skip("areas are taken here, or not, unlike OpenCV")
    whole = np.stack([plane.samples for plane in picture.planes], axis=-1)
    wanted = cv2.resize(whole, target, interpolation=cv2.INTER_LINEAR if method == LINEAR else cv2.INTER_AREA)
    difference = np.abs(draw(picture, view).astype(int) - wanted)
    assert difference.max() <= 1
    assert difference.mean() < 0.2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"width": 0}, "a target of 0 x 4 pixels"),
        ({"dx": 0.0}, "steps of 0 and 1 pixels"),
        ({"dy": math.nan}, "steps of 1 and nan pixels"),
        ({"x": math.inf}, r"a view from \(inf, 0\)"),
        ({"method": 4}, "method 4"),
        ({"channels": 2}, "2 channels: give 1 or 3"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, float], reason: str) -> None:
    view = replace(View(5, 4, 0, 0, 1, 1), **changes)  # type: ignore[arg-type]
    out = bytearray(4096)
    planes = [plane.packed() for plane in flat(GREY, 8, 8, 1).planes]
    with pytest.raises(ValueError, match=reason):
        _native._resample(planes, GREY, view.packed(flat(GREY, 8, 8, 1)), out, (0, 15, 3, 1), False)
    assert out == bytes(4096)
