"""Where functions are not run: on other hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from leaven.errors import ParameterError, WorkerError
from leaven.tasks.serving import server, spec_of
from leaven.tasks.workers import workers_for


@dataclass(frozen=True)
class Joins:
    """A transport that workers of other hosts can join."""

    in_process: ClassVar = False
    joins: ClassVar = True


def test_workers_of_other_hosts_refuse():
    with pytest.raises(WorkerError, match="on their own host only"):
        server(spec_of(True))
    server(spec_of(False)).setup()


def test_there_has_to_be_a_worker_of_this_host():
    with pytest.raises(ParameterError, match="nworkers=0: functions are run by workers of this host"):
        workers_for(0, Joins())
