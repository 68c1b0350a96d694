from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from leaven import Registry
from leaven.errors import DatasetError, SampleError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.commands.data.group import data
from leaven_plugins.commands.data.progress import progress
from leaven_plugins.commands.data.report import size_text
from leaven_plugins.datasets.digits import DigitsDataset
from leaven_plugins.datasets.msgpack import MsgpackDataset


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        if arguments[0] == "pack":  # repacked JPEGs: see test_data_optimize.py
            arguments = *arguments, "--jpeg-restart", "0"
        result = CliRunner().invoke(data, [str(argument) for argument in arguments], obj=registry)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def picture(height, width, suffix, channels=3):
    y, x = np.mgrid[:height, :width]
    layers = [x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)]
    return cv2.imencode(suffix, np.stack(layers[:channels], -1).astype(np.uint8))[1].tobytes()


def decoded(encoded):
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for name, encoded in {
        "cat/1.jpg": picture(60, 80, ".jpg"),
        "cat/2.png": picture(90, 30, ".png"),
        "dog/1.png": picture(40, 40, ".png", channels=1),
        "dog/2.bmp": picture(10, 20, ".bmp"),
        "dog/10.jpg": picture(20, 20, ".jpg"),
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded)
    return root


def samples(path):
    dataset = MsgpackDataset(path)
    return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def last_json(result):
    return json.loads(result.stdout.splitlines()[-1])


def test_a_folder_is_packed_with_its_labels(run, photos, tmp_path):
    result = run("pack", photos, tmp_path / "new" / "x.msgpack")
    assert result.stdout.startswith("packed 5 samples (")
    found = samples(tmp_path / "new" / "x.msgpack")
    assert [sample["key"] for sample in found] == ["cat/1.jpg", "cat/2.png", "dog/1.png", "dog/2.bmp", "dog/10.jpg"]
    assert found[4] == {
        "key": "dog/10.jpg",
        "image": (photos / "dog" / "10.jpg").read_bytes(),
        "label": 1,
        "_label": "dog",
    }


def test_a_component_and_a_packed_file_can_be_packed(run, tmp_path):
    result = run("pack", "dataset:digits", tmp_path / "a.msgpack", "--json")
    size = (tmp_path / "a.msgpack").stat().st_size
    report = last_json(result)
    assert report.pop("seconds") >= 0
    assert (report.pop("repacked"), report.pop("left")) == (0, {})
    assert (report.pop("blocks"), report.pop("resumed"), report.pop("kept")) == (0, 0, 0)
    path = str(tmp_path / "a.msgpack")
    assert report == {"path": path, "format": "msgpack", "samples": 1797, "bytes": size, "paths": [path]}
    assert samples(tmp_path / "a.msgpack")[7] == DigitsDataset().sample(7)
    run("pack", tmp_path / "a.msgpack", tmp_path / "b.bin", "--format", "msgpack")
    assert (tmp_path / "b.bin").read_bytes() == (tmp_path / "a.msgpack").read_bytes()


def test_packing_the_same_folder_elsewhere_gives_the_same_bytes(run, photos, tmp_path):
    run("pack", photos, tmp_path / "a.msgpack")
    photos.rename(tmp_path / "moved")
    run("pack", tmp_path / "moved", tmp_path / "b.msgpack")
    assert (tmp_path / "a.msgpack").read_bytes() == (tmp_path / "b.msgpack").read_bytes()


def test_what_exists_is_replaced_on_request_only(run, photos, tmp_path):
    target = tmp_path / "x.msgpack"
    MsgpackDataset.write(target, [{"key": "old"}])
    with pytest.raises(DatasetError, match=r"x\.msgpack: exists already; --overwrite replaces it"):
        run("pack", photos, target)
    assert len(samples(target)) == 1
    run("pack", photos, target, "--overwrite")
    assert len(samples(target)) == 5


def test_resizing_shrinks_the_shorter_side_and_leaves_small_images_alone(run, photos, tmp_path):
    run("pack", photos, tmp_path / "x.msgpack", "--resize", "20")
    found = {sample["key"]: sample["image"] for sample in samples(tmp_path / "x.msgpack")}
    shapes = {key: decoded(image).shape for key, image in found.items()}
    assert shapes == {
        "cat/1.jpg": (20, 27, 3),
        "cat/2.png": (60, 20, 3),
        "dog/1.png": (20, 20),
        "dog/2.bmp": (10, 20, 3),
        "dog/10.jpg": (20, 20, 3),
    }
    for small in ("dog/2.bmp", "dog/10.jpg"):
        assert found[small] == (photos / small).read_bytes()
    assert found["cat/1.jpg"].startswith(b"\xff\xd8")
    assert found["cat/2.png"].startswith(b"\x89PNG")
    original = decoded((photos / "dog" / "1.png").read_bytes())
    halves = original.reshape(20, 2, 20, 2).mean(axis=(1, 3))
    assert np.abs(decoded(found["dog/1.png"]) - halves).max() <= 1
    original = decoded((photos / "cat" / "2.png").read_bytes())
    by_hand = cv2.resize(original, (20, 60), interpolation=cv2.INTER_AREA)
    assert np.abs(decoded(found["cat/2.png"]).astype(int) - by_hand).max() <= 1


