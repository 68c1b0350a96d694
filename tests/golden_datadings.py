"""Golden cases of datadings files: ADAPTERS maps "datadings:family" to function(args, root) -> what ``expected`` holds.

``root`` is the folder of the golden vectors. A dataset of the original is read, and written anew: the sizes and sums
that come back are those of the files written here.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leaven.registry.opening import open_dataset
from leaven.registry.registry import Registry
from leaven.stream.wire import unpack_sample
from leaven_plugins.datasets.msgpack.bloom import BloomFilter
from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset
from leaven_plugins.datasets.msgpack.hashes import hash_string


def _file(args: dict[str, Any], root: Path) -> Any:
    dataset = MsgpackDataset(root / args["file"])
    messages = [dataset.sample(i) for i in range(len(dataset))]
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / Path(args["file"]).name
        MsgpackDataset.write(target, map(unpack_sample, messages))
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    hashes = files[target.name + ".key_hashes"]
    return {
        "n": len(dataset),
        "keys": [dataset.key(i) for i in range(len(dataset))],
        "offsets": np.cumsum([0, *map(len, messages)]).tolist(),
        "salt_hex": hashes[:8].hex(),
        "key_hashes": [str(value) for value in np.frombuffer(hashes[8:], ">u8")],
        "sample_sha256": [hashlib.sha256(message).hexdigest() for message in messages],
        "file_sizes": {name: len(content) for name, content in files.items()},
        "md5_file": files[target.name + ".md5"].decode(),
        "sample_fields": [
            {str(key): type(value).__name__ for key, value in unpack_sample(messages[0]).items()},
        ],
    }


def _legacy_index(args: dict[str, Any], root: Path) -> Any:
    dataset = MsgpackDataset(root / args["file"])
    count = len(dataset)
    return {
        "len": count,
        "keys": [dataset.key(i) for i in range(count)],
        "labels": [unpack_sample(dataset.sample(i))["label"] for i in range(count)],
    }


def _hash_string(args: dict[str, Any], root: Path) -> Any:
    value = hash_string(args["s"], bytes.fromhex(args["salt_hex"]))
    return {"uint64": str(value), "bytes_hex": value.to_bytes(8, "big").hex()}


def _bloom(args: dict[str, Any], root: Path) -> Any:
    content = BloomFilter.of([f"key{n}" for n in range(args["num_elements"])]).content
    return {
        "num_bits": None,  # of the original's object, which does not tell
        "num_hashes": None,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "header_hex": content[:32].hex(),
    }


def _sharded(args: dict[str, Any], root: Path) -> Any:
    dataset = open_dataset(str(root / args["glob"]), Registry(builtin_only=True))
    keys = [dataset.key(i) for i in range(len(dataset))]
    return {
        "len": len(dataset),
        "values": [unpack_sample(dataset.sample(i))["v"] for i in range(len(dataset))],
        "find_key_3": keys[3],
        "find_index_s2_1": keys.index("s2_1"),
    }


ADAPTERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {
    "datadings:file": _file,
    "datadings:legacy_index": _legacy_index,
    "datadings:hash_string": _hash_string,
    "datadings:bloom": _bloom,
    "datadings:sharded": _sharded,
}
