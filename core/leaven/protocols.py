"""What a component of each kind must be able to do.

A parameter annotated with one of these protocols takes a component: an instance, a spec string
(``"mixture"``) or a table (``{"use": "mixture", ...}``); :func:`leaven.create` builds it.
Nothing has to inherit from a protocol. Images are ``(height, width, channels)`` arrays, RGB where
they have three channels; batches are ``(rows, channels, height, width)``; sizes are ``(height, width)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pathlib import Path

    import click
    import numpy as np
    from numpy.typing import NDArray

    from leaven.stream.buffers import BufferSpec
    from leaven.stream.worker import Request

    Image = NDArray[Any]
    Sample = dict[str, Any]


class ImageInfo(NamedTuple):
    """What is known of an encoded image before its pixels are decoded.

    ``height`` and ``width`` are pixels after the EXIF ``orientation`` (1-8) has been applied.
    """

    height: int
    width: int
    channels: int
    orientation: int = 1


class Region(NamedTuple):
    """A rectangle of pixels: rows ``top <= y < bottom``, columns ``left <= x < right``."""

    top: int
    left: int
    bottom: int
    right: int


class Decoded(NamedTuple):
    """Pixels, and which part of the source they show.

    ``image`` is ``(height, width, channels)``. ``region`` is the part of the source (in its own pixels) that it
    covers, ``scale`` how many decoded pixels stand for one of the source (1, 1/2, 1/4, 1/8): a decoder may return more
    than it was asked for, and says so here.
    """

    image: Image
    region: Region
    scale: float


class DecodeRequest(NamedTuple):
    """What is wanted of one encoded image; the fields are the arguments of :meth:`Decoder.decode`.

    ``index`` is what some decoder made of the image before and stored beside it, to find its parts; others need not
    understand it.
    """

    data: bytes
    color: bool = True
    region: Region | None = None
    min_scale: float = 1.0
    index: bytes | None = None  # type: ignore[assignment]  # hides tuple.index, which nobody needs


class Drawing(NamedTuple):
    """A crop of one encoded image, scaled and perhaps mirrored, that is to fill a row of an array.

    ``matrix`` leads from points of the row to points of the upright image, its corner being (0, 0), as in
    :mod:`leaven_plugins.ops.geometry`; it has no rotation and no shear. The request's ``region`` is that of the matrix
    whatever it says. ``row`` is which one of the array, ``sample`` the sample's position in the dataset; ``background``
    has four values, of which those of the first channels count.
    """

    request: DecodeRequest
    matrix: NDArray[np.float64]
    row: int
    sample: int
    interpolation: int
    background: Sequence[float]


class Drawn(NamedTuple):
    """That an image was drawn; ``resampling_ns`` of the time went into resampling what had been decoded."""

    resampling_ns: int


@runtime_checkable
class Worker(Protocol):
    """Turns packed samples into rows of a batch. Use the bases in :mod:`leaven.stream.worker`."""

    @property
    def buffers(self) -> Mapping[str, BufferSpec]:
        """The arrays of a batch: key -> shape and dtype of one row, and what an unfilled row holds."""

    def setup(self) -> None:
        """Open, allocate and warm up, once, in the process or thread that will do the work."""

    def process(self, request: Request) -> Mapping[str, Any] | Iterable[Mapping[str, Any]] | None:
        """Fill the request's arrays; return the batch, any number of batches, or ``None``."""


