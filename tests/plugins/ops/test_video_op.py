from __future__ import annotations

import importlib.util
import sys

import cv2
import numpy as np
import pytest

from leaven.errors import MissingPackageError, ParameterError
from leaven.testing import OpContract
from leaven_plugins.ops.compose import Compose
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.streams import Stream
from leaven_plugins.ops.video import Video

needs_pyav = pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="PyAV is not installed")


def moving(count=8, height=72, width=96, channels=3):
    """A disc that moves to the right over a picture of low frequencies."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, channels), np.uint8)
    ground = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    frames = [ground.copy() for _ in range(count)]
    for i, frame in enumerate(frames):
        cv2.circle(frame, (10 + 8 * i, height // 2), 9, (255,) * channels, -1)
    return frames


def apart(frames, others):
    return np.mean([np.abs(a.astype(float) - b.astype(float)).mean() for a, b in zip(frames, others, strict=True)])


def done(op, frames, rate=500_000):
    return op.apply_frames(frames, {"video": rate}, np.random.default_rng(0))


@needs_pyav
class TestVideo(OpContract):
    spec = "op:video"
    params = {"video_range": [50_000, 100_000], "codec": "mpeg4", "prob": 0.8}


@needs_pyav
@pytest.mark.parametrize("codec", ["mpeg4", "h264", "vp9", "av1"])
def test_codecs_keep_the_frames_in_order_and_lose_detail(codec):
    frames = moving()
    fine, coarse = (done(Video(codec=codec), frames, rate) for rate in (3_000_000, 20_000))
    assert [frame.shape for frame in fine] == [frame.shape for frame in frames]
    assert apart(fine, frames) < apart(coarse, frames)
    assert apart(fine, frames) < 6
    assert apart(fine, frames) < apart(fine[1:] + fine[:1], frames)
    np.testing.assert_array_equal(*(np.stack(done(Video(codec=codec), frames)) for _ in range(2)))


@needs_pyav
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
@pytest.mark.parametrize("channels", [1, 3])
def test_depth_channels_and_odd_sizes_stay(dtype, channels):
    low, high = (0, 1) if dtype == "float32" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    frames = [(low + frame / 255 * (high - low)).astype(dtype) for frame in moving(3, 65, 47, channels)]
    shown = done(Video(codec="mpeg4"), frames, 5_000_000)
    assert {(frame.shape, str(frame.dtype)) for frame in shown} == {((65, 47, channels), dtype)}
    assert apart(shown, frames) < 0.05 * (float(high) - float(low))


@needs_pyav
def test_masks_are_not_compressed():
    frames = moving(3)
    op = Video(video_range=(20_000, 20_000), codec="mpeg4")
    shown = Compose([op], streams={"mask": Stream.mask()})({"image": frames, "mask": frames})
    np.testing.assert_array_equal(np.stack(shown["mask"]), np.stack(frames))
    assert apart(shown["image"], frames) > 1


@needs_pyav
def test_frames_that_no_video_holds():
    with pytest.raises(ImageError, match="one size"):
        done(Video(), [moving(1)[0], moving(1, 40)[0]])
    with pytest.raises(ImageError, match="one or three channels"):
        done(Video(), moving(2, channels=4))
    with pytest.raises(ImageError, match="vp9 cannot store frames of 2 x 70000 pixels"):
        done(Video(codec="vp9"), [np.zeros((2, 70_000, 3), np.uint8)])


def test_what_to_install_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    monkeypatch.delitem(sys.modules, "leaven_plugins.ops.video.codec", raising=False)
    with pytest.raises(MissingPackageError, match=r"pip install 'leaven\[video\]'"):
        done(Video(), moving(1))


def test_parameters_are_checked():
    with pytest.raises(ParameterError, match="codec is 'h265', did you mean 'h264'"):
        Video(codec="h265")
    with pytest.raises(ParameterError, match="fps is 0"):
        Video(fps=0)
    with pytest.raises(ParameterError, match="within 1000"):
        Video(video_range=(10, 2000))
