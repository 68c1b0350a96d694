"""The kernel: table, noise, blur and normalisation of a batch of uint8 images, read once and written once.

A program makes one tile of one channel of one image. Where the image is blurred, it reads the tile with a margin, does
what comes before the blur to all of it, and blurs by two products with banded matrices. It does the ops of
:mod:`leaven_plugins.augmenters.torch` with their numbers and the same noise; up to how sums are rounded, so does it
round.
"""

# mypy: disable-error-code="untyped-decorator, no-untyped-def, no-untyped-call"
# triton has no types, and reads annotations as its own
from __future__ import annotations

import triton
import triton.language as tl

NOTHING, TABLE, NOISE_RGB, NOISE_OTHER = 0, 1, 2, 3
"""What is done at one of the four places for ops of single pixels: two before the blur, two after it."""

_TABLE = tl.constexpr(TABLE)
_RGB = tl.constexpr(NOISE_RGB)


@triton.jit(do_not_specialize=["channels", "height", "width"])  # an axis of 1 pixel would be a plain number
def augment(
    images,
    out,
    tables,
    places,
    sigmas,
    radii,
    strengths,
    keys_rgb,
    keys_other,
    mean,
    scale,
    channels,
    height,
    width,
    tile: tl.constexpr,
    margin: tl.constexpr,
    unit: tl.constexpr,
):
    """Make one tile.

    Args:
        images: uint8 ``(rows, channels, height, width)``, contiguous.
        out: as images, of any dtype.
        tables: uint8 ``(rows, channels, 256)``.
        places: int32 ``(rows, 4)``, what is done before and after the blur.
        sigmas: float32 ``(rows,)``, in pixels.
        radii: int32 ``(rows,)``, 0 for no blur, at most ``margin``.
        strengths: float32 ``(rows,)``.
        keys_rgb: int32 ``(rows, 2)``.
        keys_other: int32 ``(rows, 2)``.
        mean: float32 ``(channels,)``, is subtracted in the end, of values within 0 and 1 if ``unit``, else 0 to 255.
        scale: float32 ``(channels,)``, is multiplied by then.
        channels: this and what follows: the form of one image.
        height: in pixels.
        width: in pixels.
        tile: pixels along each side of a tile; a power of 2, at least 16.
        margin: pixels on each side of it; ``tile + 2 * margin`` is a power of 2.
        unit: whether 255 becomes 1.
    """
    plane = tl.program_id(1).to(tl.int64)
    row, channel = plane // channels, (plane % channels).to(tl.int32)
    across = tl.cdiv(width, tile)
    top, left = (tl.program_id(0) // across) * tile, (tl.program_id(0) % across) * tile
    start = images + plane * height * width
    table = tables + plane * 256
    what = places + row * 4
    noise = strengths + row, keys_rgb + row * 2, keys_other + row * 2
    form = channel, channels, height, width
    radius = tl.load(radii + row)
    y = top + tl.arange(0, tile)[:, None]
    x = left + tl.arange(0, tile)[None, :]
    if radius > 0:
        wide_y = _inside(top - margin + tl.arange(0, tile + 2 * margin)[:, None], height)
        wide_x = _inside(left - margin + tl.arange(0, tile + 2 * margin)[None, :], width)
        wide = tl.load(start + wide_y * width + wide_x).to(tl.float32)
        wide = _pixelwise(wide, what, 0, 2, wide_y, wide_x, table, noise, form)
        value = _blurred(wide, tl.load(sigmas + row), radius, tile, margin)
    else:
        value = tl.load(start + _inside(y, height) * width + _inside(x, width)).to(tl.float32)
    value = _pixelwise(value, what, tl.where(radius > 0, 2, 0), 4, y, x, table, noise, form)
    if unit:
        value = value / 255
    value = (value - tl.load(mean + channel)) * tl.load(scale + channel)
    target = out + plane * height * width + y * width + x
    tl.store(target, value.to(out.dtype.element_ty), mask=(y < height) & (x < width))


@triton.jit
def _inside(place, length):
    """Return places, those beyond a border being the nearest ones."""
    return tl.minimum(tl.maximum(place, 0), length - 1)


@triton.jit
def _pixelwise(value, what, begin, end, y, x, table, noise, form):
    """Return values of 8 bits, as floats, after ops of single pixels: one loop, since compilation takes long."""
    for place in range(begin, end):
        op = tl.load(what + place)
        if op == _TABLE:
            value = tl.load(table + value.to(tl.int32)).to(tl.float32)
        if op >= _RGB:
            value = _rounded(value + _noise(op == _RGB, noise, form, y, x))
    return value


@triton.jit
def _noise(is_rgb, noise, form, y, x):
    """Return noise: as of a camera, or of full resolution in every channel."""
    strengths, keys_rgb, keys_other = noise
    channel, channels, height, width = form
    is_green = is_rgb & (channel == 1)
    keys = tl.where(is_rgb, keys_rgb, keys_other)
    low, high = tl.load(keys).to(tl.uint32), tl.load(keys + 1).to(tl.uint32)
    strength = tl.load(strengths) * tl.where(is_green, 127.5, 255.0)
    if is_rgb & (channels > 1) & (channel != 1):
        grain = _coarse(low, high, channel, height, width, y, x)
    else:
        plane = tl.where(is_rgb, 0, channel)
        grain = _uniform(low, high, (plane * height + y) * width + x)
    return grain * strength


@triton.jit
def _blurred(wide, sigma, radius, tile: tl.constexpr, margin: tl.constexpr):
    """Return the middle of a tile with margins under a Gaussian, rounded to 8 bits."""
    inner, outer = tl.arange(0, tile), tl.arange(0, tile + 2 * margin)
    down = _weights(outer[None, :] - margin - inner[:, None], sigma, radius)
    along = _weights(outer[:, None] - margin - inner[None, :], sigma, radius)
    # 16 bits hold whole numbers to 2048, and are rounded, not cut off as those of 32 bits are in such a product
    columns = tl.dot(down, wide.to(tl.float16)) / tl.sum(down.to(tl.float32), 1)[:, None]
    blurred = tl.dot(columns.to(tl.float16), along) / tl.sum(along.to(tl.float32), 0)[None, :]
    return _rounded(blurred)


@triton.jit
def _weights(distance, sigma, radius):
    share = distance.to(tl.float32) / sigma
    return tl.where(tl.abs(distance) <= radius, tl.exp(-0.5 * share * share), 0.0).to(tl.float16)


@triton.jit
def _coarse(low, high, channel, height, width, y, x):
    rows, columns = tl.maximum(height // 2, 1), tl.maximum(width // 2, 1)
    top, bottom, down = _between(y, rows, height)
    left, right, along = _between(x, columns, width)
    upper, lower = (channel * rows + top) * columns, (channel * rows + bottom) * columns
    above = _uniform(low, high, upper + left) * (1 - along) + _uniform(low, high, upper + right) * along
    below = _uniform(low, high, lower + left) * (1 - along) + _uniform(low, high, lower + right) * along
    return above * (1 - down) + below * down


@triton.jit
def _between(place, few, many):
    """Return between which two of ``few`` pixels one of ``many`` lies, and its share of the second one."""
    exact = tl.maximum((place.to(tl.float32) + 0.5) * (few.to(tl.float32) / many.to(tl.float32)) - 0.5, 0.0)
    first = tl.floor(exact).to(tl.int32)
    return first, tl.minimum(first + 1, few - 1), exact - first.to(tl.float32)


@triton.jit
def _uniform(low, high, place):
    """Return numbers from -1 to below 1, as ``leaven_plugins.augmenters.torch.noise.uniform`` does."""
    mixed = _scrambled(_scrambled(place.to(tl.uint32) ^ low) ^ high)
    return (mixed >> 8).to(tl.float32) * (1 / 8388608) - 1


@triton.jit
def _scrambled(number):
    number = (number ^ (number >> 16)) * 0x7FEB352D
    number = (number ^ (number >> 15)) * 0x846CA68B
    return number ^ (number >> 16)


@triton.jit
def _rounded(value):
    """Return values of 8 bits; halves, which torch rounds to even, hardly occur in sums."""
    return tl.minimum(tl.maximum(tl.floor(value + 0.5), 0.0), 255.0)
