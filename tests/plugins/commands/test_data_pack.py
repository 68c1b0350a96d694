"""``leaven data pack``: its options, and what it says."""

from __future__ import annotations

import io
import json

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from leaven import Registry
from leaven.data.pack import pack
from leaven.errors import DatasetError, ParameterError, SampleError
from leaven.stream.wire import unpack_sample
from leaven.testing import tools
from leaven_plugins.commands.data.group import data
from leaven_plugins.commands.data.progress import progress
from leaven_plugins.datasets.msgpack import MsgpackDataset
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.pack.folder import WorkFolder, folder_of


@pytest.fixture(scope="module")
def registry():
    return Registry(builtin_only=True)


@pytest.fixture
def run(registry):
    def run(*arguments):
        command = [*map(str, arguments), "--jpeg-restart", "0"]
        result = CliRunner().invoke(data, ["pack", *command], obj=registry, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result

    return run


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.msgpack"
    MsgpackDataset.write(path, tools.samples(10, 30, 40))
    return path


def samples(path):
    dataset = MsgpackDataset(path)
    return [unpack_sample(dataset.sample(n)) for n in range(len(dataset))]


def report_of(result):
    return json.loads(result.stdout.splitlines()[-1])


def test_all_that_can_be_done_to_images(run, source, tmp_path):
    target = tmp_path / "x.msgpack"
    options = ["--resize", "20x24", "--channels", "1", "--encode", "jpeg", "--quality", "80", "--exif", "drop"]
    run(source, target, *options, "--fields", "image, label", "--view", "percent(50, 100)")
    found = samples(target)
    assert [list(sample) for sample in found] == [["key", "image", "label"]] * 5
    assert [sample["label"] for sample in found] == [5, 6, 7, 8, 9]
    image = OpenCVDecoder().decode(found[0]["image"], color=False).image
    assert found[0]["image"].startswith(b"\xff\xd8")
    grey = cv2.cvtColor(tools.picture(30, 40, seed=5), cv2.COLOR_RGB2GRAY)
    expected = cv2.resize(grey, (24, 20), interpolation=cv2.INTER_AREA)
    assert image.shape == (20, 24, 1)
    assert np.abs(image[..., 0] - expected.astype(float)).mean() < 5


def test_an_engine_by_a_call(run, tmp_path):
    result = run("dataset:digits", tmp_path / "x.msgpack", "--resize", "4", "--engine", "local(workers=1)", "--json")
    report = report_of(result)
    assert (report["samples"], report["blocks"], report["resumed"]) == (1797, 8, 0)
    assert "packing" not in result.stdout


def test_shards_and_one_of_them(run, source, tmp_path):
    (tmp_path / "alone").mkdir()
    assert run(source, tmp_path / "x.msgpack", "--shards", "3").stdout.startswith("packed 10 samples")
    for number in range(3):
        report = report_of(run(source, tmp_path / "alone" / "x.msgpack", "--shard", f"{number}/3", "--json"))
        assert report["paths"] == [str(tmp_path / "alone" / f"x_{number}.msgpack")]
        name = f"x_{number}.msgpack"
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / name).read_bytes()
    assert "3 of 3 files were there already" in run(source, tmp_path / "x.msgpack", "--shards", "3").stdout


def test_sequences_are_packed(run, tmp_path):
    frames = [tools.png(tools.picture(30, 40, seed=n)) for n in range(3)]
    MsgpackDataset.write(tmp_path / "a.msgpack", [{"key": "film", "image": frames, "label": 1}])
    run(tmp_path / "a.msgpack", tmp_path / "b.msgpack", "--resize", "15")
    (film,) = samples(tmp_path / "b.msgpack")
    assert [OpenCVDecoder().info(frame)[:2] for frame in film["image"]] == [(15, 20)] * 3


def test_what_stays_for_the_next_run_is_told(registry, source, tmp_path):
    broken = [*tools.samples(300), {"key": "broken", "image": b"<html>"}]
    MsgpackDataset.write(source, broken, overwrite=True)
    target = tmp_path / "x.msgpack"
    arguments = ["pack", str(source), str(target), "--resize", "9", "--jpeg-restart", "0", "--workers", "1"]
    result = CliRunner().invoke(data, arguments, obj=registry, standalone_mode=False)
    assert isinstance(result.exception, SampleError)
    assert f"{folder_of(target)}: blocks that are done stay for the same command" in result.stderr
    assert not target.exists()


def test_nobody_is_told_to_delete_what_another_process_is_at_work_on(registry, source, tmp_path):
    target = tmp_path / "x.msgpack"
    arguments = ["pack", str(source), str(target), "--resize", "9", "--jpeg-restart", "0", "--workers", "1"]
    with WorkFolder(target, "of another run") as kept:
        (kept.path / "00000000.json").touch()
        result = CliRunner().invoke(data, [*arguments, "--shards", "1"], obj=registry, standalone_mode=False)
    assert isinstance(result.exception, DatasetError)
    assert "delete it" not in result.stderr


def test_blocks_of_a_run_that_was_ended_are_used(run, source, tmp_path, monkeypatch):
    MsgpackDataset.write(source, tools.samples(600), overwrite=True)
    with monkeypatch.context() as patch:
        patch.setattr(WorkFolder, "begin", _interrupt)
        with pytest.raises(click.Abort):
            run(source, tmp_path / "x.msgpack", "--resize", "12", "--workers", "2")
    result = run(source, tmp_path / "x.msgpack", "--resize", "12", "--workers", "2")
    assert "3 of 3 blocks were there from an earlier run" in result.stdout
    pack(source, tmp_path / "y.msgpack", resize=12, block=600)
    assert (tmp_path / "x.msgpack").read_bytes() == (tmp_path / "y.msgpack").read_bytes()


def _interrupt(*_):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--resize", "12x"], "neither a number of pixels"),
        (["--resize", "70000"], "neither a number of pixels"),
        (["--shard", "3/3"], "not of the form I/N"),
        (["--shard", "0/3", "--shards", "2"], "contradict each other"),
        (["--fields", "image,,label"], "not a list of names"),
        (["--option", "level"], "not of the form KEY=VALUE"),
        (["--channels", "4"], "'4' is not one of"),
    ],
)
def test_malformed_options_are_usage_errors(registry, source, tmp_path, options, text):
    result = CliRunner().invoke(data, ["pack", str(source), str(tmp_path / "x.msgpack"), *options], obj=registry)
    assert result.exit_code == 2
    assert text in result.stderr


def test_options_of_the_format_are_passed_on(run, source, tmp_path):
    with pytest.raises(ParameterError, match="msgpack is written without an option 'level'"):
        run(source, tmp_path / "x.msgpack", "--option", "level=3")


def test_progress_tells_how_many_there_are_in_a_second(capsys):
    now = [0.0]
    with progress("packing", 100, Console(file=io.StringIO()), lambda: now[0], unit="samples") as advance:
        for _ in range(10):
            now[0] += 1
            advance(10)
    assert capsys.readouterr().err == "packing 50 of 100, 10 samples/s\npacking 100 of 100, 10 samples/s\n"
    stream = io.StringIO()
    with progress(
        "x", 100, Console(file=stream, force_terminal=True, width=90), lambda: now[0], unit="samples"
    ) as advance:
        now[0] += 2
        advance(50)
    assert "25 samples/s" in stream.getvalue()
