from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from leaven.stream.wire import unpack_sample
from leaven_plugins.datasets.msgpack import MsgpackDataset

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT.parent / "shared" / "golden"
FILES = GOLDEN / "datadings_files"

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="the folder of golden cases is absent")


def module_at(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_golden_case_of_files_indices_hashes_and_filters():
    loader, adapters = module_at(GOLDEN / "loader.py"), module_at(ROOT / "tests" / "golden_datadings.py").ADAPTERS
    seen = set()
    for case in loader.cases("datadings"):
        key = f"datadings:{case['id'].partition('/')[0]}"
        if key in adapters:
            seen.add(key)
            ok, why = loader.close(case["expected"], adapters[key](case["args"], GOLDEN), case["tolerance"])
            assert ok, (case["id"], why)
    assert seen == set(adapters)


@pytest.mark.parametrize(
    "name",
    ["classification", "misc", "order", "saliency", "segmentation", "segmentation_crumpets", "shard_0", "shard_2"],
)
def test_files_written_anew_are_byte_for_byte_those_of_the_original(tmp_path, name):
    source = MsgpackDataset(FILES / f"{name}.msgpack")
    target = tmp_path / f"{name}.msgpack"
    MsgpackDataset.write(target, (unpack_sample(source.sample(n)) for n in range(len(source))))
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FILES.glob(f"{name}.msgpack*")}
    assert len(written) == 6


def test_keys_are_found_by_the_original_files():
    dataset = MsgpackDataset(FILES / "order.msgpack")
    assert [dataset.find(str(n)) for n in range(len(dataset))] == list(range(53))
    assert "53" not in dataset
