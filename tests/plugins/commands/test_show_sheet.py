from __future__ import annotations

import cv2
import numpy as np
import pytest

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.commands.show.sheet import arranged, contact_sheet, displayable, write_sheet


def images(count, channels=1, height=24, width=24, value=0):
    return np.full((count, channels, height, width), value, np.uint8)


def ink(sheet):
    """Boxes (top, left, bottom, right) of everything that is not paper."""
    rows, columns = np.nonzero((sheet != 255).any(2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


@pytest.mark.parametrize(("count", "columns"), [(1, None), (5, 2), (16, None), (7, 20)])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_sheet_is_an_rgb_picture_with_margins(count, columns, channels):
    sheet = contact_sheet(images(count, channels), [f"label {i}" for i in range(count)], columns)
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    top, left, bottom, right = ink(sheet)
    assert min(top, left, sheet.shape[0] - bottom, sheet.shape[1] - right) >= 8


def test_small_images_are_enlarged_without_blur():
    image = np.array([[0, 50, 100], [150, 200, 250]], np.uint8)
    sheet = contact_sheet(image[None, None], [""], tile=30)
    enlarged = image.repeat(10, 0).repeat(10, 1)
    found = [
        (y, x)
        for y in range(sheet.shape[0] - 19)
        for x in range(sheet.shape[1] - 29)
        if np.array_equal(sheet[y : y + 20, x : x + 30], np.repeat(enlarged[..., None], 3, 2))
    ]
    assert len(found) == 1


def test_large_images_are_reduced_and_colours_are_kept():
    picture = np.zeros((1, 3, 400, 200), np.uint8)
    picture[:, 0] = 200  # red
    sheet = contact_sheet(picture, [""], tile=100)
    assert (sheet == (200, 0, 0)).all(2).sum() == 100 * 50


@pytest.mark.parametrize("caption", ["a caption much longer than its image is wide", "several\nlines\nof text", "ü€"])
def test_no_text_is_cut(caption):
    tall, wide = contact_sheet(images(2), ["x", "x"], 1), contact_sheet(images(2), [caption] * 2, 1, title=caption * 2)
    top, left, bottom, right = ink(wide)
    assert min(top, left, wide.shape[0] - bottom, wide.shape[1] - right) >= 8
    assert wide.shape[0] >= tall.shape[0]


def test_captions_stand_below_their_images():
    blank, labelled = (contact_sheet(images(1), [caption]) for caption in ("", "label 3"))
    rows, columns = np.nonzero((blank != labelled).any(2))
    _top, left, bottom, right = ink(blank)
    assert rows.min() > bottom
    assert abs((columns.min() + columns.max()) / 2 - (left + right) / 2) <= 3


def test_rows_are_full_where_that_makes_no_ribbon():
    per_row = [contact_sheet(images(n), [""] * n).shape[1] // (96 + 12) for n in (4, 12, 16, 32)]
    assert per_row == [2, 4, 4, 8]


def test_few_images_stand_in_one_row():
    for count in (1, 2, 3):
        sheet = contact_sheet(images(count), [""] * count)
        assert sheet.shape[1] >= count * 96
        assert sheet.shape[0] < 2 * 96


def test_a_legend_stands_below_everything():
    pictures = [np.zeros((20, 30, 3), np.uint8)] * 2
    plain, with_legend = (
        arranged(pictures, ["a", "b"]),
        arranged(
            pictures, ["a", "b"], legend=[((250, 10, 10), "class 1"), (None, "a text that is wider than both pictures")]
        ),
    )
    assert with_legend.shape[0] > plain.shape[0]
    red = np.nonzero((with_legend == (250, 10, 10)).all(2))
    assert len(red[0]) >= 80
    assert red[0].min() > ink(plain)[2]
    top, left, bottom, right = ink(with_legend)
    assert min(top, left, with_legend.shape[0] - bottom, with_legend.shape[1] - right) >= 8


def test_pictures_of_different_sizes_are_centred():
    dark = [np.zeros((height, width, 3), np.uint8) for height, width in ((40, 60), (20, 10))]
    sheet = arranged(dark, ["", ""], columns=1)
    rows, columns = np.nonzero((sheet == 0).all(2))
    middles = [(columns[rows < 70].min() + columns[rows < 70].max()) / 2, (columns[-1] + columns[-10]) / 2]
    assert abs(middles[0] - middles[1]) <= 1


@pytest.mark.parametrize(
    ("pictures", "captions", "match"),
    [
        (np.zeros((2, 24, 24), np.uint8), ["a", "b"], r"\(N, C, H, W\)"),
        (np.zeros((1, 1, 4, 4), "float32"), ["a"], "float32"),
        (np.zeros((0, 1, 4, 4), np.uint8), [], r"\(0, 1, 4, 4\)"),
        (np.zeros((2, 1, 4, 4), np.uint8), ["a"], "1 captions for 2 images"),
    ],
)
def test_other_input_is_refused(pictures, captions, match):
    with pytest.raises(ParameterError, match=match):
        contact_sheet(pictures, captions)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        (np.array([0, 7, 255], np.uint8), [0, 7, 255]),
        (np.array([0, 65535], np.uint16), [0, 255]),
        (np.array([0.0, 0.5, 1.0]), [0, 128, 255]),
        (np.array([-1.0, 0.0, 1.0]), [0, 128, 255]),
        (np.array([0.0, 128.0, 200.0]), [0, 128, 200]),
        (np.array([3.0, 3.0]), [3, 3]),
        (np.array([0.0, 510.0]), [0, 255]),
        (np.array([-2.0, np.nan, 2.0]), [0, 0, 255]),
        (np.array([-3.0, -3.0]), [0, 0]),
    ],
)
def test_any_depth_can_be_displayed(values, shown):
    assert displayable(values).tolist() == shown
    assert displayable(values).dtype == np.uint8


def test_the_file_is_the_sheet(tmp_path):
    sheet = contact_sheet(np.random.default_rng(0).integers(0, 255, (3, 3, 8, 8), np.uint8), ["a", "b", "c"])
    write_sheet(tmp_path / "new" / "sheet.png", sheet)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "new" / "sheet.png"))[..., ::-1], sheet)


def test_the_suffix_tells_the_format(tmp_path):
    sheet = contact_sheet(images(1, 3, value=90), ["a"])
    for name, magic in (("a.jpg", b"\xff\xd8"), ("a.PNG", b"\x89PNG"), ("without", b"\x89PNG")):
        write_sheet(tmp_path / name, sheet)
        assert (tmp_path / name).read_bytes().startswith(magic)
    with pytest.raises(LeavenError, match=r"no picture format '\.txt'; use \.png or \.jpg"):
        write_sheet(tmp_path / "a.txt", sheet)


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LeavenError, match=r"sheet\.png: the sheet cannot be written"):
        write_sheet(tmp_path / "file" / "sheet.png", contact_sheet(images(1), ["a"]))