@runtime_checkable
class Rng(Protocol):
    """Draws the augmentation parameters of one sample.

    Two more methods are called where there are such: ``at_epoch(epoch) -> Rng`` returns what draws in one epoch, and
    ``check(fixed, keys)`` raises a :class:`~leaven.errors.ParameterError` where the names of the worker's fixed
    parameters, or of the keys that its ops read, do not go together with what is drawn.
    """

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters for an image like ``info`` that is to fill a row like ``spec``.

        Only ``random`` may be used as a source of chance.
        """


@runtime_checkable
class Op(Protocol):
    """A pure function of one image and of drawn values.

    A class may have an attribute ``example``: the parameters, as a mapping, with which an op shows what it does, for
    ``leaven show augment`` and ``leaven bench ops``. Otherwise these make it without any. The same holds for RNGs.

    An op may further have ``geometric = True`` (it moves what an image shows, so masks must go through it as well),
    ``keeps_size = False`` (only ``Compose`` takes it) and ``apply_frames(frames, values, random)``, where a sequence is
    more to it than one frame after the other.
    """

    keys: tuple[str, ...]
    """The draw's keys that ``apply`` reads."""

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return values for ``keys``; called when the RNG gave none of them."""

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether ``apply`` would change anything."""

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the changed image, of the same shape and dtype; the one passed in is not touched.

        Its memory is used again for later images: what an op keeps of it has to be a copy.
        """


@runtime_checkable
class Decoder(Protocol):
    """Turns encoded bytes into pixels.

    A decoder that is faster for many images at once has ``decode_batch(requests: Sequence[DecodeRequest])`` as well,
    which yields a :class:`Decoded` for each request in order, and the :class:`~leaven.errors.DecodeError` itself in the
    place of an image that cannot be decoded. What it raises is the error of all images that are left.

    One that can put a crop straight into its place has ``draw_batch(drawings: Sequence[Drawing], out, progress)``.
    ``out`` is an array of uint8, ``(rows, height, width, 1 or 3)`` with any strides; ``progress`` is that of
    :class:`~leaven.stream.worker.Request`. It returns, for each drawing, :class:`Drawn`, a ``DecodeError``, or ``None``
    for one that is to be decoded the other way; what it raises is the error of all of them. Pixels have to be a
    function of the drawing alone.

    One that counts what it does has ``tally() -> Mapping[str, int]``, which returns how often what has happened since
    it was called last.
    """

    def info(self, data: bytes) -> ImageInfo:
        """Read the header only; raise :class:`~leaven.errors.DecodeError` where it is not an image."""

    def decode(
        self, data: bytes, *, color: bool = True, region: Region | None = None, min_scale: float = 1.0
    ) -> Decoded:
        """Return at least ``region`` (default: everything) at a scale of at least ``min_scale``.

        ``color=True`` gives uint8 RGB; ``color=False`` keeps depth and channels of the file.
        """


@runtime_checkable
class Collator(Protocol):
    """Changes a whole batch, in the worker that has made it.

    One that mixes samples, or leaves something to chance otherwise, may have a method ``without_chance() -> Collator``,
    which returns what is used in its place in validation.

    ``batch["valid"]``, a bool for each row, may be there: a row where it is ``False`` holds no sample, but fill values
    in arrays and ``None`` in lists. Nothing of such a row may get into another one, and the mask stays as it is.
    """

    def collate(self, batch: Sample, random: np.random.Generator) -> Sample:
        """Return the batch, with arrays of ``(rows, ...)`` and lists of as many entries as there are rows.

        Arrays may be changed in place. A new one travels in the message.
        ``random`` is keyed by the batch's place in the stream.
        """


@runtime_checkable
class Dataset(Protocol):
    """Samples in one format, read at random by position.

    One that keeps them in a file may say by ``offset(index) -> int`` where in it the bytes of a sample begin, from any
    thread: lists of samples that failed tell it.

    One that can read a part of a sample alone has ``getitem_NAME(index, ctx=None)`` for it, and ``getall_NAME()`` where
    it has all of that at once; ``class_names`` are those of the classes, in the order of their labels. See
    :mod:`leaven.data.getters`.

    A format has ``suffixes``, those of its files, ``companions``, what is appended to a file's name for those that lie
    beside it, and ``write(path, samples, *, overwrite=False)``, a class method that takes samples one by one, as
    mappings or packed messages, and returns how many there were; further parameters have names.
    """

    def __len__(self) -> int:
        """Return the number of samples, without reading them."""

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return sample ``index`` (``0 <= index < len``): a mapping, or one as a packed msgpack message."""

    def key(self, index: int) -> str:
        """Return the sample's unique name."""

    def close(self) -> None:
        """Give back files and memory; the next access opens them again."""


