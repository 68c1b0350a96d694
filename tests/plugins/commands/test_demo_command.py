from __future__ import annotations

import json
from pathlib import Path

from leaven import Registry
from leaven.cli.main import run
from leaven.errors import UnknownName
from leaven_plugins.commands.demo.command import CONFIG, _has_turbo, pack_digits
from leaven_plugins.datasets.msgpack import MsgpackDataset

ROOT = Path(__file__).parents[3]


def test_the_example_is_what_the_demo_runs():
    assert (ROOT / "examples" / "digits.toml").read_text("utf-8") == CONFIG.read_text("utf-8")


def test_the_digits_are_packed_as_they_are(tmp_path):
    packed = pack_digits(Registry(), tmp_path)
    assert {split: count for split, (_, count) in packed.items()} == {"train": 1437, "val": 360}
    digits = Registry().create("dataset:digits", split="val")
    dataset = MsgpackDataset(packed["val"][0])
    assert dataset.key(7) == digits.key(7)
    dataset.close()


def test_a_short_demo(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    short = ["--set", "train.epochs=1", "--set", "loader.nworkers=1"]
    assert run(["demo", *short, "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    result = json.loads(lines[-1])
    assert set(result) >= {"accuracy", "interval", "epochs", "seconds", "snapshot", "log", "sheet", "losses"}
    for name in ("snapshot", "log", "sheet"):
        assert result[name] in "\n".join(lines[:-1])
        assert Path(result[name]).exists()
    said = "\n".join(lines)
    assert "same 13 writers" in said
    assert "leaven show batch runs/demo/config.toml" in said
    assert Path("runs/demo/data/train.msgpack").exists()
    assert result["accuracy"] > 0.2  # a tenth would be chance

    assert run(["show", "batch", "runs/demo/config.toml", "--out", "batch.png"]) == 0
    again = ["train", "runs/demo/config.toml", "--json", "--set", "loader.transport=inline"]
    assert run(again) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["losses"] == result["losses"]


def test_a_blocked_worker_is_named_before_anything_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(["-p", "no:classification", "demo"]) == 2
    text = capsys.readouterr().err
    assert "worker: " in text
    assert "blocked" in text
    assert "no:classification" in text
    assert not list(tmp_path.iterdir())


def test_it_knows_whether_the_native_decoder_is_there():
    class Found:
        def find(self, name, kind):
            return name, kind

    class Missing:
        def find(self, name, kind):
            raise UnknownName("no decoder 'turbo'")

    assert _has_turbo(Found())
    assert not _has_turbo(Missing())
