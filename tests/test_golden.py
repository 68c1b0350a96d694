"""Every golden case, by its stated tolerance. Cases in which the original is wrong have to be answered differently."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

SYSTEMS = ("crumpets", "datadings", "batchup", "elektronn2", "kappadata", "nebulae", "trainer_dash")
MENDED = ("correct", "repaired", "correct_value")  # what a faulty original should have returned


@pytest.fixture(scope="module")
def mapped():
    path = Path(__file__).with_name("golden_map.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases(system, root, families):
    """Yield family and case; arrays are read for these families only."""
    index = json.loads((root / f"{system}.index.json").read_text("utf-8"))
    with np.load(root / index["npz"], allow_pickle=False) as arrays:
        for case in index["cases"]:
            family = f"{system}:{case['id']}".partition("/")[0]
            if family in families:
                case |= {part: filled(case[part], arrays) for part in ("args", "expected")}
            yield family, case


def filled(value, arrays):
    """Put arrays in the place of references to them."""
    if isinstance(value, list):
        return [filled(part, arrays) for part in value]
    if isinstance(value, dict):
        if "$array" in value:
            return arrays[value["$array"].replace("/", "|")]
        return {key: filled(part, arrays) for key, part in value.items()}
    return value


def difference(expected, got, tolerance):
    """Return what is wrong with ``got``, or ``""``."""
    if tolerance["kind"] == "statistical":
        return statistical_difference(expected, got, tolerance)
    if tolerance["kind"] == "exact":
        return "" if equal(expected, got) else f"expected {expected!r}, got {got!r}"
    if isinstance(expected, dict):
        found = (f"{key}: {why}" for key in expected if (why := difference(expected[key], got.get(key), tolerance)))
        return next(found, "")
    if isinstance(expected, list) and not all(isinstance(part, (int, float)) for part in expected):
        if len(expected) != len(got):
            return f"{len(expected)} entries expected, got {len(got)}"
        found = (why for one, other in zip(expected, got, strict=True) if (why := difference(one, other, tolerance)))
        return next(found, "")
    if expected is None or isinstance(expected, (str, bool)):
        return "" if expected == got else f"expected {expected!r}, got {got!r}"
    return numeric_difference(np.asarray(expected), np.asarray(got), tolerance)


def equal(expected, got):
    if isinstance(expected, dict):
        return expected.keys() == got.keys() and all(equal(value, got[key]) for key, value in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(got) and all(equal(one, other) for one, other in zip(expected, got, strict=True))
    one, other = np.asarray(expected), np.asarray(got)
    return one.shape == other.shape and bool(np.all((one == other) | ((one != one) & (other != other))))


def numeric_difference(expected, got, tolerance):
    if expected.shape != got.shape:
        return f"shape {expected.shape} expected, got {got.shape}"
    apart = np.abs(expected.astype(np.float64) - got.astype(np.float64))
    if tolerance["kind"] == "allclose":
        close = np.allclose(got, expected, tolerance["rtol"], tolerance["atol"], equal_nan=True)
        return "" if close else f"apart by up to {np.nanmax(apart)}"
    most, mean = apart.max(initial=0), apart.mean() if apart.size else 0
    good = most <= tolerance["max_abs"] and mean <= tolerance.get("mean_abs", np.inf)
    return "" if good else f"apart by up to {most}, {mean:.3f} in the mean"


def statistical_difference(expected, got, tolerance):
    if "mean" in expected or "fraction_set" in expected:
        return statistics_difference(expected, got, tolerance)
    if expected.keys() != got.keys():
        return f"keys {sorted(expected)} expected, got {sorted(got)}"
    found = (f"{key}: {why}" for key in expected if (why := statistics_difference(expected[key], got[key], tolerance)))
    return next(found, "")


def statistics_difference(expected, got, tolerance):
    if abs(expected.get("fraction_set", 0) - got.get("fraction_set", 0)) > tolerance.get("fraction_atol", 0):
        return f"set in {got['fraction_set']:.3f} of all draws instead of {expected['fraction_set']:.3f}"
    if "mean" not in expected:
        return ""
    mean, std = (np.asarray(expected[name]) for name in ("mean", "std"))
    limit = tolerance.get("mean_atol", tolerance.get("mean_atol_in_std", 0) * std)
    if np.any(np.abs(mean - got["mean"]) > limit):
        return f"mean {got['mean']} instead of {mean}"
    if np.any(np.abs(std - got["std"]) > tolerance["std_rtol"] * std):
        return f"standard deviation {got['std']} instead of {std}"
    return ""


def mended(expected):
    """Return what is to be met where a case holds both what the original returns and what it should."""
    return next((expected[name] for name in MENDED if isinstance(expected, dict) and name in expected), expected)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_golden_case(system, golden, mapped, capsys):
    counts, wrong = Counter(), []
    for family, case in cases(system, golden, mapped.ADAPTERS):
        if family in mapped.ELSEWHERE:
            counts["informative"] += 1
            continue
        if family not in mapped.ADAPTERS:
            assert family in mapped.LATER, f"{family} has no adapter, and is not among those of later"
            counts["unmapped"] += 1
            continue
        got = mapped.ADAPTERS[family](case["args"], golden)
        why = difference(mended(case["expected"]), got, case["tolerance"])
        name = f"{system}:{case['id']}"
        is_statistical = case["tolerance"]["kind"] == "statistical"
        is_fault = name.startswith(tuple(mapped.FAULTS))
        if bool(why) != is_fault:
            wrong.append(f"{name}: {why or 'listed as a fault of the original, but met'}")
        counts["faults" if is_fault else "statistical" if is_statistical else "passed"] += 1
    with capsys.disabled():
        print(f"\n{system}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    assert wrong == []


def test_no_family_is_answered_and_left_for_later(mapped):
    assert sorted(set(mapped.ADAPTERS) & mapped.LATER) == []


def test_what_is_tested_elsewhere_is_tested_there(mapped):
    for family, name in mapped.ELSEWHERE.items():
        system, _, case = family.partition(":")
        text = (Path(__file__).parent / name).read_text("utf-8")
        assert system in text
        assert f"{case}/" in text


@pytest.mark.parametrize(
    ("expected", "got", "tolerance"),
    [
        ([1, 2], [1, 3], {"kind": "exact"}),
        ({"a": 1}, {"a": 1, "b": 2}, {"kind": "exact"}),
        ({"a": np.zeros(3)}, {"a": np.zeros(4)}, {"kind": "uint8", "max_abs": 9}),
        (np.zeros(4), np.array([0, 0, 0, 3]), {"kind": "uint8", "max_abs": 3, "mean_abs": 0.5}),
        ([{"a": "x"}], [{"a": "y"}], {"kind": "uint8", "max_abs": 9}),
        (1.0, 1.2, {"kind": "allclose", "atol": 0.1, "rtol": 0}),
        (
            {"mean": [5], "std": [1]},
            {"mean": [5], "std": [1.2]},
            {"kind": "statistical", "mean_atol": 1, "std_rtol": 0.1},
        ),
        (
            {"mean": [5], "std": [1]},
            {"mean": [7], "std": [1]},
            {"kind": "statistical", "mean_atol": 1, "std_rtol": 0.1},
        ),
        ({"k": {"fraction_set": 0.5}}, {"k": {"fraction_set": 0.6}}, {"kind": "statistical", "fraction_atol": 0.02}),
    ],
)
def test_the_comparison_finds_differences(expected, got, tolerance):
    assert difference(expected, got, tolerance)
    assert not difference(expected, expected, tolerance)
