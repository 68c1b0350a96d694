"""The hooks of leaven: one for each kind of component.

A plugin is a module, named by an entry point in the group ``leaven``::

    [project.entry-points.leaven]
    rain = "acme_rain"

The module (its *door*) defines the hooks of the kinds that it offers. A hook takes no arguments and yields
:class:`~leaven.Component` declarations; it is called once, when names are first looked up, so a door imports
nothing but ``leaven`` and the standard library: what is declared is imported when it is created.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from collections.abc import Iterable

import pluggy

from leaven.registry.components import Component

PROJECT = "leaven"

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a door as a hook: ``@hookimpl``."""

_hookspec = pluggy.HookspecMarker(PROJECT)


@_hookspec
def leaven_workers() -> Iterable[Component]:
    """Declare workers: what turns packed samples into rows of a batch.

    ::

        @hookimpl
        def leaven_workers():
            yield Component("boxes", "acme_boxes.worker:BoxWorker", "images with bounding boxes")

    A worker subclasses :class:`leaven.Worker` or :class:`leaven.BufferWorker`, in the room ``acme_boxes/worker.py``::

        class BoxWorker(BufferWorker):
            def __init__(self, boxes=((16, 4), "float32")):
                self.add_buffer("boxes", boxes)

            def prepare(self, sample, row, buffers):
                found = np.asarray(sample["boxes"], "float32").reshape(-1, 4)
                buffers["boxes"][: len(found)] = found
                row.append("count", len(found))
    """


@_hookspec
def leaven_rngs() -> Iterable[Component]:
    """Declare RNGs: what draws the augmentation parameters of one sample.

    ::

        @hookimpl
        def leaven_rngs():
            yield Component("tilt", "acme_tilt.rng:Tilt", "small rotations only")

        class Tilt:
            def __init__(self, degrees: float = 5):
                self.degrees = degrees

            def draw(self, info, spec, random):
                return {"angle": random.normal(0, self.degrees)}
    """


@_hookspec
def leaven_ops() -> Iterable[Component]:
    """Declare ops: pure functions of one image and of drawn values.

    ::

        @hookimpl
        def leaven_ops():
            yield Component("invert", "acme_invert.op:Invert", "a negative, now and then")

        class Invert:
            keys = ("invert",)

            def __init__(self, prob: float = 0.1):
                self.prob = prob

            def draw(self, random, info):
                return {"invert": bool(random.random() < self.prob)}

            def applies(self, values):
                return bool(values.get("invert"))

            def apply(self, image, values, random):
                return 255 - image
    """


@_hookspec
def leaven_decoders() -> Iterable[Component]:
    """Declare decoders: what turns encoded bytes into pixels.

    ::

        @hookimpl
        def leaven_decoders():
            yield Component("raw", "acme_raw.decoder:RawDecoder", "camera raw files")

        class RawDecoder:
            def info(self, data):
                height, width = header(data)
                return ImageInfo(height, width, channels=3)

            def decode(self, data, *, color=True, region=None, min_scale=1.0):
                image = develop(data)
                return Decoded(image, Region(0, 0, *image.shape[:2]), scale=1.0)
    """


@_hookspec
def leaven_collators() -> Iterable[Component]:
    """Declare collators: what changes a whole batch in the worker that has made it.

    ::

        @hookimpl
        def leaven_collators():
            yield Component("swap", "acme_swap.collator:Swap", "halves of neighbours exchanged")

        class Swap:
            def collate(self, batch, random):
                image = batch["image"]
                half = image.shape[-1] // 2
                image[..., :half] = np.roll(image[..., :half], 1, axis=0)
                return batch
    """


@_hookspec
def leaven_datasets() -> Iterable[Component]:
    """Declare dataset formats: what reads samples by position, and writes them.

    ::

        @hookimpl
        def leaven_datasets():
            yield Component("lines", "acme_lines.dataset:Lines", "one JSON object per line")

        class Lines:
            suffixes = (".jsonl",)

            def __init__(self, path: str):
                self.path = path

            def __len__(self): ...
            def sample(self, index): ...
            def key(self, index): ...
            def close(self): ...

            @classmethod
            def write(cls, path, samples): ...   # returns how many were written
    """


