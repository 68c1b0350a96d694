from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from leaven.protocols import Dataset

DOORS = {"msgpack": "MsgpackDataset", "folder": "FolderDataset", "digits": "DigitsDataset", "shapes": "ShapesDataset"}


@pytest.mark.parametrize("name", DOORS)
def test_a_door_declares_its_dataset_and_leads_to_its_class(name):
    door = import_module(f"leaven_plugins.datasets.{name}")
    (component,) = door.leaven_datasets()
    module, _, attribute = component.target.partition(":")
    assert component.name == name
    assert component.summary
    assert getattr(door, DOORS[name]) is getattr(import_module(module), attribute)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        door.Nothing


def test_instances_are_datasets(tmp_path):
    from leaven_plugins.datasets.digits import DigitsDataset
    from leaven_plugins.datasets.folder import FolderDataset
    from leaven_plugins.datasets.msgpack import MsgpackDataset

    for dataset in (DigitsDataset(), FolderDataset(tmp_path), MsgpackDataset(tmp_path / "x.msgpack")):
        assert isinstance(dataset, Dataset)


def test_doors_import_no_library():
    doors = ", ".join(f"leaven_plugins.datasets.{name}" for name in DOORS) + ", leaven_plugins.commands.data"
    code = f"import sys, {doors}; print(sorted({{'numpy', 'cv2', 'msgpack', 'click', 'rich'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
