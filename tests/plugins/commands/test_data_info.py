"""leaven data info and leaven data head: what is in a dataset, in words and in a picture."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import LeavenError
from leaven.testing.tools import picture, png
from leaven_plugins.commands.data.group import data
from leaven_plugins.commands.data.picture import picture_of
from leaven_plugins.commands.data.survey import Survey
from leaven_plugins.datasets.msgpack import MsgpackDataset

BLUE = (31, 95, 168)


@pytest.fixture
def run(tmp_path):
    def run(*arguments):
        registry = Registry(builtin_only=True)
        result = CliRunner().invoke(data, list(map(str, arguments)), obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def write(path, samples):
    MsgpackDataset.write(path, samples)
    return path


@pytest.fixture
def photos(tmp_path):
    sizes = [(20, 30), (40, 60), (20, 30), (10, 90)]
    samples = [
        {"key": str(n), "image": png(picture(*size, seed=n)), "label": min(n, 1), "_label": "ab"[min(n, 1)]}
        for n, size in enumerate(sizes)
    ]
    return write(tmp_path / "x.msgpack", samples)


def blue(sheet):
    return np.all(sheet == BLUE, axis=-1)


def test_sizes_and_classes_are_told_with_their_spread(run, photos):
    text = run("info", photos).stdout
    assert "classes        2, 1 to 3 samples each, median 2" in text
    sizes = sorted(len(MsgpackDataset(photos).sample(n)) for n in range(4))
    (line,) = [line for line in text.splitlines() if line.strip().startswith("per sample")]
    assert f"{sizes[0] / 1000:.1f} kB to {sizes[-1] / 1000:.1f} kB, median" in line
    assert line.split()[-1].strip("\u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588 ") == ""


def test_arrays_are_images_as_well(run, tmp_path):
    path = write(tmp_path / "x.msgpack", [{"key": str(n), "image": picture(8, 6 + n)} for n in range(3)])
    report = json.loads(run("info", path, "--json").stdout.splitlines()[-1])
    assert (report["images"], report["image_sizes"]) == (3, {"height": [8, 8.0, 8], "width": [6, 7.0, 8]})


def test_the_picture_has_a_bar_for_each_class_and_all_images(run, photos, tmp_path):
    run("info", photos, "--picture", tmp_path / "new" / "x.png")
    sheet = cv2.cvtColor(cv2.imread(str(tmp_path / "new" / "x.png")), cv2.COLOR_BGR2RGB)
    left = blue(sheet[:, : sheet.shape[1] // 2])
    lengths = [int(row.sum()) for row in left if row.any()]
    first, last = lengths[0], lengths[-1]
    assert {first, last} == set(lengths)
    assert 3 * first == pytest.approx(last, abs=5)
    shown = cv2.imdecode(np.frombuffer(png(picture(20, 30, seed=2)), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    enlarged = shown.repeat(3, 0).repeat(3, 1)
    assert cv2.matchTemplate(sheet, np.ascontiguousarray(enlarged), cv2.TM_SQDIFF).min() < 1000  # of 10^8 elsewhere


def test_many_classes_are_shown_some_in_a_row():
    seen = Survey(400, classes={n: 1 + n // 20 for n in range(400)})
    sheet = picture_of(seen, "many", [], [])
    lengths = [int(row.sum()) for row in blue(sheet[:, : sheet.shape[1] // 2]) if row.any()]
    assert len(set(lengths)) == 20
    assert lengths == sorted(lengths)


def test_dots_of_images_are_where_their_sizes_are():
    seen = Survey(3, shapes=[(100, 100), (100, 100), (50, 25)])
    sheet = picture_of(seen, "dots", [], [])
    rows, columns = np.nonzero(sheet.max(-1).astype(int) - sheet.min(-1) > 40)
    right, lower = columns > columns.mean(), rows > rows.mean()
    assert (right ^ lower).all()
    assert sheet[rows[right], columns[right]].mean() < sheet[rows[~right], columns[~right]].mean()


@pytest.mark.parametrize("samples", [[], [{"key": "a"}], [{"key": "a", "image": b"no", "label": "x" * 200}]], ids=len)
def test_there_is_a_picture_of_anything(run, tmp_path, samples):
    path = write(tmp_path / "x.msgpack", samples)
    run("info", path, "--picture", tmp_path / "x.png")
    assert cv2.imread(str(tmp_path / "x.png")).shape[0] > 300


def test_a_picture_that_cannot_be_written_is_told(run, photos, tmp_path):
    with pytest.raises(LeavenError, match=r"no picture format '\.abc'"):
        run("info", photos, "--picture", tmp_path / "x.abc")


def test_the_first_samples_are_shown(run, photos):
    text = run("head", photos, "-n", "2").stdout
    assert text.index("sample 0  0") < text.index("sample 1  1")
    assert "PNG, 40 x 60 pixels, 3 channels" in text
    assert "sample 2" not in text
    assert text.splitlines()[-1] == "2 of 4 samples"


def test_values_are_shortened(run, tmp_path):
    values = {"text": "x" * 100, "raw": bytes(100), "few": np.arange(3), "many": np.linspace(0, 1, 9, dtype="f4")}
    more = {
        "list": list(range(100)),
        "map": {"a": 1, "b": 2},
        "none": None,
        "flags": np.ones(9, bool),
        "odd\x1b": "\x1b[2J",
    }
    path = write(tmp_path / "x.msgpack", [{"key": "k", **values, **more}])
    result = run("head", path, "--json", "--max-string", "12")
    report = json.loads(result.stdout.splitlines()[-1])
    (sample,) = report["head"]
    assert (report["samples"], sample["index"], sample["key"], sample["error"]) == (1, 0, "k", None)
    assert {name: tuple(shown.values()) for name, shown in sample["fields"].items()} == {
        "key": ("str", None, "k"),
        "text": ("str", None, "x" * 12 + "..."),
        "raw": ("bytes", 100, "\\x00\\x00\\x00..."),
        "few": ("int64 array (3,)", 24, "0 1 2"),
        "many": ("float32 array (9,)", 36, "0 to 1, mean 0.5"),
        "list": ("list of 100", None, "[0, 1, 2, 3,..."),
        "map": ("map of 2", None, "a, b"),
        "none": ("null", None, "None"),
        "flags": ("bool array (9,)", 9, "1 to 1, mean 1"),
        "odd\x1b": ("str", None, "\\x1b[2J"),
    }
    assert "\x1b" not in run("head", path).stdout


def test_a_sample_that_cannot_be_read_is_told_among_others(run, photos):
    with open(photos, "r+b") as file:
        file.seek(MsgpackDataset(photos).offset(1))
        file.write(b"\xc1")
    result = run("head", photos)
    assert result.return_value == 1
    assert "cannot be read: sample 1 (1): unpack failed" in result.stdout
    assert "sample 2" in result.stdout
    report = json.loads(run("head", photos, "--json").stdout.splitlines()[-1])
    assert [bool(sample["error"]) for sample in report["head"]] == [False, True, False, False]