@_hookspec
def leaven_samplers() -> Iterable[Component]:
    """Declare samplers: what says which sample of a dataset comes when.

    ::

        @hookimpl
        def leaven_samplers():
            yield Component("backwards", "acme_backwards.sampler:Backwards", "the last sample first")

        class Backwards:
            def over(self, dataset, seed):
                return BackwardsPass(len(dataset))

        class BackwardsPass:
            def __init__(self, length):
                self.length = length

            def indices(self, epoch, ranks):
                return self.length - 1 - ranks
    """


@_hookspec
def leaven_caches() -> Iterable[Component]:
    """Declare caches: what keeps the bytes of samples where they are read faster than where they come from.

    ::

        @hookimpl
        def leaven_caches():
            yield Component("newest", "acme_newest.cache:Newest", "the samples that were read last")

        class Newest:
            def __init__(self, most: int = 1000):
                self.most, self._kept = most, {}

            def get(self, key):
                return self._kept.get(key)

            def put(self, key, value):
                self._kept.setdefault(key, value)
                if len(self._kept) > self.most:
                    del self._kept[next(iter(self._kept))]
                return True

            def clear(self):
                self._kept.clear()

            def close(self):
                pass
    """


@_hookspec
def leaven_jobs() -> Iterable[Component]:
    """Declare jobs: work on a dataset that is cut into blocks, each of which is a pure function of its number.

    ::

        @hookimpl
        def leaven_jobs():
            yield Component("count", "acme_count.job:Count", "how many samples there are of each class")

        class Count:
            def __init__(self, dataset: Dataset):
                self.dataset = dataset

            @property
            def blocks(self):
                return -(-len(self.dataset) // 1000)

            def run(self, block, folder):
                rows = range(block * 1000, min((block + 1) * 1000, len(self.dataset)))
                return {"counts": Counter(str(getitem(self.dataset, "label", row)) for row in rows)}
    """


@_hookspec
def leaven_engines() -> Iterable[Component]:
    """Declare engines: what does the blocks of a job, in which processes and on which machines ever.

    ::

        @hookimpl
        def leaven_engines():
            yield Component("here", "acme_here.engine:Here", "one block after the other, in this process")

        class Here:
            def run(self, job, blocks, folder):
                for block in blocks:
                    yield block, job.run(block, folder)
    """


@_hookspec
def leaven_transports() -> Iterable[Component]:
    """Declare transports: what carries messages between a loader and its workers.

    ::

        @hookimpl
        def leaven_transports():
            yield Component("pipes", "acme_pipes.transport:Pipes", "anonymous pipes")

    See :class:`leaven.protocols.Transport` for the methods, and ``leaven_plugins/transports/inline`` for a short one.
    """


@_hookspec
def leaven_feeds() -> Iterable[Component]:
    """Declare feeds: what hands a finished batch to the consumer.

    ::

        @hookimpl
        def leaven_feeds():
            yield Component("jax", "acme_jax.feed:JaxFeed", "jax arrays", extra="acme-jax[cpu]")

        class JaxFeed:
            def __call__(self, sample):
                return {k: jnp.asarray(v) if isinstance(v, np.ndarray) else v for k, v in sample.items()}
    """


@_hookspec
def leaven_augmenters() -> Iterable[Component]:
    """Declare augmenters: what does ops to a whole batch on the device, as workers would to one image.

    ::

        @hookimpl
        def leaven_augmenters():
            yield Component("invert", "acme_invert.device:Invert", "negatives, on the device", extra="leaven[torch]")

        class Invert:
            ops = ("invert",)

            def __call__(self, sample):
                chosen = [bool(values.get("invert")) for values in sample["augmentation"]]
                mask = torch.tensor(chosen, device=sample["image"].device)[:, None, None, None]
                return {**sample, "image": torch.where(mask, 255 - sample["image"], sample["image"])}
    """


