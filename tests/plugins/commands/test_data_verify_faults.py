"""leaven data verify: faults are planted in datasets of every format; each is found, and nothing else is."""

from __future__ import annotations

import json
import os
import re
import struct
import zipfile

import cv2
import msgpack
import numpy as np
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import LeavenError
from leaven.registry.opening import find_writer, open_dataset
from leaven.testing.tools import picture, png
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset

FORMATS = ("x.msgpack", "folder", "x.zip", "x.tar", "x.csv", "x.h5", "x.npz", "x.parquet")
COUNT, BAD = 12, 5
OBJECTS = msgpack.packb({b"nd": True, b"type": "|O", b"kind": b"O", b"shape": [1], b"data": b"x"})


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def verify(registry):
    """Return exit code and everything that is said."""

    def verify(*arguments):
        result = CliRunner().invoke(data, ["verify", *map(str, arguments)], obj=registry, standalone_mode=False)
        if isinstance(result.exception, LeavenError):
            return result.exception.exit_code, result.output + str(result.exception)
        assert result.exception is None, result.exception
        return result.return_value, result.output

    return verify


def jpeg(seed):
    return cv2.imencode(".jpg", picture(24, 32, seed=seed))[1].tobytes()


def clean(masks=False):
    """Samples that nothing is wrong with."""
    samples = [{"key": f"{n:03}", "image": jpeg(n), "label": n % 3} for n in range(COUNT)]
    return [{**sample, "label_image": png(picture(24, 32, 1))} for sample in samples] if masks else samples


def arrays():
    return [{"key": f"{n:03}", "image": picture(24, 32, seed=n), "label": n % 3} for n in range(COUNT)]


def write(tmp_path, registry, name, samples):
    path = tmp_path / name
    find_writer(path, "folder" if name == "folder" else None, registry).write(path, samples)
    return path


def packed(tmp_path, samples=None):
    MsgpackDataset.write(tmp_path / "x.msgpack", clean() if samples is None else samples)
    return tmp_path / "x.msgpack"


def beside(path, suffix):
    return path.with_name(path.name + suffix)


def flip(path, offset, bits=0xFF):
    content = bytearray(path.read_bytes())
    content[offset] ^= bits
    path.write_bytes(content)


def changed(**fields):
    """Return a function that plants other values in one sample."""

    def plant(tmp_path):
        samples = clean(masks="label_image" in fields)
        samples[BAD].update(fields)
        return packed(tmp_path, samples)

    return plant


def replaced(old, new, count=1):
    """Return a function that plants other bytes of the same number in the message of one sample; no checksum tells."""

    def plant(tmp_path):
        path = packed(tmp_path)
        dataset = MsgpackDataset(path)
        offset, message = dataset.offset(BAD), dataset.sample(BAD)
        assert old in message
        other = message.replace(old, new, count)
        assert len(other) == len(message)
        content = path.read_bytes()
        path.write_bytes(content[:offset] + other + content[offset + len(message) :])
        beside(path, ".md5").unlink()
        return path

    return plant


def flipped(suffix, offset):
    def plant(tmp_path):
        path = packed(tmp_path)
        file = beside(path, suffix) if suffix else path
        flip(file, offset)
        return path

    return plant


def without(*suffixes):
    def plant(tmp_path):
        path = packed(tmp_path)
        for suffix in suffixes:
            beside(path, suffix).unlink()
        return path

    return plant


