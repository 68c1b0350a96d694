"""The contest: who is admitted, with which images, and how each run is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import LeavenError
from leaven.registry.registry import Registry
from leaven_plugins.commands.bench.peers.corpus import Corpus, corpus
from leaven_plugins.commands.bench.peers.environments import NoEnvironment, install, python_for
from leaven_plugins.commands.bench.peers.passes import Scores, compared
from leaven_plugins.commands.bench.peers.photographs import photographs
from leaven_plugins.commands.bench.peers.quality import SAMPLES, psnr_of
from leaven_plugins.commands.bench.peers.roster import BASELINE, LIMIT, Peer, chosen
from leaven_plugins.commands.bench.peers.runners.request import Request
from leaven_plugins.commands.bench.peers.running import Outcome, PeerFailed, Started, run_peer
from leaven_plugins.commands.bench.peers.works import Work

SEED = 0
"""Of the corpus, and of order and augmentation in the first pass."""


class Settings(NamedTuple):
    """What is the same for all.

    Attributes:
        passes: over all peers.
        seconds: how long each run is measured.
        workers: of each.
        batch_size: images in a batch.
        images: of the small corpus; the large one has a tenth of them.
    """

    passes: int
    seconds: float
    workers: int
    batch_size: int
    images: int


class Places(NamedTuple):
    """Folders of corpora and of environments."""

    corpora: Path
    venvs: Path

    @classmethod
    def of(cls, corpora: Path | None, venvs: Path | None) -> Places:
        """Return the given folders, or those of the user's cache."""
        from platformdirs import user_cache_path

        cache = user_cache_path("leaven") / "bench"
        return cls(corpora or cache / "corpus", venvs or cache / "venvs")


class Admitted(NamedTuple):
    """Who takes part with which interpreter, and why others do not (name -> reason)."""

    pythons: dict[Peer, Path]
    absent: dict[str, str]


class Contest:
    """Runs peers at works.

    Args:
        settings: what is the same for all.
        places: where images and environments are.
        registry: of leaven's components.
        note: told what is going on.
    """

    def __init__(self, settings: Settings, places: Places, registry: Registry, note: Callable[[str], None]) -> None:
        self._settings = settings
        self._places = places
        self._registry = registry
        self._note = note
        self.corpora: dict[str, Corpus] = {}

    def admitted(self, names: Iterable[str], installing: bool) -> Admitted:
        """Return who takes part; environments that are missing are made where that is asked for.

        Raises:
            UnknownName: there is no such peer.
            LeavenError: the baseline cannot take part.
        """
        found = Admitted({}, {})
        for peer in (LIMIT, *chosen(names)):
            try:
                found.pythons[peer] = self._python(peer, installing)
            except NoEnvironment as error:
                if peer in (LIMIT, BASELINE):
                    raise LeavenError(f"{peer.name}, to which all are compared, cannot run: {error}") from error
                found.absent[peer.name] = str(error)
        return found

    def scores(self, work: Work, admitted: Admitted) -> Scores:
        """Return what all peers do at a work.

        Raises:
            LeavenError: the baseline failed, or the images cannot be made.
        """
        made = self._corpus(work.corpus)
        refused = {peer.name: peer.refuses[work.name] for peer in admitted.pythons if work.name in peer.refuses}
        peers = [peer for peer in admitted.pythons if peer is not LIMIT and peer.name not in refused]

        def run(peer: Peer, number: int) -> Outcome:
            self._note(f"{work.name}, pass {number + 1} of {self._settings.passes}: {peer.name}")
            return self._run(peer, admitted.pythons[peer], work, number)

        def psnr(outcome: Outcome) -> float | None:
            return psnr_of(outcome.samples, made.files) if outcome.samples else None

        settings = self._settings
        found = compared(work.name, peers, settings.passes, settings.workers, run, psnr)
        return replace(found, absent={**admitted.absent, **refused, **found.absent})

    def _python(self, peer: Peer, installing: bool) -> Path:
        try:
            return python_for(peer, self._places.venvs)
        except NoEnvironment:
            if not installing or not peer.requirements:
                raise
            self._note(f"installing {' '.join(peer.requirements)}")
            install(peer, self._places.venvs)
            return python_for(peer, self._places.venvs)

    def _corpus(self, kind: str) -> Corpus:
        if kind not in self.corpora:
            images = self._settings.images
            count = images if kind == "small" else max(images // 10, 1)
            self._note(f"images: {count} of the corpus {kind}, in {self._places.corpora}")
            self.corpora[kind] = corpus(self._places.corpora, kind, count, SEED, photographs, self._registry)
        return self.corpora[kind]

    def _run(self, peer: Peer, python: Path, work: Work, number: int) -> Outcome:
        made, settings = self._corpus(work.corpus), self._settings
        request = Request(
            work=work.name,
            corpus=str(made.folder.resolve()),
            count=made.manifest.count,
            workers=settings.workers,
            batch_size=settings.batch_size,
            seconds=settings.seconds,
            least_batches=work.least_batches,
            seed=SEED + number,
            keep=0 if work.random or number or peer is LIMIT else min(SAMPLES, made.manifest.count),
            packages=tuple(peer.packages),
            options={**peer.options, **self._dataset(peer, made)},
        )
        return run_peer(Started(python, peer.runner), request)

    def _dataset(self, peer: Peer, made: Corpus) -> dict[str, Any]:
        """Return the option that names the packed dataset.

        Raises:
            PeerFailed: the images cannot be repacked.
        """
        if peer.runner != "leaven_loader":
            return {}
        try:
            return {"dataset": str((made.indexed(self._registry) if peer.indexed else made.packed).resolve())}
        except Exception as error:  # of whatever kind: what repacks them is another's, and others are measured without
            raise PeerFailed(f"the images cannot be repacked: {error}") from error
