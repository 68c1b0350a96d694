"""``leaven data optimize``, ``index`` and ``pack --jpeg-restart``: what they write, leave alone, and take up again.

A stand-in for the native library shows what the commands do without it; what it really does to images, with it.
"""

from __future__ import annotations

import hashlib
import importlib.machinery
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import types

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import DatasetError, MissingPackageError
from leaven.stream.wire import pack_sample, unpack_sample
from leaven_plugins.commands.data.group import data
from leaven_plugins.commands.data.journal import Journal
from leaven_plugins.commands.data.optimizing import journal_of
from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.datasets.folder import FolderDataset
from leaven_plugins.datasets.jpeg_index import folder_sidecar, packed_sidecar
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.repacking.restarts import restart_interval

STAND_IN = '''
import hashlib, time

calls, seconds = [], 0.0

class JpegError(ValueError):
    def __init__(self, status):
        super().__init__(f"this one is {status}")
        self.status = status

def repack(data, interval, exif, icc, others):
    """Say that there are restart markers, as far as a header can."""
    time.sleep(seconds)
    calls.append((len(data), interval, exif, icc, others))
    for status in ("damaged", "unsupported"):
        if data.endswith(status.encode()):
            raise JpegError(status)
    return data[:2] + b"\\xff\\xdd\\0\\x04\\0\\1" + data[2:]

def same_coefficients(one, other):
    return not one.endswith(b"unlike")

def make_index(data, interval):
    if data.endswith(b"damaged"):
        raise JpegError("damaged")
    return b"LTX index of " + hashlib.sha1(data).digest()

def check_index(index, data):
    if index != make_index(data, 4):
        raise JpegError("index")

def info(data):
    return 8, 8, 3, 6 if b"turned" in data else 1, True, 0, False
'''


@pytest.fixture
def native(monkeypatch):
    module = types.ModuleType("leaven_turbo._native")
    exec(STAND_IN, module.__dict__)
    package = types.ModuleType("leaven_turbo")
    package.__spec__ = importlib.machinery.ModuleSpec("leaven_turbo", None)  # by which one sees that it is installed
    monkeypatch.setitem(sys.modules, "leaven_turbo", package)
    monkeypatch.setitem(sys.modules, "leaven_turbo._native", module)
    return module


