"""Golden cases of copying folders: ADAPTERS maps "system:family" to function(args, root) -> what ``expected`` holds."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from leaven_plugins.copying.local import copy_to_local

_BEFORE = {
    "none": (),
    "complete": ("autocopy_start.txt", "old.txt", "autocopy_end.txt"),
    "manual": ("old.txt",),
}
_MEMBERS = {"train.zip": ("a.txt", "sub/b.txt"), "c1.zip": ("c1_a.txt",), "c2.zip": ("c2_a.txt",)}


def _copy(args: dict[str, Any], root: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        source, destination = Path(folder) / "global", Path(folder) / "local"
        _make(source, [name for name in args["source_tree"] if "." in name])
        _make(destination / args["relative_path"], _BEFORE[args["destination_before"]])
        result = copy_to_local(source, destination, args["relative_path"])
        target = destination / args["relative_path"]
        tree = sorted(path.relative_to(target).as_posix() for path in target.rglob("*"))
        return {**result._asdict(), "tree_after": tree}


def _make(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path, "w") as archive:
                for member in _MEMBERS[path.name]:
                    archive.writestr(member, member)
        else:
            path.write_text(name)


ADAPTERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {"kappadata:copy": _copy}

FAULTS = {"kappadata:copy/zips/none": "K036: archives were mixed in one folder, and other files were dropped"}
