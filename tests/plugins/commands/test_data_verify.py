"""leaven data verify: which samples of a dataset cannot be used."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.errors import DatasetError, FormatError, ParameterError
from leaven.stream.quarantine import Listed, Quarantine, read_quarantine
from leaven.testing.tools import picture, png
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset

IMAGE = png(picture())
BAD = 3


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        result = CliRunner().invoke(data, ["verify", *map(str, arguments)], obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


@pytest.fixture
def packed(tmp_path):
    """Six samples, of which one has half an image, and one has a list of images, the second of which is none."""
    contents = [{"key": f"k{n}", "image": IMAGE, "label": n} for n in range(6)]
    contents[BAD]["image"] = IMAGE[: len(IMAGE) // 2]
    contents[4]["mask"] = [IMAGE, b"no image"]
    MsgpackDataset.write(tmp_path / "x.msgpack", contents)
    return tmp_path / "x.msgpack"


def listed(path, index, key="", epoch=0):
    return Listed(key, index, None, "decode", "no", "DecodeError", epoch, str(path))


def quarantine(tmp_path, *lines):
    file = Quarantine(tmp_path / "q.jsonl")
    for line in lines:
        file.add(line)
    return file.path


def test_the_samples_that_fail_are_named_and_the_exit_code_is_1(run, packed):
    result = run(packed)
    assert result.return_value == 1
    assert "6 samples, 5 images" in result.stdout
    offset = str(MsgpackDataset(packed).offset(BAD))
    (line,) = [line for line in result.stdout.splitlines() if line.split()[:2] == [str(BAD), f"k{BAD}"]]
    assert line.split()[2:5] == [offset, "decode", "DecodeError:"]


def test_a_dataset_without_faults_is_fine(run):
    result = run("dataset:digits")
    assert result.return_value == 0
    assert "failed    0" in result.stdout


def test_the_report_for_programs(run, packed):
    found = json.loads(run(packed, "--json").stdout.splitlines()[-1])
    assert {key: found[key] for key in ("format", "samples", "images", "fine", "missing")} == {
        "format": "msgpack",
        "samples": 6,
        "images": 5,
        "fine": [],
        "missing": [],
    }
    (failure,) = found["failures"]
    assert (failure["index"], failure["key"], failure["cause"]) == (BAD, f"k{BAD}", "DecodeError")


def test_fields_of_images_can_be_named(run, packed):
    found = json.loads(run(packed, "--key", "image", "--key", "mask", "--json").stdout.splitlines()[-1])
    assert [failure["index"] for failure in found["failures"]] == [BAD, 4]
    assert found["images"] == 4
    assert run(packed, "--key", "label").return_value == 0


def test_samples_that_cannot_be_unpacked_are_told(run, packed):
    with open(packed, "r+b") as file:
        file.seek(MsgpackDataset(packed).offset(1))
        file.write(b"\xc1")
    found = json.loads(run(packed, "--json").stdout.splitlines()[-1])
    assert [(failure["index"], failure["stage"]) for failure in found["failures"]] == [(1, "unpack"), (BAD, "decode")]


def test_a_data_file_that_was_cut_off(run, packed):
    with open(packed, "r+b") as file:
        file.truncate(MsgpackDataset(packed).offset(5) + 3)
    with pytest.raises(DatasetError):
        run(packed)


def test_failures_become_a_quarantine_file_that_can_be_read_again(run, packed, tmp_path):
    out = tmp_path / "found" / "q.jsonl"
    run(packed, "--out", out)
    (failure,) = read_quarantine(out)
    assert (failure.index, failure.dataset, failure.epoch) == (BAD, str(packed), None)
    again = json.loads(run(packed, "--quarantine", out, "--only-quarantined", "--json").stdout.splitlines()[-1])
    assert (again["samples"], len(again["failures"]), again["fine"]) == (1, 1, [])


def test_a_file_of_that_name_is_left_alone(run, packed, tmp_path):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(DatasetError, match="exists already"):
        run(packed, "--out", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_listed_samples_that_are_fine_now_or_gone_are_told(run, packed, tmp_path):
    lines = [listed(packed, BAD), listed(packed, 5, "k5"), listed(packed, 5, "k5", 1), listed(packed, 77, "k77")]
    file = quarantine(tmp_path, *lines, listed("other.msgpack", 0))
    text = run(packed, "--quarantine", file).stdout
    assert "1: 5 (k5)" in text
    assert "1: 77 (k77)" in text
    found = json.loads(run(packed, "--quarantine", file, "--only-quarantined", "--json").stdout.splitlines()[-1])
    assert (found["samples"], found["fine"], found["missing"]) == (2, [5], [77])


def test_a_dataset_is_recognised_by_its_path_however_that_is_written(run, packed, tmp_path, monkeypatch):
    file = quarantine(tmp_path, listed(packed.name, BAD))
    monkeypatch.chdir(tmp_path)
    found = json.loads(run(packed, "--quarantine", file, "--only-quarantined", "--json").stdout.splitlines()[-1])
    assert found["samples"] == 1


def test_nothing_of_a_foreign_file_reaches_the_terminal(run, packed, tmp_path):
    file = quarantine(tmp_path, listed(packed, 99, "\x1b[2J"))
    assert "\x1b" not in run(packed, "--quarantine", file).stdout


def test_mistakes(run, packed, tmp_path):
    with pytest.raises(click.UsageError, match="needs --quarantine"):
        run(packed, "--only-quarantined")
    with pytest.raises(DatasetError, match="cannot be read"):
        run(packed, "--quarantine", tmp_path / "none.jsonl")
    with pytest.raises(FormatError, match="quarantine"):
        run(packed, "--quarantine", packed)


def test_a_dataset_that_raises_anything_is_no_trouble():
    from leaven_plugins.commands.data.checking import check_samples

    class Odd:
        def __len__(self):
            return 3

        def sample(self, index):
            return [{}, KeyError("x"), {}][index] if index != 1 else {}[index]

        def key(self, index):
            raise OSError("no keys")

    checked = check_samples(Odd(), None, range(3), ["image"], lambda: None)
    assert [(failure.index, failure.cause, failure.stage) for failure in checked.failures] == [(1, "KeyError", "read")]
    assert (checked.samples, checked.images) == (3, 0)


def test_what_was_found_before_ctrl_c_is_kept(run, packed, tmp_path, monkeypatch):
    out = tmp_path / "q.jsonl"
    real = MsgpackDataset.sample

    def sample(self, index):
        if index == 5:
            raise KeyboardInterrupt
        return real(self, index)

    monkeypatch.setattr(MsgpackDataset, "sample", sample)
    with pytest.raises((KeyboardInterrupt, click.Abort)):
        run(packed, "--out", out)
    assert [failure.index for failure in read_quarantine(out)] == [BAD]


def test_the_file_for_failures_is_not_made_for_nothing_and_may_be_empty(run, packed, tmp_path):
    out = tmp_path / "q.jsonl"
    with pytest.raises(DatasetError):
        run(tmp_path / "missing.msgpack", "--out", out)
    with pytest.raises(DatasetError):
        run(packed, "--out", out, "--quarantine", tmp_path / "missing.jsonl")
    assert not out.exists()
    out.touch()
    run(packed, "--out", out)
    assert [failure.index for failure in read_quarantine(out)] == [BAD]


def test_a_field_that_no_sample_has_is_an_error(registry, packed):
    arguments = ["verify", str(packed), "--key", "image", "--key", "imgae"]
    result = CliRunner().invoke(data, arguments, obj=registry, standalone_mode=False)
    assert isinstance(result.exception, ParameterError)
    assert result.exception.exit_code == 2
    assert "'imgae'" in str(result.exception)
    assert "6 samples, 5 images" in result.stdout


def test_a_dataset_without_the_usual_field_is_read_and_the_report_says_so(run, tmp_path):
    MsgpackDataset.write(tmp_path / "y.msgpack", [{"key": "a", "label": 3}])
    result = run(tmp_path / "y.msgpack")
    assert result.return_value == 0
    (line,) = [line for line in result.stdout.splitlines() if "in no sample" in line]
    assert line.split()[-1] == "image"


def test_a_file_about_other_datasets_is_an_error_and_lines_about_them_are_counted(run, packed, tmp_path):
    others = [listed("other.msgpack", 0), listed("other.msgpack", 1)]
    with pytest.raises(DatasetError, match=r"nothing in it is about .*x\.msgpack; 2 lines.*other\.msgpack"):
        run(packed, "--quarantine", quarantine(tmp_path, *others), "--only-quarantined")
    file = quarantine(tmp_path, listed(packed, 5))
    assert "2 lines" in run(packed, "--quarantine", file).stdout
    assert json.loads(run(packed, "--quarantine", file, "--json").stdout.splitlines()[-1])["elsewhere"] == 2


def test_a_file_written_elsewhere_is_about_the_same_dataset(run, packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(packed.name, "--out", "q.jsonl")
    (failure,) = read_quarantine("q.jsonl")
    assert failure.dataset == str(packed)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    found = json.loads(run("../x.msgpack", "--quarantine", "../q.jsonl", "--json").stdout.splitlines()[-1])
    assert (found["fine"], found["elsewhere"]) == ([], 0)
