from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.stream.board import STAGES
from leaven_plugins.commands.bench.findings import Findings, Setup
from leaven_plugins.commands.bench.remedies import OPTIMIZED, TURBO, WHOLE, amdahl
from leaven_plugins.commands.bench.stages import GROUPS, grouped
from leaven_plugins.commands.bench.starving import Company
from leaven_plugins.commands.bench.verdict import Verdict, diagnose, enough_workers

NOTHING = dict.fromkeys([*GROUPS, "other"], 0.0)


def found(workers=2, images=1000.0, waits=0.99, cores=2, setup=None, counts=None, rates=None, processes=None, **shares):
    """Findings whose workers rest for what ``shares`` leave of their time."""
    rest = {"wait": 1 - sum(shares.values())} if "wait" not in shares else {}
    return Findings(
        {**NOTHING, **rest, **shares},
        images,
        waits,
        workers,
        cores,
        processes,
        rates or {workers: images},
        counts or {},
        setup or Setup(),
    )


# ---- what limits


@pytest.mark.parametrize("limit", ["read", "decode", "geometry", "photometric", "work", "collate", "copy", "other"])
def test_the_busiest_stage_limits(limit):
    verdict = diagnose(found(**{limit: 0.7, "read": 0.7 if limit == "read" else 0.2}))
    assert verdict.limit == limit
    assert f"{0.7:.0%} of the workers' time" in verdict.sentence
    assert verdict.gain > 1


def test_workers_that_rest_behind_a_busy_consumer():
    verdict = diagnose(found(workers=4, waits=0.02, images=800, decode=0.2))
    assert verdict.limit == "consumer"
    assert verdict.gain == 1
    assert verdict.predicted_images_per_second == 800
    assert "nworkers = 1 will do as well" in verdict.advice
    assert "about 4,000 images/s" in verdict.advice
    assert "predicted" not in verdict.sentence


def test_a_consumer_that_is_busy_limits_even_if_workers_share_its_cores():
    assert diagnose(found(waits=0.1, decode=0.95)).limit == "consumer"


def test_nobody_is_busy():
    verdict = diagnose(found(waits=0.95, decode=0.2, other=0.1))
    assert verdict.limit == "loader"
    assert "batch_size" in verdict.advice
    assert verdict.gain == pytest.approx(1 / (1 - 0.7 / 2))
    assert "at most" in verdict.sentence


def test_a_run_in_which_nothing_was_made():
    verdict = diagnose(replace(found(), shares=NOTHING))
    assert (verdict.limit, verdict.gain, verdict.predicted_images_per_second) == ("unknown", None, None)
    assert "--seconds" in verdict.sentence
    assert diagnose(found(images=0.0, decode=1.0)).limit == "unknown"


def test_one_process_in_which_the_consumer_takes_most_of_the_time():
    verdict = diagnose(found(workers=0, waits=0.4, decode=0.4))
    assert verdict.limit == "consumer"
    assert "nworkers = 1" in verdict.advice
    assert verdict.gain == pytest.approx(1 / 0.6)


# ---- what to change, and what that gives


def test_jpegs_without_turbo():
    verdict = diagnose(found(decode=0.9, setup=Setup(decoder="opencv", jpegs=True, crops=True)))
    assert "pip install leaven-turbo" in verdict.advice
    assert "leaven data optimize" in verdict.advice
    assert verdict.gain == pytest.approx(1 / (0.1 + 0.9 / OPTIMIZED))
    assert verdict.predicted_images_per_second == pytest.approx(1000 * verdict.gain)
    assert "about 2.6 times as fast, 2,623 images/s" in verdict.sentence


def test_turbo_is_installed_but_not_used():
    verdict = diagnose(found(decode=0.9, setup=Setup(decoder="opencv", jpegs=True, turbo=True, crops=True)))
    assert 'decoder = "turbo"' in verdict.advice
    assert "pip" not in verdict.advice


