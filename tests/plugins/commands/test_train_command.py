from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import pytest
from small_runs import SMALL_RUN

from leaven.cli.main import run
from leaven_plugins.snapshots.files import load_snapshot

PLUGIN = '''
"""A worker of the test: the digit as it is, and noise."""

import cv2
import numpy as np

from leaven import BufferWorker, Component, hookimpl


@hookimpl
def leaven_workers():
    yield Component("noisy", NoisyWorker, "digits and noise")


class NoisyWorker(BufferWorker):
    def __init__(self, noise: float = 20.0):
        self.noise = noise
        self.add_buffer("image", ((1, 8, 8), "uint8"))
        self.add_buffer("label", ((1,), "int64"))

    def prepare(self, sample, row, buffers):
        image = cv2.imdecode(np.frombuffer(sample["image"], np.uint8), cv2.IMREAD_GRAYSCALE)
        buffers["image"][0] = np.clip(image + row.random.normal(0, self.noise, image.shape), 0, 255)
        buffers["label"][:] = sample["label"]
'''

CONFIG = f"""
seed = 3
[leaven]
plugins = ["noisy.py"]
[worker]
use = "noisy"
{SMALL_RUN}"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "noisy.py").write_text(PLUGIN)
    (folder / "mini.toml").write_text(CONFIG)
    return "experiment/mini.toml"


def result_of(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def train(capsys, config, *arguments):
    code = run(["train", config, "--json", *arguments])
    assert code == 0, capsys.readouterr().err
    return result_of(capsys)


# ---- what a run leaves


def test_a_run_leaves_everything_in_its_folder(config, capsys):
    result = train(capsys, config, "--out", "here")
    assert set(result) >= {"accuracy", "interval", "epochs", "seconds", "snapshot", "log", "sheet", "losses"}
    assert {path.name for path in Path("here").iterdir()} == {
        *("config.toml", "log.jsonl", "sheet.png", "predictions.png", "snapshots"),
    }
    assert result["epochs"] == len(result["losses"]) == 3
    assert result["losses"][2] < result["losses"][0]
    assert result["interval"][0] < result["accuracy"] < result["interval"][1]
    records = [json.loads(line) for line in Path(result["log"]).read_text().splitlines()]
    assert [record["loss"] for record in records if record.get("phase") == "train"] == result["losses"]
    assert records[-2]["accuracy"] == result["accuracy"]
    assert records[-2]["samples"] == 100
    snapshot = load_snapshot(result["snapshot"])
    assert snapshot.about["epoch"] == 3
    assert snapshot.about["config"]["model"]["features"] == 64
    assert "torch" in snapshot.about["versions"]
    assert cv2.imread(result["sheet"]) is not None


def test_images_that_were_left_to_the_fallback_are_told(config, capsys):
    plugin = Path(config).with_name("noisy.py")
    tally = "    def tally(self):\n        return {'acme: fine': 64, 'acme: left to the fallback: cmyk': 2}\n"
    plugin.write_text(plugin.read_text() + "\n" + tally)
    assert run(["train", config]) == 0
    lines = [line for line in "".join(capsys.readouterr()).splitlines() if "acme" in line]
    assert len(lines) == 1
    assert "images acme: left to the fallback: cmyk" in lines[0]


def test_the_resolved_configuration_gives_the_same_run_anywhere(config, capsys, tmp_path, monkeypatch):
    first = train(capsys, config, "--out", "a/run", "--set", "optimizer.lr=0.02")
    resolved = (tmp_path / "a" / "run" / "config.toml").resolve()
    assert tomllib.loads(resolved.read_text())["optimizer"]["lr"] == 0.02
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    second = train(capsys, str(resolved))
    assert second["losses"] == first["losses"]
    assert Path(second["log"]) == Path("runs/config/log.jsonl")


def test_the_folder_is_a_new_one_every_time(config, capsys):
    train(capsys, config, "--set", "train.epochs=1")
    kept = Path("runs/mini/log.jsonl").read_bytes()
    run(["train", config, "--set", "train.epochs=1"])
    said = capsys.readouterr().out
    assert "runs/mini is not empty: this run goes to runs/mini-2" in said
    assert Path("runs/mini/log.jsonl").read_bytes() == kept
    assert Path("runs/mini-2/log.jsonl").exists()


def test_the_last_epoch_has_a_snapshot_whatever_the_interval(config, capsys):
    result = train(capsys, config, "--set", "trainer.snapshot_interval=2")
    assert sorted(path.name for path in Path("runs/mini/snapshots").iterdir()) == ["epoch_0002", "epoch_0003"]
    assert result["snapshot"].endswith("epoch_0003")


def test_without_validation_the_accuracy_is_that_of_training(config, capsys):
    path = Path(config)
    path.write_text(path.read_text().replace('[data.val]\nuse = "digits"\nsplit = "val"\nval = 100\n', ""))
    result = train(capsys, config, "--set", "train.epochs=1")
    records = [json.loads(line) for line in Path(result["log"]).read_text().splitlines()]
    assert result["accuracy"] == records[0]["accuracy"]
    assert [record.get("phase") for record in records] == ["train", None]


# ---- the same run


@pytest.mark.parametrize("override", ["loader.transport=inline", "loader.nworkers=1"])
def test_the_loss_curve_does_not_depend_on_transport_and_workers(config, capsys, override):
    two = train(capsys, config, "--set", "loader.nworkers=2", "--set", "loader.transport=zeromq")
    other = train(capsys, config, "--set", "loader.nworkers=2", "--set", override)
    assert other["losses"] == two["losses"]
    assert other["accuracy"] == two["accuracy"]


def test_another_seed_is_another_run(config, capsys):
    assert train(capsys, config)["losses"] != train(capsys, config, "--set", "seed=4")["losses"]


def test_a_resumed_run_is_the_same_run(config, capsys):
    whole = train(capsys, config)
    resumed = train(capsys, config, "--resume", "runs/mini/snapshots/epoch_0002", "--out", "rest")
    assert resumed["losses"] == whole["losses"][2:]
    assert resumed["accuracy"] == whole["accuracy"]
    longer = train(capsys, config, "--resume", "rest", "--set", "train.epochs=4", "--out", "longer")
    assert (longer["epochs"], len(longer["losses"])) == (4, 1)


# ---- what goes wrong


def complaint(capsys, *arguments):
    code = run(list(arguments))
    return code, capsys.readouterr().err


def test_all_mistakes_of_a_configuration_at_once(config, capsys):
    code, text = complaint(
        capsys, "train", config, "--set", "loader.nworkrs=1", "--set", "model.use=tiny_cn", "--set", "train.epoch=1"
    )
    assert code == 2
    assert "experiment/mini.toml: 3 problems" in text
    for part in ("'nworkers'", "tiny_cnn", "'epochs'"):
        assert part in text
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("train.epochs=0", "train.epochs: 0"),
        ("train.device=gpu", "train.device: device 'gpu'"),
        ("optimizer.lr=-1", "lr=-1: must be above 0"),
        ("loader.batch_size=0", "batch_size"),
        ("loader.seed=3", "set by the program"),
        ('train.epochs="many"', "train.epochs"),
    ],
)
def test_values_that_are_refused(config, capsys, override, part):
    code, text = complaint(capsys, "train", config, "--set", override)
    assert code == 2
    assert part in text


def test_a_dataset_that_is_missing_says_how_to_make_it(config, capsys):
    path = Path(config)
    digits, packed = 'use = "digits"\nsplit = "val"\n[data.val]', 'use = "msgpack"\npath = "no.msgpack"\n[data.val]'
    path.write_text(path.read_text().replace(digits, packed))
    code, text = complaint(capsys, "train", config)
    assert code == 1
    missing = path.parent.resolve() / "no.msgpack"
    assert str(missing) in text
    assert f"leaven data pack SOURCE {missing}" in text


def test_a_loss_that_is_not_finite(config, capsys):
    code, text = complaint(capsys, "train", config, "--set", "optimizer.use=sgd", "--set", "optimizer.lr=1e30")
    assert code == 1
    assert "epoch 1" in text
    assert "the loss is" in text


def test_a_label_out_of_range(config, capsys):
    code, text = complaint(capsys, "train", config, "--set", "model.classes=5")
    assert code == 1
    assert "the output's classes are 0 to 4" in text


def test_a_snapshot_of_another_network(config, capsys):
    train(capsys, config, "--set", "train.epochs=1")
    arguments = ("train", config, "--resume", "runs/mini", "--set")
    code, text = complaint(capsys, *arguments, "model.width=7")
    assert (code, "does not fit this experiment" in text) == (1, True)
    code, text = complaint(capsys, *arguments, "train.epochs=1")
    assert (code, "nothing is left to do" in text) == (2, True)


def test_without_torch_it_says_what_to_install(config):
    code = (
        "import sys\n"
        "class NoTorch:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'torch':\n"
        "            raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
        "sys.meta_path.insert(0, NoTorch())\n"
        "from leaven.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )

    def leaven(*arguments):
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)

    for arguments in (("train", config), ("demo", "--out", "d")):
        done = leaven(*arguments)
        assert done.returncode == 2
        assert "pip install 'leaven[torch]'" in done.stderr
        assert "Traceback" not in done.stderr
    assert not Path("runs").exists()
    assert not Path("d").exists()
    assert leaven("show", "batch", config).returncode == 0
    assert Path("sheet.png").exists()


def children_of(parent):
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if stat.read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(stat.parent.name)
    return found


def test_ctrl_c_ends_the_run_and_its_workers(config):
    interruptible = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # which a background job is not
    run = "from leaven.cli.main import run; sys.exit(run(sys.argv[1:]))"
    command = [sys.executable, "-c", f"import signal, sys; {interruptible}; {run}"]
    options = ["--set", "loader.nworkers=2", "--set", "train.epochs=100000", "--out", "here"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([*command, "train", config, *options], **pipes)
    for line in process.stdout:
        if "1/100000" in line:
            break
    children = children_of(process.pid)
    assert len(children) == 2  # for training and validation
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not [pid for pid in children if os.path.exists(f"/proc/{pid}")]
    assert "stopped: interrupted" in Path("here/log.jsonl").read_text().splitlines()[-1]


@pytest.mark.slow
def test_a_network_of_which_each_process_has_a_part_ends_well(tmp_path, config):
    """Predictions are not drawn then: rank 0 alone could not make them."""
    command = [sys.executable, "-m", "leaven", "train", config, "--nproc", "2", "--out", "two", "--json"]
    overrides = ["--set", "trainer.parallel=fsdp", "--set", "train.epochs=1", "--set", "train.threads=1"]
    done = subprocess.run([*command, *overrides], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (Path(result["snapshot"]).name, result["predictions"]) == ("epoch_0001", None)


def test_ops_that_are_left_to_nobody_are_refused(config, capsys):
    worker = ["--set", "worker.use=classification", "--set", 'worker.image={shape=[1,8,8],dtype="uint8"}']
    code, text = complaint(capsys, "train", config, *worker, "--set", "worker.gpu_augmentation=true")
    assert (code, "worker.gpu_augmentation: nothing does the ops then: add an [augmenter]" in text) == (2, True)
