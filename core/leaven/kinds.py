"""The kinds of components: the one table from which command line, documentation, configuration and tests are made."""

from __future__ import annotations

from typing import NamedTuple

from leaven.errors import UnknownName, listing, suggestion


class Kind(NamedTuple):
    """One kind of component.

    ``hook`` is the function that a plugin's door defines to declare components of this kind,
    ``protocol`` the name in :mod:`leaven.protocols` of what such a component must be able to do,
    ``meaning`` one line for people.
    """

    name: str
    hook: str
    protocol: str
    meaning: str


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("worker", "leaven_workers", "Worker", "turns packed samples into rows of a batch"),
        Kind("rng", "leaven_rngs", "Rng", "draws the augmentation parameters of one sample"),
        Kind("op", "leaven_ops", "Op", "changes one image according to drawn values"),
        Kind("decoder", "leaven_decoders", "Decoder", "turns encoded bytes into pixels"),
        Kind("collator", "leaven_collators", "Collator", "changes a whole batch, such as by mixing its samples"),
        Kind("dataset", "leaven_datasets", "Dataset", "reads and writes samples in one format"),
        Kind("sampler", "leaven_samplers", "Sampler", "says which sample of a dataset comes when"),
        Kind("cache", "leaven_caches", "Cache", "keeps the bytes of samples where they are read faster"),
        Kind("job", "leaven_jobs", "Job", "work on a dataset that is cut into blocks, such as packing it"),
        Kind("engine", "leaven_engines", "Engine", "does the blocks of a job, on this machine or on many"),
        Kind("transport", "leaven_transports", "Transport", "carries small messages between loader and workers"),
        Kind("feed", "leaven_feeds", "Feed", "hands a finished batch to the consumer"),
        Kind("augmenter", "leaven_augmenters", "Augmenter", "does ops to a whole batch, on the device"),
        Kind("model", "leaven_models", "Model", "a network that takes and returns sample dicts"),
        Kind("loss", "leaven_losses", "Loss", "what training makes small"),
        Kind("metric", "leaven_metrics", "Metric", "what is measured of the network's output"),
        Kind("optimizer", "leaven_optimizers", "OptimizerFactory", "changes the network's weights"),
        Kind("policy", "leaven_policies", "Policy", "sets a value, such as the learning rate, by the epoch"),
        Kind("logger", "leaven_loggers", "Logger", "writes down what happens during a run"),
        Kind("trainer", "leaven_trainers", "Trainer", "runs the epochs"),
        Kind("hook", "leaven_hooks", "Hook", "follows a training run, and may end it"),
        Kind("command", "leaven_commands", "Command", "a command of the leaven command line"),
    )
}


def kind_named(name: str) -> Kind:
    """Return the kind of this name; raise :class:`~leaven.errors.UnknownName` with the nearest match."""
    try:
        return KINDS[name]
    except KeyError:
        hint = suggestion(name, KINDS) or f"; kinds: {listing(KINDS, 30)}"
        raise UnknownName(f"no kind {name!r}{hint}") from None


def kind_of_protocol(protocol: str) -> str:
    """Return the name of the kind whose protocol has this name, or ``""``."""
    return next((kind.name for kind in KINDS.values() if kind.protocol == protocol), "")
