from __future__ import annotations

import os
import sys

import pytest
import torch
from torch import nn

from leaven.errors import MissingPackageError
from leaven_plugins.snapshots.plain import place_of
from leaven_plugins.snapshots.safetensors import SnapshotError, export_weights, import_weights


def test_what_was_written_is_read(tmp_path):
    base = torch.arange(12.0)
    state = {
        "matrix": torch.rand(3, 4).T,
        "half": torch.rand(3).bfloat16(),
        "count": torch.tensor(3),
        "empty": torch.zeros(0, 2),
        "view": base[2:5],
        "flat": base,
        "same memory, another shape": base.view(3, 4),
    }
    loaded = import_weights(export_weights(tmp_path / "net.safetensors", state))
    torch.testing.assert_close(loaded, state, rtol=0, atol=0)
    assert os.listdir(tmp_path) == ["net.safetensors"]


def test_tied_weights_are_written_once_and_are_tied_again(tmp_path):
    from safetensors import safe_open

    network = nn.ModuleDict({"embed": nn.Linear(5, 3, bias=False), "head": nn.Linear(5, 3, bias=False)})
    network["head"].weight = network["embed"].weight
    path = export_weights(tmp_path / "net.safetensors", network.state_dict(), {"of": "a test"})
    with safe_open(path, framework="pt") as file:
        assert list(file.keys()) == ["embed.weight"]
        assert file.metadata()["of"] == "a test"
    loaded = import_weights(path)
    assert place_of(loaded["head.weight"]) == place_of(loaded["embed.weight"])
    network.load_state_dict(loaded)


def test_what_cannot_be_written_or_read(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    with pytest.raises(SnapshotError, match=r"weights\.a: a str: a safetensors file holds dense tensors only"):
        export_weights(path, {"a": "text"})
    with pytest.raises(SnapshotError, match="cannot be written"):
        export_weights(tmp_path / "nowhere" / "net.safetensors", {"a": torch.ones(1)})
    path.write_bytes(b"something else")
    with pytest.raises(SnapshotError, match="cannot be read as safetensors"):
        import_weights(path)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingPackageError, match=r"to install it: pip install 'leaven\[export\]'"):
        import_weights(path)
