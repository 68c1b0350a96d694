"""The golden cases that are checked: which function answers which family, and where the original is wrong.

ADAPTERS maps "system:family" (a family is a case's id up to its first "/") to function(args, root), which returns what
the case's ``expected`` holds; ``root`` is the folder of the golden vectors. They are collected from the files
``golden_*.py`` beside this one: a new file with ADAPTERS (and FAULTS) of its own is found.

FAULTS maps the beginning of a "system:case id" to the row of the specification that says why our answer is another.

ELSEWHERE names the test of a family whose cases cannot be told apart by their arguments, and are informative only.

LATER lists the families that nothing answers yet.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADAPTERS: dict[str, Callable[[dict[str, Any], Path], Any]] = {}

FAULTS: dict[str, str] = {
    "crumpets:mixture_rng/prob_0": "C054: a probability of 0 switched geometry off as well",
}

ELSEWHERE: dict[str, str] = {
    "batchup:errors": "core/data/test_sources.py",
    "datadings:orders": "plugins/datasets/test_msgpack_orders.py",
    "kappadata:randclass": "plugins/datasets/test_views_relabelling.py",
    "kappadata:semi_sampler": "plugins/samplers/test_samplers_golden.py",
    "kappadata:transform": "plugins/ops/test_transform_golden.py",
    "kappadata:weighted_sampler": "plugins/samplers/test_samplers_golden.py",
}

_LATER = {
    "crumpets": "nicetime",
    "elektronn2": """
        confusion_table didyoumean evaluate evaluate_thresh find_nearest levenshtein performance performance_edge
        rescale_fudge roc_area
    """,
    "trainer_dash": "curve2str dashboard",
}
LATER = {f"{system}:{family}" for system, families in _LATER.items() for family in families.split()}


def _collect() -> None:
    for path in sorted(Path(__file__).parent.glob("golden_*.py")):
        if path.name == Path(__file__).name:
            continue
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        ADAPTERS.update(module.ADAPTERS)
        FAULTS.update(getattr(module, "FAULTS", {}))


_collect()