class Pass(Protocol):
    """The passes over a dataset that a sampler has laid out.

    One that may show a sample several times in a pass has ``repeats = True``: each time it is augmented anew.
    """

    @property
    def length(self) -> int:
        """How many samples one pass has, at least 1."""

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which samples of the dataset come at ``ranks`` (1-D, ``0 <= rank < length``) of pass ``epoch``.

        A pure function: any ranks of any pass are asked for, in any order, by other processes as well, and have the
        same answer each time. ``ranks`` is not changed.
        """


@runtime_checkable
class Sampler(Protocol):
    """Says which sample of a dataset comes when."""

    def over(self, dataset: Any, seed: int) -> Pass:
        """Return the passes over ``dataset``, which has a ``len``.

        Called once, in the loader's process. What is left to chance comes from ``seed`` (any integer) and the epoch.
        """


@runtime_checkable
class Cache(Protocol):
    """Keeps bytes by name. Whatever it has kept it may have forgotten by the next time."""

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or ``None``."""

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value`` under ``key``; return whether there was room for it. What is kept already stays."""

    def clear(self) -> None:
        """Forget everything that was put into it, and nothing else that lies in the same place."""

    def close(self) -> None:
        """Give back files, connections and memory of this process; the next access opens them again."""


@runtime_checkable
class Job(Protocol):
    """Work on a dataset, cut into blocks. Each is a pure function of its number: to run it twice does no harm."""

    @property
    def blocks(self) -> int:
        """How many blocks there are."""

    def run(self, block: int, folder: Path) -> Mapping[str, Any]:
        """Do ``block``, leave its files in ``folder`` under names of its own, and return its manifest.

        A file takes its name once it is whole. The manifest is plain data: what was made, and what was found.
        """


class Engine(Protocol):
    """Does the blocks of a job."""

    def run(self, job: Job, blocks: Sequence[int], folder: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
        """Yield block and manifest as they are done, in any order.

        A block that was lost, as with the machine that it ran on, is run again. Its own error ends the work: a
        :class:`~leaven.errors.SampleError` is raised as it is, with a note that names the block.
        """


class Channel(Protocol):
    """A worker's end of a transport."""

    def receive(self) -> bytes | None:
        """Wait for the next message; return ``None`` once the loader has gone."""

    def send(self, message: bytes) -> None:
        """Send a message to the loader."""

    def close(self) -> None:
        """Give back everything."""


class Transport(Protocol):
    """Carries small messages between the loader and its workers. It knows nothing of images.

    One of ``connect`` (the workers are processes of their own) and ``handlers`` (they run within this process)
    is used, as ``in_process`` says.

    A transport that workers of other hosts may join has ``joins = True``. Their numbers begin with ``nworkers`` and are
    never used again; the first message of each is a ``Hello``. It further has ``gone() -> list[int]``: those who have
    vanished since it was last asked, and ``blame(worker)``: told of one who sends what makes no sense.
    """

    in_process: bool
    """Whether workers run in this process, within :meth:`wait` or in threads of the transport."""

    concurrent: bool
    """Whether workers work while nobody waits."""

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Get ready for ``nworkers`` workers; ``handlers[i]`` answers worker ``i``'s messages if it is in-process."""

    def address(self, worker: int) -> Mapping[str, Any]:
        """Return what :meth:`connect` needs in worker ``worker``'s process, as plain data."""

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """Return the worker's end. Called in the worker's process."""

    def renew(self, worker: int) -> None:
        """Forget what is on its way to ``worker``, which has died; :meth:`address` is for its successor from now on."""

    def send(self, worker: int, message: bytes) -> bool:
        """Send without ever blocking; return ``False`` where the worker cannot take it now."""

    def receive(self) -> list[tuple[int, bytes]]:
        """Return all ``(worker, message)`` that have arrived, without waiting."""

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Return the readable ones of ``fds``, after at most ``timeout`` seconds.

        Return early when a message has arrived, or when a worker can take one after :meth:`send` returned ``False``.
        """

    def close(self) -> None:
        """Drop what is in flight and give back everything, at once."""


@runtime_checkable
class Feed(Protocol):
    """Hands a finished batch to the consumer."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the batch as the consumer wants it. Arrays that are passed in stay valid while anything shows them."""


