"""Each view is a dataset, under its name, over another one by its name."""

from __future__ import annotations

import numpy as np

from leaven.testing import DatasetContract

DIGITS = {"use": "digits", "split": "val", "val": 20}


class View(DatasetContract):
    samples = None
    params = {"dataset": DIGITS}


class TestSubset(View):
    spec = "dataset:subset"
    params = {"dataset": DIGITS, "indices": [3, 3, -1, 0]}


class TestPercent(View):
    spec = "dataset:percent"
    params = {"dataset": DIGITS, "start": 12.5, "stop": 80}


class TestClasses(View):
    spec = "dataset:classes"
    params = {"dataset": DIGITS, "keep": [1, "7"], "relabel": True}


class TestClassSubset(View):
    spec = "dataset:class_subset"
    params = {"dataset": DIGITS, "stop_percent": 50}


class TestFewShot(View):
    spec = "dataset:few_shot"
    params = {"dataset": DIGITS, "shots": 2}


class TestShuffle(View):
    spec = "dataset:shuffle"


class TestSortByClass(View):
    spec = "dataset:sort_by_class"


class TestShuffleWithinClasses(View):
    spec = "dataset:shuffle_within_classes"


class TestRepeat(View):
    spec = "dataset:repeat"
    params = {"dataset": DIGITS, "times": 3}


class TestOversample(View):
    spec = "dataset:oversample"
    params = {"dataset": DIGITS, "mode": "exact"}


class TestConcat(View):
    spec = "dataset:concat"
    params = {"datasets": [DIGITS, DIGITS]}


class TestConcatBalanced(View):
    spec = "dataset:concat"
    params = {"datasets": [DIGITS, {"use": "percent", "dataset": DIGITS, "stop": 30}], "balanced": True}


class TestComposite(View):
    spec = "dataset:composite"
    params = {"datasets": [DIGITS, {"use": "shuffle", "dataset": DIGITS}]}


class TestCompositeNested(View):
    spec = "dataset:composite"
    params = {"datasets": [DIGITS, DIGITS], "layout": ["near", "far"]}


class TestChoice(View):
    spec = "dataset:choice"
    params = {"datasets": [DIGITS, DIGITS], "block": 3, "stratified": True, "seed": None}


class TestMap(View):
    spec = "dataset:map"
    params = {"dataset": DIGITS, "function": "operator:neg", "field": "label"}


class TestMapOp(View):
    spec = "dataset:map"
    params = {"dataset": DIGITS, "function": {"use": "op:flip"}, "field": "image", "seed": 3}


class TestOneHot(View):
    spec = "dataset:one_hot"


class TestLabelSmoothing(View):
    spec = "dataset:label_smoothing"
    params = {"dataset": DIGITS, "smoothing": 0.1}


class TestMultiView(View):
    spec = "dataset:multi_view"
    params = {"dataset": DIGITS, "configs": [2, "builtins:len"]}


class TestRandomLabels(View):
    spec = "dataset:random_labels"


class TestSwapLabels(View):
    spec = "dataset:swap_labels"
    params = {"dataset": DIGITS, "p": 0.5}


class TestUnlabelled(View):
    spec = "dataset:unlabelled"
    params = {"dataset": DIGITS, "percent": 40}


class TestClassGroups(View):
    spec = "dataset:class_groups"
    params = {"dataset": DIGITS, "size": 3}


class TestRandomSuperclasses(View):
    spec = "dataset:random_superclasses"
    params = {"dataset": DIGITS, "size": 3, "splits": 2}


class TestGivenLabels(View):
    spec = "dataset:given_labels"
    params = {"dataset": DIGITS, "labels": np.arange(20) % 3}