@pytest.mark.parametrize("content", [b"", b"<html></html>", picture(60, 80, ".jpg")[:700], picture(9, 9, ".png")[:60]])
def test_resizing_what_is_no_image_names_the_key(run, photos, tmp_path, content):
    (photos / "dog" / "2.bmp").write_bytes(content)
    with pytest.raises(SampleError, match=r"sample 3 \(dog/2\.bmp\): decode failed: DecodeError: "):
        run("pack", photos, tmp_path / "x.msgpack", "--resize", "20")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_resizing_refuses_samples_whose_other_images_would_no_longer_fit(run, tmp_path):
    image = picture(60, 80, ".png")
    MsgpackDataset.write(tmp_path / "a.msgpack", [{"key": "street", "image": image, "depth": image}])
    with pytest.raises(SampleError, match=r"\(street\): resize failed: .*'depth' is an image as well"):
        run("pack", tmp_path / "a.msgpack", tmp_path / "b.msgpack", "--resize", "20")
    MsgpackDataset.write(tmp_path / "a.msgpack", [{"key": "street"}], overwrite=True)
    with pytest.raises(SampleError, match=r"\(street\): resize failed: no bytes under 'image'"):
        run("pack", tmp_path / "a.msgpack", tmp_path / "b.msgpack", "--resize", "20")


def test_a_size_of_nothing_is_a_usage_error(registry, photos, tmp_path):
    result = CliRunner().invoke(data, ["pack", str(photos), "x.msgpack", "--resize", "0"], obj=registry)
    assert result.exit_code == 2


def test_info_as_json_has_the_documented_keys(run, photos):
    assert last_json(run("info", photos, "--json")) == {
        "path": str(photos),
        "format": "folder",
        "samples": 5,
        "bytes": sum(path.stat().st_size for path in photos.rglob("*.*")),
        "fields": {"key": "str", "image": "bytes", "label": "int", "_label": "str", "path": "str"},
        "classes": {"0": 2, "1": 3},
        "image_sizes": {"height": [10, 40.0, 90], "width": [20, 30.0, 80]},
        "images": 5,
        "indexed": 0,
        "index_problem": None,
        "unreadable": {},
    }


def test_info_of_samples_without_images(run, tmp_path):
    message = {"key": "a", "x": np.zeros((2, 3), "f4"), "s": np.float32(1), "l": [1, 2], "m": {"a": 1}, "n": None}
    MsgpackDataset.write(tmp_path / "x.msgpack", [message])
    report = last_json(run("info", tmp_path / "x.msgpack", "--json"))
    assert report["fields"] == {
        "key": "str",
        "x": "float32 array (2, 3)",
        "s": "float32",
        "l": "list of 2",
        "m": "map of 1",
        "n": "null",
    }
    assert report["bytes"] == len(pack_sample(message))
    assert report["classes"] == {}
    assert report["image_sizes"] is None


def test_info_for_people(run, photos):
    (photos / "dog" / "2.bmp").write_bytes(b"<html>")
    text = run("info", photos).stdout
    for words in ("folder", "0 cat", "1 dog", "20 to 90 px, median 50", "unreadable", "dog/2.bmp"):
        assert words in text, words
    assert text.index("0 cat") < text.index("1 dog")


def test_info_shows_a_few_of_many_classes(run, tmp_path):
    MsgpackDataset.write(tmp_path / "x.msgpack", ({"key": str(n), "label": n} for n in range(50)))
    assert "... 30 more" in run("info", tmp_path / "x.msgpack").stdout
    assert len(last_json(run("info", tmp_path / "x.msgpack", "--json"))["classes"]) == 50


def test_info_prints_no_control_characters(run, tmp_path):
    sample = {"key": "a\x1b[2J", "f\x1b[31m": 1, "label": "\x1b[2J", "image": b"no"}
    MsgpackDataset.write(tmp_path / "x.msgpack", [sample])
    assert "\x1b" not in run("info", tmp_path / "x.msgpack").stdout


def test_damaged_samples_are_named(run, tmp_path):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, [{"key": f"k{n}", "label": n} for n in range(3)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3] + b"\xc1" + content[len(content) // 3 + 1 :])
    for command in (["info", path], ["pack", path, tmp_path / "y.msgpack"]):
        with pytest.raises(SampleError, match=r"sample 1 \(k1\): unpack failed: malformed sample"):
            run(*command)
    assert not (tmp_path / "y.msgpack").exists()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match="cut off or changed"):
        run("info", path)


def test_an_empty_folder_says_so(run, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no images"):
        run("pack", tmp_path / "empty", tmp_path / "x.msgpack")
    with pytest.raises(DatasetError, match="no images"):
        run("info", tmp_path / "empty")


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_progress_without_a_terminal_is_a_line_now_and_then(capsys):
    clock = Clock()
    with progress("packing", 100, Console(file=io.StringIO()), clock) as advance:
        for _ in range(100):
            advance()
            clock.seconds += 0.125
    assert capsys.readouterr() == ("", "packing 41 of 100\npacking 81 of 100\n")


def test_progress_on_a_terminal_is_a_bar_that_is_drawn_ten_times_a_second_and_vanishes():
    clock, stream = Clock(), io.StringIO()
    with progress("packing", 1000, Console(file=stream, force_terminal=True, width=80), clock) as advance:
        for _ in range(1000):
            advance()
            clock.seconds += 0.001
    shown = [part for part in stream.getvalue().split("\r") if "packing" in part]
    assert 8 <= len(shown) <= 13
    assert stream.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(("nbytes", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2**50, "1125.9 TB")])
def test_sizes_are_in_the_unit_that_suits(nbytes, text):
    assert size_text(nbytes) == text