@_hookspec
def leaven_models() -> Iterable[Component]:
    """Declare models: networks that take and return sample dicts.

    ::

        @hookimpl
        def leaven_models():
            yield Component("linear", "acme_linear.model:Linear", "one layer", extra="leaven[torch]")

        class Linear(torch.nn.Module):
            def __init__(self, features: int, classes: int):
                super().__init__()
                self.layer = torch.nn.Linear(features, classes)

            def forward(self, sample):
                return sample | {"output": self.layer(sample["image"].float().flatten(1))}
    """


@_hookspec
def leaven_losses() -> Iterable[Component]:
    """Declare losses: what training makes small.

    ::

        @hookimpl
        def leaven_losses():
            yield Component("gap", "acme_gap.loss:Gap", "mean absolute difference")

        class Gap:
            def __call__(self, sample):
                return (sample["output"] - sample["target"]).abs().mean()
    """


@_hookspec
def leaven_metrics() -> Iterable[Component]:
    """Declare metrics: what is measured of the network's output.

    ::

        @hookimpl
        def leaven_metrics():
            yield Component("worst", "acme_worst.metric:Worst", "the largest error seen")

        class Worst:
            def __init__(self):
                self.reset()

            def update(self, sample):
                self.worst = max(self.worst, float((sample["output"] - sample["target"]).abs().max()))

            def compute(self):
                return {"worst": self.worst}

            def reset(self):
                self.worst = 0.0

            def merge(self, other):
                self.worst = max(self.worst, other.worst)
    """


@_hookspec
def leaven_optimizers() -> Iterable[Component]:
    """Declare optimizers: what changes a network's weights.

    ::

        @hookimpl
        def leaven_optimizers():
            yield Component("sign", "acme_sign.optimizer:Sign", "steps of fixed size")

        class Sign:
            def __init__(self, lr: float = 1e-3):
                self.lr = lr

            def __call__(self, parameters):
                return SignOptimizer(parameters, lr=self.lr)   # a torch.optim.Optimizer
    """


@_hookspec
def leaven_policies() -> Iterable[Component]:
    """Declare policies: what sets a value, such as the learning rate, as a function of the epoch.

    ::

        @hookimpl
        def leaven_policies():
            yield Component("half", "acme_half.policy:Half", "half the value for the second half")

        class Half:
            def value(self, base, epoch, num_epochs):
                return base if epoch < num_epochs / 2 else base / 2
    """


@_hookspec
def leaven_loggers() -> Iterable[Component]:
    """Declare loggers: what writes down what happens during a run.

    ::

        @hookimpl
        def leaven_loggers():
            yield Component("console", "acme_console.logger:Console", "records on standard output")

        class Console:
            def log(self, **fields):
                print(fields)

            def close(self):
                pass
    """


@_hookspec
def leaven_trainers() -> Iterable[Component]:
    """Declare trainers: what runs the epochs.

    ::

        @hookimpl
        def leaven_trainers():
            yield Component("patient", "acme_patient.trainer:Patient", "repeats an epoch that got worse")

        class Patient:
            def __init__(self, network: Model, optimizer, loss: Loss, train_iter): ...

            def train(self, num_epochs, start_epoch=0):
                ...
                return {"epoch": num_epochs}
    """


@_hookspec
def leaven_hooks() -> Iterable[Component]:
    r"""Declare hooks of training runs: what follows a run by its events.

    ::

        @hookimpl
        def leaven_hooks():
            yield Component("bell", "acme_bell.hook:Bell", "a sound at the end of every epoch")

        class Bell:
            def attach(self, trainer):
                trainer.add_hook("train_end", lambda state: print("\a", end=""))

    The events and what they are called with are listed in :mod:`leaven_plugins.trainers.standard.events`.
    """


@_hookspec
def leaven_commands() -> Iterable[Component]:
    """Declare commands: click commands or groups that ``leaven`` shows and runs. They are imported when they are run.

    ::

        @hookimpl
        def leaven_commands():
            yield Component("hello", "acme_hello.command:hello", "say hello")

        @click.command()
        @click.pass_obj            # the registry
        def hello(registry):
            click.echo(f"hello from {len(registry.plugins())} plugins")
    """