def test_files_that_are_not_repacked():
    turbo = Setup(decoder="turbo", jpegs=True, turbo=True, crops=True)
    verdict = diagnose(found(decode=0.8, setup=turbo, counts={"turbo: by walking": 90, "turbo: plainly": 10}))
    assert "repack" in verdict.advice
    assert verdict.gain == pytest.approx(amdahl(0.8, OPTIMIZED / TURBO))
    mixed = {"turbo: by walking": 50, "turbo: indexed": 25, "turbo: by restart markers": 25}
    assert 1 < diagnose(found(decode=0.8, setup=turbo, counts=mixed)).gain < verdict.gain
    refused = {"turbo: left to the fallback: unsupported": 100}
    assert diagnose(found(decode=0.8, setup=turbo, counts=refused)).gain == pytest.approx(verdict.gain)


def test_files_that_are_repacked_have_nothing_left_but_pixels():
    setup = Setup(decoder="turbo", jpegs=True, turbo=True, crops=True)
    verdict = diagnose(found(decode=0.8, setup=setup, counts={"turbo: indexed": 100}))
    assert "--resize" in verdict.advice
    assert "half of the time" in verdict.sentence


def test_images_that_are_shown_as_a_whole_are_not_repacked():
    verdict = diagnose(found(decode=0.9, setup=Setup(decoder="opencv", jpegs=True)))
    assert "pip install leaven-turbo" in verdict.advice
    assert verdict.gain == pytest.approx(amdahl(0.9, WHOLE))
    turbo = Setup(decoder="turbo", jpegs=True, turbo=True)
    for advice in (verdict.advice, diagnose(found(decode=0.9, setup=turbo, counts={"turbo: plainly": 9})).advice):
        assert "optimize" not in advice


def test_other_images_than_jpegs_are_not_repacked():
    assert "optimize" not in diagnose(found(decode=0.8, setup=Setup(decoder="opencv"))).advice


def test_ops_go_to_the_device_where_the_worker_can():
    verdict = diagnose(found(photometric=0.75, decode=0.2, setup=Setup(gpu_augmentation=False)))
    assert "gpu_augmentation" in verdict.advice
    assert verdict.gain == pytest.approx(4, rel=0.05)
    assert verdict.at_most
    for setup in (Setup(gpu_augmentation=True), Setup(gpu_augmentation=None)):
        assert "gpu_augmentation" not in diagnose(found(photometric=0.75, decode=0.2, setup=setup)).advice


def test_cores_that_nobody_uses():
    few = found(work=1.0, workers=2, cores=16)
    verdict = diagnose(few)
    assert "nworkers = 16" in verdict.advice
    assert verdict.gain == pytest.approx((1 + 15 * 0.9) / 1.9)
    assert "nworkers" not in diagnose(replace(few, rates={2: 1000, 16: 990})).advice.replace("nworkers = 0", "")


def test_the_consumer_bounds_what_workers_can_give():
    verdict = diagnose(found(work=1.0, workers=1, cores=64, waits=0.5))
    assert verdict.gain == pytest.approx(2)


def test_threads_that_wait_for_each_other():
    threads = Setup(transport="threads")
    verdict = diagnose(found(work=1.0, processes=1900.0, setup=threads))
    assert verdict.limit == "threads"
    assert 'transport = "zeromq"' in verdict.advice
    assert verdict.gain == pytest.approx(1.9)
    assert verdict.predicted_images_per_second == pytest.approx(1900)
    for others in (found(work=1.0, processes=1100.0, setup=threads), found(work=1.0)):
        assert diagnose(others).limit == "work"


def test_a_folder_is_packed():
    verdict = diagnose(found(read=0.6, decode=0.3, setup=Setup(stored="folder")))
    assert "leaven data pack" in verdict.advice
    assert "at most 2.5 times" in verdict.sentence
    assert "faster disk" in diagnose(found(read=0.6, decode=0.3, setup=Setup(stored="file"))).advice
    assert "disk" not in diagnose(found(read=0.6, decode=0.3)).advice


def test_warps_and_wide_rows():
    assert "exact = false" in diagnose(found(geometry=0.8, setup=Setup(exact=True))).advice
    assert "uint8" in diagnose(found(copy=0.8, setup=Setup(wide=True))).advice


def test_how_many_workers_are_enough():
    consumed = found(workers=8, waits=0.0, decode=0.2)
    assert enough_workers(consumed) == 2  # 8 * 0.2 / 0.9
    assert enough_workers(replace(consumed, rates={1: 980, 8: 1000})) == 1  # as measured
    assert enough_workers(replace(consumed, rates={1: 500, 8: 1000})) == 2
    assert enough_workers(found(workers=2, waits=0.0, decode=1.0)) == 2