@runtime_checkable
class Augmenter(Protocol):
    """Does ops to a whole batch on its device, with the values that workers have drawn for each sample."""

    ops: tuple[str, ...]
    """Names of the ops that it does, as :attr:`Op.name <leaven.protocols.Op>`: those that workers may leave to it."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with its image changed, ``(rows, channels, height, width)``.

        ``sample["augmentation"]`` has one dict of values for each row; what it says under ``gpu_augmentation`` is which
        ops the worker has left out: ``True`` for all, or a list of names.
        """


class Model(Protocol):
    """A network that reads and extends the sample dict."""

    def __call__(self, sample: Sample) -> Sample:
        """Return the sample with the network's output added, by default under ``output``."""


class Loss(Protocol):
    """What training makes small."""

    def __call__(self, sample: Sample) -> Any:
        """Return a scalar tensor."""


@runtime_checkable
class Metric(Protocol):
    """What is measured of the network's output, weighted by samples."""

    def update(self, sample: Sample) -> None:
        """Take in one batch."""

    def compute(self) -> dict[str, float]:
        """Return the values over everything since :meth:`reset`."""

    def reset(self) -> None:
        """Forget everything."""

    def merge(self, other: Metric) -> None:
        """Take in what another metric of the same kind has seen."""

    # What is measured by several processes, or goes on after a snapshot, needs two more:
    # state_dict() -> dict[str, Any]: all that was seen, as tensors on the CPU, numbers, strings, and lists of these
    # load_state_dict(state: Mapping[str, Any]) -> None: go on from there


class OptimizerFactory(Protocol):
    """Makes an optimizer for a network's weights."""

    def __call__(self, parameters: Iterable[Any]) -> Any:
        """Return a ``torch.optim.Optimizer`` over ``parameters``: tensors, ``(name, tensor)``, or torch's groups."""


@runtime_checkable
class Policy(Protocol):
    """Sets a value, such as the learning rate, as a pure function of the progress.

    A policy with ``unit = "step"`` counts optimizer steps instead of epochs: ``epoch`` is the number of steps done, a
    whole number, and ``num_epochs`` how many there will be.

    One that depends on what is measured has ``observe(value, epoch)``, called with each validation's loss (or what it
    is told to watch), and ``state_dict()`` and ``load_state_dict(state)``, in plain data.
    """

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` (fractional) of ``num_epochs`` epochs, from the ``base`` value."""


@runtime_checkable
class Logger(Protocol):
    """Writes down what happens during a run."""

    def log(self, **fields: Any) -> None:
        """Write one record of plain data."""

    def close(self) -> None:
        """Finish; further records are an error."""


@runtime_checkable
class Trainer(Protocol):
    """Runs the epochs."""

    def train(self, num_epochs: int, start_epoch: int = 0) -> Mapping[str, Any]:
        """Train epochs ``start_epoch + 1`` to ``num_epochs``; return the trainer's state."""


@runtime_checkable
class Hook(Protocol):
    """Follows a training run.

    One that remembers something has ``state_dict()`` and ``load_state_dict(state)``, in plain data and tensors: it goes
    into snapshots.
    """

    def attach(self, trainer: Any) -> None:
        """Add functions to the trainer's events by ``trainer.add_hook(event, function)``; called once."""


if TYPE_CHECKING:
    Command = click.Command
    Writer = Callable[[Path, Iterable[Mapping[str, Any]]], int]
