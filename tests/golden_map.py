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

ELSEWHERE: dict[str, str] = {"kappadata:transform": "plugins/ops/test_transform_golden.py"}

_LATER = {
    "crumpets": "nicetime",
    "datadings": "orders sharded",
    "batchup": """
        array_ds choice class_balancing_sampler class_balancing_subset class_balancing_weights composite errors map
        map_concat map_concat_empty map_concat_nbatches map_mean map_mean_axis map_mean_prepend num_batches
        standard_in_order standard_shuffled subset_in_order subset_shuffled u8_to_f32
    """,
    "elektronn2": """
        confusion_table didyoumean evaluate evaluate_thresh find_nearest levenshtein performance performance_edge
        rescale_fudge roc_area
    """,
    "kappadata": """
        balanced_sampler class_filter classwise concat concat_balanced copy fewshot groups interleaved intra kdsubset
        mode mode_ctx onehot oversampling percent pos_embed randclass repeat semi semi_sampler shuffle
        smooth sort subset superclass swap weighted_sampler
    """,
    "nebulae": "generator generator_shards generator_shards_fixed ver2num",
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
