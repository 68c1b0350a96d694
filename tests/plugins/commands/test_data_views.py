"""--view of info, head and verify; what verify says of datasets that are over others."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from leaven import Registry
from leaven.stream.wire import unpack_sample
from leaven.testing import tools
from leaven_plugins.commands.data.group import data
from leaven_plugins.datasets.msgpack import MsgpackDataset


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def told(registry):
    """Return exit code, and the JSON object."""

    def told(*arguments):
        command = [*map(str, arguments), "--json"]
        result = CliRunner().invoke(data, command, obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.return_value or 0, json.loads(result.stdout.splitlines()[-1])

    return told


@pytest.fixture
def packed(tmp_path):
    MsgpackDataset.write(tmp_path / "a.msgpack", tools.samples(10))
    return tmp_path / "a.msgpack"


def content(path):
    dataset = MsgpackDataset(path)
    return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def test_info_and_head_are_about_the_views(told, packed):
    views = ["--view", "percent(50, 100)", "--view", "subset(start=1, stop=3)"]
    code, found = told("info", packed, *views)
    assert (code, found["format"], found["samples"], found["classes"]) == (0, "msgpack", 2, {"6": 1, "7": 1})
    code, found = told("head", packed, *views)
    assert (code, found["format"], found["samples"]) == (0, "msgpack", 2)
    assert [(row["index"], row["key"]) for row in found["head"]] == [(0, "s6"), (1, "s7")]


def test_verify_checks_the_samples_of_the_views_and_all_of_the_files(told, packed):
    samples = tools.samples(10)
    samples[8]["image"] = b"no image"
    MsgpackDataset.write(packed, samples, overwrite=True)
    code, found = told("verify", packed, "--view", "percent(0, 80)")
    assert (code, found["samples"]) == (0, 8)
    code, found = told("verify", packed, "--view", "percent(50, 100)")
    assert (code, [(f["index"], f["key"]) for f in found["failures"]]) == (1, [(3, "s8")])
    packed.with_name("a.msgpack.md5").write_text(f"{'0' * 32}  a.msgpack\n")
    code, found = told("verify", packed, "--view", "percent(0, 80)")
    assert (code, [f["kind"] for f in found["findings"]]) == (1, ["checksum"])


@pytest.mark.parametrize("views", [["repeat(3)"], ["repeat(2)", "repeat(2)"], ["oversample('exact')"]])
def test_samples_that_a_view_shows_several_times_are_no_faults(told, packed, views, tmp_path):
    asked = [part for view in views for part in ("--view", view)]
    code, found = told("verify", packed, *asked, "--strict", "--repair", tmp_path / "b.msgpack")
    assert (code, found["findings"]) == (0, [])
    assert found["repaired"]["left_out"] == 0
    copy = content(tmp_path / "b.msgpack")
    assert len({sample["key"] for sample in copy}) == len(copy) == found["samples"]


def test_real_twins_and_keys_that_are_wrong_are_found_below_views(told, tmp_path):
    samples = tools.samples(6)
    samples[4]["image"] = samples[1]["image"]
    MsgpackDataset.write(tmp_path / "a.msgpack", samples)
    code, found = told("verify", tmp_path / "a.msgpack", "--view", "repeat(2)")
    assert code == 0
    assert {(f["kind"], f["index"]) for f in found["findings"]} == {("twin", 4), ("twin", 10)}


def test_the_files_of_all_shards_are_checked(told, tmp_path):
    for number in range(3):
        samples = [{**sample, "key": f"{number}-{sample['key']}"} for sample in tools.samples(3)]
        MsgpackDataset.write(tmp_path / f"x_{number}.msgpack", samples)
    pattern = tmp_path / "x_{0..2}.msgpack"
    assert [f for f in told("verify", pattern)[1]["findings"] if not f["warning"]] == []
    (tmp_path / "x_1.msgpack.md5").write_text(f"{'0' * 32}  x_1.msgpack\n")
    code, found = told("verify", pattern)
    (finding,) = [f for f in found["findings"] if not f["warning"]]
    assert (code, finding["kind"]) == (1, "checksum")
    assert finding["file"].endswith("x_1.msgpack")


def test_the_file_of_an_address_is_fetched_before_it_is_judged(told, packed, tmp_path, monkeypatch):
    monkeypatch.setenv("LEAVEN_HOME", str(tmp_path / "home"))
    assert told("verify", f"file://{packed}")[1]["findings"] == []