def cut(suffix):
    def plant(tmp_path):
        path = packed(tmp_path)
        file = beside(path, suffix) if suffix else path
        os.truncate(file, file.stat().st_size * 2 // 3)
        return path

    return plant


def missing_label(tmp_path):
    samples = clean()
    del samples[BAD]["label"]
    return packed(tmp_path, samples)


def mixed_dtypes(tmp_path):
    samples = arrays()
    samples[BAD]["image"] = samples[BAD]["image"].astype(np.float32)
    return packed(tmp_path, samples)


def duplicate_image(tmp_path):
    samples = clean()
    samples[BAD]["image"] = samples[0]["image"]
    return packed(tmp_path, samples)


def duplicate_key(tmp_path):
    """The same key twice in the index as well, which no writer of ours makes."""
    path = replaced(b"\xa3005", b"\xa3004")(tmp_path)
    content = beside(path, ".keys").read_bytes().replace(b"005", b"004")
    beside(path, ".keys").write_bytes(content)
    for suffix in (".key_hashes", ".filter"):
        beside(path, suffix).unlink()
    return path


def other_key_inside(tmp_path):
    return replaced(b"\xa3005", b"\xa3zzz")(tmp_path)


def trailing_garbage(tmp_path):
    path = packed(tmp_path)
    path.write_bytes(path.read_bytes() + b"garbage")
    return path


def stale_sums(tmp_path):
    path = packed(tmp_path, clean()[1:])
    sums = beside(path, ".md5").read_bytes()
    MsgpackDataset.write(path, clean(), overwrite=True)
    beside(path, ".md5").write_bytes(sums)
    return path


def legacy_beyond_the_file(tmp_path):
    path = without(".offsets", ".keys", ".key_hashes", ".filter", ".md5")(tmp_path)
    beside(path, ".index").write_bytes(msgpack.packb({"000": 0, "001": 10**9}))
    return path


def stale_columns(tmp_path):
    samples = [{"key": str(n), "label": n % 7} for n in range(1000)]
    path = packed(tmp_path, samples)
    flip(beside(path, ".columns"), -1)
    return path


def raw(message):
    """Return a function that plants a message that is no good among others."""

    def plant(tmp_path):
        return packed(tmp_path, [*clean(), b"\x82\xa3key\xa3bad\xa1x" + message])

    return plant


def in_folder(change):
    def plant(tmp_path, registry):
        path = write(tmp_path, registry, "folder", clean())
        change(sorted(path.rglob("*.jpg"))[BAD])
        return path

    return plant


def bad_name(file):
    os.rename(file, os.fsencode(file.parent) + b"/\xff\xfe.jpg")


def no_permission(file):
    if os.geteuid() == 0:  # who may read everything: a link that leads nowhere is as unreadable
        file.unlink()
        file.symlink_to("nowhere.jpg")
    else:
        file.chmod(0)


def zip_with_a_wrong_sum(tmp_path, registry):
    path = write(tmp_path, registry, "x.zip", clean())
    with zipfile.ZipFile(path) as file:
        info = [info for info in file.infolist() if info.filename.endswith(".jpg")][BAD]
    name, extra = struct.unpack_from("<HH", path.read_bytes(), info.header_offset + 26)
    flip(path, info.header_offset + 30 + name + extra + info.compress_size // 2)
    return path


def tar_that_is_cut_off(tmp_path, registry):
    path = write(tmp_path, registry, "x.tar", clean())
    os.truncate(path, path.stat().st_size // 2 + 100)
    return path


def csv_row_too_short(tmp_path, registry):
    path = write(tmp_path, registry, "x.csv", clean())
    lines = path.read_text().splitlines()
    lines[BAD] = lines[BAD].rpartition(",")[0]
    path.write_text("\n".join(lines) + "\n")
    return path


def csv_file_missing(tmp_path, registry):
    path = write(tmp_path, registry, "x.csv", clean())
    next(tmp_path.rglob("*.jpg")).unlink()
    return path


def hdf5_columns_of_other_lengths(tmp_path, registry):
    h5py = pytest.importorskip("h5py")
    path = write(tmp_path, registry, "x.h5", arrays())
    with h5py.File(path, "r+") as file:
        labels = file["label"][:-2]
        del file["label"]
        file["label"] = labels
    return path


def npz_of_objects(tmp_path, registry):
    np.savez(tmp_path / "x.npz", key=np.array(["a", "b"]), label=np.array([0, None], object))
    return tmp_path / "x.npz"


PLANTED = {
    # the bytes of a packed dataset, and its index
    "flipped byte in an image": (flipped("", 60), r"checksum.*x\.msgpack: its MD5 is"),
    "flipped byte in the offsets": (flipped(".offsets", 8 * BAD + 4), "not in order"),
    "flipped byte in the keys": (flipped(".keys", -1), r"x\.msgpack\.keys: its MD5"),
    "flipped byte in the hashes": (
        flipped(".key_hashes", 8 + 8 * BAD),
        rf"the hash of key {BAD}, at byte {8 + 8 * BAD}",
    ),
    "flipped bytes in the filter": (flipped(".filter", 33), r"x\.msgpack\.filter: its MD5"),
    "flipped head of the filter": (flipped(".filter", 3), "head of a filter"),
    "data cut off": (cut(""), "cut off"),
    "offsets cut off": (cut(".offsets"), r"x\.msgpack\.offsets"),
    "keys cut off": (cut(".keys"), r"x\.msgpack\.keys"),
    "no offsets": (without(".offsets"), r"(?s)x\.msgpack\.offsets: is missing.*leaven data index"),
    "no keys": (without(".keys"), r"x\.msgpack\.keys: is missing"),
    "no index": (without(".offsets", ".keys", ".key_hashes", ".filter", ".md5"), "leaven data index"),
    "garbage behind the data": (trailing_garbage, "cut off or"),
    "legacy index beyond the file": (legacy_beyond_the_file, "cut off or changed"),
    "stale checksums": (stale_sums, "its MD5 is"),
    "damaged columns": (stale_columns, "the column 'label' was changed"),
    # messages
    "length beyond the message": (raw(b"\xc6\xff\xff\xff\xff"), "malformed sample"),
    "array of 2^32 elements": (raw(b"\xdd\xff\xff\xff\xff"), "malformed sample"),
    "deep nesting": (raw(b"\x91" * 5000 + b"\xc0"), "nested too deeply"),
    "bad UTF-8": (replaced(b"\xa3005", b"\xa3\xff\xfe5"), rf"{BAD}\b.*(unpack|malformed)"),
    "another key inside": (other_key_inside, "calls itself 'zzz'"),
    "duplicate key": (duplicate_key, f"has the same key as sample {BAD - 1}: '004'"),
    "object array": (raw(OBJECTS), "pickle"),
    # fields
    "float label": (changed(label=1.5), "'label' is float, where 11 samples have int"),
    "text for a label": (changed(label="cat"), "'label' is str"),
    "negative label": (changed(label=-2), "label -2 is not from 0 on"),
    "missing label": (missing_label, "has no label, where 11 other samples have one"),
    "mixed dtypes": (mixed_dtypes, "'image' is float32 array of 3 dimensions, where 11 samples have uint8 array"),
    "empty image": (changed(image=b""), rf"{BAD}\s+005\s+\d+\s+decode"),
    "text for an image": (changed(image=b"<html></html>"), rf"{BAD}\s+005\s+\d+\s+decode"),
    "str for an image": (changed(image="a.jpg"), "'image' is str 'a.jpg', not the bytes"),
    "truncated JPEG": (changed(image=jpeg(BAD)[:-200]), rf"{BAD}\s+005\s+\d+\s+decode"),
    "mask of another size": (changed(label_image=png(picture(20, 32, 1))), "'label_image' has 20 x 32 pixels"),
    "mask that is no image": (changed(label_image=b"no"), "'label_image' is no image"),
}

ELSEWHERE = {
    "folder: file that cannot be read": (
        in_folder(no_permission),
        "cannot be read|cannot be opened|no such file|leads",
    ),
    "folder: empty file": (in_folder(lambda file: file.write_bytes(b"")), "decode"),
    "folder: name in another encoding": (in_folder(bad_name), "not UTF-8"),
    "zip: wrong CRC": (zip_with_a_wrong_sum, "(?i)crc|check"),
    "tar: cut off": (tar_that_is_cut_off, "(?i)cut off|ends|changed|short"),
    "csv: short row": (csv_row_too_short, "row|line"),
    "csv: missing file": (csv_file_missing, "no such file"),
    "hdf5: columns of other lengths": (hdf5_columns_of_other_lengths, "rows|length|samples|12"),
    "npz: objects": (npz_of_objects, "object"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_found_in_clean_data_of_any_format(verify, tmp_path, registry, name):
    path = write(tmp_path, registry, name, clean())
    assert len(open_dataset(path, registry)) == COUNT
    code, text = verify(path, "--json")
    report = json.loads(text.splitlines()[-1])
    assert (code, report["failures"], report["findings"], report["samples"]) == (0, [], [], COUNT)


@pytest.mark.parametrize("name", ["x.msgpack", "x.h5", "x.npz", "x.parquet", "x.tar"])
def test_nothing_is_found_in_clean_arrays(verify, tmp_path, registry, name):
    assert verify(write(tmp_path, registry, name, arrays()), "--strict", "--classes", 3)[0] == 0


def test_nothing_is_found_in_clean_masks_vectors_and_unlabelled_samples(verify, tmp_path):
    samples = [{**sample, "label": -1, "weights": np.ones(n)} for n, sample in enumerate(clean(masks=True))]
    assert verify(packed(tmp_path, samples), "--strict", "--classes", 3)[0] == 0


@pytest.mark.parametrize("fault", PLANTED)
def test_faults_of_packed_datasets(verify, tmp_path, fault):
    plant, pattern = PLANTED[fault]
    found(verify(plant(tmp_path)), pattern)


@pytest.mark.parametrize("fault", ELSEWHERE)
def test_faults_of_other_formats(verify, tmp_path, registry, fault):
    plant, pattern = ELSEWHERE[fault]
    found(verify(plant(tmp_path, registry)), pattern)


def found(result, pattern):
    code, text = result
    assert code == 1, text
    assert re.search(pattern, text), text


def test_an_image_that_appears_twice_is_a_warning_unless_it_is_asked_for(verify, tmp_path):
    path = duplicate_image(tmp_path)
    code, text = verify(path)
    assert code == 0
    assert "1 warning" in text
    assert f"{BAD}" in text
    found(verify(path, "--strict"), r"has the same image as sample 0 \(000\)")


@pytest.mark.parametrize(("label", "pattern"), [(3, "label 3 is not from 0 to 2"), (1.0, "label 1.0 is float")])
def test_labels_are_those_of_the_classes(verify, tmp_path, label, pattern):
    samples = [{**sample, "label": label if n == BAD else n % 3} for n, sample in enumerate(clean())]
    found(verify(packed(tmp_path, samples), "--classes", 3), pattern)


def test_the_classes_are_as_many_as_have_names(verify, tmp_path, registry, monkeypatch):
    path = write(tmp_path, registry, "x.msgpack", clean())
    monkeypatch.setattr(MsgpackDataset, "class_names", ("one", "two"), raising=False)
    found(verify(path), "label 2 is not from 0 to 1")


def test_findings_for_programs_tell_sample_key_offset_and_what_to_do(verify, tmp_path):
    path = changed(label=-2)(tmp_path)
    code, text = verify(path, "--json")
    (finding,) = json.loads(text.splitlines()[-1])["findings"]
    dataset = MsgpackDataset(path)
    assert (code, finding["index"], finding["key"], finding["offset"]) == (1, BAD, "005", dataset.offset(BAD))
    assert (finding["kind"], finding["warning"]) == ("label", False)
    assert "--repair" in finding["advice"]


def test_findings_are_told_where_a_dataset_cannot_be_opened(verify, tmp_path):
    code, text = verify(cut("")(tmp_path), "--json")
    report = json.loads(next(line for line in text.splitlines() if line.startswith("{")))
    assert (code, report["samples"]) == (1, 0)
    assert {finding["kind"] for finding in report["findings"]} == {"checksum", "index"}


def test_a_copy_without_what_cannot_be_used(verify, tmp_path):
    samples = clean()
    samples[1]["image"] = b"no"
    samples[4]["label"] = "cat"
    samples[BAD]["image"] = samples[0]["image"]
    path = packed(tmp_path, samples)
    flip(beside(path, ".md5"), 0, bits=1)
    code, text = verify(path, "--repair", tmp_path / "new.msgpack", "--json")
    report = json.loads(text.splitlines()[-1])
    assert code == 1
    assert report["repaired"] == {"path": str(tmp_path / "new.msgpack"), "samples": COUNT - 2, "left_out": 2}
    copy = MsgpackDataset(tmp_path / "new.msgpack")
    assert [copy.key(n) for n in range(len(copy))] == [s["key"] for n, s in enumerate(samples) if n not in (1, 4)]
    assert copy.sample(0) == MsgpackDataset(path).sample(0)
    assert verify(tmp_path / "new.msgpack")[0] == 0


def test_a_copy_has_keys_as_the_samples_have_them_and_each_once(verify, tmp_path):
    found(verify(duplicate_key(tmp_path), "--repair", tmp_path / "new.msgpack"), "left out 1")
    (tmp_path / "more").mkdir()
    found(verify(other_key_inside(tmp_path / "more"), "--repair", tmp_path / "other.msgpack"), "left out 0")
    assert "zzz" in MsgpackDataset(tmp_path / "other.msgpack")


def test_keys_that_the_index_does_not_tell_are_those_of_the_samples(verify, tmp_path):
    path = packed(tmp_path)
    content = bytearray(beside(path, ".keys").read_bytes())
    content[-4] = 7  # a number in place of the last key's head
    beside(path, ".keys").write_bytes(content)
    result = verify(path, "--repair", tmp_path / "new.msgpack")
    found(result, "the index does not tell its key: .*is not a string")
    assert result[1].count("the index does not tell") == 1
    assert "left out 0" in result[1]
    assert verify(tmp_path / "new.msgpack")[0] == 0
    assert MsgpackDataset(tmp_path / "new.msgpack").key(COUNT - 1) == f"{COUNT - 1:03}"


def test_a_copy_is_no_other_file(verify, tmp_path):
    path = packed(tmp_path)
    code, text = verify(path, "--repair", path)
    assert (code, "exists already" in text) == (1, True)
    assert verify(path)[0] == 0
