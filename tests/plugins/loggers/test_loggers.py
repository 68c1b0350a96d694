from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError
from leaven.protocols import Logger
from leaven_plugins.loggers.jsonl.logger import JSONLogger
from leaven_plugins.loggers.silent.logger import SilentLogger

NOON = datetime(2024, 2, 29, 12, 0, 0, 5, tzinfo=UTC)


def records(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_each_record_is_one_line_with_the_time_first(tmp_path):
    path = tmp_path / "run" / "log.jsonl"
    logger = JSONLogger(path, now=lambda: NOON)
    logger.log(epoch=1, text="two\nlines, ä")
    logger.log(epoch=2)
    assert records(path) == [
        {"timestamp": "2024-02-29T12:00:00.000005+00:00", "epoch": 1, "text": "two\nlines, ä"},
        {"timestamp": "2024-02-29T12:00:00.000005+00:00", "epoch": 2},
    ]
    assert all(next(iter(record)) == "timestamp" for record in records(path))
    logger.close()


def test_the_time_is_now_and_in_utc(tmp_path):
    before = datetime.now(UTC)
    logger = JSONLogger(tmp_path / "log.jsonl")
    logger.log()
    logger.close()
    stamp = datetime.fromisoformat(records(tmp_path / "log.jsonl")[0]["timestamp"])
    assert before <= stamp <= datetime.now(UTC)
    assert stamp.utcoffset().total_seconds() == 0


def test_values_that_json_does_not_know(tmp_path):
    logger = JSONLogger(tmp_path / "log.jsonl")
    logger.log(
        nan=float("nan"),
        inf=np.float32("inf"),
        array=np.arange(3),
        tensor=torch.tensor([1.5, float("nan")]),
        nested={"path": Path("a/b"), 3: (1, None, True)},
    )
    logger.close()
    record = records(tmp_path / "log.jsonl")[0]
    del record["timestamp"]
    assert record == {
        "nan": None,
        "inf": None,
        "array": [0, 1, 2],
        "tensor": [1.5, None],
        "nested": {"path": "a/b", "3": [1, None, True]},
    }


def test_a_second_logger_appends(tmp_path):
    for epoch in (1, 2):
        logger = JSONLogger(tmp_path / "log.jsonl")
        logger.log(epoch=epoch)
        logger.close()
    assert [record["epoch"] for record in records(tmp_path / "log.jsonl")] == [1, 2]


def test_nothing_is_opened_before_the_first_record(tmp_path):
    JSONLogger(tmp_path / "x" / "log.jsonl").close()
    assert not (tmp_path / "x").exists()


def test_a_closed_log_is_an_error(tmp_path):
    logger = JSONLogger(tmp_path / "log.jsonl")
    logger.close()
    logger.close()
    with pytest.raises(LeavenError, match=r"log\.jsonl: the log is closed"):
        logger.log(epoch=1)


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    logger = JSONLogger(tmp_path / "file" / "log.jsonl")
    with pytest.raises(LeavenError, match=r"log\.jsonl: the log cannot be written"):
        logger.log(epoch=1)


def test_silent_takes_everything(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    logger = SilentLogger()
    logger.log(epoch=1)
    logger.close()
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("logger", [JSONLogger("x"), SilentLogger()])
def test_they_are_loggers(logger):
    assert isinstance(logger, Logger)