def test_large_gains_have_no_decimals():
    assert "12 times" in Verdict("read", "reading limits", "change it", 12.34, 100.0).prediction
    assert Verdict("read", "reading limits", "change it", 1.01, 100.0).sentence == "Reading limits: change it."


# ---- properties

shares = st.lists(st.floats(0, 1), min_size=len(STAGES), max_size=len(STAGES)).map(
    lambda values: {stage: value / (sum(values) or 1) for stage, value in zip(STAGES, values, strict=True)}
)
setups = st.builds(
    Setup,
    transport=st.sampled_from(["zeromq", "threads", "inline"]),
    decoder=st.sampled_from(["", "opencv", "simplejpeg", "turbo"]),
    turbo=st.booleans(),
    jpegs=st.booleans(),
    crops=st.booleans(),
    stored=st.sampled_from(["", "file", "folder"]),
    gpu_augmentation=st.sampled_from([None, False, True]),
    exact=st.booleans(),
    wide=st.booleans(),
)
ways = ["turbo: indexed", "turbo: by walking", "turbo: plainly", "turbo: left to the fallback: damaged", "sheep"]
findings = st.builds(
    Findings,
    shares=shares.map(grouped),
    images_per_second=st.floats(0, 1e7),
    wait_share=st.floats(0, 1),
    workers=st.integers(0, 256),
    cores=st.integers(1, 256),
    processes=st.none() | st.floats(0, 1e7),
    rates=st.dictionaries(st.integers(0, 256), st.floats(0, 1e7), max_size=4),
    counts=st.dictionaries(st.sampled_from(ways), st.integers(0, 10**9)),
    setup=setups,
)


@given(findings)
def test_any_findings_have_a_verdict(found):
    verdict = diagnose(found)
    assert verdict.limit in (*GROUPS, "other", "consumer", "loader", "threads", "unknown")
    assert verdict.limit != "wait"
    assert verdict.sentence[0].isupper()
    assert verdict.sentence.endswith(".")
    if verdict.limit == "unknown":
        return
    assert math.isfinite(verdict.gain)
    assert verdict.gain >= 1
    assert verdict.predicted_images_per_second == pytest.approx(found.images_per_second * verdict.gain)
    assert verdict.gain <= 1 / max(1 - found.wait_share, 0.001) + 1e-9  # the consumer's own pace
    if found.workers and verdict.limit == "consumer":
        assert 1 <= enough_workers(found) <= found.workers


@given(shares)
def test_groups_have_all_of_the_time(stages):
    assert sum(grouped(stages).values()) == pytest.approx(sum(stages.values()))
    assert set(grouped(stages)) == set(NOTHING)


@given(st.floats(0, 1), st.floats(1, 1e6), st.floats(0, 1), st.floats(1, 1e6))
def test_gains_follow_shares_and_speedups(share, speedup, less, slower):
    gain = amdahl(share, speedup)
    assert 1 <= gain <= speedup * (1 + 1e-9)
    assert amdahl(share * less, speedup) <= gain + 1e-9
    assert amdahl(share, min(speedup, slower)) <= gain * (1 + 1e-9)


# ---- starving threads


def test_a_consumer_that_is_explained():
    assert Company(alone=0.1, step=0.1, beside=0.12).warning == ""
    assert Company(alone=0.1, step=0.5, beside=0.51).warning == ""  # it takes as long as the consumer does
    assert Company(alone=0.1, step=0.1, beside=0.19, slowed=1.8).warning == ""  # other programs have the cores


def test_threads_that_starve():
    company = Company(alone=0.1, step=0.1, beside=0.3)
    assert company.starved == pytest.approx(3)
    assert "threads starve behind a consumer in Python" in company.warning
    assert "100 ms" in company.warning
    assert "3.0 times" in company.warning
    assert 'transport = "zeromq"' in company.warning


@given(st.floats(1e-6, 100), st.floats(0, 100), st.floats(1e-6, 100), st.floats(0.01, 100))
def test_starving_is_never_less_than_nothing(alone, step, beside, slowed):
    company = Company(alone, step, beside, slowed)
    assert company.starved >= 1
    assert company.explained >= max(alone, step)