@pytest.fixture
def absent(monkeypatch):
    for name in ("leaven_turbo", "leaven_turbo._native"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        result = CliRunner().invoke(data, [str(argument) for argument in arguments], obj=registry)
        if result.exception is not None:
            raise result.exception
        return result

    return run


def report_of(result):
    report = json.loads(result.stdout.splitlines()[-1])
    assert report.pop("seconds") >= 0
    return report


def picture(seed=0, height=48, width=64, suffix=".jpg", params=()):
    y, x = np.mgrid[:height, :width]
    image = np.stack([x * 255 // width, y * 255 // height, (x + y + seed) * 255 // (height + width + seed)], -1)
    noise = np.random.default_rng(seed).integers(-20, 20, image.shape)
    return cv2.imencode(suffix, np.clip(image + noise, 0, 255).astype(np.uint8), params)[1].tobytes()


def decoded(encoded):
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


def samples(path):
    dataset = MsgpackDataset(path)
    return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


MIXED = {
    "1": picture(1),
    "2": picture(2, suffix=".png"),
    "3": picture(3) + b"damaged",
    "4": picture(4) + b"unsupported",
    "5": picture(5) + b"unlike",
    "6": picture(6, params=[cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
}
REASONS = {"not a JPEG": 1, "damaged": 1, "unsupported": 1, "not the same afterwards": 1}


@pytest.fixture
def packed(tmp_path):
    path = tmp_path / "x.msgpack"
    extra = {"label": 3, "box": np.arange(4, dtype=np.float32), "text": "\u00e4"}
    MsgpackDataset.write(path, [*({"key": k, "image": v, **extra} for k, v in MIXED.items()), {"key": "no image"}])
    return path


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    for name, content in MIXED.items():
        path = root / ("a" if name < "4" else "b") / f"{name}{'.png' if name == '2' else '.JPG'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


# ---- without the library


@pytest.mark.usefixtures("absent")
def test_what_to_install_is_said(run, packed, photos, tmp_path):
    for command in (["optimize", packed], ["index", photos], ["pack", packed, tmp_path / "y", "--jpeg-restart", "4"]):
        with pytest.raises(
            MissingPackageError, match="needs leaven-turbo: `pip install leaven-turbo`, or `make native`"
        ):
            run(*command)
    assert names(tmp_path) == names(packed.parent)
    run("pack", packed, tmp_path / "y.msgpack")
    assert (tmp_path / "y.msgpack").read_bytes() == packed.read_bytes()
    report = report_of(run("pack", packed, tmp_path / "z.msgpack", "--jpeg-restart", "0", "--json"))
    assert (report["repacked"], report["left"]) == (0, {})


@pytest.mark.usefixtures("absent")
def test_info_counts_what_is_indexed(run, packed):
    report = json.loads(run("info", packed, "--json").stdout.splitlines()[-1])
    assert (report["images"], report["indexed"]) == (6, 1)
    assert "1 of 6 images (17%)" in run("info", packed).stdout


# ---- pack


def test_packing_repacks_and_adds_an_index(run, packed, tmp_path, native):
    report = report_of(run("pack", packed, tmp_path / "y.msgpack", "--jpeg-restart", "3", "--json"))
    assert (report["samples"], report["repacked"], report["left"]) == (7, 1, REASONS)
    before, after = samples(packed), samples(tmp_path / "y.msgpack")
    made = native.repack(MIXED["1"], 3, True, True, True)
    assert native.calls[0][1:] == (3, True, True, True)
    assert after[0]["image"] == made
    assert after[0]["image_index"] == native.make_index(made, 3)
    assert after[5]["image"] == MIXED["6"]
    assert after[5]["image_index"] == native.make_index(MIXED["6"], 3)
    assert [pack_sample(sample) for sample in after[1:5]] == [pack_sample(sample) for sample in before[1:5]]
    assert after[6] == {"key": "no image"}
    for one, other in zip(before, after, strict=True):
        assert list(one) == [name for name in other if name != "image_index"]


def test_packing_does_it_by_default_and_after_resizing(run, photos, tmp_path, native):
    (photos / "a" / "3.JPG").unlink()
    (photos / "b" / "4.JPG").unlink()
    (photos / "b" / "5.JPG").unlink()
    result = run("pack", photos, tmp_path / "y.msgpack", "--resize", "24")
    assert "repacked 2 of 3 images" in result.stdout
    assert {call[1] for call in native.calls} == {4}
    found = {sample["key"]: sample for sample in samples(tmp_path / "y.msgpack")}
    assert decoded(found["a/2.png"]["image"]).shape == (24, 32, 3)
    for key in ("a/1.JPG", "b/6.JPG"):
        assert restart_interval(found[key]["image"]) == 1
        native.check_index(found[key]["image_index"], found[key]["image"])


def test_an_index_goes_with_the_image_that_it_was_of(run, tmp_path, native):
    image = picture(1)
    sample = {"key": "a", "image": image, "image_index": native.make_index(image, 4)}
    MsgpackDataset.write(tmp_path / "a.msgpack", [sample])
    run("pack", tmp_path / "a.msgpack", tmp_path / "b.msgpack", "--resize", "48", "--jpeg-restart", "0")
    assert samples(tmp_path / "b.msgpack") == [sample]
    run("pack", tmp_path / "a.msgpack", tmp_path / "c.msgpack", "--resize", "47", "--jpeg-restart", "0")
    assert list(samples(tmp_path / "c.msgpack")[0]) == ["key", "image"]


# ---- optimize: packed datasets


def test_a_packed_dataset_is_replaced(run, packed, native):
    before = samples(packed)
    report = report_of(run("optimize", packed, "--json", "--jobs", "3"))
    sizes = sum(map(len, MIXED.values()))
    assert report == {
        "path": str(packed),
        "out": str(packed),
        "images": 6,
        "repacked": 1,
        "indexed": 1,
        "already": 0,
        "left": REASONS,
        "bytes_before": sizes,
        "bytes_after": sizes + 6,
        "ratio": round((sizes + 6) / sizes, 4),
    }
    after = samples(packed)
    assert restart_interval(after[0]["image"]) == 1
    native.check_index(after[0]["image_index"], after[0]["image"])
    native.check_index(after[5]["image_index"], MIXED["6"])
    assert [pack_sample(sample) for sample in after[1:5]] == [pack_sample(sample) for sample in before[1:5]]
    assert (after[0]["label"], after[0]["text"]) == (3, "\u00e4")
    np.testing.assert_array_equal(after[0]["box"], before[0]["box"])
    assert not journal_of(packed).exists()
    assert f"{packed.name}.md5" in names(packed.parent)


def test_what_is_done_is_not_done_again(run, packed, native):
    run("optimize", packed)
    native.calls.clear()
    content, status = packed.read_bytes(), packed.stat()
    report = report_of(run("optimize", packed, "--json"))
    assert (report["repacked"], report["indexed"], report["already"], report["left"]) == (0, 0, 2, REASONS)
    assert (packed.read_bytes(), packed.stat().st_ino) == (content, status.st_ino)
    assert not journal_of(packed).exists()
    report = report_of(run("optimize", packed, "--json", "--jpeg-restart", "1"))
    assert report["repacked"] == 1, "2 blocks are too many now"


def test_another_file_can_be_written(run, packed, tmp_path, native):
    content = packed.read_bytes()
    out = tmp_path / "new" / "y.msgpack"
    assert report_of(run("optimize", packed, "--out", out, "--json"))["out"] == str(out)
    assert packed.read_bytes() == content
    assert len(samples(out)) == 7
    assert names(tmp_path / "new") == sorted(
        f"y.msgpack{end}" for end in ("", ".filter", ".key_hashes", ".keys", ".md5", ".offsets")
    )
    with pytest.raises(DatasetError, match=r"y\.msgpack: exists already"):
        run("optimize", packed, "--out", out)


def test_metadata_go_as_asked(run, tmp_path, native):
    MsgpackDataset.write(
        tmp_path / "x.msgpack", [{"key": "a", "image": picture(1)}, {"key": "b", "image": picture(2) + b"turned"}]
    )
    run("optimize", tmp_path / "x.msgpack", "--metadata", "none", "--jobs", "1")
    assert [call[2:] for call in native.calls] == [(False, False, False), (True, False, False)]


def test_what_is_no_dataset_is_refused(run, tmp_path, native):
    (tmp_path / "x.txt").write_text("text")
    (tmp_path / "empty").mkdir()
    for command in ("optimize", "index"):
        with pytest.raises(DatasetError, match=r"no format for the suffix '\.txt'"):
            run(command, tmp_path / "x.txt")
        with pytest.raises(DatasetError, match="no such file"):
            run(command, tmp_path / "y.msgpack")
        with pytest.raises(DatasetError, match=r"no files that end in \.jpg"):
            run(command, tmp_path / "empty")
        with pytest.raises(DatasetError, match="neither a packed dataset"):
            run(command, "dataset:digits")
    assert names(tmp_path) == ["empty", "x.txt"]
    with pytest.raises(SystemExit):
        run("optimize", tmp_path / "empty", "--out", tmp_path / "z")


def test_two_at_once_are_refused(run, packed, photos, native):
    journal = Journal(journal_of(packed), {})
    with pytest.raises(DatasetError, match="another process is at work on this"):
        run("optimize", packed)
    journal.remove()
    journal.close()
    native.seconds = 0.5
    thread = threading.Thread(target=run, args=("optimize", photos))
    thread.start()
    time.sleep(0.2)
    try:
        with pytest.raises(DatasetError, match="another process is at work on this"):
            run("optimize", photos)
    finally:
        thread.join()


DRIVER = """
import sys, types
module = types.ModuleType("leaven_turbo._native")
exec(open(sys.argv[1]).read(), module.__dict__)
module.seconds = float(sys.argv[2])
sys.modules["leaven_turbo._native"] = module
from leaven.cli.main import main
sys.argv[1:] = sys.argv[3:]
main()
"""


def start(tmp_path, *arguments, seconds=0.03):
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(STAND_IN)
    command = [
        sys.executable,
        "-c",
        DRIVER,
        str(stand_in),
        str(seconds),
        "--builtin-only",
        "data",
        *map(str, arguments),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill_when(process, is_so):
    """Kill a process at work as soon as something is so."""
    end = time.monotonic() + 60
    while not is_so():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    process.stderr.close()


def test_a_killed_run_is_taken_up_again(run, tmp_path, native):
    path = tmp_path / "x.msgpack"
    MsgpackDataset.write(path, ({"key": str(n), "image": picture(n)} for n in range(60)))
    original = path.read_bytes()
    wanted = [native.repack(sample["image"], 4, True, True, True) for sample in samples(path)]
    journal = journal_of(path)
    process = start(tmp_path, "optimize", path, "--jobs", "2")
    kill_when(process, lambda: journal.exists() and journal.stat().st_size > len(original) // 3)
    assert path.read_bytes() == original, "nothing has changed as yet"
    with open(journal, "ab") as file:
        file.write(b"half a record")
    native.calls.clear()
    report = report_of(run("optimize", path, "--json"))
    assert len(native.calls) < 50
    assert (report["images"], report["repacked"]) == (60, 60)
    assert [sample["image"] for sample in samples(path)] == wanted
    assert not journal.exists()


def test_a_journal_of_other_data_or_settings_is_not_taken_over(run, packed, tmp_path, native):
    def interrupted(*arguments):
        def stop(*_, **__):
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MsgpackDataset, "write", stop)
            with pytest.raises((KeyboardInterrupt, SystemExit)):
                run("optimize", packed, *arguments)
        assert journal_of(packed).exists()
        native.calls.clear()

    interrupted()
    run("optimize", packed)
    assert native.calls == []
    interrupted("--jpeg-restart", "1")
    run("optimize", packed, "--jpeg-restart", "3")
    assert native.calls
    interrupted("--jpeg-restart", "1")
    MsgpackDataset.write(packed, [{"key": "other", "image": picture(9)}], overwrite=True)
    run("optimize", packed, "--jpeg-restart", "1")
    assert [sample["key"] for sample in samples(packed)] == ["other"]


def test_a_dataset_that_was_gone_for_a_moment_is_found_in_the_journal(run, packed, native):
    """Its file goes before the new one has its name; whoever is killed in between has the journal."""

    def killed(path, samples, overwrite):
        path.unlink()
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MsgpackDataset, "write", killed)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            run("optimize", packed)
    assert not packed.exists()
    report = report_of(run("optimize", packed, "--json"))
    assert (report["images"], report["repacked"], report["left"]) == (6, 1, REASONS)
    assert restart_interval(samples(packed)[0]["image"]) == 1
    assert len(samples(packed)) == 7
    assert not journal_of(packed).exists()


# ---- optimize: folders


def test_files_of_a_folder_are_replaced(run, photos, native):
    path = photos / "a" / "1.JPG"
    path.chmod(0o640)
    os.utime(path, ns=(1_000_000_000, 2_000_000_001))
    (photos / "link.jpg").symlink_to("a/1.JPG")
    others = {p: p.read_bytes() for p in photos.rglob("*.*") if p.is_file() and p != path and not p.is_symlink()}
    report = report_of(run("optimize", photos, "--json"))
    reasons = {"damaged": 1, "unsupported": 1, "not the same afterwards": 1, "not a file of its own": 1}
    assert {key: report[key] for key in ("images", "repacked", "indexed", "already", "left")} == {
        "images": 6,
        "repacked": 1,
        "indexed": 0,
        "already": 1,
        "left": reasons,
    }
    assert path.read_bytes() == native.repack(MIXED["1"], 4, True, True, True)
    assert (path.stat().st_mtime_ns, path.stat().st_mode & 0o777) == (2_000_000_001, 0o640)
    assert (photos / "link.jpg").is_symlink()
    assert {other: other.read_bytes() for other in others} == others
    assert names(photos / "a") == ["1.JPG", "2.png", "3.JPG"]
    assert report_of(run("optimize", photos, "--json"))["already"] == 2


def test_a_killed_run_over_a_folder_leaves_whole_files(run, tmp_path, native):
    root = tmp_path / "photos" / "deep"
    root.mkdir(parents=True)
    former = {root / f"{n}.jpg": picture(n) for n in range(40)}
    for path, content in former.items():
        path.write_bytes(content)
    wanted = {path: native.repack(content, 4, True, True, True) for path, content in former.items()}

    def done():
        return sum(path.read_bytes() == wanted[path] for path in wanted)

    kill_when(start(tmp_path, "optimize", root.parent, "--jobs", "2"), lambda: done() > 10)
    assert all(path.read_bytes() in (former[path], wanted[path]) for path in former)
    assert done() < 40
    (root / ".1.jpg.leaven-part").write_bytes(b"half a file")
    native.calls.clear()
    report = report_of(run("optimize", root.parent, "--json"))
    assert len(native.calls) < 31
    assert report["repacked"] + report["already"] == done() == 40
    assert names(root) == sorted(path.name for path in former)


def test_a_file_that_changes_meanwhile_is_left_alone(run, photos, native):
    former = native.same_coefficients

    def same(one, other):
        (photos / "a" / "1.JPG").write_bytes(b"changed")
        return former(one, other)

    native.same_coefficients = same
    report = report_of(run("optimize", photos, "--json", "--jobs", "1"))
    assert report["left"]["changed meanwhile"] == 1
    assert (photos / "a" / "1.JPG").read_bytes() == b"changed"
    assert names(photos / "a") == ["1.JPG", "2.png", "3.JPG"]


# ---- index


def test_a_sidecar_for_a_packed_dataset(run, packed, native):
    content = packed.read_bytes()
    report = report_of(run("index", packed, "--json"))
    sidecar = packed_sidecar(packed)
    assert report == {
        "path": str(packed),
        "sidecar": str(sidecar),
        "bytes": sidecar.stat().st_size,
        "images": 6,
        "indexed": 4,
        "already": 0,
        "left": {"not a JPEG": 1, "damaged": 1},
    }
    assert packed.read_bytes() == content
    found = samples(packed)
    for n, key in enumerate(MIXED):
        if key in ("2", "3"):
            assert "image_index" not in found[n]
        else:
            native.check_index(found[n]["image_index"], MIXED[key])
    assert found[6] == {"key": "no image"}
    assert report_of(run("index", packed, "--json")) == report, "what it says itself does not count"


def test_a_sidecar_of_former_data_is_made_anew(run, packed, native):
    run("index", packed)
    packed_sidecar(packed).rename(packed.parent / "kept")
    run("optimize", packed)
    (packed.parent / "kept").rename(packed_sidecar(packed))
    for command in ("info", "verify"):
        report = json.loads(run(command, packed, "--json").stdout.splitlines()[-1])
        assert re.search("was made for other data .*: run `leaven data index .*` again", report["index_problem"])
        assert "index not used" in run(command, packed).stdout
    report = report_of(run("index", packed, "--json"))
    assert (report["indexed"], report["already"]) == (2, 2)
    assert all(("image_index" in sample) == (sample["key"] in "1456") for sample in samples(packed)[:6])
    run("optimize", packed, "--jpeg-restart", "1")
    assert not packed_sidecar(packed).exists(), "it goes with the data that it was of"


def test_a_sidecar_for_a_folder(run, photos, native):
    report = report_of(run("index", photos, "--json"))
    assert (report["images"], report["indexed"], report["left"]) == (5, 4, {"damaged": 1})
    assert report["sidecar"] == str(folder_sidecar(photos))
    dataset = FolderDataset(photos)
    found = {sample["key"]: sample for sample in map(dataset.sample, range(len(dataset)))}
    assert [key for key, sample in found.items() if "image_index" not in sample] == ["a/2.png", "a/3.JPG"]
    native.check_index(found["b/6.JPG"]["image_index"], MIXED["6"])
    assert json.loads(run("info", photos, "--json").stdout.splitlines()[-1])["indexed"] == 4
    assert "indexed" in run("index", photos).stdout


# ---- parts


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("interval", "width", "wanted"), [(0, 64, 0), (2, 64, 2), (4, 64, 4), (3, 64, 0), (5, 65, 5)])
def test_restart_markers_count_where_they_divide_a_row(channels, interval, width, wanted):
    mcu = 16 if channels == 3 else 8
    image = np.zeros((20, width * mcu // 16 if width == 64 else 5 * mcu - 3, channels), np.uint8)
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_RST_INTERVAL, interval])[1].tobytes()
    assert restart_interval(encoded) == wanted


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"\xff" * 50, picture(1)[:100], picture(1, suffix=".png")])
def test_what_is_no_whole_header_has_no_restart_markers(content):
    assert restart_interval(content) == 0


def test_progressive_files_are_not_indexed_by_their_markers():
    params = [cv2.IMWRITE_JPEG_RST_INTERVAL, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    assert restart_interval(picture(1, params=params)) == 0


def test_work_is_done_in_order_and_only_a_little_ahead():
    taken = []

    def items():
        for n in range(100):
            taken.append(n)
            yield n

    results = ordered(lambda n: n * n, items(), 3)
    assert next(results) == 0
    assert len(taken) <= 8
    assert list(results) == [n * n for n in range(1, 100)]


def test_an_error_ends_the_work():
    done = []

    def work(n):
        if n == 5:
            raise ValueError("five")
        done.append(n)
        return n

    with pytest.raises(ValueError, match="five"):
        list(ordered(work, range(1000), 2))
    assert len(done) < 20


@pytest.mark.parametrize("cut", [1, 5, 13, 40])
def test_a_journal_ends_at_its_last_whole_record(tmp_path, cut):
    path, about = tmp_path / "journal", {"size": 1}
    journal = Journal(path, about)
    for n in range(5):
        journal.append([n, b"x" * 30])
    journal.close()
    os.truncate(path, path.stat().st_size - cut)
    journal = Journal(path, about)
    assert journal.count == 4
    journal.append([9, b"new"])
    assert [record[0] for record in journal.records()] == [0, 1, 2, 3, 9]
    journal.close()
    other = Journal(path, {"size": 2})
    assert (other.count, list(other.records())) == (0, [])
    other.append("first")
    assert list(other.records()) == ["first"]
    other.remove()
    other.close()
    assert names(tmp_path) == []


def test_a_damaged_record_and_those_behind_it_are_dropped(tmp_path):
    journal = Journal(tmp_path / "journal", {})
    for n in range(5):
        journal.append(hashlib.sha256(bytes([n])).digest())
    journal.close()
    content = bytearray((tmp_path / "journal").read_bytes())
    content[content.index(hashlib.sha256(b"\2").digest())] ^= 1
    (tmp_path / "journal").write_bytes(content)
    journal = Journal(tmp_path / "journal", None)
    assert journal.count == 2
    journal.close()


# ---- with the library


@pytest.fixture
def real():
    return pytest.importorskip("leaven_turbo._native", reason="leaven-turbo is not installed")


@pytest.fixture
def ordinary(tmp_path):
    """A folder of JPEGs of several kinds, and one that is cut off."""
    root = tmp_path / "ordinary"
    root.mkdir()
    kinds = {
        "plain": [],
        "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        "marked": [cv2.IMWRITE_JPEG_RST_INTERVAL, 1],
    }
    for name, params in kinds.items():
        (root / f"{name}.jpg").write_bytes(picture(3, 200, 300, params=params))
    (root / "cut.jpg").write_bytes(picture(3, 200, 300)[:5000])
    return root


def test_a_folder_stays_the_same_images(run, ordinary, real):
    before = {path: path.read_bytes() for path in ordinary.iterdir()}
    report = report_of(run("optimize", ordinary, "--json"))
    assert (report["repacked"], report["already"], report["left"]) == (2, 1, {"damaged": 1})
    for path, content in before.items():
        if path.name == "cut.jpg":
            assert path.read_bytes() == content
        else:
            np.testing.assert_array_equal(decoded(path.read_bytes()), decoded(content))
            assert 0 < restart_interval(path.read_bytes()) <= 4
            assert real.same_coefficients(path.read_bytes(), content)


def test_packed_images_have_indices_that_fit(run, ordinary, tmp_path, real):
    dataset = [{"key": path.name, "image": path.read_bytes()} for path in sorted(ordinary.iterdir())]
    MsgpackDataset.write(tmp_path / "x.msgpack", dataset)
    report = report_of(run("pack", tmp_path / "x.msgpack", tmp_path / "y.msgpack", "--json"))
    assert (report["repacked"], report["left"]) == (2, {"damaged": 1})
    for sample in samples(tmp_path / "y.msgpack"):
        if sample["key"] != "cut.jpg":
            real.check_index(sample["image_index"], sample["image"])


def test_a_sidecar_has_indices_that_fit(run, ordinary, tmp_path, real):
    dataset = [{"key": path.name, "image": path.read_bytes()} for path in sorted(ordinary.iterdir())]
    MsgpackDataset.write(tmp_path / "x.msgpack", dataset)
    report = report_of(run("index", tmp_path / "x.msgpack", "--json"))
    assert report["indexed"] == 2
    assert set(report["left"]) <= {"damaged", "unsupported"}
    for sample in samples(tmp_path / "x.msgpack"):
        if "image_index" in sample:
            real.check_index(sample["image_index"], sample["image"])
