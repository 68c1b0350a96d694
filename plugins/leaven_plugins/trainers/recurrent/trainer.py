"""RecurrentTrainer: training of networks that carry a state along sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from leaven.protocols import Loss, Metric, Model
from leaven_plugins.trainers.feedback import Feedback
from leaven_plugins.trainers.options import with_options_of
from leaven_plugins.trainers.recurrent.carrying import Carrying
from leaven_plugins.trainers.recurrent.chunks import Chunks, Rule
from leaven_plugins.trainers.recurrent.steps import StepLoss, StepMetric
from leaven_plugins.trainers.recurrent.tracking import TrackingError
from leaven_plugins.trainers.standard.measures import Measures
from leaven_plugins.trainers.standard.precision import device_of
from leaven_plugins.trainers.standard.trainer import Trainer
from leaven_plugins.trainers.stream import Afresh, Stream


class RecurrentTrainer(Trainer):
    """The standard trainer, with truncated back-propagation through time.

    Data yields sequences: samples with tensors ``(rows, steps, ...)``, or with lists of one array ``(steps, ...)`` for
    each row. They are cut into chunks of ``bptt`` steps, and each chunk is a step of the optimizer: the state that the
    network comes to at its end is what the next one begins with, but gradients do not go back through it (Williams and
    Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories", Neural
    Computation, 1990).

    The network takes a chunk, ``(rows, steps, ...)`` with a state under ``state_key``, and returns it with its outputs
    ``(rows, steps, ...)`` and the new state: tensors ``(rows, ...)``, in tuples, lists or dicts. At the start of a
    sequence the state is ``None``. Of a network that knows single steps,
    :class:`~leaven_plugins.trainers.recurrent.unrolled.Unrolled` makes one of sequences.

    Sequences begin with each sample, or, where samples have bools ``(rows,)`` under ``reset_key``, in the rows of which
    that is true; the others go on where the sample before has ended (of several mini-batches, the same one of the
    iteration before). In rows that begin anew beside others that go on, the state is zeros, which has to mean the same
    as ``None``; the network does not get the flags.

    Losses and metrics see each step as a row: outputs and targets as ``(counted, ...)``. Where there is a mask of bools
    ``(rows, steps)`` under ``input_key`` and ``_mask``, as ``collator:padding`` makes it, only the steps where it is
    true count; the network sees all. In records ``samples`` are steps. Schedules cannot set properties of the loss.

    How many chunks there are is not known before, so policies count whole epochs, but with ``limit_train``, where
    passes follow one another. A snapshot amid an epoch is gone on with exactly, amid a sequence too, if the data yields
    the same in each pass or has a state itself; by as many processes as made it, among which a state's tuples become
    lists, and which need ``limit_train`` where they do not have equally many chunks.

    Args:
        network: as for :class:`~leaven_plugins.trainers.standard.trainer.Trainer`, like everything that is not below.
        optimizer: likewise.
        loss: likewise.
        metric: likewise.
        train_iter: sequences to train on.
        val_iter: sequences to validate on.
        val_loss: loss in validation, by default ``loss``.
        val_metric: metrics in validation, by default ``metric``.
        bptt: steps of a chunk; 0 for whole sequences.
        max_length: steps after which sequences are cut off; 0 for no limit.
        input_key: key of the sequences that say how many rows and steps there are.
        state_key: key of the state.
        reset_key: key of the flags.
        tracking_key: key of a target of the output's shape; records then have ``error_1``, ``error_2``, ...: the mean
            distance between the two at each step of the sequences.
        output_key: key of the output that is compared to it.
        **options: of the standard trainer.

    Raises:
        ParameterError: a value is out of range.
    """

    @with_options_of(Trainer.__init__)
    def __init__(
        self,
        network: Model,
        optimizer: Any,
        loss: Loss,
        metric: Metric | Sequence[Metric] = (),
        train_iter: Iterable[Any] = (),
        val_iter: Iterable[Any] | None = None,
        val_loss: Loss | None = None,
        val_metric: Metric | Sequence[Metric] | None = None,
        bptt: int = 0,
        max_length: int = 0,
        input_key: str = "image",
        state_key: str = "state",
        reset_key: str = "reset",
        tracking_key: str | None = None,
        output_key: str = "output",
        **options: Any,
    ) -> None:
        self._rule = Rule(bptt, max_length, input_key, state_key, reset_key)
        self._feedback: Feedback[None] = Feedback()
        self._tracking = () if tracking_key is None else (TrackingError(input_key, output_key, tracking_key),)
        self._device = device_of(network.parameters())  # type: ignore[attr-defined]
        super().__init__(
            network,
            optimizer,
            StepLoss(loss, input_key),
            self._measuring(metric),
            train_iter=Stream(train_iter, self._begin, self._feedback),
            val_iter=None if val_iter is None else Afresh(val_iter, self._begin, self._feedback),
            val_loss=None if val_loss is None else StepLoss(val_loss, input_key),
            val_metric=None if val_metric is None else self._measuring(val_metric),
            **options,
        )

    def test(self, data: Iterable[Any]) -> dict[str, float]:
        """Return ``loss`` and the validation's metrics over some sequences, without a trace in the run.

        Args:
            data: as for training.
        """
        return super().test(Stream(data, self._begin, self._feedback))

    def _measuring(self, metric: Metric | Sequence[Metric]) -> tuple[Metric, ...]:
        of_steps = (StepMetric(one, self._rule.input_key) for one in Measures(metric).metrics)
        return (*of_steps, *self._tracking, Carrying(self._feedback))

    def _begin(self, data: Iterable[Any], state: Mapping[str, Any] | None) -> Chunks:
        return Chunks(data, self._rule, self._device, self._pass_over, state)

    @torch.no_grad()
    def _pass_over(self, chunk: dict[str, Any]) -> Mapping[str, Any]:
        network = self.state["network"]
        output: Mapping[str, Any] = network(chunk)
        return output
